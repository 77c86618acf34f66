package handle_test

import (
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
	"watchkeeper/workers/job"
)

func TestOnlyLiveSends(t *testing.T) {
	t.Parallel()
	for mode, pages := range map[sla.Mode][]sla.Why{
		sla.ModeShadow: {sla.WhyGuardPassed, sla.WhyDeadlinePassed},
		sla.ModeHold:   {sla.WhyApproval, sla.WhyUnanswered, sla.WhyGuardPassed, sla.WhyDeadlinePassed},
	} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			w := opened(t, func(w *world) { w.rule.Mode.Value = mode })
			for _, kind := range []job.Kind{job.Respond, job.Assess, job.Respond} {
				w.now = actAt
				w.do(w.job(kind))
				w.drain()
			}
			w.until(deadline.Add(24 * time.Hour))
			w.holds("end")
			if len(w.platform.sent) != 0 {
				t.Errorf("want nothing sent, got %v", w.platform.sent)
			}
			w.paged(pages...)
		})
	}
}

// paged checks which pages went out, in order.
func (w *world) paged(want ...sla.Why) {
	w.t.Helper()
	var got []sla.Why
	for _, n := range w.pages {
		got = append(got, n.Why)
	}
	if len(got) != len(want) {
		w.t.Fatalf("want pages %v, got %v", want, got)
	}
	for i := range want {
		if got[i] != want[i] {
			w.t.Fatalf("want pages %v, got %v", want, got)
		}
	}
}

func TestPersonIsPagedOncePerStage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		setup func(*world)
		want  []sla.Why
	}{
		"no machine can answer": {func(w *world) { w.platform.dispute.Obligations[0].Kinds = 0 },
			[]sla.Why{sla.WhyPersonNeeded, sla.WhyGuardPassed, sla.WhyDeadlinePassed}},
		"above the cap": {func(w *world) { w.platform.dispute.Claimed.Minor = 2501; w.platform.dispute.Offers = 1 },
			[]sla.Why{sla.WhyOverCap, sla.WhyGuardPassed, sla.WhyDeadlinePassed}},
		"nobody knows until when": {func(w *world) {
			w.platform.dispute.Obligations[0].Deadline, w.platform.dispute.Obligations[0].Opened = time.Time{}, time.Time{}
		}, []sla.Why{sla.WhyNoDeadline}},
		"answered and never shown": {func(w *world) { w.platform.blind = 1000 * time.Hour },
			[]sla.Why{sla.WhyUnshown, sla.WhyDeadlinePassed}},
		"refused for ever": {func(w *world) {
			for range 20 {
				w.platform.replies = append(w.platform.replies, reply{err: platformError(connectors.Rejected)})
			}
		}, []sla.Why{sla.WhyPlatformSaysNo, sla.WhyGuardPassed, sla.WhyDeadlinePassed}},
		"no way in": {func(w *world) { w.source.Responder = nil },
			[]sla.Why{sla.WhyPersonNeeded, sla.WhyGuardPassed, sla.WhyDeadlinePassed}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := opened(t, c.setup)
			w.until(deadline.Add(48 * time.Hour))
			w.holds("end")
			w.paged(c.want...)
		})
	}
}

func TestEachWarnPointIsAnnouncedOnce(t *testing.T) {
	t.Parallel()
	w := opened(t)
	for i, at := range []time.Duration{72 * time.Hour, 80 * time.Hour} {
		w.until(slatest.Epoch.Add(at))
		for range 3 {
			w.do(w.job(job.Assess))
			w.poll()
			w.drain()
		}
		if len(w.warnings) != i+1 || w.kase().Warned != i+1 {
			t.Errorf("want %d warnings, got %d and %+v", i+1, len(w.warnings), w.kase())
		}
	}
}

func TestNewTurnIsANewPage(t *testing.T) {
	t.Parallel()
	no := reply{err: platformError(connectors.Rejected)}
	w := acted(t, replying(no, no))
	w.platform.edit(8) // the feed has not told
	w.until(actAt.Add(7 * time.Hour))
	w.paged(sla.WhyPlatformSaysNo, sla.WhyPlatformSaysNo)
}

