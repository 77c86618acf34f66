package calendar

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Bounds of what may be listed: a slip of a digit must not become a calendar that is closed for centuries.
const (
	maxRange = 366
	maxDates = 1000
	minYear  = 2000
	maxYear  = 2200
)

// closed reads the dates on which nothing is open.
func (p *parser) closed(text string) {
	p.list(FieldClosed, text, func(words []string) ([]shift, error) {
		if len(words) > 0 {
			return nil, fmt.Errorf("%s: a closed date has no hours", quote(strings.Join(words, " ")))
		}
		return nil, nil
	})
}

// open reads the make-up days, which win over closed ones.
func (p *parser) open(text string) {
	before := len(p.errs)
	p.list(FieldOpen, text, func(words []string) ([]shift, error) {
		switch {
		case len(words) > 0:
			return parseShifts(words)
		case firstShifts(p.week) == nil && !p.noHours:
			return nil, errors.New("has no hours, and there are no weekly hours to take: write them after it")
		}
		return firstShifts(p.week), nil
	})
	if firstShifts(p.week) == nil && !p.noHours && len(p.errs) == before && lastOpen(p.dates) == never {
		p.fail(FieldHours, errors.New("there are neither weekly hours nor make-up days: the calendar would never open"))
	}
}

// list reads dates and what stands after them. What one list says twice is a mistake; what both say is settled by the later one.
func (p *parser) list(field, text string, shifts func(words []string) ([]shift, error)) {
	told := map[int]bool{}
	for _, entry := range entries(text) {
		words := strings.Fields(entry)
		if len(words) == 0 {
			p.fail(field, errEmptyEntry)
			continue
		}
		from, to, err := parseDates(words[0])
		if err != nil {
			p.fail(field, err)
			continue
		}
		open, err := shifts(words[1:])
		if err != nil {
			p.fail(field, fmt.Errorf("%s: %w", words[0], err))
			continue
		}
		if p.told += to - from + 1; p.told > maxDates {
			p.fail(field, fmt.Errorf("more than %d days in Closed and Open together: leave out those that are over", maxDates))
			return
		}
		if err := p.tell(told, from, to, open); err != nil {
			p.fail(field, err)
		}
	}
}

// tell notes what holds from one day to another.
func (p *parser) tell(told map[int]bool, from, to int, open []shift) error {
	for day := from; day <= to; day++ {
		if told[day] {
			return fmt.Errorf("%s is told twice", formatDay(day))
		}
		told[day] = true
		p.dates[day] = open
	}
	return nil
}

// parseDates reads a date or a range.
func parseDates(text string) (from, to int, err error) {
	first, last, isRange := strings.Cut(text, "..")
	if from, err = parseDay(first); err != nil {
		return 0, 0, err
	}
	if !isRange {
		return from, from, nil
	}
	if to, err = parseDay(last); err != nil {
		return 0, 0, err
	}
	switch {
	case to < from:
		return 0, 0, fmt.Errorf("%s ends before it begins", text)
	case to-from >= maxRange:
		return 0, 0, fmt.Errorf("%s has %d days, more than %d: is the year right?", text, to-from+1, maxRange)
	}
	return from, to, nil
}

// parseDay reads a date as the number of days since 1 January 1970.
func parseDay(text string) (int, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, fmt.Errorf("%s is not a date: write it as 2027-02-05, and a range as 2027-02-05..2027-02-11", quote(text))
	}
	if t.Year() < minYear || t.Year() > maxYear {
		return 0, fmt.Errorf("%s is not of the years %d to %d", quote(text), minYear, maxYear)
	}
	return int(t.Unix() / secondsPerDay), nil
}

func formatDay(day int) string {
	return time.Unix(int64(day)*secondsPerDay, 0).UTC().Format(time.DateOnly)
}

// never is before every day that can be listed.
const never = -1

// lastOpen is the last listed day that is open, or never.
func lastOpen(dates map[int][]shift) int {
	last := never
	for day, shifts := range dates {
		if len(shifts) > 0 {
			last = max(last, day)
		}
	}
	return last
}

// formatDates writes the dates that are open, or those that are closed, as closed and open read them: days that follow one another with the
// same shifts as ranges, none longer than a range may be.
func formatDates(dates map[int][]shift, open bool) string {
	days := slices.Sorted(maps.Keys(dates))
	days = slices.DeleteFunc(days, func(day int) bool { return (len(dates[day]) > 0) != open })
	var list []string
	for i := 0; i < len(days); {
		from, to := days[i], days[i]
		for i++; i < len(days) && days[i] == to+1 && to-from+1 < maxRange && slices.Equal(dates[days[i]], dates[from]); i++ {
			to = days[i]
		}
		text := formatDay(from)
		if to > from {
			text += ".." + formatDay(to)
		}
		list = append(list, text+formatShifts(dates[from]))
	}
	return strings.Join(list, ", ")
}
