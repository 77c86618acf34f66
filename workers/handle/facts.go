package handle

import (
	"cmp"
	"context"
	"errors"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/playbook"
)

// facts gathers what the playbook wants to know. The parcel comes from the store: the trackers' feeds keep it fresh. Its thresholds are those of
// the store that sold it, where it has any, else its tracker's, under which the anomalies on record were found: silence is judged anew.
func (h *Handlers) facts(ctx context.Context, now time.Time, d sla.Dispute, o sla.Obligation) (playbook.Facts, error) {
	f := playbook.Facts{Now: now, Dispute: d, Obligation: o}
	for _, src := range h.Sources.Trackers() {
		f.Parcels = h.Rules.Sold(d.ID.Store, src.Store, sla.Lane{Dest: d.Country})
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
				lane := r.Lane
				lane.Dest = cmp.Or(d.Country, lane.Dest) // where the buyer is: a parcel may be told to end at a hub
				f.Parcels = h.Rules.Sold(d.ID.Store, src.Store, lane)
				f.Parcel = &playbook.Parcel{
					Ref: r.Ref, Milestone: r.Milestone, LastEvent: r.LastEvent,
					Anomalies: sla.SilenceAnew(now, r.Milestone, r.LastEvent, r.Anomalies, f.Parcels),
				}
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
