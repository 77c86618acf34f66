package store_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

func usd(minor int64) sla.Money { return sla.Money{Minor: minor, Currency: "USD"} }

// spend is what the answer to the i-th dispute costs.
func spend(i int, minor int64, b sla.Budget) sla.Spend {
	return sla.Spend{Key: sla.AttemptKey{Dispute: disputeID(i), Turn: 7}, Token: 10, Buyer: 0xb0, Opened: epoch0.Add(time.Hour), Amount: usd(minor), Budget: b}
}

func TestEachBudgetRefusesOneUnitTooMuchAndChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx := context.Background()
		must(t, s.Reserve(ctx, spend(1, 600, sla.Budget{}), c.now()))
		before, err := s.Spent(ctx, c.now(), time.Hour)
		must(t, err)
		other := func(sp sla.Spend) sla.Spend {
			sp.Key.Dispute.Store, sp.Buyer = "EB01", 0xb1
			return sp
		}
		turn2 := spend(1, 400, sla.Budget{Case: usd(1000)})
		turn2.Key.Turn++
		for _, tt := range []struct {
			name  string
			spend sla.Spend
			more  func(*sla.Spend)
			want  error
		}{
			{"case budget", turn2, nil, sla.ErrCap},
			{"buyer budget", spend(2, 400, sla.Budget{Buyer: usd(1000)}), nil, sla.ErrBudget},
			{"store budget", spend(2, 400, sla.Budget{Store: usd(1000)}), nil, sla.ErrBudget},
			{"total budget", other(spend(2, 400, sla.Budget{Total: usd(1000)})), nil, sla.ErrBudget},
			{"in the last 1h", spend(2, 1, sla.Budget{Storm: sla.Rate{Count: 2, Per: time.Hour}}), func(sp *sla.Spend) { sp.Budget.Storm.Count = 1 }, sla.ErrStorm},
			{"another currency", spend(2, 1, sla.Budget{Store: usd(1000)}), func(sp *sla.Spend) { sp.Amount.Currency = "EUR" }, sla.ErrBudget},
			{"cannot be counted", spend(2, 1, sla.Budget{}), func(sp *sla.Spend) { sp.Amount.Minor = 1<<53 + 1 }, sla.ErrBudget},
			{"cannot be counted", spend(2, 1, sla.Budget{}), func(sp *sla.Spend) { sp.Amount.Minor = -1 }, sla.ErrBudget},
			{"total budget", spend(2, 1, sla.Budget{}), func(sp *sla.Spend) { sp.Buyer, sp.Amount.Minor = 0, 1<<52-500 }, sla.ErrBudget}, // the sum cannot
		} {
			over := tt.spend
			if over.Amount.Minor++; tt.more != nil {
				over.Amount.Minor--
				tt.more(&over)
			}
			err := s.Reserve(ctx, over, c.now())
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.name) && tt.name != "total budget" {
				t.Fatalf("%s: want %v, got %v", tt.name, tt.want, err)
			}
			after, err := s.Spent(ctx, c.now(), time.Hour)
			must(t, err)
			if diff := cmp.Diff(before, after); diff != "" {
				t.Fatalf("%s: refused, and changed %s", tt.name, diff)
			}
			must(t, s.Reserve(ctx, tt.spend, c.now()))
			must(t, s.Release(ctx, sla.Attempt{AttemptKey: tt.spend.Key, Token: tt.spend.Token}))
		}
		want := sla.Spent{Stores: map[sla.StoreID][]sla.Money{"AE01": {usd(600)}}, Total: []sla.Money{usd(600)}, Storm: 1}
		if diff := cmp.Diff(want, before); diff != "" {
			t.Fatal(diff)
		}
		nobody := spend(3, 5000, sla.Budget{Buyer: usd(1)})
		nobody.Buyer = 0
		must(t, s.Reserve(ctx, nobody, c.now()))
	})
}

