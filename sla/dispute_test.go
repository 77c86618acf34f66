package sla_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
)

const day = 24 * time.Hour

func TestDisputeIDReadsBackAsItIsPrinted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := sla.DisputeID{
			Store:  sla.StoreID(rapid.StringMatching(`[A-Z0-9]{1,8}`).Draw(t, "store")),
			Native: rapid.StringMatching(`[!-.0-~]{1,40}`).Draw(t, "native"),
		}
		if got, err := sla.ParseDisputeID(want.String()); err != nil || got != want {
			t.Fatalf("%s reads as %v, %v", want, got, err)
		}
	})
}

func TestParseDisputeIDRefusesWhatNoPlatformGives(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "/", "AE01", "AE01/", "/123", "AE01/1/2", "AE01/1 2", "AE01/1\n", "AE01/é", "AE01/" + strings.Repeat("1", 41), "ae01/1",
		"AE 1/1", "A_1/1", "AE01/\x7f", strings.Repeat("X", 5000),
	} {
		got, err := sla.ParseDisputeID(s)
		if err == nil || got != (sla.DisputeID{}) {
			t.Errorf("ParseDisputeID(%q) = %v, %v; want an error", s, got, err)
		} else if len(err.Error()) > 160 {
			t.Errorf("the error of %d bytes repeats foreign text", len(err.Error()))
		}
	}
}

func TestTurnPrintsSixteenHexDigits(t *testing.T) {
	t.Parallel()
	if got, want := sla.Turn(0xbeef).String(), "000000000000beef"; got != want {
		t.Errorf("Turn = %q, want %q", got, want)
	}
}

func TestEarliestObligationRules(t *testing.T) {
	t.Parallel()
	rule := slatest.Rule()
	owed := func(turn sla.Turn, opened, deadline time.Time) sla.Obligation {
		return sla.Obligation{Turn: turn, Opened: opened, Deadline: deadline}
	}
	at := func(d time.Duration) time.Time { return slatest.Epoch.Add(d) }
	tests := map[string]struct {
		owed []sla.Obligation
		want sla.Turn
	}{
		"earlier deadline":                {[]sla.Obligation{owed(1, at(0), at(4*day)), owed(2, at(0), at(3*day))}, 2},
		"first of equals":                 {[]sla.Obligation{owed(1, at(0), at(3*day)), owed(2, at(0), at(3*day))}, 1},
		"window ends before a deadline":   {[]sla.Obligation{owed(1, time.Time{}, at(6*day)), owed(2, at(0), time.Time{})}, 2},
		"known before unknown":            {[]sla.Obligation{owed(1, time.Time{}, time.Time{}), owed(2, time.Time{}, at(90*day))}, 2},
		"known stays before unknown":      {[]sla.Obligation{owed(1, time.Time{}, at(90*day)), owed(2, time.Time{}, time.Time{})}, 1},
		"an unknown deadline still owes":  {[]sla.Obligation{owed(1, time.Time{}, time.Time{})}, 1},
		"deadline cut by window is later": {[]sla.Obligation{owed(1, at(0), at(90*day)), owed(2, time.Time{}, at(4*day))}, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := sla.Dispute{Obligations: test.owed}.Ruling(rule)
			if !ok || got.Turn != test.want {
				t.Errorf("Ruling = turn %d, %t; want turn %d", got.Turn, ok, test.want)
			}
		})
	}
	if got, ok := (sla.Dispute{}).Ruling(rule); ok {
		t.Errorf("nothing owed, but %v rules", got)
	}
}

func TestNoObligationEndsBeforeTheRulingOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rule := slatest.DrawRule(t)
		d := sla.Dispute{Obligations: make([]sla.Obligation, rapid.IntRange(1, 5).Draw(t, "obligations"))}
		for i := range d.Obligations {
			d.Obligations[i] = slatest.DrawObligation(t)
		}
		best, ok := d.Ruling(rule)
		if !ok {
			t.Fatal("something is owed and nothing rules")
		}
		first := sla.EffectiveDeadline(best, rule)
		for _, o := range d.Obligations {
			at := sla.EffectiveDeadline(o, rule)
			if !at.IsZero() && (first.IsZero() || at.Before(first)) {
				t.Fatalf("%v ends before the ruling %v", at, first)
			}
		}
	})
}
