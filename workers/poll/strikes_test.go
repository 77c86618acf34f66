package poll_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"watchkeeper/sla"
	"watchkeeper/workers/poll"
)

// dies reads the feed in a process that is gone in the middle of it: nothing of what it would have written later is there. The others end
// its lease when they find it gone.
func (b *bundle) dies(t *testing.T) (began sla.FeedRecord) {
	t.Helper()
	b.before = func(int) { began = b.store.get(feedID) }
	b.read(t)
	b.before = nil
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	rec := began
	if rec.Reader != "" {
		rec.Next = b.now // as store.EndFeedLeases has it
	}
	b.store.records[feedID] = rec
	return began
}

func TestAFeedThatEndsItsProcessAgainAndAgainIsPutOff(t *testing.T) {
	t.Parallel()
	b := setup(t, 20, 10)
	core, logs := observer.New(zap.DebugLevel)
	reg := prometheus.NewRegistry()
	b.runner = b.on(b.store, zap.New(core), reg)
	waits := map[time.Duration]bool{}
	loud := func() int { return logs.FilterMessage("a feed ends the processes that read it").Len() }
	for strike := uint32(1); strike <= 5; strike++ {
		wait := poll.Lease
		if strike >= 3 {
			wait = 15 * time.Minute
		}
		rec := b.dies(t)
		got := rec.Next.Sub(b.now)
		if strike >= 3 {
			waits[got] = true
			got = got.Round(5 * time.Minute)
		}
		if (rec.Reader != "") != (strike == 1) {
			t.Errorf("strike %d: want the next reading to follow at once when the first one was lost, and not after that; read by %q", strike, rec.Reader)
		}
		if rec.Strikes != strike || got != wait || !rec.LastTry.Equal(b.now) || rec.Cursor != "" {
			t.Errorf("want strike %d on record before the first page, and the feed back after %s, got %+v", strike, wait, rec)
		}
		if want := max(int(strike)-3, 0); loud() != want {
			t.Errorf("after %d strikes: want %d loud lines, got %d", strike, want, loud())
		}
	}
	if len(waits) < 2 {
		t.Errorf("want feeds whose readings end together put off for different times, got %v", waits)
	}
	b.got = nil
	if rec := b.read(t); rec.Strikes != 0 || rec.Failures != 0 {
		t.Errorf("want a reading that ends to clear the strikes, got %+v", rec)
	}
	b.each(t)
	b.read(t)
	const want = `
# HELP watchkeeper_feed_readings_lost_total Readings of feeds found to have ended with their process; from the third in a row on the feed is put off.
# TYPE watchkeeper_feed_readings_lost_total counter
watchkeeper_feed_readings_lost_total{platform="aliexpress"} 5
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "watchkeeper_feed_readings_lost_total"); err != nil || loud() != 3 {
		t.Errorf("want five lost readings counted and three loud lines, got %v and %d", err, loud())
	}
}

// Failures of a platform end their readings, and are no strikes.
func TestAFailureAndAPanicAreNoStrikes(t *testing.T) {
	t.Parallel()
	b := setup(t, 20, 10)
	b.panics = true
	for n := uint32(1); n <= 4; n++ {
		if rec := b.read(t); rec.Strikes != 0 || rec.Failures != n {
			t.Errorf("want %d failures and no strike, got %+v", n, rec)
		}
	}
}

// Another process has written the record since our claim: it reads, or has read.
func TestAReadingThatAnotherProcessOvertookIsNotBegun(t *testing.T) {
	t.Parallel()
	b := setup(t, 20, 10)
	runner := b.on(overtaken{b.store}, zap.NewNop(), prometheus.NewRegistry())
	if n, err := runner.RunOnce(context.Background()); n != 1 || err != nil {
		t.Fatalf("want the feed claimed, got %d (%v)", n, err)
	}
	runner.Wait()
	if len(b.asked) != 0 {
		t.Errorf("want nothing fetched, got %v", b.asked)
	}
}

// overtaken gives claims of records that were written since.
type overtaken struct{ *feeds }

func (o overtaken) ClaimFeeds(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]sla.FeedRecord, error) {
	out, err := o.feeds.ClaimFeeds(ctx, now, lease, limit)
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range out {
		r.Version++
		o.records[r.ID] = r
	}
	return out, err
}
