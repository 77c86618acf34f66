package sla_test

import (
	"testing"
	"time"

	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
)

func mode(m sla.Mode) func(*sla.Case, *sla.Rule) {
	return func(_ *sla.Case, r *sla.Rule) { r.Mode.Value = m }
}

func unanswered(u sla.Unanswered, more func(*sla.Case)) func(*sla.Case, *sla.Rule) {
	return func(c *sla.Case, r *sla.Rule) {
		r.Mode.Value, r.Unanswered.Value = sla.ModeHold, u
		more(c)
	}
}

func TestPeopleAndSwitchesSayWhatBecomesOfADueAnswer(t *testing.T) {
	t.Parallel()
	const due, fallback, late = 20 * time.Hour, 2*time.Hour + 10*time.Minute, time.Hour
	const seenLate = 2*time.Hour + 25*time.Minute // after the fallback stage, half an hour before guard
	nobody := func(*sla.Case) {}
	said := func(a sla.Approval) func(*sla.Case) { return func(c *sla.Case) { c.Approval = a } }
	for name, test := range map[string]struct {
		left   time.Duration
		change func(*sla.Case, *sla.Rule)
		action sla.Action
		why    sla.Why
	}{
		"held":                                     {due, unanswered(sla.UnansweredPage, nobody), sla.ActionHold, sla.WhyApproval},
		"held, approved":                           {due, unanswered(sla.UnansweredPage, said(sla.ApprovalApproved)), sla.ActionAct, sla.WhyApproved},
		"held, rejected":                           {due, unanswered(sla.UnansweredSend, said(sla.ApprovalRejected)), sla.ActionWait, sla.WhyRejected},
		"held, rejected, at fallback":              {fallback, unanswered(sla.UnansweredSend, said(sla.ApprovalRejected)), sla.ActionWait, sla.WhyRejected},
		"held, nobody spoke: page":                 {fallback, unanswered(sla.UnansweredPage, nobody), sla.ActionPage, sla.WhyUnanswered},
		"held, nobody spoke: paged":                {fallback, unanswered(sla.UnansweredPage, paged(sla.StageFallback)), sla.ActionWait, sla.WhyUnanswered},
		"held, nobody spoke: hold":                 {fallback, unanswered(sla.UnansweredHold, nobody), sla.ActionHold, sla.WhyApproval},
		"held, nobody spoke: send":                 {fallback, unanswered(sla.UnansweredSend, nobody), sla.ActionAct, sla.WhyUnanswered},
		"held, nobody was asked: send":             {seenLate, unanswered(sla.UnansweredSend, nobody), sla.ActionHold, sla.WhyApproval},
		"held, nobody was asked: refuse":           {seenLate, unanswered(sla.UnansweredRefuse, nobody), sla.ActionHold, sla.WhyApproval},
		"held, asked late, time left":              {fallback + time.Second, unanswered(sla.UnansweredSend, paged(sla.StageFallback)), sla.ActionHold, sla.WhyApproval},
		"held, asked late, no time left":           {fallback, unanswered(sla.UnansweredSend, paged(sla.StageFallback)), sla.ActionAct, sla.WhyUnanswered},
		"held, asked late, approved":               {seenLate, unanswered(sla.UnansweredSend, said(sla.ApprovalApproved)), sla.ActionAct, sla.WhyApproved},
		"held, asked in time, nobody spoke":        {seenLate, unanswered(sla.UnansweredSend, paged(sla.StageAct)), sla.ActionAct, sla.WhyUnanswered},
		"held, nobody spoke: refuse":               {fallback, unanswered(sla.UnansweredRefuse, nobody), sla.ActionAct, sla.WhyUnanswered},
		"nothing is sent at guard":                 {late, unanswered(sla.UnansweredSend, nobody), sla.ActionPage, sla.WhyGuardPassed},
		"nothing approved is sent at guard":        {late, unanswered(sla.UnansweredSend, said(sla.ApprovalApproved)), sla.ActionPage, sla.WhyGuardPassed},
		"an operator holds a live case":            {due, func(c *sla.Case, _ *sla.Rule) { c.Approval = sla.ApprovalHeld }, sla.ActionHold, sla.WhyHeld},
		"no rule sends what an operator holds":     {fallback, unanswered(sla.UnansweredSend, said(sla.ApprovalHeld)), sla.ActionHold, sla.WhyHeld},
		"a person hears of what an operator holds": {fallback, unanswered(sla.UnansweredPage, said(sla.ApprovalHeld)), sla.ActionPage, sla.WhyUnanswered},
		"a live case waits for a yes":              {due, func(c *sla.Case, _ *sla.Rule) { c.Waiting = true }, sla.ActionHold, sla.WhyApproval},
		"killed":                                   {due, func(_ *sla.Case, r *sla.Rule) { r.Kill.Value = true }, sla.ActionWait, sla.WhyKilled},
		"killed, and approved": {due, func(c *sla.Case, r *sla.Rule) {
			c.Approval, r.Kill.Value = sla.ApprovalApproved, true
		}, sla.ActionWait, sla.WhyKilled},
		"killed, at guard": {late, func(_ *sla.Case, r *sla.Rule) { r.Kill.Value = true }, sla.ActionPage, sla.WhyGuardPassed},
		"shadow":           {due, mode(sla.ModeShadow), sla.ActionShadow, sla.WhyShadow},
		"shadow, and approved": {due, func(c *sla.Case, r *sla.Rule) {
			c.Approval, r.Mode.Value = sla.ApprovalApproved, sla.ModeShadow
		}, sla.ActionShadow, sla.WhyShadow},
		"shadow, recorded": {due, func(c *sla.Case, r *sla.Rule) { c.Shadowed, r.Mode.Value = true, sla.ModeShadow }, sla.ActionLeave, sla.WhyShadow},
	} {
		c, r := slatest.Case(), slatest.Rule()
		c.Warned = 2
		test.change(&c, &r)
		if d := sla.Decide(left(test.left), c, r); d.Action != test.action || d.Why != test.why {
			t.Errorf("%s: %s because %s, want %s because %s", name, d.Action, d.Why, test.action, test.why)
		}
	}
}

