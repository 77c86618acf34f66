package intake

import (
	"context"
	"encoding/json"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// EventMoved is the event of a Moved line in the audit.
const EventMoved = "moved"

// Moved is the entry of the audit about a turn that ended without an answer of ours: by a person's hand, the buyer's, or the platform's.
// What a shadow decision would have done is compared with it.
type Moved struct {
	At      time.Time `json:"at"`
	Event   string    `json:"event"`
	Case    string    `json:"case"`
	Turn    string    `json:"turn"` // the one that ended
	State   string    `json:"state"`
	By      string    `json:"by"`      // who closed the dispute; "none" while it is open
	Paid    sla.Money `json:"paid"`    // of a closed one
	Offered sla.Money `json:"offered"` // the seller's latest proposal
	Offers  int       `json:"offers"`
	Cost    sla.Money `json:"cost"` // what silence would have cost in the turn
}

// tellMove writes how a turn ended that we did not answer.
func (in *Intake) tellMove(ctx context.Context, o observed) error {
	if o.prev == nil || o.prev.Obligation.Turn == 0 || o.prev.Answered || o.prev.Unresolved || sameTurn(o) {
		return nil
	}
	d := o.dispute
	line, err := json.Marshal(Moved{
		At: in.now().UTC(), Event: EventMoved, Case: d.ID.String(), Turn: o.prev.Obligation.Turn.String(), State: d.State.String(),
		By: d.Closed.By.String(), Paid: d.Closed.Paid, Offered: d.Offered, Offers: d.Offers, Cost: o.prev.Obligation.Cost,
	})
	if err != nil {
		panic(err) // strings, numbers and our own instants always marshal
	}
	return in.store.Audit(ctx, d.ID, line)
}

// noteClaims remembers whose disputes are new, where a rule counts a buyer's claims.
func (in *Intake) noteClaims(ctx context.Context, src *connectors.Source, watched []observed) error {
	var claims []sla.BuyerClaim
	for _, o := range watched {
		d := o.dispute
		if o.prev == nil && d.Buyer != 0 && in.rules.For(src.Platform, src.Store, d.Reason).HoldClaims.Value > 0 {
			claims = append(claims, sla.BuyerClaim{Buyer: d.Buyer, Dispute: d.ID, Opened: d.Opened})
		}
	}
	if len(claims) == 0 {
		return nil
	}
	return in.store.NoteClaims(ctx, claims)
}
