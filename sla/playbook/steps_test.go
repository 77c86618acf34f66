package playbook_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchkeeper/sla"
	"watchkeeper/sla/playbook"
	"watchkeeper/sla/slatest"
)

func refuse(e sla.Evidence, after time.Duration) sla.Step {
	return sla.Step{Kind: sla.AnswerRefuse, If: e, After: after}
}

func partial(share int, after time.Duration) sla.Step {
	return sla.Step{Kind: sla.AnswerOffer, Share: share, After: after}
}

func accept(limit int64, after time.Duration) sla.Step {
	s := sla.Step{Kind: sla.AnswerAccept, After: after}
	if limit > 0 {
		s.Limit = slatest.USD(limit)
	}
	return s
}

func stepped(steps ...sla.Step) sla.Rule {
	r := slatest.Rule()
	r.Answer = sla.By("WK_SLA__ANSWER", steps)
	return r
}

func at(f playbook.Facts, elapsed time.Duration) playbook.Facts {
	f.Now = f.Obligation.Opened.Add(elapsed)
	return f
}

// The ladder of the documentation: refuse first, offer a part on the fourth day, accept in the last hours.
func TestStepsFollowTheTimeOfTheTurn(t *testing.T) {
	t.Parallel()
	ladder := stepped(refuse(sla.EvidenceAny, 0), partial(3000, 96*time.Hour), accept(0, 110*time.Hour))
	for elapsed, w := range map[time.Duration]want{
		0:                            {sla.AnswerRefuse, sla.WhyRule},
		96*time.Hour - time.Second:   {sla.AnswerRefuse, sla.WhyRule},
		96 * time.Hour:               {sla.AnswerOffer, sla.WhyNegotiate},
		110*time.Hour - time.Second:  {sla.AnswerOffer, sla.WhyNegotiate},
		110 * time.Hour:              {sla.AnswerAccept, sla.WhyRule},
		119*time.Hour + 59*time.Hour: {sla.AnswerAccept, sla.WhyRule},
	} {
		w.check(t, playbook.Choose(at(bare(), elapsed), ladder))
	}
	over := ladder
	over.AcceptCap.Value = slatest.USD(1000)
	want{sla.AnswerOffer, sla.WhyNegotiate}.check(t, playbook.Choose(at(bare(), 111*time.Hour), over))
	over.AcceptCap.Value = sla.Money{}
	want{sla.AnswerRefuse, sla.WhyRule}.check(t, playbook.Choose(at(bare(), 111*time.Hour), over))
}

func TestStepNeedsItsEvidence(t *testing.T) {
	t.Parallel()
	r := stepped(refuse(sla.EvidenceSigned, 0), partial(3000, 0))
	want{sla.AnswerRefuse, sla.WhyDelivered}.check(t, playbook.Choose(facts(sla.MilestoneDelivered), r))
	offer := want{sla.AnswerOffer, sla.WhyNegotiate}
	offer.check(t, playbook.Choose(facts(sla.MilestoneDelivered, sla.AnomalyFalseDelivered), r))
	offer.check(t, playbook.Choose(facts(sla.MilestoneInTransit), r))
	offer.check(t, playbook.Choose(bare(), r))

	held := facts(sla.MilestoneCustomsHeld)
	held.Parcel.LastEvent = held.Now.Add(-30 * day)
	for e, f := range map[sla.Evidence]playbook.Facts{
		sla.EvidenceMoving: facts(sla.MilestoneInTransit), sla.EvidenceDelivered: facts(sla.MilestoneDelivered, sla.AnomalyFalseDelivered),
		sla.EvidenceSigned: facts(sla.MilestoneDelivered), sla.EvidenceLost: facts(sla.MilestoneLost), sla.EvidenceReturned: facts(sla.MilestoneReturning),
		sla.EvidenceSeized: held, sla.EvidenceAny: bare(),
	} {
		for _, other := range sla.Evidences() {
			holds := other == e || other == sla.EvidenceAny || e == sla.EvidenceSigned && other == sla.EvidenceDelivered
			if got := f.Holds(other); got != holds {
				t.Errorf("facts of %v: %v holds is %v", e, other, got)
			}
		}
	}
}

func TestAcceptUpToALimitAtOnce(t *testing.T) {
	t.Parallel()
	r := stepped(accept(300, 0))
	f := at(bare(), 0)
	for claimed, w := range map[int64]want{299: {sla.AnswerAccept, sla.WhyRule}, 300: {sla.AnswerAccept, sla.WhyRule}, 301: {sla.AnswerNone, sla.WhyOverCap}} {
		f.Dispute.Claimed = slatest.USD(claimed)
		w.check(t, playbook.Choose(f, r))
	}
	f.Dispute.Claimed = sla.Money{Minor: 100, Currency: "EUR"}
	want{sla.AnswerNone, sla.WhyOverCap}.check(t, playbook.Choose(f, r))
}

func TestFirstStepStillToComeIsWaitedFor(t *testing.T) {
	t.Parallel()
	r := stepped(refuse(sla.EvidenceSigned, 0), partial(3000, 50*time.Hour))
	p := playbook.Choose(at(bare(), 49*time.Hour), r)
	if p.Page || p.Answer.Kind != sla.AnswerNone || !p.Wait.Equal(slatest.Epoch.Add(50*time.Hour)) || p.Why != sla.WhyNotYet {
		t.Errorf("want to wait for the second step, got %+v", p)
	}
}

