package handle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/playbook"
	"watchkeeper/workers/job"
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

// respond answers the cases of a job, or learns what became of answers, one after the other. One that fails does not stop the others.
// What there is no time for any more is left to the cases' timers: an answer that is begun must have the time to end.
func (h *Handlers) respond(ctx context.Context, args job.Args) error {
	start := h.Now() // before the claims: their reply may be late, and the leases run already
	turns, err := h.claim(ctx, args, start)
	if err != nil {
		return err
	}
	var errs []error
	for _, t := range turns {
		if h.Now().Sub(start) > job.Budget-callTimeout-reserve || ctx.Err() != nil {
			errs = append(errs, t.giveBack(ctx, t.held))
			continue
		}
		if err := errors.Join(t.run(ctx), t.giveBack(ctx, t.held)); err != nil {
			errs = append(errs, fmt.Errorf("case %s: %w", t.rec.ID, err))
		}
	}
	return errors.Join(errs...)
}

// claim decides again about the cases of a job, for the job may be old, and claims the slots of those that want an answer, all in one
// round trip. It gives those that this worker may go on with.
func (h *Handlers) claim(ctx context.Context, args job.Args, now time.Time) ([]*turn, error) {
	records, ok, err := h.Store.Cases(ctx, args.Disputes())
	if err != nil {
		return nil, err
	}
	turns := make([]*turn, 0, len(records))
	keys, claiming := make([]sla.AttemptKey, 0, len(records)), make([]*turn, 0, len(records))
	for i, rec := range records {
		src := h.source(rec.ID.Store)
		if !ok[i] || src == nil || src.Connector == nil {
			continue
		}
		t := &turn{Handlers: h, src: src, rec: rec, claimed: now, rule: h.Rules.For(src.Platform, rec.ID.Store, rec.Reason)}
		t.decision = sla.Decide(t.now(), rec.Case, t.rule)
		switch t.decision.Action {
		case sla.ActionAct:
			if src.Responder != nil {
				keys, claiming = append(keys, sla.AttemptKey{Dispute: rec.ID, Turn: rec.Obligation.Turn}), append(claiming, t)
			}
		case sla.ActionResolve:
		default:
			continue // somebody was faster; the timer is armed
		}
		turns = append(turns, t)
	}
	if len(keys) == 0 {
		return turns, nil
	}
	for i, c := range h.Ledger.ClaimAttempts(ctx, keys, now, claimLease) {
		claiming[i].held, claiming[i].claimErr = c.Attempt, c.Err
	}
	return turns, nil
}

// clocked is a connector that knows how far its platform's clock is from ours.
type clocked interface{ Skew() time.Duration }

// A turn is one case on its way to an answer: claim, read, check, act.
type turn struct {
	*Handlers
	src      *connectors.Source
	rec      sla.CaseRecord
	rule     sla.Rule
	decision sla.Decision
	dispute  sla.Dispute
	claimed  time.Time   // when the slot was asked for
	held     sla.Attempt // the slot of the answer, as the claim gave it
	claimErr error       // why it could not be claimed
}

func (t *turn) now() time.Time { return t.src.PlatformTime(t.Now()) }

