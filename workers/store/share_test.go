package store_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

// gate holds the round trips of pipelines up while it is shut, and counts them.
type gate struct {
	mu      sync.Mutex
	shut    chan struct{} // nil: open
	arrived chan struct{} // one for each that had to wait
	trips   int
}

func newGate() *gate { return &gate{arrived: make(chan struct{}, 100)} }

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut, g.trips = make(chan struct{}), 0
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.shut)
	g.shut = nil
}

func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.trips
}

func (g *gate) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (g *gate) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (g *gate) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		g.mu.Lock()
		g.trips++
		wait := g.shut
		g.mu.Unlock()
		if wait != nil {
			g.arrived <- struct{}{}
			<-wait
		}
		return next(ctx, cmds)
	}
}

func key(i int) sla.AttemptKey { return sla.AttemptKey{Dispute: disputeID(i), Turn: sla.Turn(i + 1)} }

// busy keeps the shared round trip under way, and tells when its caller has what it wanted.
func busy(t *testing.T, s *store.Store, g *gate, now time.Time) *sync.WaitGroup {
	t.Helper()
	g.close()
	var first sync.WaitGroup
	first.Go(func() {
		if _, err := s.ClaimAttempt(context.Background(), key(1000), now, time.Minute); err != nil {
			t.Errorf("a claim under way: %v", err)
		}
	})
	<-g.arrived
	return &first
}

func TestCallersShareRoundTrips(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		must(t, s.ReleaseAttempt(context.Background(), sla.Attempt{AttemptKey: key(1)})) // the scripts are there now
		_, err := s.ClaimAttempt(context.Background(), key(999), c.now(), time.Minute)
		must(t, err)
		g := newGate()
		rdb.AddHook(g)
		first := busy(t, s, g, c.now())
		const n = 100
		var all sync.WaitGroup
		var begun sync.WaitGroup
		begun.Add(n)
		tokens := make([]uint64, n)
		for i := range n {
			all.Go(func() {
				begun.Done()
				a, err := s.ClaimAttempt(context.Background(), key(i), c.now(), time.Minute)
				if err != nil || a.State != sla.AttemptClaimed || a.Dispute != disputeID(i) {
					t.Errorf("claim %d: got %+v, %v", i, a, err)
				}
				tokens[i] = a.Token
			})
		}
		begun.Wait()
		g.open()
		first.Wait()
		all.Wait()
		// At worst some had begun and not yet asked when the gate opened; each of them makes a trip at most.
		if trips := g.count(); trips > n/2 {
			t.Errorf("want %d claims to share round trips, got %d trips", n, trips)
		}
		seen := map[uint64]map[int]bool{}
		for i, token := range tokens {
			shards := seen[token]
			if shards == nil {
				shards = map[int]bool{}
				seen[token] = shards
			}
			shards[i] = true
		}
		if len(seen) < n/8 { // a shard never gives a token twice, and there are eight
			t.Errorf("want tokens to differ within a shard, got %d of %d", len(seen), n)
		}
	})
}

func TestACallerWhoGivesUpLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		g := newGate()
		rdb.AddHook(g)
		first := busy(t, s, g, c.now())
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := s.ClaimAttempt(ctx, key(1), c.now(), time.Minute) // the trip is under way: it waits, and gives up
		if !errors.Is(err, context.Canceled) {
			t.Errorf("want it to give up, got %v", err)
		}
		g.open()
		first.Wait()
		if attempts, err := s.Attempts(context.Background(), disputeID(1)); err != nil || len(attempts) != 0 {
			t.Errorf("want nothing claimed, got %v, %v", attempts, err)
		}
	})
}

// A slot that cannot be read must not stop the others of the same run.
func TestADamagedSlotStopsNobodyElse(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		keys := []sla.AttemptKey{key(1), key(2), key(3)}
		for _, claim := range s.ClaimAttempts(ctx, keys, c.now(), time.Minute) {
			must(t, claim.Err)
		}
		names, err := storetest.Hand(rdb).Keys(ctx, "wk:{*}:l:*").Result()
		must(t, err)
		damaged := names[0]
		for field := range rdb.HGetAll(ctx, damaged).Val() {
			must(t, rdb.HSet(ctx, damaged, field, "\x01\x01x").Err())
		}
		c.advance(2 * time.Minute)
		failed := 0
		for i, claim := range s.ClaimAttempts(ctx, keys, c.now(), time.Minute) {
			if claim.Err != nil {
				failed++
			} else if claim.Dispute != keys[i].Dispute || claim.State != sla.AttemptClaimed {
				t.Errorf("claim %d: got %+v", i, claim)
			}
		}
		if failed != 1 {
			t.Errorf("want only the damaged one to fail, got %d", failed)
		}
	})
}
