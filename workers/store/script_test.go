package store_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

// slowly lets time pass during each pipeline.
type slowly struct {
	c  *clock
	by time.Duration
}

func (s slowly) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (s slowly) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (s slowly) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		s.c.advance(s.by)
		return next(ctx, cmds)
	}
}

func TestEachRoundTripIsTimedOnceForEachOfItsScripts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		ctx, c := context.Background(), newClock()
		heard := map[string][]time.Duration{}
		s, err := store.Open(ctx, rdb, store.Options{Now: c.now, Stores: testStores, Ran: func(script string, took time.Duration) {
			heard[script] = append(heard[script], took)
		}})
		must(t, err)
		for _, script := range []string{"layout", "epoch"} {
			if len(heard[script]) == 0 {
				t.Errorf("the start ran %s, and only %v were heard of", script, heard)
			}
		}
		if n := len(heard["epoch"]); n != 1 {
			t.Errorf("the epochs of all shards are one round trip, %d were heard of", n)
		}
		writes := cases(40, at(c.now().Add(time.Hour))) // of all shards
		putAll(t, s, writes)
		for i := range writes {
			writes[i].Expect = 1
		}
		clear(heard)
		rdb.AddHook(slowly{c, 250 * time.Millisecond})
		putAll(t, s, writes)
		if diff := cmp.Diff(map[string][]time.Duration{"put": {250 * time.Millisecond}}, heard); diff != "" {
			t.Error(diff)
		}
		clear(heard)
		_, err = s.ClaimAttempt(ctx, sla.AttemptKey{Dispute: disputeID(1), Turn: 7}, c.now(), time.Minute)
		must(t, err)
		for script := range heard {
			if script != "attempt_claim" && script != "items" {
				t.Errorf("heard of %s", script)
			}
		}
		if len(heard["attempt_claim"]) == 0 || len(heard["items"]) > 0 {
			t.Errorf("a script that works on items is not called what it does: %v", heard)
		}
	})
}
