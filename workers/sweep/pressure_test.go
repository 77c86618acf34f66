package sweep_test

import (
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/job"
	"watchkeeper/workers/sweep"
)

func TestPressureLeavesParcelsAndThenWhatOwesNothingAndNeverAnAnswer(t *testing.T) {
	t.Parallel()
	for level, want := range map[sla.Pressure]struct{ assess, refresh, look int }{
		sla.PressureNone: {2, 2, 1}, sla.PressurePoll: {2, 2, 1}, sla.PressureParcels: {2, 2, 0}, sla.PressureAnswers: {2, 1, 0},
	} {
		t.Run(level.String(), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.add("AE01", "owes", func(*sla.CaseRecord) {})
			b.add("AE01", "unknown", func(r *sla.CaseRecord) { r.Obligation, r.Unresolved = sla.Obligation{}, true })
			b.add("AE01", "answered", func(r *sla.CaseRecord) { r.Answered = true })
			b.add("AE01", "nothing", func(r *sla.CaseRecord) { r.Obligation = sla.Obligation{} })
			ref := sla.ShipmentRef{Number: "LX1"}
			b.parcels[ref.Key()] = sla.ShipmentRecord{Ref: ref, Milestone: sla.MilestoneInTransit, Store: "T17", Next: b.now}
			b.sweeper.Under(func(*connectors.Source) sla.Pressure { return level })
			b.run(t)
			if a, r, l := len(b.asked(t, job.Assess)), len(b.asked(t, job.Refresh)), len(b.asked(t, job.Look)); a != want.assess || r != want.refresh || l != want.look {
				t.Errorf("want %+v, got %d, %d, %d", want, a, r, l)
			}
			b.sweeper.Under(func(*connectors.Source) sla.Pressure { return sla.PressureNone })
			b.jobs, b.now = nil, b.now.Add(sweep.Lease+time.Second)
			b.run(t)
			if len(b.asked(t, job.Refresh)) != 2 || want.look == 0 && len(b.asked(t, job.Look)) != 1 {
				t.Errorf("want what was left undone done when time is no longer short, got %v", b.jobs)
			}
		})
	}
}
