package sla_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
)

func guardsIn(all ...time.Duration) []time.Time {
	out := make([]time.Time, len(all))
	for i, d := range all {
		out[i] = slatest.Epoch.Add(d)
	}
	return out
}

func TestPressureRisesInTheStatedOrder(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		guards []time.Time
		each   time.Duration
		want   sla.Pressure
	}{
		"nothing is due":              {nil, time.Hour, sla.PressureNone},
		"a fifth of the time":         {slices.Repeat(guardsIn(10*time.Hour), 120), time.Minute, sla.PressureNone},
		"a quarter":                   {slices.Repeat(guardsIn(8*time.Hour), 120), time.Minute, sla.PressurePoll},
		"half":                        {slices.Repeat(guardsIn(4*time.Hour), 120), time.Minute, sla.PressureParcels},
		"all of it":                   {slices.Repeat(guardsIn(2*time.Hour), 120), time.Minute, sla.PressureAnswers},
		"one late case":               {guardsIn(time.Second), 30 * time.Second, sla.PressureNone},
		"what has passed is people's": {slices.Repeat(guardsIn(0, -time.Hour), 1000), time.Minute, sla.PressureNone},
		"the near ones count":         {append(guardsIn(90*time.Hour), slices.Repeat(guardsIn(time.Hour), 60)...), time.Minute, sla.PressureAnswers},
	} {
		if got := sla.PressureOf(slatest.Epoch, test.guards, test.each); got != test.want {
			t.Errorf("%s: want %s, got %s", name, test.want, got)
		}
	}
}

// More to do, more time for each and less time left never lower the level.
func TestPressureGrowsWithTheWork(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var guards []time.Time
		for range rapid.IntRange(0, 30).Draw(t, "n") {
			guards = append(guards, slatest.Epoch.Add(time.Duration(rapid.Int64Range(1, int64(10*time.Hour)).Draw(t, "in"))))
		}
		each := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "each"))
		base := sla.PressureOf(slatest.Epoch, guards, each)
		more := append(slices.Clone(guards), slatest.Epoch.Add(time.Duration(rapid.Int64Range(1, int64(10*time.Hour)).Draw(t, "one more"))))
		if got := sla.PressureOf(slatest.Epoch, more, each); got < base {
			t.Fatalf("one more answer lowers %s to %s", base, got)
		}
		if got := sla.PressureOf(slatest.Epoch, guards, 2*each); got < base {
			t.Fatalf("slower answers lower %s to %s", base, got)
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
