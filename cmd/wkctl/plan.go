package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"watchkeeper/sla"
	"watchkeeper/sla/playbook"
	"watchkeeper/sla/rules"
)

// readAgain goes with each plan that is made from records.
const readAgain = "Made from the facts on record. The platform is read again before any effect, and the answer may then be another."

// A planView is what the playbook would do.
type planView struct {
	Action string       `json:"action"` // answer, hold (the answer waits for a yes), wait (for the first step) or page
	Why    string       `json:"why"`
	Answer words        `json:"answer"`
	Amount money        `json:"amount"`
	Until  instant      `json:"until"` // of wait
	Hold   words        `json:"hold_because"`
	Beside []besideView `json:"beside"`
	Parcel *parcelView  `json:"parcel"` // the parcel on record that the plan argues with
	Notice words        `json:"notice"`
}

// A besideView is a side effect of a plan.
type besideView struct {
	Answer string `json:"answer"`
	Extend words  `json:"extend"`
}

// A parcelView is a parcel as far as a plan cares.
type parcelView struct {
	Number    string   `json:"number"`
	Milestone string   `json:"milestone"`
	Anomalies []string `json:"anomalies"`
	LastEvent instant  `json:"last_event"`
}

func planViewOf(p playbook.Plan, parcel *playbook.Parcel) *planView {
	v := &planView{Action: "answer", Why: p.Why.String(), Answer: words(p.Answer.Kind.String()), Amount: money(p.Answer.Amount), Beside: []besideView{}}
	switch {
	case p.Page:
		v.Action, v.Answer = "page", ""
	case !p.Wait.IsZero():
		v.Action, v.Answer, v.Until = "wait", "", instant{p.Wait}
	}
	for _, a := range p.Beside {
		b := besideView{Answer: a.Kind.String()}
		if a.Extend > 0 {
			b.Extend = words(rules.FormatDuration(a.Extend))
		}
		v.Beside = append(v.Beside, b)
	}
	if parcel != nil {
		v.Parcel = &parcelView{parcel.Ref.Number, parcel.Milestone.String(), anomalyNames(parcel.Anomalies), instant{parcel.LastEvent}}
	}
	return v
}

// summary is the plan in one line.
func (v *planView) summary() string {
	switch v.Action {
	case "page":
		return "page a person: " + v.Why
	case "wait":
		return "wait for the first step until " + v.Until.String()
	}
	var out strings.Builder
	out.WriteString(answerText(string(v.Answer), v.Amount) + ": " + v.Why)
	for _, b := range v.Beside {
		out.WriteString(", beside it " + strings.TrimSpace(b.Answer+" "+string(b.Extend)))
	}
	if v.Hold != "" {
		out.WriteString("; it waits for a person's yes: " + string(v.Hold))
	}
	return out.String()
}

// answerText is an answer with what it costs: "offer 6.00 USD".
func answerText(kind string, amount money) string {
	if sla.Money(amount).Minor != 0 {
		return kind + " " + amount.String()
	}
	return kind
}

func (v *planView) print(w io.Writer) {
	fmt.Fprintf(w, "  %s\n", v.summary())
	if p := v.Parcel; p != nil {
		fmt.Fprintf(w, "  parcel %s: %s, last event %s\n", clean(p.Number), p.Milestone, p.LastEvent)
	} else {
		fmt.Fprintln(w, "  no parcel of the order is on record")
	}
	fmt.Fprintf(w, "  %s\n", v.Notice)
}

// unread stands for the proposal's id, which is not on record: a plan must not fail for its absence.
const unread = "unread"

// A subject is a case with everything that is on record of it, to be decided about under any rulebook. A case does not hold the buyer's
// country: thresholds of a lane count as far as the tracker told the lane.
type subject struct {
	sla.Case
	facts   playbook.Facts
	tracker sla.StoreID // of the parcel
	lane    sla.Lane
	seen    time.Time  // when the parcel was looked at, where that is known
	margin  sla.Margin // what the platform's measured pace adds to any rule
	spent   sla.Money  // what earlier answers to the dispute have cost, where that is known
}

func subjectOf(c sla.Case, parcel *sla.ShipmentRecord) *subject {
	s := &subject{Case: c, facts: playbook.Facts{Obligation: c.Obligation, Dispute: sla.Dispute{
		DisputeRef: c.DisputeRef, State: c.State, Reason: c.Reason, Claimed: c.Claimed, Buyer: c.Buyer, Proposal: unread,
		Obligations: []sla.Obligation{c.Obligation},
	}}}
	if parcel != nil {
		s.facts.Parcel = &playbook.Parcel{Ref: parcel.Ref, Milestone: parcel.Milestone, Anomalies: parcel.Anomalies, LastEvent: parcel.LastEvent}
		s.tracker, s.lane = parcel.Store, parcel.Lane
	}
	return s
}

