package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

func TestAKillSwitchStopsWhatItCoversInEveryReplicaAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		other, err := store.Open(ctx, rdb, store.Options{Now: c.now, Stores: testStores})
		must(t, err)
		for i, scope := range []sla.KillScope{
			{}, {Platform: "aliexpress"}, {Store: "AE01"}, {Reason: sla.ReasonNotReceived},
			{Platform: "aliexpress", Store: "AE01"}, {Platform: "aliexpress", Reason: sla.ReasonNotReceived},
			{Store: "AE01", Reason: sla.ReasonNotReceived}, {Platform: "aliexpress", Store: "AE01", Reason: sla.ReasonNotReceived},
			{Platform: "ebay"}, {Store: "EB01"}, {Reason: sla.ReasonDamaged}, {Store: "AE01", Reason: sla.ReasonDamaged},
			{Platform: "ebay", Store: "AE01", Reason: sla.ReasonNotReceived},
		} {
			key := sla.AttemptKey{Dispute: disputeID(i), Turn: 1}
			a, err := s.ClaimAttempt(ctx, key, c.now(), time.Minute)
			must(t, err)
			a.Dispute.Platform = "" // the store implies it
			must(t, s.SetKill(ctx, scope, true, "ops: wrong prices", c.now()))
			_, err = other.RecordIntent(ctx, intent(a, c.now(), c.now()))
			if covers := scope.Covers("aliexpress", "AE01", sla.ReasonNotReceived); covers {
				wantErr(t, err, sla.ErrKilled)
			} else {
				must(t, err)
			}
			if covers := scope.Covers("aliexpress", "AE01", sla.ReasonNotReceived); covers {
				wantErr(t, other.CheckKill(ctx, "aliexpress", "AE01", sla.ReasonNotReceived), sla.ErrKilled)
			} else {
				must(t, other.CheckKill(ctx, "aliexpress", "AE01", sla.ReasonNotReceived))
			}
			kills, err := other.Kills(ctx)
			must(t, err)
			if diff := cmp.Diff([]sla.KillSwitch{{KillScope: scope, Since: c.now(), Note: "ops: wrong prices"}}, kills); diff != "" {
				t.Fatal(diff)
			}
			must(t, other.SetKill(ctx, scope, false, "ops: mended", c.now()))
			if scope.Covers("aliexpress", "AE01", sla.ReasonNotReceived) {
				_, err = s.RecordIntent(ctx, intent(a, c.now(), c.now()))
				must(t, err) // the claim is as it was
			}
			c.advance(time.Second)
		}
		if kills, err := s.Kills(ctx); err != nil || len(kills) > 0 {
			t.Fatalf("want every switch off, got %+v %v", kills, err)
		}
	})
}

func TestMendingBringsSwitchesBackToAShardThatLostThem(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		on, off := sla.KillScope{Store: "AE01"}, sla.KillScope{Store: "EB01"}
		must(t, s.SetKill(ctx, on, true, "a", c.now()))
		must(t, s.SetKill(ctx, off, true, "b", c.now()))
		missed, err := rdb.HGetAll(ctx, "wk:{01}:kill").Result()
		must(t, err)
		must(t, s.SetKill(ctx, off, false, "c", c.now().Add(-time.Hour))) // a clock that is late takes it back all the same
		must(t, rdb.Del(ctx, "wk:{00}:kill").Err())
		must(t, rdb.HSet(ctx, "wk:{01}:kill", missed).Err())
		if kills, err := s.Kills(ctx); err != nil || len(kills) != 2 {
			t.Fatalf("want what is on in any shard, got %+v %v", kills, err)
		}
		wantMended := func(by *store.Store, want int) {
			t.Helper()
			if n, err := by.MendKills(ctx); err != nil || n != want {
				t.Fatalf("want %d mended, got %d %v", want, n, err)
			}
			if kills, err := by.Kills(ctx); err != nil || len(kills) != 1 || kills[0].KillScope != on || kills[0].Note != "a" {
				t.Fatalf("want the one switch on, got %+v %v", kills, err)
			}
		}
		fresh, err := store.Open(ctx, rdb, store.Options{Now: c.now, Stores: testStores})
		must(t, err)
		wantMended(fresh, 3)
		wantMended(s, 0)
		must(t, storetest.Hand(rdb).FlushAll(ctx).Err())
		wantErr(t, fresh.CheckKill(ctx, "aliexpress", "AE01", sla.ReasonUnknown), sla.ErrKilled) // it has seen the switch, and no word that takes it back
		must(t, fresh.CheckKill(ctx, "ebay", "EB01", sla.ReasonUnknown))
		_, err = fresh.CheckEpoch(ctx, c.now())
		must(t, err)
		wantMended(fresh, 2*fresh.Shards()) // a process remembers what it has seen
		a, err := s.ClaimAttempt(ctx, slot(), c.now(), time.Hour)
		must(t, err)
		c.advance(store.DefaultSettle)
		_, err = s.RecordIntent(ctx, intent(a, c.now(), c.now()))
		wantErr(t, err, sla.ErrKilled)
	})
}

