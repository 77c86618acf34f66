package poll_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/poll"
)

func TestTenThousandRowsInTwoHundredPagesAreEachReadOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, 10_000, 50)
	rec := b.read(t)
	b.each(t)
	if len(b.asked) != 200 || rec.Cursor != "10000" || rec.Failures != 0 || !rec.LastSuccess.Equal(b.now) {
		t.Errorf("want 200 pages, got %d and %+v", len(b.asked), rec)
	}
}

func TestWalkLongerThanOneClaimGoesOnFromItsCursor(t *testing.T) {
	t.Parallel()
	b := setup(t, 1000, 1)
	for _, want := range []string{"400", "800"} {
		if rec := b.read(t); rec.Cursor != want || !rec.LastSuccess.IsZero() || rec.Failures != 0 {
			t.Errorf("want the cursor at %s, got %+v", want, rec)
		}
	}
	b.read(t)
	b.each(t)
}

func TestCursorStaysWhenAcceptFails(t *testing.T) {
	t.Parallel()
	b := setup(t, 100, 10)
	b.refuses["00034"] = errBoom
	rec := b.read(t)
	if rec.Cursor != "30" || rec.Failures != 1 || !rec.LastSuccess.IsZero() || len(b.got) != 30 {
		t.Fatalf("want the cursor before the page that was not recorded, got %+v after %d rows", rec, len(b.got))
	}
	delete(b.refuses, "00034")
	rec = b.read(t)
	b.each(t)
	if b.asked[4] != "30" || rec.Failures != 0 || rec.LastSuccess.IsZero() {
		t.Errorf("want the walk resumed there, got %v and %+v", b.asked, rec)
	}
}

func TestCursorStaysWhenFetchFails(t *testing.T) {
	t.Parallel()
	for _, kind := range connectors.Kinds() {
		b := setup(t, 100, 10)
		b.errs[5] = failure(kind, 0)
		if rec := b.read(t); rec.Cursor != "50" || !rec.LastSuccess.IsZero() {
			t.Errorf("%v: want the cursor at 50, got %+v", kind, rec)
		}
		b.read(t)
		b.each(t)
	}
}

func TestThrottledIsPatienceAndNoFailure(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]time.Duration{
		0: time.Second, time.Millisecond: 50 * time.Millisecond, 7 * time.Second: 7 * time.Second, time.Hour: 15 * time.Minute,
	} {
		b := setup(t, 10, 10)
		b.refuses["00003"] = failure(connectors.Throttled, wait)
		b.errs[0] = failure(connectors.Throttled, wait)
		for range 2 { // by the feed itself, then by intake
			if rec := b.read(t); rec.Failures != 0 || rec.Next.Sub(b.now) != want || rec.Cursor != "" {
				t.Errorf("%v: want a wait of %v and no failure, got %v and %+v", wait, want, rec.Next.Sub(b.now), rec)
			}
		}
	}
}

// At five calls a second a page of fifty rows takes ten of them in a row: it is not read again for each.
func TestAPageWhoseDetailsAreThrottledIsNotReadAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, 100, 50)
	b.refuses["00060"] = failure(connectors.Throttled, time.Second)
	for range 3 {
		b.read(t)
	}
	if len(b.asked) != 2 {
		t.Errorf("want two pages read once each, got %v", b.asked)
	}
	b.now = b.now.Add(30 * time.Second)
	if b.read(t); len(b.asked) != 3 {
		t.Errorf("want a page that is half a minute old read again, got %v", b.asked)
	}
	delete(b.refuses, "00060")
	b.read(t)
	b.each(t)
	b.size = 0 // whatever it lists now
	if b.read(t); len(b.asked) != 4 {
		t.Errorf("want a page that was recorded forgotten, got %v", b.asked)
	}
}

// A page that was kept is for the cursor it was asked for with, for once, and by a clock that goes on.
func TestAPageThatWasKeptIsUsedOnceAndWhereItBelongs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(b *bundle)
		asked  int // readings of pages after the two that ended in patience
	}{
		"as it was":                   {func(*bundle) {}, 1},
		"another replica has gone on": {func(b *bundle) { b.put(func(r *sla.FeedRecord) { r.Cursor = "" }) }, 3},
		"our clock was put back": {func(b *bundle) {
			b.now = b.now.Add(-time.Minute)
			b.put(func(r *sla.FeedRecord) { r.Next = b.now })
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, 100, 50)
			b.refuses["00060"] = failure(connectors.Throttled, time.Second)
			b.read(t)
			delete(b.refuses, "00060")
			c.change(b)
			b.read(t)
			b.put(func(r *sla.FeedRecord) { r.Cursor, r.Next = "50", b.now }) // back at once
			b.read(t)
			if got := len(b.asked) - 2; got != c.asked {
				t.Errorf("want %d more pages read, got %d: %v", c.asked, got, b.asked)
			}
		})
	}
}

