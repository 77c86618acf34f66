package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

func TestProbeMemory(t *testing.T) {
	if os.Getenv("PROBE") == "" {
		t.Skip("probe")
	}
	const day = 24 * time.Hour
	horizons := map[string]func(i int) time.Duration{
		"5d": func(int) time.Duration { return time.Duration(rand.Int64N(int64(5 * day))) },
		"6h": func(int) time.Duration { return time.Duration(rand.Int64N(int64(6 * time.Hour))) },
		"mix": func(i int) time.Duration {
			if i%2 == 0 {
				return time.Duration(rand.Int64N(int64(6 * time.Hour)))
			}
			return 5*day + time.Duration(rand.Int64N(int64(25*day)))
		},
	}
	for _, n := range []int{100_000, 1_000_000} {
		for name, h := range horizons {
			for _, what := range []string{"cases", "shipments"} {
				rdb := redis.NewClient(&redis.Options{Addr: storetest.StartRedis(t)})
				c := newClock()
				s := open(t, rdb, c)
				used, err := store.MeasureMemory(context.Background(), rdb, func(context.Context) error {
					if what == "cases" {
						fill(t, s, n, func(i int) time.Time { return c.now().Add(h(i)) })
						return nil
					}
					for i := 0; i < n; i += 1000 {
						ws := make([]sla.ShipmentWrite, 1000)
						for j := range ws {
							k := i + j
							ws[j] = sla.ShipmentWrite{ShipmentRecord: sla.ShipmentRecord{Store: "AE01", Ref: sla.ShipmentRef{Number: fmt.Sprintf("RB%09dCN", k), Order: fmt.Sprint(8_123_456_789_000_000 + k)},
								Milestone: sla.MilestoneExported, LastEvent: c.now().Add(-time.Duration(k%86400) * time.Second), Next: c.now().Add(h(k)), Fingerprint: rand.Uint64()}}
						}
						if _, err := s.PutShipments(context.Background(), ws); err != nil {
							return err
						}
					}
					return nil
				})
				must(t, err)
				fmt.Printf("%s n=%d %s: %.1f B each\n", what, n, name, float64(used)/float64(n))
				rdb.ShutdownNoSave(context.Background())
			}
		}
	}
}
