package store_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
)

var epoch0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock is a settable clock.
type clock struct{ ns atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ns.Store(epoch0.UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

var testStores = map[sla.StoreID]sla.Platform{"AE01": "aliexpress", "EB01": "ebay"}

// open opens a store over a clock, past the freeze of its first start.
func open(tb testing.TB, rdb redis.UniversalClient, c *clock) *store.Store {
	tb.Helper()
	s, err := store.Open(context.Background(), rdb, store.Options{Now: c.now, Stores: testStores})
	must(tb, err)
	c.advance(store.DefaultSettle)
	_, err = s.CheckEpoch(context.Background(), c.now())
	must(tb, err)
	return s
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func disputeID(i int) sla.DisputeID {
	return sla.DisputeID{Platform: "aliexpress", Store: "AE01", Native: strconv.Itoa(9_123_456_789_000_000 + i)}
}

// newCase is an open case that is due at next.
func newCase(i int, next time.Time) sla.CaseWrite {
	cost := sla.Money{Minor: int64(1000 + i%5000), Currency: "USD"}
	return sla.CaseWrite{CaseRecord: sla.CaseRecord{Fingerprint: uint64(i) + 1, Case: sla.Case{
		DisputeRef: sla.DisputeRef{ID: disputeID(i), Order: strconv.Itoa(8_123_456_789_000_000 + i)},
		State:      sla.StateSeller, Reason: sla.ReasonNotReceived, Claimed: cost, Next: next,
		Obligation: sla.Obligation{Turn: sla.Turn(0x9e3779b97f4a7c15 * uint64(i+1)), Kinds: sla.Answers(sla.AnswerAccept, sla.AnswerRefuse, sla.AnswerOffer),
			Opened: epoch0.Add(time.Duration(i%7200) * time.Second), Deadline: epoch0.Add(5*24*time.Hour + time.Duration(i%7200)*time.Second), Cost: cost},
	}}}
}

func cases(n int, next func(i int) time.Time) []sla.CaseWrite {
	out := make([]sla.CaseWrite, n)
	for i := range out {
		out[i] = newCase(i, next(i))
	}
	return out
}

func at(t time.Time) func(int) time.Time { return func(int) time.Time { return t } }

func putAll(tb testing.TB, s *store.Store, writes []sla.CaseWrite) {
	tb.Helper()
	results, err := s.PutCases(context.Background(), writes)
	must(tb, err)
	for i, r := range results {
		if r.Stale || r.Version != writes[i].Expect+1 {
			tb.Fatalf("write %d: want version %d, got %+v", i, writes[i].Expect+1, r)
		}
	}
}

// intent is one to a dispute of a reason that no switch is about.
func intent(a sla.Attempt, now, since time.Time) sla.Intent {
	return sla.Intent{Attempt: a, Reason: sla.ReasonNotReceived, Now: now, Since: since}
}