func TestAnswerAsSoonAsTheRuleSays(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration]time.Duration{0: 0, 5 * time.Hour: 5 * time.Hour, 100 * time.Hour: 84 * time.Hour, sla.Never: 84 * time.Hour} {
		r := slatest.Rule()
		r.ActAfter.Value = after
		for _, offset := range []time.Duration{-tick, 0} {
			d := sla.Decide(slatest.Epoch.Add(want+offset), slatest.Case(), r)
			if acts := d.Action == sla.ActionAct; acts != (offset == 0) {
				t.Errorf("act after %v: %v at %v", after, d.Action, want+offset)
			}
		}
	}
}

func TestWarningsGoOnWhileAnAnswerWaits(t *testing.T) {
	t.Parallel()
	r := slatest.Rule()
	r.Mode.Value = sla.ModeHold
	r.Warn.Value = []sla.WarnPoint{{Before: 48 * time.Hour, Channel: sla.ChannelLog}, {Before: 6 * time.Hour, Channel: sla.ChannelPage}, {Share: 5000, Channel: sla.ChannelChat}}
	c := slatest.Case()
	for _, step := range []struct {
		left    time.Duration
		action  sla.Action
		channel sla.Channel
	}{
		{60 * time.Hour, sla.ActionWarn, sla.ChannelChat}, // half of the five days
		{48 * time.Hour, sla.ActionWarn, sla.ChannelLog},
		{47 * time.Hour, sla.ActionWait, sla.ChannelLog},
		{36 * time.Hour, sla.ActionHold, sla.ChannelLog},
		{6 * time.Hour, sla.ActionWarn, sla.ChannelPage},
		{5 * time.Hour, sla.ActionHold, sla.ChannelLog},
	} {
		d := sla.Decide(left(step.left), c, r)
		if d.Action != step.action || d.Channel != step.channel {
			t.Errorf("%v left: %s by %s, want %s by %s", step.left, d.Action, d.Channel, step.action, step.channel)
		}
		switch d.Action {
		case sla.ActionWarn:
			c.Warned = d.Warned
		case sla.ActionHold:
			c.Paged = sla.StageAct // as the handler does
		}
	}
}
