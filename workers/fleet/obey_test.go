package fleet_test

import (
	"testing"
	"time"

	"watchkeeper/workers/fleet"
)

// askedAfter steps until a person is asked about the only case, and gives how long after the start that was.
func (b *bundle) askedAfter(start time.Time) time.Duration {
	b.t.Helper()
	for range 10 * 24 * 12 {
		b.step(5 * time.Minute)
		if len(b.logged("a person must act")) > 0 {
			return b.now().Sub(start)
		}
	}
	b.t.Fatal("nobody was asked")
	return 0
}

// The case is armed for its fourth day; from midnight on the rules want it looked at within its second.
func TestOpenCasesObeyRulesThatBeginAtADate(t *testing.T) {
	t.Parallel()
	for name, dated := range map[string][]string{
		"answered earlier": {"WK_SLA__ACT_BEFORE=1d", "WK_SLA__QUIET__ACT_BEFORE=4d", "WK_SLA__QUIET__ACT_BEFORE__FROM=2026-03-03"},
		"a shorter window": {"WK_SLA__ACT_BEFORE=1d", "WK_SLA__QUIET__RESPONSE_WINDOW=2d", "WK_SLA__QUIET__RESPONSE_WINDOW__FROM=2026-03-03"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, append([]string{"WK_SLA__MODE=hold", "WK_SLA__WARN=2h"}, dated...)...)
			b.must(b.fleet.Begin(t.Context()))
			b.owe("1", 5*24*time.Hour)
			start := b.now()
			if after := b.askedAfter(start); after < 15*time.Hour || after > 25*time.Hour {
				t.Fatalf("want somebody asked within the first day, when the dated rules hold, got %s", after)
			}
		})
	}
}

func TestOpenCasesObeyTheRulesOfANewStart(t *testing.T) {
	t.Parallel()
	b := setup(t, "WK_SLA__MODE=hold", "WK_SLA__WARN=2h", "WK_SLA__ACT_BEFORE=1d")
	b.must(b.fleet.Begin(t.Context()))
	b.owe("1", 5*24*time.Hour)
	start := b.now()
	b.step(time.Hour)
	b.must(b.fleet.Stop(t.Context()))
	next := options(t, b.addr, "WK_SLA__MODE=hold", "WK_SLA__WARN=2h", "WK_SLA__ACT_BEFORE=4d")
	next.Now, next.Log, next.Idle = b.o.Now, b.o.Log, b.o.Idle
	var err error
	b.fleet, err = fleet.New(t.Context(), next)
	b.must(err)
	b.must(b.fleet.Begin(t.Context()))
	if after := b.askedAfter(start); after > 25*time.Hour {
		t.Fatalf("want somebody asked within the first day, as the new rules say, got %s", after)
	}
}
