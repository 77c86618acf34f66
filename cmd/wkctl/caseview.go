package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"watchkeeper/sla"
)

// A caseLine is a case as listed.
type caseLine struct {
	Case     string  `json:"case"`
	Platform string  `json:"platform"`
	Store    string  `json:"store"`
	ID       string  `json:"id"`
	Order    words   `json:"order"`
	State    string  `json:"state"`
	Reason   string  `json:"reason"`
	Claimed  money   `json:"claimed"`
	Deadline instant `json:"deadline"`
	Stage    string  `json:"stage"`
	Action   string  `json:"action"`
	Why      string  `json:"why"`
	Cost     money   `json:"cost_of_silence"`
	Next     instant `json:"next_look"`
}

func lineOf(c sla.CaseRecord, d sla.Decision) caseLine {
	return caseLine{
		Case: c.ID.String(), Platform: string(c.ID.Platform), Store: string(c.ID.Store), ID: c.ID.Native, Order: words(c.Order),
		State: c.State.String(), Reason: c.Reason.String(), Claimed: money(c.Claimed), Deadline: instant{d.Deadline},
		Stage: d.Stage.String(), Action: d.Action.String(), Why: d.Why.String(), Cost: money(d.Cost), Next: instant{c.Next},
	}
}

// An obligationView is what is owed.
type obligationView struct {
	Turn     string   `json:"turn"`
	Answers  []string `json:"answers"`
	Opened   instant  `json:"opened"`
	Deadline instant  `json:"deadline"`
	Cost     money    `json:"cost_of_silence"`
}

func obligationOf(c sla.Case) *obligationView {
	o := c.Obligation
	if o.Turn == 0 {
		return nil
	}
	return &obligationView{Turn: o.Turn.String(), Answers: answersOf(o.Kinds), Opened: instant{o.Opened}, Deadline: instant{o.Deadline}, Cost: money(o.Cost)}
}

func answersOf(set sla.AnswerSet) []string {
	return nonNil(strings.FieldsFunc(set.String(), func(r rune) bool { return r == ',' }))
}

// A stageView is one point of a timeline.
type stageView struct {
	Stage   string  `json:"stage"`
	At      instant `json:"at"`
	Reached bool    `json:"reached"`
}

func stagesOf(c sla.Case, r sla.Rule, now time.Time) []stageView {
	out := []stageView{}
	if !c.Open() || c.Obligation.Turn == 0 {
		return out
	}
	for _, s := range sla.Timeline(c.Obligation, r) {
		out = append(out, stageView{s.Kind.String(), instant{s.At}, !s.At.After(now)})
	}
	return out
}

func printStages(w io.Writer, stages []stageView, now time.Time) {
	for _, s := range stages {
		state := "in " + span(s.At.Sub(now))
		if s.Reached {
			state = "reached " + span(now.Sub(s.At.Time)) + " ago"
		}
		fmt.Fprintf(w, "  %-8s %s  %s\n", s.Stage, s.At, state)
	}
}

// An attemptView is one slot of the ledger.
type attemptView struct {
	Turn    string  `json:"turn"`
	Beside  words   `json:"beside"` // the kind of side effect; null for the answer that ends the turn
	State   string  `json:"state"`
	Tries   uint32  `json:"tries"`
	Answer  string  `json:"answer"`
	Amount  money   `json:"amount"`
	Why     string  `json:"why"`
	Sent    instant `json:"sent"`
	Lease   instant `json:"lease"`
	Receipt words   `json:"receipt"`
}

func attemptsOf(all []sla.Attempt) []attemptView {
	out := make([]attemptView, 0, len(all))
	for _, a := range all {
		v := attemptView{
			Turn: a.Turn.String(), State: a.State.String(), Tries: a.N, Answer: a.Kind.String(), Amount: money(a.Amount), Why: a.Why.String(),
			Sent: instant{a.SentAt}, Lease: instant{a.Lease}, Receipt: words(a.Receipt),
		}
		if a.Side != sla.AnswerNone {
			v.Beside = words(a.Side.String())
		}
		out = append(out, v)
	}
	return out
}

