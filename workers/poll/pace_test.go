package poll_test

import (
	"testing"
	"time"

	"watchkeeper/sla/slatest"
)

func TestAFeedIsReadAtTheDateOfItsNewPaceAndByThatAfterIt(t *testing.T) {
	t.Parallel()
	b := setup(t, 3, 10)
	b.season = slatest.Epoch.Add(7 * time.Minute)
	var gaps []time.Duration
	last := b.now
	for range 5 {
		b.read(t)
		next := b.store.get(feedID).Next
		gaps = append(gaps, next.Sub(last).Round(time.Minute))
		last = next
	}
	for i, want := range []time.Duration{5 * time.Minute, 2 * time.Minute, time.Minute, time.Minute, time.Minute} {
		if gaps[i] != want {
			t.Fatalf("gaps %v, want five minutes, then the date, then a minute", gaps)
		}
	}
	if at := slatest.Epoch.Add(7 * time.Minute); b.season != at {
		t.Fatal("the date moved")
	}
}

func TestAFeedThatFailsIsPutOffByItsPaceOfThen(t *testing.T) {
	t.Parallel()
	b := setup(t, 3, 10)
	b.season = b.now
	b.errs[0] = errBoom
	b.read(t)
	if wait := b.store.get(feedID).Next.Sub(b.now); wait > 7*time.Second {
		t.Errorf("put off by %s, want a tenth of a minute", wait)
	}
}
