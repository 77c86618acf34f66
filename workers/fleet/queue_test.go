package fleet

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"watchkeeper/workers/job"
	"watchkeeper/workers/store/storetest"
)

// outage fails the first try to mark a job as done, as a Redis does that is away at that moment, and tells when the next one was made.
type outage struct {
	mu    sync.Mutex
	tries int
	again chan error // what the second try came to
}

func (o *outage) DialHook(next redis.DialHook) redis.DialHook { return next }

func (o *outage) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (o *outage) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if !slices.ContainsFunc(cmd.Args(), func(a any) bool { text, _ := a.(string); return strings.Contains(text, ":processed:") }) {
			return next(ctx, cmd)
		}
		o.mu.Lock()
		o.tries++
		tries := o.tries
		o.mu.Unlock()
		if tries == 1 {
			cmd.SetErr(io.EOF)
			return io.EOF
		}
		err := next(ctx, cmd)
		if tries == 2 && !redis.HasErrorPrefix(err, "NOSCRIPT") {
			o.again <- err
		} else if tries == 3 {
			select {
			case o.again <- err: // after the script was sent
			default:
			}
		}
		return err
	}
}

// asynq retries to mark a job as done with a context that is cancelled by then: without our hook the job stays among the running ones, and is run
// again when its lease and more are over.
func TestAJobThatEndedInAnOutageIsMarkedAsDoneAfterIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hooks  []redis.Hook
		active int
		cause  error
	}{"with our hook": {[]redis.Hook{queueHook{}}, 0, nil}, "without": {nil, 1, context.Canceled}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rdb := storetest.Connect(t, storetest.Start(t))
			out := &outage{again: make(chan error, 1)}
			for _, h := range append(c.hooks, out) { // the first is the outermost
				rdb.AddHook(h)
			}
			srv := newServer(rdb, Options{Config: Config{Workers: Workers{Concurrency: 1, Shutdown: time.Second}}, Idle: time.Millisecond, Log: zap.NewNop()})
			ran := make(chan struct{}, 2)
			if err := srv.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error { ran <- struct{}{}; return nil })); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(srv.Shutdown)
			if _, err := asynq.NewClientFromRedisClient(rdb).Enqueue(asynq.NewTask("case.assess", nil), asynq.Queue(job.QueueCases)); err != nil {
				t.Fatal(err)
			}
			<-ran
			select {
			case err := <-out.again:
				if !errors.Is(err, c.cause) {
					t.Errorf("want the second try to end with %v, got %v", c.cause, err)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("there was no second try")
			}
			if n := rdb.LLen(t.Context(), "asynq:{"+job.QueueCases+"}:active").Val(); int(n) != c.active {
				t.Errorf("want %d jobs taken for running, got %d", c.active, n)
			}
		})
	}
}

func TestARefusalOfRedisIsWaitedOutAndAMissingKeyIsNot(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err   error
		waits bool
	}{{nil, false}, {redis.Nil, false}, {io.EOF, true}} {
		start := time.Now()
		err := queueHook{}.ProcessHook(func(context.Context, redis.Cmder) error { return c.err })(t.Context(), redis.NewCmd(t.Context(), "get", "x"))
		if took := time.Since(start); !errors.Is(err, c.err) || (took >= afterError) != c.waits {
			t.Errorf("%v: want a wait %v and the error passed on, got %s and %v", c.err, c.waits, took, err)
		}
	}
}
