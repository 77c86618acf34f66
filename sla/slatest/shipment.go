package slatest

import (
	"time"

	"watchkeeper/sla"
)

// ShipmentRule has different thresholds for each silence, in whole days: no scan 5, origin 14, stall 12, customs 7, pickup 3; looked at
// twice a day.
func ShipmentRule() sla.ShipmentRule {
	return sla.ShipmentRule{
		NoScan:      sla.By("WK_SHIPMENT__NO_SCAN", 5*day),
		StallOrigin: sla.By("WK_SHIPMENT__STALL_ORIGIN", 14*day),
		Stall:       sla.By("WK_SHIPMENT__STALL", 12*day),
		Customs:     sla.By("WK_SHIPMENT__CUSTOMS", 7*day),
		Pickup:      sla.By("WK_SHIPMENT__PICKUP", 3*day),
		Recheck:     sla.By("WK_SHIPMENT__RECHECK", 12*time.Hour),
	}
}

// Shipment is a parcel from CN to ES, announced at Epoch, with the given milestones a day apart, the first a day after Epoch. Its own
// milestone is the last of them. Everything before the first MilestoneArrived happens in CN, the rest in ES.
func Shipment(milestones ...sla.Milestone) sla.Shipment {
	s := sla.Shipment{
		Ref:        sla.ShipmentRef{Number: "LX000000001CN", Order: "8100000001"},
		Store:      "AE01",
		Registered: Epoch,
		Origin:     "CN",
		Dest:       "ES",
	}
	country := s.Origin
	for i, m := range milestones {
		if m == sla.MilestoneArrived {
			country = s.Dest
		}
		s.Events = append(s.Events, sla.Event{At: Epoch.Add(time.Duration(i+1) * day), Milestone: m, Country: country})
		s.Milestone = m
	}
	return s
}