// Answers may take the whole allowance for hours, and leave nothing to calls that can wait.
func TestAListOfWhichNothingIsRecordedForLongHasAShare(t *testing.T) {
	t.Parallel()
	b := setup(t, 2, 1)
	b.kind = connectors.Snapshot
	reads := func(after time.Duration, share bool) {
		t.Helper()
		b.now = b.now.Add(after)
		if b.read(t); b.share != share || b.bulk == share {
			t.Errorf("want calls that can wait, with a share: %t; got with one %t, without %t", share, b.share, b.bulk)
		}
	}
	reads(0, true) // nothing of the list was ever read
	b.refuses["00000"] = failure(connectors.Throttled, time.Second)
	reads(time.Hour, false) // it was not due before
	reads(20*time.Minute, false)
	reads(time.Minute, true)
	reads(time.Minute, true)
	delete(b.refuses, "00000")
	b.refuses["00001"] = failure(connectors.Throttled, time.Second)
	reads(time.Minute, true)
	reads(time.Minute, false) // one page is on record
	reads(21*time.Minute, true)
	delete(b.refuses, "00001")
	reads(time.Minute, true)
	reads(time.Minute, false)
}

func TestBackoffGrowsAndIsCapped(t *testing.T) {
	t.Parallel()
	for every, most := range map[time.Duration]time.Duration{
		5 * time.Minute: 15 * time.Minute, time.Minute: 4 * time.Minute, 24 * time.Hour: 15 * time.Minute, time.Second: 4 * time.Second,
	} {
		b := setup(t, 1, 1)
		b.feed.Pace = func(time.Time) (time.Duration, time.Time) { return every, time.Time{} }
		b.runner = b.replica()
		var last time.Duration
		for i := range 40 {
			b.errs[i] = failure(connectors.Unavailable, 0)
			rec := b.read(t)
			wait := rec.Next.Sub(b.now)
			if wait < last*8/10 || wait > most*106/100 || rec.Failures != uint32(i+1) || wait <= 0 {
				t.Fatalf("%v: want growing waits up to %v, got %v after %v", every, most, wait, last)
			}
			last = wait
		}
		if last < most*94/100 {
			t.Errorf("%v: want the cap of %v reached, got %v", every, most, last)
		}
		if rec := b.read(t); rec.Failures != 0 || rec.Next.Sub(b.now) > every*106/100 {
			t.Errorf("%v: want the ordinary pace after a success, got %+v", every, rec)
		}
	}
}

func TestPanicOfAConnectorIsAFailureOfItsFeed(t *testing.T) {
	t.Parallel()
	b := setup(t, 10, 10)
	b.panics = true
	if rec := b.read(t); rec.Failures != 1 || rec.Cursor != "" {
		t.Errorf("want one failure, got %+v", rec)
	}
	b.panics = false
	b.read(t)
	b.each(t)
}

func TestStoppingKeepsTheCursorAndCountsNoFailureOnTheWay(t *testing.T) {
	t.Parallel()
	b := setup(t, 100, 10)
	ctx, cancel := context.WithCancel(context.Background())
	b.before = func(call int) {
		if call == 4 {
			cancel()
			b.errs[4] = context.Canceled
		}
	}
	if _, err := b.runner.RunOnce(ctx); err != nil {
		t.Fatalf("run: %v", err)
	}
	b.runner.Wait()
	if rec := b.store.get(feedID); rec.Cursor != "40" || rec.Failures != 0 || rec.Next.After(b.now) {
		t.Errorf("want another replica to go on at once, got %+v", rec)
	}
}