func TestASwitchOfANewerVersionStopsAllThatItMayMeanAndHidesNoOther(t *testing.T) {
	t.Parallel()
	for field, covers := range map[string]bool{
		"aliexpress/AE01/slow_parcel": true, "//slow_parcel": true, "/AE01/slow_parcel": true, "aliexpress//": true, "/AE01/damaged/BR": true, "everything": true,
		"ebay//slow_parcel": false, "/EB01/slow_parcel": false, "aliexpress/EB01/slow_parcel": false, "/AE01/damaged": false,
	} {
		each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
			ctx := context.Background()
			a, err := s.ClaimAttempt(ctx, slot(), c.now(), time.Minute)
			must(t, err)
			must(t, s.SetKill(ctx, sla.KillScope{Store: "EB02"}, true, "ops", c.now()))
			for i := range s.Shards() {
				must(t, rdb.HSet(ctx, fmt.Sprintf("wk:{%02d}:kill", i), field, "1 1700000000000 ops: newer").Err())
			}
			reads := field == "aliexpress//" || field == "/AE01/damaged"
			kills, err := s.Kills(ctx)
			if len(kills) != 1+map[bool]int{true: 1}[reads] || reads != (err == nil) || !reads && !errors.Is(err, store.ErrUnreadable) {
				t.Errorf("%s: want what can be read listed, got %+v (%v)", field, kills, err)
			}
			stats, err := s.Stats(ctx)
			if must(t, err); (stats.Unreadable == 0) != reads {
				t.Errorf("%s: %d counted as unreadable", field, stats.Unreadable)
			}
			_, err = s.RecordIntent(ctx, intent(a, c.now(), c.now()))
			if brake := s.CheckKill(ctx, "aliexpress", "AE01", sla.ReasonNotReceived); covers {
				wantErr(t, err, sla.ErrKilled)
				wantErr(t, brake, sla.ErrKilled)
			} else {
				must(t, err)
				must(t, brake)
			}
		})
	}
}

func TestTheNoteOfASwitchIsClipped(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		must(t, s.SetKill(context.Background(), sla.KillScope{}, true, strings.Repeat("é", 400)+" ", c.now()))
		kills, err := s.Kills(context.Background())
		if must(t, err); len(kills) != 1 || kills[0].Note != strings.Repeat("é", 250) {
			t.Fatalf("want 500 bytes, got %+v", kills)
		}
	})
}

func TestMoneySwitchesAndClaimsWorkOnACluster(t *testing.T) {
	t.Parallel()
	ctx, c := context.Background(), newClock()
	s := open(t, storetest.StartCluster(t), c)
	must(t, s.Reserve(ctx, spend(1, 10, sla.Budget{Total: usd(10)}), c.now()))
	wantErr(t, s.Reserve(ctx, spend(2, 1, sla.Budget{Total: usd(10)}), c.now()), sla.ErrBudget)
	must(t, s.Release(ctx, sla.Attempt{AttemptKey: spend(1, 10, sla.Budget{}).Key, Token: 10}))
	must(t, s.SetKill(ctx, sla.KillScope{}, true, "", c.now()))
	a, err := s.ClaimAttempt(ctx, slot(), c.now(), time.Minute)
	must(t, err)
	_, err = s.RecordIntent(ctx, intent(a, c.now(), c.now()))
	wantErr(t, err, sla.ErrKilled)
	n, err := s.MendKills(ctx)
	must(t, err)
	kills, err := s.Kills(ctx)
	must(t, err)
	must(t, s.NoteClaims(ctx, []sla.BuyerClaim{{Buyer: 1, Dispute: disputeID(1), Opened: c.now()}, {Buyer: 2, Dispute: disputeID(2), Opened: c.now()}}))
	claims, err := s.Claims(ctx, 2, c.now())
	must(t, err)
	putAll(t, s, []sla.CaseWrite{newCase(1, c.now())})
	must(t, s.Approve(ctx, disputeID(1), newCase(1, c.now()).Obligation.Turn, yes("", c.now())))
	lines := 0
	must(t, s.EachAudit(ctx, time.Time{}, func(store.AuditLine) error { lines++; return nil }))
	if n != 0 || len(kills) != 1 || claims != 1 || lines != 1 {
		t.Fatalf("want nothing to mend, one switch, one claim and one line, got %d %v %d %d", n, kills, claims, lines)
	}
}
