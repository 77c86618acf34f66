package store_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
)

func TestAnAllowanceIsSharedAndNeverExceeded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		other, err := store.Open(ctx, rdb, store.Options{Now: c.now, Stores: testStores})
		must(t, err)
		take := func(from *store.Store) time.Duration {
			wait, err := from.Take(ctx, "app", 5, time.Second)
			must(t, err)
			return wait
		}
		for i := range 5 {
			if wait := take([]*store.Store{s, other}[i%2]); wait != 0 {
				t.Fatalf("call %d of 5 has to wait %s", i, wait)
			}
		}
		if wait := take(other); wait != 200*time.Millisecond {
			t.Fatalf("want to wait for the next of 5 a second, got %s", wait)
		}
		c.advance(200 * time.Millisecond)
		if first, second := take(s), take(other); first != 0 || second != 800*time.Millisecond {
			t.Fatalf("want one more call after the wait, and the next one refused to come four calls after him, got %s and %s", first, second)
		}
		if wait, err := s.Take(ctx, "another app", 1, time.Hour); err != nil || wait != 0 {
			t.Fatalf("want other allowances untouched, got %s %v", wait, err)
		}
		if _, err := s.Take(ctx, "app", 0, time.Second); err == nil {
			t.Fatal("a rate of nothing was accepted")
		}
	})
}

// Forty want to answer at once, which takes each of them three calls one after the other, at five a second.
func TestWhoIsRefusedFindsHisCallsWhenHeComes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		start, refused := c.now(), 0
		come, made := make([]time.Time, 40), make([]int, 40)
		for left := len(come); left > 0; c.advance(10 * time.Millisecond) {
			for i := range come {
				for made[i] < 3 && !come[i].After(c.now()) {
					wait, err := s.Take(context.Background(), "app", 5, time.Second)
					must(t, err)
					if wait > 0 {
						refused++
						come[i] = c.now().Add(wait)
					} else if made[i]++; made[i] == 3 {
						left--
					}
				}
			}
		}
		if took := c.now().Sub(start); took > 40*time.Second || refused > 100 {
			t.Errorf("want 40 answers within 40s, and hardly any refused twice, got %s and %d refusals", took, refused)
		}
	})
}

// A feed is read again, of which nobody sees the end, while answers come: it takes every call that is left and never the last of a burst.
func TestWhoMakesManyCallsLeavesRoomAndLosesNone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx, made, come, start := context.Background(), 0, c.now(), c.now()
		for ; c.now().Sub(start) < 20*time.Second; c.advance(50 * time.Millisecond) {
			for !come.After(c.now()) {
				wait, err := s.TakeInBulk(ctx, "app", 6, time.Second, false)
				must(t, err)
				if made++; wait > 0 {
					made--
					come = c.now().Add(wait)
				}
			}
			if c.now().Sub(start)%time.Second != 0 {
				continue
			}
			for i := range 3 {
				if wait, err := s.Take(ctx, "app", 6, time.Second); err != nil || wait != 0 {
					t.Fatalf("call %d of an answer after %s has to wait %s (%v)", i, c.now().Sub(start), wait, err)
				}
			}
		}
		if made < 50 || made > 63 {
			t.Errorf("made %d calls in 20s beside 60 of answers, at six a second: want nearly sixty", made)
		}
		for i, want := range []time.Duration{0, 0, 0, 500 * time.Millisecond} {
			wait, err := s.TakeInBulk(ctx, "burst", 6, time.Second, false)
			if must(t, err); (wait - want).Abs() > time.Millisecond {
				t.Errorf("call %d of a burst: want a wait of %s, until all of it is free again, got %s", i, want, wait)
			}
		}
		if wait, err := s.TakeInBulk(ctx, "slow", 1, time.Hour, false); err != nil || wait != 0 {
			t.Errorf("one call an hour: want it, got a wait of %s (%v)", wait, err)
		}
	})
}

// Answers may want all calls there are. A share of them is for a list all the same, where it has one: as soon as others come, and also when it comes
// seldom and takes some at a time.
func TestAShareIsHadWhereOthersTakeAll(t *testing.T) {
	t.Parallel()
	for share, want := range map[bool][2]int{false: {0, 6}, true: {36, 45}} {
		each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
			key := fmt.Sprint("app ", share)
			all := func(take func() (time.Duration, error)) (n int) {
				for ; ; n++ {
					if wait, err := take(); err != nil || wait > 0 {
						must(t, err)
						return n
					}
				}
			}
			list := func() int {
				return all(func() (time.Duration, error) { return s.TakeInBulk(context.Background(), key, 6, time.Second, share) })
			}
			rest := func() int {
				return all(func() (time.Duration, error) { return s.Take(context.Background(), key, 6, time.Second) })
			}
			const step, comes = 50 * time.Millisecond, 12 // the list, each 600 ms
			alone, bulk, others := 0, 0, 0
			for i := range 1200 + 400 { // a minute of its own, and 20 s beside answers
				if i%comes == 0 && i < 1200 {
					alone += list()
				} else if i%comes == 0 {
					bulk += list()
				}
				if i >= 1200 {
					others += rest()
				}
				c.advance(step)
			}
			if bulk < want[0] || bulk > want[1] || bulk+others < 115 || bulk+others > 127 || alone < 250 {
				t.Errorf("share %t: want %d to %d calls of 120 for the list, got %d beside %d, after %d of its own", share, want[0], want[1], bulk, others, alone)
			}
		})
	}
}

