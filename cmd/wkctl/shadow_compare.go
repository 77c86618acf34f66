package main

import (
	"watchkeeper/sla"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/intake"
)

// What a shadow decision came to.
const (
	wouldPage = "page" // a person would have been called
	wouldWait = "wait" // for the first of the operator's steps
)

// wouldDo is the kind of the answer that a shadow decision would have sent; wouldPage or wouldWait when it would have sent none.
func wouldDo(l handle.Line) string {
	switch {
	case l.Answer != sla.AnswerNone.String():
		return l.Answer
	case l.Why == sla.WhyNotYet.String():
		return wouldWait
	}
	return wouldPage
}

// How a turn ended, besides by an answer of the seller, which is named as the answer's kind.
const (
	endedSilent = "silence" // the platform acted because the seller said nothing
	endedOther  = "other"   // by the buyer or the platform, before the seller had said anything
)

// whatPeopleDid says how a turn ended that was not answered by us:
//   - accept: the dispute was closed by the seller, or before the seller had proposed anything by the platform or nobody known, and all that
//     the buyer claimed was paid;
//   - offer: the seller has made a proposal since the shadow decision, or the buyer has closed the dispute on an amount;
//   - refuse: such a proposal of nothing;
//   - silence: it was closed by the platform because the seller was silent;
//   - other: the turn ended without a word of the seller: the buyer gave up or edited the claim, or the platform decided.
func whatPeopleDid(before handle.LineFacts, m intake.Moved) string {
	closed := m.State == sla.StateClosed.String()
	spoke := m.Offers > before.Offers
	all := before.Claimed.Minor > 0 && m.Paid.Currency == before.Claimed.Currency && m.Paid.Minor >= before.Claimed.Minor
	switch {
	case closed && m.By == sla.PartyTimeout.String():
		return endedSilent
	case closed && all && (m.By == sla.PartySeller.String() || !spoke && m.By != sla.PartyBuyer.String()):
		return sla.AnswerAccept.String()
	case spoke && m.Offered.Minor > 0:
		return sla.AnswerOffer.String()
	case spoke:
		return sla.AnswerRefuse.String()
	case closed && m.By == sla.PartyBuyer.String() && m.Paid.Minor > 0:
		return sla.AnswerOffer.String()
	}
	return endedOther
}

// agrees compares what a shadow decision would have done with how the turn ended. Only answers can be compared with what people did: when a
// person would have been called, or the turn ended before the seller had said anything, there is nothing to agree on. Silence agrees with no
// answer. An offer agrees with any other offer: the money is told apart.
func agrees(would, did string) (same, counts bool) {
	if would == wouldPage || would == wouldWait || did == endedOther {
		return false, false
	}
	return would == did, true
}

// wouldPay is what the answer of a shadow decision would have cost.
func wouldPay(l handle.Line) sla.Money {
	for _, k := range sla.AnswerKinds() {
		if k.String() == l.Answer && k.Pays() {
			return l.Amount
		}
	}
	return sla.Money{}
}

// peoplePaid is what a turn cost that did not end in silence: what was paid when the dispute was closed in it, else what was offered. Like an
// offer of ours, one of people counts in the turn in which it is made.
func peoplePaid(did string, m intake.Moved) sla.Money {
	switch {
	case did == endedSilent:
		return sla.Money{}
	case m.State == sla.StateClosed.String():
		return m.Paid
	case did == sla.AnswerOffer.String():
		return m.Offered
	}
	return sla.Money{}
}

// silenceCost is what a turn cost that ended in silence; what was at stake when the platform does not tell what it paid.
func silenceCost(did string, m intake.Moved) sla.Money {
	switch {
	case did != endedSilent:
		return sla.Money{}
	case m.Paid.IsZero():
		return m.Cost
	}
	return m.Paid
}

// A shadowTally counts the shadow decisions of one store or of several.
type shadowTally struct {
	decisions, ended, compared, agreed int
	answers                            map[string]int // by what would have been done
	did                                map[string]int // by how the turn ended
	shadowPays, peoplePaid             sums           // in turns that have ended
	silenceWould, silenceDid           sums
}

func newShadowTally() *shadowTally {
	return &shadowTally{
		answers: map[string]int{}, did: map[string]int{}, shadowPays: sums{}, peoplePaid: sums{}, silenceWould: sums{}, silenceDid: sums{},
	}
}

func (t *shadowTally) decided(would string) {
	t.decisions++
	t.answers[would]++
}

// end counts a turn that has ended. What silence would have cost is what was at stake.
func (t *shadowTally) end(d shadowed, m intake.Moved) {
	did := whatPeopleDid(d.facts, m)
	t.ended++
	t.did[did]++
	same, counts := agrees(d.would, did)
	t.compared += one(counts)
	t.agreed += one(same)
	t.shadowPays.add(d.pays)
	t.peoplePaid.add(peoplePaid(did, m))
	t.silenceWould.add(m.Cost)
	t.silenceDid.add(silenceCost(did, m))
}

// A shadowed turn is one with a shadow decision that has not ended yet.
type shadowed struct {
	would string
	pays  sla.Money
	facts handle.LineFacts
}
