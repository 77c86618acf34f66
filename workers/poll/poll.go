// Package poll decides which feed is read when, and owns the cursor protocol: a cursor moves only when everything before it is
// recorded, a failure puts the feed off for longer each time, and a feed that was not read in time is visible as stale. It imports
// sla, connectors and workers/trace; what is done with a page is the Acceptor's business.
package poll

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/trace"
)

// Store is what polling needs of the records.
type Store interface {
	EnsureFeeds(ctx context.Context, feeds []sla.FeedRecord) error
	ClaimFeeds(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]sla.FeedRecord, error)
	BeginFeed(ctx context.Context, feed sla.FeedRecord) (stale bool, err error)
	PutFeed(ctx context.Context, feed sla.FeedRecord) (stale bool, err error)
}

// A Feed is one list of one store.
type Feed struct {
	ID     string // "AE01/disputes"
	Source *connectors.Source
	Fetch  connectors.Feed
	// Pace is how often the list is read as of an instant, and when that changes by itself; zero: never. It is read at that date, too.
	Pace func(now time.Time) (every time.Duration, until time.Time)
	// Accept records a page, and tells how many of its rows were not on record as they are; an error means that the cursor must stay.
	Accept func(ctx context.Context, src *connectors.Source, page connectors.Page) (changed int, err error)
	// Gone is told of rows that a complete snapshot no longer lists; nil when nobody cares.
	Gone func(ctx context.Context, src *connectors.Source, ids []string) error
}

// Timings of polling.
const (
	Lease    = 2 * time.Minute  // a claim of a feed; a feed is read again after it, or when who reads it is found gone for the first time
	maxPages = 400              // of one claim: a walk goes on at the next claim from its cursor
	slots    = 16               // feeds read at once by one process
	longest  = 15 * time.Minute // the most a failing feed is put off, whatever the platform asks for
	strikes  = 3                // readings in a row that end their process; then the feed comes back after longest only
)

// A Runner reads feeds.
type Runner struct {
	store   Store
	feeds   map[string]Feed
	walks   map[string]*walk
	now     func() time.Time
	log     *zap.Logger
	metrics *metrics
	trace   *trace.Tracer // nil: nothing is traced

	spread func(time.Duration) time.Duration // an interval, spread a little
	inTurn bool                              // feeds are read in the goroutine of RunOnce

	mu   sync.Mutex
	busy int
	wg   sync.WaitGroup
}

// New makes a runner of the given feeds.
func New(store Store, feeds []Feed, now func() time.Time, log *zap.Logger, m *Metrics) *Runner {
	r := &Runner{store: store, feeds: map[string]Feed{}, walks: map[string]*walk{}, now: now, log: log.Named("poll"), metrics: m.metrics, spread: jitter}
	for _, f := range feeds {
		r.feeds[f.ID] = f
		r.walks[f.ID] = newWalk()
		for _, m := range []*prometheus.GaugeVec{r.metrics.lastSuccess, r.metrics.refused, r.metrics.interval} {
			m.WithLabelValues(string(f.Source.Store), f.kind()).Set(0) // a feed that was never read has a series, too
		}
	}
	return r
}

// InTurn makes RunOnce read the feeds that it claims one after the other, in the caller's goroutine, and spread polls by spread instead of by
// chance: for simulations, which must be able to repeat a run step by step. It must be called before the first RunOnce.
func (r *Runner) InTurn(spread func(time.Duration) time.Duration) { r.inTurn, r.spread = true, spread }

// Trace makes a span of each reading. It must be called before the first RunOnce.
func (r *Runner) Trace(t *trace.Tracer) { r.trace = t }

func (f Feed) kind() string { return f.ID[len(f.Source.Store)+1:] }

// Ensure makes sure that every feed has its timer. It is cheap and runs with each sweep: a store that lost its memory gets its feeds
// back, from an empty cursor.
func (r *Runner) Ensure(ctx context.Context) error {
	records := make([]sla.FeedRecord, 0, len(r.feeds))
	for _, id := range slices.Sorted(maps.Keys(r.feeds)) {
		records = append(records, sla.FeedRecord{ID: id, Store: r.feeds[id].Source.Store, Next: r.now()})
	}
	if err := r.store.EnsureFeeds(ctx, records); err != nil {
		return fmt.Errorf("ensure feeds: %w", err)
	}
	return nil
}

// Forget drops what this process remembers of running walks, after the store lost its memory.
func (r *Runner) Forget() {
	for _, w := range r.walks {
		w.forget()
	}
}

// Heard tells the runner where the reading of the feeds stands, whoever reads them, for its metrics.
func (r *Runner) Heard(records []sla.FeedRecord) {
	now := r.now()
	for _, rec := range records {
		if feed, ok := r.feeds[rec.ID]; ok {
			every, _ := feed.Pace(now)
			r.metrics.interval.WithLabelValues(string(feed.Source.Store), feed.kind()).Set(every.Seconds())
			r.metrics.success(feed, rec.LastSuccess)
		}
	}
}

