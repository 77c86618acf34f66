package handle

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/playbook"
	"watchkeeper/workers/trace"
)

// answer asks the playbook and carries its plan out, as far as people, modes and budgets let it.
func (t *turn) answer(ctx context.Context, d sla.Decision) error {
	if t.dispute.Unread && t.dispute.Reason == sla.ReasonNotReceived {
		// An offer made because the parcel could not be looked up cannot be taken back. At guard a person hears of the case.
		wait := againWait
		if t.dispute.Retry > 0 {
			wait = min(wait, max(t.dispute.Retry, time.Second))
		}
		_, err := t.put(ctx, rewrite(t.rec, t.later(wait, d)))
		return err
	}
	var err error
	if t.facts, err = t.gather(ctx); err != nil {
		return err
	}
	plan, why, gated := playbook.Decided(d, t.facts, t.rule)
	switch {
	case d.Action == sla.ActionShadow:
		return t.shadow(ctx, plan)
	case plan.Page:
		return t.page(ctx, d, plan.Why)
	case !plan.Wait.IsZero():
		w := rewrite(t.rec, t.later(t.untilNext(plan.Wait.Sub(t.now()), d), d))
		t.remind(ctx, t.src, d, &w)
		_, err := t.put(ctx, w)
		return err
	case gated:
		return t.hold(ctx, d, why)
	}
	for _, a := range plan.Beside {
		if err := t.beside(ctx, a); err != nil {
			return err
		}
	}
	return t.send(ctx, d, plan.Answer)
}

// gather gathers the facts, the buyer's claims where a rule counts them.
func (t *turn) gather(ctx context.Context) (playbook.Facts, error) {
	f, err := t.Handlers.facts(ctx, t.now(), t.dispute, t.rec.Obligation)
	if err != nil || t.rule.HoldClaims.Value == 0 || t.dispute.Buyer == 0 {
		return f, err
	}
	f.Claims, err = t.Money.Claims(ctx, t.dispute.Buyer, t.now())
	return f, err
}

// asked is the stage for which a person is paged who is asked for a yes: whoever is asked late has another time to speak.
func asked(d sla.Decision) sla.StageKind { return min(max(d.Stage, sla.StageAct), sla.StageFallback) }

// hold lets the answer wait for a person's yes, and tells people once.
func (t *turn) hold(ctx context.Context, d sla.Decision, why sla.Why) error {
	t.Meter.Done(t.src.Platform, t.rec.ID)
	rec, stage := t.rec, asked(d)
	rec.Waiting, rec.Paged = true, max(rec.Paged, stage)
	waits := sla.Decide(t.now(), rec.Case, t.rule)
	if t.rec.Paged < stage {
		t.summon(ctx, t.src.Platform, Notice{Case: t.rec.Case, Decision: d, Why: why})
	}
	_, err := t.put(ctx, rewrite(rec, t.later(waits.Next.Sub(t.now()), d)))
	return err
}

// shadow records what would have been sent, once for each turn, and sends nothing.
func (t *turn) shadow(ctx context.Context, plan playbook.Plan) error {
	line := t.line(EventShadow)
	line.describe(plan)
	if err := t.Audit.Audit(ctx, t.rec.ID, line.encode()); err != nil {
		return err
	}
	t.metrics.shadows.WithLabelValues(string(t.src.Platform), plan.Answer.Kind.String()).Inc()
	t.log.Info("would have answered", zap.String("case", t.rec.ID.String()), zap.Stringer("answer", plan.Answer.Kind), zap.Stringer("why", plan.Why),
		zap.Stringer("amount", plan.Answer.Amount))
	rec := t.rec
	rec.Shadowed = true
	next := sla.Decide(t.now(), rec.Case, t.rule).Next
	_, err := t.put(ctx, rewrite(rec, t.Now().Add(next.Sub(t.now()))))
	return err
}

// reserve takes what an answer costs out of the budgets. A reason means that they do not allow it.
func (t *turn) reserve(ctx context.Context, a sla.Answer) (sla.Why, error) {
	if !a.Kind.Pays() {
		return sla.WhyNone, nil
	}
	err := t.Money.Reserve(ctx, sla.Spend{
		Key: t.held.AttemptKey, Token: t.held.Token, Buyer: t.dispute.Buyer, Opened: t.dispute.Opened, Unpaid: t.dispute.Unpaid, Amount: a.Amount, Budget: t.rule.Budget(),
	}, t.Now())
	var why, counted sla.Why
	switch {
	case errors.Is(err, sla.ErrStorm):
		why, counted = sla.WhyStorm, sla.WhyStorm
	case errors.Is(err, sla.ErrCap):
		why, counted = sla.WhyOverCap, sla.WhyOverBudget // the cap is a budget, too
	case errors.Is(err, sla.ErrBudget):
		why, counted = sla.WhyOverBudget, sla.WhyOverBudget
	default:
		return sla.WhyNone, err
	}
	t.count(a.Kind, counted.String())
	t.log.Warn("no budget for an answer", zap.String("case", t.rec.ID.String()), zap.Stringer("amount", a.Amount), zap.Error(err))
	return why, nil
}

// unspend gives back what an attempt had reserved that surely had no effect.
func (t *turn) unspend(ctx context.Context, a sla.Attempt, kind sla.AnswerKind) error {
	if !kind.Pays() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeLimit)
	defer cancel()
	return t.Money.Release(ctx, a)
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
	t.Trace.Claimed(ctx, key, c, now)
	return c.Attempt, c.Err
}

