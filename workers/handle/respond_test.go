package handle_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/job"
)

// acted is a world at the act stage, where everything that was due then is done.
func acted(t *testing.T, change ...func(*world)) *world {
	t.Helper()
	w := opened(t, change...)
	w.until(actAt.Add(-w.skew))
	return w
}

// replying sets what the platform does with the coming answers.
func replying(replies ...reply) func(*world) {
	return func(w *world) { w.platform.replies = replies }
}

func unknown(apply bool) reply {
	return reply{apply: apply, err: platformError(connectors.OutcomeUnknown)}
}

func TestAnswerIsSentOnceAtTheActStage(t *testing.T) {
	t.Parallel()
	w := opened(t)
	w.until(deadline)
	w.quiet("end")
	if !w.platform.sentAt[0].Equal(actAt) || w.platform.sent[0].Attempt != 1 {
		t.Errorf("want one answer at %v, got %v at %v", actAt, w.platform.sent, w.platform.sentAt)
	}
	if len(w.warnings) != 2 || len(w.failed) != 0 || len(w.memory.audits) != 1 {
		t.Errorf("want two warnings, one audit line and no failures, got %d, %v, %v", len(w.warnings), w.memory.audits, w.failed)
	}
}

func TestEveryKindOfReplyHasItsStateItsWaitAndItsPerson(t *testing.T) {
	t.Parallel()
	throttled := &connectors.Error{Op: "fake", Kind: connectors.Throttled, RetryAfter: 90 * time.Second}
	for name, c := range map[string]struct {
		err   error
		state sla.AttemptState
		wait  time.Duration
		page  sla.Why
	}{
		"accepted":          {nil, sla.AttemptSettled, 10 * time.Minute, sla.WhyNone},
		"throttled":         {throttled, sla.AttemptRefused, 90 * time.Second, sla.WhyNone},
		"throttled, silent": {platformError(connectors.Throttled), sla.AttemptRefused, time.Second, sla.WhyNone},
		"unavailable":       {platformError(connectors.Unavailable), sla.AttemptRefused, time.Minute, sla.WhyNone},
		"unauthorised":      {platformError(connectors.Unauthorised), sla.AttemptRefused, 10 * time.Minute, sla.WhyNoAccess},
		"forbidden":         {platformError(connectors.Forbidden), sla.AttemptRefused, 10 * time.Minute, sla.WhyNoAccess},
		"not found":         {platformError(connectors.NotFound), sla.AttemptRefused, 6 * time.Hour, sla.WhyPlatformSaysNo},
		"rejected":          {platformError(connectors.Rejected), sla.AttemptRefused, 6 * time.Hour, sla.WhyPlatformSaysNo},
		"conflict":          {platformError(connectors.Conflict), sla.AttemptRefused, 30 * time.Second, sla.WhyNone},
		"malformed":         {platformError(connectors.Malformed), sla.AttemptUnknown, 30 * time.Second, sla.WhyNone},
		"unknown":           {platformError(connectors.OutcomeUnknown), sla.AttemptUnknown, 30 * time.Second, sla.WhyNone},
		"without a kind":    {errors.New("odd"), sla.AttemptUnknown, 30 * time.Second, sla.WhyNone},
		"cancelled":         {context.Canceled, sla.AttemptUnknown, 30 * time.Second, sla.WhyNone},
		"out of time":       {context.DeadlineExceeded, sla.AttemptUnknown, 30 * time.Second, sla.WhyNone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := acted(t, replying(reply{apply: c.err == nil, err: c.err}))
			kase, slot := w.kase(), w.slot()
			if slot.State != c.state || slot.N != 1 || kase.Next.Sub(w.now) != c.wait {
				t.Errorf("want %v after one try and a look in %v, got %v after %d and %v", c.state, c.wait, slot.State, slot.N, kase.Next.Sub(w.now))
			}
			if kase.Answered != (c.state == sla.AttemptSettled) || kase.Unresolved != (c.state == sla.AttemptUnknown) {
				t.Errorf("want the record to say %v, got %+v", c.state, kase)
			}
			if c.page == sla.WhyNone && len(w.pages) != 0 || c.page != sla.WhyNone && (len(w.pages) != 1 || w.pages[0].Why != c.page) {
				t.Errorf("want a page for %v, got %v", c.page, w.pages)
			}
			w.until(guardAt.Add(-time.Minute))
			w.quietBut("after the platform came round", len(w.pages))
		})
	}
}

