package aliexpress

import (
	"time"
	_ "time/tzdata" // the zone's rules must not depend on the machine
)

// pacific is the zone of every time that the platform writes without one.
var pacific = mustZone("America/Los_Angeles")

func mustZone(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err) // the rules are compiled in
	}
	return zone
}

const wallClock = "2006-01-02 15:04:05"

// instant reads a time of the platform, US Pacific without a zone; zero when it is none. A wall clock that reads the same twice (the
// hour that comes again in November) or never (the hour left out in March) can mean two instants: the earlier one is taken, since a
// deadline that is believed too early costs an hour and one believed too late costs the dispute.
func instant(s text) time.Time {
	wall, err := time.Parse(wallClock, string(s))
	if err != nil || wall.Year() < 2000 || wall.Year() > 2100 {
		return time.Time{}
	}
	_, before := wall.Add(-24 * time.Hour).In(pacific).Zone()
	_, after := wall.Add(24 * time.Hour).In(pacific).Zone()
	early, late := wall.Add(-time.Duration(max(before, after))*time.Second), wall.Add(-time.Duration(min(before, after))*time.Second)
	if !reads(early, wall) && reads(late, wall) {
		return late
	}
	return early
}

// reads reports whether the zone's clock shows a wall time at an instant.
func reads(at, wall time.Time) bool {
	return at.In(pacific).Format(wallClock) == wall.Format(wallClock)
}

// clearlyAfter reports whether a was surely written after b. In the hour that comes twice nothing is sure.
func clearlyAfter(a, b time.Time) bool {
	if again := b.Add(time.Hour); reads(again, b.In(pacific)) {
		b = again
	}
	return a.After(b)
}

func newer(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
