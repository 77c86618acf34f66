package calendar_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"watchkeeper/sla/calendar"
)

var zones = []string{
	"UTC", "Asia/Shanghai", "Europe/Berlin", "America/Los_Angeles", "Australia/Lord_Howe", "America/Havana", "Pacific/Apia", "Africa/Casablanca", "Europe/Dublin",
}

// drawShifts makes the text of some shifts of a day, on quarters of an hour, often about the hours at which clocks change.
func drawShifts(t *rapid.T) string {
	edges := rapid.SliceOfNDistinct(rapid.OneOf(rapid.IntRange(0, 96), rapid.IntRange(0, 16)), 2, 6, rapid.ID).Draw(t, "edges")
	if len(edges)%2 == 1 {
		edges = edges[1:]
	}
	marks := [97]bool{}
	for _, e := range edges {
		marks[e] = true
	}
	var text strings.Builder
	begin := -1
	for quarter, mark := range marks {
		switch {
		case mark && begin < 0:
			begin = quarter
		case mark:
			fmt.Fprintf(&text, " %02d:%02d-%02d:%02d", begin/4, begin%4*15, quarter/4, quarter%4*15)
			begin = -1
		}
	}
	return text.String()
}

// drawDates makes dates and ranges of 2026 to 2028, none told twice.
func drawDates(t *rapid.T, shifts func() string) string {
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var list []string
	for range rapid.IntRange(0, 6).Draw(t, "dates") {
		day = day.AddDate(0, 0, rapid.IntRange(1, 150).Draw(t, "gap"))
		text := day.Format(time.DateOnly)
		if days := rapid.IntRange(0, 20).Draw(t, "days"); days > 0 {
			day = day.AddDate(0, 0, days)
			text += ".." + day.Format(time.DateOnly)
		}
		list = append(list, text+shifts())
	}
	return strings.Join(list, ", ")
}

// drawCalendar makes a calendar with weekly hours.
func drawCalendar(t *rapid.T) *calendar.Calendar {
	var week []string
	for i, day := range []string{"Mon", "tue", "WED", "Thursday", "fri", "Sat", "SUNDAY"} {
		if i == 0 || rapid.Bool().Draw(t, "open") {
			week = append(week, day+drawShifts(t))
		}
	}
	c, err := calendar.Parse("drawn", calendar.Spec{
		Zone:   rapid.SampledFrom(zones).Draw(t, "zone"),
		Hours:  strings.Join(week, ","),
		Closed: drawDates(t, func() string { return "" }),
		Open:   drawDates(t, func() string { return rapid.SampledFrom([]string{"", drawShifts(t)}).Draw(t, "shifts") }),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// drawTime makes an instant of 2026 to 2028, often with a fraction, often near a change of clocks.
func drawTime(t *rapid.T, label string) time.Time {
	base := rapid.SampledFrom([]time.Time{
		time.Date(2027, 3, 14, 10, 0, 0, 0, time.UTC), time.Date(2027, 3, 28, 1, 0, 0, 0, time.UTC), time.Date(2027, 4, 3, 15, 0, 0, 0, time.UTC),
		time.Date(2027, 10, 2, 15, 30, 0, 0, time.UTC), time.Date(2027, 10, 31, 1, 0, 0, 0, time.UTC), time.Date(2027, 11, 7, 9, 0, 0, 0, time.UTC),
	}).Draw(t, label+" about")
	away := rapid.OneOf(rapid.Int64Range(-365*86400, 365*86400), rapid.Int64Range(-86400, 86400)).Draw(t, label)
	return base.Add(time.Duration(away) * time.Second).Add(time.Duration(rapid.SampledFrom([]int{0, 0, 1, 999_999_999}).Draw(t, label+" fraction")))
}

func drawOpenTime(t *rapid.T) time.Duration {
	return time.Duration(rapid.OneOf(rapid.Int64Range(0, int64(60*24*time.Hour)), rapid.Map(rapid.Int64Range(0, 4000), func(q int64) int64 {
		return q * int64(15*time.Minute)
	})).Draw(t, "d"))
}

func TestAddAndBetweenAreInverse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, at, d := drawCalendar(t), drawTime(t, "at"), drawOpenTime(t)
		end := c.Add(at, d)
		if got := c.Between(at, end); got != d {
			t.Errorf("%s after %s is %s, but between them are %s", d, at, end, got)
		}
		if d > 0 && !c.Open(end.Add(-1)) {
			t.Errorf("%s after %s is %s, and nothing is open just before", d, at, end)
		}
		other := drawTime(t, "other")
		if got := c.Add(at, c.Between(at, other)); other.After(at) && got.After(other) {
			t.Errorf("the open time between %s and %s ends at %s", at, other, got)
		}
	})
}

func TestAddInPartsIsAddAtOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, at, a, b := drawCalendar(t), drawTime(t, "at"), drawOpenTime(t), drawOpenTime(t)
		if got, want := c.Add(c.Add(at, a), b), c.Add(at, a+b); b > 0 && !got.Equal(want) {
			t.Errorf("%s, then %s after %s: %s, at once %s", a, b, at, got, want)
		}
		mid, end := c.Add(at, a), drawTime(t, "end")
		if got, want := c.Between(at, mid)+c.Between(mid, end), c.Between(at, end); got != want {
			t.Errorf("in parts %s, at once %s", got, want)
		}
	})
}

func TestLaterIsNeverEarlier(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, d := drawCalendar(t), drawOpenTime(t)
		a, b := drawTime(t, "a"), drawTime(t, "b")
		if b.Before(a) {
			a, b = b, a
		}
		if c.Add(b, d).Before(c.Add(a, d)) {
			t.Errorf("add: %s and %s change places", a, b)
		}
		if c.Next(b).Before(c.Next(a)) {
			t.Errorf("next: %s and %s change places", a, b)
		}
		// On full minutes: the last minute of a shift itself lies between the minute before the closing and the closing.
		if a, b := a.Truncate(time.Minute), b.Truncate(time.Minute); c.Latest(b).Before(c.Latest(a)) {
			t.Errorf("latest: %s and %s change places", a, b)
		}
		if more := d + drawOpenTime(t); c.Add(a, more).Before(c.Add(a, d)) {
			t.Errorf("%s after %s is before %s", more, a, d)
		}
	})
}

func TestNextAndLatestAreOpenAndNearest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, at := drawCalendar(t), drawTime(t, "at")
		next, latest := c.Next(at), c.Latest(at)
		if !c.Open(next) || next.Before(at) || c.Between(at, next) != 0 {
			t.Errorf("next of %s is %s", at, next)
		}
		if !c.Open(latest) || latest.After(at) || c.Between(latest, at) > time.Minute {
			t.Errorf("latest of %s is %s", at, latest)
		}
		if c.Open(at) && (!next.Equal(at) || !latest.Equal(at)) {
			t.Errorf("%s is open, next %s, latest %s", at, next, latest)
		}
	})
}

func TestPrintedCalendarIsReadBackEqual(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := drawCalendar(t)
		again, err := calendar.Parse("drawn", c.Spec())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.Spec(), again.Spec()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for range 20 {
			if at := drawTime(t, "at"); c.Open(at) != again.Open(at) {
				t.Errorf("%s is open %t, read back %t", at, c.Open(at), again.Open(at))
			}
		}
	})
}