// Whatever fails after a page, told twice is better than never, and never more than that for one fault.
func TestPageThatCouldNotBeWrittenDownIsRepeated(t *testing.T) {
	t.Parallel()
	w := opened(t, func(w *world) { w.platform.dispute.Obligations[0].Kinds = 0 })
	w.until(guardAt.Add(-time.Second))
	w.pages = nil
	w.fault = func(at point) bool {
		if at.name == "put cases" {
			w.fault = nil
			return true
		}
		return false
	}
	w.until(guardAt.Add(time.Hour))
	w.paged(sla.WhyGuardPassed, sla.WhyGuardPassed)
}

// An answered case whose dispute cannot be read any more must still reach a person at guard.
func TestAnsweredCaseIsPagedAtGuardAlthoughThePlatformIsSilent(t *testing.T) {
	t.Parallel()
	for _, kind := range []connectors.Kind{connectors.Unavailable, connectors.NotFound, connectors.Throttled} {
		w := acted(t)
		w.platform.readErr = platformError(kind)
		w.until(deadline.Add(-time.Minute))
		w.paged(sla.WhyUnshown)
	}
}

func TestCaseThatThePlatformForgotIsLookedAtAtTheRulesPace(t *testing.T) {
	t.Parallel()
	w := acted(t)
	w.until(actAt.Add(time.Hour)) // with the buyer now
	w.platform.readErr = platformError(connectors.NotFound)
	before := w.platform.looked
	w.until(actAt.Add(61 * time.Hour))
	if n := w.platform.looked - before; n != 10 {
		t.Errorf("want a look each six hours, got %d in sixty", n)
	}
}

// After guard only a person acts, and what he did is found without the feed's help.
func TestCasePastGuardIsReadAgain(t *testing.T) {
	t.Parallel()
	w := opened(t, func(w *world) { w.rule.Mode.Value = sla.ModeShadow })
	w.until(guardAt.Add(time.Minute))
	w.platform.dispute.State, w.platform.dispute.Obligations = sla.StateClosed, nil
	w.until(deadline.Add(24 * time.Hour))
	if w.kase().Open() {
		t.Errorf("want the case closed, got %+v", w.kase())
	}
	w.until(deadline.Add(40 * 24 * time.Hour))
	if len(w.memory.cases) != 0 {
		t.Errorf("want it removed after a month, got %+v", w.kase())
	}
}

func TestLateAssessLeavesAClosedCaseItsTimer(t *testing.T) {
	t.Parallel()
	w := opened(t)
	w.platform.dispute.State, w.platform.dispute.Obligations = sla.StateClosed, nil
	w.poll()
	w.do(w.job(job.Assess))
	w.do(w.job(job.Respond))
	if left := w.kase().Next.Sub(w.now); left < 29*24*time.Hour {
		t.Errorf("want it kept for a month, got %v", left)
	}
	w.until(w.now.Add(31 * 24 * time.Hour))
	if len(w.memory.cases) != 0 {
		t.Errorf("want it removed after a month, got %+v", w.kase())
	}
}

func TestGuardGoesByThePlatformsClock(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		skew time.Duration
		at   time.Time // by our clock
		want int
	}{
		"platform ahead, past its guard": {10 * time.Minute, guardAt.Add(-9 * time.Minute), 0},
		"platform ahead, before it":      {10 * time.Minute, guardAt.Add(-11 * time.Minute), 1},
		"platform behind, past ours":     {-10 * time.Minute, guardAt.Add(9 * time.Minute), 1},
		"platform behind, past its":      {-10 * time.Minute, guardAt.Add(11 * time.Minute), 0},
	} {
		w := opened(t, func(w *world) { w.skew = c.skew })
		w.now = c.at
		w.do(w.job(job.Respond))
		if len(w.platform.sent) != c.want {
			t.Errorf("%s: want %d sent, got %d", name, c.want, len(w.platform.sent))
		}
	}
}

