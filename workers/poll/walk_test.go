package poll_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/poll"
)

func (b *bundle) runnerOf(all []poll.Feed) *poll.Runner {
	metrics := poll.NewMetrics(prometheus.NewRegistry(), []sla.Platform{"aliexpress"})
	return poll.New(b.store, all, func() time.Time { return b.now }, zap.NewNop(), metrics)
}

// snapshot is a feed that lists everything open each time: ten rows in pages of three.
func snapshot(t *testing.T) *bundle {
	t.Helper()
	b := setup(t, 10, 3)
	b.kind = connectors.Snapshot
	return b
}

func (b *bundle) drop(ids ...string) {
	b.rows = slices.DeleteFunc(slices.Clone(b.rows), func(id string) bool { return slices.Contains(ids, id) })
}

func (b *bundle) wantGone(t *testing.T, want ...[]string) {
	t.Helper()
	if diff := cmp.Diff(want, b.gone); diff != "" {
		t.Errorf("vanished rows (-want +got):\n%s", diff)
	}
}

func TestSnapshotTellsWhatVanishedOnce(t *testing.T) {
	t.Parallel()
	b := snapshot(t)
	rec := b.read(t)
	b.wantGone(t)
	if rec.Cursor != "" {
		t.Errorf("want the next snapshot to begin at the beginning, got %q", rec.Cursor)
	}
	b.drop("00007", "00002")
	b.read(t)
	b.read(t)
	b.wantGone(t, []string{"00002", "00007"})
}

func TestEmptySnapshotTellsEverything(t *testing.T) {
	t.Parallel()
	b := snapshot(t)
	b.read(t)
	b.rows = nil
	b.read(t)
	if len(b.gone) != 1 || len(b.gone[0]) != 10 {
		t.Errorf("want all ten, got %v", b.gone)
	}
}

func TestFirstSnapshotAfterARestartTellsWhatClosedMeanwhile(t *testing.T) {
	t.Parallel()
	b := snapshot(t)
	for _, id := range append([]string{"closed"}, b.rows...) {
		b.runner.Open(feedID, id)
	}
	b.runner.Open("XX01/disputes", "other") // a feed that is not ours
	b.read(t)
	b.wantGone(t, []string{"closed"})
}

func TestUnreadableRowIsNotGone(t *testing.T) {
	t.Parallel()
	b := snapshot(t)
	b.runner.Open(feedID, "bad")
	b.feed.Fetch = rejecting{b.platform}
	runner := b.replica()
	runner.Open(feedID, "bad")
	b.read(t, runner)
	b.wantGone(t)
}

type rejecting struct{ *platform }

func (r rejecting) Fetch(ctx context.Context, since connectors.Cursor) (connectors.Page, error) {
	page, err := r.platform.Fetch(ctx, since)
	page.Rejects = append(page.Rejects, connectors.Reject{ID: "bad"}, connectors.Reject{})
	return page, err
}

func TestWalkThatWasInterruptedHereStillTells(t *testing.T) {
	t.Parallel()
	b := snapshot(t)
	b.read(t)
	b.drop("00008")
	b.errs[len(b.asked)+2] = failure(connectors.Unavailable, 0)
	b.read(t)
	b.wantGone(t)
	b.read(t)
	b.wantGone(t, []string{"00008"})
}

// Whoever did not see the whole snapshot must not take the pages that another replica read for vanished rows.
func TestPartialWalkTellsNothing(t *testing.T) {
	t.Parallel()
	b := snapshot(t)
	other := b.replica()
	b.read(t)
	b.drop("00009")
	b.errs[len(b.asked)+1] = failure(connectors.Unavailable, 0)
	b.read(t) // the first page here
	b.errs[len(b.asked)+1] = failure(connectors.Unavailable, 0)
	b.read(t, other) // the second there
	b.read(t)        // the rest here
	b.wantGone(t)
	b.read(t) // a whole one again
	b.wantGone(t, []string{"00009"})
}

func TestReplicaThatJoinsInTheMiddleTellsNothing(t *testing.T) {
	t.Parallel()
	b := snapshot(t)
	other := b.replica()
	for _, id := range b.rows {
		other.Open(feedID, id)
	}
	b.errs[2] = failure(connectors.Unavailable, 0)
	b.read(t)
	b.read(t, other)
	b.wantGone(t)
}

// A lost cursor makes pages come twice; what they tell together is still true.
func TestRestartedSnapshotForgetsItsFirstPages(t *testing.T) {
	t.Parallel()
	b := snapshot(t)
	b.read(t)
	b.errs[len(b.asked)+2] = failure(connectors.Unavailable, 0)
	b.store.end = errBoom
	b.read(t) // six rows seen, and the cursor is lost
	b.store.end = nil
	b.drop("00001")
	b.read(t)
	b.wantGone(t, []string{"00001"})
}

