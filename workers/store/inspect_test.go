package store_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

func inspection(t *testing.T, rdb redis.UniversalClient, c *clock) *store.Inspection {
	t.Helper()
	i, err := store.Inspect(context.Background(), rdb, store.Options{Now: c.now})
	must(t, err)
	return i
}

func inspectCases(t *testing.T, rdb redis.UniversalClient, c *clock) store.Tally {
	t.Helper()
	tally, err := inspection(t, rdb, c).Cases(context.Background(), func(sla.CaseRecord, []sla.Attempt) {})
	must(t, err)
	return tally
}

// scattered puts cases at every distance, from milliseconds to years, so that leaves of every width are made.
func scattered(t *testing.T, s *store.Store, c *clock, n int) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	putAll(t, s, cases(n, func(int) time.Time { return c.now().Add(time.Duration(1+r.Int64N(1<<r.IntN(57))) + time.Millisecond) }))
}

func TestAnInspectionFindsEveryTimerOfAHealthyStore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		scattered(t, s, c, 3000)
		healthy := func(when string, due int) {
			t.Helper()
			got := inspectCases(t, rdb, c)
			if got.Idle.Count+got.Untimed.Count+got.Unowned.Count+got.Unreadable != 0 || got.Records != 3000 || got.Stores["AE01"] != 3000 || got.Due != due {
				t.Fatalf("%s: want 3000 healthy cases, %d of them due, got %+v", when, due, got)
			}
		}
		healthy("at first", 0)
		c.advance(time.Hour)
		due := inspectCases(t, rdb, c).Due
		if due == 0 {
			t.Fatal("none is due")
		}
		claimed, err := s.ClaimCases(ctx, c.now(), time.Minute, 10_000)
		if must(t, err); len(claimed) != due {
			t.Fatalf("%d are due and %d were claimed", due, len(claimed))
		}
		got := inspectCases(t, rdb, c)
		if got.Untimed.Count+got.Unowned.Count != 0 {
			t.Fatalf("leased: %+v", got)
		}
		moves := make([]sla.Rearm, len(claimed))
		for i, r := range claimed {
			moves[i] = sla.Rearm{ID: r.ID, Version: r.Version, Next: c.now().Add(time.Duration(i+1) * time.Minute)}
		}
		_, err = s.RearmCases(ctx, moves)
		must(t, err)
		healthy("armed anew", 0)
	})
}

// A spot is a field of a hash.
type spot struct{ key, field string }

func spots(t *testing.T, hand redis.UniversalClient, pattern string) map[spot]bool {
	t.Helper()
	keys, err := hand.Keys(context.Background(), pattern).Result()
	must(t, err)
	out := map[spot]bool{}
	for _, key := range keys {
		for _, field := range hand.HKeys(context.Background(), key).Val() {
			out[spot{key, field}] = true
		}
	}
	return out
}

// placed puts a case and tells where its record and its timer went; the timer is nowhere when it has none.
func placed(t *testing.T, s *store.Store, hand redis.UniversalClient, w sla.CaseWrite) (record, timer spot) {
	t.Helper()
	const records, leaves = "wk:{*}:c:*", "wk:{*}:cd:*"
	one := func(before, after map[spot]bool) (found spot) {
		for at := range after {
			if !before[at] {
				found = at
			}
		}
		return found
	}
	was, waited := spots(t, hand, records), spots(t, hand, leaves)
	putAll(t, s, []sla.CaseWrite{w})
	return one(was, spots(t, hand, records)), one(waited, spots(t, hand, leaves))
}