// Open tells the runner which rows of a feed were open when the process started, so that the first complete snapshot finds the ones
// that closed while nobody watched.
func (r *Runner) Open(feed, id string) {
	if w := r.walks[feed]; w != nil {
		w.open(id)
	}
}

// RunOnce claims the feeds that are due, as far as there are free slots, and starts reading them. It answers how many it started.
func (r *Runner) RunOnce(ctx context.Context) (int, error) {
	r.mu.Lock()
	free := slots - r.busy
	r.mu.Unlock()
	if free <= 0 {
		return 0, nil
	}
	claimed, err := r.store.ClaimFeeds(ctx, r.now(), Lease, free)
	if err != nil {
		return 0, fmt.Errorf("claim feeds: %w", err)
	}
	started := 0
	for _, rec := range claimed {
		feed, ok := r.feeds[rec.ID]
		if !ok {
			continue // another process' store, or one that is no longer configured: its timer comes back to those who know it
		}
		if !r.walks[rec.ID].start() {
			continue // still being read here: its lease ran out before the platform answered
		}
		started++
		r.mu.Lock()
		r.busy++
		r.mu.Unlock()
		read := func() {
			defer func() {
				r.walks[rec.ID].end()
				r.mu.Lock()
				r.busy--
				r.mu.Unlock()
			}()
			r.read(ctx, feed, rec)
		}
		if r.inTurn {
			read()
		} else {
			r.wg.Go(read)
		}
	}
	return started, nil
}

// Wait returns when no feed is being read.
func (r *Runner) Wait() { r.wg.Wait() }

// read walks a feed from its cursor and writes down where it stands.
func (r *Runner) read(ctx context.Context, feed Feed, rec sla.FeedRecord) {
	ctx, cancel := context.WithTimeoutCause(ctx, Lease-Lease/8, errClaimEnds)
	defer cancel()
	if !r.begin(ctx, feed, &rec) {
		return
	}
	ctx, span := r.trace.Poll(ctx, feed.Source.Platform, feed.Source.Store, feed.kind())
	defer span.End()
	from := rec.Cursor
	brought, err := r.guarded(r.calls(ctx, feed, rec), feed, &rec)
	span.Read(brought.pages, brought.rows, brought.changed, err)
	rec.Strikes = 0
	now := r.now()
	every, until := feed.Pace(now)
	switch {
	case err == nil:
		rec.Failures = 0
		if rec.Next = next(rec.LastSuccess, r.spread(every), now); until.After(now) && until.Before(rec.Next) {
			rec.Next = until
		}
	case connectors.KindOf(err) == connectors.Throttled:
		// Not a failure: the platform is there and asks for patience.
		rec.Next = now.Add(min(max(cmp.Or(connectors.RetryAfter(err), time.Second), 50*time.Millisecond), longest))
	case ctx.Err() != nil && rec.Cursor != from:
		// Not a failure either: we ended a long walk in its middle, and it goes on from here.
		rec.Next = now
	default:
		rec.Failures++
		rec.Next = now.Add(r.spread(backoff(every, rec.Failures)))
	}
	r.metrics.polled(feed, err, now)
	if err != nil && connectors.KindOf(err) != connectors.Throttled && ctx.Err() == nil {
		trace.Log(ctx, r.log).Warn("feed not read", zap.String("feed", feed.ID), zap.Uint32("failures", rec.Failures), zap.Error(err))
	}
	r.metrics.success(feed, rec.LastSuccess)
	// The record is written even when we are stopping: the pages are recorded, and a lost cursor would only read them again.
	ctx, cancel2 := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel2()
	switch stale, err := r.store.PutFeed(ctx, rec); {
	case err != nil:
		r.log.Warn("cursor not kept", zap.String("feed", feed.ID), zap.Error(err))
	case stale:
		r.log.Info("another process reads the feed, too", zap.String("feed", feed.ID)) // it took us for gone, or our lease is over
	}
}

// begin counts a reading before anything of it is fetched, so that one that ends its process is remembered: a list that does so again and again
// would end every process, one after the other. False means that another process has written the record since the claim, or that it cannot
// be written.
func (r *Runner) begin(ctx context.Context, feed Feed, rec *sla.FeedRecord) bool {
	if rec.Strikes > 0 {
		r.metrics.lost.WithLabelValues(string(feed.Source.Platform)).Inc()
	}
	if rec.Strikes >= strikes {
		r.log.Error("a feed ends the processes that read it", zap.String("feed", feed.ID), zap.Uint32("readings", rec.Strikes), zap.Duration("put_off", longest))
	}
	rec.Strikes++
	rec.LastTry = r.now()
	rec.Next = rec.LastTry.Add(Lease)
	if rec.Strikes >= strikes {
		rec.Next = rec.LastTry.Add(r.spread(longest)) // apart from those that were read beside it and ended with it
	}
	put := r.store.BeginFeed
	if rec.Strikes > 1 {
		put = r.store.PutFeed // who reads it may be gone because of it: the next one is not to follow within seconds
	}
	stale, err := put(ctx, *rec)
	if err != nil {
		r.log.Warn("feed not begun", zap.String("feed", feed.ID), zap.Error(err))
	}
	rec.Version++
	return err == nil && !stale
}

