package conformance

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"watchkeeper/connectors"
)

// epoch is when every check begins.
var epoch = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// store is whose connector is tested.
const store = "CONF1"

// world is one check's platform, clock and observers.
type world struct {
	t      *testing.T
	s      Suite
	clock  *Clock
	server *httptest.Server
	rt     *http.Transport
	logs   *observer.ObservedLogs
	log    *zap.Logger
	vault  Vault
	brake  Brake

	mu    sync.Mutex
	serve http.HandlerFunc
	kinds []connectors.Kind
}

// newWorld starts a platform; serve is what it does at first.
func newWorld(t *testing.T, s Suite, serve http.HandlerFunc) *world {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	w := &world{t: t, s: s, clock: NewClock(epoch), rt: &http.Transport{}, logs: logs, log: zap.New(core), serve: serve}
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		h := w.serve
		w.mu.Unlock()
		rw.Header().Set("Date", w.clock.Now().Format(http.TimeFormat))
		h(rw, r)
	}))
	t.Cleanup(func() {
		w.rt.CloseIdleConnections()
		w.server.Close()
		w.logsAreClean()
	})
	return w
}

// listing serves a good list.
func (s Suite) listing(l List) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { s.Serve(w, r, l) }
}

// rows gives n good rows and their ids.
func (s Suite) rows(n int) (ids []string, raw [][]byte) {
	for i := range n {
		id, b := s.Row(i)
		ids, raw = append(ids, id), append(raw, b)
	}
	return ids, raw
}

// now changes what the platform does.
func (w *world) now(serve http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serve = serve
}

// built makes a connector, as a start of the process does.
func (w *world) built() connectors.Built {
	w.t.Helper()
	return w.s.Build(w.t, w.server.URL, connectors.Deps{
		Store: store, Now: w.clock.Now, HTTP: w.rt, Limiter: Limiter{}, Tokens: &w.vault, Brake: &w.brake, Log: w.log,
		Calls: func(_ context.Context, c connectors.Called) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.kinds = append(w.kinds, c.Kind)
		},
	})
}

// feed is the list that the checks read: the disputes', of a tracker the parcels'.
func (w *world) feed() connectors.Feed {
	w.t.Helper()
	switch b := w.built(); {
	case b.Connector != nil:
		return b.Connector
	case b.Tracker != nil:
		return b.Tracker
	}
	w.t.Fatal("the platform has no feed")
	return nil
}

// fetch reads one page and checks what holds for every page.
func (w *world) fetch(f connectors.Feed, at connectors.Cursor) (connectors.Page, error) {
	w.t.Helper()
	p, err := f.Fetch(w.t.Context(), at)
	w.isClean("an error", fmt.Sprint(err))
	w.isClean("a cursor", p.Next.Token)
	if len(p.Next.Token) > 512 {
		w.t.Errorf("want a cursor of at most 512 bytes, got %d", len(p.Next.Token))
	}
	if err != nil && (len(p.Rows) > 0 || len(p.Rejects) > 0) {
		w.t.Errorf("want an error or a page, got both: %v", err)
	}
	for _, r := range p.Rows {
		if r.ID == "" || len(r.Raw) == 0 || r.Fingerprint == 0 {
			w.t.Errorf("want id, bytes and fingerprint of each row, got %q, %d bytes, %d", r.ID, len(r.Raw), r.Fingerprint)
		}
	}
	for _, r := range p.Rejects {
		w.isReject(r)
	}
	return p, err
}

func (w *world) isReject(r connectors.Reject) {
	w.t.Helper()
	w.isClean("a reject's error", fmt.Sprint(r.Err))
	if connectors.KindOf(r.Err) != connectors.Malformed || len(r.Raw) == 0 || len(r.Raw) > connectors.MaxRejectBytes {
		w.t.Errorf("want a malformed reject of 1 to %d bytes, got %v and %d", connectors.MaxRejectBytes, r.Err, len(r.Raw))
	}
}

// walk reads pages until the feed says that there are no more; each page by a connector of its own when restarts is set.
func (w *world) walk(from connectors.Cursor, restarts bool) (rows []connectors.Row, rejects []connectors.Reject, end connectors.Cursor) {
	w.t.Helper()
	f := w.feed()
	for range 1000 {
		p, err := w.fetch(f, from)
		if err != nil {
			w.t.Fatalf("after %d rows: %v", len(rows), err)
		}
		rows, rejects, from = append(rows, p.Rows...), append(rejects, p.Rejects...), p.Next
		if !p.More {
			return rows, rejects, from
		}
		if restarts {
			f = w.feed()
		}
	}
	w.t.Fatal("the walk does not end within 1000 pages")
	return nil, nil, from
}

// wantIDs checks that every id was read, in whatever order and however often.
func (w *world) wantIDs(ids []string, rows []connectors.Row) {
	w.t.Helper()
	got := map[string]bool{}
	for _, r := range rows {
		got[r.ID] = true
	}
	missing := 0
	for _, id := range ids {
		if !got[id] {
			if missing++; missing <= 3 {
				w.t.Errorf("row %s was not read", id)
			}
		}
	}
	if missing > 3 || len(got) > len(ids) {
		w.t.Errorf("want %d rows, got %d; %d missing", len(ids), len(got), missing)
	}
}

func (w *world) isClean(what, text string) {
	w.t.Helper()
	for _, secret := range w.s.Secrets {
		if strings.Contains(text, secret) {
			w.t.Errorf("%s holds a secret", what)
		}
	}
}

func (w *world) logsAreClean() {
	w.t.Helper()
	for _, e := range w.logs.All() {
		w.isClean("a log line", fmt.Sprint(e.Message, e.ContextMap()))
	}
}

// observed tells whether a call of the kind was counted.
func (w *world) observed(kind connectors.Kind) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Contains(w.kinds, kind)
}
