package playbook_test

import (
	"testing"
	"time"

	"watchkeeper/sla"
	"watchkeeper/sla/playbook"
	"watchkeeper/sla/slatest"
)

func TestForecastSaysWhatGoesOutAndWhen(t *testing.T) {
	t.Parallel()
	damaged := func(f *playbook.Facts, _ *sla.Case, _ *sla.Rule) { f.Dispute.Reason = sla.ReasonDamaged }
	hold := func(u sla.Unanswered) func(*playbook.Facts, *sla.Case, *sla.Rule) {
		return func(f *playbook.Facts, c *sla.Case, r *sla.Rule) {
			damaged(f, c, r)
			r.Mode.Value, r.Unanswered.Value = sla.ModeHold, u
		}
	}
	const act, fallback = 84 * time.Hour, 117*time.Hour + 30*time.Minute
	for name, test := range map[string]struct {
		change func(*playbook.Facts, *sla.Case, *sla.Rule)
		action sla.Action
		kind   sla.AnswerKind
		at     time.Duration
		cost   int64
	}{
		"offer":         {damaged, sla.ActionAct, sla.AnswerOffer, act, 599},
		"refusal":       {func(*playbook.Facts, *sla.Case, *sla.Rule) {}, sla.ActionAct, sla.AnswerRefuse, act, 0},
		"at once":       {func(_ *playbook.Facts, _ *sla.Case, r *sla.Rule) { r.ActAfter.Value = 0 }, sla.ActionAct, sla.AnswerRefuse, 0, 0},
		"a person":      {func(f *playbook.Facts, c *sla.Case, r *sla.Rule) { damaged(f, c, r); r.AcceptCap.Value = sla.Money{} }, sla.ActionPage, 0, act, 1999},
		"held, no word": {hold(sla.UnansweredHold), sla.ActionHold, 0, act, 1999},
		"held, sent":    {hold(sla.UnansweredSend), sla.ActionAct, sla.AnswerOffer, fallback, 599},
		"held, refused": {hold(sla.UnansweredRefuse), sla.ActionAct, sla.AnswerRefuse, fallback, 0},
		"above approval": {func(f *playbook.Facts, c *sla.Case, r *sla.Rule) {
			damaged(f, c, r)
			r.ApproveAbove.Value = slatest.USD(1)
		}, sla.ActionHold, sla.AnswerOffer, act, 1999},
		"shadow": {func(f *playbook.Facts, c *sla.Case, r *sla.Rule) { damaged(f, c, r); r.Mode.Value = sla.ModeShadow }, sla.ActionShadow, sla.AnswerOffer, act, 1999},
		"killed": {func(_ *playbook.Facts, _ *sla.Case, r *sla.Rule) { r.Kill.Value = true }, sla.ActionPage, 0, 118 * time.Hour, 1999},
		"later step": {func(_ *playbook.Facts, _ *sla.Case, r *sla.Rule) {
			r.Answer.Value = []sla.Step{partial(3000, 100*time.Hour)}
		}, sla.ActionAct, sla.AnswerOffer, 100 * time.Hour, 599},
		"answered":     {func(_ *playbook.Facts, c *sla.Case, _ *sla.Rule) { c.Answered = true }, sla.ActionLeave, 0, -1, 0},
		"not our turn": {func(_ *playbook.Facts, c *sla.Case, _ *sla.Rule) { c.Obligation = sla.Obligation{} }, sla.ActionLeave, 0, -1, 0},
	} {
		f, c, r := facts(sla.MilestoneInTransit), slatest.Case(), slatest.Rule()
		f.Parcel.LastEvent = slatest.Epoch.Add(3 * day)
		test.change(&f, &c, &r)
		got := playbook.Look(slatest.Epoch, c, f, r)
		at := time.Duration(-1)
		if !got.At.IsZero() {
			at = got.At.Sub(slatest.Epoch)
		}
		if got.Action != test.action || got.Answer.Kind != test.kind || at != test.at || got.Cost.Minor != test.cost || got.Late {
			t.Errorf("%s: %v %v (%v) at %v for %v, want %+v", name, got.Action, got.Answer.Kind, got.Why, at, got.Cost, test)
		}
	}
}

func TestForecastTellsWhatComesTooLateForThePlatform(t *testing.T) {
	t.Parallel()
	f, c, r := facts(sla.MilestoneInTransit), slatest.Case(), slatest.Rule()
	c.Obligation.Opened, c.Obligation.Deadline = time.Time{}, slatest.Epoch.Add(-time.Hour)
	if got := playbook.Look(slatest.Epoch, c, f, r); got.Action != sla.ActionPage || !got.Late {
		t.Errorf("want a person, too late, got %+v", got)
	}
}
