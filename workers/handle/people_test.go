package handle_test

import (
	"encoding/json"
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
	"watchkeeper/workers/handle"
)

// damaged makes the claim one that the playbook answers with an offer of 5.99 USD.
func damaged(w *world) { w.platform.dispute.Reason = sla.ReasonDamaged }

// say is what a person says with wkctl, and the timer that goes with it.
func (w *world) say(a sla.Approval) {
	rec := w.kase()
	rec.Approval, rec.Next, rec.Version = a, w.now, rec.Version+1
	w.memory.cases[rec.ID.String()] = rec
}

// sends lists the kinds of what was sent.
func (w *world) sends() (out []sla.AnswerKind) {
	for _, a := range w.platform.sent {
		out = append(out, a.Kind)
	}
	return out
}

func (w *world) sent(want ...sla.AnswerKind) {
	w.t.Helper()
	got := w.sends()
	if len(got) != len(want) {
		w.t.Fatalf("want %v sent, got %v", want, got)
	}
	for i := range want {
		if got[i] != want[i] {
			w.t.Fatalf("want %v sent, got %v", want, got)
		}
	}
}

func TestHeldAnswerGoesOutOnAYesAndNotBefore(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]struct {
		rule func(*sla.Rule)
		why  sla.Why
	}{
		"mode hold":       {func(r *sla.Rule) { r.Mode.Value = sla.ModeHold }, sla.WhyApproval},
		"above threshold": {func(r *sla.Rule) { r.ApproveAbove.Value = slatest.USD(598) }, sla.WhyAboveApproval},
		"third claim":     {func(r *sla.Rule) { r.HoldClaims.Value = 3 }, sla.WhyManyClaims},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := opened(t, damaged, func(w *world) {
				wait.rule(&w.rule)
				w.memory.claimed[slatest.Dispute().Buyer] = 2 // intake counts this one
			})
			w.until(actAt.Add(20 * time.Hour))
			w.sent()
			w.paged(wait.why)
			if a := w.slot(); a.State == sla.AttemptClaimed {
				t.Errorf("want no slot held while a person thinks, got %+v", a)
			}
			w.say(sla.ApprovalApproved)
			w.until(actAt.Add(21 * time.Hour))
			w.sent(sla.AnswerOffer)
			w.quietly("after the yes")
		})
	}
}

// quietly is quiet, but for the pages.
func (w *world) quietly(where string) {
	w.t.Helper()
	w.pages = nil
	w.quiet(where)
}

func TestRejectedAnswerIsNeverSent(t *testing.T) {
	t.Parallel()
	for _, u := range []sla.Unanswered{sla.UnansweredPage, sla.UnansweredHold, sla.UnansweredSend, sla.UnansweredRefuse} {
		w := opened(t, damaged, func(w *world) { w.rule.Mode.Value, w.rule.Unanswered.Value = sla.ModeHold, u })
		w.until(actAt.Add(time.Hour))
		w.say(sla.ApprovalRejected)
		w.until(deadline.Add(time.Hour))
		w.sent()
		w.paged(sla.WhyApproval, sla.WhyGuardPassed, sla.WhyDeadlinePassed)
	}
}

func TestWhatNobodyApprovedInTimeBecomesWhatTheRuleSays(t *testing.T) {
	t.Parallel()
	for u, want := range map[sla.Unanswered][]sla.AnswerKind{
		sla.UnansweredPage: nil, sla.UnansweredHold: nil, sla.UnansweredSend: {sla.AnswerOffer}, sla.UnansweredRefuse: {sla.AnswerRefuse},
	} {
		for name, rule := range map[string]func(*sla.Rule){
			"mode hold":       func(r *sla.Rule) { r.Mode.Value = sla.ModeHold },
			"above threshold": func(r *sla.Rule) { r.ApproveAbove.Value = slatest.USD(1) },
		} {
			t.Run(u.String()+", "+name, func(t *testing.T) {
				t.Parallel()
				w := opened(t, damaged, func(w *world) { rule(&w.rule); w.rule.Unanswered.Value = u })
				w.until(guardAt.Add(-31 * time.Minute))
				w.sent()
				w.until(deadline.Add(time.Hour))
				w.sent(want...)
				w.holds("end")
			})
		}
	}
}

