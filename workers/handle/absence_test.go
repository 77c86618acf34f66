package handle

import (
	"testing"
	"time"
	"unsafe"

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
	for name, c := range map[string]struct {
		sent, absent, want time.Time
		skew               time.Duration
	}{
		"seen by others":                            {now.Add(-time.Hour), now.Add(-5 * time.Minute), now.Add(settle + clocksApart - 5*time.Minute), 0},
		"long ago":                                  {now.Add(-time.Hour), now.Add(-30 * time.Minute), now.Add(settle + clocksApart - 30*time.Minute), 0},
		"by nobody before us":                       {now.Add(-time.Hour), now, now.Add(settle), 0},
		"by a clock ahead of us":                    {now.Add(-time.Hour), now.Add(time.Minute), now.Add(settle), 0},
		"by a clock that nobody compares":           {now.Add(-time.Hour), now.Add(-30 * time.Minute), now.Add(settle), 0},
		"never":                                     {now.Add(-time.Hour), time.Time{}, now.Add(settle), 0},
		"before it was sent last":                   {now, now.Add(-30 * time.Minute), now.Add(settle), 0},
		"long ago, and not by the platform's clock": {now.Add(-3 * time.Hour), now.Add(-30 * time.Minute), now.Add(settle), -time.Hour},
		"by a platform's clock far ahead":           {now.Add(-2 * time.Hour), now.Add(-12 * time.Minute), now.Add(settle + clocksApart - 12*time.Minute), time.Hour},
	} {
		src := &connectors.Source{}
		src.Observe(c.skew)
		turn := &turn{Handlers: &Handlers{Deps: Deps{Now: func() time.Time { return now }}, absent: newAbsences()}, src: src, rule: rule}
		if name == "by a clock that nobody compares" {
			turn.Compared = func() bool { return false }
		}
		if got := turn.proven(sla.Attempt{N: 1, SentAt: c.sent, Absent: c.absent}); !got.Equal(c.want) {
			t.Errorf("%s: want the proof at %s, got %s", name, c.want, got)
		}
	}
}

// An instant with a monotonic reading, when the wall clock has been set ahead and that reading has gone on.
func setAhead(at time.Time, by time.Duration) time.Time {
	(*struct {
		_   uint64
		ext int64 // the monotonic reading
		_   *time.Location
	})(unsafe.Pointer(&at)).ext -= int64(by) // nothing else can tell a step of the clock to a test
	return at.Add(by)
}

// A sender that was taken for gone counts as sending until its lease is over, which may be after we first looked.
func TestAStepOfTheClockProvesNoAbsenceThatThisProcessHasNotSeenForSoLong(t *testing.T) {
	t.Parallel()
	first := time.Now()
	now := first
	h := &Handlers{Deps: Deps{Now: func() time.Time { return now }, Compared: func() bool { return false }}, absent: newAbsences()}
	turn := &turn{Handlers: h, src: &connectors.Source{}, rule: slatest.Rule()}
	settle := turn.rule.Settle.Value
	try := sla.Attempt{N: 1, SentAt: first.Round(0).Add(30 * time.Second)}
	turn.proven(try)
	for after, want := range map[time.Duration]bool{time.Minute: false, settle - time.Second: false, settle + time.Second: true} {
		now = setAhead(first.Add(after), time.Hour)
		if got := !now.Before(turn.proven(try)); got != want {
			t.Errorf("%s after it was first seen absent, and an hour by the wall clock: want it proven %t, got %t", after, want, got)
		}
	}
}

func TestAbsenceCountsFromOurOwnFirstLookAndForEachTryAlone(t *testing.T) {
	t.Parallel()
	a := newAbsences()
	now := time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)
	// The sender's clock was eleven minutes slow: by its SentAt the settle window is over at once.
	try := sla.Attempt{AttemptKey: sla.AttemptKey{Turn: 7}, N: 1, SentAt: now.Add(-11 * time.Minute)}
	if got := a.first(tryOf(try), now); !got.Equal(now) {
		t.Errorf("want the first look at %s, got %s", now, got)
	}
	if got := a.first(tryOf(try), now.Add(9*time.Minute)); !got.Equal(now) {
		t.Errorf("want the first look remembered, got %s", got)
	}
	try.N = 2
	if got := a.first(tryOf(try), now.Add(10*time.Minute)); !got.Equal(now.Add(10 * time.Minute)) {
		t.Errorf("want a window of its own for the next try, got %s", got)
	}
}
