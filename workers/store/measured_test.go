package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
)

func TestMeasurementsAreSharedWhileTheirProcessLives(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		want := func(except string, want map[sla.Platform]sla.Measured) {
			t.Helper()
			got, err := s.Measured(ctx, except, c.now())
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Fatalf("%v (-want +got):\n%s", err, diff)
			}
		}
		a := sla.Measured{Known: true, Latency: time.Second, Allowances: map[string]sla.Allowance{"one": {Owed: []sla.Owed{{Case: 4, By: 1772348400, Seen: 1772348400001}}}}}
		b := sla.Measured{Skew: time.Minute, Allowances: map[string]sla.Allowance{"one": {Every: time.Second, Owed: []sla.Owed{{Case: 2, Seen: 7, Done: true}, {Case: 6, By: 9}}}}}
		must(t, s.NoteMeasured(ctx, "a", map[sla.Platform]sla.Measured{"ebay": a}, c.now()))
		must(t, s.NoteMeasured(ctx, "b", map[sla.Platform]sla.Measured{"ebay": b}, c.now()))
		must(t, rdb.HSet(ctx, "wk:{00}:measured", "newer", `{"at":"soon"}`).Err())
		want("", map[sla.Platform]sla.Measured{"ebay": a.Worse(b)})
		want("a", map[sla.Platform]sla.Measured{"ebay": (sla.Measured{}).Worse(b)})
		c.advance(store.MeasuredKept + time.Millisecond)
		must(t, s.NoteMeasured(ctx, "a", map[sla.Platform]sla.Measured{"ebay": a}, c.now()))
		want("", map[sla.Platform]sla.Measured{"ebay": (sla.Measured{}).Worse(a)})
		c.advance(store.RulesKept)
		must(t, s.NoteMeasured(ctx, "a", nil, c.now()))
		want("", map[sla.Platform]sla.Measured{})
		if rdb.HExists(ctx, "wk:{00}:measured", "b").Val() {
			t.Error("want the note of a process that has gone removed")
		}
	})
}

func TestPeopleArePagedOncePerPlatformAndHourOfAllReplicas(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		given := map[sla.Platform]time.Time{}
		want := func(p sla.Platform, want bool) {
			t.Helper()
			if want {
				given[p] = c.now().Truncate(time.Millisecond)
			}
			if last, got, err := s.ClaimPage(context.Background(), p, c.now()); got != want || !last.Truncate(time.Millisecond).Equal(given[p]) || err != nil {
				t.Errorf("%s at %s: want %t, got %t, last given at %s (%v)", p, c.now().Format(time.TimeOnly), want, got, last.Format(time.TimeOnly), err)
			}
		}
		want("ebay", true)
		want("ebay", false)
		want("paypal", true)
		c.advance(store.PagedApart - time.Millisecond)
		want("ebay", false)
		c.advance(time.Millisecond)
		want("ebay", true)
		want("ebay", false)
		must(t, rdb.HSet(context.Background(), "wk:{00}:paged", "ebay", "soon").Err())
		want("ebay", true) // rather twice than never
	})
}
