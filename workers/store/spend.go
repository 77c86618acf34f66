package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
)

const (
	// moneyShard has all that was spent: budgets span disputes, and a script cannot span shards.
	moneyShard = 0
	// maxMinor is the most that an amount, and a sum of them, may be: the scripts count in doubles, in which twice as much is still exact.
	maxMinor = 1 << 52
	dayMS    = int64(24 * time.Hour / time.Millisecond)
)

// Reserve takes what an answer may cost out of every budget that is set, before its intent is recorded. It is refused, and nothing changes,
//   - with sla.ErrBudget (of the case: sla.ErrCap) when one of them would be exceeded, or when memory was lost and what was spent is not known: in the store and in
//     all stores until the next day, UTC; by a buyer for sla.BuyerSpan; in a case when the dispute was opened before the loss;
//   - with sla.ErrStorm when too many answers that pay were reserved, or memory was lost, within Storm.Per;
//   - with sla.ErrFenced when a later claim of the slot has reserved;
//   - with sla.ErrAmnesia when memory was lost and it is noticed just now.
//
// A slot that reserves again gets the new amount in place of the old one. What is not released stays spent: an unknown outcome counts.
// Sums are kept for each currency, and an amount in another one is over every budget.
func (s *Store) Reserve(ctx context.Context, sp sla.Spend, now time.Time) error {
	op := "reserve " + sp.Amount.String() + " for " + sp.Key.Dispute.String()
	if sp.Amount.Minor < 0 || sp.Amount.Minor > maxMinor {
		return fmt.Errorf("%s: an amount that cannot be counted: %w", op, sla.ErrBudget)
	}
	limits, err := limitsOf(sp)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	count, per := any(""), int64(0)
	if sp.Budget.Storm != (sla.Rate{}) {
		count, per = sp.Budget.Storm.Count, sp.Budget.Storm.Per.Milliseconds()
	}
	buyer := ""
	if sp.Buyer != 0 {
		buyer = fmt.Sprintf("%016x", uint64(sp.Buyer))
	}
	v := s.views[moneyShard].Load()
	reply, err := s.shareOne(ctx, item{script: reserveScript, shard: moneyShard, under: v, args: []any{sp.Key.Dispute.String(), string(sp.Key.Dispute.Store),
		slotField(sp.Key), sp.Token, max(now.UnixMilli(), 0), sp.Since(), sp.Amount.Minor, string(sp.Amount.Currency), buyer,
		sla.BuyerSpan.Milliseconds(), limits[0], limits[1], limits[2], limits[3], count, per}})
	if err != nil {
		return wrap(op, err)
	}
	if reply == lostMemory {
		return wrap(op, errors.Join(sla.ErrAmnesia, s.refresh(ctx, s.now())))
	}
	pair, _ := reply.([]any)
	if len(pair) != 2 {
		return fmt.Errorf("%s: %d replies: %w", op, len(pair), ErrUnreadable)
	}
	if why := string(bytesOf(pair[0])); why != "" {
		return fmt.Errorf("%s: %w", op, refusedSpend(sp, why, parseInt(pair[1])))
	}
	v.saw(parseInt(pair[1]))
	return nil
}

// budgetNames are the budgets of money, in the order in which they are asked.
var budgetNames = [4]string{"case", "buyer", "store", "total"}

func budgetsOf(b sla.Budget) [4]sla.Money { return [4]sla.Money{b.Case, b.Buyer, b.Store, b.Total} }

// limitsOf are the limits as the script takes them, empty where there is none.
func limitsOf(sp sla.Spend) (out [4]string, _ error) {
	for i, limit := range budgetsOf(sp.Budget) {
		if limit.IsZero() || budgetNames[i] == "buyer" && sp.Buyer == 0 {
			continue
		}
		if limit.Currency != sp.Amount.Currency {
			return out, fmt.Errorf("the %s budget is in another currency, %s: %w", budgetNames[i], limit.Currency, sla.ErrBudget)
		}
		out[i] = strconv.FormatInt(min(limit.Minor, maxMinor), 10)
	}
	return out, nil
}

