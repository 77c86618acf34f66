package calendar

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A shift is a part of a day in minutes on the wall, from 0 to 1440.
type shift struct{ from, to int }

const minutesPerDay = 24 * 60

// weekdays from Monday.
var weekdays = [7]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

// hours reads the week.
func (p *parser) hours(text string) [7][]shift {
	before := len(p.errs)
	for _, entry := range entries(text) {
		if err := p.weekEntry(entry); err != nil {
			p.fail(FieldHours, err)
		}
	}
	p.noHours = len(p.errs) > before
	return p.week
}

// weekEntry reads days and their shifts.
func (p *parser) weekEntry(entry string) error {
	words := strings.Fields(entry)
	if len(words) == 0 {
		return errEmptyEntry
	}
	days, err := parseWeekdays(words[0])
	if err != nil {
		return err
	}
	if len(words) == 1 {
		return fmt.Errorf("%s has no hours: write them after it, and leave out days that are closed", quote(entry))
	}
	shifts, err := parseShifts(words[1:])
	if err != nil {
		return fmt.Errorf("%s: %w", words[0], err)
	}
	for _, day := range days {
		if p.week[day] != nil {
			return fmt.Errorf("%s is told twice: write all shifts of a day in one entry", weekdays[day])
		}
		p.week[day] = shifts
	}
	return nil
}

// parseWeekdays reads a weekday or a range of them, which may pass the end of the week.
func parseWeekdays(text string) ([]int, error) {
	from, to, isRange := strings.Cut(text, "-")
	first, err := parseWeekday(from)
	if err != nil {
		return nil, err
	}
	if !isRange {
		return []int{first}, nil
	}
	last, err := parseWeekday(to)
	if err != nil {
		return nil, err
	}
	if first == last {
		return nil, fmt.Errorf("%s is a range of one day: write %s, or Mon-Sun for the whole week", quote(text), weekdays[first][:3])
	}
	days := []int{first}
	for day := first; day != last; {
		day = (day + 1) % 7
		days = append(days, day)
	}
	return days, nil
}

func parseWeekday(text string) (int, error) {
	for day, name := range weekdays {
		if strings.EqualFold(text, name) || strings.EqualFold(text, name[:3]) {
			return day, nil
		}
	}
	return 0, fmt.Errorf("%s is not a weekday: an entry begins with one of Mon, Tue, Wed, Thu, Fri, Sat, Sun or a range such as Mon-Fri", quote(text))
}

// parseShifts reads the shifts of a day, sorts them, and joins those that touch.
func parseShifts(words []string) ([]shift, error) {
	var shifts []shift
	for _, word := range words {
		s, err := parseShift(word)
		if err != nil {
			return nil, err
		}
		shifts = append(shifts, s)
	}
	slices.SortFunc(shifts, func(a, b shift) int { return cmp.Compare(a.from, b.from) })
	joined := shifts[:1]
	for _, s := range shifts[1:] {
		switch before := &joined[len(joined)-1]; {
		case s.from < before.to:
			return nil, fmt.Errorf("%s and %s overlap", before, s)
		case s.from == before.to:
			before.to = s.to
		default:
			joined = append(joined, s)
		}
	}
	return joined, nil
}

func parseShift(word string) (shift, error) {
	from, to, isRange := strings.Cut(word, "-")
	if !isRange {
		return shift{}, fmt.Errorf("%s is not a shift: write it as 09:00-17:30, without blanks around the dash", quote(word))
	}
	begin, err := parseClock(from)
	if err != nil {
		return shift{}, err
	}
	end, err := parseClock(to)
	switch {
	case err != nil:
		return shift{}, err
	case begin == minutesPerDay:
		return shift{}, fmt.Errorf("%s: 24:00 is the end of a day, and a shift that begins at midnight begins at 00:00 of the next", quote(word))
	case begin == end:
		return shift{}, fmt.Errorf("%s is empty: a whole day is 00:00-24:00", quote(word))
	case end == 0:
		return shift{}, fmt.Errorf("%s: the end of the day is 24:00", quote(word))
	case end < begin:
		return shift{}, fmt.Errorf("%s passes midnight: write %s, and %s on the day after", quote(word), shift{begin, minutesPerDay}, shift{0, end})
	}
	return shift{from: begin, to: end}, nil
}

var clockText = regexp.MustCompile(`^([0-9]{1,2}):([0-5][0-9])$`)

// parseClock reads a time of day as minutes.
func parseClock(text string) (int, error) {
	if m := clockText.FindStringSubmatch(text); m != nil {
		hour, errHour := strconv.Atoi(m[1])
		minute, errMinute := strconv.Atoi(m[2])
		if at := hour*60 + minute; errors.Join(errHour, errMinute) == nil && at <= minutesPerDay {
			return at, nil
		}
	}
	return 0, fmt.Errorf("%s is not a time of day: write it as 09:00, from 00:00 to 24:00", quote(text))
}

// firstShifts are those of the first open weekday.
func firstShifts(week [7][]shift) []shift {
	for _, shifts := range week {
		if len(shifts) > 0 {
			return shifts
		}
	}
	return nil
}

func (s shift) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", s.from/60, s.from%60, s.to/60, s.to%60)
}

// formatWeek writes what hours reads: days that follow one another with the same shifts as one entry.
func formatWeek(week [7][]shift) string {
	var list []string
	for day := 0; day < len(week); {
		end := day + 1
		for end < len(week) && slices.Equal(week[end], week[day]) {
			end++
		}
		if len(week[day]) > 0 {
			days := weekdays[day][:3]
			if end-day > 1 {
				days += "-" + weekdays[end-1][:3]
			}
			list = append(list, days+formatShifts(week[day]))
		}
		day = end
	}
	return strings.Join(list, ", ")
}

// formatShifts writes each with a blank before it.
func formatShifts(shifts []shift) string {
	var b strings.Builder
	for _, s := range shifts {
		b.WriteString(" " + s.String())
	}
	return b.String()
}
