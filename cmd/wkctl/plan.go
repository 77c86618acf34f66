package main

import (
	"context"
	"fmt"
	"io"
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
	Action string       `json:"action"` // answer or page
	Why    string       `json:"why"`
	Answer words        `json:"answer"`
	Amount money        `json:"amount"`
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
	if p.Page {
		v.Action, v.Answer = "page", ""
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
	if v.Action == "page" {
		return "page a person: " + v.Why
	}
	var out strings.Builder
	out.WriteString(string(v.Answer))
	if m := sla.Money(v.Amount); m.Minor != 0 {
		out.WriteString(" " + m.String())
	}
	out.WriteString(": " + v.Why)
	for _, b := range v.Beside {
		out.WriteString(", beside it " + strings.TrimSpace(b.Answer+" "+string(b.Extend)))
	}
	return out.String()
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

// plan asks the playbook with what is on record.
func (d *desk) plan(ctx context.Context, c sla.CaseRecord, attempts []sla.Attempt, at time.Time) (*planView, error) {
	facts := playbook.Facts{Now: at, Obligation: c.Obligation, Dispute: sla.Dispute{
		DisputeRef: c.DisputeRef, State: c.State, Reason: c.Reason, Claimed: c.Claimed, Proposal: unread, Obligations: []sla.Obligation{c.Obligation},
	}}
	for _, a := range attempts {
		if a.Kind == sla.AnswerOffer && a.State == sla.AttemptSettled {
			facts.Dispute.Offers++
		}
	}
	var err error
	if facts.Parcel, facts.Parcels, err = d.parcel(ctx, c); err != nil {
		return nil, err
	}
	v := planViewOf(playbook.Choose(facts, d.rule(c)), facts.Parcel)
	v.Notice = readAgain
	return v, nil
}

// parcel finds the order's parcel with the newest scan. A case does not hold its tracking numbers, so all parcels are walked; only a
// complaint about delivery is worth that.
func (d *desk) parcel(ctx context.Context, c sla.CaseRecord) (*playbook.Parcel, sla.ShipmentRule, error) {
	var best *sla.ShipmentRecord
	if c.Order == "" || c.Reason != sla.ReasonNotReceived {
		return nil, sla.ShipmentRule{}, nil
	}
	err := d.EachShipment(ctx, func(s sla.ShipmentRecord) error {
		if s.Ref.Order == c.Order && (best == nil || s.LastEvent.After(best.LastEvent)) {
			best = &s
		}
		return nil
	})
	if err != nil || best == nil {
		return nil, sla.ShipmentRule{}, err
	}
	return &playbook.Parcel{Ref: best.Ref, Milestone: best.Milestone, Anomalies: best.Anomalies, LastEvent: best.LastEvent}, d.book.Shipments(best.Store), nil
}
