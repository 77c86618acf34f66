package sla

import (
	"maps"
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

// The shares of the time left that the answers due must take for a level; and the least that they must take for any: a single late case is no
// reason to leave everything else.
const (
	pollShare     = 0.25
	parcelsShare  = 0.5
	answersShare  = 1
	leastPressing = time.Minute
)

// A Shortage says how short the time is for the answers of one allowance, and where it is shortest.
type Shortage struct {
	Level Pressure
	Due   int           // answers that are due in the allowance
	First int           // so many of them must go before By; 0 without any pressure
	By    time.Time     // the last safe moment of the last of them
	Each  time.Duration // what one answer takes
	share float64       // of the time until By that they take
}

// ShortageOf tells how short the time is from the answers that are due, in any order, and the time that each takes. Those whose moment has
// passed are people's by now. Of the others the first k must be sent before the k-th moment, for each k.
func ShortageOf(now time.Time, due []Duty, each time.Duration) Shortage {
	sorted := slices.DeleteFunc(slices.Clone(due), func(d Duty) bool { return d.N <= 0 || !d.By.After(now) })
	slices.SortFunc(sorted, func(a, b Duty) int { return a.By.Compare(b.By) })
	out := Shortage{Each: each}
	for i, d := range sorted {
		out.Due += d.N
		if i+1 < len(sorted) && sorted[i+1].By.Equal(d.By) {
			continue
		}
		work := times(each, out.Due)
		share := float64(work) / float64(d.By.Sub(now))
		if work >= leastPressing && share > out.share && share >= pollShare {
			out.First, out.By, out.share = out.Due, d.By, share
		}
	}
	switch {
	case out.share >= answersShare:
		out.Level = PressureAnswers
	case out.share >= parcelsShare:
		out.Level = PressureParcels
	case out.share >= pollShare:
		out.Level = PressurePoll
	}
	return out
}

// Shortage is that of the allowance in which time is shortest.
func (m Measured) Shortage(now time.Time) Shortage {
	var worst Shortage
	for _, name := range slices.Sorted(maps.Keys(m.Allowances)) {
		l := m.Allowances[name]
		if s := ShortageOf(now, l.Due(), l.each(m.latency())); s.share > worst.share || worst.Due == 0 {
			worst = s
		}
	}
	return worst
}

// Goes is how many answers an hour go out.
func (s Shortage) Goes() float64 { return float64(time.Hour) / float64(max(s.Each, 1)) }

// Wants is how many an hour must go out so that none is late; 0 without any pressure.
func (s Shortage) Wants(now time.Time) float64 {
	if s.First == 0 {
		return 0
	}
	return float64(s.First) * float64(time.Hour) / float64(max(s.By.Sub(now), 1))
}

// PressureCalm is for how long the pressure must be lower than the level that holds before that falls, by one level.
const PressureCalm = 5 * time.Minute

// A Strain is the level of pressure that holds. It rises at once, and falls slowly, so that a fleet at the edge of a level does not go to and
// fro.
type Strain struct {
	Level Pressure
	calm  time.Time // since when the pressure is lower; zero: it is not
}

// Seen takes in what the pressure is now.
func (s Strain) Seen(now time.Time, is Pressure) Strain {
	switch {
	case is >= s.Level:
		return Strain{Level: is}
	case s.calm.IsZero():
		return Strain{Level: s.Level, calm: now}
	case now.Sub(s.calm) < PressureCalm:
		return s
	case is == s.Level-1:
		return Strain{Level: is}
	}
	return Strain{Level: s.Level - 1, calm: now}
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
