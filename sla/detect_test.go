package sla_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
)

// Short names of milestones, for tables of journeys.
const (
	announced = sla.MilestonePreTransit
	accepted  = sla.MilestoneAccepted
	exported  = sla.MilestoneExported
	arrived   = sla.MilestoneArrived
	customs   = sla.MilestoneCustoms
	pickup    = sla.MilestonePickup
)

func kinds(found []sla.Anomaly) []sla.AnomalyKind {
	out := make([]sla.AnomalyKind, 0, len(found))
	for _, a := range found {
		out = append(out, a.Kind)
	}
	return out
}

func TestSilenceIsAnAnomalyExactlyAtItsThreshold(t *testing.T) {
	t.Parallel()
	after := func(days int) time.Time { return slatest.Epoch.AddDate(0, 0, days) }
	unannounced := slatest.Shipment()
	unannounced.Milestone = sla.MilestoneUnknown
	late := slatest.Shipment(announced)
	late.Registered = time.Time{} // the first event says when it was announced
	again := slatest.Shipment(arrived, pickup, sla.MilestoneOutForDelivery, pickup, pickup)
	for name, test := range map[string]struct {
		s    sla.Shipment
		at   time.Time
		want sla.AnomalyKind
		from string
	}{
		"never scanned":            {slatest.Shipment(announced), after(5), sla.AnomalyNoTracking, "WK_SHIPMENT__NO_SCAN"},
		"never heard of":           {unannounced, after(5), sla.AnomalyNoTracking, "WK_SHIPMENT__NO_SCAN"},
		"announced by an event":    {late, after(1 + 5), sla.AnomalyNoTracking, "WK_SHIPMENT__NO_SCAN"},
		"stalled at home":          {slatest.Shipment(accepted, accepted), after(2 + 14), sla.AnomalyStalledOrigin, "WK_SHIPMENT__STALL_ORIGIN"},
		"stalled after the export": {slatest.Shipment(accepted, exported), after(2 + 12), sla.AnomalyStalled, "WK_SHIPMENT__STALL"},
		"stalled abroad":           {slatest.Shipment(arrived, sla.MilestoneInTransit), after(2 + 12), sla.AnomalyStalled, "WK_SHIPMENT__STALL"},
		"stuck in clearance":       {slatest.Shipment(exported, customs), after(2 + 7), sla.AnomalyCustomsStalled, "WK_SHIPMENT__CUSTOMS"},
		"not fetched":              {slatest.Shipment(arrived, pickup), after(2 + 3), sla.AnomalyUnclaimed, "WK_SHIPMENT__PICKUP"},
		"not fetched since":        {again, after(4 + 3), sla.AnomalyUnclaimed, "WK_SHIPMENT__PICKUP"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := slatest.ShipmentRule()
			if got := sla.Detect(test.at.Add(-tick), test.s, r); len(got) != 0 {
				t.Errorf("a millisecond before: %v", got)
			}
			want := []sla.Anomaly{{Kind: test.want, Since: test.at, Origin: test.from}}
			for _, now := range []time.Time{test.at, test.at.AddDate(0, 1, 0)} {
				if diff := cmp.Diff(want, sla.Detect(now, test.s, r)); diff != "" {
					t.Errorf("at %s (-want +got):\n%s", now, diff)
				}
			}
			if next := sla.NextLook(test.at.Add(-tick), test.s, r); !next.Equal(test.at) {
				t.Errorf("next look %s, want the threshold %s", next, test.at)
			}
			if next := sla.NextLook(test.at, test.s, r); !next.Equal(test.at.Add(r.Recheck.Value)) {
				t.Errorf("next look after the threshold %s, want the usual pace", next)
			}
		})
	}
}

