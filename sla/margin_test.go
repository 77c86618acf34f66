package sla_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
)

func drawMeasured(t *rapid.T) sla.Measured {
	any64 := func(name string) time.Duration {
		return time.Duration(rapid.OneOf(rapid.Int64Range(0, int64(3*time.Hour)), rapid.Int64()).Draw(t, name))
	}
	return sla.Measured{
		Known: rapid.Bool().Draw(t, "known"), Latency: any64("latency"), Skew: any64("skew"), Wait: any64("wait"),
		Allowances: map[string]sla.Allowance{"one": {
			Every: any64("every"), Slots: rapid.IntRange(-1, 40).Draw(t, "slots"), Scale: rapid.IntRange(-1, 40).Draw(t, "scale"),
			Owed: owed(rapid.IntRange(0, 40).Draw(t, "due"), time.Hour),
		}},
	}
}

// owed are n answers that are due within a time.
func owed(n int, in time.Duration) []sla.Owed {
	out := make([]sla.Owed, n)
	for i := range out {
		out[i] = sla.Owed{Case: uint32(i), By: slatest.Epoch.Add(in).Unix()}
	}
	return out
}

// waiting is an allowance for which n answers wait.
func waiting(every time.Duration, slots, n int) map[string]sla.Allowance {
	return map[string]sla.Allowance{"the app": {Every: every, Slots: slots, Owed: owed(n, time.Hour)}}
}

func withMargin(r sla.Rule, m sla.Measured) sla.Rule {
	r.Margin = sla.MarginOf(m)
	return r
}

// Whatever is measured, an answer ends no later and begins no later than the rule says, and neither is moved beyond its bound.
func TestAMarginOnlyTightensTheRuleAndIsBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rule, o := slatest.DrawRule(t), slatest.DrawObligation(t)
		if sla.EffectiveDeadline(o, rule).IsZero() {
			return
		}
		wide := withMargin(rule, drawMeasured(t))
		before, after := sla.GuardAt(o, rule), sla.GuardAt(o, wide)
		if want := sla.EffectiveDeadline(o, rule).Add(-rule.Guard.Value); !before.Equal(want) {
			t.Fatalf("without measurements: want %s, got %s", want, before)
		}
		if after.After(before) || before.Sub(after) > sla.MostGuard {
			t.Fatalf("guard moves from %s to %s", before, after)
		}
		if !o.Opened.IsZero() && before.After(o.Opened) && after.Sub(o.Opened) < before.Sub(o.Opened)/2 {
			t.Fatalf("of %s before guard %s are left", before.Sub(o.Opened), after.Sub(o.Opened))
		}
		act, earlier := stageAt(rule, o, sla.StageAct), stageAt(wide, o, sla.StageAct)
		if earlier.After(act) || act.Sub(earlier) > sla.MostLead {
			t.Fatalf("act moves from %s to %s", act, earlier)
		}
		if guard := stageAt(wide, o, sla.StageGuard); earlier.After(guard) || stageAt(wide, o, sla.StageFallback).After(guard) && guard.After(earlier) {
			t.Fatalf("act at %s, guard at %s", earlier, guard)
		}
	})
}

func stageAt(r sla.Rule, o sla.Obligation, kind sla.StageKind) time.Time {
	stages := sla.Timeline(o, r)
	return stages[slices.IndexFunc(stages, func(s sla.Stage) bool { return s.Kind == kind })].At
}

func TestNoAnswerIsDecidedAfterTheMeasuredGuard(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := slatest.Case()
		c.Obligation = slatest.DrawObligation(t)
		rule := withMargin(slatest.DrawRule(t), drawMeasured(t))
		now := slatest.Epoch.Add(time.Duration(rapid.Int64Range(-1e6, 1e6).Draw(t, "now")) * time.Second)
		if d := sla.Decide(now, c, rule); d.Action == sla.ActionAct && !now.Before(sla.GuardAt(c.Obligation, rule)) {
			t.Fatalf("an answer is due at %s, guard was at %s", now, sla.GuardAt(c.Obligation, rule))
		}
	})
}

