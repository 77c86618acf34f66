package intake

import (
	"context"

	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// AcceptShipments records a page of a tracker's feed. On an error the cursor must stay.
func (in *Intake) AcceptShipments(ctx context.Context, src *connectors.Source, page connectors.Page) (Tally, error) {
	tally := Tally{}
	rows := unique(page.Rows)
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
		shipments, bad, err := src.Tracker.ResolveShipments(ctx, changed)
		failed, rejects = err, append(rejects, bad...)
		if err := in.recordShipments(ctx, src, shipments, known, &tally); err != nil {
			return tally, err
		}
	}
	tally.Rejected = in.reject(ctx, src, rejects)
	in.metrics.count(src.Platform, tally)
	return tally, failed
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
			known[refs[i].Key()] = tracked{fingerprint: r.Fingerprint, prev: &r}
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
	return nil
}

// tracked is what was recorded of a parcel, and the fingerprint to record now.
type tracked struct {
	fingerprint uint64
	prev        *sla.ShipmentRecord
}

func (in *Intake) recordShipments(ctx context.Context, src *connectors.Source, shipments []sla.Shipment, known map[string]tracked, tally *Tally) error {
	if len(shipments) == 0 {
		return nil
	}
	now, rule := in.now(), in.rules.Shipments(src.Store)
	writes := make([]sla.ShipmentWrite, len(shipments))
	for i, s := range shipments {
		t, ok := known[s.Ref.Key()]
		if !ok {
			t = known[s.Ref.Number]
		}
		writes[i] = sla.ShipmentWrite{ShipmentRecord: sla.ShipmentRecord{
			Store: src.Store, Ref: s.Ref, Milestone: s.Milestone, LastEvent: s.LastEvent(), Next: sla.NextLook(now, s, rule), Fingerprint: t.fingerprint,
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
			w.Ref = merged(t.prev.Ref, s.Ref)
		}
	}
	results, err := in.store.PutShipments(ctx, writes)
	if err != nil {
		return err
	}
	for i, r := range results {
		t := known[shipments[i].Ref.Key()]
		switch {
		case r.Stale:
			tally.Stale++
			continue
		case writes[i].Expect == 0:
			tally.New++
		default:
			tally.Updated++
		}
		in.announce(src, writes[i].ShipmentRecord, t.prev)
	}
	return nil
}

// merged keeps what an earlier reading knew of a parcel and the present one does not tell.
func merged(old, now sla.ShipmentRef) sla.ShipmentRef {
	if now.Order == "" {
		now.Order = old.Order
	}
	return sla.ShipmentRef{Number: old.Number, Carrier: old.Carrier, Order: now.Order}
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
