package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

func TestAnEmptyRedisIsALossOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		ctx, c := context.Background(), newClock()
		opts := store.Options{Now: c.now, Stores: testStores}
		first, err := store.Open(ctx, rdb, opts)
		must(t, err)
		epoch, err := first.CheckEpoch(ctx, c.now())
		must(t, err)
		if len(epoch.Lost) != first.Shards() || !epoch.FrozenUntil.Equal(c.now().Add(store.DefaultSettle)) {
			t.Fatalf("want every shard lost and money frozen, got %+v", epoch)
		}
		if epoch, err = first.CheckEpoch(ctx, c.now()); err != nil || len(epoch.Lost) != 0 {
			t.Fatalf("want the loss told once, got %+v %v", epoch, err)
		}
		second, err := store.Open(ctx, rdb, opts)
		must(t, err)
		epoch, err = second.CheckEpoch(ctx, c.now())
		if must(t, err); len(epoch.Lost) != 0 || epoch.FrozenUntil.IsZero() {
			t.Fatalf("want a later replica to find memory, and the freeze, got %+v", epoch)
		}
	})
}

func TestAFlushFreezesMoneyInEveryReplica(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		other, err := store.Open(ctx, rdb, store.Options{Now: c.now, Stores: testStores})
		must(t, err)
		before, err := s.ClaimAttempt(ctx, slot(), c.now(), time.Hour)
		must(t, err)
		must(t, storetest.Hand(rdb).FlushAll(ctx).Err())

		if _, err := s.RecordIntent(ctx, intent(before, c.now(), c.now())); !errors.Is(err, sla.ErrAmnesia) {
			t.Fatalf("want the loss noticed at the intent, got %v", err)
		}
		a, err := s.ClaimAttempt(ctx, slot(), c.now(), time.Hour)
		must(t, err)
		if a.Token <= before.Token {
			t.Fatalf("want tokens to grow over the loss, got %d after %d", a.Token, before.Token)
		}
		for name, replica := range map[string]*store.Store{"the one that noticed": s, "another": other} {
			epoch, err := replica.CheckEpoch(ctx, c.now())
			must(t, err)
			if len(epoch.Lost) != s.Shards() || !epoch.FrozenUntil.Equal(c.now().Add(store.DefaultSettle)) {
				t.Fatalf("%s: want every shard lost and money frozen, got %+v", name, epoch)
			}
			if _, err := replica.RecordIntent(ctx, intent(a, c.now(), c.now())); !errors.Is(err, sla.ErrFrozen) {
				t.Fatalf("%s: want money frozen, got %v", name, err)
			}
		}
		c.advance(store.DefaultSettle)
		if _, err := other.RecordIntent(ctx, intent(a, c.now(), before.Lease.Add(-time.Hour))); !errors.Is(err, sla.ErrFrozen) {
			t.Fatalf("want what must be remembered from before the loss refused for ever, got %v", err)
		}
		if _, err := other.RecordIntent(ctx, intent(a, c.now(), time.Time{})); !errors.Is(err, sla.ErrFrozen) {
			t.Fatalf("want it refused too when nobody knows since when, got %v", err)
		}
		if _, err := other.RecordIntent(ctx, intent(a, c.now(), c.now())); err != nil {
			t.Fatalf("want money to move again after the freeze, got %v", err)
		}
	})
}

// epochs is what every shard remembers of itself.
func epochs(t *testing.T, rdb redis.UniversalClient) map[string]map[string]string {
	t.Helper()
	keys, err := storetest.Hand(rdb).Keys(t.Context(), "wk:{*}:epoch").Result()
	must(t, err)
	all := map[string]map[string]string{}
	for _, key := range keys {
		all[key], err = rdb.HGetAll(t.Context(), key).Result()
		must(t, err)
	}
	return all
}

func TestARestoredOlderMemoryIsNoticed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		old := epochs(t, rdb)
		a, err := s.ClaimAttempt(ctx, slot(), c.now(), time.Hour)
		must(t, err)
		for key, fields := range old {
			must(t, rdb.HSet(ctx, key, fields).Err())
		}
		if _, err := s.RecordIntent(ctx, intent(a, c.now(), c.now())); !errors.Is(err, sla.ErrAmnesia) {
			t.Fatalf("want the missing claim noticed, got %v", err)
		}
		epoch, err := s.CheckEpoch(ctx, c.now())
		must(t, err)
		if len(epoch.Lost) != 1 {
			t.Fatalf("want the one shard with a claim lost, got %v", epoch.Lost)
		}
	})
}

