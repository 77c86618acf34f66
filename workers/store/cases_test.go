package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

// each opens a store on both servers.
func each(t *testing.T, test func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		c := newClock()
		test(t, open(t, rdb, c), c, rdb)
	})
}

func seen(writes []sla.CaseWrite) []sla.Seen {
	rows := make([]sla.Seen, len(writes))
	for i, w := range writes {
		rows[i] = sla.Seen{ID: w.ID.Native, Fingerprint: w.Fingerprint}
	}
	return rows
}

// claimAll claims until nothing is due.
func claimAll(tb testing.TB, s *store.Store, now time.Time) []sla.CaseRecord {
	tb.Helper()
	var out []sla.CaseRecord
	for {
		due, err := s.ClaimCases(context.Background(), now, time.Minute, 100)
		must(tb, err)
		out = append(out, due...)
		if len(due) < 100 {
			return out
		}
	}
}

// wantNoTimers checks that nothing of a class's timers is left.
func wantNoTimers(tb testing.TB, rdb redis.UniversalClient, class string) {
	tb.Helper()
	keys, err := storetest.Hand(rdb).Keys(context.Background(), "wk:{*}:"+class+"d*").Result()
	must(tb, err)
	if len(keys) > 0 {
		tb.Fatalf("timers are left: %q", keys)
	}
}

func TestRowsAreNewThenUnchangedThenChanged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx := context.Background()
		writes := cases(50, at(c.now().Add(time.Hour)))
		verdicts := func(rows []sla.Seen) map[sla.Verdict]int {
			out, err := s.CompareCases(ctx, "AE01", rows)
			must(t, err)
			count := map[sla.Verdict]int{}
			for i, o := range out {
				count[o.Verdict]++
				if o.Verdict == sla.VerdictChanged {
					want := writes[i].CaseRecord
					want.Version = 1
					if diff := cmp.Diff(want, o.Record); diff != "" {
						t.Error(diff)
					}
				}
			}
			return count
		}
		if got := verdicts(seen(writes)); got[sla.VerdictNew] != 50 {
			t.Fatalf("want 50 new, got %v", got)
		}
		putAll(t, s, writes)
		if got := verdicts(seen(writes)); got[sla.VerdictUnchanged] != 50 {
			t.Fatalf("want 50 unchanged, got %v", got)
		}
		rows := seen(writes)
		rows[7].Fingerprint++
		if got := verdicts(rows); got[sla.VerdictChanged] != 1 || got[sla.VerdictUnchanged] != 49 {
			t.Fatalf("want one changed, got %v", got)
		}
		if _, err := s.CompareCases(ctx, "NOBODY", rows); !errors.Is(err, store.ErrUnknownStore) {
			t.Fatalf("want an unknown store, got %v", err)
		}
	})
}

func TestAStaleWriteChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		first := newCase(1, c.now().Add(time.Hour))
		putAll(t, s, []sla.CaseWrite{first})
		late := newCase(1, c.now().Add(time.Minute))
		late.Reason = sla.ReasonDamaged
		results, err := s.PutCases(ctx, []sla.CaseWrite{late, newCase(2, time.Time{})})
		must(t, err)
		if want := []sla.PutResult{{Stale: true}, {Version: 1}}; !cmp.Equal(want, results) {
			t.Fatalf("want %+v, got %+v", want, results)
		}
		got, found, err := s.Cases(ctx, []sla.DisputeID{disputeID(1), disputeID(3)})
		must(t, err)
		want := first.CaseRecord
		want.Version = 1
		if diff := cmp.Diff(want, got[0]); diff != "" || !found[0] || found[1] {
			t.Fatal(found, diff)
		}
		late.Expect = 1
		putAll(t, s, []sla.CaseWrite{late})
		late.Expect = 7 // the record is lost: whoever still knows it may write it
		must(t, s.RemoveCases(ctx, []sla.DisputeID{disputeID(1), disputeID(2)}))
		wantNoTimers(t, rdb, "s")
		putAll(t, s, []sla.CaseWrite{late})
	})
}