// send carries out the answer that ends the turn: the budget, durable intent, one call, outcome.
func (t *turn) send(ctx context.Context, d sla.Decision, a sla.Answer) error {
	why, err := t.reserve(ctx, a)
	switch {
	case errors.Is(err, sla.ErrFenced), errors.Is(err, sla.ErrAmnesia): // the slot is another's by now, or nobody knows what was spent
		t.log.Warn("nothing may be spent now", zap.String("case", t.rec.ID.String()), zap.Error(err))
		_, err = t.put(ctx, rewrite(t.rec, t.later(againWait, d)))
		return err
	case err != nil:
		return err
	case why != sla.WhyNone:
		return t.page(ctx, d, why)
	}
	sent, ready, err := t.intend(ctx, t.held, a, t.Now())
	if err == nil && !ready {
		w := rewrite(t.rec, t.later(againWait, d))
		if t.killed {
			t.killedAt.set(t.held.AttemptKey, t.began)
			t.tell(ctx, d, &w)
		}
		_, err = t.put(ctx, w)
		return errors.Join(err, t.unspend(ctx, t.held, a.Kind))
	}
	if err != nil {
		return err // what was reserved stays spent until the slot is tried again: nobody knows whether the intent was recorded
	}
	t.held = sent
	a.Attempt = sent.N
	r := t.once(ctx, t.claimed, sent, a)
	t.report(a, r)
	return t.outcome(ctx, d, a, sent, r)
}

// An answer that a kill switch stopped is asked about every minute, and its platform is read this often meanwhile, more often towards guard.
const (
	rereadKilled   = 15 * time.Minute
	killedAtOnce   = 50_000 // answers that are remembered, twice as many at the most
	brakeLimit     = 2 * time.Second
	partsUntilRead = 8 // of the time that is left to guard
)

// stillKilled tells whether a kill switch that stopped this answer a short while ago is still on. Then the platform is not read again: a switch
// over a store with thousands of cases would use up its allowance in reading each of them every minute. What changes there meanwhile, the feed
// sees; people are told of nothing without a reading. Where the switches cannot be read the turn goes on: its intent asks for them again.
func (t *turn) stillKilled(ctx context.Context) bool {
	if t.held.State != sla.AttemptClaimed || t.decision.Warned > t.rec.Warned {
		return false
	}
	wait := rereadKilled
	if !t.decision.Deadline.IsZero() {
		wait = min(wait, sla.GuardAt(t.rec.Obligation, t.rule).Sub(t.now())/partsUntilRead)
	}
	if t.Now().Sub(t.killedAt.get(t.held.AttemptKey)) >= wait {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, brakeLimit)
	defer cancel()
	return errors.Is(t.Brake.CheckKill(ctx, t.src.Platform, t.rec.ID.Store, t.rec.Reason), sla.ErrKilled)
}

// tell warns of a warn point that passes while a kill switch stops the answer: a decision only warns of what waits, and this case is due.
func (t *turn) tell(ctx context.Context, d sla.Decision, w *sla.CaseWrite) {
	if d.Warned <= t.rec.Warned {
		return
	}
	w.Warned = d.Warned
	n := Notice{Case: t.rec.Case, Decision: d, Why: sla.WhyKilled}
	if d.Channel == sla.ChannelPage {
		t.summon(ctx, t.src.Platform, n)
		return
	}
	t.warn(ctx, d.Channel, n)
}

// intend makes the coming send durable, if the ledger remembers everything since then. False means that it does not, that the claim was
// lost or that a kill switch is on, and that nothing may be sent.
func (t *turn) intend(ctx context.Context, attempt sla.Attempt, a sla.Answer, since time.Time) (sla.Attempt, bool, error) {
	attempt.Kind, attempt.Proposal, attempt.Amount, attempt.Why = a.Kind, a.Proposal, a.Amount, a.Why
	ctx, span := t.Trace.Step(ctx, trace.StepIntent, attempt.AttemptKey)
	defer span.End()
	sent, err := t.Ledger.RecordIntent(ctx, sla.Intent{Attempt: attempt, Reason: t.dispute.Reason, Now: t.Now(), Since: since})
	span.Stands(sent)
	span.Fail(err)
	t.killed = errors.Is(err, sla.ErrKilled)
	switch {
	case err == nil:
		return sent, true, nil
	case errors.Is(err, sla.ErrFenced):
		return sla.Attempt{}, false, nil
	case errors.Is(err, sla.ErrFrozen), errors.Is(err, sla.ErrAmnesia), errors.Is(err, sla.ErrKilled):
		label := "frozen"
		if t.killed {
			label = "killed"
		}
		t.count(a.Kind, label)
		t.log.Warn("nothing may be sent now", zap.String("case", t.rec.ID.String()), zap.Stringer("answer", a.Kind), zap.Error(err))
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
//
// A kill switch that is thrown after the intent still stops the answer: the intent was refused while one was on, but the connector reads,
// renews its token and dials after it, for as long as callTimeout. So the connector's transport asks for the switches once more when the
// connection stands and nothing of the answer is on it, with a reply that is at most two seconds old (connectors.Brake); what it holds
// back has surely had no effect, and is a refusal like any other. Only a process that is frozen between that reply and its write can be later.
func (t *turn) once(ctx context.Context, claimed time.Time, attempt sla.Attempt, a sla.Answer) result {
	guard := sla.GuardAt(t.rec.Obligation, t.rule)
	if !t.now().Before(guard) || t.Now().Sub(claimed) > claimLease-callTimeout-reserve || t.ending() || ctx.Err() != nil {
		return result{state: sla.AttemptRefused, err: errTooLate}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, callTimeout, errCallTimeout)
	defer cancel()
	a.Attempt = attempt.N
	receipt, err := t.src.Responder.Respond(ctx, t.dispute, a)
	t.took(err)
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
