package sla_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
)

// left is an instant with this much time left before the deadline of slatest.Obligation.
func left(d time.Duration) time.Time { return slatest.Obligation().Deadline.Add(-d) }

const tick = time.Millisecond

func TestDecideByTheTimeThatIsLeft(t *testing.T) {
	t.Parallel()
	const h = time.Hour
	for name, test := range map[string]struct {
		now    time.Time
		action sla.Action
		why    sla.Why
		next   time.Time
	}{
		"at the opening":       {slatest.Epoch, sla.ActionWait, sla.WhyEarly, left(48 * h)},
		"just before warn":     {left(48*h + tick), sla.ActionWait, sla.WhyEarly, left(48 * h)},
		"at warn":              {left(48 * h), sla.ActionWarn, sla.WhyWarnPoint, left(40 * h)},
		"just before act":      {left(36*h + tick), sla.ActionWarn, sla.WhyWarnPoint, left(36 * h)},
		"at act":               {left(36 * h), sla.ActionAct, sla.WhyDue, left(30 * h)},
		"just before guard":    {left(2*h + tick), sla.ActionAct, sla.WhyDue, left(2 * h)},
		"at guard":             {left(2 * h), sla.ActionPage, sla.WhyGuardPassed, left(0)},
		"just before deadline": {left(tick), sla.ActionPage, sla.WhyGuardPassed, left(0)},
		"at the deadline":      {left(0), sla.ActionPage, sla.WhyDeadlinePassed, left(-6 * h)},
		"days later":           {left(-9 * day), sla.ActionPage, sla.WhyDeadlinePassed, left(-9*day - 6*h)},
	} {
		d := sla.Decide(test.now, slatest.Case(), slatest.Rule())
		if d.Action != test.action || d.Why != test.why || !d.Next.Equal(test.next) {
			t.Errorf("%s: %s because %s, next %s; want %s because %s, next %s", name, d.Action, d.Why, d.Next, test.action, test.why, test.next)
		}
		if !d.Deadline.Equal(left(0)) || d.Cost != slatest.USD(1999) {
			t.Errorf("%s: deadline %s, cost %s", name, d.Deadline, d.Cost)
		}
	}
}

func TestDecideByTheConditionOfTheCase(t *testing.T) {
	t.Parallel()
	const due, late, gone = 20 * time.Hour, time.Hour, -time.Hour
	for name, test := range map[string]struct {
		left   time.Duration
		change func(*sla.Case)
		action sla.Action
		why    sla.Why
	}{
		"closed":                           {due, func(c *sla.Case) { c.State = sla.StateClosed }, sla.ActionLeave, sla.WhyClosed},
		"closed after the deadline":        {gone, func(c *sla.Case) { c.State = sla.StateClosed }, sla.ActionLeave, sla.WhyClosed},
		"closed, and unresolved":           {due, unresolved(func(c *sla.Case) { c.State = sla.StateClosed }), sla.ActionResolve, sla.WhyUnresolved},
		"nothing owed":                     {due, func(c *sla.Case) { c.Obligation = sla.Obligation{} }, sla.ActionWait, sla.WhyNotOurTurn},
		"nothing owed, and unresolved":     {due, unresolved(func(c *sla.Case) { c.Obligation = sla.Obligation{} }), sla.ActionResolve, sla.WhyUnresolved},
		"unknown state still owes":         {due, func(c *sla.Case) { c.State = sla.StateUnknown }, sla.ActionAct, sla.WhyDue},
		"answered":                         {due, func(c *sla.Case) { c.Answered = true }, sla.ActionWait, sla.WhyAnswered},
		"answered, not shown at guard":     {late, func(c *sla.Case) { c.Answered = true }, sla.ActionPage, sla.WhyUnshown},
		"answered, and yet overdue":        {gone, func(c *sla.Case) { c.Answered = true }, sla.ActionPage, sla.WhyDeadlinePassed},
		"unresolved":                       {due, unresolved(paged(sla.StageNone)), sla.ActionResolve, sla.WhyUnresolved},
		"unresolved before act":            {60 * time.Hour, unresolved(paged(sla.StageNone)), sla.ActionResolve, sla.WhyUnresolved},
		"unresolved at guard":              {late, unresolved(paged(sla.StageAct)), sla.ActionPage, sla.WhyUnresolved},
		"unresolved at guard, paged":       {late, unresolved(paged(sla.StageGuard)), sla.ActionResolve, sla.WhyUnresolved},
		"unresolved, overdue":              {gone, unresolved(paged(sla.StageGuard)), sla.ActionPage, sla.WhyUnresolved},
		"unresolved without a deadline":    {due, unresolved(func(c *sla.Case) { c.Obligation = sla.Obligation{Turn: 7} }), sla.ActionResolve, sla.WhyUnresolved},
		"person only, at once":             {4 * day, personOnly(sla.StageNone), sla.ActionPage, sla.WhyPersonNeeded},
		"person only, paged":               {4 * day, personOnly(sla.StageAct), sla.ActionWait, sla.WhyPersonNeeded},
		"person only, paged again":         {late, personOnly(sla.StageAct), sla.ActionPage, sla.WhyGuardPassed},
		"person only, paged at guard":      {late, personOnly(sla.StageGuard), sla.ActionWait, sla.WhyGuardPassed},
		"paged at guard":                   {late, paged(sla.StageGuard), sla.ActionWait, sla.WhyGuardPassed},
		"paged at guard, then overdue":     {gone, paged(sla.StageGuard), sla.ActionPage, sla.WhyDeadlinePassed},
		"paged overdue":                    {gone, paged(sla.StageBreach), sla.ActionWait, sla.WhyDeadlinePassed},
		"first warn point announced":       {47 * time.Hour, func(c *sla.Case) { c.Warned = 1 }, sla.ActionWait, sla.WhyEarly},
		"second warn point, one announced": {39 * time.Hour, func(c *sla.Case) { c.Warned = 1 }, sla.ActionWarn, sla.WhyWarnPoint},
	} {
		c := slatest.Case()
		test.change(&c)
		d := sla.Decide(left(test.left), c, slatest.Rule())
		if d.Action != test.action || d.Why != test.why {
			t.Errorf("%s: %s because %s, want %s because %s", name, d.Action, d.Why, test.action, test.why)
		}
		if d.Action != sla.ActionLeave && d.Next.IsZero() {
			t.Errorf("%s: nobody looks again", name)
		}
	}
}

