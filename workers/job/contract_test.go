package job_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"watchkeeper/workers/job"
	"watchkeeper/workers/store/storetest"
)

// What these tests hold is not ours: it is what asynq and go-redis do, and what our settings and parts are made for. When one of them fails after an
// upgrade, the setting that it names (see the README of workers/fleet) is to be thought over.

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// ground is a real server with asynq's hands on it.
type ground struct {
	t       *testing.T
	addr    string
	rdb     redis.UniversalClient
	client  *asynq.Client
	inspect *asynq.Inspector
}

func newGround(t *testing.T) *ground {
	t.Helper()
	g := &ground{t: t, addr: storetest.Start(t)}
	g.rdb = storetest.Connect(t, g.addr)
	g.client, g.inspect = asynq.NewClientFromRedisClient(g.rdb), asynq.NewInspectorFromRedisClient(g.rdb)
	return g
}

func (g *ground) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

// enqueue gives a task an id in the queue of cases.
func (g *ground) enqueue(id string, o ...asynq.Option) error {
	_, err := g.client.EnqueueContext(g.t.Context(), asynq.NewTask("case.assess", nil), append([]asynq.Option{asynq.Queue(job.QueueCases), asynq.TaskID(id)}, o...)...)
	return err
}

// serve works on every queue until the test ends, and gives what asynq says.
func (g *ground) serve(work func(context.Context, *asynq.Task) error) (*asynq.Server, *observer.ObservedLogs) {
	g.t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	srv := asynq.NewServerFromRedisClient(g.rdb, asynq.Config{
		Concurrency: 4, Queues: job.Queues(), TaskCheckInterval: 20 * time.Millisecond, DelayedTaskCheckInterval: 50 * time.Millisecond,
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return time.Hour }, Logger: zap.New(core).Sugar(), LogLevel: asynq.DebugLevel,
		ShutdownTimeout: time.Second,
	})
	g.must(srv.Start(asynq.HandlerFunc(work)))
	g.t.Cleanup(srv.Shutdown)
	return srv, logs
}

// eventually waits for what must come to pass.
func (g *ground) eventually(what string, is func() bool) {
	g.t.Helper()
	tick, end := time.NewTicker(10*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-end:
			g.t.Fatalf("it never came to this: %s", what)
		}
	}
}

func (g *ground) state(id string) string {
	info, err := g.inspect.GetTaskInfo(job.QueueCases, id)
	if err != nil {
		return "none"
	}
	return info.State.String()
}

// died makes a pending task look like one whose worker has died a while ago.
func (g *ground) died(id string) {
	g.t.Helper()
	prefix := "asynq:{" + job.QueueCases + "}:"
	pipe := g.rdb.Pipeline()
	pipe.LRem(g.t.Context(), prefix+"pending", 0, id)
	pipe.LPush(g.t.Context(), prefix+"active", id)
	pipe.HSet(g.t.Context(), prefix+"t:"+id, "state", "active")
	pipe.ZAdd(g.t.Context(), prefix+"lease", redis.Z{Score: 1, Member: id})
	_, err := pipe.Exec(g.t.Context())
	g.must(err)
}

// An id is taken as long as there is anything of its task, also when that will never run: so we keep nothing, and a conflict is no promise.
func TestAsynqTakesAnIDForAsLongAsAnythingOfItsTaskIsLeft(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	free := make(chan struct{})
	g.serve(func(ctx context.Context, _ *asynq.Task) error {
		switch id, _ := asynq.GetTaskID(ctx); id {
		case "active":
			<-free
		case "retry":
			return errors.New("again")
		case "archived":
			return asynq.SkipRetry
		}
		return nil
	})
	defer close(free)
	for id, c := range map[string]struct {
		option asynq.Option
		want   string
	}{
		"scheduled": {asynq.ProcessIn(time.Hour), "scheduled"}, "active": {asynq.MaxRetry(5), "active"}, "retry": {asynq.MaxRetry(5), "retry"},
		"archived": {asynq.MaxRetry(5), "archived"}, "kept": {asynq.Retention(time.Hour), "completed"}, "done": {asynq.MaxRetry(5), "none"},
	} {
		g.must(g.enqueue(id, c.option))
		g.eventually(id+" is "+c.want, func() bool { return g.state(id) == c.want })
		err := g.enqueue(id, asynq.ProcessIn(time.Hour))
		if taken := c.want != "none"; errors.Is(err, asynq.ErrTaskIDConflict) != taken || !taken && err != nil {
			t.Errorf("%s: want its id taken %v, got %v", id, taken, err)
		}
	}
}

