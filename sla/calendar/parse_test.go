package calendar_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"watchkeeper/sla/calendar"
)

// mistakes lists what a refusal joins.
func mistakes(t testing.TB, err error) []*calendar.FieldError {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%v joins nothing", err)
	}
	var list []*calendar.FieldError
	for _, err := range joined.Unwrap() {
		mistake, ok := errors.AsType[*calendar.FieldError](err)
		if !ok {
			t.Fatalf("%v names no field", err)
		}
		list = append(list, mistake)
	}
	return list
}

// wrongs are a good calendar with one mistake each.
var wrongs = map[string]struct {
	change func(*calendar.Spec)
	field  string
	detail string // is in the detail
}{
	"no zone":              {func(s *calendar.Spec) { s.Zone = " " }, "Zone", "a zone is needed"},
	"machine's zone":       {func(s *calendar.Spec) { s.Zone = "Local" }, "Zone", "differs from machine to machine"},
	"machine's zone, file": {func(s *calendar.Spec) { s.Zone = "localtime" }, "Zone", "differs from machine to machine"},
	"misspelt zone":        {func(s *calendar.Spec) { s.Zone = "Europe/Berlim" }, "Zone", `no zone "Europe/Berlim"`},
	"path for a zone":      {func(s *calendar.Spec) { s.Zone = "../../etc/passwd" }, "Zone", "not an IANA name"},
	"zone with leaps":      {func(s *calendar.Spec) { s.Zone = "right/UTC" }, "Zone", "not an IANA name"},
	"offset for a zone":    {func(s *calendar.Spec) { s.Zone = "+08:00" }, "Zone", "not an IANA name"},

	"never open":               {func(s *calendar.Spec) { s.Hours = " " }, "Hours", "never open"},
	"never open, only closed":  {func(s *calendar.Spec) { s.Hours, s.Closed = "", "2027-01-01" }, "Hours", "never open"},
	"unknown weekday":          {func(s *calendar.Spec) { s.Hours = "Mon-Fry 09:00-17:00" }, "Hours", `"Fry" is not a weekday`},
	"hours without a day":      {func(s *calendar.Spec) { s.Hours = "09:00-17:00" }, "Hours", "is not a weekday"},
	"day without hours":        {func(s *calendar.Spec) { s.Hours = "Mon, Tue 09:00-17:00" }, "Hours", `"Mon" has no hours`},
	"range of one day":         {func(s *calendar.Spec) { s.Hours = "Mon-Mon 09:00-17:00" }, "Hours", "range of one day"},
	"day told twice":           {func(s *calendar.Spec) { s.Hours = "Mon-Fri 09:00-12:00, Wed 13:00-17:00" }, "Hours", "Wednesday is told twice"},
	"comma at the end":         {func(s *calendar.Spec) { s.Hours += "," }, "Hours", "nothing beside it"},
	"over midnight":            {func(s *calendar.Spec) { s.Hours = "Fri 22:00-06:00" }, "Hours", "write 22:00-24:00, and 00:00-06:00 on the day after"},
	"to 00:00":                 {func(s *calendar.Spec) { s.Hours = "Fri 22:00-00:00" }, "Hours", "the end of the day is 24:00"},
	"empty shift":              {func(s *calendar.Spec) { s.Hours = "Fri 09:00-09:00" }, "Hours", "a whole day is 00:00-24:00"},
	"beginning at 24:00":       {func(s *calendar.Spec) { s.Hours = "Fri 24:00-24:00" }, "Hours", "begins at 00:00 of the next"},
	"overlap":                  {func(s *calendar.Spec) { s.Hours = "Fri 13:00-18:00 09:00-13:30" }, "Hours", "09:00-13:30 and 13:00-18:00 overlap"},
	"25 o'clock":               {func(s *calendar.Spec) { s.Hours = "Fri 09:00-25:00" }, "Hours", `"25:00" is not a time of day`},
	"after 24:00":              {func(s *calendar.Spec) { s.Hours = "Fri 09:00-24:01" }, "Hours", `"24:01" is not a time of day`},
	"minute 60":                {func(s *calendar.Spec) { s.Hours = "Fri 09:60-12:00" }, "Hours", `"09:60" is not a time of day`},
	"American time":            {func(s *calendar.Spec) { s.Hours = "Fri 9am-5pm" }, "Hours", `"9am" is not a time of day`},
	"half a shift":             {func(s *calendar.Spec) { s.Hours = "Fri 09:00" }, "Hours", `"09:00" is not a shift`},
	"blanks around the dash":   {func(s *calendar.Spec) { s.Hours = "Fri 09:00 - 12:00" }, "Hours", "without blanks around the dash"},
	"not UTF-8":                {func(s *calendar.Spec) { s.Hours = "\xff\xfe" }, "Hours", `"\xff\xfe" is not a weekday`},
	"long text is not echoed":  {func(s *calendar.Spec) { s.Hours = strings.Repeat("x", 5000) }, "Hours", strings.Repeat("x", 40) + `…" is not a weekday`},
	"closed, other form":       {func(s *calendar.Spec) { s.Closed = "01.05.2027" }, "Closed", "write it as 2027-02-05"},
	"closed, no such date":     {func(s *calendar.Spec) { s.Closed = "2027-02-29" }, "Closed", `"2027-02-29" is not a date`},
	"closed, with hours":       {func(s *calendar.Spec) { s.Closed = "2027-05-01 09:00-12:00" }, "Closed", "a closed date has no hours"},
	"closed, backwards":        {func(s *calendar.Spec) { s.Closed = "2027-05-03..2027-05-01" }, "Closed", "ends before it begins"},
	"closed, half a range":     {func(s *calendar.Spec) { s.Closed = "2027-05-03.." }, "Closed", `"" is not a date`},
	"closed, long range":       {func(s *calendar.Spec) { s.Closed = "2027-01-01..2028-01-02" }, "Closed", "has 367 days, more than 366"},
	"closed, wrong century":    {func(s *calendar.Spec) { s.Closed = "1999-12-31" }, "Closed", "not of the years 2000 to 2200"},
	"closed, far future":       {func(s *calendar.Spec) { s.Closed = "2201-01-01" }, "Closed", "not of the years 2000 to 2200"},
	"closed, told twice":       {func(s *calendar.Spec) { s.Closed = "2027-02-05..2027-02-11, 2027-02-11" }, "Closed", "2027-02-11 is told twice"},
	"closed, empty entry":      {func(s *calendar.Spec) { s.Closed = "2027-02-05,,2027-02-07" }, "Closed", "nothing beside it"},
	"too many":                 {func(s *calendar.Spec) { s.Closed = years(2027, 2029) }, "Closed", "more than 1000 days"},
	"open, told twice":         {func(s *calendar.Spec) { s.Open = "2027-02-14, 2027-02-14 09:00-10:00" }, "Open", "2027-02-14 is told twice"},
	"open, overlap":            {func(s *calendar.Spec) { s.Open = "2027-02-14 09:00-12:00 11:00-13:00" }, "Open", "overlap"},
	"open, nothing to take":    {func(s *calendar.Spec) { s.Hours, s.Open = "", "2027-02-14" }, "Open", "2027-02-14: has no hours"},
	"open, too many with both": {func(s *calendar.Spec) { s.Closed, s.Open = years(2027, 2028), years(2030, 2030) }, "Open", "more than 1000 days"},
}