// offered counts the offers of the ledger, which is in the order of the sends.
func (s *subject) offered(attempts []sla.Attempt) {
	for _, a := range attempts {
		if a.Kind == sla.AnswerOffer && a.State == sla.AttemptSettled {
			s.facts.Dispute.Offers++
			s.facts.Dispute.Offered = a.Amount
		}
	}
}

// under gives the rule and the facts as of an instant. Silence that is too short for an anomaly under this book is none, and the other way
// round: what was recorded was found under the rules of its time.
func (s *subject) under(book *rules.Book, at time.Time) (playbook.Facts, sla.Rule) {
	book = book.At(at)
	f := s.facts
	f.Now, f.Parcels = at, book.Sold(s.ID.Store, s.tracker, s.lane)
	if f.Parcel != nil {
		p := *f.Parcel
		looked := at
		if s.seen.After(at) {
			looked = s.seen
		}
		p.Anomalies = sla.SilenceAnew(looked, p.Milestone, p.LastEvent, p.Anomalies, f.Parcels)
		f.Parcel = &p
	}
	rule := book.For(s.ID.Platform, s.ID.Store, s.Reason)
	rule.Margin = s.margin
	return f, rule
}

// forecast follows the case from an instant under a book, through every date at which its rules change by themselves: from that instant on. A parcel that nobody has
// scanned until the answer stands still then, when it moved at first. What earlier answers have cost counts for the cap of the case.
func (s *subject) forecast(book *rules.Book, eras []time.Time, at time.Time) playbook.Forecast {
	for {
		f, rule := s.under(book, at)
		if rule.Kill.Value {
			rule.Settle.Value = rule.Recheck.Value // the pace at which a frozen case is looked at again; nothing comes of it before guard
		}
		out := playbook.Look(at, s.Case, f, rule)
		if f.Parcel != nil && out.At.After(at) {
			then, _ := s.under(book, out.At)
			f.Parcel = then.Parcel
			out = playbook.Look(at, s.Case, f, rule)
		}
		out = s.capped(out, rule)
		n, found := slices.BinarySearchFunc(eras, at, time.Time.Compare)
		if found {
			n++
		}
		if n == len(eras) || out.At.Before(eras[n]) {
			return out
		}
		at = eras[n]
	}
}

// capped leaves an answer to a person that would cost more, together with the earlier ones, than a case may.
func (s *subject) capped(out playbook.Forecast, rule sla.Rule) playbook.Forecast {
	total := out.Answer.Amount
	if !out.Answer.Kind.Pays() || s.spent.Currency != total.Currency || out.Action != sla.ActionAct {
		return out
	}
	if total.Minor += s.spent.Minor; total.AtMost(rule.AcceptCap.Value) {
		return out
	}
	return playbook.Forecast{Action: sla.ActionPage, Why: sla.WhyOverCap, At: out.At, Cost: s.Obligation.Cost, Late: out.Late}
}

// plan asks the playbook as of an instant, and tells what lost against its choice.
func (s *subject) plan(book *rules.Book, at time.Time) (*planView, []playbook.Other) {
	f, rule := s.under(book, at)
	plan, why, gated := playbook.Decided(sla.Decide(at, s.Case, rule), f, rule)
	v := planViewOf(plan, f.Parcel)
	v.Notice = readAgain
	if gated && v.Action == "answer" && s.Approval != sla.ApprovalApproved {
		v.Action, v.Hold = "hold", words(why.String())
	}
	return v, playbook.Others(plan, f, rule)
}

// parcelsOf finds for each order that is a key the parcel with the newest scan. A case does not hold its tracking numbers, so all parcels are
// walked, once.
func (d *desk) parcelsOf(ctx context.Context, orders map[string]*sla.ShipmentRecord) error {
	if len(orders) == 0 {
		return nil
	}
	return d.EachShipment(ctx, func(s sla.ShipmentRecord) error {
		if best, wanted := orders[s.Ref.Order]; wanted && (best == nil || s.LastEvent.After(best.LastEvent)) {
			orders[s.Ref.Order] = &s
		}
		return nil
	})
}

// asksParcel reports whether an answer under the rule can depend on the parcel: a walk through all parcels is not made for nothing.
func asksParcel(c sla.Case, r sla.Rule) bool {
	if c.Order == "" {
		return false
	}
	return c.Reason == sla.ReasonNotReceived || slices.ContainsFunc(r.Answer.Value, func(s sla.Step) bool {
		return s.If != sla.EvidenceAny || s.Kind == sla.AnswerRefuse
	})
}

// owed reports whether an answer is due or will be.
func (s *subject) owed() bool { return s.Open() && s.Obligation.Turn != 0 && !s.Answered }
