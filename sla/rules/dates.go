package rules

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// A Span is when a value holds: from From on, before Until; a zero end is open.
type Span struct {
	From, Until time.Time
}

// String is how an operator reads it: the last day included, where the ends are days.
func (s Span) String() string {
	switch {
	case s == (Span{}):
		return "always"
	case s.From.IsZero():
		return "until " + formatDate(s.Until)
	case s.Until.IsZero():
		return "from " + formatDate(s.From)
	case isDay(s.From) && isDay(s.Until):
		return formatDate(s.From) + dateRange + formatDate(s.Until.Add(-day))
	}
	return formatDate(s.From) + dateRange + formatDate(s.Until)
}

const (
	dateRange   = ".."
	dateExample = "2027-02-05..2027-02-20"
)

var (
	errOrphan   = errors.New("says when a variable holds that is not set")
	errNoDates  = errors.New("holds at its dates only, and has none")
	errBackward = errors.New("the end is not after the beginning")
	errBothEnds = errors.New("the end is there twice: in this variable and in " + fromWord)
	errRange    = errors.New("not two days with two dots between them")
)

// eras are the instants at which the value of any variable changes, in order; era n ends at the n-th of them.
type eras []time.Time

// at is the era of an instant.
func (e eras) at(t time.Time) int {
	n, found := slices.BinarySearchFunc(e, t, time.Time.Compare)
	if found {
		n++
	}
	return n
}

// span is a Span in eras: those from from on, before until.
type span struct{ from, until int }

func (s span) holds(era int) bool { return era >= s.from && era < s.until }

func (e eras) span(w Span) span {
	out := span{0, len(e) + 1}
	if !w.From.IsZero() {
		out.from = e.at(w.From)
	}
	if !w.Until.IsZero() {
		out.until = e.at(w.Until)
	}
	return out
}

// when is the time of an era.
func (e eras) when(era int) Span {
	var out Span
	if era > 0 {
		out.From = e[era-1]
	}
	if era < len(e) {
		out.Until = e[era]
	}
	return out
}

// date gives every entry the time in which it holds, and cuts time into eras.
func (l *loader) date() {
	ends := map[string]bool{}
	for _, all := range l.entries {
		for _, e := range all {
			ends[e.name+separator+fromWord], ends[e.name+separator+untilWord] = true, true
			e.when = l.span(e.name)
			if e.season && e.when == (Span{}) && !l.spoiled[e.name+separator+fromWord] && !l.spoiled[e.name+separator+untilWord] {
				l.report(Problem{Variable: e.name + separator + fromWord, Detail: e.name + " " + errNoDates.Error(), Expected: "when it holds", Example: dateExample})
			}
			for _, at := range []time.Time{e.when.From, e.when.Until} {
				if !at.IsZero() {
					l.eras = append(l.eras, at)
				}
			}
		}
	}
	slices.SortFunc(l.eras, time.Time.Compare)
	l.eras = slices.CompactFunc(l.eras, time.Time.Equal)
	for _, all := range l.entries {
		for _, e := range all {
			e.span = l.eras.span(e.when)
		}
	}
	for name := range l.values {
		a, legal := l.parse(name)
		if !legal || a.dating == "" || ends[name] || l.spoiled[name] || l.spoiled[a.undated()] {
			continue
		}
		if s, _, known := l.declared(a); known {
			l.reportDate(name, errOrphan, a.undated()+" to be set, too", s.about.Example)
		}
	}
}

// span reads the dates of a variable.
func (l *loader) span(name string) Span {
	var out Span
	from, until := name+separator+fromWord, name+separator+untilWord
	read := func(variable string, parse func(string) error) bool {
		text, set := l.values[variable]
		if !set || l.spoiled[variable] {
			return false
		}
		_, err := checkValue(variable, text, nil)
		if err == nil {
			err = parse(text)
		}
		if err != nil {
			l.reportDate(variable, err, "a day, which begins at midnight UTC, an instant of RFC 3339, or in "+fromWord+" both days", dateExample)
		}
		return err == nil
	}
	read(from, func(text string) (err error) {
		out, err = parseSpan(text)
		return err
	})
	both := !out.Until.IsZero()
	ended := read(until, func(text string) (err error) {
		if both {
			return errBothEnds
		}
		out.Until, err = parseDate(text)
		return err
	})
	if ended && !out.Until.After(out.From) {
		l.reportDate(until, errBackward, "after "+formatDate(out.From), dateExample)
	}
	return out
}

func (l *loader) reportDate(variable string, err error, expected, example string) {
	l.report(Problem{Variable: variable, Value: quoted(l.values[variable]), Detail: err.Error(), Expected: expected, Example: example})
}

// parseSpan reads what FROM may hold: its own end, or both as days, of which the last is included.
func parseSpan(text string) (Span, error) {
	first, last, both := strings.Cut(text, dateRange)
	from, err := parseDate(first)
	if err != nil || !both {
		return Span{From: from}, err
	}
	until, err := parseDate(last)
	switch {
	case err != nil:
		return Span{}, err
	case !isDay(from) || !isDay(until):
		return Span{}, errRange
	case until.Before(from):
		return Span{}, errBackward
	}
	return Span{from, until.Add(day)}, nil
}
