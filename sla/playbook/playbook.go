package playbook

import (
	"slices"
	"time"

	"watchkeeper/sla"
)

// A Parcel is what is known of an order's parcel.
type Parcel struct {
	Ref       sla.ShipmentRef
	Milestone sla.Milestone
	Anomalies sla.AnomalySet
	LastEvent time.Time
}

// Facts is everything that a choice depends on.
type Facts struct {
	Now        time.Time
	Dispute    sla.Dispute
	Obligation sla.Obligation // the one to be met
	Parcel     *Parcel        // nil when nothing is known of the parcel
	Parcels    sla.ShipmentRule
	Claims     int // disputes that the buyer has opened within sla.BuyerSpan, this one included; 0: not known
}

// A Plan is what to do in one turn: side effects first, then the answer; or a person, when Page is set; or nothing before Wait.
type Plan struct {
	Beside []sla.Answer // sent before the answer; their failure does not hold it up
	Answer sla.Answer   // Kind is AnswerNone when Page or Wait is set
	Page   bool
	Wait   time.Time // when the first step counts that may fit
	Why    sla.Why
}

// maxRounds is after how many proposals of ours a person takes over: arguing on has never moved a buyer.
const maxRounds = 3

// Choose gives the answer that the operator prefers, step by step, or that of the playbook's own policy where no step is set. Nothing is
// paid above the rule's cap, and whatever is left goes to a person.
func Choose(f Facts, r sla.Rule) Plan {
	switch {
	case f.Obligation.Kinds == 0:
		return page(sla.WhyPersonNeeded)
	case len(r.Answer.Value) > 0:
		return f.steps(r)
	}
	return f.policy(r)
}

// policy is the playbook's own: a parcel that moves or arrived is grounds to refuse; one that is lost, came back or is kept by customs is
// grounds to accept; every other complaint gets an offer of the rule's share first, and is accepted after that.
func (f Facts) policy(r sla.Rule) Plan {
	switch {
	case f.Dispute.Offers >= maxRounds:
		return f.accept(sla.WhyWithinCap, r)
	case f.Dispute.Reason == sla.ReasonNotReceived:
		return f.notReceived(r)
	}
	return f.negotiate(r)
}

func page(why sla.Why) Plan { return Plan{Page: true, Why: why} }

func (f Facts) notReceived(r sla.Rule) Plan {
	if f.Parcel == nil {
		return f.negotiate(r)
	}
	p := f.Parcel
	switch p.Milestone {
	case sla.MilestoneDelivered:
		if p.Anomalies.Has(sla.AnomalyFalseDelivered) {
			return f.negotiate(r)
		}
		return f.refuse(sla.WhyDelivered, r)
	case sla.MilestoneLost, sla.MilestoneDestroyed, sla.MilestoneCancelled:
		return f.accept(sla.WhyLost, r)
	case sla.MilestoneReturning, sla.MilestoneReturned:
		return f.accept(sla.WhyReturned, r)
	case sla.MilestoneCustomsHeld:
		if f.seized() {
			return f.accept(sla.WhySeized, r)
		}
		return f.refuse(sla.WhyMoving, r)
	}
	if f.moving() {
		return f.refuse(sla.WhyMoving, r)
	}
	return f.negotiate(r)
}

// seized reports whether customs have kept the parcel for so long that it will not come out: no provider tells a hold from a seizure.
func (f Facts) seized() bool {
	last := f.Parcel.LastEvent
	return !last.IsZero() && f.Now.Sub(last) >= f.Parcels.Customs.Value
}

// standstill are the anomalies with which nobody can say that a parcel is on its way.
var standstill = []sla.AnomalyKind{
	sla.AnomalyStalled, sla.AnomalyStalledOrigin, sla.AnomalyCustomsStalled, sla.AnomalyExpired, sla.AnomalyNoTracking, sla.AnomalyDamaged,
}