func TestASlotNeverCountsTwice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx := context.Background()
		all := sla.Budget{Case: usd(1000), Buyer: usd(1000), Store: usd(1000), Total: usd(1000), Storm: sla.Rate{Count: 1, Per: time.Hour}}
		for _, minor := range []int64{1000, 1000, 10, 999} {
			must(t, s.Reserve(ctx, spend(1, minor, all), c.now()))
			got, err := s.Spent(ctx, c.now(), time.Hour)
			must(t, err)
			if got.Storm != 1 || got.Total[0] != usd(minor) || got.Stores["AE01"][0] != usd(minor) {
				t.Fatalf("want %d counted once, got %+v", minor, got)
			}
		}
		a := sla.Attempt{AttemptKey: spend(1, 0, all).Key, Token: 10}
		for range 2 { // also when the call is repeated
			must(t, s.Release(ctx, a))
			got, err := s.Spent(ctx, c.now(), time.Hour)
			must(t, err)
			if got.Storm != 0 || len(got.Total) != 0 || len(got.Stores) != 0 {
				t.Fatalf("want nothing spent, got %+v", got)
			}
		}
		must(t, s.Reserve(ctx, spend(2, 1000, all), c.now()))
	})
}

func TestASuccessorsReservationOutlivesALateHolder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx := context.Background()
		late, next := spend(1, 5, sla.Budget{}), spend(1, 900, sla.Budget{})
		next.Token++
		must(t, s.Reserve(ctx, late, c.now()))
		must(t, s.Reserve(ctx, next, c.now()))
		wantErr(t, s.Reserve(ctx, late, c.now()), sla.ErrFenced)
		must(t, s.Release(ctx, sla.Attempt{AttemptKey: late.Key, Token: late.Token}))
		got, err := s.Spent(ctx, c.now(), time.Hour)
		if must(t, err); len(got.Total) != 1 || got.Total[0] != usd(900) {
			t.Fatalf("want what the successor reserved, got %+v", got)
		}
		must(t, s.Release(ctx, sla.Attempt{AttemptKey: late.Key, Token: next.Token + 1})) // who resolves it holds a later claim
		if got, err = s.Spent(ctx, c.now(), time.Hour); err != nil || len(got.Total) != 0 {
			t.Fatalf("want it given back, got %+v %v", got, err)
		}
	})
}