func TestOnlyOneOfManyWritersWins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		putAll(t, s, []sla.CaseWrite{newCase(1, c.now())})
		var wg sync.WaitGroup
		won := make([]bool, 16)
		for i := range won {
			wg.Go(func() {
				w := newCase(1, c.now().Add(time.Duration(i)*time.Minute))
				w.Expect = 1
				results, err := s.PutCases(context.Background(), []sla.CaseWrite{w})
				if err != nil {
					t.Error(err)
					return
				}
				won[i] = !results[0].Stale
			})
		}
		wg.Wait()
		winners := 0
		for _, w := range won {
			if w {
				winners++
			}
		}
		if winners != 1 {
			t.Fatalf("want one winner, got %d", winners)
		}
	})
}

func TestNothingIsClaimedEarly(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		due := c.now().Add(time.Hour + 500*time.Microsecond)
		putAll(t, s, cases(300, func(i int) time.Time { return due.Add(time.Duration(i%3) * time.Hour) }))
		if early := claimAll(t, s, due.Add(-time.Microsecond)); len(early) > 0 {
			t.Fatalf("%d claimed early", len(early))
		}
		first := claimAll(t, s, due.Add(time.Millisecond))
		if len(first) != 100 {
			t.Fatalf("want the 100 that are due, got %d", len(first))
		}
		for _, r := range first {
			if r.Next.Before(due) || r.Next.Sub(due) > time.Millisecond {
				t.Fatalf("want due at %s, got %s", due, r.Next)
			}
		}
		if rest := claimAll(t, s, due.Add(100*time.Hour)); len(rest) != 300 {
			t.Fatalf("want all 300 after the lease, got %d", len(rest))
		}
		must(t, s.EachCase(context.Background(), func(r sla.CaseRecord) error {
			return s.RemoveCases(context.Background(), []sla.DisputeID{r.ID})
		}))
		if again := claimAll(t, s, due.Add(1000*time.Hour)); len(again) != 0 {
			t.Fatalf("%d claimed after they were removed", len(again))
		}
		wantNoTimers(t, rdb, "c")
	})
}

func TestConcurrentClaimersShareTheWorkOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		const n = 600
		putAll(t, s, cases(n, func(i int) time.Time { return c.now().Add(-time.Duration(i) * time.Second) }))
		var mu sync.Mutex
		claimed := map[sla.DisputeID]int{}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					due, err := s.ClaimCases(context.Background(), c.now(), time.Minute, 37)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					for _, r := range due {
						claimed[r.ID]++
					}
					mu.Unlock()
					if len(due) < 37 {
						return
					}
				}
			})
		}
		wg.Wait()
		if len(claimed) != n {
			t.Fatalf("want %d claimed, got %d", n, len(claimed))
		}
		for id, times := range claimed {
			if times != 1 {
				t.Fatalf("%s was claimed %d times", id, times)
			}
		}
	})
}

func TestAClaimComesBackAfterItsLease(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		putAll(t, s, cases(150, at(c.now())))
		due := claimAll(t, s, c.now())
		if again := claimAll(t, s, c.now().Add(time.Minute-time.Millisecond)); len(due) != 150 || len(again) != 0 {
			t.Fatalf("want 150 and then none within the lease, got %d and %d", len(due), len(again))
		}
		c.advance(time.Minute)
		due = claimAll(t, s, c.now())
		if len(due) != 150 {
			t.Fatalf("want all 150 back after the lease, got %d", len(due))
		}
		moves := make([]sla.Rearm, len(due))
		for i, r := range due {
			moves[i] = sla.Rearm{ID: r.ID, Version: r.Version}
		}
		moves[0].Version++
		moved, err := s.RearmCases(ctx, moves)
		must(t, err)
		if moved[0] || !moved[1] {
			t.Fatalf("want only the stale one refused, got %v", moved[:2])
		}
		if left := claimAll(t, s, c.now().Add(time.Hour)); len(left) != 1 || left[0].ID != moves[0].ID {
			t.Fatalf("want the refused one only, got %v", left)
		}
		must(t, s.RemoveCases(ctx, []sla.DisputeID{moves[0].ID}))
		wantNoTimers(t, rdb, "c")
	})
}
