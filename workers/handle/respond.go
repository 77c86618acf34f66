package handle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/playbook"
	"watchkeeper/workers/job"
	"watchkeeper/workers/trace"
)

// Timings of an answer. A claim must outlast the call by far: whoever sends with less left than callTimeout+reserve might still be
// sending when another worker takes over.
const (
	claimLease  = time.Minute
	callTimeout = 10 * time.Second
	reserve     = 5 * time.Second
	writeLimit  = 5 * time.Second // to write down an outcome, whatever became of the job's context
)

// maxTries is after how many sure refusals of one turn a person takes over.
const maxTries = 5

// respond answers the cases of a job, or learns what became of answers, as many at once as their store may have under way. One that fails does
// not stop the others. What there is no slot or no time for is looked at again soon: an answer that is begun must have the time to end.
func (h *Handlers) respond(ctx context.Context, args job.Args) error {
	start := h.Now() // before the claims: their reply may be late, and the leases run already
	all, err := h.turns(ctx, args, start)
	if err != nil {
		return err
	}
	defer func() {
		for _, t := range all {
			t.span.End() // of those that were put off
		}
	}()
	urgent(all)
	var errs []error
	for _, turns := range byStore(all) {
		errs = append(errs, h.answers(ctx, turns, start))
	}
	return errors.Join(errs...)
}

// byStore parts the cases of a job, which usually are of one store.
func byStore(turns []*turn) [][]*turn {
	var out [][]*turn
	for _, t := range turns {
		i := slices.IndexFunc(out, func(of []*turn) bool { return of[0].src == t.src })
		if i < 0 {
			i, out = len(out), append(out, nil)
		}
		out[i] = append(out[i], t)
	}
	return out
}

// answers goes on with the cases of one store, in the slots that it has free.
func (h *Handlers) answers(ctx context.Context, turns []*turn, start time.Time) error {
	wanted := 1
	if h.AtOnce {
		wanted = len(turns)
	}
	lease := h.slots.take(turns[0].rec.ID.Store, wanted, h.most(turns[0].rec.ID.Store))
	if lease.slots == 0 {
		for _, t := range turns {
			t.span.PutOff(trace.NoSlot)
		}
		return h.putOff(ctx, turns...)
	}
	h.claim(ctx, turns, start)
	errs := make([]error, len(turns))
	free := make(chan struct{}, lease.slots)
	var next atomic.Int64
	h.each(turns, func(int, *turn) {
		free <- struct{}{}
		i := int(next.Add(1)) - 1 // the most urgent first, whichever goroutine got here
		t := turns[i]
		ctx := t.span.In(ctx)
		defer func() {
			t.span.Fail(errs[i])
			t.span.End()
			lease.ended(len(turns))
			<-free
		}()
		ending := h.ending()
		if ending || h.Now().Sub(start) > job.Budget-callTimeout-reserve || ctx.Err() != nil {
			t.span.PutOff(trace.NoTime)
			errs[i] = t.giveBack(ctx, t.held)
			if (ending || lease.slots < len(turns)) && ctx.Err() == nil {
				errs[i] = errors.Join(errs[i], h.putOff(ctx, t))
			}
			return
		}
		if err := errors.Join(t.run(ctx), t.giveBack(ctx, t.held)); err != nil {
			errs[i] = fmt.Errorf("case %s: %w", t.rec.ID, err)
		}
	})
	return errors.Join(errs...)
}

// each does something for every turn: one after the other, or all at once, so that a platform that is slow about one does not use up the time
// of the others, and the store shares its round trips among them. A panic is the caller's, when all have ended.
func (h *Handlers) each(turns []*turn, do func(i int, t *turn)) {
	if !h.AtOnce {
		for i, t := range turns {
			do(i, t)
		}
		return
	}
	broken := make(chan any, len(turns))
	var all sync.WaitGroup
	for i, t := range turns {
		all.Go(func() {
			defer func() {
				if p := recover(); p != nil { // nobody recovers in a goroutine of ours, and the process would end
					h.log.Error("panic in a turn", zap.Stack("stack"))
					broken <- p
				}
			}()
			do(i, t)
		})
	}
	all.Wait()
	select {
	case p := <-broken:
		panic(p) // the queue counts it as a failure of the job
	default:
	}
}

