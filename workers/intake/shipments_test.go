package intake_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
	"watchkeeper/workers/intake"
)

// tracker follows the parcels that a test put there, by number; a poisonous one breaks the connector.
type tracker struct {
	connectors.Feed
	parcels map[string]sla.Shipment
	poison  string
	err     error
	calls   int
}

func (t *tracker) ResolveShipments(_ context.Context, rows []connectors.Row) (out []sla.Shipment, bad []connectors.Reject, err error) {
	t.calls++
	for _, r := range rows {
		s, ok := t.parcels[r.ID]
		switch {
		case r.ID == t.poison:
			panic("poison")
		case !ok:
			bad = append(bad, connectors.Reject{ID: r.ID, Raw: r.Raw, Err: failure(connectors.Malformed)})
		default:
			out = append(out, s)
		}
	}
	return out, bad, t.err
}

func (t *tracker) Track(_ context.Context, refs []sla.ShipmentRef) (out []sla.Shipment, err error) {
	for _, r := range refs {
		if s, ok := t.parcels[r.Number]; ok {
			out = append(out, s)
		}
	}
	return out, t.err
}

func (t *tracker) Register(context.Context, []sla.ShipmentRef) error { return nil }

func (b *bundle) tracker(numbers ...string) (*tracker, connectors.Page) {
	tr := &tracker{parcels: map[string]sla.Shipment{}}
	var page connectors.Page
	for i, n := range numbers {
		s := slatest.Shipment(sla.MilestoneAccepted, sla.MilestoneExported)
		s.Ref.Number, s.Ref.Carrier = n, "3011" // a carrier that the provider detected
		tr.parcels[n] = s
		page.Rows = append(page.Rows, row(s.Ref.Key(), uint64(i)+1))
	}
	b.src = &connectors.Source{Store: "T17", Platform: "track17", Built: connectors.Built{Tracker: tr}}
	b.now = slatest.Epoch.Add(3 * 24 * time.Hour)
	return tr, page
}

func (b *bundle) acceptParcels(page connectors.Page) (intake.Tally, error) {
	return b.in.AcceptShipments(context.Background(), b.src, page)
}

// A dispute knows its parcel's number and no provider's carrier code: it must find it by the number alone.
func TestParcelIsOnRecordUnderItsNumber(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, page := b.tracker("LX1", "LX2")
	if tally, err := b.acceptParcels(page); err != nil || tally != (intake.Tally{New: 2}) {
		t.Fatalf("want two new, got %+v (%v)", tally, err)
	}
	p := b.parcels["LX1"]
	if p.Milestone != sla.MilestoneExported || p.Ref.Order == "" || !p.Next.Equal(b.now.Add(12*time.Hour)) || p.Fingerprint != 1 {
		t.Errorf("want the parcel and its next look, got %+v", p)
	}
	b.puts = 0
	if tally, err := b.acceptParcels(page); err != nil || tally != (intake.Tally{Unchanged: 2}) || b.puts != 0 {
		t.Errorf("want nothing touched, got %+v (%v)", tally, err)
	}
	page.Rows[0].Fingerprint = 9
	if tally, err := b.acceptParcels(page); err != nil || tally != (intake.Tally{Unchanged: 1, Updated: 1}) || b.parcels["LX1"].Version != 2 {
		t.Errorf("want one updated, got %+v (%v)", tally, err)
	}
}

func TestNumberUnderTwoCarriersKeepsTheNewestNews(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tr, _ := b.tracker("LX1")
	tr.parcels["LX1"] = slatest.Shipment(sla.MilestoneAccepted)
	stale, fresh := slatest.Shipment(sla.MilestoneAccepted), slatest.Shipment(sla.MilestoneAccepted, sla.MilestoneDelivered)
	for _, both := range [][]sla.Shipment{{stale, fresh}, {fresh, stale}} {
		for i := range both {
			both[i].Ref = sla.ShipmentRef{Number: "LX1", Carrier: strconv.Itoa(i)}
		}
		b.src.Tracker = &several{tracker: tr, all: both}
		b.parcels = map[string]sla.ShipmentRecord{}
		tally, err := b.acceptParcels(connectors.Page{Rows: []connectors.Row{row("LX1:0", 1), row("LX1:1", 2)}})
		if err != nil || tally.New != 1 || tally.Stale != 0 || b.parcels["LX1"].Milestone != sla.MilestoneDelivered {
			t.Errorf("want one parcel, delivered, got %+v, %+v (%v)", tally, b.parcels, err)
		}
	}
}

