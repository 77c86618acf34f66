package simulation

import (
	"context"
	"strconv"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// A link is one process' connector to one store: the platform with everything that may lie between.
type link struct {
	p *process
	s *seller
}

// A departure is the moment at which an answer left a process, for the judge.
type departure struct {
	by   int
	at   time.Time
	rule sla.Rule // that the process obeyed
}

func (l *link) failed(op string, kind connectors.Kind) error {
	e := &connectors.Error{Op: op, Subject: string(l.s.id), Kind: kind}
	if kind == connectors.Throttled {
		e.RetryAfter = l.p.w.between(time.Second, 20*time.Second)
	}
	return e
}

// Skew is the platform's clock minus the process'.
func (l *link) Skew() time.Duration { return (l.s.skew - l.p.skew).Truncate(time.Second) }

// reach lets a request travel to the platform: time passes, and it may fail before anything was asked.
func (l *link) reach(op string) error {
	w := l.p.w
	l.p.step()
	switch {
	case l.s.dark.After(w.now), l.p.dark.After(w.now):
		w.pause(callTimeout)
		return l.failed(op, connectors.Unavailable)
	case l.s.expired.After(w.now):
		return l.failed(op, connectors.Unauthorised)
	case w.may(Errors, 0.01):
		return l.failed(op, connectors.Throttled)
	case w.may(Errors, 0.011):
		w.pause(callTimeout)
		return l.failed(op, connectors.Unavailable)
	case w.may(Errors, 0.002):
		return l.failed(op, connectors.Malformed)
	}
	return nil
}

// pageSize is how many rows a list gives.
const pageSize = 200

// Fetch gives a page of the store's open disputes; the cursor is the number behind the last row.
func (l *link) Fetch(_ context.Context, since connectors.Cursor) (connectors.Page, error) {
	if err := l.reach("list"); err != nil {
		return connectors.Page{}, err
	}
	w, page := l.p.w, connectors.Page{Kind: connectors.Snapshot, Skew: l.Skew()}
	from := 0
	if since.Token != "" {
		from, _ = strconv.Atoi(since.Token) // our own words
	}
	if from > 0 && w.may(Pages, 0.1) {
		from = max(0, from-3) // the page has shifted
	}
	for _, d := range l.s.listed() {
		if d.n < from {
			continue
		}
		if len(page.Rows) == pageSize {
			page.More, page.Next.Token = true, strconv.Itoa(d.n)
			break
		}
		id := d.now.ID.Native
		switch {
		case w.may(Pages, 0.0005):
			page.Rejects = append(page.Rejects, connectors.Reject{ID: id, Raw: []byte(id), Err: l.failed("row", connectors.Malformed)})
		case w.may(Pages, 0.0006): // left out
		default:
			page.Rows = append(page.Rows, connectors.Row{ID: id, Raw: []byte(id), Fingerprint: d.version<<1 | 1, Modified: d.now.Modified})
		}
	}
	return page, nil
}

// seen is a dispute as a read shows it now, which may be as it was before its last change.
func (l *link) seen(d *dispute) sla.Dispute {
	w := l.p.w
	if w.now.Sub(d.changed) < staleness && d.was.State != sla.StateUnknown && w.may(Errors, 0.3) {
		w.tellf(d.String(), "process %d reads it as it was before", l.p.n)
		return d.was
	}
	w.tellf(d.String(), "process %d reads it", l.p.n)
	return d.now
}

// Resolve reads the detail of a row.
func (l *link) Resolve(ctx context.Context, row connectors.Row) (sla.Dispute, error) {
	return l.Lookup(ctx, sla.DisputeRef{ID: sla.DisputeID{Platform: marketplace, Store: l.s.id, Native: row.ID}})
}

// Lookup reads a dispute.
func (l *link) Lookup(_ context.Context, ref sla.DisputeRef) (sla.Dispute, error) {
	if err := l.reach("detail"); err != nil {
		return sla.Dispute{}, err
	}
	d := l.p.w.dispute(ref.ID)
	if d == nil {
		return sla.Dispute{}, l.failed("detail", connectors.NotFound)
	}
	return l.seen(d), nil
}

// Respond sends an answer. What happens to the request does not depend on what happens to the process.
func (l *link) Respond(ctx context.Context, of sla.Dispute, a sla.Answer) (connectors.Receipt, error) {
	w, d := l.p.w, l.p.w.dispute(of.ID)
	if err := l.reach("answer"); err != nil {
		if connectors.KindOf(err) == connectors.Malformed {
			err = l.failed("answer", connectors.OutcomeUnknown)
		}
		return connectors.Receipt{}, err
	}
	if err := l.p.memory.CheckKill(ctx, marketplace, l.s.id, of.Reason); err != nil {
		return connectors.Receipt{}, &connectors.Error{Op: "answer", Subject: string(l.s.id), Kind: connectors.Unavailable, Err: err}
	}
	sent := departure{by: l.p.n, at: w.now, rule: l.p.rules.For(marketplace, l.s.id, of.Reason)}
	w.judge.departs(d, a, sent)
	switch {
	case w.may(Errors, 0.01): // a server error before anything was done
		return connectors.Receipt{}, l.failed("answer", connectors.OutcomeUnknown)
	case w.may(Errors, 0.02): // no reply; the effect comes late, if at all
		if w.rng.IntN(10) < 7 {
			w.after(w.between(0, latestRequest), func() { w.market.take(d, a, sent) })
		}
		w.pause(callTimeout)
		return connectors.Receipt{}, l.failed("answer", connectors.OutcomeUnknown)
	}
	lost, taken := w.may(Errors, 0.02), false
	w.after(w.between(time.Millisecond, time.Second), func() { taken = w.market.take(d, a, sent) })
	l.p.wait(time.Second + w.between(time.Millisecond, time.Second))
	switch {
	case lost:
		return connectors.Receipt{}, l.failed("answer", connectors.OutcomeUnknown) // a server error after the effect
	case !taken:
		return connectors.Receipt{}, l.failed("answer", connectors.Conflict)
	}
	return connectors.Receipt{ID: "r" + strconv.Itoa(len(d.effects)), At: w.market.theirs(l.s)}, nil
}

// Confirm reads what became of an answer. A stale read does not show what happened a moment ago.
func (l *link) Confirm(_ context.Context, of sla.Dispute, a sla.Answer) (connectors.Outcome, error) {
	if err := l.reach("confirm"); err != nil {
		return connectors.OutcomeAbsent, err
	}
	w, d := l.p.w, l.p.w.dispute(of.ID)
	stale := w.may(Errors, 0.3)
	for _, e := range d.effects {
		if e.turn == a.Turn && e.kind == a.Kind && (!stale || w.now.Sub(e.at) >= staleness) {
			return connectors.OutcomePresent, nil
		}
	}
	if now := l.seen(d); now.State == sla.StateClosed || turnOf(d.n, d.turn) != a.Turn && len(now.Obligations) > 0 && now.Obligations[0].Turn != a.Turn {
		return connectors.OutcomeMoot, nil
	}
	return connectors.OutcomeAbsent, nil
}

// A tracker follows parcels for one process.
type tracker struct{ p *process }

// Fetch lists the parcels that were registered, in pages.
func (t *tracker) Fetch(_ context.Context, since connectors.Cursor) (connectors.Page, error) {
	w := t.p.w
	if err := t.reach(); err != nil {
		return connectors.Page{}, err
	}
	from, _ := strconv.Atoi("0" + since.Token)
	page := connectors.Page{Kind: connectors.Changes, Skew: -t.p.skew}
	for _, n := range w.followed[min(from, len(w.followed)):] {
		if len(page.Rows) == pageSize {
			page.More = true
			break
		}
		id := parcelOf(n)
		page.Rows = append(page.Rows, connectors.Row{ID: id, Raw: []byte(strconv.Itoa(n)), Fingerprint: 1 + uint64(n)})
	}
	page.Next.Token = strconv.Itoa(from + len(page.Rows))
	return page, nil
}

func (t *tracker) reach() error {
	l := link{p: t.p, s: &seller{id: trackerID}}
	return l.reach("parcels")
}

// ResolveShipments reads rows.
func (t *tracker) ResolveShipments(_ context.Context, rows []connectors.Row) ([]sla.Shipment, []connectors.Reject, error) {
	out := make([]sla.Shipment, 0, len(rows))
	for _, r := range rows {
		n, _ := strconv.Atoi(string(r.Raw)) // our own words
		out = append(out, t.p.w.parcel(n))
	}
	return out, nil, nil
}

// Track reads parcels now.
func (t *tracker) Track(_ context.Context, refs []sla.ShipmentRef) ([]sla.Shipment, error) {
	if err := t.reach(); err != nil {
		return nil, err
	}
	out := make([]sla.Shipment, 0, len(refs))
	for _, r := range refs {
		out = append(out, t.p.w.parcel(numberOf(r.Number)))
	}
	return out, nil
}

// Register follows parcels from now on.
func (t *tracker) Register(_ context.Context, refs []sla.ShipmentRef) error {
	if err := t.reach(); err != nil {
		return err
	}
	for _, r := range refs {
		if n := numberOf(r.Number); !t.p.w.follows[n] {
			t.p.w.follows[n] = true
			t.p.w.followed = append(t.p.w.followed, n)
		}
	}
	return nil
}

func numberOf(parcel string) int {
	n, _ := strconv.Atoi(parcel[2:11]) // parcelOf wrote it
	return n
}