// refusedSpend puts what the script refused into words.
func refusedSpend(sp sla.Spend, why string, spent int64) error {
	name, lost := strings.CutPrefix(why, "lost ")
	switch {
	case name == "fenced":
		return sla.ErrFenced
	case name == "storm" && lost:
		return fmt.Errorf("memory was lost within the last %s: %w", sp.Budget.Storm.Per, sla.ErrStorm)
	case name == "storm":
		return fmt.Errorf("%d in the last %s: %w", spent, sp.Budget.Storm.Per, sla.ErrStorm)
	case lost && (name == "store" || name == "total"):
		return fmt.Errorf("the %s budget: memory was lost today: %w", name, sla.ErrBudget)
	case lost && name == "buyer":
		return fmt.Errorf("the %s budget: memory was lost within the last %s: %w", name, sla.BuyerSpan, sla.ErrBudget)
	case lost:
		return fmt.Errorf("the %s budget: memory was lost since the dispute was opened: %w", name, sla.ErrBudget)
	}
	limit := sla.Money{Minor: maxMinor, Currency: sp.Amount.Currency} // what can be counted bounds the sums that have no budget
	if i := slices.Index(budgetNames[:], name); i >= 0 && !budgetsOf(sp.Budget)[i].IsZero() {
		limit = budgetsOf(sp.Budget)[i]
	}
	kind := sla.ErrBudget
	if name == budgetNames[0] {
		kind = sla.ErrCap
	}
	return fmt.Errorf("the %s budget: %s of %s are spent: %w", name, sla.Money{Minor: spent, Currency: sp.Amount.Currency}, limit, kind)
}

// Release gives back what the slot of an attempt has reserved, because the answer surely had no effect. Of several claims only the last one
// that reserved, or a later one, can do so: what a successor has reserved stays. To release nothing is no error.
func (s *Store) Release(ctx context.Context, a sla.Attempt) error {
	_, err := s.shareOne(ctx, item{script: unspendScript, shard: moneyShard,
		args: []any{a.Dispute.String(), string(a.Dispute.Store), slotField(a.AttemptKey), a.Token}})
	return wrap("release what "+a.Dispute.String()+" reserved", err)
}

// Spent tells what is reserved for today, UTC, and how many answers that pay were reserved within per.
func (s *Store) Spent(ctx context.Context, now time.Time, per time.Duration) (sla.Spent, error) {
	const op = "what was spent"
	head, ms := s.keys[moneyShard].money(), now.UnixMilli()
	pipe := s.rdb.Pipeline()
	sums := pipe.HGetAll(ctx, head+"d:"+strconv.FormatInt(ms/dayMS, 10))
	storm := pipe.ZCount(ctx, head+"s", "("+strconv.FormatInt(ms-per.Milliseconds(), 10), "+inf")
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return sla.Spent{}, wrap(op, err)
	}
	out := sla.Spent{Stores: map[sla.StoreID][]sla.Money{}, Storm: int(storm.Val())}
	for field, value := range sums.Val() {
		store, currency, _ := strings.Cut(field, " ")
		m := sla.Money{Minor: parseInt(value), Currency: sla.Currency(currency)}
		switch {
		case m.Minor == 0:
		case store == "":
			out.Total = append(out.Total, m)
		default:
			out.Stores[sla.StoreID(store)] = append(out.Stores[sla.StoreID(store)], m)
		}
	}
	byCurrency := func(a, b sla.Money) int { return strings.Compare(string(a.Currency), string(b.Currency)) }
	slices.SortFunc(out.Total, byCurrency)
	for _, list := range out.Stores {
		slices.SortFunc(list, byCurrency)
	}
	return out, nil
}
