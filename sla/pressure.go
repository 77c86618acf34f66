package sla

import (
	"slices"
	"time"
)

// Pressure is how short of time the fleet is, and with that what it leaves undone. Each level does what those below it do. None of them ever
// stops an answer, nor the learning of an outcome, nor a page.
type Pressure uint8

// The levels, in the order in which they are reached.
const (
	PressureNone    Pressure = iota
	PressurePoll             // the lists are read half as often
	PressureParcels          // and parcels are not looked at, and the lists are read a quarter as often
	PressureAnswers          // and disputes in which nothing is owed are not read again; a person is paged, once
)

var pressureNames = names{"none", "poll_less", "no_parcels", "answers_only"}

func (p Pressure) String() string { return pressureNames.of(int(p)) }

// Pressures lists every level, for labels.
func Pressures() []Pressure { return all[Pressure](len(pressureNames)) }

// The shares of the time left, in quarters, that the answers due must take for a level; and the least that they must take for any: a single
// late case is no reason to leave everything else.
const (
	pollQuarters    = 1
	parcelsQuarters = 2
	answersQuarters = 4
	leastPressing   = time.Minute
)

// PressureOf tells the level from the guards of the answers that are due and the time that each takes. The guards may stand in any order and
// stay as they are. Those that have passed are people's by now. Of the others the first k must be sent before the k-th guard, for each k.
func PressureOf(now time.Time, guards []time.Time, each time.Duration) Pressure {
	sorted := slices.DeleteFunc(slices.Clone(guards), func(g time.Time) bool { return !g.After(now) })
	slices.SortFunc(sorted, time.Time.Compare)
	level := PressureNone
	for i, guard := range sorted {
		work, left := times(each, i+1), guard.Sub(now)
		if work < leastPressing {
			continue
		}
		quarters := work / max(left/4, 1)
		switch {
		case quarters >= answersQuarters:
			return PressureAnswers
		case quarters >= parcelsQuarters:
			level = max(level, PressureParcels)
		case quarters >= pollQuarters:
			level = max(level, PressurePoll)
		}
	}
	return level
}

// Stretch is how much longer the interval between two readings of a list is. No list waits for more than MostStretched because of it: what
// has changed must be seen.
func (p Pressure) Stretch(every time.Duration) time.Duration {
	by := 1
	switch p {
	case PressureNone:
	case PressurePoll:
		by = 2
	default:
		by = 4
	}
	return max(every, min(times(every, by), MostStretched))
}

// MostStretched is the longest interval between two readings that pressure makes.
const MostStretched = 20 * time.Minute

// Parcels reports whether parcels are looked at.
func (p Pressure) Parcels() bool { return p < PressureParcels }

// Rereads reports whether disputes in which nothing is owed are read again.
func (p Pressure) Rereads() bool { return p < PressureAnswers }