func TestProviderStatesAnAnomalyByAnEvent(t *testing.T) {
	t.Parallel()
	const failed = sla.MilestoneDeliveryFailed
	withFailure := func(f sla.Failure) sla.Shipment {
		s := slatest.Shipment(arrived, failed)
		s.Failure = f
		return s
	}
	stopped := slatest.Shipment(arrived, sla.MilestoneInTransit)
	stopped.Stopped = true
	expired := slatest.Shipment(arrived, sla.MilestoneExpired)
	expired.Stopped = true
	for name, test := range map[string]struct {
		s    sla.Shipment
		want []sla.AnomalyKind
	}{
		"moving":              {slatest.Shipment(accepted, exported, arrived), nil},
		"held":                {slatest.Shipment(arrived, sla.MilestoneCustomsHeld), []sla.AnomalyKind{sla.AnomalyCustomsHeld}},
		"released":            {slatest.Shipment(sla.MilestoneCustomsHeld, sla.MilestoneCustomsReleased), nil},
		"nobody home":         {withFailure(sla.FailureNobody), []sla.AnomalyKind{sla.AnomalyDeliveryFailed}},
		"wrong address":       {withFailure(sla.FailureAddress), []sla.AnomalyKind{sla.AnomalyDeliveryFailed, sla.AnomalyAddress}},
		"detained":            {withFailure(sla.FailureSecurity), []sla.AnomalyKind{sla.AnomalyCustomsHeld, sla.AnomalyDeliveryFailed}},
		"delayed":             {slatest.Shipment(sla.MilestoneDelayed), []sla.AnomalyKind{sla.AnomalyDelayed}},
		"given up":            {expired, []sla.AnomalyKind{sla.AnomalyExpired}},
		"no longer followed":  {stopped, []sla.AnomalyKind{sla.AnomalyExpired}},
		"back before export":  {slatest.Shipment(accepted, sla.MilestoneReturning), []sla.AnomalyKind{sla.AnomalyReturnedBeforeExport}},
		"back from abroad":    {slatest.Shipment(exported, sla.MilestoneReturned), []sla.AnomalyKind{sla.AnomalyReturned}},
		"on its way back":     {slatest.Shipment(arrived, sla.MilestoneReturning), []sla.AnomalyKind{sla.AnomalyReturned}},
		"lost":                {slatest.Shipment(arrived, sla.MilestoneLost), []sla.AnomalyKind{sla.AnomalyLost}},
		"damaged":             {slatest.Shipment(arrived, sla.MilestoneDamaged), []sla.AnomalyKind{sla.AnomalyDamaged}},
		"destroyed":           {slatest.Shipment(arrived, sla.MilestoneDestroyed), []sla.AnomalyKind{sla.AnomalyDestroyed}},
		"cancelled":           {slatest.Shipment(sla.MilestoneCancelled), []sla.AnomalyKind{sla.AnomalyCancelled}},
		"delivered":           {slatest.Shipment(arrived, sla.MilestoneDelivered), nil},
		"delivered at home":   {slatest.Shipment(accepted, sla.MilestoneDelivered), []sla.AnomalyKind{sla.AnomalyFalseDelivered}},
		"delivered back home": {slatest.Shipment(arrived, sla.MilestoneReturning, sla.MilestoneDelivered), []sla.AnomalyKind{sla.AnomalyFalseDelivered}},
	} {
		last := test.s.LastEvent()
		got := sla.Detect(last.Add(time.Hour), test.s, slatest.ShipmentRule())
		if !slices.Equal(kinds(got), test.want) {
			t.Errorf("%s: %v, want %v", name, kinds(got), test.want)
		}
		for _, a := range got {
			if !a.Since.Equal(last) || a.Origin != "event" {
				t.Errorf("%s: %v, want it since the event %s", name, a, last)
			}
		}
	}
}

func TestDeliveryWithoutACountryIsBelieved(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*sla.Shipment){
		"event without country": func(s *sla.Shipment) { s.Events[0].Country = "" },
		"unknown destination":   func(s *sla.Shipment) { s.Dest = "" },
		"no events":             func(s *sla.Shipment) { s.Events = nil },
	} {
		s := slatest.Shipment(sla.MilestoneDelivered)
		change(&s)
		if got := sla.Detect(slatest.Epoch.AddDate(1, 0, 0), s, slatest.ShipmentRule()); len(got) != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestParcelWithoutAnyInstantIsNotJudgedBySilence(t *testing.T) {
	t.Parallel()
	s := slatest.Shipment(announced)
	s.Registered, s.Events[0].At = time.Time{}, time.Time{}
	now := slatest.Epoch
	if got := sla.Detect(now, s, slatest.ShipmentRule()); len(got) != 0 {
		t.Errorf("anomalies %v of a parcel nobody knows when", got)
	}
	if got, want := sla.NextLook(now, s, slatest.ShipmentRule()), now.Add(12*time.Hour); !got.Equal(want) {
		t.Errorf("next look %s, want %s", got, want)
	}
}

func TestFinishedParcelIsNotLookedAtAgain(t *testing.T) {
	t.Parallel()
	for _, m := range sla.Milestones() {
		if got := sla.NextLook(slatest.Epoch, slatest.Shipment(m), slatest.ShipmentRule()); got.IsZero() != m.Final() {
			t.Errorf("%s: next look %s", m, got)
		}
	}
}

func TestNextLookNeverPassesAThreshold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, r, now := slatest.DrawShipment(t), slatest.ShipmentRule(), slatest.DrawInstant(t, "now")
		next := sla.NextLook(now, s, r)
		if s.Milestone.Final() {
			return
		}
		if !next.After(now) || next.After(now.Add(r.Recheck.Value)) {
			t.Fatalf("next look %s at %s", next, now)
		}
		if before := kinds(sla.Detect(now, s, r)); !slices.Equal(before, kinds(sla.Detect(next.Add(-1), s, r))) {
			t.Fatalf("an anomaly begins between %s and the next look %s", now, next)
		}
	})
}

func TestAnomaliesAreOrderedDistinctAndAlreadyTrue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, now := slatest.DrawShipment(t), slatest.DrawInstant(t, "now")
		first := sla.Detect(now, s, slatest.ShipmentRule())
		if diff := cmp.Diff(first, sla.Detect(now, s, slatest.ShipmentRule())); diff != "" {
			t.Fatalf("a second look differs:\n%s", diff)
		}
		for i, a := range first {
			if i > 0 && a.Kind <= first[i-1].Kind || a.Origin == "" {
				t.Fatalf("%v", first)
			}
			if a.Origin != "event" && a.Since.After(now) {
				t.Fatalf("%v is in the future of %s", a, now)
			}
		}
	})
}
