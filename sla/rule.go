package sla

import (
	"time"
)

// FromDefault is the origin of a value that no variable set.
const FromDefault = "default"

// A Sourced value knows where it came from: the environment variable that set it, or FromDefault.
type Sourced[T any] struct {
	Value T
	From  string
}

// By makes a sourced value.
func By[T any](from string, v T) Sourced[T] { return Sourced[T]{Value: v, From: from} }

// A Rule is what the operator wants for the disputes of one scope. sla/rules builds it; every duration is positive.
type Rule struct {
	Window     Sourced[time.Duration]   // fallback and upper bound of the response window, from Obligation.Opened
	Warn       Sourced[[]time.Duration] // how long before the deadline to warn, longest first
	ActBefore  Sourced[time.Duration]   // answer when this much time is left
	Guard      Sourced[time.Duration]   // no answer is sent with less time left than this
	Mode       Sourced[Mode]
	Settle     Sourced[time.Duration] // how long after a send an effect may still appear on the platform
	Recheck    Sourced[time.Duration] // how often to look at an open dispute that waits for somebody else
	OfferShare Sourced[int]           // what to offer of the amount claimed, in basis points
	AcceptCap  Sourced[Money]         // the most to accept without a person; no money: never
	Extend     Sourced[time.Duration] // by how much to lengthen the buyer's protection, whole days; 0: never
}

// A ShipmentRule is what the operator calls an anomaly in one scope.
type ShipmentRule struct {
	NoScan      Sourced[time.Duration] // announced, and no scan for this long
	StallOrigin Sourced[time.Duration] // no scan for this long while still in the sender's country
	Stall       Sourced[time.Duration] // no scan for this long after leaving it
	Customs     Sourced[time.Duration] // in clearance without a scan for this long
	Pickup      Sourced[time.Duration] // waiting for the buyer for this long
	Recheck     Sourced[time.Duration] // how often to look at a parcel whose provider says nothing new
}

// DefaultRule holds the values that apply where no variable says otherwise. Five days is AliExpress' first answer; 90 minutes is
// the least guard that leaves room for two settle windows and the sweeps between them.
func DefaultRule() Rule {
	const day = 24 * time.Hour
	return Rule{
		Window:     By(FromDefault, 5*day),
		Warn:       By(FromDefault, []time.Duration{24 * time.Hour, 6 * time.Hour}),
		ActBefore:  By(FromDefault, 3*day),
		Guard:      By(FromDefault, 90*time.Minute),
		Mode:       By(FromDefault, ModeShadow),
		Settle:     By(FromDefault, 10*time.Minute),
		Recheck:    By(FromDefault, 6*time.Hour),
		OfferShare: By(FromDefault, 3000),
		AcceptCap:  By(FromDefault, Money{}),
		Extend:     By(FromDefault, 10*day),
	}
}

// DefaultShipmentRule holds the anomaly thresholds that apply where no variable says otherwise.
func DefaultShipmentRule() ShipmentRule {
	const day = 24 * time.Hour
	return ShipmentRule{
		NoScan:      By(FromDefault, 5*day),
		StallOrigin: By(FromDefault, 14*day),
		Stall:       By(FromDefault, 12*day),
		Customs:     By(FromDefault, 7*day),
		Pickup:      By(FromDefault, 3*day),
		Recheck:     By(FromDefault, 12*time.Hour),
	}
}
