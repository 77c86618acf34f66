package easypost

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
	"watchkeeper/sla"
)

// volatile are the members that move without news: EasyPost refreshes trackers that have no new scan.
var volatile = []string{"updated_at", "fees", "est_delivery_date", "public_url", "finalized"}

// stand is the place in a walk. EasyPost lists trackers by creation, newest first, and changes them in place, so that no mark in that order separates what
// has changed from what has not: every walk goes from the newest down to the horizon, and the next one starts from the newest
// again. A place is kept by the id of the last tracker read, which does not move when new trackers come in on top; the
// lower end is fixed at the start of the walk because the filters must stay the same from page to page.
type stand struct {
	start  time.Time // of the window
	before string    // id of the last tracker read; empty on the first page
}

const tokenVersion = "1"

func (s stand) token() string {
	return strings.Join([]string{tokenVersion, s.start.Format(time.RFC3339), s.before}, " ")
}

// parseStand reads a cursor. One from a version that wrote another form starts a new walk, which costs calls and loses nothing.
func parseStand(c connectors.Cursor, now time.Time) stand {
	fresh := stand{start: now.UTC().Add(-horizon).Truncate(time.Second)}
	parts := strings.Split(c.Token, " ")
	if len(parts) != 3 || parts[0] != tokenVersion || !validID(parts[2]) {
		return fresh
	}
	start := instant(parts[1])
	if start.IsZero() {
		return fresh
	}
	return stand{start: start, before: parts[2]}
}

// validID keeps out of a cursor and a query what is not one of EasyPost's ids.
func validID(id string) bool {
	return id != "" && len(id) <= 64 && !strings.ContainsFunc(id, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// Fetch reads one page of the walk. The rows are oldest first within the page.
func (t *Tracker) Fetch(ctx context.Context, since connectors.Cursor) (connectors.Page, error) {
	at := parseStand(since, t.now())
	p, err := t.list(ctx, "easypost trackers.list", at.filter())
	if err != nil && at.before != "" && gone(p.status) {
		// The tracker at the cursor was deleted. Starting over shows everything; standing still would show nothing ever again.
		at = parseStand(connectors.Cursor{}, t.now())
		p, err = t.list(ctx, "easypost trackers.list", at.filter())
	}
	if err != nil {
		return connectors.Page{}, err
	}
	out := connectors.Page{Kind: connectors.Changes, Skew: p.skew}
	out.Rows, out.Rejects = t.split(p.rows)
	if !p.more {
		return out, nil // the zero cursor: the next walk starts from the newest
	}
	last := p.last()
	if last == "" || last == at.before {
		return connectors.Page{}, &connectors.Error{Op: "easypost trackers.list", Subject: string(t.store), Kind: connectors.Malformed,
			Err: errors.New("more pages are said to follow, and there is no way on")}
	}
	out.Next, out.More = connectors.Cursor{Token: stand{start: at.start, before: last}.token()}, true
	return out, nil
}

func (s stand) filter() url.Values {
	// The start is always told. unsure: without it the list is said to go back one month only.
	v := url.Values{"start_datetime": {s.start.Format(time.RFC3339)}}
	if s.before != "" {
		v.Set("before_id", s.before)
	}
	return v
}

// gone tells statuses that a read can owe to its cursor. unsure: which of them a deleted tracker's id gives.
func gone(status int) bool {
	return status == http.StatusNotFound || status == http.StatusUnprocessableEntity || status == http.StatusBadRequest
}

// split turns a page into rows, oldest first. Of two trackers for one parcel (EasyPost makes a new one after about three months) the newer
// one counts.
func (t *Tracker) split(raw []transport.RawRow) (rows []connectors.Row, rejects []connectors.Reject) {
	seen := make(map[string]struct{}, len(raw))
	for _, r := range raw {
		id, err := rowID(r)
		if err != "" {
			native, _ := transport.Field(r, "id")
			rejects = append(rejects, reject(t.store, native, r, "", err))
			continue
		}
		if _, dup := seen[id.Key()]; dup {
			continue
		}
		seen[id.Key()] = struct{}{}
		rows = append(rows, connectors.Row{ID: id.Key(), Raw: r, Fingerprint: transport.FingerprintWithout(r, volatile...)})
	}
	slices.Reverse(rows)
	return rows, rejects
}

// rowID reads a row's identity without decoding it, or says why it has none.
func rowID(raw []byte) (r sla.ShipmentRef, why string) {
	code, ok := transport.Field(raw, "tracking_code")
	if !ok {
		return r, "tracker without a tracking code"
	}
	carrier, _ := transport.Field(raw, "carrier")
	if r, ok = ref(code, carrier); !ok {
		return r, "tracking code or carrier is none"
	}
	return r, ""
}
