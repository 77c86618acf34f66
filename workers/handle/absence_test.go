package handle

import (
	"testing"
	"time"

	"watchkeeper/sla"
)

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
