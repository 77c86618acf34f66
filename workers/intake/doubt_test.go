package intake_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"watchkeeper/sla"
)

// The list shows a new turn, and the detail lags behind it: the turn must be seen with the next poll and not when the record's timer runs out.
func TestChangedRowWhoseDetailShowsNothingNewIsReadAgain(t *testing.T) {
	t.Parallel()
	b, r := known(t, func(*sla.CaseRecord) {})
	if _, err := b.accept(r); err != nil {
		t.Fatal(err)
	}
	if got := b.kase(1).Fingerprint; got == r.Fingerprint {
		t.Fatal("want the row unread, as long as its detail may lag behind")
	}
	b.dispute(1, func(d *sla.Dispute) { d.Obligations[0].Turn = 8 })
	b.now = b.now.Add(10 * time.Second)
	if _, err := b.accept(r); err != nil {
		t.Fatal(err)
	}
	if got := b.kase(1); got.Obligation.Turn != 8 || got.Fingerprint != r.Fingerprint {
		t.Errorf("want the new turn on record, got %+v", got)
	}
}

// A row may change in what we do not keep, a count of messages for one: it must not be read with every poll for ever.
func TestRowThatShowsNothingNewLaterThanAnyLagIsAccepted(t *testing.T) {
	t.Parallel()
	b, r := known(t, func(*sla.CaseRecord) {})
	for _, at := range []struct {
		after    time.Duration
		accepted bool
	}{{0, false}, {10 * time.Second, false}, {31 * time.Second, true}} {
		b.now = b.now.Add(at.after)
		if _, err := b.accept(r); err != nil {
			t.Fatal(err)
		}
		if got := b.kase(1).Fingerprint == r.Fingerprint; got != at.accepted {
			t.Errorf("after %s: want accepted %t, got %t", at.after, at.accepted, got)
		}
	}
	const name = "watchkeeper_rows_read_again_total"
	if n, err := testutil.GatherAndCount(b.reg, name); err != nil || n != 2 {
		t.Errorf("want a series for each platform, got %d (%v)", n, err)
	}
}

// Nothing is on record to compare with, but the list knows of a later change than the detail.
func TestNewRowWhoseDetailIsOlderIsReadAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.dispute(1)
	r.Modified = b.disputes[r.ID].Modified.Add(time.Second)
	if _, err := b.accept(r); err != nil {
		t.Fatal(err)
	}
	if got := b.kase(1); got.Fingerprint != 0 || got.Obligation.Turn != 7 {
		t.Fatalf("want what was read on record, and the row unread, got %+v", got)
	}
	b.dispute(1, func(d *sla.Dispute) { d.Obligations[0].Turn, d.Modified = 8, r.Modified })
	if _, err := b.accept(r); err != nil {
		t.Fatal(err)
	}
	if got := b.kase(1); got.Obligation.Turn != 8 || got.Fingerprint != r.Fingerprint {
		t.Errorf("want the new turn on record, got %+v", got)
	}
}

// Two processes read a turn that has just begun, and the one that writes last has read from a replica of the platform that lags.
func TestLookupThatDiffersFromTheRecordLeavesTheRowUnread(t *testing.T) {
	t.Parallel()
	b, r := known(t, func(*sla.CaseRecord) {})
	c := b.kase(1)
	b.dispute(1, func(d *sla.Dispute) { d.Obligations, d.State = nil, sla.StateBuyer })
	if err := b.in.Refresh(t.Context(), b.src, []sla.DisputeID{c.ID}); err != nil {
		t.Fatal(err)
	}
	if got := b.kase(1); got.Fingerprint != 0 || got.State != sla.StateBuyer {
		t.Fatalf("want what was read on record, and the row unread, got %+v", got)
	}
	b.dispute(1)
	r.Fingerprint--
	if _, err := b.accept(r); err != nil {
		t.Fatal(err)
	}
	if got := b.kase(1); got.Obligation.Turn != 7 || got.Fingerprint != r.Fingerprint {
		t.Errorf("want the row read again, got %+v", got)
	}
}
