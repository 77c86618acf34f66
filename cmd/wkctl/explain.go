package main

import (
	"context"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
)

func (t *tool) explainCommand() *cobra.Command {
	var at, file string
	cmd := &cobra.Command{
		Use:   "explain ID",
		Short: "Say what is decided about a case, now or at another time, and why",
		Long: `explain decides about a case as the fleet does, from the record, and tells every value that counts with the variable it came from.
It uses this machine's clock; the fleet uses the platform's. With --at the record stays what it is now: what was announced, answered or
changed by then is not played back. ID is STORE/ID, or the platform's id alone when only one store has it.

With --env it decides under the rules of a file (- is standard input), and tells what they change. Its WK_SLA__, WK_SHIPMENT__ and WK_CALENDAR__ variables take
the place of all present ones; every other variable that it sets takes the place of the present one of that name.`,
		Example: `  wkctl explain AE01/9123456789012345
  wkctl explain 9123456789012345 --at 2026-03-04T18:00:00Z
  wkctl explain AE01/9123456789012345 --env new.env -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			q := question{id: args[0], file: file}
			var err error
			if at != "" {
				if q.at, err = parseTime(at); err != nil {
					return err
				}
			}
			if file != "" {
				if q.rules, err = t.newRules(cmd.Context(), file); err != nil {
					return err
				}
			}
			return t.withRecords(cmd.Context(), func(ctx context.Context, d *desk) error {
				e, err := d.explain(ctx, q)
				if err != nil {
					return err
				}
				return t.show(e, e.print)
			})
		},
	}
	cmd.Flags().StringVar(&at, "at", "", "decide as of this time (RFC 3339 or a day), not now")
	cmd.Flags().StringVar(&file, "env", "", "decide under the rules of this file, and tell what they change")
	return cmd
}

// A question is which case to explain, as of when, under which rules.
type question struct {
	id    string
	at    time.Time // zero: now
	file  string    // empty: the present rules
	rules rulebook  // of the file
}

// A valueView is one input of a decision with its origin.
type valueView struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	From  string `json:"from"`
}

func valuesOf(d sla.Decision) []valueView {
	out := []valueView{}
	for _, u := range d.Used() {
		out = append(out, valueView{u.Name, asTyped(u.Value), u.From})
	}
	return out
}

var goDuration = regexp.MustCompile(`\b(\d+h)?(\d+m)?\d+(\.\d+)?s\b`)

// asTyped writes durations as an operator would set them: 5d and not 120h0m0s.
func asTyped(value string) string {
	return goDuration.ReplaceAllStringFunc(value, func(text string) string {
		d, err := time.ParseDuration(text)
		if err != nil {
			return text
		}
		return rules.FormatDuration(d)
	})
}

// An explanation is a decision with everything that it was made from.
type explanation struct {
	caseLine
	At           instant         `json:"at"`
	Meaning      string          `json:"meaning"`
	DeadlineFrom words           `json:"deadline_from"` // "feed" or "window"
	WindowFrom   words           `json:"window_from"`   // the variable of the window, when it set the deadline
	Drift        int64           `json:"window_drift_seconds"`
	Looks        instant         `json:"then_look_at"`
	Frozen       instant         `json:"money_frozen_until"`
	Approval     string          `json:"approval"`
	Waiting      bool            `json:"waiting"`
	Kills        []coverView     `json:"kill_switches"`
	Rules        rulesView       `json:"rules"`
	Margin       *marginView     `json:"margin"`     // null when no process of the fleet measures
	Short        *shortView      `json:"time_short"` // null when it is not
	Obligation   *obligationView `json:"obligation"`
	Timeline     []decidedStage  `json:"timeline"`
	Values       []valueView     `json:"values"`
	Attempts     []attemptView   `json:"attempts"`
	Plan         *planView       `json:"plan"` // as of the instant asked for
	NoPlan       words           `json:"no_plan_because"`
	Others       []otherView     `json:"others"`
	Forecast     *forecastView   `json:"comes_to"` // null when there is no plan
	Compared     *comparedView   `json:"compared"` // null without --env

	at time.Time
}

func (d *desk) explain(ctx context.Context, q question) (*explanation, error) {
	c, err := d.find(ctx, q.id)
	if err != nil {
		return nil, err
	}
	present, at := rulebookOf(d.book), q.at
	if at.IsZero() {
		at = d.now
	}
	book := present
	if q.file != "" {
		book = q.rules
	}
	rule := book.At(at).For(c.ID.Platform, c.ID.Store, c.Reason)
	pace, known, err := d.measured(ctx, c.ID.Platform)
	if err != nil {
		return nil, err
	}
	if known {
		rule.Margin = sla.MarginOf(pace)
	}
	decision := sla.Decide(at, c.Case, rule)
	e := &explanation{
		caseLine: lineOf(c, decision), At: instant{at}, Meaning: meaning(decision.Why), Drift: int64(decision.Drift / time.Second),
		Looks: instant{decision.Next}, Approval: c.Approval.String(), Waiting: c.Waiting, Obligation: obligationOf(c.Case),
		Timeline: decidedStages(c.Case, rule, at), Values: valuesOf(decision), Others: []otherView{}, at: at,
		Rules: rulesView{Hash: book.Hash(), File: words(q.file), Since: instant{book.begun(at)}}, NoPlan: unplanned(c.Case),
	}
	if known {
		e.Margin, e.Short = marginViewOf(rule.Margin), shortViewOf(pace.Shortage(d.now), d.now)
	}
	switch {
	case decision.Deadline.IsZero():
	case decision.Deadline.Equal(c.Obligation.Deadline):
		e.DeadlineFrom = feed
	default:
		e.DeadlineFrom, e.WindowFrom = "window", words(rule.Window.From)
	}
	attempts, err := d.lookUp(ctx, e, c, rule)
	if err != nil {
		return nil, err
	}
	s, err := d.subject(ctx, c, attempts, at, rule, d.book.At(at).For(c.ID.Platform, c.ID.Store, c.Reason))
	if err != nil {
		return nil, err
	}
	s.margin = rule.Margin
	if e.NoPlan == "" {
		plan, others := s.plan(book.Book, at)
		f := forecastViewOf(s.forecast(book.Book, book.eras, at))
		e.Plan, e.Others, e.Forecast = plan, othersOf(others), &f
	}
	if q.file != "" {
		e.Compared = s.compared(present, book, at)
	}
	return e, nil
}

// lookUp reads what else is on record about a case and its sends.
func (d *desk) lookUp(ctx context.Context, e *explanation, c sla.CaseRecord, rule sla.Rule) ([]sla.Attempt, error) {
	attempts, err := d.attempts(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	e.Attempts = attemptsOf(attempts)
	epoch, err := d.CheckEpoch(ctx, d.now)
	if err != nil {
		return nil, err
	}
	if epoch.FrozenUntil.After(e.at) {
		e.Frozen = instant{epoch.FrozenUntil}
	}
	if e.Kills, err = d.kills(ctx, c, rule); err != nil {
		return nil, err
	}
	e.Rules.Changed, err = d.otherRules(ctx, c.ID, d.book.Hash())
	return attempts, err
}

// subject gathers what is on record of a case, as far as one of the rules asks for it.
func (d *desk) subject(ctx context.Context, c sla.CaseRecord, attempts []sla.Attempt, at time.Time, either ...sla.Rule) (*subject, error) {
	orders := map[string]*sla.ShipmentRecord{}
	counts := false
	for _, r := range either {
		if asksParcel(c.Case, r) {
			orders[c.Order] = nil
		}
		counts = counts || r.HoldClaims.Value > 0
	}
	if err := d.parcelsOf(ctx, orders); err != nil {
		return nil, err
	}
	s := subjectOf(c.Case, orders[c.Order])
	s.offered(attempts)
	if !counts || c.Buyer == 0 {
		return s, nil
	}
	var err error
	s.facts.Claims, err = d.Claims(ctx, c.Buyer, at)
	return s, err
}

// unplanned says why the playbook is not asked about a case; nothing when it is.
func unplanned(c sla.Case) words {
	switch {
	case !c.Open() || c.Obligation.Turn == 0:
		return "nothing is owed"
	case c.Unresolved:
		return "the outcome of the last attempt must be learnt first"
	case c.Answered:
		return "this turn is answered"
	}
	return ""
}