func TestConcurrentSpendersNeverExceedABudget(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		other, err := store.Open(ctx, rdb, store.Options{Now: c.now, Stores: testStores})
		must(t, err)
		const limit = 10_007
		budgets := []sla.Budget{{Total: usd(limit)}, {Total: usd(limit), Store: usd(limit / 2)}, {Total: usd(limit), Buyer: usd(limit / 3)}}
		var granted atomic.Int64
		var wg sync.WaitGroup
		for g := range 32 {
			wg.Go(func() {
				for i := range 12 {
					sp := spend(100*g+i, int64(37+g), budgets[g%3])
					sp.Buyer = sla.BuyerKey(g%3 + 1)
					err := []*store.Store{s, other}[g%2].Reserve(ctx, sp, c.now())
					switch {
					case err == nil && i%4 == 3:
						if err := s.Release(ctx, sla.Attempt{AttemptKey: sp.Key, Token: sp.Token}); err != nil {
							t.Error(err)
						}
					case err == nil:
						granted.Add(sp.Amount.Minor)
					case !errors.Is(err, sla.ErrBudget):
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		got, err := s.Spent(ctx, c.now(), time.Hour)
		must(t, err)
		if got.Total[0].Minor != granted.Load() || granted.Load() > limit || granted.Load() < limit/2 {
			t.Fatalf("want what was granted, at most %d, got %d and %+v", limit, granted.Load(), got)
		}
		must(t, s.Reserve(ctx, spend(9999, limit-granted.Load(), sla.Budget{Total: usd(limit)}), c.now()))
		wantErr(t, s.Reserve(ctx, spend(9998, 1, sla.Budget{Total: usd(limit)}), c.now()), sla.ErrBudget)
	})
}

func TestBudgetsComeBackWithTheirTime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, _ *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		day := epoch0.Truncate(24 * time.Hour).Add(47 * time.Hour)
		must(t, s.Reserve(ctx, spend(1, 1000, sla.Budget{}), day))
		for _, tt := range []struct {
			name   string
			budget sla.Budget
			last   time.Time // at which it is refused; allowed a millisecond later
		}{
			{"store", sla.Budget{Store: usd(1000)}, day.Add(time.Hour - time.Millisecond)},
			{"total", sla.Budget{Total: usd(1000)}, day.Add(time.Hour - time.Millisecond)},
			{"storm", sla.Budget{Storm: sla.Rate{Count: 1, Per: 10 * time.Minute}}, day.Add(10*time.Minute - time.Millisecond)},
			{"buyer", sla.Budget{Buyer: usd(1000)}, day.Add(sla.BuyerSpan - time.Millisecond)},
		} {
			if err := s.Reserve(ctx, spend(2, 1, tt.budget), tt.last); !errors.Is(err, sla.ErrBudget) && !errors.Is(err, sla.ErrStorm) {
				t.Fatalf("%s: want it refused until %s, got %v", tt.name, tt.last, err)
			}
			must(t, s.Reserve(ctx, spend(2, 1, tt.budget), tt.last.Add(time.Millisecond)))
			must(t, s.Release(ctx, sla.Attempt{AttemptKey: spend(2, 1, tt.budget).Key, Token: 10}))
		}
		turn2 := spend(1, 1, sla.Budget{Case: usd(1000)})
		turn2.Key.Turn++
		wantErr(t, s.Reserve(ctx, turn2, day.Add(80*24*time.Hour)), sla.ErrBudget) // a case is one sum, however long it takes
		// The same slot the day after: what it took yesterday is given back to yesterday.
		must(t, s.Reserve(ctx, spend(1, 500, sla.Budget{}), day.Add(24*time.Hour)))
		for at, want := range map[time.Time]int{day: 0, day.Add(24 * time.Hour): 1} {
			if got, err := s.Spent(ctx, at, time.Hour); err != nil || len(got.Total) != want {
				t.Fatalf("%s: want %d sums, got %+v %v", at, want, got, err)
			}
		}
		keys, err := storetest.Hand(rdb).Keys(ctx, "wk:{00}:m*").Result()
		must(t, err)
		for _, key := range keys {
			if ttl, err := storetest.Hand(rdb).TTL(ctx, key).Result(); err != nil || ttl <= 0 {
				t.Errorf("%q stays for ever: %s %v", key, ttl, err)
			}
		}
	})
}

