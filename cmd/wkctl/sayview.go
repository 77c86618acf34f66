package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"watchkeeper/sla"
)

// A sayView is a case that an operator speaks of: what is planned, and what follows from the words. What is embedded is as of before.
type sayView struct {
	caseLine
	Turn     string        `json:"turn"`
	Opened   instant       `json:"opened"`
	Plan     *planView     `json:"plan"` // null when the outcome of an attempt must be learnt first
	NoPlan   words         `json:"no_plan_because"`
	Next     *stageView    `json:"next_stage"` // null when none is left
	Before   string        `json:"said_before"`
	Said     string        `json:"said"`
	By       string        `json:"by"`
	Note     string        `json:"note"`
	Follows  string        `json:"follows"`
	Until    instant       `json:"until"` // guard: from then on nothing is sent
	Forecast *forecastView `json:"comes_to"`
	Kills    []coverView   `json:"kill_switches"`
	Frozen   instant       `json:"money_frozen_until"`

	now time.Time
}

func (d *desk) sayView(ctx context.Context, c sla.CaseRecord, ask sayAsk) (*sayView, error) {
	rule, err := d.pacedRule(ctx, c)
	if err != nil {
		return nil, err
	}
	before := sla.Decide(d.now, c.Case, rule)
	v := &sayView{
		caseLine: lineOf(c, before), Turn: c.Obligation.Turn.String(), Opened: instant{c.Obligation.Opened}, NoPlan: unplanned(c.Case),
		Before: c.Approval.String(), Said: ask.approval.String(), By: ask.by, Note: ask.note,
		Kills: []coverView{}, now: d.now,
	}
	attempts, err := d.attempts(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	s, err := d.subject(ctx, c, attempts, d.now, rule)
	if err != nil {
		return nil, err
	}
	s.margin = rule.Margin
	if v.Kills, err = d.kills(ctx, c, rule); err != nil {
		return nil, err
	}
	epoch, err := d.CheckEpoch(ctx, d.now)
	if err != nil {
		return nil, err
	}
	if epoch.FrozenUntil.After(d.now) {
		v.Frozen = instant{epoch.FrozenUntil}
	}
	v.stages(c.Case, rule)
	book := rulebookOf(d.book)
	if v.NoPlan == "" {
		said := *s
		if ask.approval == sla.ApprovalApproved && sla.Decide(d.now, s.Case, rule).Why == sla.WhyUnanswered {
			said.Approval = ask.approval // a yes in the last moment is one to the choice, not to what would become of it without a yes
		}
		v.Plan, _ = said.plan(book.Book, d.now)
	}
	s.Approval = ask.approval
	if v.NoPlan == "" {
		f := forecastViewOf(s.forecast(book.Book, book.eras, d.now))
		v.Forecast = &f
	}
	v.Follows = v.follows(s, rule, sla.Decide(d.now, s.Case, rule))
	return v, nil
}

// stages finds the stage that is next, and guard.
func (v *sayView) stages(c sla.Case, rule sla.Rule) {
	for _, s := range stagesOf(c, rule, v.now) {
		if v.Next == nil && !s.Reached {
			v.Next = &s
		}
		if s.Stage == sla.StageGuard.String() {
			v.Until = s.At
		}
	}
}

// byHand is what is left after guard.
const byHand = "only a person may answer, in the platform's own back office"

// follows is what comes of the words, in a sentence; after is the decision that follows them.
func (v *sayView) follows(s *subject, rule sla.Rule, after sla.Decision) string {
	switch {
	case after.Stage >= sla.StageGuard:
		return "nothing is sent any more, for guard has passed or no deadline is known: " + byHand
	case s.Unresolved:
		return "the outcome of the last attempt is learnt from the platform first; what you say holds if it had no effect"
	case s.Approval == sla.ApprovalRejected:
		return "nothing is sent in this turn, and a person is called at guard; from then on " + byHand
	case s.Approval == sla.ApprovalHeld:
		if rule.Unanswered.Value == sla.UnansweredPage {
			return "the answer waits; when nobody has spoken shortly before guard, a person is called"
		}
		return "the answer waits; when nobody has spoken by guard, a person is called, and " + byHand
	case len(v.Kills) > 0:
		return "nothing is sent while a kill switch is on; what you say counts when it is taken back in time"
	case rule.Mode.Value != sla.ModeLive && rule.Mode.Value != sla.ModeHold:
		return "nothing is sent in " + rule.Mode.Value.String() + " (" + rule.Mode.From + "); what you say counts when the mode changes in time"
	case v.Forecast.Action != sla.ActionAct.String():
		return "by itself it comes to: " + v.Forecast.String()
	case !v.Forecast.At.After(v.now):
		return "the dispute is read from the platform again, and the answer goes out at once, if budgets allow it"
	}
	return "the dispute is read from the platform again and the answer goes out at " + v.Forecast.At.String() + ", if budgets allow it"
}

// printBefore prints what the operator speaks of.
func (v *sayView) printBefore(w io.Writer) {
	v.head(w)
	tab := newTable(w)
	tab.row("turn", v.Turn+" since "+v.Opened.String())
	tab.row("claimed", v.Claimed.String())
	if v.Plan == nil {
		tab.row("plan", "none: "+string(v.NoPlan))
	} else {
		tab.row("plan", v.Plan.summary())
		tab.row("amount", v.Plan.Amount.String())
	}
	tab.row("deadline", orNone(strings.TrimSpace(v.Deadline.String()+"  "+left(v.Deadline, v.now))))
	tab.row("silence costs", v.Cost.String())
	tab.row("stage reached", v.Stage)
	if v.Next != nil {
		tab.row("next stage", v.Next.Stage+" "+v.Next.At.String()+", in "+span(v.Next.At.Sub(v.now)))
	}
	tab.row("said before", v.Before)
	for _, k := range v.Kills {
		tab.row("kill switch", k.text())
	}
	if !v.Frozen.IsZero() {
		tab.row("frozen", "nothing is sent before "+v.Frozen.String()+": the store has lost its memory")
	}
	tab.end()
}

// printAfter prints what was said, and what follows.
func (v *sayView) printAfter(w io.Writer) {
	fmt.Fprintf(w, "\n%s by %s: %s\n", saidWord(v.Said), clean(v.By), clean(v.Note))
	tab := newTable(w)
	tab.row("next", v.Follows)
	tab.row("until", v.until())
	if v.Forecast != nil {
		tab.row("comes to", v.Forecast.String())
	}
	tab.end()
}

func (v *sayView) until() string {
	if v.Until.IsZero() {
		return "nobody knows the deadline"
	}
	if !v.Until.After(v.now) {
		return "guard was at " + v.Until.String()
	}
	return v.Until.String() + " (guard), in " + span(v.Until.Sub(v.now))
}

// saidWord is what was said, as one says it.
func saidWord(said string) string {
	if said == sla.ApprovalNone.String() {
		return "released"
	}
	return said
}
