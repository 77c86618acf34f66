package main

import (
	"fmt"
	"math"
	"testing"
	"time"

	"watchkeeper/sla"
	"watchkeeper/sla/playbook"
)

func jpy(minor int64) sla.Money { return sla.Money{Minor: minor, Currency: "JPY"} }

// sends is a forecast of an answer that goes out by itself.
func sends(kind sla.AnswerKind, amount sla.Money, after time.Duration) playbook.Forecast {
	return playbook.Forecast{Action: sla.ActionAct, At: now.Add(after), Answer: sla.Answer{Kind: kind, Amount: amount}, Cost: amount}
}

// asks is a forecast of something that is not sent by itself.
func asks(action sla.Action, cost sla.Money) playbook.Forecast {
	return playbook.Forecast{Action: action, At: now, Cost: cost}
}

func TestForecastsDifferInActionTimeAndAmount(t *testing.T) {
	t.Parallel()
	offer := sends(sla.AnswerOffer, usd(600), time.Hour)
	for name, c := range map[string]struct {
		before, after playbook.Forecast
		want          string
	}{
		"nothing":            {offer, offer, "[]"},
		"another zone":       {offer, playbook.Forecast{Action: offer.Action, At: offer.At.In(time.FixedZone("x", 3600)), Answer: offer.Answer}, "[]"},
		"later":              {offer, sends(sla.AnswerOffer, usd(600), 2*time.Hour), "[time]"},
		"dearer":             {offer, sends(sla.AnswerOffer, usd(601), time.Hour), "[amount]"},
		"another currency":   {offer, sends(sla.AnswerOffer, jpy(600), time.Hour), "[amount]"},
		"another kind":       {offer, sends(sla.AnswerAccept, usd(600), time.Hour), "[action]"},
		"a person":           {sends(sla.AnswerRefuse, usd(0), 0), asks(sla.ActionPage, usd(2000)), "[action]"},
		"a person, and more": {offer, asks(sla.ActionPage, usd(2000)), "[action time amount]"},
		"live":               {playbook.Forecast{Action: sla.ActionShadow, At: offer.At, Answer: offer.Answer}, offer, "[action]"},
	} {
		if got := fmt.Sprint(compare(c.before, c.after).names()); got != c.want {
			t.Errorf("%s: want %s, got %s", name, c.want, got)
		}
	}
}

func TestMoneyIsTalliedInEachDirectionAndCurrency(t *testing.T) {
	t.Parallel()
	tl := newTally()
	offer := func(m sla.Money) playbook.Forecast { return sends(sla.AnswerOffer, m, 0) }
	tl.add(true, offer(usd(600)), offer(usd(900)))
	tl.add(true, offer(usd(500)), sends(sla.AnswerRefuse, usd(0), 0))
	tl.add(true, asks(sla.ActionPage, jpy(3000)), offer(jpy(1000)))
	tl.add(true, offer(usd(100)), asks(sla.ActionHold, usd(2000)))
	tl.add(true, asks(sla.ActionShadow, usd(1)), asks(sla.ActionShadow, usd(1)))
	tl.add(false, asks(sla.ActionLeave, sla.Money{}), asks(sla.ActionLeave, sla.Money{}))
	for name, c := range map[string]struct{ want, got string }{
		"before":          {"12.00 USD", joinMoney(tl.paidBefore.list())},
		"after":           {"1000 JPY, 9.00 USD", joinMoney(tl.paidAfter.list())},
		"more":            {"1000 JPY, 3.00 USD", joinMoney(tl.more.list())},
		"less":            {"6.00 USD", joinMoney(tl.less.list())},
		"people before":   {"2: 3000 JPY, 0.01 USD", fmt.Sprintf("%d: %s", tl.peopleBefore.cases, joinMoney(tl.peopleBefore.cost.list()))},
		"people after":    {"2: 20.01 USD", fmt.Sprintf("%d: %s", tl.peopleAfter.cases, joinMoney(tl.peopleAfter.cost.list()))},
		"cases":           {"6, 4 changed", fmt.Sprintf("%d, %d changed", tl.cases, tl.changed)},
		"by change":       {"3 0 4", fmt.Sprint(tl.actions, tl.times, tl.amounts)},
		"gained, avoided": {"0 0", fmt.Sprint(tl.gained, tl.avoided)},
	} {
		if c.got != c.want {
			t.Errorf("%s: want %s, got %s", name, c.want, c.got)
		}
	}
}

func TestABreachIsLatenessOrSilenceThatNobodyHearsOf(t *testing.T) {
	t.Parallel()
	late := asks(sla.ActionPage, usd(1))
	late.Late = true
	for name, c := range map[string]struct {
		owed bool
		f    playbook.Forecast
		want bool
	}{
		"in time":           {true, sends(sla.AnswerRefuse, usd(0), 0), false},
		"too late":          {true, late, true},
		"a person":          {true, asks(sla.ActionPage, usd(1)), false},
		"waits for a yes":   {true, asks(sla.ActionHold, usd(1)), false},
		"shadow":            {true, asks(sla.ActionShadow, usd(1)), false},
		"nobody told":       {true, asks(sla.ActionLeave, usd(1)), true},
		"waits for ever":    {true, asks(sla.ActionWait, usd(1)), true},
		"nothing was owed":  {false, asks(sla.ActionLeave, sla.Money{}), false},
		"late, but answers": {false, late, false},
	} {
		if got := breached(c.owed, c.f); got != c.want {
			t.Errorf("%s: want %v, got %v", name, c.want, got)
		}
	}
	tl := newTally()
	tl.add(true, late, asks(sla.ActionPage, usd(1)))
	tl.add(true, asks(sla.ActionPage, usd(1)), asks(sla.ActionLeave, usd(1)))
	if tl.gained != 1 || tl.avoided != 1 {
		t.Errorf("want one gained and one avoided, got %d and %d", tl.gained, tl.avoided)
	}
}

func TestSumsStayWithinWhatFits(t *testing.T) {
	t.Parallel()
	s := sums{}
	for _, m := range []sla.Money{usd(math.MaxInt64), usd(math.MaxInt64), jpy(math.MinInt64), jpy(-1), {Minor: 0, Currency: "EUR"}} {
		s.add(m)
	}
	if got := s.list(); len(got) != 2 || got[0].Minor != math.MinInt64 || got[1].Minor != math.MaxInt64 {
		t.Errorf("got %v", got)
	}
}
