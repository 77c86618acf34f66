package store_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

func connect(tb testing.TB, addr string) *redis.Client {
	rdb := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1})
	tb.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

func TestAServerThatEvictsIsRefused(t *testing.T) {
	t.Parallel()
	rdb := connect(t, storetest.StartRedis(t, "--maxmemory-policy", "allkeys-lru"))
	_, err := store.Open(context.Background(), rdb, store.Options{Now: newClock().now})
	wantErr(t, err, store.ErrUnfit)
	if errors.Is(err, sla.ErrStoreOut) {
		t.Errorf("a server that answers is called out of reach: %v", err)
	}
}

func TestAServerThatMayLoseWritesIsWarnedOf(t *testing.T) {
	t.Parallel()
	open := func(args ...string) []string {
		s, err := store.Open(context.Background(), connect(t, storetest.StartRedis(t, args...)), store.Options{Now: newClock().now})
		must(t, err)
		return s.Warnings()
	}
	if got := open(); len(got) != 2 || !strings.Contains(got[0], "appendonly") || !strings.Contains(got[1], "min-replicas") {
		t.Fatalf("want warnings of appendonly and min-replicas, got %q", got)
	}
	if got := open("--appendonly", "yes"); len(got) != 1 {
		t.Fatalf("want one warning, got %q", got)
	}
}

func TestAFullServerIsToldApart(t *testing.T) {
	t.Parallel()
	ctx, c := context.Background(), newClock()
	rdb := connect(t, storetest.StartRedis(t))
	s := open(t, rdb, c)
	putAll(t, s, cases(100, at(c.now())))
	must(t, rdb.ConfigSet(ctx, "maxmemory", "1").Err())

	full := newCase(1, c.now().Add(time.Hour))
	full.Expect, full.Reason = 1, sla.ReasonDamaged
	_, err := s.PutCases(ctx, []sla.CaseWrite{full})
	wantErr(t, err, sla.ErrStoreFull)
	_, err = s.ClaimAttempt(ctx, slot(), c.now(), time.Minute)
	wantErr(t, err, sla.ErrStoreFull)
	wantErr(t, s.Audit(ctx, disputeID(1), []byte("x")), sla.ErrStoreFull)

	must(t, rdb.ConfigSet(ctx, "maxmemory", "0").Err())
	got, _, err := s.Cases(ctx, []sla.DisputeID{disputeID(1)})
	must(t, err)
	if due := claimAll(t, s, c.now()); len(due) != 100 || got[0].Version != 1 || got[0].Reason != sla.ReasonNotReceived {
		t.Fatalf("want nothing half written, got %d due and %+v", len(due), got[0])
	}
}

func TestAReplicaIsToldApart(t *testing.T) {
	t.Parallel()
	ctx, c := context.Background(), newClock()
	rdb := connect(t, storetest.StartRedis(t))
	s := open(t, rdb, c)
	putAll(t, s, []sla.CaseWrite{newCase(1, c.now())})
	host, port, err := net.SplitHostPort(storetest.StartRedis(t))
	must(t, err)
	// Its master is an empty server, which it will copy: until then it serves what it has, and refuses writes.
	must(t, rdb.ConfigSet(ctx, "repl-diskless-load", "disabled").Err())
	must(t, rdb.ReplicaOf(ctx, host, port).Err())
	_, err = s.PutCases(ctx, []sla.CaseWrite{newCase(2, c.now())})
	if !errors.Is(err, sla.ErrStoreReadOnly) && !errors.Is(err, sla.ErrStoreOut) {
		t.Fatalf("want a read-only (or loading) server told apart, got %v", err)
	}
	wantErr(t, s.Audit(ctx, disputeID(1), []byte("x")), sla.ErrStoreReadOnly)
}

func TestALostConnectionIsToldApart(t *testing.T) {
	t.Parallel()
	ctx, c := context.Background(), newClock()
	rdb := connect(t, storetest.StartRedis(t))
	s := open(t, rdb, c)
	_ = rdb.ShutdownNoSave(ctx).Err()
	_, err := s.PutCases(ctx, []sla.CaseWrite{newCase(1, c.now())})
	wantErr(t, err, sla.ErrStoreOut)
	_, _, err = s.Cases(ctx, []sla.DisputeID{disputeID(1)})
	wantErr(t, err, sla.ErrStoreOut)
	_, err = s.CheckEpoch(ctx, c.now())
	wantErr(t, err, sla.ErrStoreOut)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Ping(cancelled); errors.Is(err, sla.ErrStoreOut) || !errors.Is(err, context.Canceled) {
		t.Fatalf("want a cancelled caller told apart from a lost server, got %v", err)
	}
}

