package playbook_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchkeeper/sla"
	"watchkeeper/sla/playbook"
	"watchkeeper/sla/slatest"
)

const day = 24 * time.Hour

// all are the kinds that an obligation of a claim usually takes.
var all = sla.Answers(sla.AnswerAccept, sla.AnswerOffer, sla.AnswerRefuse)

// facts are those of slatest's dispute four days after it was opened, with a parcel scanned a day before.
func facts(m sla.Milestone, anomalies ...sla.AnomalyKind) playbook.Facts {
	f := bare()
	var set sla.AnomalySet
	for _, a := range anomalies {
		set = set.With(a)
	}
	f.Parcel = &playbook.Parcel{Ref: sla.ShipmentRef{Number: "LX1"}, Milestone: m, Anomalies: set, LastEvent: f.Now.Add(-day)}
	return f
}

// bare are facts without a parcel.
func bare() playbook.Facts {
	d := slatest.Dispute()
	return playbook.Facts{Now: slatest.Epoch.Add(4 * day), Dispute: d, Obligation: d.Obligations[0], Parcels: slatest.ShipmentRule()}
}

type want struct {
	kind sla.AnswerKind // AnswerNone: a person
	why  sla.Why
}

func (w want) check(t *testing.T, p playbook.Plan) {
	t.Helper()
	if p.Page != (w.kind == sla.AnswerNone) || p.Answer.Kind != w.kind || p.Why != w.why {
		t.Errorf("want %v because of %v, got %v because of %v (page %v)", w.kind, w.why, p.Answer.Kind, p.Why, p.Page)
	}
}

// A parcel's state decides about a claim that it was not received, and about nothing else.
func TestParcelDecidesAboutNotReceived(t *testing.T) {
	t.Parallel()
	moving, offer := want{sla.AnswerRefuse, sla.WhyMoving}, want{sla.AnswerOffer, sla.WhyNegotiate}
	wants := map[sla.Milestone]want{
		sla.MilestoneUnknown: offer, sla.MilestonePreTransit: offer,
		sla.MilestoneDelivered: {sla.AnswerRefuse, sla.WhyDelivered},
		sla.MilestoneLost:      {sla.AnswerAccept, sla.WhyLost}, sla.MilestoneDestroyed: {sla.AnswerAccept, sla.WhyLost},
		sla.MilestoneCancelled: {sla.AnswerAccept, sla.WhyLost},
		sla.MilestoneReturning: {sla.AnswerAccept, sla.WhyReturned}, sla.MilestoneReturned: {sla.AnswerAccept, sla.WhyReturned},
	}
	for _, m := range sla.Milestones() {
		w, ok := wants[m]
		if !ok {
			w = moving
		}
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			w.check(t, playbook.Choose(facts(m), slatest.Rule()))
		})
		for _, r := range sla.Reasons() {
			if r == sla.ReasonNotReceived {
				continue
			}
			t.Run(m.String()+", "+r.String(), func(t *testing.T) {
				t.Parallel()
				f := facts(m)
				f.Dispute.Reason = r
				offer.check(t, playbook.Choose(f, slatest.Rule()))
			})
		}
	}
}

func TestParcelThatStandsStillIsNoGroundToRefuse(t *testing.T) {
	t.Parallel()
	still := map[sla.AnomalyKind]bool{
		sla.AnomalyStalled: true, sla.AnomalyStalledOrigin: true, sla.AnomalyCustomsStalled: true, sla.AnomalyExpired: true,
		sla.AnomalyNoTracking: true, sla.AnomalyDamaged: true,
	}
	for _, a := range sla.AnomalyKinds() {
		w := want{sla.AnswerRefuse, sla.WhyMoving}
		if still[a] {
			w = want{sla.AnswerOffer, sla.WhyNegotiate}
		}
		w.check(t, playbook.Choose(facts(sla.MilestoneInTransit, a), slatest.Rule()))
	}
	never := facts(sla.MilestoneInTransit)
	never.Parcel.LastEvent = time.Time{}
	want{sla.AnswerOffer, sla.WhyNegotiate}.check(t, playbook.Choose(never, slatest.Rule()))
	want{sla.AnswerOffer, sla.WhyNegotiate}.check(t, playbook.Choose(bare(), slatest.Rule()))
	want{sla.AnswerOffer, sla.WhyNegotiate}.check(t, playbook.Choose(facts(sla.MilestoneDelivered, sla.AnomalyFalseDelivered), slatest.Rule()))
}