func printAttempts(w io.Writer, attempts []attemptView) {
	if len(attempts) == 0 {
		fmt.Fprintln(w, "  none")
		return
	}
	tab := newTable(w, "  SENT", "ANSWER", "AMOUNT", "GROUND", "STATE", "TRIES", "TURN", "RECEIPT")
	for _, a := range attempts {
		tab.row("  "+a.Sent.String(), a.Answer, a.Amount.String(), a.Why, a.State, strconv.FormatUint(uint64(a.Tries), 10), a.Turn, string(a.Receipt))
	}
	tab.end()
}

// An auditView is one kept line.
type auditView struct {
	At   instant `json:"at"`
	Line line    `json:"line"`
}

// A caseView is everything on record of one case.
type caseView struct {
	caseLine
	Version    uint32          `json:"version"`
	Warned     int             `json:"warned"`
	Paged      string          `json:"paged"`
	Answered   bool            `json:"answered"`
	Unresolved bool            `json:"unresolved"`
	Waiting    bool            `json:"waiting"`  // for a person's yes
	Approval   string          `json:"approval"` // what a person has said: none, hold, approve or reject
	Obligation *obligationView `json:"obligation"`
	Timeline   []stageView     `json:"timeline"`
	Attempts   []attemptView   `json:"attempts"`
	Audit      []auditView     `json:"audit"`

	now time.Time
}

func (d *desk) view(ctx context.Context, c sla.CaseRecord, audits int) (*caseView, error) {
	rule, err := d.pacedRule(ctx, c)
	if err != nil {
		return nil, err
	}
	v := &caseView{
		caseLine: lineOf(c, sla.Decide(d.now, c.Case, rule)), Version: c.Version, Warned: c.Warned, Paged: c.Paged.String(),
		Answered: c.Answered, Unresolved: c.Unresolved, Waiting: c.Waiting, Approval: c.Approval.String(),
		Obligation: obligationOf(c.Case), Timeline: stagesOf(c.Case, rule, d.now),
		Audit: []auditView{}, now: d.now,
	}
	attempts, err := d.attempts(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	v.Attempts = attemptsOf(attempts)
	lines, err := d.AuditsOf(ctx, c.ID, audits)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		v.Audit = append(v.Audit, auditView{instant{l.At}, line(l.Line)})
	}
	return v, nil
}

func (v *caseView) print(w io.Writer) {
	v.head(w)
	tab := newTable(w)
	tab.row("claimed", v.Claimed.String())
	tab.row("deadline", strings.TrimSpace(v.Deadline.String()+"  "+left(v.Deadline, v.now)))
	tab.row("decision", v.Action+" ("+v.Why+")")
	tab.row("next look", v.Next.String())
	tab.row("told people", fmt.Sprintf("%d warn points, paged for %s", v.Warned, v.Paged))
	tab.row("answered", yes(v.Answered)+", outcome unknown: "+yes(v.Unresolved))
	tab.row("waiting", yes(v.Waiting)+", a person has said: "+v.Approval)
	if o := v.Obligation; o != nil {
		tab.row("owed", strings.Join(o.Answers, ", "))
		tab.row("turn", o.Turn+" since "+o.Opened.String())
		tab.row("feed says", o.Deadline.String())
	}
	tab.row("version", strconv.FormatUint(uint64(v.Version), 10))
	tab.end()
	fmt.Fprintln(w, "\ntimeline")
	if len(v.Timeline) == 0 {
		fmt.Fprintln(w, "  nothing is owed, or nobody knows until when")
	}
	printStages(w, v.Timeline, v.now)
	fmt.Fprintln(w, "\nattempts")
	printAttempts(w, v.Attempts)
	fmt.Fprintln(w, "\naudit, newest first")
	if len(v.Audit) == 0 {
		fmt.Fprintln(w, "  no line is kept")
	}
	for _, a := range v.Audit {
		fmt.Fprintf(w, "  %s  %s\n", a.At, clean(string(a.Line)))
	}
}

// head names the case.
func (l *caseLine) head(w io.Writer) {
	fmt.Fprintf(w, "%s on %s, order %s: %s, %s\n\n", clean(l.Case), clean(l.Platform), clean(orNone(string(l.Order))), l.State, l.Reason)
}

func orNone(s string) string {
	if s == "" {
		return "not known"
	}
	return s
}