// A dispute that is first seen when the time to ask is over is asked about all the same, as long as there is time for a word.
func TestWhoIsAskedLateHasUntilShortlyBeforeGuard(t *testing.T) {
	t.Parallel()
	last := guardAt.Add(-10 * time.Minute)
	for name, rule := range map[string]func(*sla.Rule){
		"mode hold":       func(r *sla.Rule) { r.Mode.Value = sla.ModeHold },
		"above threshold": func(r *sla.Rule) { r.ApproveAbove.Value = slatest.USD(1) },
	} {
		seen := func(at time.Time) *world {
			w := newWorld(t)
			damaged(w)
			rule(&w.rule)
			w.rule.Unanswered.Value, w.now = sla.UnansweredSend, at
			w.poll()
			w.drain()
			return w
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := seen(guardAt.Add(-25 * time.Minute))
			w.until(last.Add(-time.Second))
			if w.sent(); len(w.pages) != 1 {
				t.Fatalf("want a person asked once, got %v", w.pages)
			}
			w.until(last)
			w.sent(sla.AnswerOffer)
			w.quietly("nobody spoke")
		})
		t.Run(name+", a yes", func(t *testing.T) {
			t.Parallel()
			w := seen(guardAt.Add(-25 * time.Minute))
			w.say(sla.ApprovalApproved)
			w.sweep()
			w.sent(sla.AnswerOffer)
		})
		t.Run(name+", a no", func(t *testing.T) {
			t.Parallel()
			w := seen(guardAt.Add(-25 * time.Minute))
			w.say(sla.ApprovalRejected)
			w.until(deadline)
			w.sent()
		})
	}
	w := newWorld(t)
	damaged(w)
	w.rule.Mode.Value, w.rule.Unanswered.Value, w.now = sla.ModeHold, sla.UnansweredSend, last.Add(time.Second)
	w.poll()
	w.drain()
	w.until(last.Add(2 * time.Second))
	w.sent(sla.AnswerOffer) // no time for a word
}

func TestShadowRecordsOnceWhatItWouldHaveSent(t *testing.T) {
	t.Parallel()
	w := opened(t, damaged, func(w *world) { w.rule.Mode.Value = sla.ModeShadow })
	w.until(deadline.Add(time.Hour))
	w.sent()
	if len(w.memory.slots) != 0 || len(w.memory.audits) != 1 {
		t.Fatalf("want no slot and one line, got %v and %v", w.memory.slots, w.memory.audits)
	}
	var line handle.Line
	if err := json.Unmarshal([]byte(w.memory.audits[0]), &line); err != nil {
		t.Fatal(err)
	}
	if line.Event != handle.EventShadow || line.Answer != "offer" || line.Amount != slatest.USD(599) || line.Rules != w.Hash() || line.Facts.Claimed != slatest.USD(1999) {
		t.Errorf("want what would have been sent, on which facts, got %+v", line)
	}
	again := line.Facts.Facts(slatest.Ref(), line.At, slatest.ShipmentRule())
	if again.Dispute.Reason != sla.ReasonDamaged || again.Obligation.Opened != slatest.Epoch || again.Dispute.Claimed != slatest.USD(1999) {
		t.Errorf("want the facts back, got %+v", again)
	}
}

func TestKillSwitchStopsSendsUntilItIsOff(t *testing.T) {
	t.Parallel()
	w := opened(t, damaged)
	w.memory.kills = []sla.KillScope{{Store: "AE01"}}
	w.until(actAt.Add(5 * time.Hour))
	w.sent()
	if w.slot().State == sla.AttemptClaimed || len(w.memory.spent) != 0 || len(w.failed) != 0 {
		t.Errorf("want nothing held or spent, got %+v, %v, %v", w.slot(), w.memory.spent, w.failed)
	}
	w.memory.kills = nil
	w.until(actAt.Add(5*time.Hour + 2*time.Minute))
	w.sent(sla.AnswerOffer)
	w.quiet("after the switch")
}

func TestUnderAKillSwitchAPlatformIsReadSeldomAndTheEndIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	for _, on := range []sla.KillScope{{}, {Store: "AE01"}, {Store: "AE01", Reason: sla.ReasonDamaged}} {
		w := opened(t, damaged)
		w.memory.kills = []sla.KillScope{on}
		w.until(actAt.Add(time.Minute))
		before := w.platform.looked
		w.until(actAt.Add(5 * time.Hour))
		if n := w.platform.looked - before; n < 18 || n > 20 {
			t.Errorf("%+v: %d reads in five hours under a switch: want one in 15 minutes", on, n)
		}
		w.memory.kills = []sla.KillScope{{Store: "AE02"}, {Reason: sla.ReasonOther}}
		w.until(actAt.Add(5*time.Hour + 2*time.Minute))
		w.sent(sla.AnswerOffer)
	}
}

