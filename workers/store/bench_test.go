package store_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

// benchCases is a fleet small enough to be set up within a few seconds.
const benchCases, page = 200_000, 50

// horizon is a time within the next days.
func horizon(c *clock, days int64) time.Time {
	return c.now().Add(time.Hour + time.Duration(rand.Int64N(days*int64(24*time.Hour))))
}

func benchStore(b *testing.B) (*store.Store, *clock) {
	rdb := storetest.Connect(b, storetest.Start(b))
	c := newClock()
	s := open(b, rdb, c)
	fill(b, s, benchCases, func(int) time.Time { return horizon(c, 5) })
	return s, c
}

func fill(b testing.TB, s *store.Store, n int, next func(int) time.Time) {
	b.Helper()
	for i := 0; i < n; i += 1000 {
		writes := make([]sla.CaseWrite, 0, 1000)
		for j := i; j < i+1000; j++ {
			writes = append(writes, newCase(j, next(j)))
		}
		putAll(b, s, writes)
	}
}

func BenchmarkCompare(b *testing.B) {
	s, _ := benchStore(b)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		rows := make([]sla.Seen, page)
		for pb.Next() {
			first := rand.IntN(benchCases - page)
			for i := range rows {
				rows[i] = sla.Seen{ID: disputeID(first + i).Native, Fingerprint: uint64(first+i) + 1}
			}
			out, err := s.CompareCases(context.Background(), "AE01", rows)
			if err != nil || out[page-1].Verdict != sla.VerdictUnchanged {
				b.Error(out[page-1], err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N*page)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkPut(b *testing.B) {
	s, c := benchStore(b)
	var next atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		writes := make([]sla.CaseWrite, page)
		for pb.Next() {
			n := next.Add(1) - 1
			first := int(n) * page % benchCases
			round := uint32(int(n)*page/benchCases) + 1
			for i := range writes {
				writes[i] = newCase(first+i, horizon(c, 5))
				writes[i].Expect = round
			}
			out, err := s.PutCases(context.Background(), writes)
			if err != nil {
				b.Error(out[0], err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N*page)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkClaimAck(b *testing.B) {
	s, c := benchStore(b)
	const batch = 512
	var total atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		c.advance(40 * time.Minute)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					due, err := s.ClaimCases(context.Background(), c.now(), time.Minute, batch)
					if err != nil {
						b.Error(err)
						return
					}
					total.Add(int64(len(due)))
					acknowledge(b, s, c, due)
					if len(due) < batch {
						return
					}
				}
			})
		}
		wg.Wait()
	}
	b.ReportMetric(float64(total.Load())/b.Elapsed().Seconds(), "entries/s")
}

// acknowledge records claimed cases with a change and another timer, in pages.
func acknowledge(b *testing.B, s *store.Store, c *clock, due []sla.CaseRecord) {
	for records := range slices.Chunk(due, 128) {
		writes := make([]sla.CaseWrite, len(records))
		for i, r := range records {
			r.Next = horizon(c, 1)
			r.Warned++
			writes[i] = sla.CaseWrite{CaseRecord: r, Expect: r.Version}
		}
		if out, err := s.PutCases(context.Background(), writes); err != nil || out[0].Stale {
			b.Error(out, err)
			return
		}
	}
}

// BenchmarkLag has 10,000 cases due within a second of real time, and tells how long after its instant the last per cent was claimed.
func BenchmarkLag(b *testing.B) {
	rdb := storetest.Connect(b, storetest.Start(b))
	s, err := store.Open(context.Background(), rdb, store.Options{Now: time.Now, Stores: testStores})
	must(b, err)
	const n = 10_000
	var lags []time.Duration
	for round := range b.N {
		start := time.Now().Add(2 * time.Second)
		for first := 0; first < n; first += 1000 {
			writes := make([]sla.CaseWrite, 1000)
			for i := range writes {
				writes[i] = newCase(round*n+first+i, start.Add(time.Duration(rand.Int64N(int64(time.Second)))))
			}
			putAll(b, s, writes)
		}
		lags = append(lags, follow(b, s, n)...)
	}
	slices.Sort(lags)
	b.ReportMetric(float64(lags[len(lags)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(lags[len(lags)/2].Microseconds())/1000, "p50-ms")
}

// follow claims n cases as they become due, acknowledges them, and gives by how much each was late.
func follow(b *testing.B, s *store.Store, n int) []time.Duration {
	var lags []time.Duration
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for len(lags) < n {
		now := <-tick.C
		due, err := s.ClaimCases(context.Background(), now, time.Minute, 1000)
		must(b, err)
		moves := make([]sla.Rearm, len(due))
		at := time.Now()
		for i, r := range due {
			lags = append(lags, at.Sub(r.Next))
			moves[i] = sla.Rearm{ID: r.ID, Version: r.Version}
		}
		_, err = s.RearmCases(context.Background(), moves)
		must(b, err)
	}
	return lags
}
