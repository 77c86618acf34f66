package sla

import (
	"cmp"
	"strings"
	"time"
)

// A ShipmentRef is what finds a parcel at a tracking provider.
type ShipmentRef struct {
	Number  string // the tracking number, upper case, without blanks
	Carrier string // the provider's carrier code, empty when it is to be detected
	Order   string // the marketplace order, empty when unknown
}

// Milestone is the normalised status of a parcel, from a closed list.
type Milestone uint8

// The milestones, roughly in the order a parcel meets them.
const (
	MilestoneUnknown Milestone = iota
	MilestonePreTransit
	MilestoneAccepted
	MilestoneOriginTransit
	MilestoneExported
	MilestoneArrived
	MilestoneCustoms
	MilestoneCustomsHeld
	MilestoneCustomsReleased
	MilestoneInTransit // moving, the leg is not told
	MilestoneOutForDelivery
	MilestonePickup // waits for the buyer to fetch it
	MilestoneDeliveryFailed
	MilestoneDelivered
	MilestoneDelayed
	MilestoneReturning
	MilestoneReturned
	MilestoneLost
	MilestoneDamaged
	MilestoneDestroyed
	MilestoneCancelled
	MilestoneExpired // the provider gave up looking
)

var milestoneNames = names{
	"unknown", "pre_transit", "accepted", "origin_transit", "exported", "arrived", "customs", "customs_held", "customs_released",
	"in_transit", "out_for_delivery", "pickup", "delivery_failed", "delivered", "delayed", "returning", "returned", "lost",
	"damaged", "destroyed", "cancelled", "expired",
}

func (m Milestone) String() string { return milestoneNames.of(int(m)) }

// Milestones lists every milestone, for labels.
func Milestones() []Milestone { return all[Milestone](len(milestoneNames)) }

// Final reports whether the parcel's journey is over and no later event is expected.
func (m Milestone) Final() bool {
	switch m {
	case MilestoneDelivered, MilestoneReturned, MilestoneLost, MilestoneDestroyed, MilestoneCancelled:
		return true
	}
	return false
}

// Failure says why a delivery failed, from a closed list.
type Failure uint8

// The failures.
const (
	FailureNone Failure = iota
	FailureNobody
	FailureAddress
	FailureRejected
	FailureSecurity // detained: security, customs or fee
	FailureOther
)

// An Event is one scan of a parcel. The carrier's text stays with the provider; what it means is in Milestone.
type Event struct {
	At        time.Time // UTC; the zero time when the provider gives no usable instant
	Milestone Milestone
	Country   string // ISO 3166-1 alpha-2 where the scan happened, empty when not told
}

// A Shipment is a parcel as a tracking provider sees it, normalised by its connector.
type Shipment struct {
	Ref        ShipmentRef
	Store      StoreID
	Status     string // the provider's own words, for people: "InTransit/InTransit_CustomsProcessing"
	Milestone  Milestone
	Failure    Failure
	Registered time.Time // when the number was announced: the label's or the order's time; zero when unknown
	Carrier    string    // the provider's code of the carrier that it found, empty when it tells none or Ref names it
	Origin     string    // ISO 3166-1 alpha-2, empty when unknown
	Dest       string
	Events     []Event // oldest first; events without a usable instant come first
	Stopped    bool    // the provider no longer follows the number
}

// Lane is the parcel's way, as far as it is told.
func (s Shipment) Lane() Lane {
	return Lane{Carrier: cmp.Or(s.Ref.Carrier, s.Carrier), Origin: s.Origin, Dest: s.Dest}
}

// LastEvent is the time of the newest event, zero without one.
func (s Shipment) LastEvent() time.Time {
	var last time.Time
	for _, e := range s.Events {
		if e.At.After(last) {
			last = e.At
		}
	}
	return last
}

// Reached reports whether any event has the milestone.
func (s Shipment) Reached(m Milestone) bool {
	for _, e := range s.Events {
		if e.Milestone == m {
			return true
		}
	}
	return false
}

// LeftOrigin reports whether the parcel is known to have left the sender's country.
func (s Shipment) LeftOrigin() bool {
	for _, e := range s.Events {
		if e.Milestone == MilestoneExported || e.Milestone == MilestoneArrived {
			return true
		}
		if s.Origin != "" && e.Country != "" && e.Country != s.Origin {
			return true
		}
	}
	return false
}

// AnomalyKind is what can be wrong with a parcel, from a closed list.
type AnomalyKind uint8

// The anomalies.
const (
	AnomalyNoTracking AnomalyKind = iota
	AnomalyStalledOrigin
	AnomalyStalled
	AnomalyCustomsStalled
	AnomalyCustomsHeld
	AnomalyDeliveryFailed
	AnomalyAddress
	AnomalyUnclaimed
	AnomalyReturnedBeforeExport
	AnomalyReturned // returning or returned from the destination
	AnomalyLost
	AnomalyDamaged
	AnomalyDestroyed
	AnomalyCancelled
	AnomalyExpired
	AnomalyFalseDelivered
	AnomalyDelayed
)

var anomalyNames = names{
	"no_tracking_info", "stalled_in_origin", "stalled_in_transit", "customs_stalled", "customs_held", "delivery_failed",
	"address_problem", "unclaimed_risk", "returned_before_export", "returned_from_destination", "lost", "damaged", "destroyed",
	"cancelled", "expired", "false_delivered", "delayed",
}

func (k AnomalyKind) String() string { return anomalyNames.of(int(k)) }

// AnomalyKinds lists every kind, for labels.
func AnomalyKinds() []AnomalyKind { return all[AnomalyKind](len(anomalyNames)) }

// AnomalySet is a set of kinds, as stored.
type AnomalySet uint32

// Has reports membership.
func (s AnomalySet) Has(k AnomalyKind) bool { return s&(1<<k) != 0 }

// With adds a kind.
func (s AnomalySet) With(k AnomalyKind) AnomalySet { return s | 1<<k }

// Kinds lists the members in order.
func (s AnomalySet) Kinds() []AnomalyKind {
	var out []AnomalyKind
	for _, k := range AnomalyKinds() {
		if s.Has(k) {
			out = append(out, k)
		}
	}
	return out
}

// An Anomaly is one thing that is wrong with a parcel.
type Anomaly struct {
	Kind   AnomalyKind
	Since  time.Time // when it began: the event, or the moment a threshold was crossed
	Origin string    // where the threshold came from: a variable's name, "default", or "event" when no threshold is involved
}

// Key is "NUMBER" or "NUMBER:CARRIER", the parcel's identity within a store.
func (r ShipmentRef) Key() string {
	if r.Carrier == "" {
		return r.Number
	}
	return r.Number + ":" + r.Carrier
}

// ParseShipmentKey reads the form of Key; the order stays empty.
func ParseShipmentKey(key string) ShipmentRef {
	number, carrier, _ := strings.Cut(key, ":")
	return ShipmentRef{Number: number, Carrier: carrier}
}
