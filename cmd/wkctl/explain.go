package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
)

func (t *tool) explainCommand() *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use:   "explain ID",
		Short: "Say what is decided about a case, now or at another time, and why",
		Long: `explain decides about a case as the fleet does, from the record, and tells every value that counts with the variable it came from.
It uses this machine's clock; the fleet uses the platform's. With --at the record stays what it is now: what was announced, answered or
changed by then is not played back. ID is STORE/ID, or the platform's id alone when only one store has it.`,
		Example: `  wkctl explain AE01/9123456789012345
  wkctl explain 9123456789012345 --at 2026-03-04T18:00:00Z
  wkctl explain AE01/9123456789012345 -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var when time.Time
			if at != "" {
				var err error
				if when, err = parseTime("--at", at); err != nil {
					return err
				}
			}
			return t.withRecords(cmd.Context(), func(ctx context.Context, d *desk) error {
				if at == "" {
					when = d.now
				}
				e, err := d.explain(ctx, args[0], when)
				if err != nil {
					return err
				}
				return t.show(e, e.print)
			})
		},
	}
	cmd.Flags().StringVar(&at, "at", "", "decide as of this time (RFC 3339 or a day), not now")
	return cmd
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

// asTyped writes durations as an operator would set them: 5d and not 120h0m0s.
func asTyped(value string) string {
	parts := strings.Fields(strings.Trim(value, "[]"))
	for i, p := range parts {
		if d, err := time.ParseDuration(p); err == nil {
			parts[i] = rules.FormatDuration(d)
		}
	}
	return strings.Join(parts, " ")
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
	Obligation   *obligationView `json:"obligation"`
	Timeline     []stageView     `json:"timeline"`
	Values       []valueView     `json:"values"`
	Attempts     []attemptView   `json:"attempts"`
	Plan         *planView       `json:"plan"`
	NoPlan       words           `json:"no_plan_because"`

	at time.Time
}

func (d *desk) explain(ctx context.Context, id string, at time.Time) (*explanation, error) {
	c, err := d.find(ctx, id)
	if err != nil {
		return nil, err
	}
	rule := d.rule(c)
	decision := sla.Decide(at, c.Case, rule)
	attempts, err := d.attempts(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	epoch, err := d.CheckEpoch(ctx, d.now)
	if err != nil {
		return nil, err
	}
	e := &explanation{
		caseLine: lineOf(c, decision), At: instant{at}, Meaning: meaning(decision.Why), Drift: int64(decision.Drift / time.Second),
		Looks: instant{decision.Next}, Obligation: obligationOf(c.Case), Timeline: stagesOf(c.Case, rule, at), Values: valuesOf(decision),
		Attempts: attemptsOf(attempts), at: at,
	}
	if epoch.FrozenUntil.After(at) {
		e.Frozen = instant{epoch.FrozenUntil}
	}
	switch {
	case decision.Deadline.IsZero():
	case decision.Deadline.Equal(c.Obligation.Deadline):
		e.DeadlineFrom = "feed"
	default:
		e.DeadlineFrom, e.WindowFrom = "window", words(rule.Window.From)
	}
	if e.NoPlan = unplanned(c.Case); e.NoPlan == "" {
		e.Plan, err = d.plan(ctx, c, attempts, at)
	}
	return e, err
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

func (e *explanation) print(w io.Writer) {
	e.head(w)
	tab := newTable(w)
	tab.row("at", e.At.String())
	tab.row("decision", e.Action+": "+e.Why)
	tab.row("because", e.Meaning)
	tab.row("stage reached", e.Stage)
	tab.row("deadline", e.deadline())
	tab.row("window drift", e.drift())
	tab.row("silence costs", e.Cost.String())
	tab.row("then look at", e.Looks.String())
	if e.Obligation != nil {
		tab.row("owed", strings.Join(e.Obligation.Answers, ", ")+" (turn "+e.Obligation.Turn+")")
	}
	if !e.Frozen.IsZero() {
		tab.row("frozen", "nothing is sent before "+e.Frozen.String()+": the store has lost its memory")
	}
	tab.end()
	fmt.Fprintln(w, "\nstages")
	if len(e.Timeline) == 0 {
		fmt.Fprintln(w, "  nothing is owed, or nobody knows until when")
	}
	printStages(w, e.Timeline, e.at)
	fmt.Fprintln(w, "\nvalues used")
	tab = newTable(w)
	for _, v := range e.Values {
		tab.row("  "+v.Name, v.Value, v.From)
	}
	tab.end()
	fmt.Fprintln(w, "\nattempts")
	printAttempts(w, e.Attempts)
	fmt.Fprintln(w, "\nplan")
	if e.Plan == nil {
		fmt.Fprintf(w, "  none: %s\n", e.NoPlan)
		return
	}
	e.Plan.print(w)
}

func (e *explanation) deadline() string {
	switch e.DeadlineFrom {
	case "":
		return "-"
	case "feed":
		return e.Deadline.String() + " (the feed says so), " + span(e.Deadline.Sub(e.at)) + " left"
	}
	return e.Deadline.String() + " (end of the window, " + string(e.WindowFrom) + "), " + span(e.Deadline.Sub(e.at)) + " left"
}

func (e *explanation) drift() string {
	d := time.Duration(e.Drift) * time.Second
	switch {
	case d > 0:
		return "the feed allows " + span(d) + " more than the window"
	case d < 0:
		return "the feed allows " + span(-d) + " less than the window"
	}
	return "none, or not known"
}
