package soak

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"watchkeeper/connectors/simulator"
)

// A touch is a request about one dispute, or the beginning of a reading of a store's list, as the platform sees it.
type touch struct {
	at time.Time
	of string // the dispute or the store
	by int    // the daemon, by the order in which they were started
}

// touches are all of them, in order.
type touches struct {
	now func() time.Time
	mu  sync.Mutex
	all []touch
}

func (t *touches) add(of string, by int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, touch{at: t.now(), of: of, by: by})
}

// list gives all so far.
func (t *touches) list() []touch {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clip(t.all)
}

// count is of how many there was one.
func (t *touches) count() int {
	seen := map[string]struct{}{}
	for _, x := range t.list() {
		seen[x.of] = struct{}{}
	}
	return len(seen)
}

// since gives the first of each after an instant that was not by a certain daemon.
func (t *touches) since(at time.Time, not int) map[string]time.Time {
	out := map[string]time.Time{}
	for _, x := range t.list() {
		if _, known := out[x.of]; !known && x.by != not && x.at.After(at) {
			out[x.of] = x.at
		}
	}
	return out
}

// A door is one daemon's way to the platform, which notes what it asks for. When it is shut whoever reads a list or a dispute waits, for as long as he
// lives or has the patience.
type door struct {
	s        *scene
	number   int
	platform http.Handler

	mu       sync.Mutex
	shut     bool
	kept     [kinds]map[string]int // how many readers wait, of each store's list and each dispute
	answered map[string]bool       // disputes about which more than a reading was asked for
}

// The kinds of what is kept at a shut door.
const (
	aList = iota
	aDispute
	kinds
)

func newDoor(s *scene, number int) *door {
	return &door{s: s, number: number, platform: s.world.Handler(simulator.AliExpress), kept: [kinds]map[string]int{{}, {}}, answered: map[string]bool{}}
}

// close shuts the door.
func (d *door) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = true
}

// held are the stores whose lists are being read at a shut door, and the disputes, but for those whose answer has left: what became of it is asked for
// when its settle window is over.
func (d *door) held() (feeds, cases []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	cases = slices.DeleteFunc(slices.Sorted(maps.Keys(d.kept[aDispute])), func(issue string) bool { return d.answered[issue] })
	return slices.Sorted(maps.Keys(d.kept[aList])), cases
}

// most is how many of a kind wait at a shut door: who takes over is measured, and not how much he has to take.
const most = 8

// keeps has a reader wait at a shut door, and tells whether it did.
func (d *door) keeps(ctx context.Context, kind int, of string) bool {
	d.mu.Lock()
	if !d.shut || len(d.kept[kind]) >= most {
		d.mu.Unlock()
		return false
	}
	d.kept[kind][of]++
	d.mu.Unlock()
	<-ctx.Done()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.kept[kind][of]--; d.kept[kind][of] == 0 {
		delete(d.kept[kind], of)
	}
	return true
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	asked := r.Clone(r.Context())
	asked.Body = io.NopCloser(bytes.NewReader(body))
	if asked.ParseForm() == nil && d.notes(r.Context(), asked.Form) {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if wait(r.Context(), d.s.o.Latency) != nil {
		panic(http.ErrAbortHandler) // the caller has gone before the platform had the request
	}
	d.platform.ServeHTTP(w, r)
}

// answers notes that an answer has left the daemon, which need not have arrived.
func (d *door) answers(issue string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answered[issue] = true
}

// notes a request, and tells whether its caller waited in vain.
func (d *door) notes(ctx context.Context, form url.Values) bool {
	issue, query := form.Get("issue_id"), form.Get("query_dto")
	switch method := form.Get("method"); {
	case method == "aliexpress.issue.issuelist.get" && strings.Contains(query, `"current_page":1,`) && !strings.Contains(query, "order_no"):
		store := d.s.apps[form.Get("app_key")]
		d.s.polls.add(store, d.number)
		return d.keeps(ctx, aList, store)
	case issue != "":
		d.s.touches.add(issue, d.number)
		if method != "aliexpress.issue.detail.get" {
			d.answers(issue)
			return false
		}
		return d.s.due(issue) && d.keeps(ctx, aDispute, issue)
	}
	return false
}
