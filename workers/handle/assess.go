package handle

import (
	"context"
	"strconv"
	"time"

	"go.uber.org/zap"

	"watchkeeper/sla"
	"watchkeeper/workers/job"
)

// answerLease is how long an answer has before the sweep looks at the case again.
const answerLease = 2 * time.Minute

// assess decides about a batch of cases and does what needs no platform: it re-arms, warns, pages, and asks for answers.
func (h *Handlers) assess(ctx context.Context, args job.Args) error {
	records, ok, err := h.Store.Cases(ctx, args.Disputes())
	if err != nil {
		return err
	}
	var writes []sla.CaseWrite
	var answer []bool
	for i, rec := range records {
		src := h.source(rec.ID.Store)
		if !ok[i] || src == nil {
			continue
		}
		now := src.PlatformTime(h.Now())
		d := sla.Decide(now, rec.Case, h.Rules.For(src.Platform, rec.ID.Store, rec.Reason))
		h.metrics.decided(src.Platform, d)
		w, act := h.apply(ctx, rec, d, now)
		writes, answer = append(writes, w), append(answer, act)
	}
	results, err := h.put(ctx, writes...)
	if err != nil {
		return err
	}
	var jobs []job.Job
	for i, r := range results {
		if answer[i] && !r.Stale {
			jobs = append(jobs, job.ForCases(job.Respond, []sla.DisputeID{writes[i].ID}, strconv.FormatUint(uint64(r.Version), 36))...)
		}
	}
	return h.Jobs.Enqueue(ctx, jobs...)
}

// apply does what a decision says as far as it needs no platform, and gives the record to write; true when an answer must be sought.
// People are told before the record says so: told twice is better than never.
func (h *Handlers) apply(ctx context.Context, rec sla.CaseRecord, d sla.Decision, now time.Time) (sla.CaseWrite, bool) {
	w := rewrite(rec, d.Next)
	h.line(rec.Case, d, now)
	switch d.Action {
	case sla.ActionAct, sla.ActionResolve:
		w.Next = now.Add(answerLease)
		return w, true
	case sla.ActionWarn:
		w.Warned = d.Warned
		h.Notify.Warn(ctx, Notice{Case: rec.Case, Decision: d, Why: d.Why})
	case sla.ActionPage:
		w.Paged = d.Stage
		h.Notify.Page(ctx, Notice{Case: rec.Case, Decision: d, Why: d.Why})
	}
	return w, false
}

// line writes the one wide line of a decision: for people when something happens, for debugging otherwise.
func (h *Handlers) line(c sla.Case, d sla.Decision, now time.Time) {
	log := h.log.Info
	if d.Action == sla.ActionWait || d.Action == sla.ActionLeave {
		log = h.log.Debug
	}
	log("decided", zap.String("case", c.ID.String()), zap.Stringer("action", d.Action), zap.Stringer("why", d.Why), zap.Stringer("stage", d.Stage),
		zap.Duration("left", left(d, now)), zap.Stringer("cost", d.Cost), zap.Stringer("turn", c.Obligation.Turn))
}

// left is the time until the deadline, 0 when there is none.
func left(d sla.Decision, now time.Time) time.Duration {
	if d.Deadline.IsZero() {
		return 0
	}
	return d.Deadline.Sub(now).Round(time.Second)
}
