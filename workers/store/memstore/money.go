package memstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"watchkeeper/sla"
)

const (
	dayMS  = int64(24 * time.Hour / time.Millisecond)
	clocks = int64(10 * time.Minute / time.Millisecond) // how far the platform's clock may be ahead of ours (reserve.lua)
)

// A slotName is a slot of the ledger that has reserved.
type slotName struct {
	of   name
	turn sla.Turn
	side sla.AnswerKind
}

// A reservation is what one slot has taken out of the budgets.
type reservation struct {
	at     int64
	amount sla.Money
	token  uint64
	buyer  sla.BuyerKey
}

// A sum is what a store, or all of them (""), spent on a day in one currency.
type sum struct {
	day      int64
	store    sla.StoreID
	currency sla.Currency
}

// money is what was spent. Cases and buyers know their slots.
type money struct {
	slots map[slotName]reservation
	cases map[name][]slotName
	buyer map[sla.BuyerKey][]slotName
	days  map[sum]int64
	storm map[slotName]int64
}

func newMoney() money {
	return money{slots: map[slotName]reservation{}, cases: map[name][]slotName{}, buyer: map[sla.BuyerKey][]slotName{}, days: map[sum]int64{}, storm: map[slotName]int64{}}
}

func (m *money) clone() money {
	return money{slots: maps.Clone(m.slots), cases: cloneLists(m.cases), buyer: cloneLists(m.buyer), days: maps.Clone(m.days), storm: maps.Clone(m.storm)}
}

func (m *money) count(r reservation, of sla.StoreID, sign int64) {
	day := r.at / dayMS
	m.days[sum{day, of, r.amount.Currency}] += sign * r.amount.Minor
	m.days[sum{day, "", r.amount.Currency}] += sign * r.amount.Minor
}

func without(list []slotName, n slotName) []slotName {
	out := make([]slotName, 0, len(list))
	for _, o := range list {
		if o != n {
			out = append(out, o)
		}
	}
	return out
}

func (m *money) forget(n slotName) {
	r, there := m.slots[n]
	if !there {
		return
	}
	delete(m.slots, n)
	delete(m.storm, n)
	m.cases[n.of] = without(m.cases[n.of], n)
	m.buyer[r.buyer] = without(m.buyer[r.buyer], n)
	m.count(r, n.of.store, -1)
}

// Reserve is store.Store.Reserve.
func (s *Store) Reserve(_ context.Context, sp sla.Spend, now time.Time) error {
	op := "reserve " + sp.Amount.String() + " for " + sp.Key.Dispute.String()
	for _, limit := range []sla.Money{sp.Budget.Case, sp.Budget.Buyer, sp.Budget.Store, sp.Budget.Total} {
		if !limit.IsZero() && limit.Currency != sp.Amount.Currency && (limit != sp.Budget.Buyer || sp.Buyer != 0) {
			return fmt.Errorf("%s: a budget is in another currency: %w", op, sla.ErrBudget)
		}
	}
	if sp.Amount.Minor < 0 {
		return fmt.Errorf("%s: an amount that cannot be counted: %w", op, sla.ErrBudget)
	}
	if s.forgot() {
		return fmt.Errorf("%s: %w", op, errors.Join(sla.ErrAmnesia, s.refresh(s.now())))
	}
	n := slotName{of: caseName(sp.Key.Dispute), turn: sp.Key.Turn, side: sp.Key.Side}
	q := spending{m: &s.w.m.money, sp: sp, n: n, now: max(now.UnixMilli(), 0), lost: s.w.m.lostAt}
	q.was, q.again = q.m.slots[n]
	if q.again && q.was.token > sp.Token {
		return fmt.Errorf("%s: %w", op, sla.ErrFenced)
	}
	if err := q.refusal(); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	q.take()
	s.ahead()
	return nil
}

// A spending is one reservation on its way.
type spending struct {
	m     *money
	sp    sla.Spend
	n     slotName
	now   int64
	lost  int64
	was   reservation
	again bool
}

// over tells whether a limit refuses what is spent and the amount; unknown says that more may have been spent than is remembered.
func (q *spending) over(limit sla.Money, spent int64, unknown bool) bool {
	return !limit.IsZero() && (unknown || spent+q.sp.Amount.Minor > limit.Minor)
}

func (q *spending) refusal() error {
	b, span := q.sp.Budget, sla.BuyerSpan.Milliseconds()
	opened := int64(0)
	if !q.sp.Opened.IsZero() {
		opened = max(q.sp.Opened.UnixMilli(), 0)
	}
	before := q.lost >= 0 && opened <= q.lost+clocks
	today := q.lost >= q.now-q.now%dayMS
	if q.over(b.Case, q.spent(q.m.cases[q.n.of], -1<<62), before) ||
		q.sp.Buyer != 0 && q.over(b.Buyer, q.spent(q.m.buyer[q.sp.Buyer], q.now-span), q.lost > q.now-span) ||
		q.over(b.Store, q.day(q.n.of.store), today) || q.over(b.Total, q.day(""), today) {
		return sla.ErrBudget
	}
	if b.Storm == (sla.Rate{}) {
		return nil
	}
	since, count := q.now-b.Storm.Per.Milliseconds(), 0
	for n, at := range q.m.storm {
		if at > since && n != q.n {
			count++
		}
	}
	if q.lost > since || count >= b.Storm.Count {
		return sla.ErrStorm
	}
	return nil
}

// spent is what other slots of a list have reserved after an instant.
func (q *spending) spent(list []slotName, after int64) int64 {
	total := int64(0)
	for _, n := range list {
		if r := q.m.slots[n]; n != q.n && r.at > after && r.amount.Currency == q.sp.Amount.Currency {
			total += r.amount.Minor
		}
	}
	return total
}

func (q *spending) day(of sla.StoreID) int64 {
	total := q.m.days[sum{q.now / dayMS, of, q.sp.Amount.Currency}]
	if q.again && q.was.amount.Currency == q.sp.Amount.Currency && q.was.at/dayMS == q.now/dayMS {
		total -= q.was.amount.Minor
	}
	return total
}

func (q *spending) take() {
	if q.again {
		q.m.forget(q.n)
	}
	r := reservation{at: q.now, amount: q.sp.Amount, token: q.sp.Token, buyer: q.sp.Buyer}
	q.m.slots[q.n] = r
	q.m.count(r, q.n.of.store, 1)
	q.m.cases[q.n.of] = append(q.m.cases[q.n.of], q.n)
	if q.sp.Buyer != 0 {
		q.m.buyer[q.sp.Buyer] = append(q.m.buyer[q.sp.Buyer], q.n)
	}
	keep := q.now - max(dayMS, q.sp.Budget.Storm.Per.Milliseconds())
	for n, at := range q.m.storm {
		if at <= keep {
			delete(q.m.storm, n)
		}
	}
	q.m.storm[q.n] = q.now
}

// Release is store.Store.Release.
func (s *Store) Release(_ context.Context, a sla.Attempt) error {
	n := slotName{of: caseName(a.Dispute), turn: a.Turn, side: a.Side}
	if was, there := s.w.m.money.slots[n]; there && was.token <= a.Token {
		s.w.m.money.forget(n)
	}
	return nil
}