// quietBut is quiet where so many pages are right.
func (w *world) quietBut(where string, pages int) {
	w.t.Helper()
	if len(w.pages) != pages {
		w.t.Fatalf("%s: want %d pages, got %d", where, pages, len(w.pages))
	}
	kept := w.pages
	w.pages = nil
	w.quiet(where)
	w.pages = kept
}

func TestUnknownIsAskedForAndNeverGuessed(t *testing.T) {
	t.Parallel()
	t.Run("present is not sent again", func(t *testing.T) {
		t.Parallel()
		w := acted(t, replying(unknown(true)))
		w.until(actAt.Add(31 * time.Second))
		if w.slot().State != sla.AttemptSettled || len(w.platform.sent) != 1 {
			t.Errorf("want it settled by asking, got %v after %d sends", w.slot().State, len(w.platform.sent))
		}
		w.until(guardAt)
		w.quiet("end")
	})
	t.Run("absent within settle is not sent again", func(t *testing.T) {
		t.Parallel()
		w := acted(t, replying(unknown(false)))
		w.until(actAt.Add(10*time.Minute - time.Second))
		if w.slot().State != sla.AttemptUnknown || len(w.platform.sent) != 1 || w.platform.asked != 4 {
			t.Errorf("want it asked for four times in that time, got %v, %d sends, %d questions", w.slot().State, len(w.platform.sent), w.platform.asked)
		}
	})
	t.Run("absent for settle is sent again", func(t *testing.T) {
		t.Parallel()
		w := acted(t, replying(unknown(false)))
		w.until(actAt.Add(12 * time.Minute))
		if len(w.platform.sent) != 2 || w.platform.sent[1].Attempt != 2 || w.platform.sentAt[1].Sub(actAt) < 10*time.Minute+30*time.Second ||
			w.platform.sentAt[1].Sub(actAt) > 10*time.Minute+40*time.Second {
			t.Errorf("want a second try as soon as ten minutes have passed since it was first asked for, got %v at %v", w.platform.sent, w.platform.sentAt)
		}
		w.quiet("end")
	})
	t.Run("a reader whose clock is fast waits longer", func(t *testing.T) {
		t.Parallel()
		w := acted(t, replying(unknown(false)))
		w.skew = -15 * time.Minute // our clock jumps ahead of the platform's
		w.now = w.now.Add(15 * time.Minute)
		w.poll()
		w.until(actAt.Add(24 * time.Minute))
		if len(w.platform.sent) != 1 {
			t.Errorf("want no second try nine minutes after the first, got %v", w.platform.sentAt)
		}
	})
	t.Run("moot is not sent again", func(t *testing.T) {
		t.Parallel()
		w := acted(t, replying(unknown(false)), func(w *world) { w.platform.moot = true })
		w.until(guardAt.Add(-time.Minute))
		if len(w.platform.sent) != 1 || w.slot().State != sla.AttemptSettled {
			t.Errorf("want one try, got %d and %v", len(w.platform.sent), w.slot().State)
		}
	})
	t.Run("unreadable stays unknown, and a person hears of it at guard", func(t *testing.T) {
		t.Parallel()
		w := acted(t, replying(unknown(true)), func(w *world) {
			w.platform.askErr, w.platform.blind = platformError(connectors.Unavailable), 1000*time.Hour
		})
		w.until(deadline.Add(-time.Hour))
		if len(w.platform.sent) != 1 || len(w.pages) != 1 || w.pages[0].Why != sla.WhyUnresolved {
			t.Errorf("want one try and one page, got %d and %v", len(w.platform.sent), w.pages)
		}
		w.platform.askErr, w.platform.blind = nil, 0
		w.until(deadline.Add(time.Hour))
		w.quietBut("after guard it is still asked for", 1)
	})
}

