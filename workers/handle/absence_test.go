package handle

import (
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
)

// By the ledger, a process learns what others have seen; it may have their clock wrong.
func TestAbsenceThatOthersHaveSeenProvesLaterByWhatClocksMayDiffer(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)
	rule := slatest.Rule()
	settle := rule.Settle.Value
	for name, c := range map[string]struct{ sent, absent, want time.Time }{
		"seen by others":                  {now.Add(-time.Hour), now.Add(-5 * time.Minute), now.Add(settle + clocksApart - 5*time.Minute)},
		"long ago":                        {now.Add(-time.Hour), now.Add(-30 * time.Minute), now.Add(settle + clocksApart - 30*time.Minute)},
		"by nobody before us":             {now.Add(-time.Hour), now, now.Add(settle)},
		"by a clock ahead of us":          {now.Add(-time.Hour), now.Add(time.Minute), now.Add(settle)},
		"by a clock that nobody compares": {now.Add(-time.Hour), now.Add(-30 * time.Minute), now.Add(settle)},
		"never":                           {now.Add(-time.Hour), time.Time{}, now.Add(settle)},
		"before it was sent last":         {now, now.Add(-30 * time.Minute), now.Add(settle)},
	} {
		turn := &turn{Handlers: &Handlers{Deps: Deps{Now: func() time.Time { return now }}, absent: newAbsences()}, src: &connectors.Source{}, rule: rule}
		if name == "by a clock that nobody compares" {
			turn.Compared = func() bool { return false }
		}
		if got := turn.proven(sla.Attempt{N: 1, SentAt: c.sent, Absent: c.absent}); !got.Equal(c.want) {
			t.Errorf("%s: want the proof at %s, got %s", name, c.want, got)
		}
	}
}

func TestAbsenceCountsFromOurOwnFirstLookAndForEachTryAlone(t *testing.T) {
	t.Parallel()
	a := newAbsences()
	now := time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)
	// The sender's clock was eleven minutes slow: by its SentAt the settle window is over at once.
	try := sla.Attempt{AttemptKey: sla.AttemptKey{Turn: 7}, N: 1, SentAt: now.Add(-11 * time.Minute)}
	if got := a.since(try, now); !got.Equal(now) {
		t.Errorf("want the first look at %s, got %s", now, got)
	}
	if got := a.since(try, now.Add(9*time.Minute)); !got.Equal(now) {
		t.Errorf("want the first look remembered, got %s", got)
	}
	try.N = 2
	if got := a.since(try, now.Add(10*time.Minute)); !got.Equal(now.Add(10 * time.Minute)) {
		t.Errorf("want a window of its own for the next try, got %s", got)
	}
	for i := range 3 * absenceGeneration {
		a.since(sla.Attempt{AttemptKey: sla.AttemptKey{Turn: sla.Turn(i + 100)}}, now)
	}
	if n := len(a.young) + len(a.old); n > 2*absenceGeneration {
		t.Errorf("it remembers %d tries: want it bounded", n)
	}
}