// deaf loses the first reply after it was told to, and the connection with it.
type deaf struct {
	net.Conn
	drop      *atomic.Bool
	meanwhile func()
}

func (d deaf) Read(b []byte) (int, error) {
	n, err := d.Conn.Read(b)
	if err == nil && d.drop.CompareAndSwap(true, false) {
		d.meanwhile()
		_ = d.Close()
		return 0, fmt.Errorf("lost after %d bytes: %w", n, io.EOF)
	}
	return n, err
}

// A client of Redis repeats a script whose reply was lost, and a job that a worker was quick to do is there once more: that is why ours for the
// queue repeats nothing, and says that it does not know.
func TestAnEnqueueWhoseReplyIsLostIsRepeatedUnlessForbidden(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		retries int
		again   int
		failed  bool
	}{"as it comes": {0, 1, false}, "repeating nothing": {-1, 0, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGround(t)
			var drop atomic.Bool
			done := 0
			worker := func() {
				n, err := g.inspect.DeleteAllPendingTasks(job.QueueCases)
				g.must(err)
				done += n
			}
			rdb := redis.NewUniversalClient(&redis.UniversalOptions{Addrs: strings.Split(g.addr, ","), MaxRetries: c.retries, Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
				return deaf{conn, &drop, worker}, err
			}})
			defer rdb.Close()
			if c.failed {
				job.Once(rdb)
			}
			client := asynq.NewClientFromRedisClient(rdb)
			once := func() error {
				_, err := client.EnqueueContext(t.Context(), asynq.NewTask("case.assess", nil), asynq.Queue(job.QueueCases), asynq.TaskID("x"))
				return err
			}
			g.must(once()) // the script is known from here on
			worker()
			drop.Store(true)
			err := once()
			waiting, listErr := g.inspect.ListPendingTasks(job.QueueCases)
			g.must(listErr)
			if done != 2 || len(waiting) != c.again || (err != nil) != c.failed {
				t.Errorf("want %d more tasks and an error %v, got %d after %d and %v", c.again, c.failed, len(waiting), done, err)
			}
		})
	}
}

// One entry that asynq cannot read ends the recovery of all others of its queue, and of all queues of its server; the mender brings it back.
func TestOneUnreadableRunningJobEndsRecoveryUntilItIsMended(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	g.must(g.enqueue("good", asynq.MaxRetry(5)))
	g.died("good")
	prefix := "asynq:{" + job.QueueCases + "}:"
	g.must(g.rdb.HSet(t.Context(), prefix+"t:bad", "msg", "\xde\xad").Err())
	g.died("bad")
	srv, logs := g.serve(func(context.Context, *asynq.Task) error { return nil })
	g.eventually("the recoverer gives up", func() bool {
		return slices.ContainsFunc(logs.All(), func(l observer.LoggedEntry) bool {
			return strings.Contains(l.Message, "could not list lease expired tasks")
		})
	})
	if got := g.state("good"); got != "active" {
		t.Fatalf("want the readable job stuck, too, got %s", got)
	}
	srv.Shutdown()
	mender, err := job.NewMender(g.rdb)
	g.must(err)
	dropped, err := mender.Mend(t.Context())
	if err != nil || len(dropped) != 1 || dropped[job.QueueCases] != 1 {
		t.Fatalf("want one entry taken out, got %v (%v)", dropped, err)
	}
	g.serve(func(context.Context, *asynq.Task) error { return nil })
	g.eventually("the readable job is tried again", func() bool { return g.state("good") == "retry" })
}

