package poll

import (
	"slices"
	"sync"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// A walk remembers the rows of the running snapshot and of the last complete one. It is only memory of this process: when another
// replica read some of the pages the walk is not complete and tells nothing, and the timers of the cases find what it would have.
type walk struct {
	mu      sync.Mutex
	busy    bool                // one reading at a time in this process
	listed  map[string]struct{} // by the last complete snapshot, or open at start
	running map[string]struct{}
	whole   bool   // the running snapshot was read here from its first page on, without a gap
	next    string // the cursor of its next page

	page   connectors.Page // one that was read and could not be accepted whole
	pageAt string          // the cursor it was asked for with
	readAt time.Time       // zero without one

	stoodAt string    // the cursor when it was last claimed here
	stoodOn time.Time // the last success as of then
	since   time.Time // when both were first seen here
}

// stands is for how long no page of the feed was recorded by anybody, as far as this process knows.
func (w *walk) stands(rec sla.FeedRecord, now time.Time) time.Duration {
	if w.since.IsZero() || rec.Cursor != w.stoodAt || !rec.LastSuccess.Equal(w.stoodOn) {
		w.stoodAt, w.stoodOn, w.since = rec.Cursor, rec.LastSuccess, now
	}
	return now.Sub(w.since)
}

// pageKept is how long a page that was read need not be read again. Its rows are compared with the records anew, and what has changed since
// is in the next reading.
const pageKept = 30 * time.Second

// keep remembers a page that was read at an instant, for the calls that its details want: at a low rate most of them would be spent on reading it
// again.
func (w *walk) keep(at string, page connectors.Page, read time.Time) {
	w.page, w.pageAt, w.readAt = page, at, read
}

// kept gives the page that was asked for with a cursor, and when it was read, as long as it is fresh. It is forgotten here.
func (w *walk) kept(at string, now time.Time) (page connectors.Page, read time.Time, fresh bool) {
	page, read = w.page, w.readAt
	fresh = !read.IsZero() && w.pageAt == at && now.Sub(read) < pageKept && !now.Before(read)
	w.page, w.pageAt, w.readAt = connectors.Page{}, "", time.Time{}
	return page, read, fresh
}

func newWalk() *walk {
	return &walk{listed: map[string]struct{}{}, running: map[string]struct{}{}}
}

// start takes the right to read the feed here; end gives it back.
func (w *walk) start() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy {
		return false
	}
	w.busy = true
	return true
}

func (w *walk) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy = false
}

func (w *walk) open(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listed[id] = struct{}{}
}

// add takes a page into the running snapshot; at is the cursor it was asked for with. A page that does not follow the one before means
// that another replica read what lies between.
func (w *walk) add(at string, page connectors.Page) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if page.Kind != connectors.Snapshot {
		return
	}
	switch at {
	case "":
		clear(w.running)
		w.whole = true
	case w.next:
	default:
		w.whole = false
	}
	w.next = page.Next.Token
	for _, r := range page.Rows {
		w.running[r.ID] = struct{}{}
	}
	for _, r := range page.Rejects {
		if r.ID != "" {
			w.running[r.ID] = struct{}{} // unreadable is not gone
		}
	}
}

// gone lists what was there and is not any more, in order; false when this process did not see the whole snapshot.
func (w *walk) gone() ([]string, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.whole {
		return nil, false
	}
	var out []string
	for id := range w.listed {
		if _, ok := w.running[id]; !ok {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out, true
}

// turn makes the running snapshot the last complete one.
func (w *walk) turn() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listed, w.running, w.whole = w.running, map[string]struct{}{}, false
}

func (w *walk) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.running)
	w.whole = false
}