// A replica that lagged becomes the master, and another process writes as much to it as was lost before the first one comes back.
func TestALossIsNoticedAlthoughOthersHaveWrittenSince(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		other, err := store.Open(ctx, rdb, store.Options{Now: c.now, Stores: testStores})
		must(t, err)
		a, err := s.ClaimAttempt(ctx, slot(), c.now(), time.Hour)
		must(t, err)
		old := epochs(t, rdb)
		a, err = s.RecordIntent(ctx, intent(a, c.now(), c.now()))
		must(t, err)
		for key, fields := range old {
			must(t, rdb.HSet(ctx, key, fields).Err())
		}
		for range 3 {
			must(t, other.Settle(ctx, a, sla.Settlement{State: sla.AttemptRefused, At: c.now()}))
			a, err = other.ClaimAttempt(ctx, slot(), c.now(), time.Hour)
			must(t, err)
			a, err = other.RecordIntent(ctx, intent(a, c.now(), c.now()))
			must(t, err)
		}
		epoch, err := other.CheckEpoch(ctx, c.now())
		if must(t, err); len(epoch.Lost) != 0 {
			t.Fatalf("want no loss where nothing is missing, got %v", epoch.Lost)
		}
		epoch, err = s.CheckEpoch(ctx, c.now())
		if must(t, err); len(epoch.Lost) != 1 || epoch.FrozenUntil.IsZero() {
			t.Fatalf("want the loss of an intent noticed, got %+v", epoch)
		}
		if _, err := other.RecordIntent(ctx, intent(a, c.now(), c.now())); !errors.Is(err, sla.ErrAmnesia) {
			t.Fatalf("want the other process to hear of it, got %v", err)
		}
	})
}

// On Cluster one node may lose its last writes alone.
func TestAFreezeIsOfTheDisputesOfTheShardThatForgot(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		for key := range epochs(t, rdb) {
			must(t, rdb.Del(ctx, key).Err())
			break
		}
		epoch, err := s.CheckEpoch(ctx, c.now())
		if must(t, err); len(epoch.Lost) != 1 || !epoch.FrozenUntil.Equal(c.now().Add(store.DefaultSettle)) {
			t.Fatalf("want one shard frozen, got %+v", epoch)
		}
		var frozen, free int
		for i := range 200 {
			a, err := s.ClaimAttempt(ctx, sla.AttemptKey{Dispute: disputeID(i), Turn: 1}, c.now(), time.Hour)
			must(t, err)
			_, err = s.RecordIntent(ctx, intent(a, c.now(), c.now()))
			switch until := s.FrozenUntil(disputeID(i)); {
			case errors.Is(err, sla.ErrFrozen) && until.Equal(epoch.FrozenUntil):
				frozen++
			case err == nil && !until.After(c.now()):
				free++
			default:
				t.Errorf("want dispute %d frozen where the ledger says so, got %v until %s", i, err, until)
			}
		}
		if frozen == 0 || free < frozen {
			t.Errorf("want the disputes of one shard frozen, got %d and %d that are not", frozen, free)
		}
	})
}

func TestAWriteNoticesALossAlthoughOthersHaveWrittenSince(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		a, err := s.ClaimAttempt(ctx, slot(), c.now(), time.Hour)
		must(t, err)
		for key, fields := range epochs(t, rdb) { // the sequence stands where it stood, or higher, and what this process was told is older
			for field := range fields {
				if len(field) == 5 {
					must(t, rdb.HIncrBy(ctx, key, field, -1).Err())
				}
			}
			must(t, rdb.HIncrBy(ctx, key, "s", 5).Err())
		}
		if _, err := s.RecordIntent(ctx, intent(a, c.now(), c.now())); !errors.Is(err, sla.ErrAmnesia) {
			t.Fatalf("want the loss noticed at the intent, got %v", err)
		}
	})
}

// A slot that another process settled tells ours the present sequence: what it was told is written down there too.
func TestASlotThatAnotherProcessSettledIsNoLoss(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		other, err := store.Open(ctx, rdb, store.Options{Now: c.now, Stores: testStores})
		must(t, err)
		a, err := other.ClaimAttempt(ctx, slot(), c.now(), time.Hour)
		must(t, err)
		a, err = other.RecordIntent(ctx, intent(a, c.now(), c.now()))
		must(t, err)
		must(t, other.Settle(ctx, a, sla.Settlement{State: sla.AttemptSettled, At: c.now()}))
		if _, err := s.ClaimAttempt(ctx, slot(), c.now(), time.Hour); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ClaimAttempt(ctx, sla.AttemptKey{Dispute: disputeID(1), Turn: 9}, c.now(), time.Hour); err != nil {
			t.Fatal(err)
		}
		epoch, err := s.CheckEpoch(ctx, c.now())
		if must(t, err); len(epoch.Lost) != 0 {
			t.Fatalf("want no loss, got %v", epoch.Lost)
		}
	})
}

// Each start of a process, and each wkctl, is told something: what is remembered of them has a bound, and nobody who lives takes that for a loss.
func TestWhoWasToldSomethingLongAgoIsForgotten(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		for i := range 200 {
			other, err := store.Open(ctx, rdb, store.Options{Now: c.now, Stores: testStores})
			must(t, err)
			_, err = other.ClaimAttempt(ctx, sla.AttemptKey{Dispute: disputeID(i), Turn: 1}, c.now(), time.Hour)
			must(t, err)
			epoch, err := s.CheckEpoch(ctx, c.now())
			if must(t, err); len(epoch.Lost) != 0 {
				t.Fatalf("want no loss after %d starts, got %v", i+1, epoch.Lost)
			}
		}
		for key, fields := range epochs(t, rdb) {
			if len(fields) > 70 {
				t.Errorf("want at most 70 fields in %s, got %d", key, len(fields))
			}
		}
	})
}