// The deadline is brought forward so that guard is near: nobody may hear of that a quarter of an hour later.
func TestUnderAKillSwitchADeadlineThatMovesIsSeenTheSoonerTheLessTimeIsLeft(t *testing.T) {
	t.Parallel()
	for minute := range 15 { // after a reading, one of them
		w := opened(t, damaged)
		w.memory.kills = []sla.KillScope{{}}
		at := guardAt.Add(-time.Duration(20+minute) * time.Minute)
		w.until(at)
		w.platform.dispute.Obligations[0].Deadline = deadline.Add(at.Sub(guardAt) + time.Minute)
		w.until(at.Add(7 * time.Minute))
		w.paged(sla.WhyGuardPassed)
	}
}

func TestAnAnswerOfUnknownOutcomeIsAskedForUnderAKillSwitchToo(t *testing.T) {
	t.Parallel()
	w := opened(t, damaged)
	w.memory.kills = []sla.KillScope{{}}
	w.until(actAt.Add(time.Minute))
	sent := w.slot() // by another process, whose record of it was lost
	sent.State, sent.N, sent.SentAt = sla.AttemptSent, 1, w.now
	w.memory.slots[sent.AttemptKey] = sent
	w.until(actAt.Add(4 * time.Minute))
	if w.platform.asked == 0 {
		t.Error("want its outcome asked for at once")
	}
}

func TestUnderAKillSwitchPeopleAreToldAsAlways(t *testing.T) {
	t.Parallel()
	page := 6*time.Hour + 7*time.Minute // between two readings
	late := []sla.WarnPoint{{Before: 24 * time.Hour, Channel: sla.ChannelChat}, {Before: page, Channel: sla.ChannelPage}}
	w := opened(t, damaged, func(w *world) { w.rule.Warn.Value = late })
	w.memory.kills = []sla.KillScope{{}}
	w.until(deadline.Add(-page + 2*time.Minute))
	w.paged(sla.WhyKilled)
	w.until(deadline.Add(time.Hour))
	w.sent()
	if len(w.warnings) != 1 || w.warnings[0].Why != sla.WhyKilled {
		t.Errorf("want one warning, at the point that comes after the answer is due, got %v", w.warnings)
	}
	w.paged(sla.WhyKilled, sla.WhyGuardPassed, sla.WhyDeadlinePassed)
}

// What a person does on the platform's own pages, the next reading shows: nobody is told of a turn that is over.
func TestUnderAKillSwitchNobodyIsToldWithoutAReading(t *testing.T) {
	t.Parallel()
	page := 6*time.Hour + 7*time.Minute
	w := opened(t, damaged, func(w *world) { w.rule.Warn.Value = []sla.WarnPoint{{Before: page, Channel: sla.ChannelPage}} })
	w.memory.kills = []sla.KillScope{{}}
	w.until(deadline.Add(-page - 5*time.Minute))
	w.platform.dispute.State, w.platform.dispute.Obligations = sla.StateBuyer, nil
	w.until(deadline.Add(-page + 5*time.Minute))
	w.paged()
}

func TestASwitchThrownAfterTheIntentCostsNothingButTime(t *testing.T) {
	t.Parallel()
	killed := &connectors.Error{Op: "fake respond", Kind: connectors.Unavailable, Err: sla.ErrKilled}
	w := opened(t, damaged, func(w *world) {
		w.platform.replies = []reply{{err: killed, then: func() { w.memory.kills = []sla.KillScope{{}} }}}
	})
	w.until(actAt.Add(time.Hour))
	if w.slot().State == sla.AttemptUnknown || len(w.memory.spent) != 0 || len(w.platform.sent) != 1 || len(w.pages) != 0 {
		t.Errorf("want a sure refusal, given back and not tried again, got %+v, %v, %d tries, %v", w.slot(), w.memory.spent, len(w.platform.sent), w.pages)
	}
	w.memory.kills = nil
	w.until(actAt.Add(2 * time.Hour))
	w.quiet("after the switch")
}

func TestVariableThatKillsStopsSendsAndNotPages(t *testing.T) {
	t.Parallel()
	w := opened(t, damaged, func(w *world) { w.rule.Kill.Value = true })
	w.until(deadline.Add(time.Hour))
	w.sent()
	w.paged(sla.WhyGuardPassed, sla.WhyDeadlinePassed)
}

