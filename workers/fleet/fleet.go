package fleet

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/intake"
	"watchkeeper/workers/job"
	"watchkeeper/workers/meter"
	"watchkeeper/workers/notify"
	"watchkeeper/workers/poll"
	"watchkeeper/workers/store"
	"watchkeeper/workers/sweep"
	"watchkeeper/workers/trace"
)

// A Fleet is one process' share of the work.
type Fleet struct {
	o        Options
	log      *zap.Logger
	reg      *prometheus.Registry
	store    *store.Store
	shared   shared // of the connectors
	jobs     *job.Client
	sources  connectors.Sources
	poller   *poll.Runner
	sweeper  *sweep.Sweeper
	obeyer   *sweep.Obeyer
	watch    *sweep.Watch
	handlers *handle.Handlers
	meter    *meter.Meter
	hooks    *notify.Poster
	queue    *asynq.Server         // nil until jobs are taken
	server   redis.UniversalClient // of the queue
	inspect  *asynq.Inspector
	mender   *job.Mender
	backlog  *backlog
	census   *censusCollector
	lookout  *lookout
	listener net.Listener
	admin    net.Listener // nil: nobody asked for it
	stops    []step
	process  string // names this process among the replicas
	roles    []Role
	beat     atomic.Int64 // the last sweep that went through, in Unix milliseconds of the fleet's clock
	started  atomic.Bool
	clock    *timekeeper
	trace    *trace.Tracer         // nil: nothing is traced
	taking   bool                  // work is not laid down; of the loop that watches the clock
	warned   bool                  // of the platforms' clocks; of the same loop
	drained  int64                 // jobs sent when the queue was last seen empty; only Step uses it
	alarmed  map[sla.Platform]bool // of whose present shortage of time this process need not page any more; only measure uses it
}

// step is one part's end. Steps run in the reverse of the order in which they were added.
type step struct {
	name string
	stop func(context.Context) error
}

// New builds a fleet and listens, but starts nothing. What was built is undone when something fails.
func New(ctx context.Context, o Options) (*Fleet, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	f := &Fleet{o: o, log: o.Log.Named("fleet"), reg: prometheus.NewRegistry(), process: rand.Text(), alarmed: map[sla.Platform]bool{}}
	f.roles, _ = o.Config.Workers.roles() // validated above
	f.tellRoles()
	f.clock = newTimekeeper(o.Now, f.reg)
	for _, w := range Warnings(o.Config, o.Book) {
		f.log.Warn("the configuration may not mean what it says", zap.String("warning", w))
	}
	for _, build := range []func(context.Context) error{f.openTrace, f.openStore, f.openQueue, f.openPlatforms, f.openHooks, f.wire, f.listen} {
		if err := build(ctx); err != nil {
			return nil, errors.Join(err, f.Stop(context.WithoutCancel(ctx)))
		}
	}
	return f, nil
}

func (f *Fleet) onStop(name string, stop func(context.Context) error) {
	f.stops = append(f.stops, step{name: name, stop: stop})
}

// connect opens a Redis client of its own for a part.
func (f *Fleet) connect(name string, change func(*redis.UniversalOptions)) (redis.UniversalClient, error) {
	opts, err := f.o.Config.Redis.client()
	if err != nil {
		return nil, err
	}
	opts.ClientName = "watchkeeper-" + name
	if change != nil {
		change(opts)
	}
	rdb := redis.NewUniversalClient(opts)
	seekMasters(rdb)
	f.onStop("redis "+name, func(context.Context) error { return rdb.Close() })
	return rdb, nil
}

func (f *Fleet) openStore(ctx context.Context) error {
	rdb, err := f.connect("store", nil)
	if err != nil {
		return err
	}
	f.store, err = store.Open(ctx, rdb, f.storeOptions())
	if err != nil {
		return err
	}
	f.shared = timed{f.store, f.clock}
	for _, w := range f.store.Warnings() {
		f.log.Warn("redis may lose writes", zap.String("warning", w))
	}
	return nil
}

func (f *Fleet) storeOptions() store.Options {
	platforms := map[sla.StoreID]sla.Platform{}
	for _, s := range f.o.Book.Stores() {
		platforms[s.ID] = s.Platform
	}
	return store.Options{Shards: f.o.Config.Redis.Shards, Now: f.o.Now, Stores: platforms, Settle: f.settle(), Log: f.o.Log, Ran: scriptTimes(f.reg)}
}

