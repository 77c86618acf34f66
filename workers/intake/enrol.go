package intake

import (
	"context"

	"watchkeeper/sla"
	"watchkeeper/workers/job"
)

// enrol asks the tracker to follow the parcels of disputes that it does not know yet, so that there are facts when an answer is due.
func (in *Intake) enrol(ctx context.Context, watched []observed) ([]job.Job, error) {
	if in.tracker == "" {
		return nil, nil
	}
	var refs []sla.ShipmentRef
	for _, o := range watched {
		for _, r := range o.dispute.Shipments {
			refs = append(refs, sla.ShipmentRef{Number: r.Number})
		}
	}
	if len(refs) == 0 {
		return nil, nil
	}
	_, known, err := in.store.Shipments(ctx, in.tracker, refs)
	if err != nil {
		return nil, err
	}
	var unknown []sla.ShipmentRef
	for i, r := range refs {
		if !known[i] {
			unknown = append(unknown, r)
		}
	}
	return job.ForParcels(job.Enrol, in.tracker, unknown, ""), nil
}