// Deadlines are kept by the platform's clock, timers by ours: a skew of hours must neither delay nor hasten an answer.
func TestTimersFireAtThePlatformsInstants(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{8 * time.Hour, -8 * time.Hour, 40 * time.Second} {
		w := opened(t, func(w *world) { w.skew = skew })
		w.until(deadline.Add(-skew))
		w.quiet(skew.String())
		if at := w.platform.sentAt[0]; !at.Equal(actAt) {
			t.Errorf("%v: want the answer at %v by the platform's clock, got %v", skew, actAt, at)
		}
	}
	for _, skew := range []time.Duration{8 * time.Hour, -8 * time.Hour} {
		w := opened(t, func(w *world) { w.skew, w.rule.Mode.Value = skew, sla.ModeShadow })
		w.until(guardAt.Add(-skew - time.Second))
		w.paged()
		w.until(guardAt.Add(-skew))
		w.paged(sla.WhyGuardPassed)
	}
}

func TestWaitsAreCountedOnOurClock(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{8 * time.Hour, -8 * time.Hour} {
		for wait, kind := range map[time.Duration]connectors.Kind{time.Minute: connectors.Unavailable, 30 * time.Second: connectors.Conflict} {
			w := acted(t, func(w *world) { w.skew = skew }, replying(reply{err: platformError(kind)}))
			if got := w.kase().Next.Sub(w.now); got != wait {
				t.Errorf("%v, skew %v: want a look in %v, got %v", kind, skew, wait, got)
			}
		}
	}
}

// The freeze is shorter than the lease allows, and guard passes in it: the last check is what stops the send.
func TestGuardPassedBetweenIntentAndSendSendsNothing(t *testing.T) {
	t.Parallel()
	for _, margin := range []time.Duration{0, 20 * time.Minute} { // measured of the platform
		w := opened(t, func(w *world) { w.rule.Margin.Guard = margin })
		w.fault = func(at point) bool {
			if at.name == "record intent" && at.when == "after" {
				w.now, w.fault = w.now.Add(2*time.Second), nil
			}
			return false
		}
		guard := guardAt.Add(-margin)
		w.now = guard.Add(-time.Second)
		w.do(w.job(job.Respond))
		if len(w.platform.sent) != 0 || w.slot().State != sla.AttemptRefused {
			t.Fatalf("margin %s: want nothing sent and the attempt refused, got %v, %v", margin, w.platform.sent, w.slot().State)
		}
		w.until(guard.Add(5 * time.Minute))
		w.paged(sla.WhyGuardPassed)
	}
}

// A try that is put off comes back at the guard that the platform's measured pace wants, for a person to hear of it there.
func TestWhatIsPutOffComesBackAtTheMeasuredGuard(t *testing.T) {
	t.Parallel()
	const margin = 20 * time.Minute
	w := opened(t, func(w *world) { w.rule.Margin.Guard = margin })
	w.now = guardAt.Add(-margin - time.Minute)
	w.platform.replies = append(w.platform.replies, reply{err: &connectors.Error{Kind: connectors.Throttled, RetryAfter: 10 * time.Minute}})
	w.do(w.job(job.Respond))
	w.until(guardAt.Add(-margin + 5*time.Second))
	w.paged(sla.WhyGuardPassed)
}

func TestRetriesStopAtGuardWhereAPersonIsTold(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]connectors.Kind{"answer": connectors.Unavailable, "read": connectors.KindNone} {
		w := opened(t)
		w.until(guardAt.Add(-40 * time.Hour))
		if kind == connectors.KindNone {
			w.platform.readErr = &connectors.Error{Kind: connectors.Throttled, RetryAfter: 7 * time.Hour}
		}
		for range 40 {
			w.platform.replies = append(w.platform.replies, reply{err: &connectors.Error{Kind: connectors.Throttled, RetryAfter: 7 * time.Hour}})
		}
		w.until(guardAt.Add(time.Second))
		w.holds(name)
		w.paged(sla.WhyGuardPassed)
	}
}
