package intake

import (
	"context"
	"errors"
	"strconv"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/job"
	"watchkeeper/workers/trace"
)

// observed is a dispute as the platform shows it now, with what was recorded of it before.
type observed struct {
	dispute     sla.Dispute
	fingerprint uint64
	prev        *sla.CaseRecord
	look        time.Time  // when to look for an answer of unknown outcome again; zero: at the pace of settle
	began       time.Time  // of its reading, where that was by a poll and is traced
	span        trace.Span // of the job that has read it, where that is about several
}

// record writes the disputes down, arms their timers in the same step and asks for the work that is due. A case whose write is stale
// was changed by another worker in between, who armed it. Parcels are asked for first: nothing would ask again once the rows are on record.
// For the same reason a line of the audit that fails keeps back neither the other lines nor the work.
func (in *Intake) record(ctx context.Context, src *connectors.Source, watched []observed, tally *Tally) (err error) {
	if len(watched) == 0 {
		return nil
	}
	if err := in.enrol(ctx, watched); err != nil {
		return err
	}
	if err := in.noteClaims(ctx, src, watched); err != nil {
		return err
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
	spans := in.begin(ctx, src, watched, writes)
	defer spans.end(&err)
	results, err := in.store.PutCases(ctx, writes)
	if err != nil {
		return err
	}
	var jobs []job.Job
	var asked trace.Parents
	var errs []error
	for i, o := range watched {
		r := results[i]
		switch {
		case r.Stale:
			tally.stale(writes[i].Expect)
			spans.of(i).Recorded("stale", false)
			continue
		case o.prev == nil:
			tally.New++
			spans.of(i).Recorded("new", due[i])
		default:
			tally.Updated++
			spans.of(i).Recorded("updated", due[i])
		}
		if cause := breached(o, in.now()); cause != "" {
			in.metrics.breaches.WithLabelValues(string(src.Platform), cause).Inc()
		}
		if due[i] {
			jobs = append(jobs, assess(writes[i].ID, r.Version)...)
			asked = asked.Asks(spans.of(i), writes[i].ID)
		}
		errs = append(errs, in.tellMove(ctx, o))
	}
	return errors.Join(append(errs, in.jobs.Enqueue(ctx, job.Under(jobs, asked)...))...)
}

// rows are the spans of what is written down, one for each; empty when nothing is traced.
type rows []trace.Span

func (in *Intake) begin(ctx context.Context, src *connectors.Source, watched []observed, writes []sla.CaseWrite) rows {
	if in.trace == nil {
		return nil
	}
	out := make(rows, len(watched))
	for i, o := range watched {
		r := trace.Row{ID: o.dispute.ID, Platform: src.Platform, Turn: writes[i].Obligation.Turn, Began: o.began}
		if o.prev != nil {
			r.Before = o.prev.Obligation.Turn
		}
		_, out[i] = in.trace.Row(o.span.In(ctx), r)
	}
	return out
}

func (r rows) of(i int) trace.Span {
	if r == nil {
		return trace.Span{}
	}
	return r[i]
}

func (r rows) end(err *error) {
	for _, s := range r {
		s.Fail(*err)
		s.End()
	}
}

// assess asks for a decision about a case at a version.
func assess(id sla.DisputeID, version uint32) []job.Job {
	return job.ForCases(job.Assess, []sla.DisputeID{id}, strconv.FormatUint(uint64(version), 36))
}

// keep does for cases that could not be read what their records alone tell: people must hear of a deadline although the platform is
// silent. The timer of a failure that may pass is left as it is, a short lease.
func (in *Intake) keep(ctx context.Context, src *connectors.Source, unread []found) error {
	var writes []sla.CaseWrite
	var jobs []job.Job
	var asked trace.Parents
	for _, f := range unread {
		w := sla.CaseWrite{CaseRecord: *f.prev, Expect: f.prev.Version}
		switch _, due := in.arm(src, &w, w.Unresolved); {
		case due:
			jobs = append(jobs, assess(w.ID, w.Version)...)
			asked = asked.Asks(f.span, w.ID)
		case onlyThis(f.err):
			writes = append(writes, w)
		}
	}
	if len(writes) > 0 {
		if _, err := in.store.PutCases(ctx, writes); err != nil {
			return err
		}
	}
	return in.jobs.Enqueue(ctx, job.Under(jobs, asked)...)
}

// unresolved reports whether an answer of an earlier turn may still be out: the turn has moved, and what moved it may have been ours. What
// went beside an answer holds up nothing.
func (in *Intake) unresolved(ctx context.Context, o observed) (bool, error) {
	if o.prev == nil || o.prev.Obligation.Turn == 0 || sameTurn(o) {
		return false, nil
	}
	attempts, err := in.store.Attempts(ctx, o.dispute.ID)
	if err != nil {
		return false, err
	}
	for _, a := range attempts {
		if a.Side == sla.AnswerNone && (a.State == sla.AttemptSent || a.State == sla.AttemptUnknown) {
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
	w := sla.CaseWrite{CaseRecord: sla.CaseRecord{Fingerprint: o.fingerprint}}
	if o.prev != nil {
		w.CaseRecord, w.Expect = *o.prev, o.prev.Version
		w.Fingerprint = o.fingerprint
	}
	before := w.Obligation.Turn
	w.DisputeRef, w.State, w.Reason, w.Claimed = d.DisputeRef, d.State, d.Reason, d.Claimed
	w.Obligation, _ = d.Ruling(in.rules.For(src.Platform, src.Store, d.Reason))
	if w.Obligation.Turn != before {
		w.Warned, w.Paged, w.Answered, w.Shadowed, w.Waiting = 0, sla.StageNone, false, false, false
		if w.Approval != sla.ApprovalHeld {
			w.Approval = sla.ApprovalNone // a yes or a no was about the answer of one turn
		}
	}
	again := w.Unresolved
	w.Unresolved = w.Unresolved || lost
	drift, due := in.arm(src, &w, again)
	if w.Unresolved && o.look.After(in.now()) && o.look.Before(w.Next) {
		w.Next, w.Leased = o.look, false
	}
	in.metrics.drift(src.Platform, drift)
	return w, due
}

// arm sets when to look at a case again and says whether something is to be done now. Deadlines go by the platform's clock, timers by
// ours: a timer is armed so far from our present as the decision is from the platform's. Again says that the outcome of an attempt was
// asked for before: from then on the settle window is the pace, for an attempt may stay unknown for days.
func (in *Intake) arm(src *connectors.Source, w *sla.CaseWrite, again bool) (drift time.Duration, due bool) {
	ours := in.now()
	now := src.PlatformTime(ours)
	rule := in.rules.For(src.Platform, src.Store, w.Reason)
	decision := sla.Decide(now, w.Case, rule)
	wait := decision.Next.Sub(now) // means nothing without a Next; closed cases alone have none
	switch decision.Action {
	case sla.ActionWait:
	case sla.ActionResolve:
		if !again {
			wait = grace / 2
		}
		if guard := sla.GuardAt(w.Obligation, rule); !decision.Deadline.IsZero() && guard.After(now) {
			wait = min(wait, guard.Sub(now))
		}
	case sla.ActionLeave:
		if !w.Open() {
			wait = KeepClosed
		}
	default:
		wait, due = min(wait, grace), true
	}
	w.Next, w.Leased = ours.Add(wait), due
	return decision.Drift, due
}
