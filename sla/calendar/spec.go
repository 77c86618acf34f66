package calendar

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // a container need not have the zones
)

// A Spec is a calendar as text; the package comment has the grammar.
type Spec struct {
	Zone   string // an IANA name
	Hours  string // the week
	Closed string // dates on which nothing is open
	Open   string // dates that are open whatever Hours and Closed say
}

// The fields of a Spec, as a FieldError names them.
const (
	FieldZone   = "Zone"
	FieldHours  = "Hours"
	FieldClosed = "Closed"
	FieldOpen   = "Open"
)

// examples of what a field takes.
var examples = map[string]string{
	FieldZone:   "Asia/Shanghai",
	FieldHours:  "Mon-Fri 09:00-12:00 13:00-18:00, Sat 10:00-14:00",
	FieldClosed: "2027-02-05..2027-02-11, 2027-05-01",
	FieldOpen:   "2027-02-14, 2027-02-20 09:00-12:00",
}

// A FieldError is one mistake in a Spec.
type FieldError struct {
	Field   string // FieldZone, FieldHours, FieldClosed or FieldOpen
	Detail  string // what is wrong, and what to write instead where that can be known
	Example string // a right value of the field
}

func (e *FieldError) Error() string {
	return fmt.Sprintf("parse calendar %s: %s; for example %s", e.Field, e.Detail, e.Example)
}

// Parse reads a calendar. Its error joins a *FieldError for each mistake.
func Parse(name string, s Spec) (*Calendar, error) {
	p := parser{dates: map[int][]shift{}}
	zone := p.zone(s.Zone)
	week := p.hours(s.Hours)
	p.closed(s.Closed)
	p.open(s.Open)
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	c := &Calendar{name: name, zone: zone, week: week, dates: p.dates, last: math.MaxInt}
	if firstShifts(week) == nil {
		c.last = lastOpen(p.dates)
	}
	c.spec = Spec{Zone: zone.String(), Hours: formatWeek(week), Closed: formatDates(p.dates, false), Open: formatDates(p.dates, true)}
	return c, nil
}

// A parser collects what it reads and every mistake.
type parser struct {
	week    [7][]shift
	dates   map[int][]shift
	told    int  // days in both lists
	noHours bool // Hours has mistakes: nothing is said of what depends on it
	errs    []error
}

func (p *parser) fail(field string, err error) {
	p.errs = append(p.errs, &FieldError{Field: field, Detail: err.Error(), Example: examples[field]})
}

// zoneName keeps paths and other surprises away from the look-up.
var zoneName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$`)

func (p *parser) zone(text string) *time.Location {
	zone, err := parseZone(strings.TrimSpace(text))
	if err != nil {
		p.fail(FieldZone, err)
	}
	return zone
}

func parseZone(text string) (*time.Location, error) {
	lower := strings.ToLower(text)
	switch {
	case text == "":
		return nil, errors.New("a zone is needed")
	case lower == "local" || lower == "localtime":
		return nil, errors.New("the zone of the machine differs from machine to machine: name the zone")
	case !zoneName.MatchString(text), strings.HasPrefix(lower, "posix/"), strings.HasPrefix(lower, "right/"):
		return nil, fmt.Errorf("%s is not an IANA name of a zone", quote(text))
	}
	zone, err := time.LoadLocation(text)
	if err != nil { // its text holds paths of the machine
		return nil, fmt.Errorf("there is no zone %s", quote(text))
	}
	return zone, nil
}

// entries splits a list at its commas; an empty text is an empty list.
func entries(text string) []string {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	list := strings.Split(text, ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list
}

var errEmptyEntry = errors.New("there is a comma with nothing beside it")

// quote shows a piece of an operator's text, not all of one that was pasted by mistake.
func quote(s string) string {
	const most = 40
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	return fmt.Sprintf("%q", s)
}
