package main

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
)

// Sizes of the bench's pieces. There is one worker for each of two cores, on our side and on asynq's.
const (
	benchStore       = sla.StoreID("AE01")
	idleStore        = sla.StoreID("ID01")
	idlePlatformName = sla.Platform("idle")
	pageRows         = 50
	fillPage         = 500 // while filling, which is not measured
	pollers          = 2
)

// A rig is one redis-server with a store on it.
type rig struct {
	addr  string
	rdb   redis.UniversalClient
	store *store.Store
}

// newRig opens a store whose memory is an hour old, so that nothing is frozen.
func newRig(ctx context.Context, addr string) (*rig, error) {
	r := &rig{addr: addr, rdb: redis.NewUniversalClient(&redis.UniversalOptions{Addrs: []string{addr}})}
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// benchStores are the stores of the bench.
func benchStores() map[sla.StoreID]sla.Platform {
	return map[sla.StoreID]sla.Platform{benchStore: "aliexpress", "T17": "track17", idleStore: idlePlatformName}
}

func (r *rig) open(ctx context.Context) error {
	old := func() time.Time { return time.Now().Add(-time.Hour) }
	first, err := store.Open(ctx, r.rdb, store.Options{Now: old, Stores: benchStores()})
	if err != nil {
		return err
	}
	if _, err := first.CheckEpoch(ctx, old()); err != nil {
		return err
	}
	r.store, err = store.Open(ctx, r.rdb, store.Options{Now: time.Now, Stores: benchStores()})
	if err != nil {
		return err
	}
	_, err = r.store.CheckEpoch(ctx, time.Now())
	return err
}

// wipe empties the server and opens a fresh store on it.
func (r *rig) wipe(ctx context.Context) error {
	if err := r.rdb.FlushAll(ctx).Err(); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	return r.open(ctx)
}

func (r *rig) close() { _ = r.rdb.Close() }

func (r *rig) asynq() asynq.RedisClientOpt { return asynq.RedisClientOpt{Addr: r.addr} }

// nativeID is a dispute's id as AliExpress gives them: sixteen digits.
func nativeID(i int) string { return strconv.Itoa(9_123_456_700_000_000 + i*37) }

// benchCase is an open dispute as they are: an order, an amount in the buyer's currency, a turn, a deadline within five days.
func benchCase(i int, next time.Time) sla.CaseWrite {
	opened := next.Add(-2 * 24 * time.Hour).Truncate(time.Second)
	c := sla.CaseWrite{}
	c.ID = sla.DisputeID{Platform: "aliexpress", Store: benchStore, Native: nativeID(i)}
	c.Order = strconv.Itoa(8_190_000_000_000_000 + i*91)
	c.State, c.Reason = sla.StateSeller, sla.ReasonNotReceived
	c.Claimed = sla.Money{Minor: int64(500 + i%9000), Currency: "USD"}
	c.Obligation = sla.Obligation{
		Turn: sla.Turn(uint64(i+1) * 0x9e3779b97f4a7c15), Kinds: sla.Answers(sla.AnswerAccept, sla.AnswerOffer, sla.AnswerRefuse),
		Opened: opened, Deadline: opened.Add(5 * 24 * time.Hour), Cost: c.Claimed,
	}
	c.Next, c.Fingerprint = next, uint64(i+1)*0xbf58476d1ce4e5b9
	return c
}

// spread is when the i-th of n cases is looked at: evenly over the five days of the window, from tomorrow on.
func spread(base time.Time, i, n int) time.Time {
	const window = 5 * 24 * time.Hour
	return base.Add(24*time.Hour + time.Duration(float64(window)*float64(i)/float64(n)))
}

// fill records n open cases.
func (r *rig) fill(ctx context.Context, n int, next func(i int) time.Time) error {
	return pages(ctx, n, fillPage, func(ctx context.Context, from, to int) error {
		_, err := r.store.PutCases(ctx, writesOf(from, to, next, 0))
		return err
	})
}

// pages cuts n things into pages and does them, a few at once.
func pages(ctx context.Context, n, size int, do func(ctx context.Context, from, to int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(pollers)
	for from := 0; from < n; from += size {
		to := min(from+size, n)
		g.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return do(ctx, from, to)
		})
	}
	return g.Wait()
}

// enqueue hands n no-op tasks to asynq, as a program without us would: a payload of JSON and a task id each.
func (r *rig) enqueue(ctx context.Context, n int, run string, opts func(i int) []asynq.Option) error {
	client := asynq.NewClient(r.asynq())
	defer func() { _ = client.Close() }()
	return pages(ctx, n, pageRows, func(ctx context.Context, from, to int) error {
		for i := from; i < to; i++ {
			if err := enqueueOne(ctx, client, nativeID(i), run, opts, i); err != nil {
				return err
			}
		}
		return nil
	})
}

func enqueueOne(ctx context.Context, client *asynq.Client, id, run string, opts func(i int) []asynq.Option, i int) error {
	task := asynq.NewTask("dispute", []byte(`{"v":1,"store":"AE01","id":"`+id+`"}`))
	all := []asynq.Option{asynq.TaskID("dispute:" + run + ":" + id)}
	if opts != nil {
		all = append(all, opts(i)...)
	}
	_, err := client.EnqueueContext(ctx, task, all...)
	return err
}

// serve runs an asynq server until n tasks were handled, and gives the time that took.
func (r *rig) serve(ctx context.Context, n int, config asynq.Config, each func(*asynq.Task)) (time.Duration, error) {
	config.LogLevel = asynq.ErrorLevel
	if config.Concurrency == 0 {
		config.Concurrency = 32
	}
	srv := asynq.NewServer(r.asynq(), config)
	var mu sync.Mutex
	left, done := n, make(chan struct{})
	handler := asynq.HandlerFunc(func(_ context.Context, t *asynq.Task) error {
		if each != nil {
			each(t)
		}
		mu.Lock()
		defer mu.Unlock()
		if left--; left == 0 {
			close(done)
		}
		return nil
	})
	start := time.Now()
	if err := srv.Start(handler); err != nil {
		return 0, fmt.Errorf("start asynq: %w", err)
	}
	defer srv.Shutdown()
	select {
	case <-done:
		return time.Since(start), nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	case <-time.After(5 * time.Minute):
		return 0, fmt.Errorf("asynq did not handle %d tasks in time", n)
	}
}

// writesOf makes cases a to z, numbered from an offset on.
func writesOf(a, z int, next func(i int) time.Time, offset int) []sla.CaseWrite {
	writes := make([]sla.CaseWrite, 0, z-a)
	for i := a; i < z; i++ {
		writes = append(writes, benchCase(offset+i, next(i)))
	}
	return writes
}
