package handle

import (
	"encoding/json"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/playbook"
)

// The events of the audit.
const (
	EventAnswer = "answer" // an answer was sent, or what became of one was learnt
	EventShadow = "shadow" // what would have been sent
)

// A Line is one entry of the audit, kept for people: what was done or would have been, under which rules, on which facts, with what
// outcome. It holds no text of an answer and nothing of a buyer.
type Line struct {
	At     time.Time `json:"at"`
	Event  string    `json:"event"`
	Case   string    `json:"case"`
	Turn   string    `json:"turn"`
	Answer string    `json:"answer"` // "none" with why: a person
	Amount sla.Money `json:"amount"`
	Why    string    `json:"why"`
	Rules  string    `json:"rules"` // hash of the rulebook
	Facts  LineFacts `json:"facts"`

	State   string `json:"state,omitempty"` // of an answer: settled, refused or unknown
	Kind    string `json:"kind,omitempty"`  // of the platform's error
	Attempt uint32 `json:"attempt,omitempty"`
}

// LineFacts are what a decision was made on, so that it can be made again under other rules.
type LineFacts struct {
	Reason    string         `json:"reason"`
	Claimed   sla.Money      `json:"claimed"`
	Cap       sla.Money      `json:"cap"`
	Kinds     sla.AnswerSet  `json:"kinds"`
	Opened    time.Time      `json:"opened"`   // of the turn
	Deadline  time.Time      `json:"deadline"` // as the feed told it; zero when it did not
	Cost      sla.Money      `json:"cost"`
	Offers    int            `json:"offers"`
	Offered   sla.Money      `json:"offered"`
	Returns   bool           `json:"returns"` // the proposal wants the goods back
	Claims    int            `json:"claims"`
	Parcel    bool           `json:"parcel"` // whether the three below are known
	Milestone sla.Milestone  `json:"milestone"`
	Anomalies sla.AnomalySet `json:"anomalies"`
	LastEvent time.Time      `json:"last_event"`
}

// line begins an entry about the turn.
func (t *turn) line(event string) Line {
	d, o := t.dispute, t.rec.Obligation
	f := LineFacts{
		Reason: d.Reason.String(), Claimed: d.Claimed, Cap: d.Cap, Kinds: o.Kinds, Opened: o.Opened, Deadline: o.Deadline, Cost: o.Cost,
		Offers: d.Offers, Offered: d.Offered, Returns: d.ReturnAsked, Claims: t.facts.Claims,
	}
	if p := t.facts.Parcel; p != nil {
		f.Parcel, f.Milestone, f.Anomalies, f.LastEvent = true, p.Milestone, p.Anomalies, p.LastEvent
	}
	return Line{At: t.Now().UTC(), Event: event, Case: t.rec.ID.String(), Turn: o.Turn.String(), Rules: t.Rules.Hash(), Facts: f}
}

// describe says what a plan would do.
func (l *Line) describe(p playbook.Plan) {
	l.Answer, l.Amount, l.Why = p.Answer.Kind.String(), p.Answer.Amount, p.Why.String()
}

// audit is the entry of an answer.
func (t *turn) audit(a sla.Answer, r result) []byte {
	l := t.line(EventAnswer)
	l.Turn, l.Answer, l.Amount, l.Why = a.Turn.String(), a.Kind.String(), a.Amount, a.Why.String()
	l.State, l.Kind, l.Attempt = r.state.String(), connectors.KindOf(r.err).String(), a.Attempt
	return l.encode()
}

func (l *Line) encode() []byte {
	b, err := json.Marshal(l)
	if err != nil {
		panic(err) // strings, numbers and instants within four digits of years always marshal
	}
	return b
}

// Facts gives what the playbook needs back from a line, as of an instant.
func (f LineFacts) Facts(id sla.DisputeRef, now time.Time, parcels sla.ShipmentRule) playbook.Facts {
	reason, _ := sla.ParseReason(f.Reason) // a reason of a later program counts as unknown
	o := sla.Obligation{Turn: 1, Kinds: f.Kinds, Opened: f.Opened, Deadline: f.Deadline, Cost: f.Cost}
	out := playbook.Facts{Now: now, Obligation: o, Parcels: parcels, Claims: f.Claims, Dispute: sla.Dispute{
		DisputeRef: id, State: sla.StateSeller, Reason: reason, Claimed: f.Claimed, Cap: f.Cap, Offers: f.Offers, Offered: f.Offered,
		ReturnAsked: f.Returns, Proposal: "1", Obligations: []sla.Obligation{o},
	}}
	if f.Parcel {
		out.Parcel = &playbook.Parcel{Milestone: f.Milestone, Anomalies: f.Anomalies, LastEvent: f.LastEvent}
	}
	return out
}
