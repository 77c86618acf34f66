package handle_test

import (
	"testing"
	"time"

	"watchkeeper/workers/handle"
)

func TestWhatIsAbsentIsSentAgainByProcessesThatDoNotLiveForASettleWindow(t *testing.T) {
	t.Parallel()
	w := acted(t, replying(unknown(false)))
	for at := actAt; at.Before(actAt.Add(14 * time.Minute)); at = at.Add(20 * time.Second) {
		w.until(at)
		w.handlers = handle.New(w.handlers.Deps) // another process, which has seen nothing
	}
	if len(w.platform.sent) != 2 || w.platform.sentAt[1].Sub(actAt) < 11*time.Minute {
		t.Errorf("want a second try when ten minutes have passed since it was first asked for, by any clock, got %v", w.platform.sentAt)
	}
}

// All processes end, every clock of ours steps and that of Redis alike, and other processes begin: none of them has seen the step, but the platform's
// clock has not made it.
func TestWhatProcessesSawBeforeAllTheirClocksSteppedIsHeldAgainstThePlatformsClock(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]time.Duration{"an hour behind, and set right": time.Hour, "right, and set ahead by an hour": 0} {
		w := acted(t, replying(unknown(false)), func(w *world) { w.skew = before })
		w.until(w.now.Add(2 * time.Minute))
		w.now, w.skew = w.now.Add(time.Hour), before-time.Hour
		w.source.Observe(w.skew)
		for end := w.now.Add(14 * time.Minute); w.now.Before(end); w.until(w.now.Add(20 * time.Second)) {
			w.handlers = handle.New(w.handlers.Deps) // another process, which has seen nothing
		}
		if s := w.platform.sentAt; len(s) != 2 || s[1].Sub(s[0]) < 11*time.Minute {
			t.Errorf("%s: want a second try when the platform's clock has gone on by eleven minutes, got %v", name, s)
		}
	}
}

func TestAClockFarFromThePlatformsAddsAsMuchToTheWindowOfAnUnknownAnswer(t *testing.T) {
	t.Parallel()
	w := acted(t, replying(unknown(false)), func(w *world) { w.skew = -15 * time.Minute })
	sent := w.platform.sentAt[0].Add(15 * time.Minute) // by our clock
	w.until(sent.Add(24 * time.Minute))
	if len(w.platform.sent) != 1 {
		t.Errorf("want no second try before 25 minutes, got %v", w.platform.sentAt)
	}
	w.until(sent.Add(26 * time.Minute))
	if len(w.platform.sent) != 2 {
		t.Errorf("want a second try after them, got %v", w.platform.sentAt)
	}
}