// A job with no tries left whose worker dies is archived and not run: so ours always have some.
func TestAJobWithoutRetriesWhoseWorkerDiedIsArchivedUnrun(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	g.must(g.enqueue("once", asynq.MaxRetry(0)))
	g.died("once")
	var ran atomic.Bool
	g.serve(func(context.Context, *asynq.Task) error { ran.Store(true); return nil })
	g.eventually("the job is archived", func() bool { return g.state("once") == "archived" })
	if ran.Load() {
		t.Error("the job ran")
	}
}

// A job past its Deadline never runs and uses up its tries: so ours have none.
func TestAJobPastItsDeadlineFailsWithoutRunning(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	g.must(g.enqueue("late", asynq.Deadline(time.Now().Add(-time.Minute)), asynq.MaxRetry(5)))
	var ran atomic.Bool
	g.serve(func(context.Context, *asynq.Task) error { ran.Store(true); return nil })
	g.eventually("a try is used up", func() bool { return g.state("late") == "retry" })
	if ran.Load() {
		t.Error("the job ran")
	}
}

// A job is leased for half a minute by the worker's own clock; nothing but time brings back what a killed worker held.
func TestALeaseIsHalfAMinuteByTheWorkersClock(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	g.must(g.enqueue("held"))
	free := make(chan struct{})
	defer close(free)
	before := time.Now().Unix()
	g.serve(func(context.Context, *asynq.Task) error { <-free; return nil })
	g.eventually("the job runs", func() bool { return g.state("held") == "active" })
	lease, err := g.rdb.ZScore(t.Context(), "asynq:{"+job.QueueCases+"}:lease", "held").Result()
	if after := time.Now().Unix(); err != nil || int64(lease) < before+30 || int64(lease) > after+30 {
		t.Errorf("want a lease of 30 s from now, got %v s (%v)", int64(lease)-before, err)
	}
}

// The archive is cut in silence, so its length is a metric.
func TestTheArchiveDropsItsOldestInSilence(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	const full = 10_050
	members := make([]redis.Z, full)
	for i := range members {
		members[i] = redis.Z{Score: float64(time.Now().Unix() - full + int64(i)), Member: fmt.Sprintf("old-%05d", i)}
	}
	archive := "asynq:{" + job.QueueCases + "}:archived"
	g.must(g.rdb.ZAdd(t.Context(), archive, members...).Err())
	g.must(g.enqueue("new"))
	g.serve(func(context.Context, *asynq.Task) error { return asynq.SkipRetry })
	g.eventually("the job is archived", func() bool { return g.state("new") == "archived" })
	left, err := g.rdb.ZRange(t.Context(), archive, 0, -1).Result()
	if err != nil || len(left) != 9_999 || left[len(left)-1] != "new" || left[0] != fmt.Sprintf("old-%05d", full-9_998) {
		t.Errorf("want the 9,999 newest, got %d (%v)", len(left), err)
	}
}

// asynq's mux takes a kind that only begins like another, and has an unknown one tried again until the archive: so handlers look kinds up themselves.
func TestTheMuxMatchesByPrefixAndRetriesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	mux := asynq.NewServeMux()
	mux.HandleFunc("case.respond", func(context.Context, *asynq.Task) error { return nil })
	if _, pattern := mux.Handler(asynq.NewTask("case.respond-late", nil)); pattern != "case.respond" {
		t.Errorf("want a match by prefix, got %q", pattern)
	}
	if err := mux.ProcessTask(t.Context(), asynq.NewTask("case.unheard", nil)); !errors.Is(err, asynq.ErrHandlerNotFound) || errors.Is(err, asynq.SkipRetry) {
		t.Errorf("want an error that is tried again, got %v", err)
	}
}
