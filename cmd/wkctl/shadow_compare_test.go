package main

import (
	"testing"

	"watchkeeper/sla"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/intake"
)

func TestWhatPeopleDidIsToldFromHowTheTurnEnded(t *testing.T) {
	t.Parallel()
	before := handle.LineFacts{Claimed: usd(2000), Offers: 1, Offered: usd(300)}
	for name, c := range map[string]struct {
		m          intake.Moved
		want       string
		paid, cost sla.Money
	}{
		"paid in full by the seller":       {intake.Moved{State: "closed", By: "seller", Paid: usd(2000), Offers: 1}, "accept", usd(2000), sla.Money{}},
		"paid in full by the platform":     {intake.Moved{State: "closed", By: "platform", Paid: usd(2000), Offers: 1}, "accept", usd(2000), sla.Money{}},
		"paid in full, nobody knows":       {intake.Moved{State: "closed", By: "none", Paid: usd(2000), Offers: 1}, "accept", usd(2000), sla.Money{}},
		"refused, then paid by decision":   {intake.Moved{State: "closed", By: "platform", Paid: usd(2000), Offers: 2, Offered: usd(0)}, "refuse", usd(2000), sla.Money{}},
		"an offer that waits":              {intake.Moved{State: "wait_buyer", By: "none", Offers: 2, Offered: usd(500)}, "offer", usd(500), sla.Money{}},
		"an offer that the buyer took":     {intake.Moved{State: "closed", By: "buyer", Paid: usd(500), Offers: 2, Offered: usd(500)}, "offer", usd(500), sla.Money{}},
		"the buyer took an earlier offer":  {intake.Moved{State: "closed", By: "buyer", Paid: usd(300), Offers: 1, Offered: usd(300)}, "offer", usd(300), sla.Money{}},
		"a refusal":                        {intake.Moved{State: "wait_buyer", By: "none", Offers: 2, Offered: usd(0)}, "refuse", sla.Money{}, sla.Money{}},
		"silence":                          {intake.Moved{State: "closed", By: "timeout", Paid: usd(2000), Cost: usd(1900), Offers: 1}, "silence", sla.Money{}, usd(2000)},
		"silence, and what it paid hidden": {intake.Moved{State: "closed", By: "timeout", Cost: usd(1900), Offers: 1}, "silence", sla.Money{}, usd(1900)},
		"the buyer gave up":                {intake.Moved{State: "closed", By: "buyer", Offers: 1}, "other", sla.Money{}, sla.Money{}},
		"the buyer edited the claim":       {intake.Moved{State: "wait_seller", By: "none", Offers: 1, Offered: usd(300)}, "other", sla.Money{}, sla.Money{}},
		"the platform paid a part":         {intake.Moved{State: "closed", By: "platform", Paid: usd(700), Offers: 1}, "other", usd(700), sla.Money{}},
		"another currency is not in full":  {intake.Moved{State: "closed", By: "seller", Paid: jpy(2000), Offers: 1}, "other", jpy(2000), sla.Money{}},
	} {
		did := whatPeopleDid(before, c.m)
		if paid, cost := peoplePaid(did, c.m), silenceCost(did, c.m); did != c.want || paid != c.paid || cost != c.cost {
			t.Errorf("%s: want %s for %s, silence %s, got %s for %s, %s", name, c.want, c.paid, c.cost, did, paid, cost)
		}
	}
}

func TestOnlyAnswersAreCompared(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		would, did   string
		same, counts bool
	}{
		{"offer", "offer", true, true},
		{"accept", "offer", false, true},
		{"refuse", "refuse", true, true},
		{"refuse", "silence", false, true},
		{"offer", "other", false, false},
		{"page", "accept", false, false},
		{"wait", "accept", false, false},
	} {
		if same, counts := agrees(c.would, c.did); same != c.same || counts != c.counts {
			t.Errorf("%s and %s: got %v, %v", c.would, c.did, same, counts)
		}
	}
}

func TestShadowDecisionsWithoutAnAnswerAreAPersonsOrAWait(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line  handle.Line
		would string
		pays  sla.Money
	}{
		{handle.Line{Answer: "offer", Amount: usd(5)}, "offer", usd(5)},
		{handle.Line{Answer: "refuse", Amount: usd(0)}, "refuse", sla.Money{}},
		{handle.Line{Answer: "none", Why: "over_cap"}, wouldPage, sla.Money{}},
		{handle.Line{Answer: "none", Why: "not_yet"}, wouldWait, sla.Money{}},
	} {
		if would, pays := wouldDo(c.line), wouldPay(c.line); would != c.would || pays != c.pays {
			t.Errorf("%+v: got %s, %s", c.line, would, pays)
		}
	}
}
