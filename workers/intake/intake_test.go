package intake_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
	"watchkeeper/workers/intake"
	"watchkeeper/workers/job"
)

func TestNewRowIsRecordedAndArmedAndUnchangedTouchesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows := []connectors.Row{b.dispute(1), b.dispute(2)}
	tally, err := b.accept(rows...)
	if err != nil || tally != (intake.Tally{New: 2}) {
		t.Fatalf("want two new, got %+v (%v)", tally, err)
	}
	if c := b.kase(1); c.Version != 1 || c.Fingerprint != 1001 || !c.Next.Equal(slatest.Epoch.Add(72*time.Hour)) || c.Obligation.Turn != 7 {
		t.Errorf("want the case armed at its first warn point, got %+v", c)
	}
	b.resolved, b.puts, b.jobs = nil, 0, nil
	tally, err = b.accept(rows...)
	if err != nil || tally != (intake.Tally{Unchanged: 2}) || len(b.resolved) != 0 || b.puts != 0 || len(b.jobs) != 0 {
		t.Errorf("want nothing touched, got %+v, %v, %d puts, %d jobs (%v)", tally, b.resolved, b.puts, len(b.jobs), err)
	}
	if tally, err := b.accept(); err != nil || tally != (intake.Tally{}) {
		t.Errorf("want an empty page accepted, got %+v (%v)", tally, err)
	}
}

func TestUnreadableRowIsRejectedWithItsBytesWhileTheRestIsRecorded(t *testing.T) {
	t.Parallel()
	for _, kind := range []connectors.Kind{connectors.Malformed, connectors.NotFound, connectors.Conflict, connectors.Rejected} {
		b := setup(t)
		bad := b.dispute(2)
		b.errs[bad.ID] = failure(kind)
		want := intake.Tally{New: 2, Rejected: 1}
		if kind == connectors.Malformed {
			want.New = 3 // a case for a person: see TestListedDisputeThatNobodyCanReadIsACaseForAPerson
		}
		tally, err := b.accept(b.dispute(1), bad, b.dispute(3))
		if err != nil || tally != want {
			t.Errorf("%v: want %+v, got %+v (%v)", kind, want, tally, err)
		}
		if len(b.rejects) != 1 || b.rejects[0].ID != bad.ID || string(b.rejects[0].Raw) != string(bad.Raw) || b.rejects[0].Store != "AE01" {
			t.Errorf("%v: want the bytes kept, got %+v", kind, b.rejects)
		}
	}
}

func TestPanicOfAConnectorIsContainedAndToldByItsPlaceOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bad := b.dispute(2)
	b.hook = func(id string) {
		if id == bad.ID {
			panic("buyer Maria Lopez")
		}
	}
	tally, err := b.accept(b.dispute(1), bad)
	if err != nil || tally != (intake.Tally{New: 2, Rejected: 1}) {
		t.Fatalf("want one new, and one rejected and left to a person, got %+v (%v)", tally, err)
	}
	if why := b.rejects[0].Reason; !strings.Contains(why, "intake_test") || strings.Contains(why, "Maria") {
		t.Errorf("want the place and no value, got %q", why)
	}
	for _, line := range b.logs.All() {
		for _, f := range line.Context {
			if strings.Contains(f.String, "Maria") || f.Interface != nil && strings.Contains(errorText(f.Interface), "Maria") {
				t.Errorf("want no value in the log, got %+v", line)
			}
		}
	}
	if err := b.in.Refresh(context.Background(), b.src, []sla.DisputeID{b.kase(1).ID}); err != nil {
		t.Errorf("want a quiet refresh, got %v", err)
	}
}

func errorText(v any) string {
	if err, ok := v.(error); ok {
		return err.Error()
	}
	return ""
}

