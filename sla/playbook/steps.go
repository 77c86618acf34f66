package playbook

import (
	"cmp"
	"slices"
	"time"

	"watchkeeper/sla"
)

// steps takes the operator's steps: the latest that counts already and fits, else an earlier one. A turn whose beginning nobody knows is
// taken as just begun.
func (f Facts) steps(r sla.Rule) Plan {
	var counting []sla.Step
	var next time.Time
	for _, s := range r.Answer.Value {
		if s.After <= f.elapsed() {
			counting = append(counting, s)
		} else if next.IsZero() {
			next = f.Now.Add(s.After - f.elapsed())
		}
	}
	slices.SortStableFunc(counting, func(a, b sla.Step) int { return cmp.Compare(b.After, a.After) })
	lost := page(sla.WhyNoStep)
	for _, s := range counting {
		plan := f.step(s, r)
		if !plan.Page {
			return plan
		}
		if plan.Why == sla.WhyOverCap {
			lost.Why = plan.Why // what a person should know first
		}
	}
	if !next.IsZero() {
		return Plan{Wait: next, Why: sla.WhyNotYet}
	}
	return lost
}

func (f Facts) elapsed() time.Duration {
	if f.Obligation.Opened.IsZero() {
		return 0
	}
	return max(f.Now.Sub(f.Obligation.Opened), 0)
}

// step is the plan of one step; a page, with the reason, when it does not fit.
func (f Facts) step(s sla.Step, r sla.Rule) Plan {
	if !f.Holds(s.If) {
		return page(sla.WhyEvidence)
	}
	switch s.Kind {
	case sla.AnswerRefuse:
		return f.refuse(f.ground(), r)
	case sla.AnswerOffer:
		plan := f.offer(s.Share, r)
		if f.Dispute.Offers >= maxRounds || !plan.Page && plan.Answer.Amount.AtMost(f.Dispute.Offered) {
			return page(sla.WhyNoStep) // nothing that was not said before
		}
		return plan
	case sla.AnswerAccept:
		if !s.Limit.IsZero() && !f.Dispute.Claimed.AtMost(s.Limit) {
			return page(sla.WhyOverCap)
		}
		return f.accept(sla.WhyRule, r)
	case sla.AnswerNone:
		return f.policy(r)
	}
	return page(sla.WhyNoStep)
}

// Holds reports whether the evidence is there.
func (f Facts) Holds(e sla.Evidence) bool {
	if e == sla.EvidenceAny {
		return true
	}
	if f.Parcel == nil {
		return false
	}
	switch m := f.Parcel.Milestone; e {
	case sla.EvidenceMoving:
		return f.moving() && !m.Final() && m != sla.MilestoneReturning && (m != sla.MilestoneCustomsHeld || !f.seized())
	case sla.EvidenceDelivered:
		return m == sla.MilestoneDelivered
	case sla.EvidenceSigned:
		return m == sla.MilestoneDelivered && !f.Parcel.Anomalies.Has(sla.AnomalyFalseDelivered)
	case sla.EvidenceLost:
		return m == sla.MilestoneLost || m == sla.MilestoneDestroyed || m == sla.MilestoneCancelled
	case sla.EvidenceReturned:
		return m == sla.MilestoneReturning || m == sla.MilestoneReturned
	case sla.EvidenceSeized:
		return m == sla.MilestoneCustomsHeld && f.seized()
	}
	return false
}

// ground is what a refusal can say of the parcel.
func (f Facts) ground() sla.Why {
	switch {
	case f.Holds(sla.EvidenceSigned):
		return sla.WhyDelivered
	case f.Holds(sla.EvidenceMoving):
		return sla.WhyMoving
	}
	return sla.WhyRule
}

// Refuse is the plan that costs nothing: a refusal with what is known. It is for an answer that nobody has approved in time.
func Refuse(f Facts, r sla.Rule) Plan { return f.refuse(f.ground(), r) }

// Gate says whether an answer must wait for a person's yes, and why.
func Gate(p Plan, f Facts, r sla.Rule) (sla.Why, bool) {
	limit := r.ApproveAbove.Value
	switch {
	case r.HoldClaims.Value > 0 && f.Claims >= r.HoldClaims.Value:
		return sla.WhyManyClaims, true
	case p.Answer.Kind.Pays() && !limit.IsZero() && !p.Answer.Amount.AtMost(limit):
		return sla.WhyAboveApproval, true
	}
	return sla.WhyNone, false
}

// Decided is the plan for a decision to answer: the playbook's choice, or the refusal that the rule wants of an answer that nobody has
// approved in time. It also says whether the answer must wait for a person's yes, and why: not one to which a person has said yes already,
// nor one that has waited for that in vain.
func Decided(d sla.Decision, f Facts, r sla.Rule) (plan Plan, why sla.Why, gated bool) {
	switch {
	case d.Why == sla.WhyUnanswered && r.Unanswered.Value == sla.UnansweredRefuse:
		return Refuse(f, r), sla.WhyNone, false
	case d.Why == sla.WhyUnanswered, d.Why == sla.WhyApproved:
		return Choose(f, r), sla.WhyNone, false
	}
	plan = Choose(f, r)
	why, gated = Gate(plan, f, r)
	return plan, why, gated
}

// An Other is an answer that was not chosen.
type Other struct {
	Kind   sla.AnswerKind
	Amount sla.Money
	Why    sla.Why // why it lost
}

// Others tells of the answers that lost against a plan, the next best first: what each would have been and why it was not taken.
func Others(chosen Plan, f Facts, r sla.Rule) []Other {
	var out []Other
	for _, c := range []struct {
		kind sla.AnswerKind
		plan Plan
	}{
		{sla.AnswerRefuse, f.refuse(f.ground(), r)}, {sla.AnswerOffer, f.offer(r.OfferShare.Value, r)}, {sla.AnswerAccept, f.accept(sla.WhyWithinCap, r)},
	} {
		if c.kind == chosen.Answer.Kind {
			continue
		}
		o := Other{Kind: c.kind, Amount: c.plan.Answer.Amount, Why: c.plan.Why}
		switch {
		case c.plan.Page:
		case c.kind == sla.AnswerRefuse && f.ground() == sla.WhyRule:
			o.Why = sla.WhyEvidence
		case chosen.Answer.Kind != sla.AnswerNone && c.plan.Answer.Amount.Minor > chosen.Answer.Amount.Minor:
			o.Why = sla.WhyDearer
		case chosen.Answer.Kind != sla.AnswerNone:
			o.Why = chosen.Why // the ground that decided for the other
		default:
			o.Why = sla.WhyNoStep
		}
		out = append(out, o)
	}
	return out
}
