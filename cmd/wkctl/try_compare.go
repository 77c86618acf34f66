package main

import (
	"cmp"
	"math"
	"slices"

	"watchkeeper/sla"
	"watchkeeper/sla/playbook"
)

// A change says in which ways two forecasts of one case differ.
type change struct {
	Action bool // something else is done: another action, or another kind of answer
	Time   bool // it is done at another time
	Amount bool // the answer is of another amount
}

func (c change) any() bool { return c.Action || c.Time || c.Amount }

func (c change) names() []string {
	out := []string{}
	for _, way := range []struct {
		name string
		is   bool
	}{{"action", c.Action}, {"time", c.Time}, {"amount", c.Amount}} {
		if way.is {
			out = append(out, way.name)
		}
	}
	return out
}

// compare tells how two forecasts of one case differ. No answer, and an answer that costs nothing, are of one amount.
func compare(before, after playbook.Forecast) change {
	was, is := before.Answer.Amount, after.Answer.Amount
	return change{
		Action: before.Action != after.Action || before.Answer.Kind != after.Answer.Kind,
		Time:   !before.At.Equal(after.At),
		Amount: was.Minor != is.Minor || was.Minor != 0 && was.Currency != is.Currency,
	}
}

// paid is what a forecast pays by itself.
func paid(f playbook.Forecast) sla.Money {
	if f.Action != sla.ActionAct || !f.Answer.Kind.Pays() {
		return sla.Money{}
	}
	return f.Answer.Amount
}

// breached reports whether a deadline would be missed: what is to happen comes after it, or nothing is sent and nobody is told. In shadow
// people are told as always, at the warn points and at guard.
func breached(owed bool, f playbook.Forecast) bool {
	return owed && (f.Late || f.Action == sla.ActionWait || f.Action == sla.ActionLeave)
}

// sums are amounts by currency.
type sums map[sla.Currency]int64

// add adds an amount, within what fits: amounts come from platforms.
func (s sums) add(m sla.Money) {
	if m.Minor == 0 {
		return
	}
	total := s[m.Currency]
	switch {
	case m.Minor > 0 && total > math.MaxInt64-m.Minor:
		total = math.MaxInt64
	case m.Minor < 0 && total < math.MinInt64-m.Minor:
		total = math.MinInt64
	default:
		total += m.Minor
	}
	s[m.Currency] = total
}

// list has one amount for each currency, in the order of their codes.
func (s sums) list() []money {
	out := make([]money, 0, len(s))
	for c, minor := range s {
		out = append(out, money{Minor: minor, Currency: c})
	}
	slices.SortFunc(out, func(a, b money) int { return cmp.Compare(a.Currency, b.Currency) })
	return out
}

// people is what one rulebook leaves to people, in shadow, too: how many cases, and what their silence would cost.
type people struct {
	cases int
	cost  sums
}

func (p *people) add(owed bool, f playbook.Forecast) {
	if owed && f.Action != sla.ActionAct {
		p.cases++
		p.cost.add(f.Cost)
	}
}

// A tally is what two rulebooks make of many cases.
type tally struct {
	cases, changed, actions, times, amounts int
	paidBefore, paidAfter, more, less       sums
	peopleBefore, peopleAfter               people
	gained, avoided                         int // breaches
}

func newTally() *tally {
	return &tally{
		paidBefore: sums{}, paidAfter: sums{}, more: sums{}, less: sums{},
		peopleBefore: people{cost: sums{}}, peopleAfter: people{cost: sums{}},
	}
}

// add counts one case, of which something is owed or not.
func (t *tally) add(owed bool, before, after playbook.Forecast) change {
	c := compare(before, after)
	t.cases++
	t.changed += one(c.any())
	t.actions += one(c.Action)
	t.times += one(c.Time)
	t.amounts += one(c.Amount)
	was, is := paid(before), paid(after)
	t.paidBefore.add(was)
	t.paidAfter.add(is)
	switch {
	case was.Currency != is.Currency:
		t.more.add(is)
		t.less.add(was)
	case is.Minor > was.Minor:
		t.more.add(sla.Money{Minor: is.Minor - was.Minor, Currency: is.Currency})
	default:
		t.less.add(sla.Money{Minor: was.Minor - is.Minor, Currency: is.Currency})
	}
	t.peopleBefore.add(owed, before)
	t.peopleAfter.add(owed, after)
	wasMissed, isMissed := breached(owed, before), breached(owed, after)
	t.gained += one(isMissed && !wasMissed)
	t.avoided += one(wasMissed && !isMissed)
	return c
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
