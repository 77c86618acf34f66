package sla_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
)

func TestTimelineCountsBackFromTheDeadline(t *testing.T) {
	t.Parallel()
	o, r := slatest.Obligation(), slatest.Rule()
	at := func(left time.Duration) time.Time { return o.Deadline.Add(-left) }
	want := []sla.Stage{
		{Kind: sla.StageWarn, At: at(48 * time.Hour), Channel: sla.ChannelChat},
		{Kind: sla.StageWarn, At: at(40 * time.Hour), Channel: sla.ChannelChat},
		{Kind: sla.StageAct, At: at(36 * time.Hour)},
		{Kind: sla.StageFallback, At: at(2*time.Hour + 30*time.Minute)},
		{Kind: sla.StageGuard, At: at(2 * time.Hour)},
		{Kind: sla.StageBreach, At: at(0)},
	}
	if diff := cmp.Diff(want, sla.Timeline(o, r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestShortDeadlinePullsStagesToTheOpening(t *testing.T) {
	t.Parallel()
	o, r := slatest.Obligation(), slatest.Rule()
	o.Deadline = o.Opened.Add(3 * time.Hour)
	want := []sla.Stage{
		{Kind: sla.StageWarn, At: o.Opened, Channel: sla.ChannelChat},
		{Kind: sla.StageWarn, At: o.Opened, Channel: sla.ChannelChat},
		{Kind: sla.StageAct, At: o.Opened},
		{Kind: sla.StageFallback, At: o.Opened.Add(30 * time.Minute)},
		{Kind: sla.StageGuard, At: o.Opened.Add(time.Hour)},
		{Kind: sla.StageBreach, At: o.Deadline},
	}
	if diff := cmp.Diff(want, sla.Timeline(o, r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEarlierOfFeedAndWindowIsTheDeadline(t *testing.T) {
	t.Parallel()
	r := slatest.Rule()
	opened, never := slatest.Epoch, time.Time{}
	for name, test := range map[string]struct {
		opened, feed, want time.Time
		drift              time.Duration
	}{
		"feed earlier":    {opened, opened.Add(4 * day), opened.Add(4 * day), -day},
		"feed later":      {opened, opened.Add(7 * day), opened.Add(5 * day), 2 * day},
		"feed equal":      {opened, opened.Add(5 * day), opened.Add(5 * day), 0},
		"feed silent":     {opened, never, opened.Add(5 * day), 0},
		"opening unknown": {never, opened.Add(9 * day), opened.Add(9 * day), 0},
		"nothing known":   {never, never, never, 0},
	} {
		o := sla.Obligation{Turn: 1, Opened: test.opened, Deadline: test.feed}
		if got := sla.EffectiveDeadline(o, r); !got.Equal(test.want) {
			t.Errorf("%s: deadline %s, want %s", name, got, test.want)
		}
		if got := sla.Drift(o, r); got != test.drift {
			t.Errorf("%s: drift %s, want %s", name, got, test.drift)
		}
		if stages := sla.Timeline(o, r); (len(stages) == 0) != test.want.IsZero() {
			t.Errorf("%s: %d stages", name, len(stages))
		}
	}
}

func TestStagesAreOrderedAndNeverAfterTheDeadline(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o, r := slatest.DrawObligation(t), slatest.DrawRule(t)
		deadline, stages := sla.EffectiveDeadline(o, r), sla.Timeline(o, r)
		if deadline.IsZero() {
			if len(stages) != 0 {
				t.Fatalf("stages %v without a deadline", stages)
			}
			return
		}
		if !o.Deadline.IsZero() && deadline.After(o.Deadline) {
			t.Fatalf("deadline %s is after the feed's %s", deadline, o.Deadline)
		}
		if len(stages) != len(r.Warn.Value)+4 || stages[len(stages)-1] != (sla.Stage{Kind: sla.StageBreach, At: deadline}) {
			t.Fatalf("stages %v, want the deadline %s last", stages, deadline)
		}
		first := map[sla.StageKind]time.Time{}
		for i, s := range stages {
			if s.At.After(deadline) || i > 0 && s.At.Before(stages[i-1].At) {
				t.Fatalf("stage %d of %v is out of order or after %s", i, stages, deadline)
			}
			if s.At.Before(o.Opened) && !deadline.Before(o.Opened) {
				t.Fatalf("stage %v is before the opening %s", s, o.Opened)
			}
			first[s.Kind] = s.At
		}
		if f := first[sla.StageFallback]; first[sla.StageGuard].Before(f) || f.Before(first[sla.StageAct]) {
			t.Fatalf("act, fallback, guard are out of order in %v", stages)
		}
	})
}

func TestTimelineLeavesTheRuleAsItWas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o, r := slatest.DrawObligation(t), slatest.DrawRule(t)
		before := slices.Clone(r.Warn.Value)
		first := sla.Timeline(o, r)
		if diff := cmp.Diff(first, sla.Timeline(o, r)); diff != "" {
			t.Fatalf("a second look differs:\n%s", diff)
		}
		if diff := cmp.Diff(before, slices.Clone(r.Warn.Value)); diff != "" {
			t.Fatalf("warn points changed:\n%s", diff)
		}
	})
}