func TestOneReadingOfAFeedAtATime(t *testing.T) {
	t.Parallel()
	b := setup(t, 10, 10)
	b.gate, b.inside = make(chan struct{}), make(chan struct{}, 1)
	ctx := context.Background()
	if n, err := b.runner.RunOnce(ctx); n != 1 || err != nil {
		t.Fatalf("want one started, got %d (%v)", n, err)
	}
	<-b.inside
	b.now = b.now.Add(lease + time.Second) // the lease ran out before the platform answered
	if n, err := b.runner.RunOnce(ctx); n != 0 || err != nil {
		t.Errorf("want no second reading here, got %d (%v)", n, err)
	}
	close(b.gate)
	b.runner.Wait()
	b.each(t)
	if rec := b.store.get(feedID); rec.Cursor != "10" {
		t.Errorf("want the first reading's cursor, got %+v", rec)
	}
}

// Another replica read the feed while we stood still: our cursor is old, and theirs stays.
func TestLateReaderDoesNotMoveTheCursorBack(t *testing.T) {
	t.Parallel()
	b := setup(t, 20, 10)
	other := b.replica()
	b.before = func(call int) {
		if call == 0 {
			r := b.store.get(feedID)
			r.Cursor, r.Next = "20", b.now.Add(time.Hour)
			if _, err := b.store.PutFeed(context.Background(), r); err != nil {
				t.Errorf("put: %v", err)
			}
		}
	}
	b.errs[1] = errBoom
	b.read(t, other)
	if rec := b.store.get(feedID); rec.Cursor != "20" || rec.Failures != 0 {
		t.Errorf("want the other's record kept, got %+v", rec)
	}
}

func TestNoMoreFeedsThanSlotsAreReadAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, 1, 1)
	b.gate, b.inside = make(chan struct{}), make(chan struct{}, 40)
	var all []poll.Feed
	for i := range 40 {
		f := b.feed
		f.ID = "AE01/" + string(rune('A'+i))
		all = append(all, f)
	}
	b.store.records = map[string]sla.FeedRecord{}
	runner := b.runnerOf(all)
	if err := runner.Ensure(context.Background()); err != nil {
		t.Fatalf("ensure: %v", err)
	}
	started := 0
	for range 5 {
		n, err := runner.RunOnce(context.Background())
		if err != nil {
			t.Fatalf("run: %v", err)
		}
		started += n
	}
	if started != 16 {
		t.Errorf("want sixteen at once, got %d", started)
	}
	close(b.gate)
	runner.Wait()
	for range 5 {
		n, _ := runner.RunOnce(context.Background())
		runner.Wait()
		started += n
	}
	if started != 40 {
		t.Errorf("want all of them after that, got %d", started)
	}
}

func TestFeedOfAnotherProcessIsLeftAlone(t *testing.T) {
	t.Parallel()
	b := setup(t, 1, 1)
	b.store.records = map[string]sla.FeedRecord{"XX01/disputes": {ID: "XX01/disputes", Store: "XX01", Version: 3, Cursor: "c"}}
	if n, err := b.runner.RunOnce(context.Background()); n != 0 || err != nil || b.store.get("XX01/disputes").Version != 3 {
		t.Errorf("want it untouched, got %d (%v)", n, err)
	}
}

func TestLostStoreIsAnErrorAndALostCursorOnlyReadsAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, 20, 10)
	b.store.end = errBoom
	b.read(t)
	if rec := b.store.get(feedID); rec.Cursor != "" || len(b.got) == 0 {
		t.Fatalf("want the cursor lost, got %+v", rec)
	}
	b.store.put = errBoom
	if err := b.runner.Ensure(context.Background()); !errors.Is(err, errBoom) {
		t.Errorf("want the store's failure, got %v", err)
	}
	b.got = nil
	if b.read(t); len(b.got) != 0 {
		t.Errorf("want nothing fetched when the reading cannot be begun, got %d rows", len(b.got))
	}
	b.store.put, b.store.end, b.got = nil, nil, nil
	b.read(t)
	b.each(t)
	b.store.claim = errBoom
	if _, err := b.runner.RunOnce(context.Background()); !errors.Is(err, errBoom) {
		t.Errorf("want the store's failure, got %v", err)
	}
}

func TestPlatformsClockIsPassedOn(t *testing.T) {
	t.Parallel()
	b := setup(t, 1, 1)
	b.skew = -90 * time.Second
	b.read(t)
	if got := b.src.Skew(); got != -90*time.Second {
		t.Errorf("want -90s, got %v", got)
	}
}