func paged(at sla.StageKind) func(*sla.Case) { return func(c *sla.Case) { c.Paged = at } }

func personOnly(at sla.StageKind) func(*sla.Case) {
	return func(c *sla.Case) { c.Obligation.Kinds, c.Paged = 0, at }
}

func unresolved(change func(*sla.Case)) func(*sla.Case) {
	return func(c *sla.Case) {
		change(c)
		c.Unresolved = true
	}
}

func TestModeSaysHowFarADueAnswerGoes(t *testing.T) {
	t.Parallel()
	for mode, want := range map[sla.Mode]sla.Action{
		sla.ModeLive: sla.ActionAct, sla.ModeHold: sla.ActionHold, sla.ModeShadow: sla.ActionShadow, sla.Mode(77): sla.ActionShadow,
	} {
		r := slatest.Rule()
		r.Mode.Value = mode
		if got := sla.Decide(left(20*time.Hour), slatest.Case(), r); got.Action != want || got.Stage != sla.StageAct {
			t.Errorf("mode %s: %s at stage %s, want %s at act", mode, got.Action, got.Stage, want)
		}
		if got := sla.Decide(left(time.Hour), slatest.Case(), r); got.Action != sla.ActionPage {
			t.Errorf("mode %s at guard: %s, want a person", mode, got.Action)
		}
	}
}

func TestObligationWithoutADeadlinePagesOnce(t *testing.T) {
	t.Parallel()
	c, r := slatest.Case(), slatest.Rule()
	c.Obligation.Opened, c.Obligation.Deadline = time.Time{}, time.Time{}
	d := sla.Decide(slatest.Epoch, c, r)
	if d.Action != sla.ActionPage || d.Why != sla.WhyNoDeadline || !d.Next.Equal(slatest.Epoch.Add(r.Recheck.Value)) {
		t.Errorf("%s because %s, next %s", d.Action, d.Why, d.Next)
	}
	c.Paged = d.Stage
	if d := sla.Decide(slatest.Epoch.Add(time.Hour), c, r); d.Action != sla.ActionWait || d.Why != sla.WhyNoDeadline {
		t.Errorf("again: %s because %s, want to wait", d.Action, d.Why)
	}
}

