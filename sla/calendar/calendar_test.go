package calendar_test

import (
	"testing"
	"time"

	"watchkeeper/sla/calendar"
)

// office is a calendar of Shanghai with a Spring Festival: 5 to 11 February 2027 are closed, Sunday 14 and Saturday 20 make up for it.
var office = calendar.Spec{
	Zone:   "Asia/Shanghai",
	Hours:  "Mon-Fri 09:00-12:00 13:00-18:00",
	Closed: "2027-02-05..2027-02-11",
	Open:   "2027-02-14, 2027-02-20 09:00-12:00",
}

func must(t testing.TB, s calendar.Spec) *calendar.Calendar {
	t.Helper()
	c, err := calendar.Parse("office", s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// clock reads times as the wall of a zone shows them; where it shows one twice, the text brings the offset.
func clock(t testing.TB, zone string) func(string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return func(text string) time.Time {
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			return at.In(loc)
		}
		at, err := time.ParseInLocation("2006-01-02 15:04:05", text, loc)
		if err != nil {
			at, err = time.ParseInLocation("2006-01-02 15:04", text, loc)
		}
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
}

func TestAWeekWithAFestivalIsOpenWhenTheOperatorSaid(t *testing.T) {
	t.Parallel()
	c, at := must(t, office), clock(t, office.Zone)
	for text, want := range map[string]bool{
		"2027-02-04 08:59:59": false, // Thursday
		"2027-02-04 09:00":    true,
		"2027-02-04 11:59:59": true,
		"2027-02-04 12:00":    false,
		"2027-02-04 13:00":    true,
		"2027-02-04 18:00":    false,
		"2027-02-05 10:00":    false, // Friday, closed
		"2027-02-11 10:00":    false,
		"2027-02-12 10:00":    true,
		"2027-02-13 10:00":    false, // Saturday
		"2027-02-14 10:00":    true,  // Sunday, made up with Monday's hours
		"2027-02-14 17:59":    true,
		"2027-02-20 10:00":    true,
		"2027-02-20 15:00":    false,
		"2027-02-21 10:00":    false,
	} {
		if got := c.Open(at(text)); got != want {
			t.Errorf("%s: open %t, want %t", text, got, want)
		}
	}
}

func TestAddPassesOpenTimeOnly(t *testing.T) {
	t.Parallel()
	c, at := must(t, office), clock(t, office.Zone)
	for name, test := range map[string]struct {
		from string
		d    time.Duration
		want string
	}{
		"nothing while open":          {"2027-02-04 10:00", 0, "2027-02-04 10:00"},
		"nothing while closed":        {"2027-02-06 10:00", 0, "2027-02-06 10:00"},
		"less than nothing":           {"2027-02-06 10:00", -time.Hour, "2027-02-06 10:00"},
		"within a shift":              {"2027-02-04 10:00", time.Hour, "2027-02-04 11:00"},
		"to the end of a shift":       {"2027-02-04 10:00", 2 * time.Hour, "2027-02-04 12:00"},
		"a second beyond the end":     {"2027-02-04 10:00", 2*time.Hour + time.Second, "2027-02-04 13:00:01"},
		"over the break":              {"2027-02-04 10:00", 3 * time.Hour, "2027-02-04 14:00"},
		"from the break":              {"2027-02-04 12:30", time.Hour, "2027-02-04 14:00"},
		"to the end of the day":       {"2027-02-04 09:00", 8 * time.Hour, "2027-02-04 18:00"},
		"over the festival":           {"2027-02-04 17:00", 2 * time.Hour, "2027-02-12 10:00"},
		"from within the festival":    {"2027-02-08 17:00", time.Hour, "2027-02-12 10:00"},
		"over a make-up Sunday":       {"2027-02-12 17:00", 10 * time.Hour, "2027-02-15 10:00"},
		"over a make-up Saturday":     {"2027-02-19 17:00", 5 * time.Hour, "2027-02-22 10:00"},
		"a week of forty hours later": {"2027-03-01 09:00", 40 * time.Hour, "2027-03-05 18:00"},
	} {
		if got, want := c.Add(at(test.from), test.d), at(test.want); !got.Equal(want) {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestAddKeepsFractionsAndTheZoneOfTheCaller(t *testing.T) {
	t.Parallel()
	c := must(t, office)
	from := time.Date(2027, 2, 4, 9, 59, 59, 250_000_000, time.UTC) // 17:59:59.25 on the wall
	want := time.Date(2027, 2, 12, 1, 0, 0, 250_000_000, time.UTC)
	if got := c.Add(from, time.Second); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := c.Next(from.Add(time.Second)), want.Truncate(time.Second); got != want {
		t.Errorf("next %s, want %s", got, want)
	}
	if got, want := c.Latest(from.Add(time.Hour)), from.Truncate(time.Minute); got != want {
		t.Errorf("latest %s, want %s", got, want)
	}
}

func TestBetweenCountsOpenTimeOnly(t *testing.T) {
	t.Parallel()
	c, at := must(t, office), clock(t, office.Zone)
	for name, test := range map[string]struct {
		from, to string
		want     time.Duration
	}{
		"no time":             {"2027-02-04 10:00", "2027-02-04 10:00", 0},
		"a break":             {"2027-02-04 12:00", "2027-02-04 13:00", 0},
		"over a break":        {"2027-02-04 11:00", "2027-02-04 14:00", 2 * time.Hour},
		"the festival":        {"2027-02-05 00:00", "2027-02-12 00:00", 0},
		"a week with made-up": {"2027-02-15 00:00", "2027-02-22 00:00", 43 * time.Hour},
		"back":                {"2027-02-04 14:00", "2027-02-04 11:00", -2 * time.Hour},
	} {
		if got := c.Between(at(test.from), at(test.to)); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestLatestIsTheLastMinuteBeforeTheClosing(t *testing.T) {
	t.Parallel()
	c, at := must(t, office), clock(t, office.Zone)
	for text, want := range map[string]string{
		"2027-02-04 10:00:30": "2027-02-04 10:00:30",
		"2027-02-04 12:00":    "2027-02-04 11:59",
		"2027-02-04 12:59":    "2027-02-04 11:59",
		"2027-02-04 08:00":    "2027-02-03 17:59",
		"2027-02-11 10:00":    "2027-02-04 17:59", // the festival
		"2027-02-15 08:00":    "2027-02-14 17:59", // after the make-up Sunday
		"2027-02-22 03:00":    "2027-02-20 11:59",
	} {
		if got, want := c.Latest(at(text)), at(want); !got.Equal(want) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestNextIsTheOpening(t *testing.T) {
	t.Parallel()
	c, at := must(t, office), clock(t, office.Zone)
	for text, want := range map[string]string{
		"2027-02-04 10:00": "2027-02-04 10:00",
		"2027-02-04 12:00": "2027-02-04 13:00",
		"2027-02-04 18:00": "2027-02-12 09:00",
		"2027-02-13 00:00": "2027-02-14 09:00",
	} {
		if got, want := c.Next(at(text)), at(want); !got.Equal(want) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestNoCalendarIsAlwaysOpen(t *testing.T) {
	t.Parallel()
	at := time.Date(2027, 2, 7, 3, 0, 0, 0, time.UTC)
	for name, c := range map[string]*calendar.Calendar{"nil": nil, "zero": {}} {
		if !c.Open(at) || c.Latest(at) != at || c.Next(at) != at || c.Name() != "" || c.Spec() != (calendar.Spec{}) {
			t.Errorf("%s: not open", name)
		}
		if got := c.Between(at, c.Add(at, time.Hour)); got != time.Hour {
			t.Errorf("%s: an hour takes %s", name, got)
		}
	}
}

func TestAnEndedCalendarLetsTheRestOfTimePass(t *testing.T) {
	t.Parallel()
	c, at := must(t, calendar.Spec{Zone: "UTC", Open: "2027-02-14 09:00-12:00"}), clock(t, "UTC")
	after := at("2028-06-01 10:00")
	if got, want := c.Add(at("2027-02-01 00:00"), 5*time.Hour), at("2027-02-14 14:00"); !got.Equal(want) {
		t.Errorf("running out: %s, want %s", got, want)
	}
	if got, want := c.Add(after, time.Hour), after.Add(time.Hour); got != want {
		t.Errorf("run out: %s, want %s", got, want)
	}
	if c.Open(after) || c.Next(after) != after || c.Latest(after) != after || c.Between(after, after.AddDate(1, 0, 0)) != 0 {
		t.Error("open after the end")
	}
}

func TestALongClosureEndsTheSearchForWhatWasOpen(t *testing.T) {
	t.Parallel()
	c := must(t, calendar.Spec{Zone: "UTC", Hours: "Mon-Sun 09:00-17:00", Closed: "2027-01-01..2027-12-31, 2028-01-01..2028-12-31"})
	at := clock(t, "UTC")
	for text, want := range map[string]string{
		"2027-12-01 10:00": "2026-12-31 16:59",
		"2028-12-01 10:00": "2028-12-01 10:00",
	} {
		if got, want := c.Latest(at(text)), at(want); !got.Equal(want) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if got, want := c.Next(at("2027-01-01 00:00")), at("2029-01-01 09:00"); !got.Equal(want) {
		t.Errorf("next %s, want %s", got, want)
	}
}

func TestTimesFarAwayEndInTime(t *testing.T) {
	t.Parallel()
	const longest = 1<<63 - 1
	rare := must(t, calendar.Spec{Zone: "Europe/Berlin", Hours: "Sun 02:00-02:01"})
	began := time.Now()
	for _, at := range []time.Time{{}, time.Unix(1<<40, 0), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), time.Unix(-1<<40, 0)} {
		if got := rare.Add(at, longest); !got.After(at) {
			t.Errorf("%s: %s is not later", at, got)
		}
		if got := rare.Next(at); got.Before(at) || got.Sub(at) > 9*24*time.Hour {
			t.Errorf("%s: next is %s", at, got)
		}
		if got := rare.Latest(at); got.After(at) {
			t.Errorf("%s: latest is %s", at, got)
		}
		if got := rare.Between(time.Time{}, at); (got < 0) != at.Before(time.Time{}) {
			t.Errorf("%s: open for %s", at, got)
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

func BenchmarkAddThirtyDays(b *testing.B) {
	office := office
	office.Zone = "Europe/Berlin"
	c := must(b, office)
	from := time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC) // over a change of clocks
	b.ReportAllocs()
	for b.Loop() {
		if got := c.Add(from, 176*time.Hour); got.Sub(from) < 29*24*time.Hour {
			b.Fatal(got)
		}
	}
}

func BenchmarkLatest(b *testing.B) {
	c := must(b, office)
	at := time.Date(2027, 2, 11, 9, 0, 0, 0, time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		c.Latest(at)
	}
}
