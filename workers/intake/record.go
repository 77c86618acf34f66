package intake

import (
	"context"
	"strconv"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/job"
)

// observed is a dispute as the platform shows it now, with what was recorded of it before.
type observed struct {
	dispute     sla.Dispute
	fingerprint uint64
	prev        *sla.CaseRecord
}

// record writes the disputes down, arms their timers in the same step and asks for the work that is due. A case whose write is stale
// was changed by another worker in between; its row will differ again at the next poll.
func (in *Intake) record(ctx context.Context, src *connectors.Source, watched []observed, tally *Tally) error {
	if len(watched) == 0 {
		return nil
	}
	writes := make([]sla.CaseWrite, len(watched))
	due := make([]bool, len(watched))
	for i, o := range watched {
		lost, err := in.unresolved(ctx, o)
		if err != nil {
			return err
		}
		writes[i], due[i] = in.write(src, o, lost)
	}
	results, err := in.store.PutCases(ctx, writes)
	if err != nil {
		return err
	}
	jobs, err := in.enrol(ctx, watched)
	if err != nil {
		return err
	}
	for i, r := range results {
		switch {
		case r.Stale:
			tally.Stale++
			continue
		case watched[i].prev == nil:
			tally.New++
		default:
			tally.Updated++
		}
		if due[i] {
			tag := strconv.FormatUint(uint64(r.Version), 36)
			jobs = append(jobs, job.ForCases(job.Assess, []sla.DisputeID{writes[i].ID}, tag)...)
		}
	}
	return in.jobs.Enqueue(ctx, jobs...)
}

// unresolved reports whether an attempt of an earlier turn may still be out: the turn has moved, and what moved it may have been ours.
func (in *Intake) unresolved(ctx context.Context, o observed) (bool, error) {
	if o.prev == nil || o.prev.Obligation.Turn == 0 || sameTurn(o) {
		return false, nil
	}
	attempts, err := in.store.Attempts(ctx, o.dispute.ID)
	if err != nil {
		return false, err
	}
	for _, a := range attempts {
		if a.State == sla.AttemptSent || a.State == sla.AttemptUnknown {
			return true, nil
		}
	}
	return false, nil
}

func sameTurn(o observed) bool {
	for _, ob := range o.dispute.Obligations {
		if ob.Turn == o.prev.Obligation.Turn {
			return true
		}
	}
	return false
}

// write makes the record of a dispute: what is new from the platform, what was done in the same turn from the record before. It also
// says whether something is to be done now.
func (in *Intake) write(src *connectors.Source, o observed, lost bool) (sla.CaseWrite, bool) {
	d := o.dispute
	now := src.PlatformTime(in.now())
	rule := in.rules.For(src.Platform, src.Store, d.Reason)
	w := sla.CaseWrite{CaseRecord: sla.CaseRecord{Fingerprint: o.fingerprint}}
	if o.prev != nil {
		w.CaseRecord, w.Expect = *o.prev, o.prev.Version
		w.Fingerprint = o.fingerprint
	}
	before := w.Obligation.Turn
	w.DisputeRef, w.State, w.Reason, w.Claimed = d.DisputeRef, d.State, d.Reason, d.Claimed
	w.Obligation, _ = d.Ruling(rule)
	if w.Obligation.Turn != before {
		w.Warned, w.Paged, w.Answered = 0, sla.StageNone, false
	}
	w.Unresolved = w.Unresolved || lost
	decision := sla.Decide(now, w.Case, rule)
	in.metrics.drift(src.Platform, decision.Drift)
	switch decision.Action {
	case sla.ActionWait:
		w.Next = decision.Next
		return w, false
	case sla.ActionResolve:
		w.Next = now.Add(grace / 2) // asked a moment ago, or to be asked by the sweep: no hurry, and no loop
		return w, false
	case sla.ActionLeave:
		w.Next = decision.Next
		if !w.Open() {
			w.Next = now.Add(KeepClosed)
		}
		return w, false
	}
	w.Next = earlier(now.Add(grace), decision.Next)
	return w, true
}

func earlier(a, b time.Time) time.Time {
	if b.IsZero() || a.Before(b) {
		return a
	}
	return b
}