// settle is the longest settle window of any rule at any time: after a loss of memory nothing is sent before every effect would show.
func (f *Fleet) settle() time.Duration {
	var longest time.Duration
	for _, from := range append(f.o.Book.Eras(), time.Time{}) {
		book := f.o.Book.At(from)
		for _, s := range book.Stores() {
			for _, r := range sla.Reasons() {
				longest = max(longest, book.For(s.Platform, s.ID, r).Settle.Value)
			}
		}
	}
	return cmp.Or(longest, sla.DefaultRule().Settle.Value) // without stores nothing is sent, and a store wants a window
}

func (f *Fleet) openQueue(context.Context) error {
	// The enqueueing client repeats nothing by itself: a repeated script whose first reply was lost makes a second job.
	client, err := f.connect("enqueue", func(o *redis.UniversalOptions) { o.MaxRetries = -1 })
	if err != nil {
		return err
	}
	job.Once(client)
	server, err := f.connect("queue", func(o *redis.UniversalOptions) { o.ContextTimeoutEnabled = false })
	if err != nil {
		return err
	}
	f.jobs = job.NewClient(asynq.NewClientFromRedisClient(client))
	f.inspect = asynq.NewInspectorFromRedisClient(client)
	f.backlog = newBacklog(f.inspect, f.reg)
	if f.mender, err = job.NewMender(client); err != nil {
		return err
	}
	server.AddHook(queueHook{})
	f.server = server
	return nil
}

func (f *Fleet) wire(context.Context) error {
	names := f.o.Registry.Names()
	book := f.wary()
	timed := timed{f.store, f.clock}
	in := intake.New(intake.Deps{
		Store: timed, Rules: book, Jobs: f.jobs, Tracker: f.tracker(), Now: f.o.Now, Log: f.o.Log, Metrics: intake.NewMetrics(f.reg, names),
		Trace: f.trace,
	})
	f.handlers = handle.New(handle.Deps{
		Store: timed, Ledger: timed, Money: timed, Audit: f.store, Intake: in, Rules: book, Jobs: f.jobs, Sources: f.sources,
		Notify: f.notifier(), Meter: f.meter, Brake: f.store, Frozen: f.store.FrozenUntil,
		Compared: func() bool { return f.o.VirtualTime || f.clock.shared() }, // one clock, or each held against that of Redis
		Now:      f.o.Now, Log: f.o.Log, Metrics: handle.NewMetrics(f.reg, names), AtOnce: true, Limit: f.atOnce, Trace: f.trace,
	})
	f.poller = poll.New(timed, f.feeds(in), f.o.Now, f.o.Log, poll.NewMetrics(f.reg, names))
	f.poller.Trace(f.trace)
	swept := sweep.NewMetrics(f.reg)
	f.sweeper = sweep.New(f.store, f.jobs, f.sources, f.o.Now, f.o.Log, swept, f.relearn)
	f.sweeper.Under(f.pressure)
	f.watch = sweep.NewWatch(f.store, poll.Lease, f.o.Now, f.o.Log, swept)
	f.obeyer = &sweep.Obeyer{Store: f.store, Sources: f.sources, Rules: book, Name: f.ruling, Now: f.o.Now, Log: f.log}
	f.census, f.lookout = newCensusCollector(f.sources), newLookout(f.reg, f.sources)
	f.reg.MustRegister(f.census, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		newStoreCollector(f.store, f.o.Book, f.census.names, f.o.Now), newMeterCollector(f.o.Book, f.meter, f.o.Now))
	return nil
}

// relearn arms every feed again after a loss of memory, where feeds are read.
func (f *Fleet) relearn(ctx context.Context) error {
	if !f.plays(RolePoll) {
		return nil
	}
	f.poller.Forget()
	return f.poller.Ensure(ctx)
}

// Registry gives the fleet's metrics.
func (f *Fleet) Registry() *prometheus.Registry { return f.reg }

// Store gives the fleet's records, for the tools that read them.
func (f *Fleet) Store() *store.Store { return f.store }

// Addr is where metrics and probes are served.
func (f *Fleet) Addr() string { return f.listener.Addr().String() }

// AdminAddr is where the profiler and the settings are served; empty when they are not.
func (f *Fleet) AdminAddr() string {
	if f.admin == nil {
		return ""
	}
	return f.admin.Addr().String()
}
