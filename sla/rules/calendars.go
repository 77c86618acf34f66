package rules

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"

	"watchkeeper/sla/calendar"
)

// findCalendars reads the calendars before anything that names one.
func (l *loader) findCalendars() {
	for name := range l.values {
		rest, ok := strings.CutPrefix(name, prefixCalendar)
		word, variable, level := strings.Cut(rest, separator)
		if ok && level && variable != "" && isCalendarName(word) {
			l.calendars[word] = nil
		}
	}
	for _, name := range l.calendarNames() {
		l.calendars[name] = l.calendar(scope{noun: NounCalendar, calendar: name})
	}
}

func (l *loader) calendarNames() []string { return slices.Sorted(maps.Keys(l.calendars)) }

// calendar reads one calendar; nil when it is wrong. A value that cannot be one at all is left for check to report.
func (l *loader) calendar(s scope) *calendar.Calendar {
	d := newCalendarDesk()
	for i := range d.settings {
		name := s.prefix() + d.settings[i].about.Name
		value, set := l.values[name]
		if !set {
			continue
		}
		v, err := checkValue(name, value, &d.settings[i])
		if err != nil {
			return nil
		}
		v.put()
	}
	c, err := calendar.Parse(s.calendar, d.work.spec())
	for _, wrong := range fieldErrors(err) {
		about := d.setting(strings.ToUpper(wrong.Field)).about
		p := Problem{Variable: s.prefix() + about.Name, Detail: wrong.Detail, Expected: about.Type, Example: cmp.Or(wrong.Example, about.Example)}
		if value, set := l.values[p.Variable]; set {
			p.Value = quoted(value)
		}
		l.report(p)
	}
	return c
}

// fieldErrors takes apart what the calendar joined.
func fieldErrors(err error) []*calendar.FieldError {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var out []*calendar.FieldError
		for _, e := range many.Unwrap() {
			out = append(out, fieldErrors(e)...)
		}
		return out
	}
	if wrong, ok := errors.AsType[*calendar.FieldError](err); ok {
		return []*calendar.FieldError{wrong}
	}
	return nil
}