func TestAWaitIsAlwaysLongEnough(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		n := 0
		rapid.Check(t, func(t *rapid.T) {
			n++
			key, rate := fmt.Sprint("app ", n), rapid.IntRange(1, 12).Draw(t, "rate")
			per := time.Duration(rapid.Int64Range(1, int64(time.Hour/time.Millisecond)).Draw(t, "per")) * time.Millisecond
			for range 2 * rate {
				wait, err := s.Take(context.Background(), key, rate, per)
				if err != nil {
					t.Fatal(err)
				}
				if wait == 0 {
					continue
				}
				c.advance(wait)
				if again, err := s.Take(context.Background(), key, rate, per); err != nil || again > time.Microsecond {
					t.Fatalf("after a wait of %s: another %s, %v", wait, again, err)
				}
			}
		})
	})
}

func TestACredentialIsSavedByOneRefresherOnly(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx := context.Background()
		blob, version, err := s.Load(ctx, "AE01")
		if must(t, err); blob != nil || version != 0 {
			t.Fatalf("want nothing, got %d bytes at %d", len(blob), version)
		}
		save := func(blob string, at int64) (int64, bool) {
			v, ok, err := s.Save(ctx, "AE01", []byte(blob), at)
			must(t, err)
			return v, ok
		}
		if v, ok := save("one\x00", 0); v != 1 || !ok {
			t.Fatalf("want version 1, got %d %v", v, ok)
		}
		if v, ok := save("late", 0); v != 0 || ok {
			t.Fatalf("want a late save refused, got %d %v", v, ok)
		}
		if v, ok := save("two", 1); v != 2 || !ok {
			t.Fatalf("want version 2, got %d %v", v, ok)
		}
		blob, version, err = s.Load(ctx, "AE01")
		if must(t, err); string(blob) != "two" || version != 2 {
			t.Fatalf("want two at 2, got %q at %d", blob, version)
		}
		lock := func(owner string) bool {
			ok, err := s.Lock(ctx, "AE01", owner, time.Minute)
			must(t, err)
			return ok
		}
		if !lock("a") || lock("b") || !lock("a") {
			t.Fatal("want the lock for one owner")
		}
		must(t, s.Unlock(ctx, "AE01", "b"))
		if lock("b") {
			t.Fatal("a stranger unlocked it")
		}
		c.advance(time.Minute)
		if !lock("b") {
			t.Fatal("a lock that ran out was not given on")
		}
		must(t, s.Unlock(ctx, "AE01", "a"))
		must(t, s.Unlock(ctx, "AE01", "b"))
		if !lock("c") {
			t.Fatal("an unlocked lock was not given on")
		}
	})
}

func TestRejectsAreCappedAndNewestFirst(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx := context.Background()
		const n = 14_000
		for i := 0; i < n; i += 1000 {
			page := make([]sla.Rejected, 1000)
			for j := range page {
				page[j] = sla.Rejected{Store: "AE01", Feed: "disputes", ID: strconv.Itoa(i + j), Raw: make([]byte, 10), Reason: "not json"}
			}
			must(t, s.Reject(ctx, page))
		}
		c.advance(time.Second)
		must(t, s.Reject(ctx, []sla.Rejected{{Store: "EB01", Feed: "returns", ID: "last", Raw: make([]byte, 10_000), Reason: "half a record"}}))
		must(t, s.Reject(ctx, nil))
		all, err := s.Rejects(ctx, 2*n)
		must(t, err)
		if len(all) < 9_000 || len(all) > 11_500 {
			t.Fatalf("want about 10,000 kept, got %d", len(all))
		}
		first, err := s.Rejects(ctx, 1)
		must(t, err)
		if len(first) != 1 || first[0].ID != "last" || len(first[0].Raw) != 4096 || first[0].Store != "EB01" || !first[0].At.Equal(c.now()) {
			t.Fatalf("want the newest, cut, got %s of %d bytes at %s", first[0].ID, len(first[0].Raw), first[0].At)
		}
	})
}

func TestAuditLinesAreFoundByDispute(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx := context.Background()
		for i := range 40 {
			must(t, s.Audit(ctx, disputeID(i%4), fmt.Appendf(nil, "line %d", i)))
			c.advance(time.Second)
		}
		of, err := s.AuditsOf(ctx, disputeID(3), 2)
		must(t, err)
		if len(of) != 2 || string(of[0].Line) != "line 39" || string(of[1].Line) != "line 35" || of[0].ID != disputeID(3).String() {
			t.Fatalf("want the two newest of the dispute, got %+v", of)
		}
		all, err := s.Audits(ctx, 100)
		must(t, err)
		if len(all) != 40 {
			t.Fatalf("want all lines, got %d", len(all))
		}
	})
}

func TestStatsTellTheBacklog(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		putAll(t, s, cases(200, func(i int) time.Time { return c.now().Add(time.Duration(i-49) * time.Minute) }))
		stats, err := s.Stats(context.Background())
		must(t, err)
		if stats.Cases.Count != 200 || stats.Cases.Due != 50 || stats.Cases.Oldest.After(c.now().Add(-49*time.Minute)) {
			t.Fatalf("want 200 cases, 50 due, the oldest 49 minutes late; got %+v", stats.Cases)
		}
		must(t, s.Ping(context.Background()))
	})
}
