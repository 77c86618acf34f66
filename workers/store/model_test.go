package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
)

// A model is what a plain map says of timers.
type model struct {
	due     map[int]time.Time
	version map[int]uint32
}

// write arms, moves or stops the timers of some cases, near and far.
func (m *model) write(t *rapid.T, s *store.Store, now time.Time) {
	var writes []sla.CaseWrite
	seen := map[int]bool{}
	for range rapid.IntRange(1, 8).Draw(t, "writes") {
		i := rapid.IntRange(0, 20).Draw(t, "case")
		if seen[i] {
			continue
		}
		seen[i] = true
		ahead := rapid.SampledFrom([]time.Duration{0, time.Millisecond, time.Second, time.Minute, time.Hour, 10 * time.Hour, 1000 * time.Hour}).Draw(t, "ahead")
		next := now.Add(ahead * time.Duration(rapid.IntRange(0, 9).Draw(t, "times")))
		if rapid.IntRange(0, 9).Draw(t, "stop") == 0 {
			next = time.Time{}
		}
		w := newCase(i, next)
		w.Expect = m.version[i]
		m.version[i]++
		m.due[i] = next
		writes = append(writes, w)
	}
	results, err := s.PutCases(context.Background(), writes)
	for i, r := range results {
		if err != nil || r.Stale {
			t.Fatalf("write of %s: %+v %v", writes[i].ID, r, err)
		}
	}
}

// claim takes what is due, in small bites, and checks it against the map.
func (m *model) claim(t *rapid.T, s *store.Store, now time.Time) {
	lease := rapid.SampledFrom([]time.Duration{time.Millisecond, time.Minute, 3 * time.Hour}).Draw(t, "lease")
	limit := rapid.IntRange(1, 20).Draw(t, "limit")
	got := map[sla.DisputeID]bool{}
	for {
		claimed, err := s.ClaimCases(context.Background(), now, lease, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range claimed {
			got[r.ID] = true
		}
		if len(claimed) < limit {
			break
		}
	}
	for i, due := range m.due {
		want := !due.IsZero() && !due.After(now)
		if got[disputeID(i)] != want {
			t.Fatalf("case %d due at %s, now %s: want claimed %v", i, due, now, want)
		}
		delete(got, disputeID(i))
		if want {
			m.due[i] = now.Add(lease)
		}
	}
	if len(got) > 0 {
		t.Fatalf("claimed without a timer: %v", got)
	}
}

func TestClaimsAreNeitherEarlyNorLateWhateverHappenedBefore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ids := make([]sla.DisputeID, 21)
		for i := range ids {
			ids[i] = disputeID(i)
		}
		rapid.Check(t, func(t *rapid.T) {
			if err := s.RemoveCases(context.Background(), ids); err != nil {
				t.Fatal(err)
			}
			m := &model{due: map[int]time.Time{}, version: map[int]uint32{}}
			t.Repeat(map[string]func(*rapid.T){
				"write": func(t *rapid.T) { m.write(t, s, c.now()) },
				"claim": func(t *rapid.T) { m.claim(t, s, c.now()) },
				"wait": func(t *rapid.T) {
					unit := rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, time.Hour}).Draw(t, "unit")
					c.advance(unit * time.Duration(rapid.IntRange(1, 50).Draw(t, "units")))
				},
			})
		})
		must(t, s.RemoveCases(context.Background(), ids))
		claimAll(t, s, c.now().Add(100_000*time.Hour))
		wantNoTimers(t, rdb, "c")
	})
}
