package sla_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
)

func dueIn(n int, in time.Duration) sla.Duty { return sla.Duty{By: slatest.Epoch.Add(in), N: n} }

func TestPressureRisesInTheStatedOrder(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		due  []sla.Duty
		each time.Duration
		want sla.Pressure
	}{
		"nothing is due":              {nil, time.Hour, sla.PressureNone},
		"a fifth of the time":         {[]sla.Duty{dueIn(120, 10*time.Hour)}, time.Minute, sla.PressureNone},
		"a quarter":                   {[]sla.Duty{dueIn(120, 8*time.Hour)}, time.Minute, sla.PressurePoll},
		"half":                        {[]sla.Duty{dueIn(60, 4*time.Hour), dueIn(60, 4*time.Hour)}, time.Minute, sla.PressureParcels},
		"all of it":                   {[]sla.Duty{dueIn(120, 2*time.Hour)}, time.Minute, sla.PressureAnswers},
		"one late case":               {[]sla.Duty{dueIn(1, time.Second)}, 30 * time.Second, sla.PressureNone},
		"what has passed is people's": {[]sla.Duty{dueIn(1000, 0), dueIn(1000, -time.Hour)}, time.Minute, sla.PressureNone},
		"the near ones count":         {[]sla.Duty{dueIn(1, 90*time.Hour), dueIn(60, time.Hour)}, time.Minute, sla.PressureAnswers},
		"and the far ones after them": {[]sla.Duty{dueIn(10, 2*time.Hour), dueIn(200, 3*time.Hour)}, time.Minute, sla.PressureAnswers},
	} {
		if got := sla.ShortageOf(slatest.Epoch, test.due, test.each); got.Level != test.want {
			t.Errorf("%s: want %s, got %+v", name, test.want, got)
		}
	}
}

func TestAShortageSaysWhereTimeIsShortest(t *testing.T) {
	t.Parallel()
	m := sla.Measured{Known: true, Latency: time.Second, Allowances: map[string]sla.Allowance{
		"roomy": {Every: 100 * time.Millisecond, Owed: owed(500, 20*time.Hour)},
		"tight": {Every: 12 * time.Second, Owed: append(owed(40, 9*time.Hour), owed(30, 15*time.Minute)...)},
	}}
	got := m.Shortage(slatest.Epoch)
	if got.Level != sla.PressureAnswers || got.Due != 70 || got.First != 30 || !got.By.Equal(slatest.Epoch.Add(15*time.Minute)) || got.Each != time.Minute {
		t.Errorf("got %+v", got)
	}
	if goes, wants := got.Goes(), got.Wants(slatest.Epoch); goes != 60 || wants != 120 {
		t.Errorf("want 60 an hour where 120 are wanted, got %v and %v", goes, wants)
	}
	if calm := (sla.Measured{}).Shortage(slatest.Epoch); calm.Level != sla.PressureNone || calm.Wants(slatest.Epoch) != 0 {
		t.Errorf("want no pressure of nothing, got %+v", calm)
	}
}

// More to do, more time for each and less time left never lower the level.
func TestPressureGrowsWithTheWork(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := func() sla.Duty {
			return dueIn(rapid.IntRange(0, 40).Draw(t, "n"), time.Duration(rapid.Int64Range(1, int64(10*time.Hour)).Draw(t, "in")))
		}
		var due []sla.Duty
		for range rapid.IntRange(0, 30).Draw(t, "duties") {
			due = append(due, draw())
		}
		each := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "each"))
		base := sla.ShortageOf(slatest.Epoch, due, each).Level
		if got := sla.ShortageOf(slatest.Epoch, append(slices.Clone(due), draw()), each).Level; got < base {
			t.Fatalf("more answers lower %s to %s", base, got)
		}
		if got := sla.ShortageOf(slatest.Epoch, due, 2*each).Level; got < base {
			t.Fatalf("slower answers lower %s to %s", base, got)
		}
	})
}

func TestALevelRisesAtOnceAndFallsOneByOneAfterItsCalm(t *testing.T) {
	t.Parallel()
	var s sla.Strain
	at := func(in time.Duration, is, want sla.Pressure) {
		t.Helper()
		if s = s.Seen(slatest.Epoch.Add(in), is); s.Level != want {
			t.Fatalf("after %s: want %s, got %s", in, want, s.Level)
		}
	}
	at(0, sla.PressureAnswers, sla.PressureAnswers)
	at(time.Minute, sla.PressureNone, sla.PressureAnswers)
	at(5*time.Minute, sla.PressureNone, sla.PressureAnswers)
	at(6*time.Minute, sla.PressureNone, sla.PressureParcels)
	at(10*time.Minute, sla.PressureNone, sla.PressureParcels)
	at(11*time.Minute, sla.PressureNone, sla.PressurePoll)
	at(15*time.Minute, sla.PressurePoll, sla.PressurePoll) // not calm any more
	at(16*time.Minute, sla.PressureNone, sla.PressurePoll)
	at(21*time.Minute, sla.PressureNone, sla.PressureNone)
	rapid.Check(t, func(t *rapid.T) {
		now, s := slatest.Epoch, sla.Strain{}
		for range rapid.IntRange(1, 40).Draw(t, "n") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(8*time.Minute)).Draw(t, "gap")))
			is, before := sla.Pressure(rapid.IntRange(0, 3).Draw(t, "is")), s.Level
			if s = s.Seen(now, is); s.Level < is || s.Level+1 < before || s.Level > max(is, before) {
				t.Fatalf("from %s to %s where it is %s", before, s.Level, is)
			}
		}
	})
}

func TestWhatPressureLeavesUndone(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		p               sla.Pressure
		every           time.Duration
		parcels, reread bool
	}{
		{sla.PressureNone, 4 * time.Minute, true, true}, {sla.PressurePoll, 8 * time.Minute, true, true},
		{sla.PressureParcels, 16 * time.Minute, false, true}, {sla.PressureAnswers, 16 * time.Minute, false, false},
	} {
		if test.p.Stretch(4*time.Minute) != test.every || test.p.Parcels() != test.parcels || test.p.Rereads() != test.reread {
			t.Errorf("%s: every %s, parcels %t, reads again %t", test.p, test.p.Stretch(4*time.Minute), test.p.Parcels(), test.p.Rereads())
		}
		if got := test.p.Stretch(time.Hour); got != time.Hour {
			t.Errorf("%s: a slow list is read every %s", test.p, got)
		}
		if got := test.p.Stretch(15 * time.Minute); got > sla.MostStretched {
			t.Errorf("%s: want at most %s, got %s", test.p, sla.MostStretched, got)
		}
	}
}