func TestCustomsKeepAParcelAfterTheirThreshold(t *testing.T) {
	t.Parallel()
	for held, w := range map[time.Duration]want{
		7*day - time.Second: {sla.AnswerRefuse, sla.WhyMoving},
		7 * day:             {sla.AnswerAccept, sla.WhySeized},
	} {
		f := facts(sla.MilestoneCustomsHeld, sla.AnomalyCustomsHeld)
		f.Parcel.LastEvent = f.Now.Add(-held)
		w.check(t, playbook.Choose(f, slatest.Rule()))
	}
	f := facts(sla.MilestoneCustomsHeld)
	f.Parcel.LastEvent = time.Time{}
	want{sla.AnswerRefuse, sla.WhyMoving}.check(t, playbook.Choose(f, slatest.Rule()))
}

func TestLadderOffersOnceThenAcceptsThenAsksAPerson(t *testing.T) {
	t.Parallel()
	cap25, cap5, cap6 := slatest.USD(2500), slatest.USD(500), slatest.USD(600)
	for name, c := range map[string]struct {
		offers        int
		claimed       sla.Money
		rule, allowed sla.Money // our cap, and the platform's
		kinds         sla.AnswerSet
		want          want
		amount        int64
	}{
		"first offer":                    {0, slatest.USD(1999), cap25, sla.Money{}, all, want{sla.AnswerOffer, sla.WhyNegotiate}, 599},
		"second round":                   {1, slatest.USD(1999), cap25, sla.Money{}, all, want{sla.AnswerAccept, sla.WhyWithinCap}, 1999},
		"at the cap":                     {1, cap25, cap25, sla.Money{}, all, want{sla.AnswerAccept, sla.WhyWithinCap}, 2500},
		"a cent above":                   {1, slatest.USD(2501), cap25, sla.Money{}, all, want{sla.AnswerNone, sla.WhyOverCap}, 0},
		"share within, claim above":      {0, slatest.USD(1999), cap6, sla.Money{}, all, want{sla.AnswerOffer, sla.WhyNegotiate}, 599},
		"share above":                    {0, slatest.USD(1999), cap5, sla.Money{}, all, want{sla.AnswerNone, sla.WhyOverCap}, 0},
		"never":                          {0, slatest.USD(1999), sla.Money{}, sla.Money{}, all, want{sla.AnswerNone, sla.WhyOverCap}, 0},
		"other currency":                 {0, sla.Money{Minor: 10, Currency: "EUR"}, cap25, sla.Money{}, all, want{sla.AnswerNone, sla.WhyOverCap}, 0},
		"platform allows less":           {0, slatest.USD(1999), cap25, cap5, all, want{sla.AnswerNone, sla.WhyOverCap}, 0},
		"platform's cap, not ours":       {0, slatest.USD(1999), cap25, sla.Money{Minor: 9999, Currency: "EUR"}, all, want{sla.AnswerNone, sla.WhyOverCap}, 0},
		"nothing claimed":                {0, sla.Money{}, cap25, sla.Money{}, all, want{sla.AnswerNone, sla.WhyOverCap}, 0},
		"a claim of nothing":             {0, slatest.USD(0), cap25, sla.Money{}, all, want{sla.AnswerNone, sla.WhyNoFacts}, 0},
		"a claim of less":                {1, slatest.USD(-5), cap25, sla.Money{}, all, want{sla.AnswerNone, sla.WhyNoFacts}, 0},
		"share of a cent":                {0, slatest.USD(1), cap25, sla.Money{}, all, want{sla.AnswerAccept, sla.WhyWithinCap}, 1},
		"offers not taken":               {0, slatest.USD(1999), cap25, sla.Money{}, sla.Answers(sla.AnswerAccept), want{sla.AnswerAccept, sla.WhyWithinCap}, 1999},
		"nothing but a refusal":          {0, slatest.USD(1999), cap25, sla.Money{}, sla.Answers(sla.AnswerRefuse), want{sla.AnswerNone, sla.WhyPersonNeeded}, 0},
		"no machine can":                 {0, slatest.USD(1999), cap25, sla.Money{}, 0, want{sla.AnswerNone, sla.WhyPersonNeeded}, 0},
		"three rounds":                   {3, slatest.USD(1999), cap25, sla.Money{}, all, want{sla.AnswerAccept, sla.WhyWithinCap}, 1999},
		"three rounds, above the cap":    {3, slatest.USD(2501), cap25, sla.Money{}, all, want{sla.AnswerNone, sla.WhyOverCap}, 0},
		"three rounds, no acceptance":    {3, slatest.USD(1999), cap25, sla.Money{}, sla.Answers(sla.AnswerOffer), want{sla.AnswerNone, sla.WhyPersonNeeded}, 0},
		"second round, no acceptance":    {1, slatest.USD(1999), cap25, sla.Money{}, sla.Answers(sla.AnswerOffer), want{sla.AnswerNone, sla.WhyPersonNeeded}, 0},
		"only evidence, as nothing fits": {0, slatest.USD(1999), cap25, sla.Money{}, sla.Answers(sla.AnswerEvidence), want{sla.AnswerNone, sla.WhyPersonNeeded}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, r := bare(), slatest.Rule()
			f.Dispute.Offers, f.Dispute.Claimed, f.Dispute.Cap, f.Obligation.Kinds = c.offers, c.claimed, c.allowed, c.kinds
			r.AcceptCap.Value = c.rule
			p := playbook.Choose(f, r)
			c.want.check(t, p)
			if p.Answer.Amount.Minor != c.amount {
				t.Errorf("want %d, got %v", c.amount, p.Answer.Amount)
			}
		})
	}
}