func TestAClockThatIsHeldAgainstNoneWritesDownNoAbsence(t *testing.T) {
	t.Parallel()
	w := acted(t, replying(unknown(false)))
	d := w.handlers.Deps
	compared := false
	d.Compared = func() bool { return compared }
	w.handlers = handle.New(d)
	if w.until(actAt.Add(4 * time.Minute)); w.slot().State != sla.AttemptUnknown || !w.slot().Absent.IsZero() {
		t.Errorf("want the absence written down by nobody, got %+v", w.slot())
	}
	compared = true
	if w.until(actAt.Add(8 * time.Minute)); w.slot().Absent.Before(actAt.Add(4 * time.Minute)) {
		t.Errorf("want it written down when the clock is compared, got %+v", w.slot())
	}
}

// The job's time ends, or the process is told to stop, while the answer is out: what became of it must be written down all the same.
func TestOutcomeIsWrittenDownAlthoughTheJobWasCancelled(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]reply{"accepted": {apply: true}, "cut off": {apply: true, err: context.Canceled}} {
		w := opened(t)
		w.now = actAt
		ctx, cancel := context.WithCancel(context.Background())
		r.then = cancel
		w.platform.replies = []reply{r}
		if err := w.handlers.Do(ctx, job.Respond, w.job(job.Respond).Payload); err != nil {
			t.Errorf("%s: want the outcome written down, got %v", name, err)
		}
		if c := w.kase(); c.Answered == c.Unresolved || c.Answered != (r.err == nil) {
			t.Errorf("%s: want the case to tell it, got %+v", name, c)
		}
	}
}

func TestPersonTakesOverAfterFiveConflicts(t *testing.T) {
	t.Parallel()
	moved := reply{err: platformError(connectors.Conflict)}
	w := acted(t, replying(moved, moved, moved, moved, moved))
	w.until(actAt.Add(10 * time.Minute))
	if len(w.platform.sent) != 5 || len(w.pages) != 1 || w.pages[0].Why != sla.WhyPlatformSaysNo {
		t.Errorf("want five tries and a page, got %d and %v", len(w.platform.sent), w.pages)
	}
}

func TestNothingIsSentWithoutReadingTheTruthFirst(t *testing.T) {
	t.Parallel()
	for kind, page := range map[connectors.Kind]sla.Why{
		connectors.Throttled: sla.WhyNone, connectors.Unavailable: sla.WhyNone, connectors.Conflict: sla.WhyNone,
		connectors.Unauthorised: sla.WhyNoAccess, connectors.Forbidden: sla.WhyNoAccess,
		connectors.NotFound: sla.WhyNoFacts, connectors.Malformed: sla.WhyNoFacts,
	} {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			w := opened(t)
			w.until(actAt.Add(-time.Second))
			w.platform.readErr = platformError(kind)
			w.until(actAt)
			w.holds("unreadable")
			if len(w.platform.sent) != 0 || len(w.failed) != 0 || !w.kase().Next.After(w.now) {
				t.Errorf("want nothing sent, no failed job and a timer, got %v, %v, %v", w.platform.sent, w.failed, w.kase().Next)
			}
			if page == sla.WhyNone && len(w.pages) != 0 || page != sla.WhyNone && (len(w.pages) != 1 || w.pages[0].Why != page) {
				t.Errorf("want a page for %v, got %v", page, w.pages)
			}
			w.platform.readErr = nil
			w.until(actAt.Add(7 * time.Hour))
			w.quietBut("readable again", len(w.pages))
		})
	}
}

