package calendar

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// changes of clocks of every sort, among them some around which the bounds that time.Time gives are wrong.
var changes = []struct {
	zone string
	at   string
}{
	{"Europe/Berlin", "2027-03-28"},
	{"Europe/Berlin", "2027-10-31"},
	{"Europe/Dublin", "2027-10-31"}, // where winter is the exception
	{"America/Los_Angeles", "2027-11-07"},
	{"Australia/Lord_Howe", "2027-04-04"},
	{"Australia/Lord_Howe", "2027-10-03"},
	{"America/Havana", "2027-03-14"},
	{"America/Havana", "2027-11-07"},
	{"America/St_Johns", "2010-11-07"}, // a minute after midnight, back to the day before
	{"Pacific/Apia", "2011-12-30"},     // a day left out
	{"Africa/Casablanca", "2027-02-07"},
	{"America/Ciudad_Juarez", "2022-11-30"}, // the last change before only a rule is left
	{"America/Indiana/Winamac", "2007-03-11"},
	{"America/Metlakatla", "2019-01-20"},
	{"Europe/Berlin", "2096-12-31"}, // the last day of a leap year that only the rule covers
	{"Australia/Lord_Howe", "2096-12-31"},
	{"Asia/Shanghai", "2027-02-14"},
}

func TestWallIsReadAsMinuteByMinute(t *testing.T) {
	t.Parallel()
	for _, change := range changes {
		zone, err := time.LoadLocation(change.zone)
		if err != nil {
			t.Fatal(err)
		}
		day, err := time.Parse(time.DateOnly, change.at)
		if err != nil {
			t.Fatal(err)
		}
		midnight := day.Unix()
		from, to := midnight-2*secondsPerDay, midnight+3*secondsPerDay
		walls := make([]int64, 0, (to-from)/60)
		for at := from; at < to; at += 60 {
			_, offset := time.Unix(at, 0).In(zone).Zone()
			walls = append(walls, at+int64(offset))
		}
		kept := wall{zone: zone}
		for shown := midnight - 12*3600; shown <= midnight+36*3600; shown += 15 * 60 {
			first, last := int64(0), int64(0)
			for i, w := range walls {
				at := from + int64(i)*60
				if w >= shown && first == 0 {
					first = at
				}
				if w < shown {
					last = at + 60
				}
			}
			fresh := wall{zone: zone}
			if got := [2]int64{fresh.first(shown), fresh.last(shown)}; got != [2]int64{first, last} {
				t.Errorf("%s %s, wall %s: %v, want %d and %d", change.zone, change.at, time.Unix(shown, 0).UTC(), got, first, last)
			}
			if got := [2]int64{kept.first(shown), kept.last(shown)}; got != [2]int64{first, last} {
				t.Errorf("%s %s, wall %s: %v when walking, want %d and %d", change.zone, change.at, time.Unix(shown, 0).UTC(), got, first, last)
			}
		}
	}
}

func TestStretchesHoldTheirInstantsAndLeaveNoGap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(changes).Draw(t, "change").zone)
		if err != nil {
			t.Fatal(err)
		}
		w := wall{zone: zone}
		at := rapid.Int64Range(-5e9, 8e9).Draw(t, "at") // 1811 to 2223
		s := w.stretch(at)
		if s.start > at || s.end <= at {
			t.Fatalf("%d is not in %v", at, s)
		}
		for _, other := range []int64{max(s.start, -6e9), min(s.end-1, 9e9)} {
			if _, offset := time.Unix(other, 0).In(zone).Zone(); int64(offset) != s.offset {
				t.Errorf("%d of %v has the offset %d", other, s, offset)
			}
		}
	})
}

func TestAwayFromChangesOpenIsWhatTheWallShows(t *testing.T) {
	t.Parallel()
	c, err := Parse("office", Spec{
		Zone: "Europe/Berlin", Hours: "Mon-Thu 08:30-12:00 13:00-17:15, Fri 08:30-14:00, Sun 20:00-24:00",
		Closed: "2027-05-01..2027-05-09", Open: "2027-05-08, 2027-06-05 10:00-11:00",
	})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(1_806_537_600, 1_824_768_000).Draw(t, "at"), 0).In(c.zone) // 1 April to 29 October 2027
		shifts, listed := c.dates[int(time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC).Unix()/secondsPerDay)]
		if !listed {
			shifts = c.week[(at.Weekday()+6)%7]
		}
		want := false
		for _, s := range shifts {
			minute := at.Hour()*60 + at.Minute()
			want = want || s.from <= minute && minute < s.to
		}
		if got := c.Open(at); got != want {
			t.Errorf("%s: open %t, want %t", at, got, want)
		}
	})
}