func TestAcceptanceNeedsAProposalAndNoReturn(t *testing.T) {
	t.Parallel()
	f := facts(sla.MilestoneLost)
	f.Dispute.Proposal = ""
	want{sla.AnswerNone, sla.WhyPersonNeeded}.check(t, playbook.Choose(f, slatest.Rule()))
	f = facts(sla.MilestoneLost)
	f.Dispute.ReturnAsked, f.Obligation.Kinds = true, sla.Answers(sla.AnswerOffer, sla.AnswerRefuse)
	want{sla.AnswerNone, sla.WhyReturnGoods}.check(t, playbook.Choose(f, slatest.Rule()))
	f = facts(sla.MilestoneDelivered)
	f.Obligation.Kinds = sla.Answers(sla.AnswerAccept, sla.AnswerOffer)
	want{sla.AnswerNone, sla.WhyPersonNeeded}.check(t, playbook.Choose(f, slatest.Rule()))
}

func TestMovingParcelGetsTimeWhenTheRuleGivesIt(t *testing.T) {
	t.Parallel()
	r := slatest.Rule()
	p := playbook.Choose(facts(sla.MilestoneInTransit), r)
	if len(p.Beside) != 1 || p.Beside[0].Kind != sla.AnswerExtend || p.Beside[0].Extend != 10*day || p.Beside[0].Turn != 7 {
		t.Errorf("want an extension of ten days in turn 7, got %+v", p.Beside)
	}
	r.Extend.Value = 0
	if p := playbook.Choose(facts(sla.MilestoneInTransit), r); len(p.Beside) != 0 {
		t.Errorf("want none, got %+v", p.Beside)
	}
	if p := playbook.Choose(facts(sla.MilestoneDelivered), slatest.Rule()); len(p.Beside) != 0 {
		t.Errorf("want none for a delivered parcel, got %+v", p.Beside)
	}
}

// The currency of a refusal's zero is the one that offers are made in.
func TestRefusalIsOfNothingInTheRightCurrency(t *testing.T) {
	t.Parallel()
	f := facts(sla.MilestoneInTransit)
	f.Dispute.Cap = sla.Money{Minor: 1, Currency: "EUR"}
	for cur, f := range map[sla.Currency]playbook.Facts{"USD": facts(sla.MilestoneInTransit), "EUR": f} {
		if got := playbook.Choose(f, slatest.Rule()).Answer.Amount; got != (sla.Money{Currency: cur}) {
			t.Errorf("want nothing in %s, got %v", cur, got)
		}
	}
}

