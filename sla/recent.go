package sla

import (
	"math"
	"slices"
	"time"
)

// peakHalves is after how long a peak counts half.
const peakHalves = 15 * time.Minute

// A Peak is a maximum that decays: a slow hour is not forgotten with the next quick reply, nor held against a platform for ever.
type Peak struct {
	Value time.Duration
	At    time.Time
}

// Now is what is left of the peak.
func (p Peak) Now(now time.Time) time.Duration {
	age := now.Sub(p.At)
	if age <= 0 {
		return p.Value
	}
	return time.Duration(float64(p.Value) * math.Exp2(-float64(age)/float64(peakHalves)))
}

// Seen takes one more measurement in.
func (p Peak) Seen(now time.Time, d time.Duration) Peak {
	if left := p.Now(now); left > d {
		return Peak{Value: left, At: now}
	}
	return Peak{Value: d, At: now}
}

// What Recent remembers: so many measurements at most, and each for so long.
const (
	recentKept = 256
	recentFor  = time.Hour
)

// Recent remembers the latest measurements of how long something took. Its size is fixed. It is not safe for concurrent use.
type Recent struct {
	ring [recentKept]Peak
	n    int // measurements ever taken in
}

// Add takes a measurement in, in the place of the oldest when there is no room.
func (r *Recent) Add(now time.Time, d time.Duration) {
	r.ring[r.n%recentKept] = Peak{Value: d, At: now}
	r.n++
}

// High is what 99 of 100 of the measurements of the last hour do not exceed: the longest of them, as long as they are fewer. False means that
// there are none.
func (r *Recent) High(now time.Time) (time.Duration, bool) {
	var all []time.Duration
	for _, p := range r.ring[:min(r.n, recentKept)] {
		if now.Sub(p.At) <= recentFor {
			all = append(all, p.Value)
		}
	}
	if len(all) == 0 {
		return 0, false
	}
	slices.Sort(all)
	return all[(len(all)*99+99)/100-1], true
}
