package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

// verdictOf compares one row.
func verdictOf(t *testing.T, s *store.Store, row sla.Seen) sla.Verdict {
	t.Helper()
	out, err := s.CompareCases(context.Background(), "AE01", []sla.Seen{row})
	must(t, err)
	return out[0].Verdict
}

func TestAnUnchangedRowIsTrustedForAWhileAndNoLonger(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		other, err := store.Open(context.Background(), rdb, store.Options{Now: c.now, Stores: testStores})
		must(t, err)
		w := newCase(1, c.now().Add(time.Hour))
		row := sla.Seen{ID: w.ID.Native, Fingerprint: w.Fingerprint}
		putAll(t, s, []sla.CaseWrite{w})
		want := func(when string, row sla.Seen, want sla.Verdict) {
			t.Helper()
			if got := verdictOf(t, s, row); got != want {
				t.Fatalf("%s: want %v, got %v", when, want, got)
			}
		}
		want("first", row, sla.VerdictUnchanged)
		w.Fingerprint, w.Expect = w.Fingerprint+1, 1
		putAll(t, other, []sla.CaseWrite{w})
		want("written by another process a moment ago", row, sla.VerdictUnchanged)
		want("another row of the dispute", sla.Seen{ID: row.ID, Fingerprint: row.Fingerprint + 2}, sla.VerdictChanged)
		c.advance(store.DefaultTrust)
		want("when the trust has ended", row, sla.VerdictChanged)
		row.Fingerprint++
		want("as the other process wrote it", row, sla.VerdictUnchanged)
		c.advance(-2 * store.DefaultTrust)
		w.Fingerprint, w.Expect = w.Fingerprint+1, 2
		putAll(t, other, []sla.CaseWrite{w})
		want("when the clock went back", row, sla.VerdictChanged)
	})
}

func TestTrustEndsWithAWriteAndWithALossOfMemory(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx, w := context.Background(), newCase(1, c.now().Add(time.Hour))
		row := sla.Seen{ID: w.ID.Native, Fingerprint: w.Fingerprint}
		putAll(t, s, []sla.CaseWrite{w})
		verdictOf(t, s, row)
		w.Fingerprint, w.Expect = w.Fingerprint+1, 1
		putAll(t, s, []sla.CaseWrite{w})
		if got := verdictOf(t, s, row); got != sla.VerdictChanged {
			t.Fatalf("after our own write: want changed, got %v", got)
		}
		row.Fingerprint++
		verdictOf(t, s, row)
		must(t, s.RemoveCases(ctx, []sla.DisputeID{w.ID}))
		if got := verdictOf(t, s, row); got != sla.VerdictNew {
			t.Fatalf("after it was removed: want new, got %v", got)
		}
		w.Expect = 0
		putAll(t, s, []sla.CaseWrite{w})
		verdictOf(t, s, row)
		must(t, storetest.Hand(rdb).FlushAll(ctx).Err())
		_, err := s.CheckEpoch(ctx, c.now())
		must(t, err)
		if got := verdictOf(t, s, row); got != sla.VerdictNew {
			t.Fatalf("after a loss of memory: want new, got %v", got)
		}
	})
}