func TestDecisionReportsTheDriftOfTheFeed(t *testing.T) {
	t.Parallel()
	c := slatest.Case()
	for drift, deadline := range map[time.Duration]time.Time{-day: left(day), 0: left(0), day: left(0)} {
		c.Obligation.Deadline = left(-drift)
		if d := sla.Decide(slatest.Epoch, c, slatest.Rule()); d.Drift != drift || !d.Deadline.Equal(deadline) {
			t.Errorf("drift %s, deadline %s; want %s, %s", d.Drift, d.Deadline, drift, deadline)
		}
	}
}

func TestNoAnswerIsDecidedAtOrAfterGuard(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, r, now := slatest.DrawCase(t), slatest.DrawRule(t), slatest.DrawInstant(t, "now")
		deadline := sla.EffectiveDeadline(c.Obligation, r)
		if rapid.Bool().Draw(t, "near guard") {
			now = deadline.Add(-r.Guard.Value).Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, "offset")) * tick)
		}
		d := sla.Decide(now, c, r)
		if d.Action != sla.ActionAct && d.Action != sla.ActionHold {
			return
		}
		if deadline.IsZero() || !now.Before(deadline.Add(-r.Guard.Value)) || !c.Open() || c.Answered || c.Unresolved {
			t.Fatalf("%s because %s at %s, deadline %s, guard %s", d.Action, d.Why, now, deadline, r.Guard.Value)
		}
		if d.Action == sla.ActionAct && !mayAct(d, c, r) {
			t.Fatalf("acts because %s in mode %s after %s, unanswered %s, kill %t", d.Why, r.Mode.Value, c.Approval, r.Unanswered.Value, r.Kill.Value)
		}
	})
}

// mayAct reports whether the mode lets an answer out: live by itself, hold after a yes or when the rule says what becomes of one that nobody
// has approved. Whatever the mode, a no, a hold by command and a kill switch stop it.
func mayAct(d sla.Decision, c sla.Case, r sla.Rule) bool {
	unanswered := d.Why == sla.WhyUnanswered && (r.Unanswered.Value == sla.UnansweredSend || r.Unanswered.Value == sla.UnansweredRefuse)
	switch {
	case r.Kill.Value, c.Approval == sla.ApprovalRejected, c.Approval == sla.ApprovalHeld:
		return false
	case r.Mode.Value == sla.ModeHold:
		return c.Approval == sla.ApprovalApproved || unanswered
	}
	return r.Mode.Value == sla.ModeLive
}

func TestDecisionIsAFunctionOfItsInputs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, r, now := slatest.DrawCase(t), slatest.DrawRule(t), slatest.DrawInstant(t, "now")
		first := sla.Decide(now, c, r)
		elsewhere := now.In(time.FixedZone("there", 9*3600))
		if diff := cmp.Diff(first, sla.Decide(now, c, r)); diff != "" {
			t.Fatalf("a second look differs:\n%s", diff)
		}
		if diff := cmp.Diff(first.Action, sla.Decide(elsewhere, c, r).Action); diff != "" {
			t.Fatalf("the zone matters:\n%s", diff)
		}
		if first.Action != sla.ActionLeave && !first.Next.After(now) || first.Why == sla.WhyNone {
			t.Fatalf("%s because %s, next %s at %s", first.Action, first.Why, first.Next, now)
		}
	})
}

func TestUnresolvedAttemptIsNeverLeftAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, r, now := slatest.DrawCase(t), slatest.DrawRule(t), slatest.DrawInstant(t, "now")
		c.Unresolved = true
		d := sla.Decide(now, c, r)
		if d.Action != sla.ActionResolve && d.Action != sla.ActionPage {
			t.Fatalf("%s because %s", d.Action, d.Why)
		}
		if d.Next.After(now.Add(max(r.Settle.Value, time.Minute))) {
			t.Fatalf("next look %s after %s, settle %s", d.Next, now, r.Settle.Value)
		}
	})
}

func TestSamePageIsNotRepeated(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, r, now := slatest.DrawCase(t), slatest.DrawRule(t), slatest.DrawInstant(t, "now")
		first := sla.Decide(now, c, r)
		if first.Action != sla.ActionPage {
			return
		}
		c.Paged = first.Stage
		if again := sla.Decide(now, c, r); again.Action == sla.ActionPage {
			t.Fatalf("%s at stage %s is paged twice", again.Why, again.Stage)
		}
	})
}

