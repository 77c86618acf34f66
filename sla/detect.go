package sla

import (
	"slices"
	"time"
)

// fromEvent is the origin of an anomaly that the provider states and no threshold decides.
const fromEvent = "event"

// Detect lists what is wrong with a parcel at an instant, in the order of AnomalyKind, each kind once. A parcel whose journey is
// over has only the anomalies of its end.
func Detect(now time.Time, s Shipment, r ShipmentRule) []Anomaly {
	found := detector{now: now, s: s, r: r, last: s.LastEvent()}
	found.ends()
	if !s.Milestone.Final() {
		found.states()
		found.idle()
	}
	slices.SortFunc(found.out, func(a, b Anomaly) int { return int(a.Kind) - int(b.Kind) })
	return found.out
}

// NextLook is when to ask for a parcel again: at the rule's pace, or earlier when a threshold would be crossed before. Zero when
// its journey is over.
func NextLook(now time.Time, s Shipment, r ShipmentRule) time.Time {
	if s.Milestone.Final() {
		return time.Time{}
	}
	next := now.Add(r.Recheck.Value)
	f := detector{now: now, s: s, r: r, last: s.LastEvent()}
	if kind, threshold, since := f.clock(); kind.exists {
		if at := since.Add(threshold.Value); at.After(now) && at.Before(next) {
			next = at
		}
	}
	return next
}

type detector struct {
	now  time.Time
	s    Shipment
	r    ShipmentRule
	last time.Time
	out  []Anomaly
}

func (f *detector) add(kind AnomalyKind, since time.Time, origin string) {
	for _, a := range f.out {
		if a.Kind == kind {
			return
		}
	}
	f.out = append(f.out, Anomaly{Kind: kind, Since: since, Origin: origin})
}

// ends finds the anomalies of a journey's end and of the way back.
func (f *detector) ends() {
	switch f.s.Milestone {
	case MilestoneReturning, MilestoneReturned:
		kind := AnomalyReturnedBeforeExport
		if f.s.LeftOrigin() {
			kind = AnomalyReturned
		}
		f.add(kind, f.last, fromEvent)
	case MilestoneLost:
		f.add(AnomalyLost, f.last, fromEvent)
	case MilestoneDamaged:
		f.add(AnomalyDamaged, f.last, fromEvent)
	case MilestoneDestroyed:
		f.add(AnomalyDestroyed, f.last, fromEvent)
	case MilestoneCancelled:
		f.add(AnomalyCancelled, f.last, fromEvent)
	case MilestoneDelivered:
		if f.falselyDelivered() {
			f.add(AnomalyFalseDelivered, f.last, fromEvent)
		}
	}
}

// falselyDelivered checks where the delivery scan happened and whether the parcel was on its way back.
func (f *detector) falselyDelivered() bool {
	if f.s.Reached(MilestoneReturning) {
		return true
	}
	for _, e := range slices.Backward(f.s.Events) {
		if e.Milestone == MilestoneDelivered {
			return e.Country != "" && f.s.Dest != "" && e.Country != f.s.Dest
		}
	}
	return false
}

// states finds what the provider states about a parcel under way.
func (f *detector) states() {
	switch f.s.Milestone {
	case MilestoneCustomsHeld:
		f.add(AnomalyCustomsHeld, f.last, fromEvent)
	case MilestoneDeliveryFailed:
		f.failed()
	case MilestoneDelayed:
		f.add(AnomalyDelayed, f.last, fromEvent)
	case MilestoneExpired:
		f.add(AnomalyExpired, f.last, fromEvent)
	}
	if f.s.Stopped {
		f.add(AnomalyExpired, f.last, fromEvent)
	}
}

func (f *detector) failed() {
	switch f.s.Failure {
	case FailureAddress:
		f.add(AnomalyAddress, f.last, fromEvent)
	case FailureSecurity:
		f.add(AnomalyCustomsHeld, f.last, fromEvent)
	}
	f.add(AnomalyDeliveryFailed, f.last, fromEvent)
}

// idle finds the threshold that silence has crossed, if any.
func (f *detector) idle() {
	kind, threshold, since := f.clock()
	if !kind.exists || since.IsZero() {
		return
	}
	if at := since.Add(threshold.Value); !at.After(f.now) {
		f.add(kind.anomaly, at, threshold.From)
	}
}

type idleKind struct {
	anomaly AnomalyKind
	exists  bool
}

// clock says which silence counts for a parcel, how long it may last and when it began.
func (f *detector) clock() (idleKind, Sourced[time.Duration], time.Time) {
	is := func(a AnomalyKind) idleKind { return idleKind{anomaly: a, exists: true} }
	switch m := f.s.Milestone; {
	case m.Final() || m == MilestoneReturning:
		return idleKind{}, Sourced[time.Duration]{}, time.Time{}
	case m == MilestoneUnknown && f.last.IsZero(), m == MilestonePreTransit:
		since := f.s.Registered
		if since.IsZero() {
			since = f.first()
		}
		return is(AnomalyNoTracking), f.r.NoScan, since
	case m == MilestoneCustoms:
		return is(AnomalyCustomsStalled), f.r.Customs, f.last
	case m == MilestonePickup:
		return is(AnomalyUnclaimed), f.r.Pickup, f.since(MilestonePickup)
	case !f.s.LeftOrigin():
		return is(AnomalyStalledOrigin), f.r.StallOrigin, f.last
	}
	return is(AnomalyStalled), f.r.Stall, f.last
}

// first is the earliest instant known of the parcel.
func (f *detector) first() time.Time {
	for _, e := range f.s.Events {
		if !e.At.IsZero() {
			return e.At
		}
	}
	return time.Time{}
}

// since is when the parcel's newest unbroken stay at a milestone began; the newest event when no event has it.
func (f *detector) since(m Milestone) time.Time {
	at := f.last
	for _, e := range slices.Backward(f.s.Events) {
		if e.Milestone != m {
			break
		}
		if !e.At.IsZero() {
			at = e.At
		}
	}
	return at
}

// SilenceAnew is what was found of a parcel with the anomalies of silence found again, at another instant or under other thresholds, as far as
// a record allows: in which country a parcel in transit stands still is told by its anomaly only.
func SilenceAnew(at time.Time, m Milestone, last time.Time, found AnomalySet, r ShipmentRule) AnomalySet {
	if last.IsZero() {
		return found
	}
	silence := at.Sub(last)
	var out AnomalySet
	for _, k := range AnomalyKinds() {
		switch {
		case !found.Has(k),
			k == AnomalyStalled && silence < r.Stall.Value,
			k == AnomalyStalledOrigin && silence < r.StallOrigin.Value,
			k == AnomalyCustomsStalled && silence < r.Customs.Value:
		default:
			out = out.With(k)
		}
	}
	switch {
	case m == MilestoneCustoms && silence >= r.Customs.Value:
		out = out.With(AnomalyCustomsStalled)
	case (m == MilestoneAccepted || m == MilestoneOriginTransit) && silence >= r.StallOrigin.Value:
		out = out.With(AnomalyStalledOrigin)
	}
	return out
}
