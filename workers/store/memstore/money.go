package memstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/btree"

	"watchkeeper/sla"
)

const (
	moneyShard = 0
	maxMinor   = 1 << 52
	dayMS      = int64(24 * time.Hour / time.Millisecond)
	clocksMS   = 600_000 // how far the platform's clock may be ahead of ours
)

// money is what was reserved. All of it is in the first shard.
type money struct {
	cases  *btree.Map[string, []reservation]
	buyers *btree.Map[uint64, []reservation]
	days   *btree.Map[string, int64] // by day, store (none: all) and currency
	storm  *btree.BTreeG[timer]      // when each answer that pays was reserved
}

func newMoney() money {
	return money{cases: newTree[string, []reservation](), buyers: newTree[uint64, []reservation](), days: newTree[string, int64](), storm: newTimers()}
}

func (m money) copy() money {
	return money{cases: m.cases.Copy(), buyers: m.buyers.Copy(), days: m.days.Copy(), storm: m.storm.Copy()}
}

// A reservation is what one slot has taken out of the budgets.
type reservation struct {
	dispute, name string // the slot's, with its dispute's
	store         sla.StoreID
	at            int64
	amount        sla.Money
	token         uint64
	buyer         sla.BuyerKey
}

func dayField(at int64, id sla.StoreID, c sla.Currency) string {
	return fmt.Sprintf("%d %s %s", at/dayMS, id, c)
}

// count adds to the sums of a day.
func (m money) count(at int64, id sla.StoreID, amount sla.Money) {
	for _, field := range []string{dayField(at, id, amount.Currency), dayField(at, "", amount.Currency)} {
		sum, _ := m.days.Get(field)
		m.days.Set(field, sum+amount.Minor)
	}
}

func without(list []reservation, name string) []reservation {
	return slices.DeleteFunc(slices.Clone(list), func(r reservation) bool { return r.name == name })
}

// forget takes a reservation out of every sum.
func (m money) forget(was reservation) {
	list, _ := m.cases.Get(was.dispute)
	m.cases.Set(was.dispute, without(list, was.name))
	if was.buyer != 0 {
		list, _ := m.buyers.Get(uint64(was.buyer))
		m.buyers.Set(uint64(was.buyer), without(list, was.name))
	}
	m.storm.Delete(timer{ms: was.at, id: was.name})
	was.amount.Minor = -was.amount.Minor
	m.count(was.at, was.store, was.amount)
}

// find gives what a slot has reserved.
func (m money) find(q reservation) (reservation, bool) {
	list, _ := m.cases.Get(q.dispute)
	i := slices.IndexFunc(list, func(r reservation) bool { return r.name == q.name })
	if i < 0 {
		return reservation{}, false
	}
	return list[i], true
}

func slotName(key sla.AttemptKey) string {
	return fmt.Sprintf("%s/%x/%d", key.Dispute, uint64(key.Turn), key.Side)
}

// Reserve is store.Store.Reserve.
func (s *Store) Reserve(_ context.Context, sp sla.Spend, now time.Time) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if err := s.reserve(sp, max(now.UnixMilli(), 0)); err != nil {
		return fmt.Errorf("reserve %s for %s: %w", sp.Amount, sp.Key.Dispute, err)
	}
	return nil
}

// reserve is scripts/reserve.lua.
func (s *Store) reserve(sp sla.Spend, now int64) error {
	if sp.Amount.Minor < 0 || sp.Amount.Minor > maxMinor {
		return fmt.Errorf("an amount that cannot be counted: %w", sla.ErrBudget)
	}
	for i, limit := range budgets(sp.Budget) {
		if !limit.IsZero() && (budgetNames[i] != "buyer" || sp.Buyer != 0) && limit.Currency != sp.Amount.Currency {
			return fmt.Errorf("the %s budget is in another currency: %w", budgetNames[i], sla.ErrBudget)
		}
	}
	if err := s.notForgot(moneyShard); err != nil {
		return err
	}
	h := s.w.shards[moneyShard]
	q := reservation{dispute: sp.Key.Dispute.String(), name: slotName(sp.Key), store: sp.Key.Dispute.Store, at: now, amount: sp.Amount,
		token: sp.Token, buyer: sp.Buyer}
	was, had := h.money.find(q)
	if had && was.token > sp.Token {
		return sla.ErrFenced
	}
	if err := h.refusal(sp, q, was); err != nil {
		return err
	}
	h.money.count(now, q.store, q.amount)
	if had {
		h.money.forget(was)
	}
	list, _ := h.money.cases.Get(q.dispute)
	h.money.cases.Set(q.dispute, append(slices.Clone(list), q))
	if q.buyer != 0 {
		list, _ := h.money.buyers.Get(uint64(q.buyer))
		h.money.buyers.Set(uint64(q.buyer), append(slices.Clone(list), q))
	}
	h.money.storm.Set(timer{ms: now, id: q.name})
	s.saw(moneyShard, s.ahead(moneyShard, 1))
	return nil
}

