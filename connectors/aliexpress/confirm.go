package aliexpress

import (
	"context"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// Confirm tells by reading whether an answer took effect. An extension leaves no trace that can be read: it counts as over, so that it
// is never sent twice.
func (s *Seller) Confirm(ctx context.Context, d sla.Dispute, a sla.Answer) (connectors.Outcome, error) {
	switch a.Kind {
	case sla.AnswerAccept, sla.AnswerOffer, sla.AnswerRefuse:
	default:
		return connectors.OutcomeMoot, nil
	}
	v, err := s.view(ctx, d.DisputeRef)
	if err != nil {
		return connectors.OutcomeAbsent, err
	}
	if a.Kind == sla.AnswerAccept {
		return v.confirmAccept(a), nil
	}
	return v.confirmProposal(a), nil
}

// confirmAccept looks for the seller's yes: on the proposal itself, or in the history since the proposal was made.
func (v *view) confirmAccept(a sla.Answer) connectors.Outcome {
	s := find(v.theirs, a.Proposal)
	if s == nil {
		return v.absence(a)
	}
	both := s.reached() && s.ReachedType.word() == consensus
	at := v.lastAction("seller_accept")
	if s.SellerAccepted != "" || both || !at.IsZero() && !at.Before(s.made()) {
		return connectors.OutcomePresent
	}
	return v.absence(a)
}

// confirmProposal looks for a proposal of ours that was made in the answer's turn. Another amount than ours is a person's work in the
// seller centre: the turn is answered, and not by us.
func (v *view) confirmProposal(a sla.Answer) connectors.Outcome {
	since, same := v.since(a)
	if since.IsZero() {
		return v.absence(a)
	}
	outcome := connectors.OutcomeAbsent
	for _, s := range v.ours {
		// What the buyer refused in the turns before is not of this turn; once the turn has moved, it may be.
		if same && s.refused() || s.made().Before(since) {
			continue
		}
		if m, ok := s.amount(v.cap.Currency); ok && (m == a.Amount || a.Kind == sla.AnswerRefuse && m.Minor == 0) {
			return connectors.OutcomePresent
		}
		outcome = connectors.OutcomeMoot
	}
	if outcome == connectors.OutcomeMoot {
		return outcome
	}
	return v.absence(a)
}

// since is when the answer's turn began, and whether it is still the same turn. After the turn has moved only the proposal that was
// answered tells; zero when that is gone too.
func (v *view) since(a sla.Answer) (time.Time, bool) {
	if v.inTurn(a.Turn) {
		return v.began(), true
	}
	if s := find(v.theirs, a.Proposal); s != nil {
		return s.made(), false
	}
	return time.Time{}, false
}

// inTurn reports whether nothing but our own answer can have happened since a turn began.
func (v *view) inTurn(t sla.Turn) bool {
	return v.turn(waitAnswer) == t || v.turn(waitAddress) == t
}

// absence is what a missing effect means: not there yet while the turn goes on, over when the other side or the platform has moved.
func (v *view) absence(a sla.Answer) connectors.Outcome {
	if v.inTurn(a.Turn) && (v.state == sla.StateSeller || v.state == sla.StateBuyer || v.state == sla.StateUnknown) {
		return connectors.OutcomeAbsent
	}
	return connectors.OutcomeMoot
}

func find(all []*solution, id string) *solution {
	for _, s := range all {
		if s.ID.id() == id && id != "" {
			return s
		}
	}
	return nil
}
