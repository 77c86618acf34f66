package main

import (
	"context"
	"time"

	"watchkeeper/sla"
	"watchkeeper/sla/playbook"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/store"
)

// A trial decides about cases on record under two rulebooks.
type trial struct {
	*desk
	*tally
	before, after rulebook
	since         time.Time
	tracker       sla.StoreID // whose thresholds hold for what the audit tells of parcels; empty: the general ones
	offer         func(differenceView)

	platforms map[sla.StoreID]sla.Platform
	orders    map[string]*sla.ShipmentRecord  // of open cases, with their parcels
	claims    map[sla.BuyerKey]int            // disputes on record by buyer, where a rule counts them
	turns     map[string]string               // of open cases that are yet to be answered
	told      map[string]handle.LineFacts     // what the audit knows of these and their records do not
	replayed  map[string]bool                 // turns of the audit that were decided again
	paid      map[string]map[string]sla.Money // what answers have cost, by case and turn

	open, recorded int
	left           int // open cases of stores that are not configured
}

func newTrial(d *desk, before, after rulebook, since time.Time, offer func(differenceView)) *trial {
	tr := &trial{
		desk: d, before: before, after: after, since: since, offer: offer, tally: newTally(), platforms: map[sla.StoreID]sla.Platform{},
		orders: map[string]*sla.ShipmentRecord{}, claims: map[sla.BuyerKey]int{}, turns: map[string]string{},
		told: map[string]handle.LineFacts{}, replayed: map[string]bool{}, paid: map[string]map[string]sla.Money{},
	}
	for _, b := range []rulebook{before, after} {
		for _, s := range b.Stores() {
			tr.platforms[s.ID] = s.Platform
		}
	}
	return tr
}

// run walks the records a few times over: to ask for each case would take too long.
func (tr *trial) run(ctx context.Context) error {
	if err := tr.EachCase(ctx, tr.gather); err != nil {
		return err
	}
	if err := tr.parcelsOf(ctx, tr.orders); err != nil {
		return err
	}
	if err := tr.EachAudit(ctx, time.Time{}, tr.hear); err != nil {
		return err
	}
	return tr.EachCase(ctx, tr.replay)
}

// gather notes what is to be looked up about the open cases.
func (tr *trial) gather(c sla.CaseRecord) error {
	was, is := tr.ruleOf(tr.before, c), tr.ruleOf(tr.after, c)
	recent := c.Obligation.Opened.IsZero() || tr.now.Sub(c.Obligation.Opened) < sla.BuyerSpan
	if c.Buyer != 0 && recent && was.HoldClaims.Value+is.HoldClaims.Value > 0 {
		tr.claims[c.Buyer]++
	}
	if !tr.takes(c) || c.Obligation.Turn == 0 || c.Answered {
		return nil
	}
	tr.turns[c.ID.String()] = c.Obligation.Turn.String()
	if asksParcel(c.Case, was) || asksParcel(c.Case, is) {
		tr.orders[c.Order] = nil
	}
	return nil
}

// takes reports whether anybody works on a case.
func (tr *trial) takes(c sla.CaseRecord) bool {
	_, configured := tr.platforms[c.ID.Store]
	return c.Open() && configured
}

func (tr *trial) ruleOf(b rulebook, c sla.CaseRecord) sla.Rule {
	return b.At(tr.now).For(c.ID.Platform, c.ID.Store, c.Reason)
}

// hear takes one line of the audit: for what it knows of an open case, and as a decision to be made again. The turn that an open case is in
// counts once, as an open case.
func (tr *trial) hear(kept store.AuditLine) error {
	l, ok := decisionIn(kept)
	if !ok {
		return nil
	}
	done := l.State == sla.AttemptSettled.String() && endsTurn(l.Answer)
	if done {
		defer tr.pays(l)
	}
	turn, open := tr.turns[l.Case]
	if open {
		f := l.Facts
		if done && l.Answer == sla.AnswerOffer.String() {
			f.Offers, f.Offered = f.Offers+1, l.Amount
		}
		tr.told[l.Case] = f
	}
	if turn == l.Turn || kept.At.Before(tr.since) || l.Event == handle.EventAnswer && !done {
		return nil
	}
	tr.decideAgain(l)
	return nil
}

// pays notes what an answer has cost.
func (tr *trial) pays(l handle.Line) {
	if wouldPay(l).IsZero() {
		return
	}
	if tr.paid[l.Case] == nil {
		tr.paid[l.Case] = map[string]sla.Money{}
	}
	tr.paid[l.Case][l.Turn] = l.Amount
}

