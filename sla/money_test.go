package sla_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"watchkeeper/sla"
)

func TestParseMoneyReadsDecimalStringsOfPlatforms(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		amount, currency string
		want             sla.Money
	}{
		{"12.5", "USD", sla.Money{Minor: 1250, Currency: "USD"}},
		{" 12.50 ", " usd ", sla.Money{Minor: 1250, Currency: "USD"}},
		{"12.5000", "USD", sla.Money{Minor: 1250, Currency: "USD"}},
		{"1500", "JPY", sla.Money{Minor: 1500, Currency: "JPY"}},
		{"1500.00", "JPY", sla.Money{Minor: 1500, Currency: "JPY"}},
		{"3.125", "KWD", sla.Money{Minor: 3125, Currency: "KWD"}},
		{"1", "CLF", sla.Money{Minor: 10000, Currency: "CLF"}},
		{"-0.01", "EUR", sla.Money{Minor: -1, Currency: "EUR"}},
		{"0", "EUR", sla.Money{Currency: "EUR"}},
		{"007", "EUR", sla.Money{Minor: 700, Currency: "EUR"}},
		{"92233720368547758.07", "EUR", sla.Money{Minor: math.MaxInt64, Currency: "EUR"}},
	} {
		got, err := sla.ParseMoney(test.amount, test.currency)
		if err != nil || got != test.want {
			t.Errorf("ParseMoney(%q, %q) = %v, %v; want %v", test.amount, test.currency, got, err, test.want)
		}
	}
}

func TestParseMoneyRefusesWhatIsNoAmount(t *testing.T) {
	t.Parallel()
	for _, amount := range []string{
		"", " ", "-", ".", ".5", "5.", "-.5", "--5", "+5", "1e3", "1,50", "1 50", "1.2.3", "12.345", "0x10", "Inf", "NaN", "١٢", "12.50.",
		"92233720368547758.08", "99999999999999999999", "1.00x", "\x00",
	} {
		if got, err := sla.ParseMoney(amount, "USD"); !errors.Is(err, sla.ErrAmount) || !got.IsZero() {
			t.Errorf("ParseMoney(%q) = %v, %v; want ErrAmount", amount, got, err)
		}
	}
	if _, err := sla.ParseMoney("1.5", "JPY"); !errors.Is(err, sla.ErrAmount) {
		t.Errorf("half a yen: %v", err)
	}
	for _, currency := range []string{"", "US", "USDX", "XYZ", "U D", "D U", "DÉM", strings.Repeat("U", 1000)} {
		_, err := sla.ParseMoney("1", currency)
		if !errors.Is(err, sla.ErrCurrency) || len(err.Error()) > 60 {
			t.Errorf("currency %q: %v; want a short ErrCurrency", currency, err)
		}
	}
}

func TestMajorIsWhatParseMoneyReads(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := sla.Money{
			Minor:    rapid.Int64Min(math.MinInt64+1).Draw(t, "minor"),
			Currency: rapid.SampledFrom([]sla.Currency{"USD", "JPY", "KWD", "CLF"}).Draw(t, "currency"),
		}
		if got, err := sla.ParseMoney(m.Major(), string(m.Currency)); err != nil || got != m {
			t.Fatalf("%d %s prints %q and reads %v, %v", m.Minor, m.Currency, m.Major(), got, err)
		}
	})
	for want, m := range map[string]sla.Money{
		"0.05 USD": {Minor: 5, Currency: "USD"}, "-0.05 USD": {Minor: -5, Currency: "USD"}, "0 JPY": {Currency: "JPY"}, "-": {},
		"-92233720368547758.08 EUR": {Minor: math.MinInt64, Currency: "EUR"},
	} {
		if got := m.String(); got != want {
			t.Errorf("String = %q, want %q", got, want)
		}
	}
}

func TestShareRoundsTowardsZeroAndSaturates(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		minor int64
		share int
		want  int64
	}{
		{1999, 3000, 599}, {-1999, 3000, -599}, {1999, 10_000, 1999}, {1999, 0, 0}, {1999, -5, 0}, {1, 9999, 0},
		{math.MaxInt64, 10_000, math.MaxInt64}, {math.MaxInt64, 20_000, math.MaxInt64}, {math.MaxInt64, math.MaxInt, math.MaxInt64},
		{-math.MaxInt64, 20_000, -math.MaxInt64}, {-math.MaxInt64, math.MaxInt, -math.MaxInt64}, {math.MinInt64, 5000, math.MinInt64 / 2},
	} {
		if got := (sla.Money{Minor: test.minor, Currency: "USD"}).Share(test.share); got.Minor != test.want || got.Currency != "USD" {
			t.Errorf("%d share %d = %v, want %d", test.minor, test.share, got, test.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		m := sla.Money{Minor: rapid.Int64Range(0, math.MaxInt64).Draw(t, "minor"), Currency: "USD"}
		share := rapid.IntRange(0, 10_000).Draw(t, "share")
		part, rest := m.Share(share), m.Share(10_000-share)
		if lost := m.Minor - part.Minor - rest.Minor; part.Minor > m.Minor || lost < 0 || lost > 1 {
			t.Fatalf("%v splits into %v and %v", m, part, rest)
		}
	})
}

func TestAmountsOfDifferentCurrenciesAreNeverCompared(t *testing.T) {
	t.Parallel()
	usd, eur := sla.Money{Minor: 100, Currency: "USD"}, sla.Money{Minor: 100, Currency: "EUR"}
	if _, err := usd.Cmp(eur); !errors.Is(err, sla.ErrMixed) {
		t.Errorf("Cmp = %v, want ErrMixed", err)
	}
	for _, test := range []struct {
		m, limit sla.Money
		want     bool
	}{
		{usd, usd, true},
		{sla.Money{Minor: 99, Currency: "USD"}, usd, true},
		{sla.Money{Minor: 101, Currency: "USD"}, usd, false},
		{usd, eur, false},
		{usd, sla.Money{}, false},
		{sla.Money{}, sla.Money{}, false},
		{sla.Money{Currency: "USD"}, sla.Money{Currency: "USD"}, true},
	} {
		if got := test.m.AtMost(test.limit); got != test.want {
			t.Errorf("%v at most %v = %t, want %t", test.m, test.limit, got, test.want)
		}
	}
}

func FuzzParseMoney(f *testing.F) {
	f.Add("12.50", "USD")
	f.Add("-0", "JPY")
	f.Add("1.0000", "CLF")
	f.Fuzz(func(t *testing.T, amount, currency string) {
		m, err := sla.ParseMoney(amount, currency)
		if err != nil {
			return
		}
		if back, err := sla.ParseMoney(m.Major(), string(m.Currency)); err != nil || back != m {
			t.Errorf("%q %q is %v and again %v, %v", amount, currency, m, back, err)
		}
	})
}