func TestTextsNameTheParcelAndOnlyAnswersThatNeedOneHaveOne(t *testing.T) {
	t.Parallel()
	for _, m := range []sla.Milestone{sla.MilestoneInTransit, sla.MilestoneDelivered} {
		text := playbook.Choose(facts(m), slatest.Rule()).Answer.Text
		if !strings.Contains(text, "LX1") || !strings.Contains(text, "5 March 2026") {
			t.Errorf("want the number and the day, got %q", text)
		}
	}
	if playbook.Choose(bare(), slatest.Rule()).Answer.Text == "" || playbook.Choose(facts(sla.MilestoneLost), slatest.Rule()).Answer.Text != "" {
		t.Error("want a text with an offer and none with an acceptance")
	}
	unknown := facts(sla.MilestoneUnknown)
	unknown.Parcel = nil
	for _, why := range sla.Whys() {
		if text := playbook.Text(why, unknown); strings.Contains(text, "%!") || strings.Contains(text, "0001") {
			t.Errorf("%v: want a sentence without facts, got %q", why, text)
		}
	}
}

// Whatever is claimed, allowed and ruled: a plan is either a person's or one answer of the turn that the obligation takes, and it never
// costs more than the rule or the platform allows.
func TestPlanNeverCostsMoreThanTheCap(t *testing.T) {
	t.Parallel()
	money := func(t *rapid.T, name string) sla.Money {
		return sla.Money{
			Minor:    rapid.Int64().Draw(t, name),
			Currency: rapid.SampledFrom([]sla.Currency{"", "USD", "EUR", "JPY"}).Draw(t, name+" currency"),
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		r := slatest.DrawRule(t)
		r.AcceptCap.Value, r.OfferShare.Value = money(t, "cap"), rapid.IntRange(0, 10_000).Draw(t, "share")
		f := bare()
		f.Dispute.Claimed, f.Dispute.Cap = money(t, "claimed"), money(t, "platform's cap")
		f.Dispute.Offers = rapid.IntRange(0, 5).Draw(t, "offers")
		f.Dispute.Reason = rapid.SampledFrom(sla.Reasons()).Draw(t, "reason")
		f.Dispute.Proposal = rapid.SampledFrom([]string{"", "70001"}).Draw(t, "proposal")
		f.Obligation.Kinds = sla.AnswerSet(rapid.Uint16Range(0, 1<<9-1).Draw(t, "kinds"))
		if rapid.Bool().Draw(t, "parcel") {
			f.Parcel = &playbook.Parcel{
				Milestone: rapid.SampledFrom(sla.Milestones()).Draw(t, "milestone"), LastEvent: slatest.DrawInstant(t, "event"),
				Anomalies: sla.AnomalySet(rapid.Uint32Range(0, 1<<17-1).Draw(t, "anomalies")),
			}
		}
		p := playbook.Choose(f, r)
		a := p.Answer
		switch {
		case p.Page:
			if a.Kind != sla.AnswerNone || len(p.Beside) != 0 {
				t.Fatalf("want a person's plan without answers, got %+v", p)
			}
		case !f.Obligation.Kinds.Has(a.Kind) || !a.Kind.EndsTurn() || a.Turn != f.Obligation.Turn || a.Why != p.Why:
			t.Fatalf("want an answer that the obligation takes, got %+v of %v", a, f.Obligation.Kinds)
		case a.Kind.Pays() && (a.Amount.Minor <= 0 || !a.Amount.AtMost(r.AcceptCap.Value)):
			t.Fatalf("want something, and at most %v, got %v", r.AcceptCap.Value, a.Amount)
		case a.Kind == sla.AnswerOffer && (a.Amount.Minor <= 0 || !f.Dispute.Cap.IsZero() && !a.Amount.AtMost(f.Dispute.Cap)):
			t.Fatalf("want an offer that the platform takes, got %v of %v", a.Amount, f.Dispute.Cap)
		case !a.Kind.Pays() && a.Amount.Minor != 0:
			t.Fatalf("want no amount with %v, got %v", a.Kind, a.Amount)
		}
		for _, b := range p.Beside {
			if b.Kind.Pays() || b.Kind.EndsTurn() || b.Turn != a.Turn {
				t.Fatalf("want nothing beside that pays or ends the turn, got %+v", b)
			}
		}
		if again := playbook.Choose(f, r); fmt.Sprint(again) != fmt.Sprint(p) {
			t.Fatalf("want the same plan again, got %+v and %+v", p, again)
		}
	})
}
