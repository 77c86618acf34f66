package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/connectors/simulator"
	"watchkeeper/sla"
	"watchkeeper/workers/embedded"
	"watchkeeper/workers/store/storetest"
)

const day = 24 * time.Hour

func play(t *testing.T, o embedded.Options, days int) *embedded.House {
	t.Helper()
	h, err := embedded.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	forward(t, h, days)
	return h
}

func forward(t *testing.T, h *embedded.House, days int) {
	t.Helper()
	if err := h.Until(t.Context(), h.Now().Add(time.Duration(days)*day), nil); err != nil {
		t.Fatal(err)
	}
}

// keeps checks the two promises against the platforms' own log.
func keeps(t *testing.T, h *embedded.House, answered int) {
	t.Helper()
	r := h.World.Report()
	if r.Breached != 0 || r.DoubleEffects != 0 || r.CrossedPerson != 0 {
		t.Errorf("breached %d, double effects %d, across a person's answer %d: want none", r.Breached, r.DoubleEffects, r.CrossedPerson)
	}
	if r.AnsweredInTime < answered {
		t.Errorf("answered %d: want at least %d", r.AnsweredInTime, answered)
	}
}

func TestAWeekEndsWithoutBreachAndWithoutDouble(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string]simulator.Faults{"quiet": {}, "all faults": simulator.AllFaults()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := play(t, embedded.Options{Redis: storetest.StartEmbedded(t), World: simulator.Options{Seed: 3, Days: 7, Disputes: 40, Shipments: 60, Person: true, Faults: faults}}, 7)
			keeps(t, h, 20)
		})
	}
}

func TestWithNobodyOnWatchDeadlinesFall(t *testing.T) {
	t.Parallel()
	h := play(t, embedded.Options{NoFleet: true, World: simulator.Options{Seed: 3, Days: 7, Disputes: 40, Shipments: 60}}, 7)
	if r := h.World.Report(); r.Breached < 10 || len(r.PaidBySilence) == 0 {
		t.Errorf("breached %d, paid %v: the same world must hurt without the fleet", r.Breached, r.PaidBySilence)
	}
}

// TestLossesOfRedisCostNothingButTime takes memory away in the middle of the work, on a real server.
//
// Its steps are short: a list that was never read has the details of two disputes or three at an instant, and the clock goes on only by the calls that are
// made and by steps. With those of a quarter of an hour some of the backlog of the first day is not read before its deadline, on a machine that is loaded.
func TestLossesOfRedisCostNothingButTime(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(context.Context, redis.UniversalClient) error{
		"FLUSHALL": func(ctx context.Context, rdb redis.UniversalClient) error { return rdb.FlushAll(ctx).Err() },
		"every queued job": func(ctx context.Context, rdb redis.UniversalClient) error {
			keys, err := rdb.Keys(ctx, "asynq:*").Result()
			if err != nil || len(keys) == 0 {
				return fmt.Errorf("no queue to lose: %w", err)
			}
			return rdb.Del(ctx, keys...).Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := storetest.Start(t)
			h, err := embedded.New(t.Context(), embedded.Options{Redis: addr, Step: 5 * time.Minute, World: simulator.Options{Seed: 5, Days: 8, Disputes: 300, Shipments: 80, Person: true}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(h.Close)
			forward(t, h, 1)
			if open := h.World.Report().Open; open < 50 {
				t.Fatalf("%d cases open: want at least 50", open)
			} else {
				t.Logf("%d cases open", open)
			}
			rdb := storetest.Hand(storetest.Connect(t, addr))
			if err := lose(t.Context(), rdb); err != nil {
				t.Fatal(err)
			}
			forward(t, h, 7)
			keeps(t, h, 50)
		})
	}
}

// TestARedisThatRefusesWritesCostsNothingButTime makes a real server full, and then without its replica, for two hours each.
func TestARedisThatRefusesWritesCostsNothingButTime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		setting, bad, good string
		want               error
	}{
		"full":            {"maxmemory", "1mb", "0", sla.ErrStoreFull},
		"without replica": {"min-replicas-to-write", "1", "0", sla.ErrStoreReadOnly},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := storetest.Start(t)
			h := play(t, embedded.Options{Redis: addr, World: simulator.Options{Seed: 6, Days: 5, Disputes: 40, Shipments: 30, Person: true}}, 1)
			rdb := storetest.Hand(storetest.Connect(t, addr))
			if err := rdb.ConfigSet(t.Context(), c.setting, c.bad).Err(); err != nil {
				t.Fatal(err)
			}
			refused := 0
			for end := h.Now().Add(2 * time.Hour); h.Now().Before(end); {
				if err := h.Until(t.Context(), end, nil); err != nil {
					if !errors.Is(err, c.want) {
						t.Fatalf("want %v, got %v", c.want, err)
					}
					refused++
				}
			}
			if refused == 0 {
				t.Fatal("the server refused nothing: the test shows nothing")
			}
			if err := rdb.ConfigSet(t.Context(), c.setting, c.good).Err(); err != nil {
				t.Fatal(err)
			}
			forward(t, h, 4)
			keeps(t, h, 15)
		})
	}
}