func TestEveryMistakeIsRefusedWithItsFieldAndAdvice(t *testing.T) {
	t.Parallel()
	for name, test := range wrongs {
		s := calendar.Spec{Zone: "UTC", Hours: "Mon-Fri 09:00-17:00"}
		test.change(&s)
		c, err := calendar.Parse("office", s)
		if err == nil {
			t.Errorf("%s: read as %+v", name, c.Spec())
			continue
		}
		got := mistakes(t, err)
		if len(got) != 1 || got[0].Field != test.field || !strings.Contains(got[0].Detail, test.detail) {
			t.Errorf("%s: %v, want %s: %s", name, err, test.field, test.detail)
		}
	}
}

// years is a range for each of the years.
func years(from, to int) string {
	var list []string
	for year := from; year <= to; year++ {
		list = append(list, fmt.Sprintf("%d-01-01..%d-12-31", year, year))
	}
	return strings.Join(list, ",")
}

func TestAllMistakesAreInOneReport(t *testing.T) {
	t.Parallel()
	_, err := calendar.Parse("office", calendar.Spec{
		Zone: "Mars/Olympus", Hours: "Mon 9-5, Tue 09:00-17:00, Tues 09:00-17:00", Closed: "someday, 2027-05-01, never", Open: "2027-02-14, 2027-13-01",
	})
	var got []string
	for _, mistake := range mistakes(t, err) {
		got = append(got, mistake.Field)
	}
	if diff := cmp.Diff([]string{"Zone", "Hours", "Hours", "Closed", "Closed", "Open"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExamplesOfMistakesAreRight(t *testing.T) {
	t.Parallel()
	_, err := calendar.Parse("office", calendar.Spec{Zone: "?", Hours: "?", Closed: "?", Open: "?"})
	example := map[string]string{}
	for _, mistake := range mistakes(t, err) {
		example[mistake.Field] = mistake.Example
		if text := mistake.Error(); !strings.Contains(text, mistake.Field) || !strings.Contains(text, mistake.Example) {
			t.Errorf("%q lacks the field or the example", text)
		}
	}
	s := calendar.Spec{Zone: example["Zone"], Hours: example["Hours"], Closed: example["Closed"], Open: example["Open"]}
	c, err := calendar.Parse("office", s)
	if err != nil {
		t.Fatal(err)
	}
	s.Open = "2027-02-14 09:00-12:00 13:00-18:00, 2027-02-20 09:00-12:00"
	if diff := cmp.Diff(s, c.Spec()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSpecIsCanonical(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ in, want calendar.Spec }{
		"case, order, blanks, long names": {
			calendar.Spec{Zone: " UTC\n", Hours: "saturday 10:00-14:00 ,  MON-friday   13:00-18:00  9:00-12:00"},
			calendar.Spec{Zone: "UTC", Hours: "Mon-Fri 09:00-12:00 13:00-18:00, Sat 10:00-14:00"},
		},
		"days alike are joined": {
			calendar.Spec{Zone: "UTC", Hours: "Tue 09:00-12:00, Mon 09:00-12:00, Wed 09:00-12:00, Fri 09:00-12:00"},
			calendar.Spec{Zone: "UTC", Hours: "Mon-Wed 09:00-12:00, Fri 09:00-12:00"},
		},
		"a range over the end of the week": {
			calendar.Spec{Zone: "UTC", Hours: "Sun-Thu 08:00-16:00"},
			calendar.Spec{Zone: "UTC", Hours: "Mon-Thu 08:00-16:00, Sun 08:00-16:00"},
		},
		"shifts that touch are joined": {
			calendar.Spec{Zone: "UTC", Hours: "Mon-Sun 12:00-24:00 00:00-12:00"},
			calendar.Spec{Zone: "UTC", Hours: "Mon-Sun 00:00-24:00"},
		},
		"open wins over closed": {
			calendar.Spec{Zone: "UTC", Hours: "Sat 10:00-14:00, Sun 11:00-12:00", Closed: "2027-02-05..2027-02-07", Open: "2027-02-06"},
			calendar.Spec{Zone: "UTC", Hours: "Sat 10:00-14:00, Sun 11:00-12:00", Closed: "2027-02-05, 2027-02-07", Open: "2027-02-06 10:00-14:00"},
		},
		"ranges stay within their bound": {
			calendar.Spec{Zone: "UTC", Hours: "Mon 09:00-10:00", Closed: "2027-07-01..2028-03-31, 2027-01-01..2027-06-30"},
			calendar.Spec{Zone: "UTC", Hours: "Mon 09:00-10:00", Closed: "2027-01-01..2028-01-01, 2028-01-02..2028-03-31"},
		},
		"only make-up days": {
			calendar.Spec{Zone: "UTC", Open: "2200-12-31 09:00-10:00, 2000-01-01..2000-01-03 23:00-24:00"},
			calendar.Spec{Zone: "UTC", Open: "2000-01-01..2000-01-03 23:00-24:00, 2200-12-31 09:00-10:00"},
		},
	} {
		c, err := calendar.Parse("office", test.in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(test.want, c.Spec()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if c.Name() != "office" {
			t.Errorf("%s: named %q", name, c.Name())
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("Asia/Shanghai", "Mon-Fri 09:00-12:00 13:00-18:00, Sat 10:00-14:00", "2027-02-05..2027-02-11, 2027-05-01", "2027-02-14, 2027-02-20 09:00-12:00")
	f.Add("Europe/Berlin", "Sun-Thu 0:00-24:00", "", "")
	f.Add("Australia/Lord_Howe", "", "2027-01-01..2027-12-31", "2000-01-01..2000-12-31 02:15-02:45")
	f.Add("Local", "Mon-Mon 22:00-06:00,", "2027-02-30,", "2027-02-14 09:00-09:00")
	f.Add("../etc", "\xff 24:00-24:00", "1999-01-01..9999-12-31", "..")
	f.Fuzz(func(t *testing.T, zone, hours, closed, open string) {
		c, err := calendar.Parse("office", calendar.Spec{Zone: zone, Hours: hours, Closed: closed, Open: open})
		if err != nil {
			for _, mistake := range mistakes(t, err) {
				if mistake.Field == "" || mistake.Detail == "" || mistake.Example == "" {
					t.Errorf("%+v says too little", mistake)
				}
			}
			return
		}
		again := must(t, c.Spec())
		if c.Spec() != again.Spec() {
			t.Errorf("%+v, read back %+v", c.Spec(), again.Spec())
		}
		at := time.Date(2027, 2, 14, 2, 0, 0, 0, time.UTC)
		if next := c.Next(at); c.Add(at, 1).Before(next) || c.Latest(at).After(at) {
			t.Errorf("%+v: next %s", c.Spec(), next)
		}
	})
}
