package conformance

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"watchkeeper/connectors"
)

func badRow(t *testing.T, s Suite) {
	t.Helper()
	ids, rows := s.rows(5)
	rows = slices.Insert(rows, 2, s.BadRow)
	w := newWorld(t, s, s.listing(List{Rows: rows, PerPage: 50}))
	got, rejects, _ := w.walk(connectors.Cursor{}, false)
	w.wantIDs(ids, got)
	if len(rejects) != 1 || !bytes.Equal(rejects[0].Raw, s.BadRow[:min(len(s.BadRow), connectors.MaxRejectBytes)]) {
		t.Errorf("want the bad row rejected with its bytes, got %d rejects", len(rejects))
	}
	large := slices.Concat(s.BadRow[:1], bytes.Repeat([]byte(" "), connectors.MaxRejectBytes), s.BadRow[1:])
	w = newWorld(t, s, s.listing(List{Rows: [][]byte{large}, PerPage: 50}))
	if _, rejects, _ = w.walk(connectors.Cursor{}, false); len(rejects) != 1 {
		t.Errorf("want a large bad row rejected too, got %d rejects", len(rejects))
	}
}

func duplicates(t *testing.T, s Suite) {
	t.Helper()
	ids, rows := s.rows(6)
	rows = append(rows, rows[1], rows[4], rows[4])
	w := newWorld(t, s, s.listing(List{Rows: rows, PerPage: 4}))
	got, rejects, _ := w.walk(connectors.Cursor{}, false)
	w.wantIDs(ids, got)
	if len(rejects) > 0 {
		t.Errorf("want no rejects, got %v", rejects[0].Err)
	}
}

func largePage(t *testing.T, s Suite) {
	t.Helper()
	ids, rows := s.rows(10_000)
	w := newWorld(t, s, s.listing(List{Rows: rows, PerPage: len(rows)}))
	got, _, _ := w.walk(connectors.Cursor{}, false)
	w.wantIDs(ids, got)
}

func walkWithRestarts(t *testing.T, s Suite) {
	t.Helper()
	ids, rows := s.rows(50)
	w := newWorld(t, s, s.listing(List{Rows: rows, PerPage: 7}))
	got, _, _ := w.walk(connectors.Cursor{}, true)
	w.wantIDs(ids, got)
}

// laterChange changes one old row and adds a new one after a walk; the walk that goes on from there must show both.
func laterChange(t *testing.T, s Suite) {
	t.Helper()
	ids, rows := s.rows(30)
	w := newWorld(t, s, s.listing(List{Rows: rows, PerPage: 7}))
	before, _, end := w.walk(connectors.Cursor{}, false)
	w.clock.Advance(15 * time.Minute)
	changed := append(slices.Clone(rows), nil)
	newID, newRow := s.Row(len(rows))
	changed[2], changed[len(rows)] = s.Changed(2), newRow
	w.now(s.listing(List{Rows: changed, PerPage: 7}))
	after, _, _ := w.walk(end, true)
	if printOf(before, ids[2]) == printOf(after, ids[2]) || printOf(after, ids[2]) == 0 {
		t.Error("the change of an old row was not found")
	}
	if printOf(after, newID) == 0 {
		t.Error("the new row was not found")
	}
}

// printOf is the newest fingerprint that a walk gave for an id, 0 when it gave none.
func printOf(rows []connectors.Row, id string) (fingerprint uint64) {
	for _, r := range rows {
		if r.ID == id {
			fingerprint = r.Fingerprint
		}
	}
	return fingerprint
}

func fingerprints(t *testing.T, s Suite) {
	t.Helper()
	ids, rows := s.rows(3)
	w := newWorld(t, s, s.listing(List{Rows: rows, PerPage: 50}))
	first, _, _ := w.walk(connectors.Cursor{}, false)
	again, _, _ := w.walk(connectors.Cursor{}, true)
	rows[1] = s.Changed(1)
	if s.Volatile != nil {
		rows[2] = s.Volatile(2)
	}
	w.now(s.listing(List{Rows: rows, PerPage: 50}))
	third, _, _ := w.walk(connectors.Cursor{}, false)
	for i, id := range ids {
		if printOf(first, id) != printOf(again, id) {
			t.Errorf("%s: the fingerprint differs without a change", id)
		}
		if changed := printOf(first, id) != printOf(third, id); changed != (i == 1) {
			t.Errorf("%s: fingerprint changed %v, want %v", id, changed, i == 1)
		}
	}
}

func skew(t *testing.T, s Suite) {
	t.Helper()
	_, rows := s.rows(1)
	good := s.listing(List{Rows: rows, PerPage: 10})
	for _, want := range []time.Duration{0, time.Hour, -5 * time.Minute} {
		w := newWorld(t, s, func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Date", epoch.Add(want).Format(http.TimeFormat))
			good(rw, r)
		})
		p, err := w.fetch(w.feed(), connectors.Cursor{})
		if err != nil || (p.Skew-want).Abs() > 2*time.Second {
			t.Errorf("want a skew of %v, got %v (%v)", want, p.Skew, err)
		}
	}
}

// resolving decodes good rows and one that cannot be decoded.
func resolving(t *testing.T, s Suite) {
	t.Helper()
	_, raw := s.rows(5)
	if s.Unresolvable != nil {
		raw = append(raw, s.Unresolvable)
	}
	w := newWorld(t, s, s.listing(List{Rows: raw, PerPage: 50}))
	rows, _, _ := w.walk(connectors.Cursor{}, false)
	b := w.built()
	if b.Connector != nil {
		w.resolveDisputes(b.Connector, rows)
		return
	}
	shipments, rejects, err := b.Tracker.ResolveShipments(t.Context(), rows)
	if err != nil || len(shipments) != 5 || len(rejects) != len(raw)-5 {
		t.Fatalf("want 5 shipments and %d rejects, got %d and %d (%v)", len(raw)-5, len(shipments), len(rejects), err)
	}
	for _, r := range rejects {
		w.isReject(r)
	}
	for _, sh := range shipments {
		known := slices.ContainsFunc(rows, func(r connectors.Row) bool { return r.ID == sh.Ref.Key() })
		if sh.Store != store || sh.Ref.Number == "" || !known {
			t.Errorf("want the store and the row's id, got %s and %s", sh.Store, sh.Ref.Key())
		}
		for i := 1; i < len(sh.Events); i++ {
			if sh.Events[i].At.Before(sh.Events[i-1].At) {
				t.Errorf("%s: want the events oldest first", sh.Ref.Key())
			}
		}
	}
}

func (w *world) resolveDisputes(c connectors.Connector, rows []connectors.Row) {
	w.t.Helper()
	good := 0
	for _, r := range rows {
		d, err := c.Resolve(w.t.Context(), r)
		if err == nil {
			good++
			if d.ID.Native != r.ID || d.ID.Store != store || d.ID.Platform == "" {
				w.t.Errorf("want the row's id %s and the store, got %+v", r.ID, d.ID)
			}
			continue
		}
		var e *connectors.Error
		w.isClean("an error", err.Error())
		if !errors.As(err, &e) || e.Kind != connectors.Malformed {
			w.t.Errorf("%s: want it malformed, got %v", r.ID, err)
		}
	}
	if good != 5 {
		w.t.Errorf("want 5 disputes, got %d", good)
	}
}