func TestAMissingPasswordIsToldApart(t *testing.T) {
	t.Parallel()
	rdb := connect(t, storetest.StartRedis(t, "--requirepass", "secret"))
	_, err := store.Open(context.Background(), rdb, store.Options{Now: newClock().now})
	wantErr(t, err, sla.ErrStoreOut)
}

func TestScriptsAreSentAgainToAServerThatLostThem(t *testing.T) {
	t.Parallel()
	ctx, c := context.Background(), newClock()
	rdb := connect(t, storetest.StartRedis(t))
	s := open(t, rdb, c)
	putAll(t, s, cases(50, at(c.now())))
	must(t, rdb.ScriptFlush(ctx).Err())
	if due := claimAll(t, s, c.now()); len(due) != 50 {
		t.Fatalf("want 50, got %d", len(due))
	}
}

func TestAllOfItRunsOnCluster(t *testing.T) {
	t.Parallel()
	ctx, c := context.Background(), newClock()
	rdb := storetest.StartCluster(t)
	s := open(t, rdb, c)
	writes := cases(300, func(i int) time.Time { return c.now().Add(time.Duration(i%10) * time.Second) })
	putAll(t, s, writes)
	compared, err := s.CompareCases(ctx, "AE01", seen(writes))
	must(t, err)
	for _, v := range compared {
		if v.Verdict != sla.VerdictUnchanged {
			t.Fatalf("want all unchanged, got %d", v.Verdict)
		}
	}
	_, found, err := s.Cases(ctx, []sla.DisputeID{disputeID(5), disputeID(1000)})
	if must(t, err); !found[0] || found[1] {
		t.Fatalf("want one of two found, got %v", found)
	}
	c.advance(time.Minute)
	if due := claimAll(t, s, c.now()); len(due) != 300 {
		t.Fatalf("want 300 due, got %d", len(due))
	}
	sent := send(t, s, claimSlot(t, s, c.now(), sla.AttemptClaimed), c.now())
	write := newCase(1, c.now().Add(time.Hour))
	write.Expect = 1
	must(t, s.Settle(ctx, sent, sla.Settlement{State: sla.AttemptSettled, At: c.now(), Case: &write, Audit: []byte("done")}))
	must(t, s.EnsureFeeds(ctx, []sla.FeedRecord{{ID: "AE01/disputes", Store: "AE01", Next: c.now()}}))
	feeds, err := s.Feeds(ctx)
	must(t, err)
	must(t, s.Reject(ctx, []sla.Rejected{{Store: "AE01", ID: "1"}, {Store: "AE01", ID: "2"}}))
	rejects, err := s.Rejects(ctx, 10)
	must(t, err)
	_, err = s.Take(ctx, "app", 1, time.Second)
	must(t, err)
	_, saved, err := s.Save(ctx, "AE01", []byte("x"), 0)
	must(t, err)
	stats, err := s.Stats(ctx)
	must(t, err)
	if len(feeds) != 1 || len(rejects) != 2 || !saved || stats.Cases.Count != 300 || stats.MemoryUsed == 0 {
		t.Fatalf("got %d feeds, %d rejects, saved %v, %+v", len(feeds), len(rejects), saved, stats)
	}
	ids := make([]sla.DisputeID, len(writes))
	for i, w := range writes {
		ids[i] = w.ID
	}
	must(t, s.RemoveCases(ctx, ids))
	if stats, err = s.Stats(ctx); err != nil || stats.Cases.Count != 0 {
		t.Fatalf("want none left, got %+v %v", stats.Cases, err)
	}
}

func TestTheServersClockIsRead(t *testing.T) {
	t.Parallel()
	ctx, cluster := context.Background(), storetest.StartCluster(t)
	for name, rdb := range map[string]redis.UniversalClient{
		"standalone": storetest.As(t, storetest.StartWithUsers(t), storetest.Daemon), "cluster": cluster,
	} {
		s := open(t, rdb, newClock())
		before := time.Now()
		got, err := s.ServerTime(ctx)
		if err != nil || got.Before(before.Add(-time.Second)) || got.After(time.Now().Add(time.Second)) {
			t.Errorf("%s: want the time, got %s (%v)", name, got, err)
		}
	}
}

func TestAServerThatDoesNotTellTheTimeIsNoFailureAndOneThatIsAwayIs(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	s := open(t, connect(t, mini.Addr()), newClock())
	for _, word := range []string{"", "NOPERM this user has no permissions to run the 'info' command"} {
		mini.SetError(word)
		if got, err := s.ServerTime(t.Context()); err != nil || !got.IsZero() {
			t.Errorf("%q: want no time and no error, got %s (%v)", word, got, err)
		}
	}
	mini.Close()
	_, err := s.ServerTime(t.Context())
	wantErr(t, err, sla.ErrStoreOut)
}