func TestAMarginGrowsWithEachMeasure(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m, other := drawMeasured(t), drawMeasured(t)
		more := m
		more.Latency, more.Skew, more.Wait = max(m.Latency, other.Latency), max(m.Skew.Abs(), other.Skew.Abs()), max(m.Wait, other.Wait)
		one, two := m.Allowances["one"], other.Allowances["one"]
		one.Every, one.Scale = max(one.Every, two.Every), max(one.Scale, two.Scale)
		if len(two.Owed) > len(one.Owed) {
			one.Owed = two.Owed
		}
		more.Allowances = map[string]sla.Allowance{"one": one, "two": two}
		a, b := sla.MarginOf(m), sla.MarginOf(more)
		if a.Guard < 0 || a.Lead < a.Guard || b.Guard < a.Guard || b.Lead < a.Lead {
			t.Fatalf("%+v of %+v, and %+v of %+v", a, m, b, more)
		}
	})
}

func TestMarginOfAPlatform(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		of          sla.Measured
		guard, lead time.Duration
	}{
		"nothing measured": {sla.Measured{}, 20 * time.Second, 20 * time.Second},
		"quick":            {sla.Measured{Known: true, Latency: 300 * time.Millisecond}, time.Second, time.Second},
		"slow and skewed":  {sla.Measured{Known: true, Latency: 4 * time.Second, Skew: -90 * time.Second}, 98 * time.Second, 98 * time.Second},
		"told to wait":     {sla.Measured{Known: true, Wait: 5 * time.Minute}, 5 * time.Minute, 5 * time.Minute},
		"a backlog":        {sla.Measured{Known: true, Allowances: waiting(200*time.Millisecond, 0, 600)}, 0, 10 * time.Minute},
		"one at a time":    {sla.Measured{Known: true, Latency: 30 * time.Second, Allowances: waiting(0, 1, 10)}, time.Minute, 6 * time.Minute},
		"a lie":            {sla.Measured{Known: true, Skew: 400 * 24 * time.Hour, Allowances: waiting(time.Hour, 0, 3000)}, sla.MostGuard, sla.MostLead},
	} {
		if got := sla.MarginOf(test.of); got.Guard != test.guard || got.Lead != test.lead {
			t.Errorf("%s: want %s and %s, got %+v", name, test.guard, test.lead, got)
		}
	}
	d := sla.Decide(slatest.Epoch, slatest.Case(), withMargin(slatest.Rule(), sla.Measured{}))
	used := d.Used()
	if got := used[len(used)-2]; got.Name != "guard, measured" || got.Value != "+20s" || !strings.HasPrefix(got.From, "nothing measured yet: latency 10s twice") {
		t.Errorf("want the margin told with what it was made from, got %+v", got)
	}
}

func TestReplicasTogetherAreNoBetterThanEach(t *testing.T) {
	t.Parallel()
	a := sla.Measured{Known: true, Latency: 2 * time.Second, Skew: -time.Minute, Allowances: waiting(time.Second, 0, 3)}
	b := sla.Measured{Latency: time.Second, Skew: time.Second, Wait: time.Hour, Allowances: waiting(time.Minute, 4, 4)}
	want := sla.Measured{Known: true, Latency: 2 * time.Second, Skew: time.Minute, Wait: time.Hour, Allowances: waiting(time.Minute, 4, 4)}
	for _, got := range []sla.Measured{a.Worse(b), b.Worse(a)} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	if n := a.Allowances["the app"].Backlog(); n != 3 {
		t.Errorf("the measures of a replica have changed: %d due", n)
	}
	rapid.Check(t, func(t *rapid.T) {
		m, o := drawMeasured(t), drawMeasured(t)
		if !m.Known && o.Known {
			return // another replica knows what this one only fears
		}
		if alone, together := sla.MarginOf(m), sla.MarginOf(m.Worse(o)); together.Guard < alone.Guard {
			t.Fatalf("%+v alone, %+v together", alone, together)
		}
	})
}

func TestACaseThatTwoReplicasHaveSeenCountsOnceAndTheLatestWordHolds(t *testing.T) {
	t.Parallel()
	one := sla.Allowance{Owed: []sla.Owed{{Case: 1, By: 100, Seen: 5}, {Case: 2, By: 100, Seen: 5}, {Case: 3, By: 100, Seen: 5}, {Case: 4, Seen: 9, Done: true}}}
	two := sla.Allowance{Owed: []sla.Owed{{Case: 1, By: 200, Seen: 6}, {Case: 2, Seen: 7, Done: true}, {Case: 3, Seen: 5, Done: true}, {Case: 4, By: 100, Seen: 8}}}
	of := func(a sla.Allowance) sla.Measured {
		return sla.Measured{Allowances: map[string]sla.Allowance{"the app": a}}
	}
	for _, got := range []sla.Measured{of(one).Worse(of(two)), of(two).Worse(of(one)), of(one).Worse(of(two)).Worse(of(one))} {
		all := got.Allowances["the app"]
		if due := all.Due(); all.Backlog() != 1 || len(due) != 1 || due[0] != (sla.Duty{By: time.Unix(200, 0), N: 1}) {
			t.Errorf("got %+v", all)
		}
	}
}