// turns decides again about the cases of a job, for the job may be old, and gives those that still want an answer.
func (h *Handlers) turns(ctx context.Context, args job.Args, now time.Time) ([]*turn, error) {
	records, ok, err := h.Store.Cases(ctx, args.Disputes())
	if err != nil {
		return nil, err
	}
	turns := make([]*turn, 0, len(records))
	for i, rec := range records {
		src := h.source(rec.ID.Store)
		if !ok[i] || src == nil || src.Connector == nil {
			continue
		}
		t := &turn{Handlers: h, src: src, rec: rec, claimed: now, rule: h.Rules.For(src.Platform, rec.ID.Store, rec.Reason)}
		t.decision = sla.Decide(t.now(), rec.Case, t.rule)
		in, span := h.Trace.Case(ctx, string(job.Respond), src.Platform, rec.Case)
		t.span, t.log = span, trace.Log(in, h.log)
		span.Decided(&t.decision, left(t.decision, t.now()))
		switch t.decision.Action {
		case sla.ActionAct, sla.ActionResolve, sla.ActionShadow:
			turns = append(turns, t)
		default: // somebody was faster; the timer is armed
			span.End()
		}
	}
	return turns, nil
}

// claim claims the slots of the ledger for those that want to send, all in one round trip.
func (h *Handlers) claim(ctx context.Context, turns []*turn, now time.Time) {
	keys, claiming := make([]sla.AttemptKey, 0, len(turns)), make([]*turn, 0, len(turns))
	for _, t := range turns {
		if t.decision.Action == sla.ActionAct && t.src.Responder != nil {
			keys, claiming = append(keys, sla.AttemptKey{Dispute: t.rec.ID, Turn: t.rec.Obligation.Turn}), append(claiming, t)
		}
	}
	if len(keys) == 0 {
		return
	}
	for i, c := range h.Ledger.ClaimAttempts(ctx, keys, now, claimLease) {
		claiming[i].held, claiming[i].claimErr = c.Attempt, c.Err
		h.Trace.Claimed(claiming[i].span.In(ctx), keys[i], c, now)
	}
}

// clocked is a connector that knows how far its platform's clock is from ours.
type clocked interface{ Skew() time.Duration }

// A turn is one case on its way to an answer: claim, read, check, act.
type turn struct {
	*Handlers
	log      *zap.Logger // names the trace
	span     trace.Span
	src      *connectors.Source
	rec      sla.CaseRecord
	rule     sla.Rule
	decision sla.Decision
	dispute  sla.Dispute
	claimed  time.Time   // when the slot was asked for
	began    time.Time   // when the platform was first asked
	held     sla.Attempt // the slot of the answer, as the claim gave it; zero when nothing is to be sent
	facts    playbook.Facts
	claimErr error     // why it could not be claimed
	killed   bool      // a kill switch has stopped an answer
	look     time.Time // when to look for an absent answer again; zero when none is absent
}

func (t *turn) now() time.Time { return t.src.PlatformTime(t.Now()) }