// moving reports whether the parcel was scanned and nothing says that it stands still.
func (f Facts) moving() bool {
	p := f.Parcel
	if p.LastEvent.IsZero() || f.Now.Sub(p.LastEvent) >= f.Parcels.Stall.Value || p.Milestone == sla.MilestoneUnknown || p.Milestone == sla.MilestonePreTransit {
		return false
	}
	return !slices.ContainsFunc(standstill, p.Anomalies.Has)
}

func (f Facts) refuse(why sla.Why, r sla.Rule) Plan {
	if !f.Obligation.Kinds.Has(sla.AnswerRefuse) {
		return page(sla.WhyPersonNeeded)
	}
	plan := Plan{Why: why, Answer: f.answer(sla.AnswerRefuse, why)}
	plan.Answer.Amount = sla.Money{Currency: f.currency()}
	plan.Answer.Text = Text(why, f)
	if why == sla.WhyMoving && r.Extend.Value > 0 {
		extend := f.answer(sla.AnswerExtend, why)
		extend.Extend = r.Extend.Value
		plan.Beside = append(plan.Beside, extend)
	}
	return plan
}

// negotiate offers the rule's share once, and accepts within the cap after that.
func (f Facts) negotiate(r sla.Rule) Plan {
	if f.Dispute.Offers > 0 || !f.Obligation.Kinds.Has(sla.AnswerOffer) {
		return f.accept(sla.WhyWithinCap, r)
	}
	plan := f.offer(r.OfferShare.Value, r)
	if plan.Page && !f.beyondPlatform(r.OfferShare.Value) {
		return f.accept(sla.WhyWithinCap, r)
	}
	return plan
}

// beyondPlatform reports whether a share of the claim is more than the platform lets us offer.
func (f Facts) beyondPlatform(share int) bool {
	return !f.Dispute.Cap.IsZero() && !f.Dispute.Claimed.Share(share).AtMost(f.Dispute.Cap)
}

// offer proposes a share of what is claimed, within the caps.
func (f Facts) offer(share int, r sla.Rule) Plan {
	amount := f.Dispute.Claimed.Share(share)
	switch {
	case !f.Obligation.Kinds.Has(sla.AnswerOffer):
		return page(sla.WhyPersonNeeded)
	case amount.Minor <= 0:
		return page(sla.WhyNoFacts)
	case f.beyondPlatform(share), !amount.AtMost(r.AcceptCap.Value):
		return page(sla.WhyOverCap)
	}
	plan := Plan{Why: sla.WhyNegotiate, Answer: f.answer(sla.AnswerOffer, sla.WhyNegotiate)}
	plan.Answer.Amount = amount
	plan.Answer.Text = Text(sla.WhyNegotiate, f)
	return plan
}

// accept agrees to what is asked when the cap allows it.
func (f Facts) accept(why sla.Why, r sla.Rule) Plan {
	switch {
	case !f.Obligation.Kinds.Has(sla.AnswerAccept) && f.Dispute.ReturnAsked:
		return page(sla.WhyReturnGoods)
	case !f.Obligation.Kinds.Has(sla.AnswerAccept), f.Dispute.Proposal == "":
		return page(sla.WhyPersonNeeded)
	case !f.Dispute.Claimed.AtMost(r.AcceptCap.Value):
		return page(sla.WhyOverCap)
	case f.Dispute.Claimed.Minor <= 0:
		return page(sla.WhyNoFacts) // what a proposal of nothing costs is not known
	}
	plan := Plan{Why: why, Answer: f.answer(sla.AnswerAccept, why)}
	plan.Answer.Amount = f.Dispute.Claimed
	return plan
}

func (f Facts) answer(kind sla.AnswerKind, why sla.Why) sla.Answer {
	return sla.Answer{Kind: kind, Turn: f.Obligation.Turn, Proposal: f.Dispute.Proposal, Why: why}
}

// currency is the one that offers are made in.
func (f Facts) currency() sla.Currency {
	if !f.Dispute.Cap.IsZero() {
		return f.Dispute.Cap.Currency
	}
	return f.Dispute.Claimed.Currency
}