// A shard in which nothing happens tells all of them the same sequence, and there may be more who live than are remembered.
func TestWhoIsForgottenAndLivesHasLostNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		fleet := []*store.Store{s}
		for range 100 {
			other, err := store.Open(ctx, rdb, store.Options{Now: c.now, Stores: testStores})
			must(t, err)
			fleet = append(fleet, other)
		}
		for round := range 3 {
			for i, one := range fleet {
				if i%10 != round {
					continue
				}
				a, err := one.ClaimAttempt(ctx, sla.AttemptKey{Dispute: disputeID(100*round + i), Turn: 1}, c.now(), time.Hour)
				must(t, err)
				_, err = one.RecordIntent(ctx, intent(a, c.now(), c.now()))
				must(t, err)
			}
			for i, one := range fleet {
				epoch, err := one.CheckEpoch(ctx, c.now())
				if must(t, err); len(epoch.Lost) != 0 {
					t.Fatalf("want no loss in round %d for process %d, got %v", round, i, epoch.Lost)
				}
			}
		}
	})
}

func TestWritesGoOnAfterALossUnderTheNewNumbersOfStores(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		putAll(t, s, cases(30, at(c.now())))
		must(t, storetest.Hand(rdb).FlushAll(ctx).Err())
		// Another process starts first and numbers its stores from the beginning.
		foreign, err := store.Open(ctx, rdb, store.Options{Now: c.now, Stores: map[sla.StoreID]sla.Platform{"ZZ99": "paypal"}})
		must(t, err)
		w := newCase(1, c.now())
		w.ID.Store, w.ID.Platform = "ZZ99", "paypal"
		putAll(t, foreign, []sla.CaseWrite{w})

		if due := claimAll(t, s, c.now()); len(due) != 1 || due[0].ID != w.ID {
			t.Fatalf("want the other process' case under its own store, got %+v", due)
		}
		putAll(t, s, cases(30, at(c.now())))
		var got []sla.StoreID
		must(t, foreign.EachCase(ctx, func(r sla.CaseRecord) error { got = append(got, r.ID.Store); return nil }))
		slices.Sort(got)
		if len(got) != 31 || got[29] != "AE01" || got[30] != "ZZ99" {
			t.Fatalf("want 30 cases of AE01 and one of ZZ99, got %v", got)
		}
		epoch, err := s.CheckEpoch(ctx, c.now())
		must(t, err)
		if len(epoch.Lost) != s.Shards() {
			t.Fatalf("want the loss told although calls went on, got %v", epoch.Lost)
		}
	})
}

func TestTheLayoutIsFixed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		ctx, c := context.Background(), newClock()
		opts := store.Options{Now: c.now, Stores: testStores, Shards: 3}
		_, err := store.Open(ctx, rdb, opts)
		must(t, err)
		opts.Shards = 4
		if _, err := store.Open(ctx, rdb, opts); !errors.Is(err, store.ErrUnfit) || errors.Is(err, sla.ErrStoreOut) {
			t.Fatalf("want another number of shards refused, and not as a server out of reach: %v", err)
		}
		opts.Shards = 0
		s, err := store.Open(ctx, rdb, opts)
		if must(t, err); s.Shards() != 3 {
			t.Fatalf("want the stored number, got %d", s.Shards())
		}
		opts.Stores = map[sla.StoreID]sla.Platform{"AE01": "ebay"}
		if _, err := store.Open(ctx, rdb, opts); err == nil {
			t.Fatal("a store on another platform was accepted")
		}
		must(t, rdb.HSet(ctx, "wk:meta", "layout", 99).Err())
		if _, err := store.Open(ctx, rdb, opts); err == nil {
			t.Fatal("a layout of the future was accepted")
		}
		if _, err := store.Open(ctx, rdb, store.Options{}); err == nil {
			t.Fatal("options without a clock were accepted")
		}
	})
}

// During a roll-out the replica with the shorter window may be the one that notices.
func TestMoneyIsFrozenForTheLongestWindowThatAReplicaWants(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		long, err := store.Open(ctx, rdb, store.Options{Now: c.now, Stores: testStores, Settle: 3 * store.DefaultSettle})
		must(t, err)
		must(t, storetest.Hand(rdb).FlushAll(ctx).Err())
		lost := c.now()
		_, err = s.CheckEpoch(ctx, c.now())
		must(t, err)
		c.advance(time.Second)
		for _, replica := range []*store.Store{long, s} {
			epoch, err := replica.CheckEpoch(ctx, c.now())
			must(t, err)
			if want := lost.Add(3 * store.DefaultSettle); !epoch.FrozenUntil.Equal(want) {
				t.Errorf("want money frozen until %s, got %+v", want, epoch)
			}
		}
	})
}