func TestALossOfMemoryNeverAllowsMore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		must(t, s.Reserve(ctx, spend(1, 1, sla.Budget{Total: usd(10), Case: usd(10)}), c.now())) // the first start is no loss
		must(t, storetest.Hand(rdb).FlushAll(ctx).Err())
		lost := c.now()
		wantErr(t, s.Reserve(ctx, spend(2, 1, sla.Budget{}), c.now()), sla.ErrAmnesia)
		tomorrow := epoch0.Truncate(24 * time.Hour).Add(24 * time.Hour)
		for _, tt := range []struct {
			name   string
			budget sla.Budget
			opened time.Time
			words  string
			last   time.Time // at which it is refused; zero: never
			ever   bool      // refused long after too
		}{
			{"nothing limited", sla.Budget{}, time.Time{}, "", time.Time{}, false},
			{"store", sla.Budget{Store: usd(10)}, lost.Add(time.Minute), "memory was lost today", tomorrow.Add(-time.Millisecond), false},
			{"total", sla.Budget{Total: usd(10)}, lost.Add(time.Minute), "memory was lost today", tomorrow.Add(-time.Millisecond), false},
			{"storm", sla.Budget{Storm: sla.Rate{Count: 9, Per: time.Hour}}, lost.Add(time.Minute), "memory was lost within", lost.Add(time.Hour - time.Millisecond), false},
			{"buyer before", sla.Budget{Buyer: usd(10)}, lost.Add(-time.Hour), "memory was lost within", lost.Add(sla.BuyerSpan - time.Millisecond), false},
			{"buyer since", sla.Budget{Buyer: usd(10)}, lost.Add(time.Hour), "memory was lost within", lost.Add(sla.BuyerSpan - time.Millisecond), false},
			{"case by a platform's clock ahead", sla.Budget{Case: usd(10)}, lost.Add(5 * time.Minute), "memory was lost since", lost.Add(sla.BuyerSpan), true},
			{"case before", sla.Budget{Case: usd(10)}, lost.Add(-time.Hour), "memory was lost since", lost.Add(sla.BuyerSpan), true},
			{"case of unknown age", sla.Budget{Case: usd(10)}, time.Time{}, "memory was lost since", lost.Add(sla.BuyerSpan), true},
			{"case before, unpaid", sla.Budget{Case: usd(10)}, lost.Add(-time.Hour), "", time.Time{}, false},
			{"case since", sla.Budget{Case: usd(10)}, lost.Add(time.Hour), "", time.Time{}, false},
		} {
			sp := spend(3, 1, tt.budget)
			sp.Opened, sp.Unpaid = tt.opened, strings.HasSuffix(tt.name, "unpaid")
			if tt.words == "" {
				must(t, s.Reserve(ctx, sp, lost.Add(time.Second)))
			} else {
				for _, at := range []time.Time{lost.Add(time.Second), tt.last} {
					if err := s.Reserve(ctx, sp, at); err == nil || !strings.Contains(err.Error(), tt.words) {
						t.Fatalf("%s at %s: want it refused because %q, got %v", tt.name, at, tt.words, err)
					}
				}
				if err := s.Reserve(ctx, sp, tt.last.Add(time.Millisecond)); tt.ever != (err != nil) {
					t.Fatalf("%s: want it refused for ever: %v, got %v", tt.name, tt.ever, err)
				}
			}
			must(t, s.Release(ctx, sla.Attempt{AttemptKey: sp.Key, Token: sp.Token}))
		}
	})
}

func TestARestoredOlderMemoryForgetsNoReservation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx, b := context.Background(), sla.Budget{Store: usd(10)}
		old, err := rdb.HGetAll(ctx, "wk:{00}:epoch").Result()
		must(t, err)
		must(t, s.Reserve(ctx, spend(1, 10, b), c.now()))
		keys, err := storetest.Hand(rdb).Keys(ctx, "wk:{00}:m*").Result()
		must(t, err)
		must(t, rdb.Del(ctx, keys...).Err())
		must(t, rdb.HSet(ctx, "wk:{00}:epoch", old).Err())
		wantErr(t, s.Reserve(ctx, spend(2, 10, b), c.now()), sla.ErrAmnesia)
		wantErr(t, s.Reserve(ctx, spend(2, 10, b), c.now()), sla.ErrBudget)
	})
}

// A ledger of plain values says what Reserve must do.
type spends map[sla.AttemptKey]struct {
	sla.Spend
	at time.Time
}

// fits tells whether a spend keeps within its budgets.
func (m spends) fits(sp sla.Spend, now time.Time) bool {
	sum, count := [4]int64{}, 0
	for key, was := range m {
		if key == sp.Key {
			continue
		}
		today := was.at.Truncate(24 * time.Hour).Equal(now.Truncate(24 * time.Hour))
		for i, counts := range []bool{key.Dispute == sp.Key.Dispute, was.Buyer == sp.Buyer && now.Sub(was.at) < sla.BuyerSpan,
			today && key.Dispute.Store == sp.Key.Dispute.Store, today} {
			if counts && was.Amount.Currency == sp.Amount.Currency {
				sum[i] += was.Amount.Minor
			}
		}
		if now.Sub(was.at) < sp.Budget.Storm.Per {
			count++
		}
	}
	for i, limit := range []sla.Money{sp.Budget.Case, sp.Budget.Buyer, sp.Budget.Store, sp.Budget.Total} {
		if !limit.IsZero() && (i != 1 || sp.Buyer != 0) && (limit.Currency != sp.Amount.Currency || sum[i]+sp.Amount.Minor > limit.Minor) {
			return false
		}
	}
	return sp.Budget.Storm == sla.Rate{} || count < sp.Budget.Storm.Count
}

