package handle

import (
	"context"
	"errors"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/playbook"
)

// facts gathers what the playbook wants to know. The parcel comes from the store: the trackers' feeds keep it fresh.
func (h *Handlers) facts(ctx context.Context, now time.Time, d sla.Dispute, o sla.Obligation) (playbook.Facts, error) {
	f := playbook.Facts{Now: now, Dispute: d, Obligation: o}
	for _, src := range h.Sources.Trackers() {
		f.Parcels = h.Rules.Shipments(src.Store, sla.Lane{Dest: d.Country})
		if len(d.Shipments) == 0 {
			continue
		}
		refs := make([]sla.ShipmentRef, len(d.Shipments))
		for i, r := range d.Shipments {
			refs[i] = sla.ShipmentRef{Number: r.Number}
		}
		records, ok, err := h.Store.Shipments(ctx, src.Store, refs)
		if err != nil {
			return f, err
		}
		for i, r := range records {
			if ok[i] && (f.Parcel == nil || r.LastEvent.After(f.Parcel.LastEvent)) {
				f.Parcels = h.Rules.Shipments(src.Store, sla.Lane{Carrier: r.Ref.Carrier, Dest: d.Country})
				f.Parcel = &playbook.Parcel{Ref: r.Ref, Milestone: r.Milestone, Anomalies: r.Anomalies, LastEvent: r.LastEvent}
			}
		}
		if f.Parcel != nil {
			return f, nil
		}
	}
	return f, nil
}

// fromPlatform reports whether an error came from a connector.
func fromPlatform(err error) bool {
	var e *connectors.Error
	return errors.As(err, &e)
}
