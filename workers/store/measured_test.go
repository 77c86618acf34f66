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
		must(t, s.NoteMeasured(ctx, "ahead", map[sla.Platform]sla.Measured{"ebay": {Wait: time.Hour}}, c.now().Add(store.MeasuredKept+time.Millisecond)))
		must(t, rdb.HSet(ctx, "wk:{00}:measured", "newer", `{"at":"soon"}`).Err())
		want("", map[sla.Platform]sla.Measured{"ebay": a.Worse(b)})
		want("a", map[sla.Platform]sla.Measured{"ebay": (sla.Measured{}).Worse(b)})
		must(t, rdb.HDel(ctx, "wk:{00}:measured", "ahead").Err())
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
		want := func(p sla.Platform, want bool) {
			t.Helper()
			if got, told, err := s.ClaimPage(context.Background(), p, c.now()); got != want || !told || err != nil {
				t.Errorf("%s at %s: want %t and people told, got %t, %t (%v)", p, c.now().Format(time.TimeOnly), want, got, told, err)
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
		must(t, rdb.HSet(context.Background(), "wk:{00}:paged", "ebay", c.now().Add(store.PagedApart).UnixMilli()).Err())
		want("ebay", true) // by a clock that was wrong
		must(t, rdb.HSet(context.Background(), "wk:{00}:paged", "ebay", "soon").Err())
		want("ebay", true) // rather twice than never
	})
}

// Another shortage within the hour after a page waits for the end of that hour; it is not taken for the one that people know of.
func TestAnotherShortageWithinTheHourIsPagedAfterIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		want := func(wantOurs, wantTold bool) {
			t.Helper()
			if ours, told, err := s.ClaimPage(context.Background(), "ebay", c.now()); ours != wantOurs || told != wantTold || err != nil {
				t.Errorf("want %t and %t, got %t and %t (%v)", wantOurs, wantTold, ours, told, err)
			}
		}
		must(t, s.EndPage(context.Background(), "ebay")) // of none
		want(true, true)
		for range 2 { // each replica says so
			must(t, s.EndPage(context.Background(), "ebay"))
		}
		want(false, false)
		c.advance(store.PagedApart - time.Millisecond)
		want(false, false)
		c.advance(time.Millisecond)
		want(true, true)
		want(false, true)
	})
}
