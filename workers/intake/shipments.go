package intake

import (
	"cmp"
	"context"
	"slices"

	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// AcceptShipments records a page of a tracker's feed. On an error the cursor must stay.
func (in *Intake) AcceptShipments(ctx context.Context, src *connectors.Source, page connectors.Page) (Tally, error) {
	tally := Tally{}
	rows := byNumber(page.Rows)
	compared, err := in.store.CompareShipments(ctx, src.Store, seen(rows))
	if err != nil {
		return tally, err
	}
	var changed []connectors.Row
	known := map[string]tracked{}
	for i, c := range compared {
		if c.Verdict == sla.VerdictUnchanged {
			tally.Unchanged++
			continue
		}
		changed = append(changed, rows[i])
		t := tracked{fingerprint: rows[i].Fingerprint}
		if c.Verdict == sla.VerdictChanged {
			t.prev = &c.Record
		}
		known[rows[i].ID] = t
	}
	rejects := page.Rejects
	var failed error
	if len(changed) > 0 {
		shipments, bad, err := resolveShipments(ctx, src.Tracker, changed)
		failed, rejects = err, slices.Concat(rejects, bad)
		if err := in.recordShipments(ctx, src, shipments, known, &tally); err != nil {
			return tally, err
		}
	}
	tally.Rejected = in.reject(ctx, src, rejects)
	in.metrics.count(src.Platform, tally)
	return tally, tally.missed(src, failed)
}

// resolveShipments turns rows into parcels. When the connector panics the rows are resolved one by one: the poisonous one is rejected,
// and the others do not wait for it.
func resolveShipments(ctx context.Context, t connectors.Tracker, rows []connectors.Row) ([]sla.Shipment, []connectors.Reject, error) {
	shipments, rejects, poison, err := tryShipments(ctx, t, rows)
	if !poison {
		return shipments, rejects, err
	}
	shipments, rejects = nil, nil
	for i := range rows {
		some, bad, poison, err := tryShipments(ctx, t, rows[i:i+1])
		if poison {
			bad, err = []connectors.Reject{{ID: rows[i].ID, Raw: rows[i].Raw, Err: err}}, nil
		}
		shipments, rejects = append(shipments, some...), append(rejects, bad...)
		if err != nil {
			return shipments, rejects, err
		}
	}
	return shipments, rejects, nil
}

func tryShipments(ctx context.Context, t connectors.Tracker, rows []connectors.Row) (out []sla.Shipment, bad []connectors.Reject, poison bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			poison, err = true, panicked(rows[0].ID)
		}
	}()
	out, bad, err = t.ResolveShipments(ctx, rows)
	return out, bad, false, err
}

// Look reads parcels again and records what the tracker says. A parcel that the tracker does not know is looked at again at the
// rule's pace.
func (in *Intake) Look(ctx context.Context, src *connectors.Source, refs []sla.ShipmentRef) error {
	records, ok, err := in.store.Shipments(ctx, src.Store, refs)
	if err != nil {
		return err
	}
	known := make(map[string]tracked, len(refs))
	for i, r := range records {
		if ok[i] {
			known[refs[i].Number] = tracked{fingerprint: r.Fingerprint, prev: &r}
		}
	}
	shipments, err := src.Tracker.Track(ctx, refs)
	if err != nil {
		return err
	}
	tally := Tally{}
	if err := in.recordShipments(ctx, src, shipments, known, &tally); err != nil {
		return err
	}
	in.metrics.count(src.Platform, tally)
	return in.postpone(ctx, src, refs, known, shipments)
}

// postpone puts off the parcels that the tracker did not answer for.
func (in *Intake) postpone(ctx context.Context, src *connectors.Source, refs []sla.ShipmentRef, known map[string]tracked, answered []sla.Shipment) error {
	for _, s := range answered {
		delete(known, s.Ref.Number)
	}
	var writes []sla.ShipmentWrite
	for _, ref := range refs {
		t, left := known[ref.Number]
		if !left {
			continue
		}
		delete(known, ref.Number)
		next := in.now().Add(in.rules.Shipments(src.Store, t.prev.Lane).Recheck.Value)
		w := sla.ShipmentWrite{ShipmentRecord: *t.prev, Expect: t.prev.Version}
		w.Next = next
		writes = append(writes, w)
	}
	if len(writes) == 0 {
		return nil
	}
	_, err := in.store.PutShipments(ctx, writes)
	return err
}

