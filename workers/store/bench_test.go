package store_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

const benchCases, page = 200_000, 50

func benchStore(b *testing.B) (*store.Store, *clock) {
	rdb := redis.NewClient(&redis.Options{Addr: storetest.StartRedis(b)})
	b.Cleanup(func() { _ = rdb.Close() })
	c := newClock()
	s := open(b, rdb, c)
	fill(b, s, benchCases, func(int) time.Time { return c.now().Add(time.Hour + time.Duration(rand.Int64N(int64(5*24*time.Hour)))) })
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
				b.Fatal(out[page-1], err)
			}
		}
	})
	b.ReportMetric(float64(b.N*page)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkPut(b *testing.B) {
	s, c := benchStore(b)
	versions := make([]uint32, benchCases)
	for i := range versions {
		versions[i] = 1
	}
	writes := make([]sla.CaseWrite, page)
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		for i := range writes {
			k := (n*page + i) % benchCases
			writes[i] = newCase(k, c.now().Add(time.Hour+time.Duration(rand.Int64N(int64(5*24*time.Hour)))))
			writes[i].Expect = versions[k]
			versions[k]++
		}
		out, err := s.PutCases(context.Background(), writes)
		if err != nil || out[0].Stale {
			b.Fatal(out, err)
		}
	}
	b.ReportMetric(float64(b.N*page)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkClaimAck(b *testing.B) {
	s, c := benchStore(b)
	const batch = 1000
	b.ReportAllocs()
	b.ResetTimer()
	total := 0
	for range b.N {
		c.advance(40 * time.Minute)
		for {
			due, err := s.ClaimCases(context.Background(), c.now(), time.Minute, batch)
			if err != nil {
				b.Fatal(err)
			}
			writes := make([]sla.CaseWrite, len(due))
			for i, r := range due {
				r.Next = c.now().Add(time.Hour + time.Duration(rand.Int64N(int64(24*time.Hour))))
				r.Warned++
				writes[i] = sla.CaseWrite{CaseRecord: r, Expect: r.Version}
			}
			if len(due) > 0 {
				if out, err := s.PutCases(context.Background(), writes); err != nil || out[0].Stale {
					b.Fatal(out[0], err)
				}
			}
			total += len(due)
			if len(due) < batch {
				break
			}
		}
	}
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "entries/s")
}
