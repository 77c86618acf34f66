package calendar_test

import (
	"testing"
	"time"

	"watchkeeper/sla/calendar"
)

// changes of clocks, and what is open about them.
var changes = map[string]struct {
	zone, hours string
	day         string   // the day of the change
	want        []string // from and to, by turns
}{
	"Berlin, shift over the gap": {"Europe/Berlin", "Sun 00:00-06:00", "2027-03-28", []string{
		"2027-03-28T00:00:00+01:00", "2027-03-28T06:00:00+02:00",
	}},
	"Berlin, shift beginning in the gap": {"Europe/Berlin", "Sun 02:30-06:00", "2027-03-28", []string{
		"2027-03-28T03:00:00+02:00", "2027-03-28T06:00:00+02:00",
	}},
	"Berlin, shift ending in the gap": {"Europe/Berlin", "Sun 01:00-02:30", "2027-03-28", []string{
		"2027-03-28T01:00:00+01:00", "2027-03-28T02:00:00+01:00",
	}},
	"Berlin, shift in the gap": {"Europe/Berlin", "Sun 02:15-02:45", "2027-03-28", nil},
	"Berlin, shifts on both edges of the gap": {"Europe/Berlin", "Sun 01:00-02:00 03:00-04:00", "2027-03-28", []string{
		"2027-03-28T01:00:00+01:00", "2027-03-28T04:00:00+02:00",
	}},
	"Berlin, shift over the overlap": {"Europe/Berlin", "Sun 00:00-06:00", "2027-10-31", []string{
		"2027-10-31T00:00:00+02:00", "2027-10-31T06:00:00+01:00",
	}},
	"Berlin, beginning in the overlap": {"Europe/Berlin", "Sun 02:30-06:00", "2027-10-31", []string{
		"2027-10-31T02:30:00+02:00", "2027-10-31T06:00:00+01:00",
	}},
	"Berlin, ending in the overlap": {"Europe/Berlin", "Sun 01:00-02:30", "2027-10-31", []string{
		"2027-10-31T01:00:00+02:00", "2027-10-31T02:30:00+01:00",
	}},
	"Berlin, within the overlap": {"Europe/Berlin", "Sun 02:15-02:45", "2027-10-31", []string{
		"2027-10-31T02:15:00+02:00", "2027-10-31T02:45:00+01:00",
	}},
	"Berlin, two shifts made one": {"Europe/Berlin", "Sun 01:00-02:15 02:30-04:00", "2027-10-31", []string{
		"2027-10-31T01:00:00+02:00", "2027-10-31T04:00:00+01:00",
	}},
	"Los Angeles, beginning in the gap": {"America/Los_Angeles", "Sun 02:30-06:00", "2027-03-14", []string{
		"2027-03-14T03:00:00-07:00", "2027-03-14T06:00:00-07:00",
	}},
	"Los Angeles, over the gap": {"America/Los_Angeles", "Sun 01:00-05:00", "2027-03-14", []string{
		"2027-03-14T01:00:00-08:00", "2027-03-14T05:00:00-07:00",
	}},
	"Los Angeles, over the overlap": {"America/Los_Angeles", "Sun 01:30-05:00", "2027-11-07", []string{
		"2027-11-07T01:30:00-07:00", "2027-11-07T05:00:00-08:00",
	}},
	"Lord Howe, in half an hour's gap": {"Australia/Lord_Howe", "Sun 02:15-06:00", "2027-10-03", []string{
		"2027-10-03T02:30:00+11:00", "2027-10-03T06:00:00+11:00",
	}},
	"Lord Howe, over the gap": {"Australia/Lord_Howe", "Sun 01:00-03:00", "2027-10-03", []string{
		"2027-10-03T01:00:00+10:30", "2027-10-03T03:00:00+11:00",
	}},
	"Lord Howe, ending in the overlap": {"Australia/Lord_Howe", "Sun 01:00-01:45", "2027-04-04", []string{
		"2027-04-04T01:00:00+11:00", "2027-04-04T01:45:00+10:30",
	}},
	"Havana, midnight left out": {"America/Havana", "Sun 00:00-04:00", "2027-03-14", []string{
		"2027-03-14T01:00:00-04:00", "2027-03-14T04:00:00-04:00",
	}},
	"Havana, midnight twice": {"America/Havana", "Sat 20:00-24:00, Sun 00:00-02:00", "2027-11-07", []string{
		"2027-11-06T20:00:00-04:00", "2027-11-07T00:00:00-05:00", "2027-11-07T00:00:00-05:00", "2027-11-07T02:00:00-05:00",
	}},
	"St. John's, back to the day before": {"America/St_Johns", "Sat 20:00-24:00, Sun 06:00-08:00", "2010-11-07", []string{
		"2010-11-06T20:00:00-02:30", "2010-11-07T00:00:00-03:30", "2010-11-07T06:00:00-03:30", "2010-11-07T08:00:00-03:30",
	}},
	"Apia, a whole day left out": {"Pacific/Apia", "Fri 09:00-17:00", "2011-12-30", nil},
	"far ahead, when only the rule is left": {"Europe/Berlin", "Sun 02:30-06:00", "2190-03-28", []string{
		"2190-03-28T03:00:00+02:00", "2190-03-28T06:00:00+02:00",
	}},
}