// tracked is what was recorded of a parcel, and the fingerprint to record now. Parcels are on record under their numbers alone.
type tracked struct {
	fingerprint uint64
	prev        *sla.ShipmentRecord
}

// lane is the parcel's way: what the tracker does not tell now it may have told before.
func (t tracked) lane(s sla.Shipment) sla.Lane {
	l := s.Lane()
	if t.prev == nil {
		return l
	}
	before := t.prev.Lane
	return sla.Lane{Carrier: cmp.Or(l.Carrier, before.Carrier), Origin: cmp.Or(l.Origin, before.Origin), Dest: cmp.Or(l.Dest, before.Dest)}
}

func (in *Intake) recordShipments(ctx context.Context, src *connectors.Source, shipments []sla.Shipment, known map[string]tracked, tally *Tally) error {
	if len(shipments) == 0 {
		return nil
	}
	shipments = newest(shipments)
	now := in.now()
	writes := make([]sla.ShipmentWrite, len(shipments))
	for i, s := range shipments {
		t := known[s.Ref.Number]
		lane := t.lane(s)
		rule := in.rules.Shipments(src.Store, lane)
		writes[i] = sla.ShipmentWrite{ShipmentRecord: sla.ShipmentRecord{
			Store: src.Store, Ref: sla.ShipmentRef{Number: s.Ref.Number, Order: s.Ref.Order}, Lane: lane, Milestone: s.Milestone,
			LastEvent: s.LastEvent(), Next: sla.NextLook(now, s, rule), Fingerprint: t.fingerprint,
		}}
		w := &writes[i]
		for _, a := range sla.Detect(now, s, rule) {
			w.Anomalies = w.Anomalies.With(a.Kind)
		}
		if w.Next.IsZero() {
			w.Next = now.Add(KeepClosed)
		}
		if t.prev != nil {
			w.Expect = t.prev.Version
			w.Ref.Order = cmp.Or(w.Ref.Order, t.prev.Ref.Order)
		}
	}
	results, err := in.store.PutShipments(ctx, writes)
	if err != nil {
		return err
	}
	for i, r := range results {
		switch {
		case r.Stale:
			tally.stale(writes[i].Expect)
			continue
		case writes[i].Expect == 0:
			tally.New++
		default:
			tally.Updated++
		}
		in.announce(src, writes[i].ShipmentRecord, known[shipments[i].Ref.Number].prev)
	}
	return nil
}

// byNumber gives the rows under the parcels' numbers alone, each number once: a dispute knows no carrier, and must find its parcel.
func byNumber(rows []connectors.Row) []connectors.Row {
	out := slices.Clone(rows)
	for i := range out {
		out[i].ID = sla.ParseShipmentKey(out[i].ID).Number
	}
	return unique(out)
}

// newest keeps of each number the parcel with the newest event, where a provider follows it under several carriers.
func newest(shipments []sla.Shipment) []sla.Shipment {
	at := map[string]int{}
	var out []sla.Shipment
	for _, s := range shipments {
		i, ok := at[s.Ref.Number]
		switch {
		case !ok:
			at[s.Ref.Number] = len(out)
			out = append(out, s)
		case s.LastEvent().After(out[i].LastEvent()):
			out[i] = s
		}
	}
	return out
}

// announce counts and logs the anomalies that were not there before.
func (in *Intake) announce(src *connectors.Source, s sla.ShipmentRecord, prev *sla.ShipmentRecord) {
	fresh := s.Anomalies
	if prev != nil {
		fresh &^= prev.Anomalies
	}
	for _, k := range fresh.Kinds() {
		in.metrics.anomalies.WithLabelValues(string(src.Platform), k.String()).Inc()
		in.log.Info("parcel anomaly", zap.String("store", string(src.Store)), zap.String("parcel", s.Ref.Key()), zap.Stringer("anomaly", k),
			zap.Stringer("milestone", s.Milestone))
	}
}