// calls marks the calls of a reading as many that can wait. While answers take the whole allowance nothing is left over, and what nobody lists nobody
// answers: so a reading has a share when no page got on record for long, and when nothing was ever read of the feed, also not since memory was
// lost, for what it brings may be due before anything that is known.
func (r *Runner) calls(ctx context.Context, feed Feed, rec sla.FeedRecord) context.Context {
	return connectors.Bulk(ctx, r.walks[feed.ID].stands(rec, r.now()) > sla.MostStretched || rec.LastSuccess.IsZero())
}

// guarded turns a panic of a connector into a failure of its feed: the process and the other feeds go on.
func (r *Runner) guarded(ctx context.Context, feed Feed, rec *sla.FeedRecord) (b brought, err error) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("connector panicked", zap.String("feed", feed.ID), zap.Stack("stack")) // not what it panicked with: that may hold a record
			err = &connectors.Error{Op: "read feed", Subject: feed.ID, Kind: connectors.Malformed, Err: errPanic}
		}
	}()
	err = r.pages(ctx, feed, rec, &b)
	return b, err
}

// brought counts what a reading has brought.
type brought struct{ pages, rows, changed int }

var (
	errClaimEnds = errors.New("the claim of the feed ends")
	errPanic     = errors.New("the connector panicked")
)

// pages reads page after page; the cursor in rec moves behind each page that was recorded whole.
func (r *Runner) pages(ctx context.Context, feed Feed, rec *sla.FeedRecord, b *brought) error {
	w := r.walks[feed.ID]
	for range maxPages {
		page, read, kept := w.kept(rec.Cursor, r.now())
		if !kept {
			var err error
			read = r.now()
			if page, err = feed.Fetch.Fetch(ctx, connectors.Cursor{Token: rec.Cursor}); err != nil {
				return err
			}
		}
		feed.Source.Observe(page.Skew)
		r.metrics.skew.WithLabelValues(string(feed.Source.Platform)).Set(page.Skew.Seconds())
		changed, err := feed.Accept(ctx, feed.Source, page)
		b.pages, b.rows, b.changed = b.pages+1, b.rows+len(page.Rows), b.changed+changed
		if err != nil {
			if connectors.KindOf(err) == connectors.Throttled {
				w.keep(rec.Cursor, page, read)
			}
			return err
		}
		w.add(rec.Cursor, page)
		if page.Kind == connectors.Snapshot && rec.Cursor == "" {
			rec.Began = read
		}
		rec.Cursor = page.Next.Token
		if page.More {
			continue
		}
		if rec.LastSuccess = r.now(); page.Kind != connectors.Snapshot {
			return nil
		}
		if !rec.Began.IsZero() {
			rec.LastSuccess = rec.Began // what has changed on the first page since then is not seen
		}
		rec.Cursor, rec.Began = "", time.Time{}
		return r.vanished(ctx, feed, w)
	}
	return nil
}

// vanished hands over what a complete snapshot no longer lists. When that fails the rows stay known, and the next snapshot tries again.
func (r *Runner) vanished(ctx context.Context, feed Feed, w *walk) error {
	gone, complete := w.gone()
	if !complete {
		return nil
	}
	if len(gone) > 0 && feed.Gone != nil {
		if err := feed.Gone(ctx, feed.Source, gone); err != nil {
			return err
		}
	}
	w.turn()
	return nil
}

// next is when to read a feed again: at its pace, counted from the beginning of a walk, but not without a pause that leaves others something of the
// platform's allowance.
func next(fresh time.Time, every time.Duration, now time.Time) time.Time {
	return now.Add(max(fresh.Add(every).Sub(now), every/10))
}

// backoff doubles from a tenth of the interval, but never waits longer than the interval and two doublings: a dispute feed that is
// back must be seen soon.
func backoff(every time.Duration, failures uint32) time.Duration {
	d := max(every/10, time.Second) << min(failures-1, 10)
	return min(d, 4*every, longest)
}

// jitter spreads polls by ten percent, so that replicas and stores do not march in step.
func jitter(d time.Duration) time.Duration {
	return d - d/20 + time.Duration(rand.Int64N(int64(d/10)+1)) //nolint:gosec // spreading load needs no secrecy
}