func TestTurnThatMovedBeforeTheLookupIsNotAnswered(t *testing.T) {
	t.Parallel()
	w := opened(t)
	w.until(actAt.Add(-time.Second))
	w.platform.edit(8) // and the feed has not told yet
	w.until(actAt.Add(time.Minute))
	if w.count(7) != 0 || w.count(8) != 1 || w.kase().Obligation.Turn != 8 {
		t.Errorf("want turn 8 answered and not 7, got %+v", w.platform.effects)
	}
	w.platform.dispute.State, w.platform.dispute.Obligations = sla.StateClosed, nil
	w.until(actAt.Add(7 * time.Hour))
	if w.kase().Open() || w.kase().Next.Sub(w.now) < 20*24*time.Hour {
		t.Errorf("want the case closed and kept for a while, got %+v", w.kase())
	}
}

func TestDeadlineThatMovedWithinTheTurnCounts(t *testing.T) {
	t.Parallel()
	w := opened(t, func(w *world) { w.rule.Window.Value = 30 * 24 * time.Hour })
	w.until(actAt.Add(-time.Second))
	w.platform.dispute.Obligations = []sla.Obligation{slatest.Obligation()}
	w.platform.dispute.Obligations[0].Deadline = deadline.Add(48 * time.Hour)
	w.until(actAt.Add(47 * time.Hour))
	if len(w.platform.sent) != 0 {
		t.Fatalf("want nothing sent before the new act stage, got %v", w.platform.sentAt)
	}
	w.until(actAt.Add(49 * time.Hour))
	if w.count(7) != 1 {
		t.Errorf("want the answer at the new act stage, got %v", w.platform.sentAt)
	}
}

func TestReasonThatChangedBringsItsOwnCap(t *testing.T) {
	t.Parallel()
	w := opened(t, func(w *world) {
		poor := w.rule
		poor.AcceptCap.Value = slatest.USD(100)
		w.byReason[sla.ReasonDamaged] = poor
	})
	w.until(actAt.Add(-time.Second))
	w.platform.dispute.Reason = sla.ReasonDamaged
	w.until(actAt.Add(time.Minute))
	if len(w.platform.sent) != 0 || len(w.pages) != 1 || w.pages[0].Why != sla.WhyOverCap {
		t.Errorf("want a person asked, got %v and %v", w.platform.sent, w.pages)
	}
}

func TestAnswerOnTheLedgerIsNotSentAgainWhenTheRecordForgotIt(t *testing.T) {
	t.Parallel()
	w := acted(t, func(w *world) { w.platform.blind = 24 * time.Hour })
	rec := w.kase()
	rec.Answered, rec.Next = false, w.now
	w.memory.cases[rec.ID.String()] = rec
	w.until(actAt.Add(time.Hour))
	w.quiet("end")
	if !w.kase().Answered || len(w.platform.sent) != 1 {
		t.Errorf("want the answer remembered, got %+v", w.kase())
	}
}

func TestOneBadCaseDoesNotStopTheOthersOfItsJob(t *testing.T) {
	t.Parallel()
	w := opened(t)
	w.now = actAt
	bad := w.kase()
	bad.ID.Native = "broken"
	w.memory.cases[bad.ID.String()] = bad
	w.do(job.ForCases(job.Respond, []sla.DisputeID{bad.ID, w.kase().ID}, "both")[0])
	if len(w.failed) != 1 || w.count(7) != 1 {
		t.Errorf("want one failure and one answer, got %v and %v", w.failed, w.platform.effects)
	}
}

func TestJobWithoutTimeLeftBeginsNoAnswer(t *testing.T) {
	t.Parallel()
	w := opened(t)
	w.now = actAt
	slow := w.kase()
	slow.ID.Native = "slow"
	w.memory.cases[slow.ID.String()] = slow
	w.do(job.ForCases(job.Respond, []sla.DisputeID{slow.ID, w.kase().ID}, "both")[0])
	if w.count(7) != 0 || len(w.failed) != 0 {
		t.Errorf("want the second left to its timer, got %v, %v", w.platform.effects, w.failed)
	}
}