func TestASampleStandsForAll(t *testing.T) {
	t.Parallel()
	few := map[string]sla.Allowance{"a": {Owed: owed(sla.MostOwed-1, time.Hour)}, "b": {Owed: owed(1, time.Hour)}}
	if diff := cmp.Diff(few, sla.Sampled(few)); diff != "" {
		t.Errorf("want what is few as it is:\n%s", diff)
	}
	many := sla.Sampled(map[string]sla.Allowance{"a": {Owed: owed(60_000, time.Hour)}, "b": {Owed: owed(4, time.Hour)}})
	if n := len(many["a"].Owed) + len(many["b"].Owed); n > sla.MostOwed || n < sla.MostOwed/2-1 {
		t.Errorf("%d are told", n)
	}
	if got := many["a"].Backlog(); got < 59_000 || got > 61_000 {
		t.Errorf("60,000 are told as %d", got)
	}
	one := sla.Measured{Allowances: map[string]sla.Allowance{"a": {Owed: owed(60_000, time.Hour)}}}
	if got := one.Worse(sla.Measured{Allowances: many}).Allowances["a"].Backlog(); got < 59_000 || got > 61_000 {
		t.Errorf("with one who tells all: %d", got)
	}
	if got := (sla.Allowance{Scale: 9000, Owed: owed(1, time.Hour)}).Backlog(); got != 1<<20 {
		t.Errorf("a scale beyond all: %d", got)
	}
}

func TestRecentForgetsByAgeAndByNumberAndLeavesOutOneInAHundred(t *testing.T) {
	t.Parallel()
	var r sla.Recent
	want := func(now time.Time, want time.Duration, known bool) {
		t.Helper()
		if got, ok := r.High(now); got != want || ok != known {
			t.Errorf("want %s (%t), got %s (%t)", want, known, got, ok)
		}
	}
	want(slatest.Epoch, 0, false)
	r.Add(slatest.Epoch, time.Minute)
	for range 98 {
		r.Add(slatest.Epoch, time.Second)
	}
	want(slatest.Epoch, time.Minute, true) // 99 of them: the longest counts
	r.Add(slatest.Epoch, time.Second)
	want(slatest.Epoch, time.Second, true) // one in a hundred
	for range 2 {
		r.Add(slatest.Epoch.Add(time.Hour), time.Minute)
	}
	want(slatest.Epoch.Add(time.Hour), time.Minute, true)
	want(slatest.Epoch.Add(time.Hour+time.Second), time.Minute, true) // the others are forgotten
	want(slatest.Epoch.Add(2*time.Hour+time.Second), 0, false)
	for range 256 {
		r.Add(slatest.Epoch.Add(time.Hour), 2*time.Second)
	}
	want(slatest.Epoch.Add(time.Hour), 2*time.Second, true) // room for no more
}

func TestAPeakDecaysAndNeverFallsBelowWhatIsSeen(t *testing.T) {
	t.Parallel()
	p := sla.Peak{}.Seen(slatest.Epoch, 8*time.Second)
	if got := p.Now(slatest.Epoch.Add(30 * time.Minute)); got != 2*time.Second {
		t.Errorf("want a quarter after half an hour, got %s", got)
	}
	if got := p.Now(slatest.Epoch.Add(-time.Hour)); got != 8*time.Second {
		t.Errorf("want the peak when the clock goes back, got %s", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		now, p := slatest.Epoch, sla.Peak{}
		for range rapid.IntRange(1, 9).Draw(t, "n") {
			now = now.Add(time.Duration(rapid.Int64Range(-1e12, 1e13).Draw(t, "gap")))
			d, left := time.Duration(rapid.Int64Range(0, 1e13).Draw(t, "d")), p.Now(now)
			if p = p.Seen(now, d); p.Now(now) != max(d, left) {
				t.Fatalf("want %s, got %s", max(d, left), p.Now(now))
			}
		}
	})
}