func TestTheLaneIsOnRecordAndWhatWasToldOnceStays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tr, page := b.tracker("LX1")
	told := tr.parcels["LX1"]
	told.Ref.Carrier, told.Carrier, told.Origin, told.Dest = "", "190012", "CN", "BR"
	tr.parcels["LX1"] = told
	want := sla.Lane{Carrier: "190012", Origin: "CN", Dest: "BR"}
	for i := range 2 {
		if _, err := b.acceptParcels(page); err != nil || b.parcels["LX1"].Lane != want || b.parcels["LX1"].Ref.Carrier != "" {
			t.Fatalf("want the lane %v under the number alone, got %+v (%v)", want, b.parcels["LX1"], err)
		}
		if i == 0 && b.lanes[len(b.lanes)-1] != want {
			t.Errorf("want the rule of the lane, got that of %v", b.lanes)
		}
		told.Carrier, told.Origin, told.Dest = "", "", ""
		tr.parcels["LX1"], page.Rows[0].Fingerprint = told, 99
	}
	if got := b.lanes[len(b.lanes)-1]; got != want {
		t.Errorf("want the rule of the lane that was told before, got that of %v", got)
	}
}

type several struct {
	*tracker
	all []sla.Shipment
}

func (s *several) ResolveShipments(context.Context, []connectors.Row) ([]sla.Shipment, []connectors.Reject, error) {
	return s.all, nil, nil
}

func TestPoisonousParcelIsRejectedAloneAndTheOthersAreRecorded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tr, page := b.tracker("LX1", "LX2", "LX3")
	tr.poison = "LX2"
	delete(tr.parcels, "LX3")
	tally, err := b.acceptParcels(page)
	if err != nil || tally != (intake.Tally{New: 1, Rejected: 2}) || len(b.rejects) != 2 {
		t.Errorf("want one recorded and two rejected, got %+v, %+v (%v)", tally, b.rejects, err)
	}
	tr.poison = ""
	tr.err = failure(connectors.Throttled)
	page.Rows[1].Fingerprint = 7
	if tally, err := b.acceptParcels(page); connectors.KindOf(err) != connectors.Throttled || tally.New != 1 {
		t.Errorf("want the cursor to stay and the rest recorded, got %+v (%v)", tally, err)
	}
}

func TestAnomaliesAreCountedWhenTheyFirstAppear(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, page := b.tracker("LX1")
	b.now = slatest.Epoch.Add(30 * 24 * time.Hour)
	for range 3 {
		page.Rows[0].Fingerprint++
		if _, err := b.acceptParcels(page); err != nil {
			t.Fatalf("accept: %v", err)
		}
	}
	got, err := testutil.GatherAndCount(b.reg, "watchkeeper_parcel_anomalies_total")
	if err != nil || got == 0 || !b.parcels["LX1"].Anomalies.Has(sla.AnomalyStalled) {
		t.Fatalf("want a stalled parcel, got %+v (%v)", b.parcels["LX1"], err)
	}
	if n := b.logs.FilterMessage("parcel anomaly").Len(); n != 1 {
		t.Errorf("want it told once, got %d", n)
	}
}

func TestLookPutsOffWhatTheTrackerDoesNotKnow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tr, page := b.tracker("LX1", "LX2")
	if _, err := b.acceptParcels(page); err != nil {
		t.Fatalf("accept: %v", err)
	}
	delete(tr.parcels, "LX2")
	tr.parcels["LX1"] = slatest.Shipment(sla.MilestoneAccepted, sla.MilestoneDelivered)
	s := tr.parcels["LX1"]
	s.Ref = sla.ShipmentRef{Number: "LX1"}
	tr.parcels["LX1"] = s
	b.now = b.now.Add(24 * time.Hour)
	refs := []sla.ShipmentRef{{Number: "LX1"}, {Number: "LX2"}, {Number: "LX9"}}
	if err := b.in.Look(context.Background(), b.src, refs); err != nil {
		t.Fatalf("look: %v", err)
	}
	one, two := b.parcels["LX1"], b.parcels["LX2"]
	if one.Milestone != sla.MilestoneDelivered || one.Fingerprint != 1 || one.Ref.Order == "" || !one.Next.Equal(b.now.Add(intake.KeepClosed)) {
		t.Errorf("want the first one delivered, kept for a while and its order remembered, got %+v", one)
	}
	if !two.Next.Equal(b.now.Add(12*time.Hour)) || two.Milestone != sla.MilestoneExported {
		t.Errorf("want the second one looked at at the rule's pace, got %+v", two)
	}
	if _, ok := b.parcels["LX9"]; ok {
		t.Error("want nothing recorded of a parcel that nobody knows")
	}
}

func TestLookFailuresAreTheCallersToTell(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tr, page := b.tracker("LX1")
	if _, err := b.acceptParcels(page); err != nil {
		t.Fatalf("accept: %v", err)
	}
	refs := []sla.ShipmentRef{{Number: "LX1"}}
	tr.err = failure(connectors.Unavailable)
	if err := b.in.Look(context.Background(), b.src, refs); connectors.KindOf(err) != connectors.Unavailable {
		t.Errorf("want the platform's failure, got %v", err)
	}
	tr.err = nil
	for _, name := range []string{"parcels", "put"} {
		b.fails = map[string]bool{name: true}
		if err := b.in.Look(context.Background(), b.src, refs); !errors.Is(err, errOut) {
			t.Errorf("%s: want the store's failure, got %v", name, err)
		}
	}
}