func TestWallHoursRuleWhenClocksChange(t *testing.T) {
	t.Parallel()
	for name, test := range changes {
		c, at := must(t, calendar.Spec{Zone: test.zone, Hours: test.hours}), clock(t, test.zone)
		noon := at(test.day + " 12:00")
		got := shifts(c, noon.Add(-36*time.Hour), noon.Add(12*time.Hour))
		if want := instants(at, test.want); !same(got, want) {
			t.Errorf("%s: open %v, want %v", name, got, want)
		}
	}
}

// shifts asks minute by minute, and lists when the answer changes.
func shifts(c *calendar.Calendar, from, to time.Time) []time.Time {
	var list []time.Time
	for at := from.Truncate(time.Minute); at.Before(to); at = at.Add(time.Minute) {
		if was, is := c.Open(at.Add(-time.Minute)), c.Open(at); was != is {
			list = append(list, at)
		}
	}
	return list
}

// instants reads the texts and drops what touches.
func instants(at func(string) time.Time, texts []string) []time.Time {
	var list []time.Time
	for _, text := range texts {
		if n := len(list); n > 0 && n%2 == 0 && list[n-1].Equal(at(text)) {
			list = list[:n-1]
			continue
		}
		list = append(list, at(text))
	}
	return list
}

func same(a, b []time.Time) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].Equal(b[i]) {
			return false
		}
	}
	return true
}

func TestANightOverTheChangeIsAnHourLongerOrShorter(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		zone, night string // the Sunday
		want        time.Duration
	}{
		"Berlin, usual":         {"Europe/Berlin", "2027-03-21", 8 * time.Hour},
		"Berlin, shorter":       {"Europe/Berlin", "2027-03-28", 7 * time.Hour},
		"Berlin, longer":        {"Europe/Berlin", "2027-10-31", 9 * time.Hour},
		"Los Angeles, shorter":  {"America/Los_Angeles", "2027-03-14", 7 * time.Hour},
		"Los Angeles, longer":   {"America/Los_Angeles", "2027-11-07", 9 * time.Hour},
		"Lord Howe, shorter":    {"Australia/Lord_Howe", "2027-10-03", 7*time.Hour + 30*time.Minute},
		"Lord Howe, longer":     {"Australia/Lord_Howe", "2027-04-04", 8*time.Hour + 30*time.Minute},
		"Shanghai, never other": {"Asia/Shanghai", "2027-03-28", 8 * time.Hour},
	} {
		c, at := must(t, calendar.Spec{Zone: test.zone, Hours: "Sat 22:00-24:00, Sun 00:00-06:00"}), clock(t, test.zone)
		end := at(test.night + " 06:00")
		begin := at(test.night + " 00:00").Add(-2 * time.Hour)
		if got := c.Between(end.AddDate(0, 0, -1), end.Add(time.Hour)); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
		if got := c.Add(begin, test.want); !got.Equal(end) {
			t.Errorf("%s: ends %s, want %s", name, got, end)
		}
		if got, want := c.Latest(end.Add(time.Hour)), end.Add(-time.Minute); !got.Equal(want) {
			t.Errorf("%s: latest %s, want %s", name, got, want)
		}
	}
}