// TestWalkOfACasePagesEachStageOnceAndMissesNone follows Next until the deadline is gone, remembering what the decisions said.
func TestWalkOfACasePagesEachStageOnceAndMissesNone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, r := slatest.Case(), slatest.DrawRule(t)
		r.Mode.Value = sla.ModeHold
		r.Recheck.Value = max(r.Recheck.Value, time.Hour)
		if rapid.Bool().Draw(t, "person only") {
			c.Obligation.Kinds = 0
		}
		deadline := sla.EffectiveDeadline(c.Obligation, r)
		pages, warns := map[sla.StageKind]int{}, 0
		for now := c.Obligation.Opened; ; {
			d := sla.Decide(now, c, r)
			switch d.Action {
			case sla.ActionPage:
				pages[d.Stage]++
				c.Paged = d.Stage
			case sla.ActionWarn:
				warns++
				c.Warned = d.Warned
			}
			if now.After(deadline) {
				break
			}
			now = d.Next
		}
		if pages[sla.StageGuard] != 1 || pages[sla.StageBreach] != 1 || warns > len(r.Warn.Value) {
			t.Fatalf("pages %v, %d warnings of %d", pages, warns, len(r.Warn.Value))
		}
		// A guard longer than the whole time there is begins with the dispute, and then there is no earlier stage to page for.
		early := deadline.Add(-r.Guard.Value).After(c.Obligation.Opened)
		if c.Obligation.Kinds == 0 && early && pages[sla.StageAct] != 1 {
			t.Fatalf("a person is needed and the pages are %v", pages)
		}
	})
}

func TestDecisionTellsEveryValueWithItsOrigin(t *testing.T) {
	t.Parallel()
	d := sla.Decide(slatest.Epoch, slatest.Case(), slatest.Rule())
	got := d.Used()
	want := []sla.Used{
		{"response window", "120h0m0s", "WK_SLA__RESPONSE_WINDOW"},
		{"platform's clock", "always", ""},
		{"warn", "48h0m0s:chat,40h0m0s:chat", "WK_SLA__WARN"},
		{"staff's hours", "always", ""},
		{"act before", "36h0m0s", "WK_SLA__ACT_BEFORE"},
		{"act after", "never", "WK_SLA__ACT_AFTER"},
		{"guard", "2h0m0s", "WK_SLA__GUARD"},
		{"mode", "live", "WK_SLA__MODE"},
		{"settle", "10m0s", "WK_SLA__SETTLE"},
		{"recheck", "6h0m0s", "WK_SLA__RECHECK"},
		{"answer", "playbook", ""},
		{"offer share", "30%", "WK_SLA__OFFER_SHARE"},
		{"accept cap", "25.00 USD", "WK_SLA__ACCEPT_CAP"},
		{"extend protection", "240h0m0s", "WK_SLA__EXTEND"},
		{"approve above", "none", ""},
		{"hold claims from", "none", ""},
		{"unanswered", "page", ""},
		{"buyer budget", "none", ""},
		{"store budget", "none", ""},
		{"total budget", "none", ""},
		{"storm", "none", ""},
		{"kill", "off", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Who waits for a person is reminded at each warn point, whatever the reason: one page days ahead must not be the last word before guard.
func TestACaseThatOnlyAPersonCanAnswerIsWarnedOf(t *testing.T) {
	t.Parallel()
	deadline := slatest.Epoch.Add(5 * 24 * time.Hour)
	r := sla.DefaultRule()
	r.Mode = sla.By("x", sla.ModeLive)
	r.Warn = sla.By("x", []sla.WarnPoint{{Before: 24 * time.Hour, Channel: sla.ChannelChat}, {Before: 6 * time.Hour, Channel: sla.ChannelPage}})
	c := sla.Case{State: sla.StateSeller, Obligation: sla.Obligation{Turn: 1, Opened: slatest.Epoch, Deadline: deadline}, Paged: sla.StageAct}
	for _, tt := range []struct {
		left    time.Duration
		action  sla.Action
		channel sla.Channel
	}{{30 * time.Hour, sla.ActionWait, 0}, {23 * time.Hour, sla.ActionWarn, sla.ChannelChat}, {5 * time.Hour, sla.ActionWarn, sla.ChannelPage}} {
		d := sla.Decide(deadline.Add(-tt.left), c, r)
		if d.Action != tt.action || d.Action == sla.ActionWarn && d.Channel != tt.channel {
			t.Errorf("%s left: want %s on %s, got %s on %s", tt.left, tt.action, tt.channel, d.Action, d.Channel)
		}
		c.Warned = d.Warned
	}
}
