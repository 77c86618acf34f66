package store_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

func TestEachCaseGivesEveryCaseOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		writes := cases(500, at(c.now().Add(time.Hour)))
		writes[3].Next = time.Time{}
		putAll(t, s, writes)
		got := map[sla.DisputeID]sla.CaseRecord{}
		must(t, s.EachCase(context.Background(), func(r sla.CaseRecord) error {
			if _, twice := got[r.ID]; twice {
				t.Errorf("%s came twice", r.ID)
			}
			got[r.ID] = r
			return nil
		}))
		if len(got) != len(writes) {
			t.Fatalf("want %d cases, got %d", len(writes), len(got))
		}
		for _, w := range writes {
			want := w.CaseRecord
			want.Version = 1
			if diff := cmp.Diff(want, got[w.ID]); diff != "" {
				t.Fatal(diff)
			}
		}
		stop := errors.New("enough")
		if err := s.EachCase(context.Background(), func(sla.CaseRecord) error { return stop }); !errors.Is(err, stop) {
			t.Fatalf("want the walk to end with the caller's error, got %v", err)
		}
	})
}

// spoil gives every record of a class a schema of the future, and tells how many.
func spoil(tb testing.TB, rdb redis.UniversalClient, class string) int {
	tb.Helper()
	ctx, spoilt := context.Background(), 0
	keys, err := storetest.Hand(rdb).Keys(ctx, "wk:{*}:"+class+":*").Result()
	must(tb, err)
	for _, key := range keys {
		fields, err := rdb.HGetAll(ctx, key).Result()
		must(tb, err)
		for field, value := range fields {
			must(tb, rdb.HSet(ctx, key, field, "\x63"+value[1:]).Err())
			spoilt++
		}
	}
	return spoilt
}

func TestWhatCannotBeReadStopsNothingAndStays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		putAll(t, s, []sla.CaseWrite{newCase(1, c.now())})
		spoil(t, rdb, "c")
		putAll(t, s, []sla.CaseWrite{newCase(2, c.now())})

		got, found, err := s.Cases(ctx, []sla.DisputeID{disputeID(1), disputeID(2)})
		if !errors.Is(err, store.ErrUnreadable) || found[0] || !found[1] || got[1].ID != disputeID(2) {
			t.Fatalf("want only the second with an error for the first, got %v %v", found, err)
		}
		for range 2 { // its timer goes on from lease to lease
			if due := claimAll(t, s, c.now()); len(due) != 1 {
				t.Fatalf("want the readable case, got %d", len(due))
			}
			c.advance(time.Minute)
		}
		compared, err := s.CompareCases(ctx, "AE01", []sla.Seen{{ID: disputeID(1).Native, Fingerprint: 99}})
		must(t, err)
		if compared[0].Verdict != sla.VerdictChanged || compared[0].Record.Version != 0 {
			t.Fatalf("want changed without a record, got %+v", compared[0])
		}
		results, err := s.PutCases(ctx, []sla.CaseWrite{newCase(1, c.now())})
		must(t, err)
		stats, err := s.Stats(ctx)
		must(t, err)
		if !results[0].Stale || stats.Unreadable == 0 || stats.Cases.Count != 2 || stats.Cases.Due != 2 {
			t.Fatalf("want it kept and counted, got %+v %+v", results, stats)
		}
	})
}

func TestAnEntryWithoutItsRecordIsDropped(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		putAll(t, s, cases(20, at(c.now())))
		buckets, err := storetest.Hand(rdb).Keys(ctx, "wk:{*}:c:*").Result()
		must(t, err)
		for _, key := range buckets {
			must(t, rdb.Del(ctx, key).Err())
		}
		if due := claimAll(t, s, c.now()); len(due) != 0 {
			t.Fatalf("%d entries without a record were claimed", len(due))
		}
		wantNoTimers(t, rdb, "c")
	})
}

func TestARearmedTimerLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		const n = 400
		for round := range 6 {
			writes := cases(n, func(i int) time.Time {
				return c.now().Add(time.Duration((i*7919+round*104729)%100_000) * time.Duration(1+round*round*50) * time.Millisecond)
			})
			for i := range writes {
				writes[i].Expect = uint32(round)
			}
			putAll(t, s, writes)
		}
		stats, err := s.Stats(context.Background())
		must(t, err)
		if stats.Cases.Count != n {
			t.Fatalf("want %d cases counted, got %+v", n, stats.Cases)
		}
		c.advance(1000 * time.Hour)
		due := claimAll(t, s, c.now())
		if len(due) != n {
			t.Fatalf("want each case claimed once, got %d", len(due))
		}
		ids := make([]sla.DisputeID, n)
		for i, r := range due {
			ids[i] = r.ID
		}
		must(t, s.RemoveCases(context.Background(), ids))
		wantNoTimers(t, rdb, "c")
		if left, err := storetest.Hand(rdb).Keys(context.Background(), "wk:{*}:c:*").Result(); err != nil || len(left) > 0 {
			t.Fatalf("records are left: %q %v", left, err)
		}
	})
}