func TestAnInspectionFindsOrphans(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx, hand := context.Background(), storetest.Hand(rdb)
		later := c.now().Add(time.Hour)
		idle, closed := newCase(1, time.Time{}), newCase(2, time.Time{})
		closed.State = sla.StateClosed
		putAll(t, s, []sla.CaseWrite{idle, closed, newCase(3, later)})
		_, timer := placed(t, s, hand, newCase(4, later))
		must(t, hand.HDel(ctx, timer.key, timer.field).Err())
		record, _ := placed(t, s, hand, newCase(5, later))
		must(t, hand.HDel(ctx, record.key, record.field).Err())
		_, timer = placed(t, s, hand, newCase(6, later.Add(40*24*time.Hour)))
		shard, leaf, _ := strings.Cut(timer.key, ":cd:")
		must(t, hand.ZRem(ctx, shard+":cd", leaf).Err())
		record, _ = placed(t, s, hand, newCase(7, later))
		must(t, hand.HSet(ctx, record.key, record.field, "\x09"+hand.HGet(ctx, record.key, record.field).Val()[1:]).Err())

		got := inspectCases(t, rdb, c)
		for what, o := range map[string]struct {
			got  store.Orphans
			want []int
		}{"idle": {got.Idle, []int{1}}, "untimed": {got.Untimed, []int{4, 6}}, "unowned": {got.Unowned, []int{5}}} {
			names := slices.Sorted(slices.Values(o.got.Samples))
			want := make([]string, len(o.want))
			for i, n := range o.want {
				want[i] = "AE01/" + disputeID(n).Native
			}
			if o.got.Count != len(want) || !slices.Equal(names, want) {
				t.Errorf("%s: want %v, got %+v", what, want, o.got)
			}
		}
		if got.Records != 6 || got.Unreadable != 1 || got.Stores["AE01"] != 5 {
			t.Errorf("want six records, one unreadable, got %+v", got)
		}
	})
}

func TestAnInspectionKnowsWhichParcelsNeedALook(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		mk := func(number string, m sla.Milestone, next time.Time) sla.ShipmentWrite {
			return sla.ShipmentWrite{ShipmentRecord: sla.ShipmentRecord{Store: "EB01", Ref: sla.ShipmentRef{Number: number}, Milestone: m, Next: next, Fingerprint: 1}}
		}
		_, err := s.PutShipments(context.Background(), []sla.ShipmentWrite{
			mk("A", sla.MilestoneInTransit, c.now().Add(-time.Minute)), mk("B", sla.MilestoneInTransit, time.Time{}), mk("C", sla.MilestoneDelivered, time.Time{}),
		})
		must(t, err)
		got, err := inspection(t, rdb, c).Shipments(context.Background())
		must(t, err)
		if got.Records != 3 || got.Due != 1 || !got.Oldest.Equal(c.now().Add(-time.Minute)) || got.Idle.Count != 1 || got.Idle.Samples[0] != "EB01/B" || got.Untimed.Count != 0 {
			t.Errorf("want three parcels, one due and one without a look, got %+v", got)
		}
	})
}

func TestAnInspectionGivesOpenCasesWithTheirAttempts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		closed := newCase(2, c.now().Add(time.Hour))
		closed.State = sla.StateClosed
		doubtful := newCase(3, c.now().Add(time.Hour)) // closed, and what became of its answer is not known
		doubtful.State, doubtful.Unresolved = sla.StateClosed, true
		putAll(t, s, []sla.CaseWrite{newCase(1, c.now().Add(time.Hour)), closed, doubtful})
		sent := send(t, s, claimSlot(t, s, c.now(), sla.AttemptClaimed), c.now())
		must(t, s.Settle(ctx, sent, sla.Settlement{State: sla.AttemptUnknown, At: c.now()}))
		seen := map[string][]sla.Attempt{}
		_, err := inspection(t, rdb, c).Cases(ctx, func(r sla.CaseRecord, all []sla.Attempt) { seen[r.ID.Native] = all })
		must(t, err)
		all := seen[disputeID(1).Native]
		if _, asked := seen[disputeID(3).Native]; !asked {
			t.Error("want the closed case whose answer is unknown given, too")
		}
		if len(seen) != 2 || len(all) != 1 || all[0].State != sla.AttemptUnknown || !all[0].SentAt.Equal(sent.SentAt) {
			t.Errorf("want the open case with its attempt, got %v", seen)
		}
	})
}

