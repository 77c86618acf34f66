package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hibiken/asynq"

	"watchkeeper/workers/fleet"
	"watchkeeper/workers/sweep"
)

// lag measures how long after its time a case is claimed, when many are due within one second, beside asynq's scheduled tasks with
// its default check and with a faster one.
func (b *bench) lag(ctx context.Context, r *rig) ([]benchRow, error) {
	if err := r.fill(ctx, b.cases, func(i int) time.Time { return spread(time.Now(), i, b.cases) }); err != nil {
		return nil, err
	}
	var rows []benchRow
	for _, n := range []int{10_000, 100_000} {
		ours, err := r.ourLag(ctx, b.cases, n)
		if err != nil {
			return nil, err
		}
		for _, check := range []time.Duration{0, 100 * time.Millisecond} {
			theirs, err := r.asynqLag(ctx, n, check)
			if err != nil {
				return nil, err
			}
			name := fmt.Sprintf("lag p99, %d due in a second", n)
			if check > 0 {
				name += ", asynq checking each " + check.String()
			}
			rows = append(rows, less(name, "ms", ours, theirs))
		}
	}
	return rows, nil
}

// ourLag sweeps at the fleet's own pace while n cases become due within one second. A case claimed early is an error, not a figure.
func (r *rig) ourLag(ctx context.Context, from, n int) (float64, error) {
	start := time.Now().Add(time.Duration(n/20_000+2) * time.Second)
	due := func(i int) time.Time { return start.Add(time.Duration(float64(time.Second) * float64(i) / float64(n))) }
	err := pages(ctx, n, fillPage, func(ctx context.Context, a, z int) error {
		_, err := r.store.PutCases(ctx, writesOf(a, z, due, from))
		return err
	})
	if err != nil {
		return 0, err
	}
	if time.Now().After(start) {
		return 0, fmt.Errorf("arming %d cases took too long for the measurement", n)
	}
	tick := time.NewTicker(fleet.DefaultSweep)
	defer tick.Stop()
	var lags []float64
	for len(lags) < n {
		<-tick.C
		for {
			now := time.Now()
			claimed, err := r.store.ClaimCases(ctx, now, time.Minute, sweep.Batch)
			if err != nil {
				return 0, err
			}
			got := time.Now()
			for _, c := range claimed {
				if c.Next.After(got) {
					return 0, fmt.Errorf("case %s claimed %s early", c.ID, c.Next.Sub(got))
				}
				lags = append(lags, got.Sub(c.Next).Seconds()*1000)
			}
			if len(claimed) < sweep.Batch {
				break
			}
		}
		if time.Since(start) > time.Minute {
			return 0, fmt.Errorf("only %d of %d cases claimed in a minute", len(lags), n)
		}
	}
	return percentile(lags), nil
}

// asynqLag schedules n tasks within one second and measures when their handler starts.
func (r *rig) asynqLag(ctx context.Context, n int, check time.Duration) (float64, error) {
	start := time.Now().Add(time.Duration(n/8_000+3) * time.Second)
	due := func(i int) time.Time { return start.Add(time.Duration(float64(time.Second) * float64(i) / float64(n))) }
	client := asynq.NewClient(r.asynq())
	defer func() { _ = client.Close() }()
	run := strconv.FormatInt(start.UnixNano(), 36)
	err := pages(ctx, n, pageRows, func(ctx context.Context, a, z int) error {
		for i := a; i < z; i++ {
			payload := []byte(strconv.FormatInt(due(i).UnixNano(), 10))
			_, err := client.EnqueueContext(ctx, asynq.NewTask("dispute", payload), asynq.TaskID(run+nativeID(i)), asynq.ProcessAt(due(i)))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	var mu sync.Mutex
	lags := make([]float64, 0, n)
	_, err = r.serve(ctx, n, asynq.Config{DelayedTaskCheckInterval: check}, func(t *asynq.Task) {
		got := time.Now()
		var at int64
		if json.Unmarshal(t.Payload(), &at) == nil {
			mu.Lock()
			lags = append(lags, got.Sub(time.Unix(0, at)).Seconds()*1000)
			mu.Unlock()
		}
	})
	return percentile(lags), err
}

// percentile is the 99th.
func percentile(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)*99/100]
}
