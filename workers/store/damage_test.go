package store_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

// mates are two cases of one shard whose timers are in leaves of their own; gives also the name of the first one's leaf.
func mates(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) (bad, good sla.CaseWrite, leaf string) {
	t.Helper()
	ctx := context.Background()
	bad = newCase(1, c.now().Add(48*time.Hour))
	putAll(t, s, []sla.CaseWrite{bad})
	leaf = storetest.Hand(rdb).Keys(ctx, "wk:{*}:cd:*").Val()[0]
	for i := 2; ; i++ {
		good = newCase(i, c.now().Add(3*time.Hour))
		putAll(t, s, []sla.CaseWrite{good})
		if len(storetest.Hand(rdb).Keys(ctx, leaf[:len("wk:{00}")]+":cd:*").Val()) > 1 {
			return bad, good, leaf
		}
	}
}

func TestADamagedLeafCostsNoOtherCaseItsTimer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		bad, good, leaf := mates(t, s, c, rdb)
		must(t, rdb.Del(ctx, leaf).Err())
		must(t, rdb.Set(ctx, leaf, "damaged", 0).Err())
		for _, w := range []*sla.CaseWrite{&bad, &good} {
			w.Expect, w.Next = 1, c.now().Add(20*time.Minute)
		}
		_, err := s.PutCases(ctx, []sla.CaseWrite{bad, good})
		t.Logf("told: %v", err) // miniredis takes no offence
		must(t, rdb.Del(ctx, leaf).Err())
		due := map[sla.DisputeID]bool{}
		for _, r := range claimAll(t, s, c.now().Add(time.Hour)) {
			due[r.ID] = true
		}
		if !due[good.ID] || !due[bad.ID] {
			t.Fatalf("want both cases due by their new timers, got %v", due)
		}
	})
}

func TestADamagedEntryStopsNoClaims(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx, start := context.Background(), c.now()
		putAll(t, s, cases(64, func(i int) time.Time { return start.Add(10*time.Hour + time.Duration(i)*time.Minute) }))
		for _, leaf := range storetest.Hand(rdb).Keys(ctx, "wk:{03}:cd:*").Val() {
			must(t, rdb.HSet(ctx, leaf, "xxyy", "z").Err())
		}
		c.advance(10 * time.Hour)
		got := map[sla.DisputeID]bool{}
		for range 64 {
			due, err := s.ClaimCases(ctx, c.now(), time.Hour, 200)
			must(t, err)
			for _, r := range due {
				if c.now().Sub(r.Next) > time.Minute {
					t.Errorf("%s was due at %s and claimed at %s", r.ID, r.Next, c.now())
				}
				got[r.ID] = true
			}
			c.advance(time.Minute)
		}
		if len(got) != 64 {
			t.Fatalf("want every case claimed in time, got %d of 64", len(got))
		}
	})
}

// heldReply keeps the reply to one pipeline back.
type heldReply struct {
	on            atomic.Bool
	came, release chan struct{}
}

func (w *heldReply) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (w *heldReply) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (w *heldReply) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		if w.on.CompareAndSwap(true, false) {
			close(w.came)
			<-w.release
		}
		return err
	}
}

func TestAWriteDuringAComparisonIsNotHidden(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		w := newCase(1, c.now().Add(time.Hour))
		row := sla.Seen{ID: w.ID.Native, Fingerprint: w.Fingerprint}
		putAll(t, s, []sla.CaseWrite{w})
		verdictOf(t, s, sla.Seen{ID: "9123456789000777", Fingerprint: 5}) // the script is there now
		h := &heldReply{came: make(chan struct{}), release: make(chan struct{})}
		rdb.AddHook(h)
		h.on.Store(true)
		compared := make(chan struct{})
		go func() {
			defer close(compared)
			if _, err := s.CompareCases(context.Background(), "AE01", []sla.Seen{row}); err != nil {
				t.Error(err)
			}
		}()
		<-h.came
		w.Fingerprint, w.Expect = w.Fingerprint+1, 1
		putAll(t, s, []sla.CaseWrite{w})
		close(h.release)
		<-compared
		if got := verdictOf(t, s, row); got != sla.VerdictChanged {
			t.Fatalf("want our own write seen, got %v", got)
		}
	})
}
