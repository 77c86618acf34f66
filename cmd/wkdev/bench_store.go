package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"golang.org/x/sync/errgroup"

	"watchkeeper/sla"
	"watchkeeper/workers/sweep"
)

// scheduled is how many scheduled tasks asynq's bytes are measured with: each costs the same.
const scheduled = 50_000

// memory measures what an open case and a parcel cost, beside one scheduled task.
func (b *bench) memory(ctx context.Context, r *rig) ([]benchRow, error) {
	base := time.Now()
	perCase, err := r.grows(ctx, b.cases, func() error {
		return r.fill(ctx, b.cases, func(i int) time.Time { return spread(base, i, b.cases) })
	})
	if err != nil {
		return nil, err
	}
	perParcel, err := r.grows(ctx, b.cases, func() error { return r.fillParcels(ctx, b.cases, base) })
	if err != nil {
		return nil, err
	}
	perTask, err := r.grows(ctx, scheduled, func() error {
		return r.enqueue(ctx, scheduled, "m", func(i int) []asynq.Option {
			return []asynq.Option{asynq.ProcessAt(spread(base, i, scheduled))}
		})
	})
	if err != nil {
		return nil, err
	}
	return []benchRow{
		less("Redis bytes for an open case with its timer", "bytes", perCase, perTask),
		less("Redis bytes for a parcel with its next look and fingerprint", "bytes", perParcel, perTask),
	}, nil
}

// grows gives by how much the server's memory grows for each of n things, on an empty server.
func (r *rig) grows(ctx context.Context, n int, do func() error) (float64, error) {
	if err := r.wipe(ctx); err != nil {
		return 0, err
	}
	before, err := used(ctx, r.rdb)
	if err != nil {
		return 0, err
	}
	if err := do(); err != nil {
		return 0, err
	}
	after, err := used(ctx, r.rdb)
	return (after - before) / float64(n), err
}

// fillParcels records parcels as they are: a postal number, a lane, a milestone, a last event, looked at twice a day.
func (r *rig) fillParcels(ctx context.Context, n int, base time.Time) error {
	return pages(ctx, n, fillPage, func(ctx context.Context, from, to int) error {
		writes := make([]sla.ShipmentWrite, 0, to-from)
		for i := from; i < to; i++ {
			w := sla.ShipmentWrite{}
			w.Store, w.Ref.Number = "T17", fmt.Sprintf("LP%014dCN", 100_000_000_000+i*37)
			w.Lane = sla.Lane{Carrier: strconv.Itoa(190_000 + i%300), Origin: "CN", Dest: []string{"BR", "US", "FR", "ES"}[i%4]}
			w.Milestone, w.LastEvent = sla.MilestoneInTransit, base.Add(-time.Duration(i%600)*time.Hour)
			w.Next = base.Add(time.Hour + time.Duration(float64(12*time.Hour)*float64(i)/float64(n)))
			w.Fingerprint = uint64(i+1) * 0xbf58476d1ce4e5b9
			writes = append(writes, w)
		}
		_, err := r.store.PutShipments(ctx, writes)
		return err
	})
}

// record measures changed rows, recorded and armed in pages, beside one enqueued task each.
func (b *bench) record(ctx context.Context, r *rig) ([]benchRow, error) {
	base := time.Now()
	if err := r.fill(ctx, b.cases, func(i int) time.Time { return spread(base, i, b.cases) }); err != nil {
		return nil, err
	}
	n := min(b.cases, 200_000)
	round := 0
	ours, err := median(b.rounds, func() (float64, error) {
		round++
		expect := uint32(round)
		return perSecond(n, func() error {
			return pages(ctx, n, pageRows, func(ctx context.Context, from, to int) error {
				return r.change(ctx, from, to, expect, spread(base, from+round, n).Add(time.Hour))
			})
		})
	})
	if err != nil {
		return nil, err
	}
	tasks := min(n, 50_000)
	theirs, err := median(b.rounds, func() (float64, error) {
		round++
		return perSecond(tasks, func() error { return r.enqueue(ctx, tasks, strconv.Itoa(round), nil) })
	})
	if err != nil {
		return nil, err
	}
	return []benchRow{rate("changed rows recorded and armed", "rows/s", ours, theirs)}, nil
}

// change writes a page of cases that differ from what is recorded.
func (r *rig) change(ctx context.Context, from, to int, expect uint32, next time.Time) error {
	writes := make([]sla.CaseWrite, 0, to-from)
	for i := from; i < to; i++ {
		w := benchCase(i, next)
		w.Expect, w.Fingerprint = expect, w.Fingerprint+uint64(expect)
		writes = append(writes, w)
	}
	results, err := r.store.PutCases(ctx, writes)
	if err == nil && slices.ContainsFunc(results, func(p sla.PutResult) bool { return p.Stale }) {
		return fmt.Errorf("a write of rows %d to %d was stale: the figure would count less work", from, to)
	}
	return err
}

// due measures due entries claimed, recorded and acknowledged, beside tasks processed by one server.
func (b *bench) due(ctx context.Context, r *rig) ([]benchRow, error) {
	base := time.Now().Truncate(time.Millisecond) // the store's resolution
	n := min(b.cases, 200_000)
	err := r.fill(ctx, b.cases, func(i int) time.Time {
		if i < n {
			return base.Add(-time.Duration(i%3600) * time.Second)
		}
		return spread(base, i, b.cases)
	})
	if err != nil {
		return nil, err
	}
	round := 0
	tasks := min(n, 30_000)
	figures, err := inTurn(b.rounds, func() (float64, error) {
		now := base.Add(time.Duration(round) * time.Hour)
		round++
		return perSecond(n, func() error { return r.claimAll(ctx, n, now) })
	}, func() (float64, error) {
		if err := r.enqueue(ctx, tasks, strconv.Itoa(round), nil); err != nil {
			return 0, err
		}
		took, err := r.serve(ctx, tasks, asynq.Config{}, nil)
		return float64(tasks) / took.Seconds(), err
	})
	if err != nil {
		return nil, err
	}
	ours, theirs := figures[0], figures[1]
	return []benchRow{rate("due entries claimed, recorded, acknowledged", "entries/s", ours, theirs)}, nil
}

// claimAll claims everything that is due and writes each back with its next look an hour later, spread over the hour.
func (r *rig) claimAll(ctx context.Context, n int, now time.Time) error {
	var mu sync.Mutex
	total := 0
	g, ctx := errgroup.WithContext(ctx)
	for range 2 {
		g.Go(func() error {
			for {
				claimed, err := r.store.ClaimCases(ctx, now, time.Minute, sweep.Batch)
				if err != nil || len(claimed) == 0 {
					return err
				}
				writes := make([]sla.CaseWrite, len(claimed))
				for i, c := range claimed {
					c.Next = now.Add(time.Hour - time.Duration(i%3600)*time.Second)
					c.Warned++
					writes[i] = sla.CaseWrite{CaseRecord: c, Expect: c.Version}
				}
				if _, err := r.store.PutCases(ctx, writes); err != nil {
					return err
				}
				mu.Lock()
				total += len(claimed)
				mu.Unlock()
			}
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if total != n {
		return fmt.Errorf("claimed %d of %d: the figure would be wrong", total, n)
	}
	return nil
}