func TestAnOfferIsNotMadeTwice(t *testing.T) {
	t.Parallel()
	f := bare()
	f.Dispute.Offers, f.Dispute.Offered = 1, slatest.USD(599)
	want{sla.AnswerNone, sla.WhyNoStep}.check(t, playbook.Choose(f, stepped(partial(3000, 0))))
	want{sla.AnswerOffer, sla.WhyNegotiate}.check(t, playbook.Choose(f, stepped(partial(3000, 0), partial(5000, 0))))
	f.Dispute.Offers = 3
	want{sla.AnswerNone, sla.WhyNoStep}.check(t, playbook.Choose(f, stepped(partial(5000, 0))))
}

func TestGateHoldsWhatNeedsAYes(t *testing.T) {
	t.Parallel()
	r := slatest.Rule()
	r.ApproveAbove.Value, r.HoldClaims.Value = slatest.USD(1500), 3
	paid := func(cents int64) playbook.Plan {
		return playbook.Plan{Answer: sla.Answer{Kind: sla.AnswerAccept, Amount: slatest.USD(cents)}}
	}
	free := playbook.Plan{Answer: sla.Answer{Kind: sla.AnswerRefuse, Amount: sla.Money{Currency: "USD"}}}
	for name, test := range map[string]struct {
		plan   playbook.Plan
		claims int
		why    sla.Why
	}{
		"as much as the threshold": {paid(1500), 2, sla.WhyNone},
		"a cent more":              {paid(1501), 2, sla.WhyAboveApproval},
		"another currency":         {playbook.Plan{Answer: sla.Answer{Kind: sla.AnswerOffer, Amount: sla.Money{Minor: 1, Currency: "EUR"}}}, 0, sla.WhyAboveApproval},
		"costs nothing":            {free, 0, sla.WhyNone},
		"third claim":              {free, 3, sla.WhyManyClaims},
		"tenth claim":              {paid(1), 10, sla.WhyManyClaims},
	} {
		why, held := playbook.Gate(test.plan, playbook.Facts{Claims: test.claims}, r)
		if why != test.why || held != (why != sla.WhyNone) {
			t.Errorf("%s: %v %v, want %v", name, why, held, test.why)
		}
	}
	if _, held := playbook.Gate(paid(1_000_000), playbook.Facts{Claims: 99}, slatest.Rule()); held {
		t.Error("want nothing held without a threshold")
	}
}

func TestOthersTellWhyTheyLost(t *testing.T) {
	t.Parallel()
	f, r := facts(sla.MilestoneInTransit), slatest.Rule()
	others := playbook.Others(playbook.Choose(f, r), f, r)
	wants := []playbook.Other{{sla.AnswerOffer, slatest.USD(599), sla.WhyDearer}, {sla.AnswerAccept, slatest.USD(1999), sla.WhyDearer}}
	if len(others) != 2 || others[0] != wants[0] || others[1] != wants[1] {
		t.Errorf("want %v, got %v", wants, others)
	}
	r.AcceptCap.Value = slatest.USD(1000)
	f = bare()
	others = playbook.Others(playbook.Choose(f, r), f, r)
	if len(others) != 2 || others[0].Kind != sla.AnswerRefuse || others[0].Why != sla.WhyEvidence || others[1].Why != sla.WhyOverCap {
		t.Errorf("want a refusal without evidence and an acceptance over the cap, got %v", others)
	}
}

func TestNoStepPaysMoreThanTheCap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var steps []sla.Step
		for range rapid.IntRange(1, 4).Draw(t, "steps") {
			steps = append(steps, sla.Step{
				Kind:  rapid.SampledFrom([]sla.AnswerKind{sla.AnswerNone, sla.AnswerRefuse, sla.AnswerOffer, sla.AnswerAccept}).Draw(t, "kind"),
				Share: rapid.IntRange(1, 10_000).Draw(t, "share"), If: rapid.SampledFrom(sla.Evidences()).Draw(t, "if"),
				Limit: slatest.USD(rapid.Int64Range(0, 5000).Draw(t, "limit")),
				After: time.Duration(rapid.IntRange(0, 120).Draw(t, "after")) * time.Hour,
			})
		}
		r := stepped(steps...)
		r.AcceptCap.Value = slatest.USD(rapid.Int64Range(0, 3000).Draw(t, "cap"))
		f := at(facts(rapid.SampledFrom(sla.Milestones()).Draw(t, "milestone")), time.Duration(rapid.IntRange(0, 120).Draw(t, "elapsed"))*time.Hour)
		f.Dispute.Claimed = slatest.USD(rapid.Int64Range(0, 4000).Draw(t, "claimed"))
		p := playbook.Choose(f, r)
		if p.Answer.Kind.Pays() && !p.Answer.Amount.AtMost(r.AcceptCap.Value) {
			t.Fatalf("%v pays %v above the cap %v", p.Answer.Kind, p.Answer.Amount, r.AcceptCap.Value)
		}
		if n := p.Answer.Kind != sla.AnswerNone; n == p.Page && n || p.Page && !p.Wait.IsZero() || !n && !p.Page && p.Wait.IsZero() {
			t.Fatalf("want an answer, a person or a wait, got %+v", p)
		}
	})
}
