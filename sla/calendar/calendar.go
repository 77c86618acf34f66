package calendar

import (
	"iter"
	"math"
	"time"
)

// A Calendar tells when it is open. It never changes. The nil calendar is always open.
type Calendar struct {
	name  string
	spec  Spec // in canonical form
	zone  *time.Location
	week  [7][]shift      // from Monday
	dates map[int][]shift // what differs from the week, by day; no shifts: closed
	last  int             // the last day that can be open
}

const (
	// reach bounds every search forward: longer than anybody lives, and short enough that a Duration holds it.
	reach = 200 * 366
	// back bounds the search for what was open before.
	back = 366
)

// Name is the operator's name of it; empty for nil.
func (c *Calendar) Name() string {
	if c == nil {
		return ""
	}
	return c.name
}

// Spec is the calendar's text in canonical form: it does not depend on the order, case and blanks of what was read, every make-up day brings
// its own shifts, and a date that is also open is not among the closed ones. Parse reads it back to an equal calendar. It is empty for nil.
func (c *Calendar) Spec() Spec {
	if c == nil {
		return Spec{}
	}
	return c.spec
}

// Open reports whether t lies in a shift; the instant at which a shift ends does not.
func (c *Calendar) Open(t time.Time) bool {
	if c.always() {
		return true
	}
	at, day := t.Unix(), c.day(t)
	for s := range c.spans(day-1, day+1) {
		if s.from <= at && at < s.to {
			return true
		}
	}
	return false
}

// Add is the instant at which so much open time has passed since t: t itself when d is not positive, and the closing instant when d ends
// with a shift. Where the calendar ends, the rest of d passes as if it were open.
func (c *Calendar) Add(t time.Time, d time.Duration) time.Time {
	if d <= 0 {
		return t
	}
	if c.always() {
		return t.Add(d)
	}
	var last time.Duration
	for from, to := range c.ahead(t) {
		if d <= to-from {
			return t.Add(from + d)
		}
		d -= to - from
		last = to
	}
	return t.Add(last).Add(d)
}

// Between is the open time from a to b, negative when b is before a.
func (c *Calendar) Between(a, b time.Time) time.Duration {
	if c.always() {
		return b.Sub(a)
	}
	if b.Before(a) {
		return -c.Between(b, a)
	}
	var open time.Duration
	end := b.Sub(a)
	for from, to := range c.ahead(a) {
		if from >= end {
			break
		}
		open += min(to, end) - from
	}
	return open
}

// Next is the first open instant not before t; t itself when it is open, or when the calendar has ended.
func (c *Calendar) Next(t time.Time) time.Time {
	if c.always() {
		return t
	}
	for from := range c.ahead(t) {
		return t.Add(from)
	}
	return t
}

// Latest is the latest open instant not after t: t itself when it is open, else the last minute before the closing. It is t also when
// nothing is open for a year before it.
func (c *Calendar) Latest(t time.Time) time.Time {
	if c.Open(t) {
		return t
	}
	at, today := t.Unix(), c.day(t)
	for day := today + 1; day >= today-back; day-- {
		var before span
		for s := range c.spans(day, day) {
			if s.to <= at {
				before = s
			}
		}
		if before != (span{}) {
			return time.Unix(max(before.from, before.to-60), 0).In(t.Location())
		}
	}
	return t
}

// always reports whether there is no calendar, or the zero one.
func (c *Calendar) always() bool { return c == nil || c.zone == nil }

// A span is open time between two instants in Unix seconds.
type span struct{ from, to int64 }

// ahead yields what is open from t on, each beginning and end counted from t, in order and without overlaps.
func (c *Calendar) ahead(t time.Time) iter.Seq2[time.Duration, time.Duration] {
	since := func(unix int64) time.Duration {
		return time.Duration(unix-t.Unix())*time.Second - time.Duration(t.Nanosecond())
	}
	return func(yield func(from, to time.Duration) bool) {
		today := c.day(t)
		for s := range c.spans(today-1, min(today+reach, c.last)) {
			from, to := max(since(s.from), 0), since(s.to)
			if to > from && !yield(from, to) {
				return
			}
		}
	}
}

// spans yields what is open on the days from first to last, in order and without overlaps: an hour that happens twice can make a shift
// reach into the next one, also into that of the next day.
func (c *Calendar) spans(first, last int) iter.Seq[span] {
	return func(yield func(span) bool) {
		w := wall{zone: c.zone}
		done := int64(math.MinInt64)
		for day := first; day <= last; day++ {
			midnight := int64(day) * secondsPerDay
			for _, s := range c.shifts(day) {
				open := span{from: max(w.first(midnight+int64(s.from)*60), done), to: w.last(midnight + int64(s.to)*60)}
				if open.from >= open.to {
					continue
				}
				done = open.to
				if !yield(open) {
					return
				}
			}
		}
	}
}

// shifts are those of a day.
func (c *Calendar) shifts(day int) []shift {
	if s, ok := c.dates[day]; ok {
		return s
	}
	return c.week[weekday(day)]
}

// day is the number of the local day of t, from 1 January 1970.
func (c *Calendar) day(t time.Time) int {
	_, offset := t.In(c.zone).Zone()
	local := t.Unix() + int64(offset)
	day := local / secondsPerDay
	if local%secondsPerDay < 0 {
		day--
	}
	return int(day)
}

// weekday of a day, from Monday. 1 January 1970 was a Thursday.
func weekday(day int) int { return ((day+3)%7 + 7) % 7 }
