package rules

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"watchkeeper/sla"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
	// maxWarnPoints keeps the count of announced points small wherever it is stored.
	maxWarnPoints = 10
	// maxSteps is more than anybody can keep in mind.
	maxSteps = 10
	// wholeShare is 100 % in basis points.
	wholeShare = 10_000
)

// What can be wrong with a value's form. The declared type says what was expected.
var (
	errUnit     = errors.New("the unit is missing")
	errDuration = errors.New("not a duration")
	errNegative = errors.New("negative")
	errOverflow = errors.New("too large")
	errDays     = errors.New("not a whole number of days")
	errPoints   = errors.New("too many points")
	errTwice    = errors.New("one point is there twice")
	errChannel  = errors.New("the word after the colon is no channel")
	errSteps    = errors.New("too many steps")
	errStep     = errors.New("a step is not an answer, its evidence and its time")
	errTimeless = errors.New("a step without its time: @ and a duration follow the answer")
	errEvidence = errors.New("the word after the question mark is no evidence")
	errFalls    = errors.New("a step comes before the one to its left")
	errLess     = errors.New("a later step gives less than an earlier one of the same evidence and would take its place: give both one time, the preferred first")
	errRate     = errors.New("not a number, a slash and a duration")
	errCount    = errors.New("not a whole number")
	errDate     = errors.New("not a day and not an instant of RFC 3339")
	errYear     = errors.New("outside the years 2000 to 2200")
	errShare    = errors.New("not a percentage with at most two decimals")
	errPercent  = errors.New("the % sign is missing")
	errCurrency = errors.New("the currency is missing")
	errChoice   = errors.New("not one of the choices")
)

// ParseDuration reads 90m, 36h, 5d, 2w, 1d12h: weeks and days first, then what time.ParseDuration reads. A day is 24 hours. A
// bare number, a sign, and more than about 292 years are refused.
func ParseDuration(text string) (time.Duration, error) {
	rest := strings.TrimSpace(text)
	switch {
	case rest == "":
		return 0, errDuration
	case strings.HasPrefix(rest, "-"):
		return 0, errNegative
	case isNumber(rest):
		return 0, errUnit
	case !isDigit(rest[0]) && rest[0] != '.':
		return 0, errDuration
	}
	var total time.Duration
	for _, unit := range []struct {
		letter string
		length time.Duration
	}{{"w", week}, {"d", day}} {
		n, after, found := leading(rest, unit.letter)
		if !found {
			continue
		}
		if n > int64((math.MaxInt64-total)/unit.length) {
			return 0, errOverflow
		}
		total, rest = total+time.Duration(n)*unit.length, after
	}
	if rest == "" {
		return total, nil
	}
	small, err := time.ParseDuration(rest)
	switch {
	case isNumber(rest):
		return 0, errUnit
	case err != nil || small < 0:
		return 0, errDuration
	case small > math.MaxInt64-total:
		return 0, errOverflow
	}
	return total + small, nil
}

// leading takes a whole number followed by the unit off the front of s.
func leading(s, unit string) (n int64, rest string, found bool) {
	digits := 0
	for digits < len(s) && isDigit(s[digits]) {
		digits++
	}
	rest, found = strings.CutPrefix(s[digits:], unit)
	if digits == 0 || !found {
		return 0, s, false
	}
	n, err := strconv.ParseInt(s[:digits], 10, 64)
	if err != nil {
		n = math.MaxInt64 // the caller's bound refuses it
	}
	return n, rest, true
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func isNumber(s string) bool { return strings.Trim(s, "0123456789.") == "" }

// FormatDuration writes what ParseDuration reads, as short as it can: 5d, 1d12h, 90m as 1h30m, 0d for nothing.
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return "0d"
	}
	var out strings.Builder
	if n := int64(d / day); n > 0 {
		fmt.Fprintf(&out, "%dd", n)
		d %= day
	}
	if d == 0 {
		return out.String()
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-len("0s")]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-len("0m")]
	}
	out.WriteString(s)
	return out.String()
}

func parseDays(text string) (time.Duration, error) {
	d, err := ParseDuration(text)
	if err == nil && d%day != 0 {
		err = errDays
	}
	return d, err
}

// parseShare reads "30%" or "12.5%" into basis points.
func parseShare(text string) (int, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	if !percent {
		return 0, errPercent
	}
	whole, frac, point := strings.Cut(strings.TrimSpace(number), ".")
	if whole == "" || len(whole) > 9 || len(frac) > 2 || point && frac == "" || strings.Trim(whole+frac, "0123456789") != "" {
		return 0, errShare
	}
	points, err := strconv.Atoi(whole + frac + strings.Repeat("0", 2-len(frac)))
	if err != nil {
		return 0, errShare
	}
	return points, nil
}

func formatShare(points int) string {
	return strconv.FormatFloat(float64(points)/100, 'f', -1, 64) + "%"
}

// parseMoney reads an amount of major units and its currency: "25USD", "12.50 USD", "1500JPY".
func parseMoney(text string) (sla.Money, error) {
	text = strings.TrimSpace(text)
	at := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' && r != '-' })
	if at < 0 {
		return sla.Money{}, errCurrency
	}
	m, err := sla.ParseMoney(text[:at], text[at:])
	if err == nil && m.Minor < 0 {
		err = errNegative
	}
	return m, err
}

func formatMoney(m sla.Money) string {
	return m.Major() + string(m.Currency)
}
