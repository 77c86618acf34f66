package sla

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Errors of money.
var (
	ErrCurrency = errors.New("unknown currency")
	ErrAmount   = errors.New("not an amount")
	ErrMixed    = errors.New("currencies differ")
)

// Money is an amount in minor units (cents for USD, yen for JPY) of one currency. The zero value is "no money", not zero dollars.
type Money struct {
	Minor    int64    `json:"minor"`
	Currency Currency `json:"currency"`
}

// ParseMoney reads a platform's decimal string of major units, for example ("12.5", "USD") → 1250 minor units. More digits than
// the currency has are accepted only when they are zeros. Signs other than a leading '-' and exponents are refused.
func ParseMoney(amount, currency string) (Money, error) {
	cur, err := ParseCurrency(currency)
	if err != nil {
		return Money{}, err
	}
	minor, err := parseMinor(strings.TrimSpace(amount), cur.Exponent())
	if err != nil {
		return Money{}, fmt.Errorf("amount %q %s: %w", clip(amount, 24), cur, err)
	}
	return Money{Minor: minor, Currency: cur}, nil
}

func parseMinor(s string, exp int) (int64, error) {
	s, negative := strings.CutPrefix(s, "-")
	whole, frac, hasPoint := strings.Cut(s, ".")
	if whole == "" || (hasPoint && frac == "") {
		return 0, ErrAmount
	}
	if len(frac) > exp {
		if strings.Trim(frac[exp:], "0") != "" {
			return 0, ErrAmount
		}
		frac = frac[:exp]
	}
	digits := whole + frac + strings.Repeat("0", exp-len(frac))
	for _, r := range digits {
		if r < '0' || r > '9' {
			return 0, ErrAmount
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, ErrAmount
	}
	if negative {
		n = -n
	}
	return n, nil
}

// IsZero reports whether there is no money at all: no currency and no amount.
func (m Money) IsZero() bool { return m == Money{} }

// Major is the decimal string of major units that platforms expect: "12.50", "1500", "3.125".
func (m Money) Major() string {
	exp := m.Currency.Exponent()
	sign, n := "", m.Minor
	var u uint64
	if n < 0 {
		sign, u = "-", uint64(-(n+1))+1
	} else {
		u = uint64(n)
	}
	digits := strconv.FormatUint(u, 10)
	if exp == 0 {
		return sign + digits
	}
	if len(digits) <= exp {
		digits = strings.Repeat("0", exp+1-len(digits)) + digits
	}
	return sign + digits[:len(digits)-exp] + "." + digits[len(digits)-exp:]
}

// String is "12.50 USD", or "-" for no money.
func (m Money) String() string {
	if m.IsZero() {
		return "-"
	}
	return m.Major() + " " + string(m.Currency)
}

// Share is the given part of the amount in basis points (3000 = 30 %), rounded towards zero and
// kept within what fits.
func (m Money) Share(basisPoints int) Money {
	negative := m.Minor < 0
	u := uint64(m.Minor)
	if negative {
		u = -u
	}
	q := uint64(math.MaxInt64)
	if hi, lo := bits.Mul64(u, uint64(max(basisPoints, 0))); hi < 10_000 { // else the quotient does not fit
		q, _ = bits.Div64(hi, lo, 10_000)
	}
	n := int64(min(q, math.MaxInt64))
	if negative {
		n = -n
	}
	return Money{Minor: n, Currency: m.Currency}
}

// Cmp compares two amounts of one currency; amounts of different currencies cannot be compared.
func (m Money) Cmp(o Money) (int, error) {
	if m.Currency != o.Currency {
		return 0, fmt.Errorf("%s and %s: %w", m.Currency, o.Currency, ErrMixed)
	}
	switch {
	case m.Minor < o.Minor:
		return -1, nil
	case m.Minor > o.Minor:
		return 1, nil
	}
	return 0, nil
}

// AtMost reports whether m is no more than limit. Different currencies, or no limit, are never at most.
func (m Money) AtMost(limit Money) bool {
	c, err := m.Cmp(limit)
	return err == nil && !limit.IsZero() && c <= 0
}