func TestReservationsAreWhatAPlainLedgerSays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx, stores := context.Background(), []sla.StoreID{"AE01", "EB01"}
		rapid.Check(t, func(t *rapid.T) {
			m, now := spends{}, c.now()
			limit := rapid.SampledFrom([]sla.Money{{}, usd(0), usd(30), usd(90), {Minor: 50, Currency: "EUR"}})
			key := rapid.Custom(func(t *rapid.T) sla.AttemptKey {
				id := disputeID(rapid.IntRange(0, 3).Draw(t, "dispute"))
				id.Store = rapid.SampledFrom(stores).Draw(t, "store")
				return sla.AttemptKey{Dispute: id, Turn: sla.Turn(rapid.IntRange(1, 3).Draw(t, "turn"))}
			})
			t.Repeat(map[string]func(*rapid.T){
				"reserve": func(t *rapid.T) {
					sp := sla.Spend{Key: key.Draw(t, "key"), Buyer: sla.BuyerKey(rapid.IntRange(0, 2).Draw(t, "buyer")),
						Amount: sla.Money{Minor: rapid.Int64Range(0, 40).Draw(t, "minor"), Currency: rapid.SampledFrom([]sla.Currency{"USD", "EUR"}).Draw(t, "currency")},
						Budget: sla.Budget{Case: limit.Draw(t, "case"), Buyer: limit.Draw(t, "of buyer"), Store: limit.Draw(t, "of store"), Total: limit.Draw(t, "total")}}
					if rapid.Bool().Draw(t, "storm") {
						sp.Budget.Storm = sla.Rate{Count: rapid.IntRange(1, 5).Draw(t, "count"), Per: time.Hour}
					}
					err := s.Reserve(ctx, sp, now)
					if want := m.fits(sp, now); want != (err == nil) || err != nil && !errors.Is(err, sla.ErrBudget) && !errors.Is(err, sla.ErrStorm) {
						t.Fatalf("want granted %v, got %v", want, err)
					}
					if err == nil {
						m[sp.Key] = struct {
							sla.Spend
							at time.Time
						}{sp, now}
					}
				},
				"release": func(t *rapid.T) {
					k := key.Draw(t, "key")
					if err := s.Release(ctx, sla.Attempt{AttemptKey: k}); err != nil {
						t.Fatal(err)
					}
					delete(m, k)
				},
				"wait": func(t *rapid.T) {
					now = now.Add(rapid.SampledFrom([]time.Duration{time.Second, time.Hour, 11 * time.Hour, 9 * 24 * time.Hour}).Draw(t, "time"))
				},
			})
			for k := range m {
				if err := s.Release(ctx, sla.Attempt{AttemptKey: k}); err != nil {
					t.Fatal(err)
				}
			}
			if left, err := s.Spent(ctx, now, sla.BuyerSpan); err != nil || len(left.Total)+len(left.Stores)+left.Storm > 0 {
				t.Fatalf("want nothing left, got %+v %v", left, err)
			}
		})
	})
}

func TestSpentListsEachCurrency(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		for i, currency := range []sla.Currency{"USD", "EUR", "USD"} {
			sp := spend(i, 100, sla.Budget{})
			sp.Amount.Currency = currency
			must(t, s.Reserve(context.Background(), sp, c.now()))
		}
		got, err := s.Spent(context.Background(), c.now(), time.Hour)
		must(t, err)
		want := []sla.Money{{Minor: 100, Currency: "EUR"}, usd(200)}
		if diff := cmp.Diff(sla.Spent{Stores: map[sla.StoreID][]sla.Money{"AE01": want}, Total: want, Storm: 3}, got); diff != "" {
			t.Fatal(diff)
		}
	})
}
