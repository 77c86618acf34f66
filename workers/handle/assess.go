package handle

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"strconv"
	"time"

	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/job"
	"watchkeeper/workers/trace"
)

// assess decides about a batch of cases and does what needs no platform: it re-arms, warns, pages, and asks for answers.
func (h *Handlers) assess(ctx context.Context, args job.Args) (err error) {
	records, ok, err := h.Store.Cases(ctx, args.Disputes())
	if err != nil {
		return err
	}
	var writes []sla.CaseWrite
	var wanted []job.Kind // of each write
	var spans []trace.Span
	var asked trace.Parents
	defer func() { endAll(spans, err) }()
	var answers []sla.DisputeID
	versions := fnv.New64a()
	for i, rec := range records {
		src := h.source(rec.ID.Store)
		if !ok[i] || src == nil {
			continue
		}
		now := src.PlatformTime(h.Now())
		d := sla.Decide(now, rec.Case, h.Rules.For(src.Platform, rec.ID.Store, rec.Reason))
		if d.Next.IsZero() {
			continue // closed since the job was sent: its timer says until when it is kept
		}
		h.metrics.decided(src.Platform, d)
		h.due(src, rec.Case, d)
		ctx, span := h.Trace.Case(ctx, string(job.Assess), src.Platform, rec.Case)
		span.Decided(&d, left(d, now))
		w, kind := h.apply(ctx, src, rec, d)
		if spans = append(spans, span); kind != "" {
			asked = asked.Asks(span, rec.ID)
		}
		if kind == job.Respond {
			answers = append(answers, rec.ID) // nothing to write: whoever asked for this job has armed the case for soon after it
			_, _ = versions.Write(binary.BigEndian.AppendUint32(nil, rec.Version))
			continue
		}
		writes, wanted = append(writes, w), append(wanted, kind)
	}
	results, err := h.put(ctx, writes...)
	if err != nil {
		return err
	}
	var again []sla.DisputeID
	reread := fnv.New64a()
	for i, r := range results {
		if wanted[i] == job.Refresh && !r.Stale {
			again = append(again, writes[i].ID)
			_, _ = reread.Write(binary.BigEndian.AppendUint32(nil, r.Version))
		}
	}
	// An unanswered case keeps its version: the occasion is part of the tag, or a job whose process was killed would shadow its successors.
	_, _ = versions.Write([]byte(args.Tag))
	jobs := job.ForCases(job.Respond, answers, strconv.FormatUint(versions.Sum64(), 36))
	jobs = append(jobs, job.ForCases(job.Refresh, again, strconv.FormatUint(reread.Sum64(), 36))...)
	return h.Jobs.Enqueue(ctx, job.Under(jobs, asked)...)
}

// endAll ends the spans of a job's cases, which ended as the job did.
func endAll(spans []trace.Span, err error) {
	for _, s := range spans {
		s.Fail(err)
		s.End()
	}
}

// apply does what a decision says as far as it needs no platform, and gives the record to write and the kind of job that goes on from
// here, if any. People are told before the record says so: told twice is better than never.
func (h *Handlers) apply(ctx context.Context, src *connectors.Source, rec sla.CaseRecord, d sla.Decision) (sla.CaseWrite, job.Kind) {
	ours := h.Now()
	now := src.PlatformTime(ours)
	w := rewrite(rec, ours.Add(d.Next.Sub(now))) // deadlines go by the platform's clock, timers by ours
	h.line(ctx, rec.Case, d, now)
	switch d.Action {
	case sla.ActionAct, sla.ActionResolve, sla.ActionShadow:
		return w, job.Respond
	case sla.ActionWarn:
		h.remind(ctx, src, d, &w)
	case sla.ActionHold:
		if rec.Paged < sla.StageAct { // nobody looks at what waits for a yes unless told
			w.Paged = asked(d)
			h.summon(ctx, src.Platform, Notice{Case: rec.Case, Decision: d, Why: d.Why})
		}
	case sla.ActionPage:
		w.Paged = d.Stage
		h.summon(ctx, src.Platform, Notice{Case: rec.Case, Decision: d, Why: d.Why})
	case sla.ActionWait:
		if d.Stage >= sla.StageGuard {
			return w, job.Refresh // a person was told and may have acted, or the platform has: nothing else reads such a case again
		}
	}
	return w, ""
}

// remind tells people of the warn points that have passed since they were last told, and has the record say so.
func (h *Handlers) remind(ctx context.Context, src *connectors.Source, d sla.Decision, w *sla.CaseWrite) {
	if d.Warned <= w.Warned {
		return
	}
	n := Notice{Case: w.Case, Decision: d, Why: sla.WhyWarnPoint}
	if w.Warned = d.Warned; d.Channel == sla.ChannelPage {
		h.summon(ctx, src.Platform, n)
		return
	}
	h.warn(ctx, d.Channel, n)
}

// warn tells people of a warn point.
func (h *Handlers) warn(ctx context.Context, c sla.Channel, n Notice) {
	trace.Told(ctx, c, n.Why, h.Now())
	h.Notify.Warn(ctx, n)
}

// summon pages a person.
func (h *Handlers) summon(ctx context.Context, p sla.Platform, n Notice) {
	h.metrics.pages.WithLabelValues(string(p)).Inc()
	trace.Told(ctx, sla.ChannelPage, n.Why, h.Now())
	h.Notify.Page(ctx, n)
}

// line writes the one wide line of a decision: for people when something happens, for debugging otherwise.
func (h *Handlers) line(ctx context.Context, c sla.Case, d sla.Decision, now time.Time) {
	log := trace.Log(ctx, h.log).Info
	if d.Action == sla.ActionWait || d.Action == sla.ActionLeave {
		log = trace.Log(ctx, h.log).Debug
	}
	log("decided", zap.String("case", c.ID.String()), zap.Stringer("action", d.Action), zap.Stringer("why", d.Why), zap.Stringer("stage", d.Stage),
		zap.Duration("left", left(d, now)), zap.Stringer("cost", d.Cost), zap.Stringer("turn", c.Obligation.Turn),
		zap.Duration("guard", d.Rule.Guard.Value), zap.Duration("margin", d.Rule.Margin.Guard), zap.String("rules", h.Rules.Hash()))
}

// left is the time until the deadline, 0 when there is none.
func left(d sla.Decision, now time.Time) time.Duration {
	if d.Deadline.IsZero() {
		return 0
	}
	return d.Deadline.Sub(now).Round(time.Second)
}