// run reads the platform and acts on what it says now and not on what was recorded.
func (t *turn) run(ctx context.Context) error {
	switch {
	case t.src.Responder == nil:
		return t.page(ctx, t.decision, sla.WhyPersonNeeded)
	case errors.Is(t.claimErr, sla.ErrHeld):
		return nil // another worker is at it; the sweep looks again after its lease
	case t.claimErr != nil && !errors.Is(t.claimErr, sla.ErrUnresolved):
		return t.claimErr
	}
	var err error
	if t.dispute, err = t.src.Connector.Lookup(ctx, t.rec.DisputeRef); err != nil {
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
	// The deadline may have moved within the turn: what the platform says now is what counts.
	t.rec.Obligation = obligation
	if t.decision = sla.Decide(t.now(), t.rec.Case, t.rule); t.decision.Action != sla.ActionAct {
		return t.Intake.Record(ctx, t.src, t.dispute, t.rec)
	}
	return t.answer(ctx, t.decision)
}

// answer asks the playbook and carries its plan out.
func (t *turn) answer(ctx context.Context, d sla.Decision) error {
	if t.dispute.Unread && t.dispute.Reason == sla.ReasonNotReceived {
		// An offer made because the parcel could not be looked up cannot be taken back. At guard a person hears of the case.
		_, err := t.put(ctx, rewrite(t.rec, t.later(againWait, d)))
		return err
	}
	facts, err := t.facts(ctx, t.now(), t.dispute, t.rec.Obligation)
	if err != nil {
		return err
	}
	plan := playbook.Choose(facts, t.rule)
	if plan.Page {
		return t.page(ctx, d, plan.Why)
	}
	for _, a := range plan.Beside {
		if err := t.beside(ctx, a); err != nil {
			return err
		}
	}
	return t.send(ctx, d, plan.Answer)
}

// page hands the case to a person, once for each turn, and looks again at the rule's pace: facts may change.
func (t *turn) page(ctx context.Context, d sla.Decision, why sla.Why) error {
	d.Stage = max(d.Stage, sla.StageAct)
	w := rewrite(t.rec, t.later(t.rule.Recheck.Value, d))
	if t.rec.Paged < d.Stage {
		w.Paged = d.Stage
		t.summon(ctx, t.src.Platform, Notice{Case: t.rec.Case, Decision: d, Why: why})
	}
	_, err := t.put(ctx, w)
	return err
}

// later is a wait from now by our own clock, as timers are, but not beyond guard: there a person must hear of the case.
func (t *turn) later(wait time.Duration, d sla.Decision) time.Time {
	if !d.Deadline.IsZero() {
		if left := d.Deadline.Add(-t.rule.Guard.Value).Sub(t.now()); left > 0 {
			wait = min(wait, left)
		}
	}
	return t.Now().Add(wait)
}

// beside sends a side effect, at most once for the turn and without holding up the answer: only a failure of the store is an error.
func (t *turn) beside(ctx context.Context, a sla.Answer) error {
	claimed := t.Now() // before the claim, as in respond
	attempt, err := t.claimOne(ctx, sla.AttemptKey{Dispute: t.rec.ID, Turn: a.Turn, Side: a.Kind}, claimed)
	switch {
	case errors.Is(err, sla.ErrHeld):
		return nil
	case err != nil:
		return err
	case attempt.State == sla.AttemptUnknown:
		_, err := t.confirm(ctx, attempt)
		return err
	case attempt.State != sla.AttemptClaimed:
		return nil
	}
	// The platform need not show what went beside an answer: a memory that was lost since the turn began may have known of it.
	sent, ready, err := t.intend(ctx, attempt, a, t.rec.Obligation.Opened)
	if err != nil || !ready {
		return errors.Join(err, t.giveBack(ctx, attempt))
	}
	r := t.once(ctx, claimed, sent, a)
	t.report(a, r)
	return t.settle(ctx, sent, sla.Settlement{State: r.state, Receipt: r.receipt.ID, At: t.Now(), Audit: t.audit(a, r)})
}

// claimOne claims a single slot.
func (t *turn) claimOne(ctx context.Context, key sla.AttemptKey, now time.Time) (sla.Attempt, error) {
	c := t.Ledger.ClaimAttempts(ctx, []sla.AttemptKey{key}, now, claimLease)[0]
	return c.Attempt, c.Err
}

// send carries out the answer that ends the turn: durable intent, one call, outcome.
func (t *turn) send(ctx context.Context, d sla.Decision, a sla.Answer) error {
	sent, ready, err := t.intend(ctx, t.held, a, t.Now())
	if err != nil {
		return err
	}
	if !ready {
		_, err := t.put(ctx, rewrite(t.rec, t.later(againWait, d)))
		return err
	}
	t.held = sent
	a.Attempt = sent.N
	r := t.once(ctx, t.claimed, sent, a)
	t.report(a, r)
	return t.outcome(ctx, d, a, sent, r)
}

// intend makes the coming send durable, if the ledger remembers everything since then. False means that it does not or that the claim was
// lost, and that nothing may be sent.
func (t *turn) intend(ctx context.Context, attempt sla.Attempt, a sla.Answer, since time.Time) (sla.Attempt, bool, error) {
	attempt.Kind, attempt.Proposal, attempt.Amount, attempt.Why = a.Kind, a.Proposal, a.Amount, a.Why
	sent, err := t.Ledger.RecordIntent(ctx, attempt, t.Now(), since)
	switch {
	case err == nil:
		return sent, true, nil
	case errors.Is(err, sla.ErrFenced):
		return sla.Attempt{}, false, nil
	case errors.Is(err, sla.ErrFrozen), errors.Is(err, sla.ErrAmnesia):
		t.metrics.answers.WithLabelValues(string(t.src.Platform), a.Kind.String(), "frozen").Inc()
		t.log.Warn("nothing sent after a loss of memory", zap.String("case", t.rec.ID.String()), zap.Stringer("answer", a.Kind), zap.Error(err))
		return sla.Attempt{}, false, nil
	}
	return sla.Attempt{}, false, err
}

// result is what is known of a send.
type result struct {
	state   sla.AttemptState // settled, refused or unknown
	receipt connectors.Receipt
	err     error
}

// once makes the last check and the one call. No layer below repeats it.
func (t *turn) once(ctx context.Context, claimed time.Time, attempt sla.Attempt, a sla.Answer) result {
	guard := sla.EffectiveDeadline(t.rec.Obligation, t.rule).Add(-t.rule.Guard.Value)
	if !t.now().Before(guard) || t.Now().Sub(claimed) > claimLease-callTimeout-reserve || ctx.Err() != nil {
		return result{state: sla.AttemptRefused, err: errTooLate}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, callTimeout, errCallTimeout)
	defer cancel()
	a.Attempt = attempt.N
	receipt, err := t.src.Responder.Respond(ctx, t.dispute, a)
	r := result{state: sla.AttemptRefused, receipt: receipt, err: err}
	kind := connectors.KindOf(err)
	switch {
	case err == nil:
		r.state = sla.AttemptSettled
	case kind == connectors.OutcomeUnknown, kind == connectors.Malformed, kind == connectors.KindNone, !fromPlatform(err):
		r.state = sla.AttemptUnknown // of a failure that no connector tells, a cancelled call for one, nothing is known
	}
	return r
}

var (
	errTooLate     = errors.New("too late for a safe send")
	errCallTimeout = errors.New("the platform did not answer in time")
)
