package fleet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"watchkeeper/workers/job"
)

// takeJobs serves the queue, where that is this process' role. asynq's server works once: after it was shut down a new one takes jobs.
func (f *Fleet) takeJobs() error {
	if !f.plays(RoleWork) {
		f.taking = true
		return nil
	}
	f.queue = newServer(f.server, f.o)
	if err := f.queue.Start(f.handlers.Mux()); err != nil {
		return fmt.Errorf("start queue: %w", err)
	}
	f.taking = true
	return nil
}

// leaveJobs lets the running jobs come to their ends and takes no other.
func (f *Fleet) leaveJobs() {
	if f.queue != nil {
		f.queue.Shutdown()
	}
}

// newServer makes asynq's server. Each setting answers something that was measured of asynq v0.26 (see the README of this folder).
func newServer(rdb redis.UniversalClient, o Options) *asynq.Server {
	return asynq.NewServerFromRedisClient(rdb, asynq.Config{
		Concurrency: o.Config.Workers.Concurrency,
		// Weighted, not strict: on a cluster a dead shard of the first queue would stop all the others.
		Queues: job.Queues(),
		// Longer than a job's budget: a job that is requeued while its old goroutine is still in a call would run beside itself.
		ShutdownTimeout: o.Config.Workers.Shutdown,
		// asynq's own default of a second would be the floor of every latency.
		TaskCheckInterval: o.Idle,
		// Only crashes and outages of Redis come here, and the sweep is faster than any retry.
		RetryDelayFunc: func(n int, _ error, _ *asynq.Task) time.Duration {
			return time.Duration(1<<min(n, 6))*time.Second + rand.N(time.Second) //nolint:gosec // spreading load needs no secrecy
		},
		DelayedTaskCheckInterval: time.Second,
		Logger:                   queueLog{o.Log.Named("queue").Sugar()},
		LogLevel:                 asynq.WarnLevel,
		ErrorHandler: asynq.ErrorHandlerFunc(func(_ context.Context, t *asynq.Task, err error) {
			o.Log.Named("queue").Warn("job failed", zap.String("kind", t.Type()), zap.Error(err))
		}),
	})
}

// queueLog gives asynq our logger; nothing of it ends the process.
type queueLog struct{ *zap.SugaredLogger }

func (l queueLog) Fatal(args ...any) { l.Error(args...) }

// queueHook mends two things of asynq's Redis client. A job that ends while Redis is away is never marked as done, because asynq
// retries that with a context that is cancelled already: such a command goes on with a short time of its own. And a worker that is
// refused (memory full, no permission) asks again at once, thousands of times a second: it waits a little after each error.
type queueHook struct{}

const (
	afterCancel = 3 * time.Second
	afterError  = 100 * time.Millisecond
)

func (queueHook) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (queueHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		run, cancel := outlive(ctx)
		defer cancel()
		err := next(run, cmd)
		slow(run, err)
		return err
	}
}

func (queueHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		run, cancel := outlive(ctx)
		defer cancel()
		err := next(run, cmds)
		slow(run, err)
		return err
	}
}

func outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return context.WithTimeout(context.WithoutCancel(ctx), afterCancel)
	}
	return ctx, func() {}
}

// slow waits after an error of Redis; a missing key and the NOSCRIPT of a first call are none.
func slow(ctx context.Context, err error) {
	if err == nil || errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "NOSCRIPT") {
		return
	}
	t := time.NewTimer(afterError)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// empty reports whether no job waits or runs.
func (f *Fleet) empty(ctx context.Context) (bool, error) {
	if err := job.NameQueues(ctx, f.server); err != nil {
		return false, err
	}
	for queue := range job.Queues() {
		info, err := f.inspect.GetQueueInfo(queue)
		if err != nil {
			return false, fmt.Errorf("inspect queue %s: %w", queue, err)
		}
		if info.Pending+info.Active > 0 {
			return false, nil
		}
	}
	return true, nil
}