// The case moves while our answer is refused for it: the settlement finds the case written by another, and what was reserved is given back.
func TestARefusalOfACaseThatMovedGivesItsBudgetBack(t *testing.T) {
	t.Parallel()
	conflict := &connectors.Error{Op: "fake respond", Kind: connectors.Conflict}
	w := opened(t, damaged, func(w *world) {
		w.platform.replies = []reply{{err: conflict, then: func() {
			for k, rec := range w.memory.cases {
				rec.Version++
				w.memory.cases[k] = rec
			}
		}}}
	})
	w.until(actAt.Add(20 * time.Second))
	if slot := w.slot(); slot.State != sla.AttemptRefused || len(w.memory.spent) != 0 || len(w.failed) != 0 {
		t.Errorf("want it refused and nothing spent or failed, got %+v, %v, %v", slot, w.memory.spent, w.failed)
	}
}

// After a loss of memory a dispute in which nothing was paid, as the platform shows it, need not wait for a person to spend its own budget.
func TestTheBudgetIsToldWhatThePlatformShowsOfADispute(t *testing.T) {
	t.Parallel()
	for _, unpaid := range []bool{true, false} {
		w := opened(t, damaged, func(w *world) { w.platform.dispute.Unpaid = unpaid })
		w.until(actAt.Add(time.Second))
		if len(w.memory.spent) != 1 {
			t.Fatalf("want one reservation, got %v", w.memory.spent)
		}
		for _, sp := range w.memory.spent {
			if sp.Unpaid != unpaid || sp.Opened.IsZero() {
				t.Errorf("want it unpaid %v and opened at some time, got %+v", unpaid, sp)
			}
		}
	}
}

// Our own limit asks for patience while the parcels are read: the answer follows when it says, and not a minute later.
func TestAParcelThatCouldNotBeReadIsReadAgainWhenTheLimitSays(t *testing.T) {
	t.Parallel()
	for retry, want := range map[time.Duration]time.Duration{0: time.Minute, 3 * time.Second: 3 * time.Second, time.Millisecond: time.Second, time.Hour: time.Minute} {
		w := opened(t, func(w *world) {
			w.platform.dispute.Reason, w.platform.dispute.Unread, w.platform.dispute.Retry = sla.ReasonNotReceived, true, retry
		})
		w.until(actAt.Add(time.Millisecond))
		if got := w.kase().Next.Sub(actAt); got != want || len(w.platform.sent) != 0 {
			t.Errorf("told to wait %s: want the next look after %s and nothing sent, got %s and %v", retry, want, got, w.platform.sent)
		}
	}
}

// The platform brings the deadline forward. The poll reads that, and the answer's own reading comes from a replica of the platform that lags. Whichever
// is written last, the next poll must bring what is true.
func TestALateReadingOfADeadlineLastsUntilTheNextPollOnly(t *testing.T) {
	t.Parallel()
	w := opened(t, damaged)
	w.until(slatest.Epoch.Add(50 * time.Hour))
	was, sooner := deadline, slatest.Epoch.Add(80*time.Hour) // due at once by the sooner one, and not yet by the other
	w.platform.dispute.Obligations[0].Deadline = sooner
	w.poll()
	lags := true
	w.fault = func(p point) bool {
		if p.name == "lookup" && lags {
			late := map[string]time.Time{"before": was, "after": sooner}[p.when]
			w.platform.dispute.Obligations[0].Deadline, lags = late, p.when == "before"
		}
		return false
	}
	w.drain()
	w.sent()
	if got := w.kase().Obligation.Deadline; lags || !got.Equal(was) {
		t.Fatalf("want the late reading on record, got %s", got)
	}
	w.poll()
	w.drain()
	if got := w.kase().Obligation.Deadline; !got.Equal(sooner) {
		t.Errorf("want the deadline of %s on record after the next poll, got %s", sooner, got)
	}
	w.until(w.now.Add(time.Minute))
	w.sent(sla.AnswerOffer)
}
