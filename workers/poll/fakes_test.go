package poll_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
	"watchkeeper/workers/poll"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	feedID = "AE01/disputes"
	lease  = 2 * time.Minute
)

var errBoom = errors.New("boom")

// feeds is the store of cursors: compare and set on versions, claims by lease.
type feeds struct {
	mu      sync.Mutex
	records map[string]sla.FeedRecord
	put     error
	end     error // of writing down the end of a reading
	claim   error
}

func (f *feeds) EnsureFeeds(_ context.Context, all []sla.FeedRecord) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range all {
		if _, ok := f.records[r.ID]; !ok {
			r.Version = 1
			f.records[r.ID] = r
		}
	}
	return f.put
}

func (f *feeds) ClaimFeeds(_ context.Context, now time.Time, lease time.Duration, limit int) (out []sla.FeedRecord, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, r := range f.records {
		if len(out) < limit && !r.Next.After(now) {
			out = append(out, r)
			r.Next = now.Add(lease)
			f.records[id] = r
		}
	}
	return out, f.claim
}

func (f *feeds) BeginFeed(ctx context.Context, r sla.FeedRecord) (bool, error) {
	r.Reader = "this one"
	return f.write(ctx, r)
}

func (f *feeds) PutFeed(ctx context.Context, r sla.FeedRecord) (bool, error) {
	r.Reader = ""
	return f.write(ctx, r)
}

func (f *feeds) write(ctx context.Context, r sla.FeedRecord) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := errors.Join(ctx.Err(), f.put); err != nil {
		return false, err
	}
	if r.Strikes == 0 && f.end != nil {
		return false, f.end
	}
	if f.records[r.ID].Version != r.Version {
		return true, nil
	}
	r.Version++
	f.records[r.ID] = r
	return false, nil
}

func (f *feeds) get(id string) sla.FeedRecord {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.records[id]
}

// put changes the record, as another process does.
func (b *bundle) put(change func(*sla.FeedRecord)) {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	r := b.store.records[feedID]
	change(&r)
	r.Version++
	b.store.records[feedID] = r
}

// platform lists rows in pages of size; its cursors are offsets.
type platform struct {
	mu     sync.Mutex
	kind   connectors.PageKind
	rows   []string
	size   int
	asked  []string      // cursors
	errs   map[int]error // by how many calls were made before
	panics bool
	skew   time.Duration
	gate   chan struct{} // a call waits for it
	inside chan struct{} // a call is under way
	before func(call int)
	share  bool // the last call was one of many that can wait, with a share
	bulk   bool // and without one
}

func (p *platform) Fetch(ctx context.Context, since connectors.Cursor) (connectors.Page, error) {
	if p.gate != nil {
		p.inside <- struct{}{}
		select {
		case <-p.gate:
		case <-ctx.Done():
			return connectors.Page{}, ctx.Err()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	call := len(p.asked)
	marked, share := connectors.InBulk(ctx)
	p.share, p.bulk = marked && share, marked && !share
	p.asked = append(p.asked, since.Token)
	if p.before != nil {
		p.before(call)
	}
	if p.panics {
		panic("broken record")
	}
	if err := p.errs[call]; err != nil {
		return connectors.Page{}, err
	}
	from, _ := strconv.Atoi(since.Token)
	to := min(from+p.size, len(p.rows))
	page := connectors.Page{Kind: p.kind, More: to < len(p.rows), Skew: p.skew, Next: connectors.Cursor{Token: strconv.Itoa(to)}}
	for _, id := range p.rows[min(from, to):to] {
		page.Rows = append(page.Rows, connectors.Row{ID: id, Fingerprint: 1})
	}
	return page, nil
}

// bundle is a runner of one feed with everything around it.
type bundle struct {
	*platform
	store   *feeds
	runner  *poll.Runner
	src     *connectors.Source
	feed    poll.Feed
	now     time.Time
	mu      sync.Mutex
	got     []string
	gone    [][]string
	refuses map[string]error // the row whose page cannot be recorded
	goneErr error
	season  time.Time // from when on the feed is read each minute
}

func setup(t *testing.T, rows, size int) *bundle {
	t.Helper()
	b := &bundle{
		platform: &platform{size: size, errs: map[int]error{}}, store: &feeds{records: map[string]sla.FeedRecord{}},
		src: &connectors.Source{Store: "AE01", Platform: "aliexpress"}, now: slatest.Epoch, refuses: map[string]error{},
	}
	for i := range rows {
		b.rows = append(b.rows, fmt.Sprintf("%05d", i))
	}
	b.feed = poll.Feed{ID: feedID, Source: b.src, Fetch: b.platform, Pace: b.pace, Accept: b.accept, Gone: b.vanished}
	b.runner = b.replica()
	if err := b.runner.Ensure(context.Background()); err != nil {
		t.Fatalf("ensure: %v", err)
	}
	return b
}

func (b *bundle) pace(now time.Time) (time.Duration, time.Time) {
	if !b.season.IsZero() && !now.Before(b.season) {
		return time.Minute, time.Time{}
	}
	return 5 * time.Minute, b.season
}

// replica is another process on the same store.
func (b *bundle) replica() *poll.Runner { return b.on(b.store, zap.NewNop(), prometheus.NewRegistry()) }

// on is a process with a store, a log and metrics of its own.
func (b *bundle) on(store poll.Store, log *zap.Logger, reg prometheus.Registerer) *poll.Runner {
	return poll.New(store, []poll.Feed{b.feed}, func() time.Time { return b.now }, log, poll.NewMetrics(reg, []sla.Platform{"aliexpress"}))
}

func (b *bundle) accept(_ context.Context, _ *connectors.Source, page connectors.Page) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range page.Rows {
		if err := b.refuses[r.ID]; err != nil {
			return len(page.Rows), err
		}
	}
	for _, r := range page.Rows {
		b.got = append(b.got, r.ID)
	}
	return len(page.Rows), nil
}

func (b *bundle) vanished(_ context.Context, _ *connectors.Source, ids []string) error {
	if b.goneErr == nil {
		b.gone = append(b.gone, ids)
	}
	return b.goneErr
}

// read lets the feed become due and reads it.
func (b *bundle) read(t *testing.T, by ...*poll.Runner) sla.FeedRecord {
	t.Helper()
	runner := append(by, b.runner)[0]
	if next := b.store.get(feedID).Next; next.After(b.now) {
		b.now = next
	}
	n, err := runner.RunOnce(context.Background())
	if err != nil || n != 1 {
		t.Fatalf("want one feed read, got %d (%v)", n, err)
	}
	runner.Wait()
	return b.store.get(feedID)
}

// each checks that every row was given exactly once.
func (b *bundle) each(t *testing.T) {
	t.Helper()
	if !slices.Equal(b.got, b.rows) {
		t.Errorf("want each of %d rows once in order, got %d", len(b.rows), len(b.got))
	}
}

func failure(kind connectors.Kind, wait time.Duration) error {
	return &connectors.Error{Op: "fake", Subject: "AE01", Kind: kind, RetryAfter: wait}
}