// spent is what a case has cost before a turn.
func (tr *trial) spent(id, turn string) sla.Money {
	var out sla.Money
	for of, m := range tr.paid[id] {
		if of != turn && (out.IsZero() || out.Currency == m.Currency) {
			out = sla.Money{Minor: out.Minor + m.Minor, Currency: m.Currency}
		}
	}
	return out
}

// endsTurn reports whether an answer of the audit ends a turn; what went beside one does not.
func endsTurn(answer string) bool {
	for _, k := range sla.AnswerKinds() {
		if k.String() == answer {
			return k.EndsTurn()
		}
	}
	return false
}

// decideAgain decides about a recorded turn as of its beginning. A line without answers that would do was written when the turn had moved
// on, and tells nothing of it.
func (tr *trial) decideAgain(l handle.Line) {
	id, err := sla.ParseDisputeID(l.Case)
	platform, configured := tr.platforms[id.Store]
	key := l.Case + " " + l.Turn
	if err != nil || !configured || tr.replayed[key] || l.Facts.Kinds == 0 {
		return
	}
	tr.replayed[key] = true
	tr.recorded++
	id.Platform = platform
	at := l.Facts.Opened
	if at.IsZero() {
		at = l.At
	}
	f := l.Facts.Facts(sla.DisputeRef{ID: id}, at, sla.ShipmentRule{})
	d := f.Dispute
	c := sla.Case{DisputeRef: d.DisputeRef, State: d.State, Reason: d.Reason, Claimed: d.Claimed, Obligation: f.Obligation}
	tr.decide(&subject{Case: c, facts: f, tracker: tr.tracker, seen: l.At, spent: tr.spent(l.Case, l.Turn)}, at, differenceView{Turn: l.Turn, Recorded: true})
}

// replay decides about one open case as of now.
func (tr *trial) replay(c sla.CaseRecord) error {
	switch {
	case !c.Open():
		return nil
	case !tr.takes(c):
		tr.left++
		return nil
	}
	tr.open++
	c.Shadowed = false // what was recorded in this turn is decided anew
	s := subjectOf(c.Case, tr.orders[c.Order])
	if f, ok := tr.told[c.ID.String()]; ok {
		d := &s.facts.Dispute
		d.Cap, d.Offers, d.Offered, d.ReturnAsked = f.Cap, f.Offers, f.Offered, f.Returns
	}
	s.facts.Claims, s.spent = tr.claims[c.Buyer], tr.spent(c.ID.String(), c.Obligation.Turn.String())
	tr.decide(s, tr.now, differenceView{Turn: c.Obligation.Turn.String()})
	return nil
}

// decide compares what the two rulebooks make of a case.
func (tr *trial) decide(s *subject, at time.Time, v differenceView) {
	before, after := s.forecast(tr.before.Book, tr.before.eras, at), s.forecast(tr.after.Book, tr.after.eras, at)
	c := tr.add(s.owed(), before, after)
	if !c.any() {
		return
	}
	v.Case, v.Platform, v.Store, v.Reason = s.ID.String(), string(s.ID.Platform), string(s.ID.Store), s.Reason.String()
	v.Changes, v.Before, v.After = c.names(), forecastViewOf(before), forecastViewOf(after)
	tr.offer(v)
}

// A forecastView is what comes of a case under one rulebook if nothing of its facts changes.
type forecastView struct {
	Action string  `json:"action"`
	Why    string  `json:"why"`
	At     instant `json:"at"`
	Answer words   `json:"answer"`
	Amount money   `json:"amount"`
	Cost   money   `json:"cost_of_silence"` // null when an answer goes out by itself
	Late   bool    `json:"late"`
}

func forecastViewOf(f playbook.Forecast) forecastView {
	v := forecastView{Action: f.Action.String(), Why: f.Why.String(), At: instant{f.At}, Late: f.Late}
	if f.Answer.Kind != sla.AnswerNone {
		v.Answer, v.Amount = words(f.Answer.Kind.String()), money(f.Answer.Amount)
	}
	if f.Action != sla.ActionAct {
		v.Cost = money(f.Cost)
	}
	return v
}

func (v forecastView) String() string {
	out := v.Action
	if !v.At.IsZero() {
		out += " " + v.At.String()
	}
	if v.Answer != "" {
		out += ", " + answerText(string(v.Answer), v.Amount)
	}
	out += " (" + v.Why + ")"
	if v.Late {
		out += ", too late"
	}
	return out
}
