package handle

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/trace"
)

// Waits after an outcome.
const (
	showWait    = 10 * time.Minute // until the platform is asked whether it shows an accepted answer
	confirmWait = 30 * time.Second // until it is first asked about an unknown one
	againWait   = time.Minute      // until the next try after a failure that may pass
	looks       = 4                // how often, within a settle window, it is seen that an answer is absent
	// clocksApart is by how much the clocks of two processes may differ that work: each keeps within 20 s of that of Redis, or lays its work down
	// when it has not compared them for as long (workers/fleet).
	clocksApart = 90 * time.Second
	conflictGap = 30 * time.Second // until the next try when the dispute has moved: it is read again then
)

// outcome writes down what became of the answer, with the case's next look, in one step.
func (t *turn) outcome(ctx context.Context, d sla.Decision, a sla.Answer, attempt sla.Attempt, r result) error {
	w := rewrite(t.rec, t.later(againWait, d))
	why := sla.WhyNone
	if r.state != sla.AttemptRefused {
		t.Meter.Done(t.src.Platform, t.rec.ID)
	}
	switch r.state {
	case sla.AttemptSettled:
		w.Answered, w.Next = true, t.Now().Add(showWait)
		t.metrics.margin.WithLabelValues(string(t.src.Platform)).Observe(d.Deadline.Sub(t.now()).Seconds())
	case sla.AttemptUnknown:
		w.Unresolved, w.Next = true, t.Now().Add(confirmWait)
	default:
		w.Next, why = t.refused(d, attempt, r.err)
	}
	if why != sla.WhyNone && t.rec.Paged < sla.StageAct {
		w.Paged = sla.StageAct
		t.summon(ctx, t.src.Platform, Notice{Case: t.rec.Case, Decision: d, Why: why})
	}
	err := t.settle(ctx, attempt, sla.Settlement{State: r.state, Receipt: r.receipt.ID, At: t.Now(), Case: &w, Audit: t.audit(a, r)})
	if err == nil && r.state == sla.AttemptRefused {
		err = t.unspend(ctx, attempt, a.Kind)
	}
	return err
}

// refused says when to try again after a sure refusal, and whether a person must hear of it.
func (t *turn) refused(d sla.Decision, attempt sla.Attempt, err error) (time.Time, sla.Why) {
	switch connectors.KindOf(err) {
	case connectors.Throttled:
		return t.later(max(connectors.RetryAfter(err), time.Second), d), sla.WhyNone
	case connectors.Conflict:
		if attempt.N < maxTries {
			return t.later(conflictGap, d), sla.WhyNone
		}
		return t.later(t.rule.Recheck.Value, d), sla.WhyPlatformSaysNo
	case connectors.Unauthorised, connectors.Forbidden:
		return t.later(showWait, d), sla.WhyNoAccess
	case connectors.Rejected, connectors.NotFound:
		return t.later(t.rule.Recheck.Value, d), sla.WhyPlatformSaysNo
	}
	return t.later(againWait, d), sla.WhyNone
}

// settle writes an outcome even when the job's context has ended: an answer that was sent must be remembered.
func (t *turn) settle(ctx context.Context, attempt sla.Attempt, s sla.Settlement) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeLimit)
	defer cancel()
	ctx, span := t.Trace.Step(ctx, trace.StepSettle, attempt.AttemptKey)
	defer span.End()
	err := t.Ledger.Settle(ctx, attempt, s)
	attempt.State = s.State
	span.Stands(attempt)
	span.Fail(err)
	if errors.Is(err, sla.ErrFenced) {
		// Another worker took the slot over after our lease; it asks the platform, which knows what we did.
		t.log.Warn("outcome of a lost claim", zap.String("case", t.rec.ID.String()), zap.Stringer("state", s.State))
		return nil
	}
	if errors.Is(err, sla.ErrStaleCase) {
		return nil // the outcome is written; whoever wrote the case meanwhile has armed it
	}
	return err
}

// unresolved picks the attempts whose outcome is not known.
func unresolved(attempts []sla.Attempt) []sla.Attempt {
	var out []sla.Attempt
	for _, a := range attempts {
		if a.State == sla.AttemptSent || a.State == sla.AttemptUnknown {
			out = append(out, a)
		}
	}
	return out
}

// endsTurn tells the answer of a turn from what goes beside it. Only an answer of unknown outcome holds up the next one.
func endsTurn(a sla.Attempt) bool { return a.Side == sla.AnswerNone }

// resolve asks the platform what became of attempts, and writes the case down as the platform shows it now.
func (t *turn) resolve(ctx context.Context) error {
	attempts, err := t.Ledger.Attempts(ctx, t.rec.ID)
	if err != nil {
		return err
	}
	left := false
	for _, a := range unresolved(attempts) {
		held, err := t.held, error(nil)
		if a.AttemptKey == held.AttemptKey {
			t.held = sla.Attempt{} // confirm ends the claim
		} else {
			held, err = t.claimOne(ctx, a.AttemptKey, t.Now())
		}
		switch {
		case errors.Is(err, sla.ErrHeld):
			left = left || endsTurn(a) // its worker is still at it
			continue
		case err != nil:
			return err
		}
		done, err := t.confirm(ctx, held)
		if err != nil {
			return err
		}
		left = left || !done && endsTurn(a)
	}
	t.rec.Unresolved = left
	return t.Intake.Await(ctx, t.src, t.dispute, t.rec, t.look)
}

