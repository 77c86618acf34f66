package easypost

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
	"watchkeeper/sla"
)

// A Tracker follows the parcels of one store.
type Tracker struct {
	store  sla.StoreID
	now    func() time.Time
	key    *transport.SecretValue
	client *transport.Client
}

var _ connectors.Tracker = (*Tracker)(nil)

// do adds the credentials: the key as user, no password.
func (t *Tracker) do(ctx context.Context, call transport.Call) (transport.Reply, error) {
	call.Subject = string(t.store)
	call.Header = http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(t.key.Value()+":"))}}
	return t.client.Do(ctx, call)
}

// list reads one page of trackers, newest first.
func (t *Tracker) list(ctx context.Context, op string, filter url.Values) (page, error) {
	filter.Set("page_size", strconv.Itoa(pageSize))
	reply, err := t.do(ctx, transport.Call{Op: op, Path: "/trackers", Query: filter, Classify: classify(false, "trackers")})
	if err != nil {
		return page{status: reply.Status}, err
	}
	rows, err := transport.SplitRows(reply.Body, "trackers")
	if err != nil {
		return page{}, &connectors.Error{Op: op, Subject: string(t.store), Kind: connectors.Malformed, Err: err}
	}
	more, _ := transport.Field(reply.Body, "has_more")
	return page{rows: rows, more: more == "true", skew: reply.Skew}, nil
}

type page struct {
	status int
	rows   []transport.RawRow
	more   bool
	skew   time.Duration
}

// last is the id of the oldest tracker of a page, where the next one begins.
func (p page) last() string {
	for _, raw := range slices.Backward(p.rows) {
		if id, ok := transport.Field(raw, "id"); ok && validID(id) {
			return id
		}
	}
	return ""
}

// ResolveShipments decodes rows; it makes no call.
func (t *Tracker) ResolveShipments(_ context.Context, rows []connectors.Row) ([]sla.Shipment, []connectors.Reject, error) {
	var shipments []sla.Shipment
	var rejects []connectors.Reject
	for _, row := range rows {
		s, err := normalise(t.store, row.Raw)
		if err != nil {
			rejects = append(rejects, reject(t.store, row.ID, row.Raw, "", err.Error()))
			continue
		}
		shipments = append(shipments, s)
	}
	return shipments, rejects, nil
}

// Track reads parcels by number. Of several trackers for a number the newest one counts; one that cannot be read counts as unknown here
// and is rejected by the feed.
func (t *Tracker) Track(ctx context.Context, refs []sla.ShipmentRef) ([]sla.Shipment, error) {
	var out []sla.Shipment
	for group := range slices.Chunk(refs, batch) {
		found, err := t.find(ctx, group)
		if err != nil {
			return nil, err
		}
		for _, r := range group {
			if s, ok := match(r, found); ok {
				out = append(out, s)
			}
		}
	}
	return out, nil
}

// find reads every tracker that has one of the numbers, newest first.
func (t *Tracker) find(ctx context.Context, refs []sla.ShipmentRef) ([]sla.Shipment, error) {
	filter := url.Values{"start_datetime": {t.now().UTC().Add(-reach).Format(time.RFC3339)}}
	for _, r := range refs {
		filter.Add("tracking_codes[]", r.Number)
	}
	var found []sla.Shipment
	for before := ""; ; {
		p, err := t.list(ctx, "easypost trackers.find", filter)
		if err != nil {
			return nil, err
		}
		for _, raw := range p.rows {
			if s, err := normalise(t.store, raw); err == nil {
				found = append(found, s)
			}
		}
		last := p.last()
		if !p.more || last == "" || last == before {
			return found, nil
		}
		before = last
		filter.Set("before_id", before)
	}
}

// match finds a parcel among the found, under the name by which it was asked for.
func match(r sla.ShipmentRef, found []sla.Shipment) (sla.Shipment, bool) {
	for _, s := range found {
		if s.Ref.Number == r.Number && (r.Carrier == "" || strings.EqualFold(s.Ref.Carrier, r.Carrier)) {
			s.Ref = r
			return s, true
		}
	}
	return sla.Shipment{}, false
}

// Register asks EasyPost to follow parcels, one call each. A number that EasyPost refuses does not keep it from the others; what
// concerns all of them (a limit, the key, an outage) ends it. Asking again is safe: a number already followed gives the same tracker.
func (t *Tracker) Register(ctx context.Context, refs []sla.ShipmentRef) error {
	var refused []error
	for _, r := range refs {
		err := t.register(ctx, r)
		if kind := connectors.KindOf(err); kind == connectors.Rejected || kind == connectors.Conflict || kind == connectors.NotFound {
			refused = append(refused, fmt.Errorf("parcel %s: %w", r.Key(), err))
			continue
		}
		if err != nil {
			return errors.Join(err, errors.Join(refused...))
		}
	}
	return errors.Join(refused...)
}

func (t *Tracker) register(ctx context.Context, r sla.ShipmentRef) error {
	body, err := json.Marshal(registration{registrationTracker{TrackingCode: r.Number, Carrier: r.Carrier}})
	if err != nil {
		return fmt.Errorf("easypost trackers.create %s: %w", r.Key(), err)
	}
	_, err = t.do(ctx, transport.Call{Op: "easypost trackers.create", Effect: true, Path: "/trackers", Body: body, Classify: classify(true, "tracking_code")})
	return err
}