func TestASmallLimitReachesEveryShard(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		putAll(t, s, cases(64, at(c.now())))
		claimed := map[sla.DisputeID]bool{}
		for range 64 {
			due, err := s.ClaimCases(context.Background(), c.now(), time.Hour, 1)
			must(t, err)
			if len(due) != 1 {
				t.Fatalf("want one, got %d", len(due))
			}
			claimed[due[0].ID] = true
		}
		if len(claimed) != 64 {
			t.Fatalf("want all 64, got %d", len(claimed))
		}
	})
}

func shipment(i int, next time.Time) sla.ShipmentWrite {
	return sla.ShipmentWrite{ShipmentRecord: sla.ShipmentRecord{Store: "AE01",
		Ref:       sla.ShipmentRef{Number: fmt.Sprintf("RB%09dCN", i), Carrier: []string{"", "3011", "china-post"}[i%3], Order: strconv.Itoa(8_123_456_789_000_000 + i)},
		Milestone: sla.MilestoneCustoms, Anomalies: sla.AnomalySet(0).With(sla.AnomalyCustomsHeld), LastEvent: epoch0, Next: next, Fingerprint: uint64(i) + 1}}
}

func TestShipmentsTakeTheSameRoad(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		var writes []sla.ShipmentWrite
		var rows []sla.Seen
		var refs []sla.ShipmentRef
		for i := range 60 {
			w := shipment(i, c.now())
			writes, refs = append(writes, w), append(refs, w.Ref)
			rows = append(rows, sla.Seen{ID: store.ShipmentID(w.Ref), Fingerprint: w.Fingerprint})
		}
		_, err := s.PutShipments(ctx, writes)
		must(t, err)
		rows[5].Fingerprint++
		compared, err := s.CompareShipments(ctx, "AE01", rows)
		must(t, err)
		got, found, err := s.Shipments(ctx, "AE01", refs)
		must(t, err)
		for i, w := range writes {
			want := w.ShipmentRecord
			want.Version = 1
			if diff := cmp.Diff(want, got[i]); diff != "" || !found[i] {
				t.Fatal(i, found[i], diff)
			}
			if wantVerdict := map[bool]sla.Verdict{true: sla.VerdictChanged, false: sla.VerdictUnchanged}[i == 5]; compared[i].Verdict != wantVerdict {
				t.Fatalf("row %d: want %d, got %d", i, wantVerdict, compared[i].Verdict)
			}
		}
		due, err := s.ClaimShipments(ctx, c.now(), time.Minute, 100)
		must(t, err)
		count := 0
		must(t, s.EachShipment(ctx, func(sla.ShipmentRecord) error { count++; return nil }))
		if len(due) != 60 || count != 60 {
			t.Fatalf("want 60 claimed and walked, got %d and %d", len(due), count)
		}
		must(t, s.RemoveShipments(ctx, "AE01", refs))
		wantNoTimers(t, rdb, "s")
		bad := shipment(1, c.now())
		bad.Ref.Number = "A:B"
		if _, err := s.PutShipments(ctx, []sla.ShipmentWrite{bad}); !errors.Is(err, store.ErrBadNumber) {
			t.Fatalf("want a number with a colon refused, got %v", err)
		}
	})
}

func TestFeedsKeepTheirCursorAndTimer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		want := sla.FeedRecord{ID: "AE01/disputes", Store: "AE01", Next: c.now()}
		other := sla.FeedRecord{ID: "EB01/returns", Store: "EB01", Next: c.now().Add(time.Hour)}
		must(t, s.EnsureFeeds(ctx, []sla.FeedRecord{want, other}))
		claimed, err := s.ClaimFeeds(ctx, c.now(), time.Minute, 10)
		must(t, err)
		want.Version = 1
		if diff := cmp.Diff([]sla.FeedRecord{want}, claimed); diff != "" {
			t.Fatal(diff)
		}
		want.Cursor, want.Next, want.LastTry, want.LastSuccess, want.Failures = "since=2026-03-01&page=2", c.now().Add(time.Minute), c.now(), c.now(), 3
		stale, err := s.PutFeed(ctx, want)
		if must(t, err); stale {
			t.Fatal("stale")
		}
		if stale, err = s.PutFeed(ctx, want); err != nil || !stale {
			t.Fatalf("want the second write of one version stale, got %v %v", stale, err)
		}
		must(t, s.EnsureFeeds(ctx, []sla.FeedRecord{{ID: want.ID, Store: "AE01", Next: c.now()}}))
		want.Version, other.Version = 2, 1
		feeds, err := s.Feeds(ctx)
		must(t, err)
		if diff := cmp.Diff([]sla.FeedRecord{want, other}, feeds); diff != "" {
			t.Fatal(diff)
		}
		want.Cursor = strings.Repeat("é", 40_000)
		if _, err := s.PutFeed(ctx, want); !errors.Is(err, store.ErrTooLong) {
			t.Fatalf("want a cursor of 80 kB refused, got %v", err)
		}
		must(t, s.RemoveFeeds(ctx, "AE01", []string{"AE01/disputes"}))
		must(t, s.RemoveFeeds(ctx, "EB01", []string{"EB01/returns"}))
		_, err = s.ClaimFeeds(ctx, c.now().Add(10*time.Hour), time.Minute, 10)
		must(t, err)
		wantNoTimers(t, rdb, "f")
	})
}