// run reads the platform and acts on what it says now and not on what was recorded.
func (t *turn) run(ctx context.Context) error {
	switch {
	case t.src.Responder == nil && t.decision.Action != sla.ActionShadow:
		return t.page(ctx, t.decision, sla.WhyPersonNeeded)
	case errors.Is(t.claimErr, sla.ErrHeld):
		t.span.PutOff(trace.HeldElsewhere)
		return nil // another worker is at it; the sweep looks again after its lease
	case t.claimErr != nil && !errors.Is(t.claimErr, sla.ErrUnresolved):
		return t.claimErr
	}
	if wait := t.frozen(); wait > 0 && t.held.State == sla.AttemptClaimed {
		t.span.PutOff(trace.MoneyFrozen)
		_, err := t.put(ctx, rewrite(t.rec, t.later(wait, t.decision)))
		return err
	}
	if t.stillKilled(ctx) {
		t.span.PutOff(trace.SwitchedOff)
		_, err := t.put(ctx, rewrite(t.rec, t.later(againWait, t.decision)))
		return err
	}
	var err error
	t.began = t.Now()
	if t.dispute, err = t.src.Connector.Lookup(ctx, t.rec.DisputeRef); err != nil {
		t.took(err)
		return t.unreadable(ctx, t.decision, err)
	}
	if c, ok := t.src.Connector.(clocked); ok {
		t.src.Observe(c.Skew()) // measured a moment ago: this process may never have polled the store's feed
	}
	// What the buyer complains of may have changed, and with it what we may pay.
	t.rule = t.Rules.For(t.src.Platform, t.rec.ID.Store, t.dispute.Reason)
	if t.rec.Unresolved || t.claimErr != nil || t.held.State == sla.AttemptUnknown {
		return t.resolve(ctx)
	}
	if t.held.State == sla.AttemptSettled {
		t.rec.Answered = true // answered before, and the record was lost with the store's memory
		return t.Intake.Record(ctx, t.src, t.dispute, t.rec)
	}
	obligation, owes := t.dispute.Ruling(t.rule)
	if !owes || obligation.Turn != t.rec.Obligation.Turn || t.dispute.State == sla.StateClosed {
		return t.Intake.Record(ctx, t.src, t.dispute, t.rec)
	}
	// The deadline may have moved within the turn: what the platform says now is what counts. Or this reading is late, and the record is not: the next poll
	// reads the row again.
	if was := t.rec.Obligation; !obligation.Deadline.Equal(was.Deadline) || obligation.Kinds != was.Kinds {
		t.rec.Fingerprint = 0
	}
	t.rec.Obligation = obligation
	t.decision = sla.Decide(t.now(), t.rec.Case, t.rule)
	if t.decision.Action != sla.ActionShadow && (t.decision.Action != sla.ActionAct || t.held.State != sla.AttemptClaimed) {
		return t.Intake.Record(ctx, t.src, t.dispute, t.rec)
	}
	return t.answer(ctx, t.decision)
}

// frozen is for how long no answer may be sent yet. Whoever would send waits for the end, which is known: a call that reads the dispute before that is
// wasted, and after a loss of memory the platform's allowance is needed to read everything again. What was sent already is asked for meanwhile.
func (t *turn) frozen() time.Duration {
	if t.Frozen == nil {
		return 0
	}
	return t.Frozen(t.rec.ID).Sub(t.Now())
}

// page hands the case to a person, once for each turn, and reminds at the warn points that follow. It looks again at the rule's pace, for facts
// may change, and at the next stage.
func (t *turn) page(ctx context.Context, d sla.Decision, why sla.Why) error {
	t.Meter.Done(t.src.Platform, t.rec.ID)
	if d.Stage <= sla.StageFallback {
		d.Stage = sla.StageAct // the fallback stage is for answers that wait for a yes; it is no second page
	}
	w := rewrite(t.rec, t.later(t.untilNext(t.rule.Recheck.Value, d), d))
	if t.rec.Paged < d.Stage {
		w.Paged, w.Warned = d.Stage, d.Warned
		t.summon(ctx, t.src.Platform, Notice{Case: t.rec.Case, Decision: d, Why: why})
	} else {
		t.remind(ctx, t.src, d, &w)
	}
	_, err := t.put(ctx, w)
	return err
}

// untilNext is a wait that does not go beyond the decision's next stage, and none when that has begun since the decision was made.
func (t *turn) untilNext(wait time.Duration, d sla.Decision) time.Duration {
	return min(wait, max(d.Next.Sub(t.now()), 0))
}

// later is a wait from now by our own clock, as timers are, but not beyond guard: there a person must hear of the case.
func (t *turn) later(wait time.Duration, d sla.Decision) time.Time {
	if !d.Deadline.IsZero() {
		if left := sla.GuardAt(t.rec.Obligation, t.rule).Sub(t.now()); left > 0 {
			wait = min(wait, left)
		}
	}
	return t.Now().Add(wait)
}

var (
	errTooLate     = errors.New("too late for a safe send")
	errCallTimeout = errors.New("the platform did not answer in time")
)
