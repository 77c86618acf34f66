package store_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

// twice runs pipelines twice, as the client library does when the reply to the first was lost.
type twice struct{ on atomic.Bool }

func (w *twice) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (w *twice) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (w *twice) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if w.on.Load() {
			_ = next(ctx, cmds) // its reply is lost
			for _, c := range cmds {
				c.SetErr(nil)
			}
		}
		return next(ctx, cmds)
	}
}

// warm has every script of the ledger loaded.
func warm(t *testing.T, s *store.Store, c *clock) {
	t.Helper()
	ctx := context.Background()
	a, err := s.ClaimAttempt(ctx, key(900), c.now(), time.Minute)
	must(t, err)
	sent, err := s.RecordIntent(ctx, intent(a, c.now(), c.now()))
	must(t, err)
	must(t, s.Settle(ctx, sent, sla.Settlement{State: sla.AttemptRefused, At: c.now()}))
}

func TestARepeatedCallIsTheSameCall(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		warm(t, s, c)
		w := newCase(1, c.now().Add(time.Hour))
		putAll(t, s, []sla.CaseWrite{w})
		h := &twice{}
		rdb.AddHook(h)
		h.on.Store(true)
		a, err := s.ClaimAttempt(ctx, sla.AttemptKey{Dispute: w.ID, Turn: w.Obligation.Turn}, c.now(), time.Minute)
		must(t, err)
		sent, err := s.RecordIntent(ctx, intent(a, c.now(), c.now()))
		if must(t, err); sent.N != 1 {
			t.Fatalf("want one try, got %+v", sent)
		}
		w.Expect, w.Next = 1, c.now().Add(2*time.Hour)
		must(t, s.Settle(ctx, sent, sla.Settlement{State: sla.AttemptRefused, At: c.now(), Case: &w, Audit: []byte("x")}))
		h.on.Store(false)
		lines, err := s.AuditsOf(ctx, w.ID, 10)
		must(t, err)
		got, _, err := s.Cases(ctx, []sla.DisputeID{w.ID})
		must(t, err)
		if len(lines) != 1 || got[0].Version != 2 {
			t.Fatalf("want one audit line and one write, got %d and version %d", len(lines), got[0].Version)
		}
	})
}

// The reply to an intent is lost, the call repeated, and then a replica is promoted that never had the intent.
func TestALossAfterARepeatedIntentIsNoticed(t *testing.T) {
	t.Parallel()
	for _, lost := range []bool{false, true} {
		t.Run(fmt.Sprintf("reply lost %v", lost), func(t *testing.T) {
			t.Parallel()
			ctx, c := context.Background(), newClock()
			rdb := storetest.Connect(t, storetest.Start(t))
			s := open(t, rdb, c)
			warm(t, s, c)
			h := &twice{}
			rdb.AddHook(h)
			a, err := s.ClaimAttempt(ctx, key(1), c.now(), time.Minute)
			must(t, err)
			replica := map[string]string{}
			for _, name := range storetest.Hand(rdb).Keys(ctx, "*").Val() {
				replica[name] = storetest.Hand(rdb).Dump(ctx, name).Val()
			}
			h.on.Store(lost)
			_, err = s.RecordIntent(ctx, intent(a, c.now(), c.now()))
			must(t, err)
			h.on.Store(false)
			must(t, storetest.Hand(rdb).FlushAll(ctx).Err())
			for name, dump := range replica {
				must(t, storetest.Hand(rdb).Restore(ctx, name, 0, dump).Err())
			}
			c.advance(61 * time.Second)
			_, err = s.CheckEpoch(ctx, c.now())
			must(t, err)
			b, err := s.ClaimAttempt(ctx, key(1), c.now(), time.Minute)
			must(t, err)
			if _, err := s.RecordIntent(ctx, intent(b, c.now(), c.now())); !errors.Is(err, sla.ErrFrozen) {
				t.Fatalf("want no second send of a turn that was sent, got %v", err)
			}
		})
	}
}

// hang stops a server until the test ends.
func hang(t *testing.T, addr string) {
	t.Helper()
	rdb := connect(t, addr)
	info, err := rdb.InfoMap(context.Background(), "server").Result()
	must(t, err)
	pid := info["Server"]["process_id"]
	_, err = strconv.Atoi(pid)
	must(t, err)
	must(t, exec.Command("kill", "-STOP", pid).Run())
	t.Cleanup(func() { _ = exec.Command("kill", "-CONT", pid).Run() })
}

func TestOnClusterAHungNodeHoldsUpItsOwnShardsOnly(t *testing.T) {
	t.Parallel()
	ctx, c := context.Background(), newClock()
	addrs := []string{storetest.StartRedis(t), storetest.StartRedis(t)}
	rdb := redis.NewClusterClient(&redis.ClusterOptions{ContextTimeoutEnabled: true, ReadTimeout: 3 * time.Second, ClusterSlots: func(context.Context) ([]redis.ClusterSlot, error) {
		return []redis.ClusterSlot{
			{Start: 0, End: 8191, Nodes: []redis.ClusterNode{{Addr: addrs[0]}}}, {Start: 8192, End: 16383, Nodes: []redis.ClusterNode{{Addr: addrs[1]}}},
		}, nil
	}})
	t.Cleanup(func() { _ = rdb.Close() })
	s, err := store.Open(ctx, rdb, store.Options{Now: c.now, Stores: testStores})
	must(t, err)
	first := connect(t, addrs[0])
	ledgers := func() int { return len(first.Keys(ctx, "wk:{*}:l:*").Val()) }
	living, dead := -1, -1 // cases of either node
	for i := 0; living < 0 || dead < 0; i++ {
		before := ledgers()
		_, err := s.ClaimAttempt(ctx, key(i), c.now(), time.Millisecond)
		must(t, err)
		if ledgers() > before {
			living = i
		} else {
			dead = i
		}
	}
	c.advance(time.Minute)
	hang(t, addrs[1])
	got := s.ClaimAttempts(ctx, []sla.AttemptKey{key(living), key(dead)}, c.now(), time.Minute)
	if got[0].Err != nil || got[0].State != sla.AttemptClaimed || got[1].Err == nil {
		t.Fatalf("want the living node's case claimed and the other's refused, got %v and %v", got[0].Err, got[1].Err)
	}
}