func TestFailureThatMayPassKeepsTheCursorAndRecordsWhatItCould(t *testing.T) {
	t.Parallel()
	for _, kind := range []connectors.Kind{connectors.Throttled, connectors.Unauthorised, connectors.Forbidden} {
		b := setup(t)
		var rows []connectors.Row
		for i := range 40 {
			rows = append(rows, b.dispute(i))
		}
		b.errs[rows[20].ID] = failure(kind)
		tally, err := b.accept(rows...)
		if connectors.KindOf(err) != kind {
			t.Fatalf("want %v, got %v", kind, err)
		}
		if tally.New < 10 || tally.New > 39 || len(b.resolved) > 30 || tally.Rejected != 0 || len(b.cases) != tally.New {
			t.Errorf("want what was read before recorded and the rest not asked for, got %+v after %d reads", tally, len(b.resolved))
		}
		delete(b.errs, rows[20].ID)
		if tally, err = b.accept(rows...); err != nil || len(b.cases) != 40 || tally.New+tally.Unchanged != 40 {
			t.Errorf("want the rest at the next poll, got %+v (%v)", tally, err)
		}
	}
}

func TestEndedContextIsNotTakenForSuccess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, cancel := context.WithCancel(context.Background())
	first := b.dispute(1)
	b.hook = func(string) { cancel() }
	_, err := b.in.Accept(ctx, b.src, connectors.Page{Rows: []connectors.Row{first, b.dispute(2), b.dispute(3), b.dispute(4), b.dispute(5), b.dispute(6)}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("want the cursor to stay, got %v", err)
	}
}

func TestStoreOrQueueFailureKeepsTheCursor(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"compare", "put", "attempts", "parcels", "queue"} {
		b := setup(t)
		r := b.dispute(1, func(d *sla.Dispute) { d.Shipments = []sla.ShipmentRef{{Number: "LX1"}} })
		if _, err := b.accept(r); err != nil {
			t.Fatalf("accept: %v", err)
		}
		r = b.dispute(1, func(d *sla.Dispute) {
			d.Obligations[0].Turn, d.Obligations[0].Deadline = 8, slatest.Epoch.Add(time.Hour)
			d.Shipments = []sla.ShipmentRef{{Number: "LX2"}}
		})
		r.Fingerprint++
		before := b.kase(1)
		b.fails[name] = true
		if name == "queue" {
			b.lost = errOut
		}
		if _, err := b.accept(r); !errors.Is(err, errOut) {
			t.Errorf("%s: want the failure, got %v", name, err)
		}
		if name != "put" && name != "compare" && b.kase(1) != before {
			t.Errorf("%s: want nothing recorded, for the parcels would not be asked for again: %+v", name, b.kase(1))
		}
		b.lost, b.fails = nil, map[string]bool{}
		if _, err := b.accept(r); err != nil || b.kase(1).Obligation.Turn != 8 || !slices.Contains(b.asked(t, job.Enrol), "LX2") {
			t.Errorf("%s: want it recorded at the next poll, got %+v (%v)", name, b.kase(1), err)
		}
	}
}

func TestOfARowListedTwiceTheLaterCounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	old, other := b.dispute(1), b.dispute(2)
	newer := row(old.ID, 77)
	tally, err := b.accept(old, other, newer)
	if err != nil || tally.New != 2 || b.kase(1).Fingerprint != 77 || len(b.resolved) != 2 {
		t.Errorf("want it once, as listed last, got %+v, %+v (%v)", tally, b.kase(1), err)
	}
}

func TestRowThatWasOvertakenIsCountedAndReadAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.dispute(1)
	if _, err := b.accept(r); err != nil {
		t.Fatalf("accept: %v", err)
	}
	b.dispute(1, func(d *sla.Dispute) { d.Obligations[0].Turn = 8 })
	r.Fingerprint = 5
	b.beforePut = func() {
		c := b.kase(1)
		c.Version++ // another worker armed it
		b.cases[c.ID.String()] = c
	}
	tally, err := b.accept(r, b.dispute(2))
	if connectors.KindOf(err) != connectors.Conflict || tally.Stale != 1 || tally.New != 1 {
		t.Fatalf("want the cursor to stay, one stale and one new, got %+v (%v)", tally, err)
	}
	tally, err = b.accept(r, row(b.kase(2).ID.Native, b.kase(2).Fingerprint))
	if err != nil || tally.Updated != 1 || tally.Unchanged != 1 || b.kase(1).Obligation.Turn != 8 {
		t.Errorf("want it recorded at the next poll, got %+v, %+v (%v)", tally, b.kase(1), err)
	}
}