func TestVanishedRowsStayKnownUntilSomebodyTookThem(t *testing.T) {
	t.Parallel()
	b := snapshot(t)
	b.read(t)
	b.drop("00004")
	b.goneErr = errors.New("the queue is out")
	if rec := b.read(t); rec.Failures != 1 {
		t.Errorf("want a failure, got %+v", rec)
	}
	b.goneErr = nil
	b.read(t)
	b.wantGone(t, []string{"00004"})
}

func TestForgottenWalkTellsNothingUntilItIsWholeAgain(t *testing.T) {
	t.Parallel()
	b := snapshot(t)
	b.read(t)
	b.errs[len(b.asked)+2] = failure(connectors.Unavailable, 0)
	b.read(t)
	b.runner.Forget()
	b.drop("00000")
	b.read(t)
	b.wantGone(t)
	b.read(t)
	b.wantGone(t, []string{"00000"})
}

// Changes list what changed: a row that is not there tells nothing.
func TestChangesTellNothingVanished(t *testing.T) {
	t.Parallel()
	b := setup(t, 10, 3)
	b.runner.Open(feedID, "open")
	b.read(t)
	b.rows = append(b.rows, "00010")
	if rec := b.read(t); rec.Cursor != "11" {
		t.Errorf("want the walk to go on behind the last row, got %q", rec.Cursor)
	}
	b.wantGone(t)
	b.each(t)
}

// Pages that shift under the reader hide a row of one snapshot: it is told as vanished and looked up, which costs a read and nothing else.
func TestRowHiddenByShiftingPagesIsToldAndFoundAgain(t *testing.T) {
	t.Parallel()
	b := snapshot(t)
	b.read(t)
	start := len(b.asked)
	b.before = func(call int) {
		if call == start+1 {
			b.drop("00000") // closed between the first page and the second
		}
	}
	b.read(t)
	b.wantGone(t, []string{"00003"})
	b.before = nil
	b.read(t)
	b.wantGone(t, []string{"00003"}, []string{"00000"})
}

// A platform goes dark in the middle of a list, for long: what changed on the first pages since they were read is not seen by whoever reads the rest.
func TestAWalkThatGoesOnAfterLongIsAsFreshAsItsFirstPage(t *testing.T) {
	t.Parallel()
	b := snapshot(t)
	before := b.read(t).LastSuccess
	first := b.store.get(feedID).Next
	for call := 6; call < 12; call++ {
		b.errs[call] = errBoom // after four pages of the first walk and two of the second
	}
	rec := b.read(t)
	if !rec.Began.Equal(first) || !rec.LastSuccess.Equal(before) || rec.Cursor != "6" {
		t.Fatalf("want the walk to stand behind its second page, begun %s, and the feed read as of %s, got %+v", first, before, rec)
	}
	for range 5 {
		b.read(t)
	}
	b.now = b.now.Add(time.Hour)
	other := b.replica()
	rec = b.read(t, other)
	if !rec.LastSuccess.Equal(first) || !rec.Began.IsZero() || rec.Cursor != "" || rec.Failures != 0 {
		t.Errorf("want the feed read as of %s, when the walk began, got %+v", first, rec)
	}
	if wait := rec.Next.Sub(b.now); wait.Round(10*time.Second) != 30*time.Second {
		t.Errorf("want the next walk after about a tenth of the interval, not the whole, got %s", wait)
	}
	if rec = b.read(t); !rec.LastSuccess.Equal(b.now) || rec.Next.Sub(b.now) < 4*time.Minute {
		t.Errorf("want the next walk fresh and at its pace again, got %+v", rec)
	}
}

// A page that was read and could not be accepted whole is accepted later; it is as old as its reading.
func TestAKeptFirstPageIsAsFreshAsItsReading(t *testing.T) {
	t.Parallel()
	b := snapshot(t)
	b.refuses["00001"] = failure(connectors.Throttled, 10*time.Second)
	b.read(t)
	began := b.now
	delete(b.refuses, "00001")
	if rec := b.read(t); !rec.LastSuccess.Equal(began) || !b.now.After(began) || len(b.asked) != 4 {
		t.Errorf("want the feed read as of %s, with four calls, got %+v and %d calls", began, rec, len(b.asked))
	}
}

// The cursor of a list of changes stands for all that went before.
func TestAListOfChangesIsFreshAtItsEnd(t *testing.T) {
	t.Parallel()
	b := setup(t, 10, 3)
	b.errs[2] = errBoom
	b.read(t)
	if rec := b.read(t); !rec.LastSuccess.Equal(b.now) || !rec.Began.IsZero() {
		t.Errorf("want the feed read as of now, got %+v", rec)
	}
}
