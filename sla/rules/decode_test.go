package rules

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchkeeper/sla"
)

func TestParseDurationReadsWhatOperatorsWrite(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"90m": 90 * time.Minute, "36h": 36 * time.Hour, "5d": 5 * day, "2w": 14 * day, "1d12h": 36 * time.Hour, "1w1d1h1m1s": 8*day + time.Hour + time.Minute + time.Second,
		"\t5d": 5 * day, "1.5h": 90 * time.Minute, "0d": 0, "0s": 0, "106751d": 106751 * day, "72h0m0s": 3 * day,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %s, %v; want %s", text, got, err, want)
		}
	}
	for text, want := range map[string]error{
		"": errDuration, "-5d": errNegative, "+5d": errDuration, "5": errUnit, "0": errUnit, "1d2": errUnit, "106752d": errOverflow, "15251w": errOverflow,
		"106751d24h": errOverflow, "18446744073709551617d": errOverflow, "d": errDuration, "1.5d": errDuration, "5 d": errDuration, "1h1d": errDuration,
		"1d-1h": errDuration, "١d": errDuration, "5D": errDuration,
	} {
		if got, err := ParseDuration(text); !errors.Is(err, want) {
			t.Errorf("ParseDuration(%q) = %s, %v; want %v", text, got, err, want)
		}
	}
}

func TestFormattedDurationReadsBack(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0d", 36 * time.Hour: "1d12h", 90 * time.Minute: "1h30m", 10 * time.Minute: "10m", 20 * time.Minute: "20m", 5 * time.Second: "5s", 30 * day: "30d",
		day + 10*time.Second: "1d10s",
	} {
		if got := FormatDuration(d); got != want {
			t.Errorf("FormatDuration(%s) = %q, want %q", d, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, math.MaxInt64).Draw(t, "d"))
		if got, err := ParseDuration(FormatDuration(d)); err != nil || got != d {
			t.Fatalf("%s reads back as %s, %v", FormatDuration(d), got, err)
		}
	})
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"90m", "5d", "2w", "1d12h", "-1h", "5", "106752d", "1w2d3h4m5s", "0.5h", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err != nil {
			return
		}
		if back, err := ParseDuration(FormatDuration(d)); d < 0 || err != nil || back != d {
			t.Errorf("%q is %s, and again %s, %v", s, d, back, err)
		}
	})
}

func FuzzParseShare(f *testing.F) {
	for _, s := range []string{"30%", "12.5%", "0.01%", "%", "30", "1.%", ".5%", "-1%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := parseShare(s)
		if err != nil {
			return
		}
		if back, err := parseShare(formatShare(n)); n < 0 || err != nil || back != n {
			t.Errorf("%q is %d, and again %d, %v", s, n, back, err)
		}
	})
}

// FuzzDecoders holds for each decoder that it does not panic and that what it takes reads back from its canonical form as it is.
func FuzzDecoders(f *testing.F) {
	for _, s := range []string{
		"24h,6h", ",", "72h:chat,24h,80%:page", "0%", "50%:log,:chat", "25USD", "12.50 USD", "1500JPY", "0usd", "-1USD", "1.5JPY", "9223372036854775807JPY",
		"refuse?signed@0h,partial:30%@96h,accept:3USD@110h", "playbook", "playbook@0d", "@", "accept:@", "20/1h", "0/0d", "/", "never", "3", "on",
		"2027-02-05", "2027-02-05T01:02:03.5+08:00", "2027-02-05..2027-02-20", "..", "none",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		rules, parcels := newRuleDesk(nil), newParcelDesk()
		for _, v := range slices.Concat(rules.settings, parcels.settings) {
			a, err := v.parse(s, "first")
			if err != nil {
				continue
			}
			a.put()
			if b, err := v.parse(a.text, "second"); err != nil || b.text != a.text || v.show() != a.text || *v.from != "first" {
				t.Errorf("%s: %q is %q, and again %q, %v", v.about.Name, s, a.text, b.text, err)
			}
		}
		span, err := parseSpan(s)
		if err != nil {
			return
		}
		if back, err := parseDate(formatDate(span.From)); err != nil || !back.Equal(span.From) || !span.Until.IsZero() && !span.Until.After(span.From) {
			t.Errorf("%q is %s, and again %s, %v", s, span, back, err)
		}
	})
}

func FuzzLoad(f *testing.F) {
	f.Add("WK_SLA__GUARD=2h\nWK_STORE__A1__PLATFORM=ebay")
	f.Add("WK_STORE____PLATFORM=x\nWK_SLA__STORE__\x00=\xff")
	f.Add("WK_SLA__STORE__REASON__REASON__DAMAGED__GUARD=5d\nWK_=\nWK")
	f.Add("WK_SHIPMENT__CARRIER__A__LANE__CN_BR__STALL=9d\nWK_SHIPMENT__CARRIER__A__LANE__CN_BR__STALL__FROM=2027-02-05..2027-02-20")
	f.Add("WK_SLA__FROM=1\nWK_SLA__GUARD__UNTIL=2027-01-01\nWK_CALENDAR__CN__ZONE=Asia/Shanghai\nWK_SLA__CALENDAR=CN")
	o := Options{Platforms: []Platform{{Name: "ebay", StoreVariables: []string{"TOKEN"}}}, Also: []string{"WK_REDIS__*"}}
	f.Fuzz(func(t *testing.T, env string) {
		b, err := Load(t.Context(), strings.Split(env, "\n"), o)
		var report *Report
		switch {
		case err == nil && b.For("ebay", "A1", sla.ReasonDamaged).Guard.Value <= 0:
			t.Error("a rule without a guard was accepted")
		case err != nil && (!errors.As(err, &report) || len(report.Problems) == 0 || err.Error() == ""):
			t.Errorf("err = %v, want a report with problems", err)
		}
		if err != nil {
			return
		}
		if again, err := Load(t.Context(), b.Environ(), o); err != nil || again.Hash() != b.Hash() {
			t.Errorf("%q: its own environment gives %v, %v", b.Environ(), again, err)
		}
	})
}

func TestNearestForgivesOneUnderscoreForTwo(t *testing.T) {
	t.Parallel()
	names := []string{"WK_REDIS__ADDRS", "WK_REDIS__PASSWORD_FILE", "WK_HTTP__LISTEN"}
	for name, want := range map[string]string{"WK_HTTP_LISSTNER": "WK_HTTP__LISTEN", "WK_RABBIT_HOST": ""} {
		if got := Nearest(name, names); got != want {
			t.Errorf("%s: want %q, got %q", name, want, got)
		}
	}
}

func TestNearestCountsEditsAndSwaps(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b string
		want int
	}{{"GUARD", "GUARD", 0}, {"GURAD", "GUARD", 1}, {"GARD", "GUARD", 1}, {"GUARDS", "GUARD", 1}, {"WARN", "GUARD", 3}, {"", "AB", 2}} {
		if got := distance(test.a, test.b, 10); got != test.want {
			t.Errorf("distance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
		if got := distance(test.b, test.a, 10); got != test.want {
			t.Errorf("distance(%q, %q) = %d, want %d", test.b, test.a, got, test.want)
		}
	}
	if got := distance("ABCDEFGH", "ZYXWVUTS", 3); got != 3 {
		t.Errorf("distance over the limit = %d, want the limit", got)
	}
}