func TestBudgetGoesToAPersonAndIsGivenBackByASureRefusal(t *testing.T) {
	t.Parallel()
	w := opened(t, damaged, func(w *world) { w.rule.StoreBudget.Value = slatest.USD(598) })
	w.until(actAt.Add(time.Hour))
	w.sent()
	w.paged(sla.WhyOverBudget)
	if w.slot().State == sla.AttemptClaimed || len(w.memory.spent) != 0 {
		t.Errorf("want nothing held or spent, got %+v, %v", w.slot(), w.memory.spent)
	}

	w = opened(t, damaged)
	w.memory.capped = true
	earlier := sla.AttemptKey{Dispute: w.kase().ID, Turn: 6}
	w.memory.spent[earlier] = sla.Spend{Key: earlier, Amount: w.rule.AcceptCap.Value} // in the turns before this one
	w.until(actAt.Add(time.Hour))
	w.sent()
	w.paged(sla.WhyOverCap)

	for name, s := range map[string]struct {
		reply reply
		spent int64 // an hour later
	}{
		"accepted":                {reply{apply: true}, 599},
		"surely refused":          {reply{err: platformError(connectors.Rejected)}, 0},
		"refused, and sent again": {reply{err: platformError(connectors.Conflict)}, 599},
		"unknown":                 {reply{apply: true, err: platformError(connectors.OutcomeUnknown)}, 599},
	} {
		w := opened(t, damaged, func(w *world) {
			w.rule.StoreBudget.Value = slatest.USD(599)
			w.platform.replies = []reply{s.reply}
		})
		w.until(actAt.Add(time.Hour))
		var spent int64
		for _, m := range w.memory.spent {
			spent += m.Amount.Minor
		}
		if spent != s.spent {
			t.Errorf("%s: want %d spent, got %d", name, s.spent, spent)
		}
	}
}

// A live case whose answer is over the cap is due at every look: its person hears of every warn point that follows the page.
func TestACasePagedForIsRemindedOfAtEachWarnPoint(t *testing.T) {
	t.Parallel()
	w := opened(t, func(w *world) {
		w.platform.dispute.Claimed.Minor, w.platform.dispute.Offers = 2501, 1 // over the cap
		w.rule.Warn.Value = []sla.WarnPoint{{Before: 20 * time.Hour, Channel: sla.ChannelChat}, {Before: 5 * time.Hour, Channel: sla.ChannelPage}}
	})
	w.until(deadline.Add(-21 * time.Hour))
	w.paged(sla.WhyOverCap)
	if len(w.warnings) != 0 {
		t.Fatalf("warned early: %v", w.warnings)
	}
	w.until(deadline.Add(-19*time.Hour - 59*time.Minute))
	if len(w.warnings) != 1 {
		t.Fatalf("want a warning 20 hours ahead, got %v", w.warnings)
	}
	w.until(deadline.Add(-4*time.Hour - 59*time.Minute))
	w.paged(sla.WhyOverCap, sla.WhyWarnPoint)
}

// A stage may begin between a decision and the writing down of what came of it. Such a case is looked at again at once, and not when all of the
// waiting that the rule allows is over.
func TestAStageThatBeginsWhileAPersonIsToldIsLookedAtAtOnce(t *testing.T) {
	t.Parallel()
	fallback := guardAt.Add(-30 * time.Minute)
	for name, w := range map[string]*world{
		"no budget": opened(t, damaged, func(w *world) { w.rule.StoreBudget.Value = slatest.USD(598) }),
		"no step yet": opened(t, damaged, func(w *world) {
			w.rule.Answer.Value, w.rule.HoldClaims.Value = []sla.Step{{Kind: sla.AnswerAccept, After: 119 * time.Hour}}, 100
		}),
	} {
		w.until(actAt.Add(time.Hour))
		w.now = fallback.Add(-time.Second)
		rec := w.kase()
		rec.Next, rec.Version = w.now, rec.Version+1
		w.memory.cases[rec.ID.String()] = rec
		w.fault = func(p point) bool {
			if p.name == "reserve" || p.name == "claims" {
				w.now = fallback.Add(time.Second)
			}
			return false
		}
		w.sweep()
		if w.now.Before(fallback) {
			t.Fatalf("%s: want the stage to begin meanwhile", name)
		}
		if got := w.kase().Next; got.After(w.now.Add(time.Minute)) {
			t.Errorf("%s: want the case looked at at once, got %s after the stage began", name, got.Sub(fallback))
		}
	}
}