// confirm settles one attempt that we hold by reading the platform; false when it must stay unknown for now.
func (t *turn) confirm(ctx context.Context, held sla.Attempt) (bool, error) {
	if held.State != sla.AttemptUnknown {
		return true, t.giveBack(ctx, held)
	}
	ctx, span := t.Trace.Step(ctx, trace.StepConfirm, held.AttemptKey)
	defer span.End()
	answer := sla.Answer{Kind: held.Kind, Turn: held.Turn, Proposal: held.Proposal, Amount: held.Amount, Why: held.Why, Attempt: held.N}
	outcome, err := t.src.Responder.Confirm(ctx, t.dispute, answer)
	if err != nil {
		span.Fail(err)
		t.log.Warn("outcome still unknown", zap.String("case", t.rec.ID.String()), zap.Error(err))
		return false, t.settle(ctx, held, sla.Settlement{State: sla.AttemptUnknown, At: t.Now()})
	}
	s := sla.Settlement{State: sla.AttemptSettled, Receipt: outcome.String(), At: t.Now()}
	label := "confirmed"
	switch outcome {
	case connectors.OutcomeMoot:
		label = "moot"
	case connectors.OutcomeAbsent:
		label = "absent"
		s.State = sla.AttemptRefused
		// Nobody knows when a sender that was frozen has sent: besides the time since its intent, the time since the first look must pass.
		if first := t.latest(); t.compared() && (held.Absent.IsZero() || held.Absent.After(first)) {
			held.Absent = first
		}
		if proof := t.proven(held); t.Now().Before(proof) {
			// Other processes must have seen it absent as well, for any of them may get the last look.
			t.look = earlier(t.look, earlier(proof, t.Now().Add(t.rule.Settle.Value/looks)))
			return false, t.settle(ctx, held, sla.Settlement{State: sla.AttemptUnknown, At: t.Now()})
		}
	}
	if outcome == connectors.OutcomePresent && held.Turn == t.rec.Obligation.Turn && endsTurn(held) {
		t.rec.Answered = true
	}
	t.count(held.Kind, label)
	s.Audit = t.audit(answer, result{state: s.State})
	t.log.Info("outcome learnt", zap.String("case", t.rec.ID.String()), zap.Stringer("answer", held.Kind), zap.String("outcome", label))
	err = t.settle(ctx, held, s)
	if err == nil && s.State == sla.AttemptRefused {
		err = t.unspend(ctx, held, held.Kind)
	}
	return true, err
}

// proven is when the absence of an answer proves that it will never take effect, if the platform has not shown it until then.
//
// What others wrote down is old by our clock and by the platform's, or it is not old: the clocks of all processes and that of Redis may have stepped
// alike while no process lived that lives now. And our own look is held against now before anything else is: its reading is monotonic, and that of
// an instant of the ledger is not.
func (t *turn) proven(held sla.Attempt) time.Time {
	settle, skew := t.rule.Settle.Value, t.src.Skew()
	sent, seen := held.SentAt.Add(settle+skew.Abs()), t.absent.first(tryOf(held), t.Now()).Add(settle)
	if !held.Absent.IsZero() && t.compared() { // where processes do not live for a settle window, none of them sees all of it
		seen = earlier(seen, held.Absent.Add(settle+clocksApart+max(-skew, 0)))
	}
	if t.Now().Before(seen) || seen.After(sent) {
		return seen
	}
	return sent
}

// latest is now by our clock or by the platform's, whichever is ahead.
func (t *turn) latest() time.Time { return t.Now().Add(max(t.src.Skew(), 0)) }

func (t *turn) compared() bool { return t.Compared == nil || t.Compared() }

// earlier is the earlier of two instants; a zero one is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// giveBack releases a claim that was not used, even when the job's context has ended.
func (t *turn) giveBack(ctx context.Context, a sla.Attempt) error {
	if a.State != sla.AttemptClaimed && a.State != sla.AttemptUnknown {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeLimit)
	defer cancel()
	if err := t.Ledger.ReleaseAttempt(ctx, a); err != nil && !errors.Is(err, sla.ErrFenced) {
		return err
	}
	return nil
}

// unreadable puts a case off whose dispute the platform does not show now; a person hears of it at guard at the latest, and at once
// when only a person can help.
func (t *turn) unreadable(ctx context.Context, d sla.Decision, err error) error {
	if !fromPlatform(err) {
		return err
	}
	kind := connectors.KindOf(err)
	t.metrics.platform.WithLabelValues(kind.String()).Inc()
	t.log.Warn("dispute not read before an answer", zap.String("case", t.rec.ID.String()), zap.Error(err))
	switch kind {
	case connectors.Unauthorised, connectors.Forbidden:
		return t.page(ctx, d, sla.WhyNoAccess)
	case connectors.NotFound, connectors.Malformed:
		return t.page(ctx, d, sla.WhyNoFacts)
	}
	wait := max(againWait, connectors.RetryAfter(err))
	if kind == connectors.Throttled {
		wait = max(time.Second, connectors.RetryAfter(err))
	}
	_, err = t.put(ctx, rewrite(t.rec, t.later(wait, d)))
	return err
}

// report counts and logs an outcome.
func (t *turn) report(a sla.Answer, r result) {
	outcome := map[sla.AttemptState]string{sla.AttemptSettled: "accepted", sla.AttemptRefused: "refused", sla.AttemptUnknown: "unknown"}[r.state]
	switch {
	case errors.Is(r.err, errTooLate):
		outcome = "too_late"
	case errors.Is(r.err, sla.ErrKilled):
		outcome = "killed"
	}
	t.count(a.Kind, outcome)
	t.log.Info("answered", zap.String("case", t.rec.ID.String()), zap.Stringer("answer", a.Kind), zap.Stringer("why", a.Why), zap.String("outcome", outcome),
		zap.Stringer("amount", a.Amount), zap.Duration("left", sla.EffectiveDeadline(t.rec.Obligation, t.rule).Sub(t.now()).Round(time.Second)),
		zap.Uint32("attempt", a.Attempt), zap.Error(r.err))
}