func TestAnInspectionTellsOfShardsProcessesAndRules(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx, hand := context.Background(), storetest.Hand(rdb)
		other := open(t, rdb, c)
		must(t, hand.HSet(ctx, "wk:{02}:epoch", "f", c.now().Add(time.Hour).UnixMilli(), "o", c.now().UnixMilli()).Err())
		must(t, hand.Del(ctx, "wk:{03}:epoch").Err())
		for range 3 {
			_, err := s.Beat(ctx, c.now())
			must(t, err)
		}
		_, err := other.Beat(ctx, c.now())
		must(t, err)
		must(t, s.NoteRules(ctx, "a", "0123456789ab", c.now()))
		must(t, s.SetKill(ctx, sla.KillScope{Store: "AE01"}, true, "why", c.now()))
		i := inspection(t, rdb, c)
		for _, shard := range i.Shards() {
			switch {
			case shard.Shard == 2 && (!shard.FrozenUntil.Equal(c.now().Add(time.Hour)) || !shard.LostAt.Equal(c.now())), shard.Shard == 3 && shard.Epoch != 0,
				shard.Shard != 3 && shard.Epoch != 1, shard.Shard != 2 && shard.FrozenUntil.After(c.now()):
				t.Errorf("got %+v", shard)
			}
		}
		processes, err := i.Processes(ctx)
		must(t, err)
		beats := map[uint64]int{}
		for _, p := range processes {
			beats[p.Beats]++
		}
		if len(processes) != 2 || beats[3] != 1 || beats[1] != 1 {
			t.Errorf("want processes of 3 beats and of 1, got %+v", processes)
		}
		for range 8 { // the other is silent for longer than the living are
			c.advance(store.GoneAfter / 4)
			_, err := s.Beat(ctx, c.now())
			must(t, err)
		}
		c.advance(store.GoneAfter / 4)
		_, err = s.Beat(ctx, c.now())
		must(t, err)
		processes, err = i.Processes(ctx)
		must(t, err)
		gone := slices.IndexFunc(processes, func(p store.Process) bool { return !p.Gone.IsZero() })
		if len(processes) != 2 || gone < 0 || c.now().Sub(processes[gone].Gone) > store.GoneAfter {
			t.Errorf("want one process gone, got %+v", processes)
		}
		kills, err := i.Kills(ctx)
		must(t, err)
		books, err := i.Rulebooks(ctx, c.now(), time.Minute)
		must(t, err)
		if len(kills) != 1 || books["0123456789ab"] != 1 || len(books) != 1 || len(i.Stores()) != 2 || i.Stores()["EB01"] != "ebay" {
			t.Errorf("got %+v, %v, %v", kills, books, i.Stores())
		}
	})
}

func TestAnInspectionChangesNothing(t *testing.T) {
	t.Parallel()
	ctx, c := context.Background(), newClock()
	addr := storetest.StartWithUsers(t, "--enable-debug-command", "yes")
	operator, admin := storetest.As(t, addr, storetest.Operator), storetest.As(t, addr, storetest.Admin)
	digest := func() string { return admin.Do(ctx, "DEBUG", "DIGEST").String() }
	empty := digest()
	if _, err := store.Inspect(ctx, operator, store.Options{Now: c.now, Shards: 4, Stores: testStores}); !errors.Is(err, store.ErrNoRecords) || digest() != empty {
		t.Fatalf("want an empty Redis told of and left empty, got %v", err)
	}
	s := open(t, storetest.As(t, addr, storetest.Daemon), c)
	scattered(t, s, c, 100)
	must(t, s.EnsureFeeds(ctx, []sla.FeedRecord{{ID: "AE01/disputes", Store: "AE01", Next: c.now()}}))
	c.advance(30 * 24 * time.Hour)
	before := digest()
	i := inspection(t, operator, c)
	_, err := i.Cases(ctx, func(sla.CaseRecord, []sla.Attempt) {})
	must(t, err)
	_, err = i.Shipments(ctx)
	must(t, err)
	feeds, err := i.Feeds(ctx)
	must(t, err)
	_, _, err = i.Load(ctx, "AE01")
	must(t, err)
	_, err = i.Processes(ctx)
	must(t, err)
	if _, err = store.Servers(ctx, operator, c.now); err != nil || len(feeds) != 1 || digest() != before {
		t.Errorf("want nothing changed, and one feed, got %v (%v)", feeds, err)
	}
	must(t, admin.HSet(ctx, "wk:meta", "layout", 99).Err())
	if _, err := store.Inspect(ctx, operator, store.Options{Now: c.now}); !errors.Is(err, store.ErrUnfit) {
		t.Errorf("want another layout told of, got %v", err)
	}
}
