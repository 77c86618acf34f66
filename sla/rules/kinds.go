package rules

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"watchkeeper/sla"
	"watchkeeper/sla/calendar"
)

const (
	// neverWord is the value of a setting that is off, and noneWord of one that names nothing.
	neverWord = "never"
	noneWord  = "none"
)

func within[T int | time.Duration](least, most T, format func(T) string) (string, func(T) error) {
	bounds := format(least) + " to " + format(most)
	return bounds, func(v T) error {
		if v < least || v > most {
			return fmt.Errorf("outside %s", bounds)
		}
		return nil
	}
}

func anything[T any](T) error { return nil }

func duration(least, most time.Duration) kind[time.Duration] {
	bounds, check := within(least, most, FormatDuration)
	return kind[time.Duration]{"duration", "m, h, d, w", bounds, ParseDuration, check, FormatDuration}
}

func wholeDays(most time.Duration) kind[time.Duration] {
	bounds, check := within(0, most, FormatDuration)
	return kind[time.Duration]{"whole days", "d, w", bounds, parseDays, check, FormatDuration}
}

// orNever lets a kind be switched off by a word.
func orNever[T comparable](k kind[T], off T) kind[T] {
	parse, check, format := k.parse, k.check, k.format
	k.name += " or " + neverWord
	k.parse = func(s string) (T, error) {
		if strings.TrimSpace(s) == neverWord {
			return off, nil
		}
		v, err := parse(s)
		if err == nil {
			err = check(v) // here, so that nobody switches off with a number
		}
		return v, err
	}
	k.check = anything[T]
	k.format = func(v T) string {
		if v == off {
			return neverWord
		}
		return format(v)
	}
	return k
}

func share(least, most int) kind[int] {
	bounds, check := within(least, most, formatShare)
	return kind[int]{"percentage", "%", bounds, parseShare, check, formatShare}
}

func count(least, most int) kind[int] {
	bounds, check := within(least, most, strconv.Itoa)
	return kind[int]{"whole number", "", bounds, parseCount, check, strconv.Itoa}
}

func perSecond(least, most int) kind[int] {
	k := count(least, most)
	k.name, k.unit = "calls a second", "calls a second"
	return k
}

func money() kind[sla.Money] {
	return orNever(kind[sla.Money]{
		"amount and currency", "major units of an ISO 4217 currency", "not negative", parseMoney, anything[sla.Money], formatMoney,
	}, sla.Money{})
}

func rate(most int, shortest, longest time.Duration) kind[sla.Rate] {
	_, number := within(1, most, strconv.Itoa)
	_, span := within(shortest, longest, FormatDuration)
	return orNever(kind[sla.Rate]{
		"number within a duration", "m, h, d, w", fmt.Sprintf("1 to %d within %s to %s", most, FormatDuration(shortest), FormatDuration(longest)),
		parseRate, func(r sla.Rate) error { return cmp.Or(number(r.Count), span(r.Per)) }, formatRate,
	}, sla.Rate{})
}

func points(least, most time.Duration) kind[[]sla.WarnPoint] {
	bounds, check := within(least, most, FormatDuration)
	shares, part := within(100, wholeShare-100, formatShare)
	return kind[[]sla.WarnPoint]{
		"list of durations or shares of the window, each with :log, :chat or :page", "m, h, d, w, %",
		fmt.Sprintf("each %s or %s, at most %d", bounds, shares, maxWarnPoints), parsePoints,
		func(all []sla.WarnPoint) error {
			for _, p := range all {
				if err := check(p.Before); p.Share == 0 && err != nil {
					return err
				}
				if err := part(p.Share); p.Share != 0 && err != nil {
					return err
				}
			}
			return nil
		}, formatPoints,
	}
}

func steps(latest time.Duration) kind[[]sla.Step] {
	_, moment := within(0, latest, FormatDuration)
	_, part := within(1, wholeShare, formatShare)
	return kind[[]sla.Step]{
		"list of steps, each refuse, partial:SHARE, accept, accept:LIMIT or playbook, then ?EVIDENCE where it matters, then @DURATION since the turn was opened", "",
		fmt.Sprintf("times that do not fall, at most %s; at most %d steps; evidence one of %s", FormatDuration(latest), maxSteps, joined(sla.Evidences()[1:])),
		parseSteps,
		func(all []sla.Step) error {
			for _, s := range all {
				if err := moment(s.After); err != nil {
					return err
				}
				if err := part(s.Share); s.Kind == sla.AnswerOffer && err != nil {
					return err
				}
			}
			return nil
		}, formatSteps,
	}
}

func oneOf[T fmt.Stringer](name, bounds string, parse func(string) (T, error)) kind[T] {
	return kind[T]{
		name, "", bounds, func(s string) (T, error) {
			v, err := parse(strings.TrimSpace(s))
			if err != nil {
				err = errChoice // the report names the choices and the value
			}
			return v, err
		}, anything[T], T.String,
	}
}

func onOff() kind[bool] {
	return kind[bool]{
		"switch", "", "on or off", func(s string) (bool, error) {
			switch strings.TrimSpace(s) {
			case "on":
				return true, nil
			case "off":
				return false, nil
			}
			return false, errChoice
		}, anything[bool], func(on bool) string {
			if on {
				return "on"
			}
			return "off"
		},
	}
}

var errNoCalendar = errors.New("no such calendar: " + prefixCalendar + "<NAME>__ZONE declares one")

// declaredCalendar names a calendar of the environment. One that is declared and wrong is nil here: it is a mistake of its own.
func declaredCalendar(declared map[string]*calendar.Calendar) kind[*calendar.Calendar] {
	return kind[*calendar.Calendar]{
		"name of a calendar or none", "", "", func(s string) (*calendar.Calendar, error) {
			name := strings.TrimSpace(s)
			c, ok := declared[name]
			if !ok && name != noneWord {
				return nil, errNoCalendar
			}
			return c, nil
		}, anything[*calendar.Calendar], func(c *calendar.Calendar) string { return cmp.Or(c.Name(), noneWord) },
	}
}

func text() kind[string] {
	return kind[string]{"text", "", "", func(s string) (string, error) { return strings.TrimSpace(s), nil }, anything[string], strings.Clone}
}

// joined lists values by their names.
func joined[T fmt.Stringer](all []T) string {
	var out []string
	for _, v := range all {
		out = append(out, v.String())
	}
	return strings.Join(out, ", ")
}
