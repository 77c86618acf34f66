package sla

import (
	"time"

	"watchkeeper/sla/calendar"
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

// Never is a duration that does not come to an end: the value of a setting that is off.
const Never time.Duration = -1

// A Rule is what the operator wants for the disputes of one scope. sla/rules builds it; every duration is positive, or Never.
type Rule struct {
	Window       Sourced[time.Duration] // fallback and upper bound of the response window, from Obligation.Opened
	Warn         Sourced[[]WarnPoint]   // when to tell people that time is running, in the order in which an operator wrote them
	ActBefore    Sourced[time.Duration] // answer when this much time is left
	ActAfter     Sourced[time.Duration] // or when this much time has passed since the turn was opened, if that is earlier; Never: not before ActBefore
	Guard        Sourced[time.Duration] // no answer is sent with less time left than this
	Mode         Sourced[Mode]
	Settle       Sourced[time.Duration]      // how long after a send an effect may still appear on the platform
	Recheck      Sourced[time.Duration]      // how often to look at an open dispute that waits for somebody else
	Answer       Sourced[[]Step]             // the preferred answer, step by step; empty: the playbook's own policy
	OfferShare   Sourced[int]                // what to offer of the amount claimed, in basis points
	AcceptCap    Sourced[Money]              // the most that the answers to one dispute may cost; no money: nothing that costs is sent
	Extend       Sourced[time.Duration]      // by how much to lengthen the buyer's protection, whole days; 0: never
	ApproveAbove Sourced[Money]              // an answer that costs more waits for a person's yes; no money: none does
	HoldClaims   Sourced[int]                // this claim of a buyer within BuyerSpan, and each later one, waits for a person's yes; 0: none does
	Unanswered   Sourced[Unanswered]         // what becomes of an answer that nobody has approved
	BuyerBudget  Sourced[Money]              // the most that one buyer gets within BuyerSpan; no money: no limit
	StoreBudget  Sourced[Money]              // the most that a store pays in a day, UTC; no money: no limit
	TotalBudget  Sourced[Money]              // the most that all stores pay in a day, UTC; no money: no limit. The same in every scope
	Storm        Sourced[Rate]               // how many paying answers all stores may send within a time. The same in every scope
	Kill         Sourced[bool]               // nothing is sent; warnings and pages go on
	Calendar     Sourced[*calendar.Calendar] // the staff's working hours, into which warnings are moved; nil: round the clock
	WindowClock  Sourced[*calendar.Calendar] // when the platform's clock runs while Window is counted; nil: always
	Margin       Margin                      // what was measured of the platform adds to Guard and ActBefore; no variable sets it
}

// Budget is what the rule allows an answer to cost.
func (r Rule) Budget() Budget {
	return Budget{Case: r.AcceptCap.Value, Buyer: r.BuyerBudget.Value, Store: r.StoreBudget.Value, Total: r.TotalBudget.Value, Storm: r.Storm.Value}
}

// A Lane is what narrows the thresholds of a parcel: its carrier and the countries it goes between, each empty when unknown.
type Lane struct {
	Carrier string // the provider's carrier code, as in ShipmentRef
	Origin  string // ISO 3166-1 alpha-2
	Dest    string
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
		Warn:       By(FromDefault, []WarnPoint{{Before: 24 * time.Hour, Channel: ChannelChat}, {Before: 6 * time.Hour, Channel: ChannelChat}}),
		ActBefore:  By(FromDefault, 3*day),
		ActAfter:   By(FromDefault, Never),
		Guard:      By(FromDefault, 90*time.Minute),
		Mode:       By(FromDefault, ModeShadow),
		Settle:     By(FromDefault, 10*time.Minute),
		Recheck:    By(FromDefault, 6*time.Hour),
		Answer:     By[[]Step](FromDefault, nil),
		OfferShare: By(FromDefault, 3000),
		AcceptCap:  By(FromDefault, Money{}),
		Extend:     By(FromDefault, 10*day),

		ApproveAbove: By(FromDefault, Money{}),
		HoldClaims:   By(FromDefault, 0),
		Unanswered:   By(FromDefault, UnansweredPage),
		BuyerBudget:  By(FromDefault, Money{}),
		StoreBudget:  By(FromDefault, Money{}),
		TotalBudget:  By(FromDefault, Money{}),
		Storm:        By(FromDefault, Rate{}),
		Kill:         By(FromDefault, false),
		Calendar:     By[*calendar.Calendar](FromDefault, nil),
		WindowClock:  By[*calendar.Calendar](FromDefault, nil),
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
