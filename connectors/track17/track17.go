package track17

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
	"watchkeeper/sla"
)

// A Tracker follows the parcels of one 17TRACK account. It is safe for concurrent use.
type Tracker struct {
	store  sla.StoreID
	client *transport.Client
	key    *transport.SecretValue
	path   string // "/track/v2.4/"
	now    func() time.Time
}

var _ connectors.Tracker = (*Tracker)(nil)

// ask is one number of a request.
type ask struct {
	Number  string `json:"number"`
	Carrier int64  `json:"carrier,omitempty"`
	OrderNo string `json:"order_no,omitempty"`
}

func askFor(r sla.ShipmentRef) ask {
	return ask{Number: parcelNumber(r.Number), Carrier: text(r.Carrier).number()}
}

// post makes one call. Every endpoint is POST, reads too, and none of ours has an effect that repeating would double: registering
// twice is answered with "already registered", free.
func (t *Tracker) post(ctx context.Context, op string, request any) (transport.Reply, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return transport.Reply{}, fmt.Errorf("track17 %s %s: %w", op, t.store, err)
	}
	return t.client.Do(ctx, transport.Call{
		Op: "track17 " + op, Subject: string(t.store), Method: http.MethodPost, Path: t.path + op, Body: body,
		Header: http.Header{"17token": {t.key.Value()}}, Classify: classify,
	})
}

// answer is what the provider said of one number.
type answer struct {
	items []*wireItem // one for each carrier that the number is registered under
	code  int64       // when refused
	given bool
}

// read asks for the detail of up to 40 numbers.
func (t *Tracker) read(ctx context.Context, asks []ask) (map[string]*answer, []connectors.Reject, error) {
	const op = "gettrackinfo"
	reply, err := t.post(ctx, op, asks)
	if err != nil {
		return nil, nil, err
	}
	accepted, refused, err := bothLists(reply.Body)
	if err != nil {
		return nil, nil, t.unreadable(op, err)
	}
	answers := make(map[string]*answer, len(asks))
	for _, a := range asks {
		answers[a.Number] = &answer{}
	}
	var rejects []connectors.Reject
	for _, raw := range slices.Concat(accepted, refused) {
		number, _ := transport.Field(raw, "number")
		a := answers[parcelNumber(number)]
		it, err := readItem(raw)
		if err != nil {
			rejects = append(rejects, malformed("track17 "+op, parcelNumber(number), raw, err))
		}
		if a == nil {
			continue // not asked for
		}
		a.given = true
		switch {
		case err != nil:
		case it.Error != nil:
			a.code = it.Error.Code.number()
		default:
			a.items = append(a.items, it)
		}
	}
	return answers, rejects, nil
}

func bothLists(body []byte) (accepted, refused []transport.RawRow, err error) {
	if accepted, err = transport.SplitRows(body, "data", "accepted"); err != nil {
		return nil, nil, err
	}
	refused, err = transport.SplitRows(body, "data", "rejected")
	return accepted, refused, err
}

// unreadable is an error of ours, or of the splitter, with our operation and subject.
func (t *Tracker) unreadable(op string, err error) error {
	if split, ok := errors.AsType[*connectors.Error](err); ok {
		err = split.Err
	}
	return &connectors.Error{Op: "track17 " + op, Subject: string(t.store), Kind: connectors.Malformed, Err: err}
}

// shipment is the parcel asked for under one carrier, or under whichever carrier has the newest event when none was named.
func (a *answer) shipment(carrier int64) (sla.Shipment, bool) {
	var best sla.Shipment
	found := false
	for _, it := range a.items {
		if carrier != 0 && it.Carrier.number() != carrier && len(a.items) > 1 {
			continue
		}
		if s := it.shipment(); !found || s.LastEvent().After(best.LastEvent()) {
			best, found = s, true
		}
	}
	if !found && a.code == codePending {
		return sla.Shipment{Status: pendingStatus}, true
	}
	return best, found
}

// Track reads the given parcels now, 40 a call. A number that the account does not follow is not in the answer; one without a result
// yet is, as unknown. The detail does not tell when a number was registered, and silence since then is an anomaly: for numbers without
// any scan the list is asked too.
func (t *Tracker) Track(ctx context.Context, refs []sla.ShipmentRef) ([]sla.Shipment, error) {
	var out []sla.Shipment
	for batch := range slices.Chunk(named(refs), batchSize) {
		shipments, err := t.trackBatch(ctx, batch)
		if err != nil {
			return nil, err
		}
		out = append(out, shipments...)
	}
	return out, nil
}

// named leaves out references without a number: the provider would refuse them one by one.
func named(refs []sla.ShipmentRef) []sla.ShipmentRef {
	out := make([]sla.ShipmentRef, 0, len(refs))
	for _, r := range refs {
		if parcelNumber(r.Number) != "" {
			out = append(out, r)
		}
	}
	return out
}

func (t *Tracker) trackBatch(ctx context.Context, refs []sla.ShipmentRef) ([]sla.Shipment, error) {
	asks := make([]ask, len(refs))
	for i, r := range refs {
		asks[i] = askFor(r)
	}
	answers, _, err := t.read(ctx, asks)
	if err != nil {
		return nil, err
	}
	var out []sla.Shipment
	var silent []int
	for i, r := range refs {
		s, ok := answers[asks[i].Number].shipment(asks[i].Carrier)
		if !ok {
			continue
		}
		order := s.Ref.Order
		if s.Ref = r; r.Order == "" {
			s.Ref.Order = order
		}
		s.Store = t.store
		if s.Milestone == sla.MilestoneUnknown && s.LastEvent().IsZero() {
			silent = append(silent, len(out))
		}
		out = append(out, s)
	}
	return out, t.completeSilent(ctx, out, silent)
}