var budgetNames = [4]string{"case", "buyer", "store", "total"}

func budgets(b sla.Budget) [4]sla.Money { return [4]sla.Money{b.Case, b.Buyer, b.Store, b.Total} }

// refusal asks every limit; was is what the slot has reserved before.
func (h *shard) refusal(sp sla.Spend, q, was reservation) error {
	span, today := sla.BuyerSpan.Milliseconds(), h.lost >= q.at-q.at%dayMS
	unknown := [4]bool{h.lost >= 0 && sp.Since() <= h.lost+clocksMS, h.lost > q.at-span, today, today}
	for i, limit := range budgets(sp.Budget) {
		if budgetNames[i] == "buyer" && q.buyer == 0 {
			continue
		}
		most := int64(maxMinor)
		if !limit.IsZero() {
			if unknown[i] {
				return fmt.Errorf("the %s budget: memory was lost: %w", budgetNames[i], sla.ErrBudget)
			}
			most = min(limit.Minor, maxMinor)
		}
		if spent := h.money.spent(i, q, was); spent+q.amount.Minor > most {
			kind := sla.ErrBudget
			if i == 0 {
				kind = sla.ErrCap
			}
			return fmt.Errorf("the %s budget: %d of %d are spent: %w", budgetNames[i], spent, most, kind)
		}
	}
	if sp.Budget.Storm == (sla.Rate{}) {
		return nil
	}
	since := q.at - sp.Budget.Storm.Per.Milliseconds()
	spent := h.money.since(since)
	if was.at > since && was.name != "" {
		spent--
	}
	if h.lost > since || spent >= sp.Budget.Storm.Count {
		return fmt.Errorf("%d in the last %s: %w", spent, sp.Budget.Storm.Per, sla.ErrStorm)
	}
	return nil
}

// spent is what others than the slot have taken out of one budget.
func (m money) spent(budget int, q, was reservation) int64 {
	if name := budgetNames[budget]; name == "store" || name == "total" {
		id := q.store
		if name == "total" {
			id = ""
		}
		sum, _ := m.days.Get(dayField(q.at, id, q.amount.Currency))
		if was.amount.Currency == q.amount.Currency && was.at/dayMS == q.at/dayMS {
			sum -= was.amount.Minor
		}
		return sum
	}
	list, _ := m.cases.Get(q.dispute)
	oldest := int64(-1 << 62)
	if budgetNames[budget] == "buyer" {
		list, _ = m.buyers.Get(uint64(q.buyer))
		oldest = q.at - sla.BuyerSpan.Milliseconds()
	}
	sum := int64(0)
	for _, r := range list {
		if r.name != q.name && r.amount.Currency == q.amount.Currency && r.at > oldest {
			sum += r.amount.Minor
		}
	}
	return sum
}

// since counts the answers that were reserved after an instant.
func (m money) since(ms int64) (n int) {
	m.storm.Reverse(func(t timer) bool {
		if t.ms > ms {
			n++
		}
		return t.ms > ms
	})
	return n
}

// Release is store.Store.Release.
func (s *Store) Release(_ context.Context, a sla.Attempt) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	m := s.w.shards[moneyShard].money
	was, ok := m.find(reservation{dispute: a.Dispute.String(), name: slotName(a.AttemptKey)})
	if ok && was.token <= a.Token {
		m.forget(was)
	}
	return nil
}

// Spent is store.Store.Spent.
func (s *Store) Spent(_ context.Context, now time.Time, per time.Duration) (sla.Spent, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	m, ms := s.w.shards[moneyShard].money, now.UnixMilli()
	out := sla.Spent{Stores: map[sla.StoreID][]sla.Money{}, Storm: m.since(ms - per.Milliseconds())}
	head := fmt.Sprintf("%d ", ms/dayMS)
	m.days.Ascend(head, func(field string, minor int64) bool {
		rest, ok := strings.CutPrefix(field, head)
		id, currency, _ := strings.Cut(rest, " ")
		amount := sla.Money{Minor: minor, Currency: sla.Currency(currency)}
		switch {
		case !ok || minor == 0:
		case id == "":
			out.Total = append(out.Total, amount)
		default:
			out.Stores[sla.StoreID(id)] = append(out.Stores[sla.StoreID(id)], amount)
		}
		return ok
	})
	return out, nil
}
