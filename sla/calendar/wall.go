package calendar

import (
	"math"
	"time"
)

const (
	secondsPerDay = 24 * 60 * 60
	beginning     = math.MinInt64 / 4 // before every time that has a year
)

// A wall is the clock on the wall of a zone. Wall time is given in seconds as if the zone were UTC. It remembers the stretch of constant
// offset that it read last, so that walking over days costs a look-up for each change of clocks and not for each shift.
type wall struct {
	zone *time.Location
	at   stretch
}

// A stretch is a time with one offset from UTC: from start, before end.
type stretch struct{ start, end, offset int64 }

// first is the first instant at which the wall shows t or later: in a gap, the end of the gap.
func (w *wall) first(t int64) int64 {
	if w.plain(t) {
		return t - w.at.offset
	}
	for s := w.stretch(t - secondsPerDay); ; s = w.stretch(s.end) {
		if t-s.offset < s.end {
			w.at = s
			return max(t-s.offset, s.start)
		}
	}
}

// last is the end of the time in which the wall shows what is before t: in an overlap, the second passage of t.
func (w *wall) last(t int64) int64 {
	if w.plain(t) {
		return t - w.at.offset
	}
	for s := w.stretch(t + secondsPerDay); ; s = w.stretch(s.start - 1) {
		if t-s.offset > s.start {
			w.at = s
			return min(t-s.offset, s.end)
		}
	}
}

// plain reports whether no change of clocks is near t. No offset is as long as a day.
func (w *wall) plain(t int64) bool {
	return t-secondsPerDay >= w.at.start && t+secondsPerDay < w.at.end
}

// stretch finds the stretch around an instant. Each holds its instant, so that going from one to the next comes to an end; two of them may
// have the same offset. Where only a zone's rule is left of its history, ZoneBounds knows no better than the rule, and so it needs help.
func (w *wall) stretch(unix int64) stretch {
	s := w.bounds(unix)
	if before := w.bounds(s.start); before.end <= unix {
		// The rule came into force in the middle of what it calls one stretch.
		s.start = before.end
	}
	if s.end <= unix {
		// The rule's years have 365 days, which leaves out the last day of a leap year. No rule changes clocks on it.
		s.end = unix - unix%secondsPerDay + secondsPerDay
	}
	return s
}

// bounds are those that the zone gives.
func (w *wall) bounds(unix int64) stretch {
	t := time.Unix(unix, 0).In(w.zone)
	_, offset := t.Zone()
	start, end := t.ZoneBounds()
	s := stretch{start: beginning, end: math.MaxInt64, offset: int64(offset)}
	if !start.IsZero() {
		s.start = start.Unix()
	}
	if !end.IsZero() {
		s.end = end.Unix()
	}
	return s
}