// completeSilent asks the list about the parcels that the detail tells nothing of.
func (t *Tracker) completeSilent(ctx context.Context, shipments []sla.Shipment, silent []int) error {
	if len(silent) == 0 {
		return nil
	}
	numbers := make([]string, len(silent))
	for i, n := range silent {
		numbers[i] = parcelNumber(shipments[n].Ref.Number)
	}
	listed, err := t.list(ctx, listQuery{Number: strings.Join(numbers, ",")})
	if err != nil {
		return err
	}
	byNumber := map[string]*wireRow{}
	for _, raw := range listed.rows {
		if row, err := readRow(raw); err == nil {
			byNumber[parcelNumber(string(row.Number))] = row
		}
	}
	for i, n := range silent {
		if row := byNumber[numbers[i]]; row != nil {
			row.complete(&shipments[n])
		}
	}
	return nil
}

// ResolveShipments reads the detail of changed rows, 40 a call. What the list alone knows (registration, order, whether it is still
// followed) comes from the row. On an error the shipments read before it are returned with it.
func (t *Tracker) ResolveShipments(ctx context.Context, rows []connectors.Row) ([]sla.Shipment, []connectors.Reject, error) {
	var listed []*wireRow
	var origins []connectors.Row
	var rejects []connectors.Reject
	for _, r := range rows {
		row, err := readRow(r.Raw)
		if err != nil {
			rejects = append(rejects, malformed("track17 row", r.ID, r.Raw, err))
			continue
		}
		listed, origins = append(listed, row), append(origins, r)
	}
	var out []sla.Shipment
	for first := 0; first < len(listed); first += batchSize {
		end := min(first+batchSize, len(listed))
		shipments, bad, err := t.resolveBatch(ctx, listed[first:end], origins[first:end])
		if err != nil {
			return out, rejects, err
		}
		out, rejects = append(out, shipments...), append(rejects, bad...)
	}
	return out, rejects, nil
}

func (t *Tracker) resolveBatch(ctx context.Context, listed []*wireRow, origins []connectors.Row) ([]sla.Shipment, []connectors.Reject, error) {
	asks := make([]ask, len(listed))
	for i, row := range listed {
		asks[i] = ask{Number: parcelNumber(string(row.Number)), Carrier: row.Carrier.number()}
	}
	answers, rejects, err := t.read(ctx, asks)
	if err != nil {
		return nil, nil, err
	}
	var out []sla.Shipment
	for i, row := range listed {
		a := answers[asks[i].Number]
		s, ok := a.shipment(asks[i].Carrier)
		switch {
		case ok:
			s.Ref, s.Store = sla.ParseShipmentKey(origins[i].ID), t.store
			row.complete(&s)
			out = append(out, s)
		case a.code == codeNotRegistered:
			// deleted since it was listed
		case a.code != codeOK:
			rejects = append(rejects, malformed("track17 gettrackinfo", origins[i].ID, origins[i].Raw, fmt.Errorf("refused with code %d", a.code)))
		case !a.given:
			rejects = append(rejects, malformed("track17 gettrackinfo", origins[i].ID, origins[i].Raw, errors.New("no answer for this number")))
		}
	}
	return out, rejects, nil
}

// Register asks the account to follow parcels, 40 a call. A number that is followed already is no error; every other refusal is
// collected, and the numbers after it are still registered.
func (t *Tracker) Register(ctx context.Context, refs []sla.ShipmentRef) error {
	refused := map[int64]int{}
	for batch := range slices.Chunk(named(refs), batchSize) {
		asks := make([]ask, len(batch))
		for i, r := range batch {
			asks[i] = askFor(r)
			asks[i].OrderNo = r.Order
		}
		rejected, err := t.register(ctx, asks)
		if err != nil {
			return errors.Join(err, t.refusals(refused, len(refs)))
		}
		for _, raw := range rejected {
			var it struct {
				Error wireError `json:"error"`
			}
			_ = decode(raw, &it) // an unreadable refusal is a refusal with code 0
			refused[it.Error.Code.number()]++
		}
	}
	return t.refusals(refused, len(refs))
}

func (t *Tracker) register(ctx context.Context, asks []ask) (rejected []transport.RawRow, err error) {
	reply, err := t.post(ctx, "register", asks)
	if err != nil {
		return nil, err
	}
	if _, rejected, err = bothLists(reply.Body); err != nil {
		return nil, t.unreadable("register", err)
	}
	return rejected, nil
}

// refusals is one error for each code that numbers were refused with.
func (t *Tracker) refusals(refused map[int64]int, of int) error {
	var all []error
	for code, n := range refused {
		e := codeError(code)
		switch {
		case e == nil && code == codeRegistered:
			continue
		case e == nil:
			e = &connectors.Error{Kind: connectors.Malformed, Err: errors.New("refused without a code")}
		case e.Kind == connectors.Malformed:
			e.Kind = connectors.Rejected
		}
		e.Op, e.Subject = "track17 register", string(t.store)
		e.Err = fmt.Errorf("%d of %d numbers: %w", n, of, e.Err)
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(all...)
}
