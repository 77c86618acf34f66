package intake

import (
	"context"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/job"
	"watchkeeper/workers/trace"
)

// enrol asks the tracker to follow the parcels of disputes that it does not know yet, so that there are facts when an answer is due. The
// same parcels may be asked for again on another day: a job that ended badly keeps its id for weeks.
func (in *Intake) enrol(ctx context.Context, watched []observed) error {
	if in.tracker == "" {
		return nil
	}
	var refs []sla.ShipmentRef
	for _, o := range watched {
		for _, r := range o.dispute.Shipments {
			refs = append(refs, sla.ShipmentRef{Number: r.Number})
		}
	}
	if len(refs) == 0 {
		return nil
	}
	_, known, err := in.store.Shipments(ctx, in.tracker, refs)
	if err != nil {
		return err
	}
	var unknown []sla.ShipmentRef
	for i, r := range refs {
		if !known[i] {
			unknown = append(unknown, r)
		}
	}
	jobs := job.ForParcels(job.Enrol, in.tracker, unknown, in.now().UTC().Format(time.DateOnly))
	return in.jobs.Enqueue(ctx, job.Under(jobs, trace.Asking(ctx))...)
}