// A record of a newer program can neither be read nor written by this one, and another replica may be first with a new row: no reading
// again would help, so that the feed must not wait.
func TestStaleRowThatNoReadingHelpsDoesNotStopTheFeed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.dispute(1)
	b.beforePut = func() { b.cases["AE01/"+r.ID] = sla.CaseRecord{Case: sla.Case{Version: 9}, Fingerprint: 1} }
	if tally, err := b.accept(r); err != nil || tally.Stale != 1 {
		t.Errorf("want it counted and no error, got %+v (%v)", tally, err)
	}
}

func TestRejectIsKeptOncePerBytesAndAgainWhenItChanges(t *testing.T) {
	t.Parallel()
	b := setup(t)
	page := func(raw string) connectors.Page {
		return connectors.Page{Rejects: []connectors.Reject{{ID: "1", Raw: []byte(raw), Err: failure(connectors.Malformed)}}}
	}
	for _, raw := range []string{"x", "x", "y", "x"} {
		if tally, err := b.in.Accept(context.Background(), b.src, page(raw)); err != nil || tally.Rejected != 1 {
			t.Fatalf("want it counted each time, got %+v (%v)", tally, err)
		}
	}
	if len(b.rejects) != 2 {
		t.Errorf("want two kept, got %+v", b.rejects)
	}
	b.fails["reject"] = true
	if _, err := b.in.Accept(context.Background(), b.src, page("z")); err != nil {
		t.Errorf("want the page accepted although its rejects could not be kept, got %v", err)
	}
	b.fails["reject"] = false
	_, _ = b.in.Accept(context.Background(), b.src, page("z"))
	if len(b.rejects) != 3 {
		t.Errorf("want it kept at the next poll, got %+v", b.rejects)
	}
	_, _ = b.in.Accept(context.Background(), b.src, page(strings.Repeat("w", 2*connectors.MaxRejectBytes)))
	if n := len(b.rejects[3].Raw); n != connectors.MaxRejectBytes {
		t.Errorf("want at most %d bytes, got %d", connectors.MaxRejectBytes, n)
	}
}

func TestParcelsOfDisputesAreEnrolledOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.parcels["LX1"] = sla.ShipmentRecord{Ref: sla.ShipmentRef{Number: "LX1"}}
	_, err := b.accept(b.dispute(1, func(d *sla.Dispute) {
		d.Shipments = []sla.ShipmentRef{{Number: "LX1", Carrier: "CAINIAO"}, {Number: "LX2"}}
	}))
	if got := b.asked(t, job.Enrol); err != nil || !slices.Equal(got, []string{"LX2"}) {
		t.Errorf("want the unknown parcel asked for, got %v (%v)", got, err)
	}
}

func TestOneDisputeThatIsNeverReadDoesNotHoldUpItsFeed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var rows []connectors.Row
	for i := range 40 {
		rows = append(rows, b.dispute(i))
	}
	b.errs[rows[20].ID] = failure(connectors.Unavailable)
	for range 3 {
		if _, err := b.accept(rows...); err != nil {
			t.Fatalf("want the cursor to move on, got %v", err)
		}
	}
	if len(b.cases) != 39 {
		t.Errorf("want every other dispute on record, got %d", len(b.cases))
	}
	delete(b.errs, rows[20].ID)
	if tally, err := b.accept(rows...); err != nil || tally.New != 1 || len(b.cases) != 40 {
		t.Errorf("want it read when it can be, got %+v (%v)", tally, err)
	}
}

func TestPlatformThatIsOutKeepsTheCursor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var rows []connectors.Row
	for i := range 40 {
		rows = append(rows, b.dispute(i))
		b.errs[rows[i].ID] = failure(connectors.Unavailable)
	}
	if _, err := b.accept(rows...); connectors.KindOf(err) != connectors.Unavailable || len(b.resolved) > 20 {
		t.Errorf("want unavailable and the rest not asked for, got %v after %d reads", err, len(b.resolved))
	}
}
