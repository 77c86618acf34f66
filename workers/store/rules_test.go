package store_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

func TestReplicasThatObeyOtherRulesAreSeenWhileTheyLive(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		versions := func(want int) {
			t.Helper()
			if n, err := s.RulesVersions(ctx, c.now(), 2*time.Minute); err != nil || n != want {
				t.Fatalf("want %d versions, got %d (%v)", want, n, err)
			}
		}
		versions(0)
		for _, process := range []string{"a", "b", "c"} {
			must(t, s.NoteRules(ctx, process, "0123456789ab", c.now()))
		}
		versions(1)
		must(t, s.NoteRules(ctx, "c", "ba9876543210", c.now()))
		versions(2)
		c.advance(2 * time.Minute)
		must(t, s.NoteRules(ctx, "a", "0123456789ab", c.now()))
		versions(2)
		c.advance(time.Millisecond) // c was last heard of two minutes ago
		versions(1)
		c.advance(store.RulesKept)
		must(t, s.NoteRules(ctx, "a", "0123456789ab", c.now()))
		if kept := storetest.Hand(rdb).HKeys(ctx, "wk:{00}:rules").Val(); len(kept) != 1 || kept[0] != "a" {
			t.Fatalf("want the silent ones forgotten, got %v", kept)
		}
	})
}

func TestByWhichClocksCasesAreArmedIsRemembered(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, _ *clock, _ redis.UniversalClient) {
		ctx := context.Background()
		if behind, err := s.Behind(ctx); err != nil || behind == nil || len(behind) != 0 {
			t.Fatalf("want nothing known, got %v (%v)", behind, err)
		}
		must(t, s.SetBehind(ctx, map[sla.StoreID]time.Duration{"AE01": -72 * time.Hour, "EB01": 0}))
		must(t, s.SetBehind(ctx, map[sla.StoreID]time.Duration{"EB01": 1500 * time.Millisecond}))
		want := map[sla.StoreID]time.Duration{"AE01": -72 * time.Hour, "EB01": 1500 * time.Millisecond}
		if behind, err := s.Behind(ctx); err != nil || !maps.Equal(behind, want) {
			t.Errorf("want %v, got %v (%v)", want, behind, err)
		}
	})
}
