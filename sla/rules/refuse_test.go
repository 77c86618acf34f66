package rules_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
)

const storeA1 = "WK_STORE__A1__PLATFORM=aliexpress"

func TestThreeMistakesAreReportedTogether(t *testing.T) {
	t.Parallel()
	got := problems(t, "WK_SLA__ALIEXPRES__ACT_BEFORE=5h", "WK_SLA__GUARD=5", "WK_SLA__MODE=auto")
	if len(got) != 3 {
		t.Fatalf("%d problems, want 3: %v", len(got), got)
	}
	if p := got[0]; p.Variable != "WK_SLA__ALIEXPRES__ACT_BEFORE" || p.Suggestion != "WK_SLA__ALIEXPRESS__ACT_BEFORE" {
		t.Errorf("first = %+v", p)
	}
	if p := got[1]; p.Variable != "WK_SLA__GUARD" || p.Value != `"5"` || p.Expected == "" || p.Example == "" {
		t.Errorf("second = %+v", p)
	}
	if p := got[2]; p.Variable != "WK_SLA__MODE" || !strings.Contains(p.Expected, "shadow, hold or live") {
		t.Errorf("third = %+v", p)
	}
}

func TestUnknownNamesAreRefusedWithTheNearestOne(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ detail, suggestion string }{
		"WK_SLA__ALIEXPRES__ACT_BEFORE":                {"no platform ALIEXPRES", "WK_SLA__ALIEXPRESS__ACT_BEFORE"},
		"WK_SLA__ACT_BEFROE":                           {"no such variable", "WK_SLA__ACT_BEFORE"},
		"WK_SLA_GUARD":                                 {"no such variable", "WK_SLA__GUARD"},
		"wk_sla__guard":                                {"no such variable", "WK_SLA__GUARD"},
		"WK_SLA__EBAY__REASON__NOT_RECEVIED__GUARD":    {"no reason NOT_RECEVIED", "WK_SLA__EBAY__REASON__NOT_RECEIVED__GUARD"},
		"WK_SLA__STORE__A2__GUARD":                     {"store A2 is not declared", "WK_SLA__STORE__A1__GUARD"},
		"WK_SLA__STORE__A1__REASON__LOST__GUARD":       {"no reason LOST", ""},
		"WK_SLA__STORE__A1__REASON__DAMAGED__GARD":     {"in this scope", "WK_SLA__STORE__A1__REASON__DAMAGED__GUARD"},
		"WK_SHIPMENT__STORE__A2__STALL":                {"store A2 is not declared", "WK_SHIPMENT__STORE__A1__STALL"},
		"WK_SHIPMENT__STAL":                            {"no such variable", "WK_SHIPMENT__STALL"},
		"WK_STORE__A1__APP_SECERT":                     {"no such variable", "WK_STORE__A1__APP_SECRET"},
		"WK_STORE__A1__TOKEN":                          {"no such variable", ""}, // of another platform
		"WK_REDIS__URI":                                {"no such variable", "WK_REDIS__URL"},
		"WK_":                                          {"no such variable", ""},
		"WK_COMPLETELY_DIFFERENT_AND_FAR_FROM_ALL":     {"no such variable", ""},
		"WK_SLA__ALIEXPRESS__REASON__damaged__GUARD":   {"no reason damaged", "WK_SLA__ALIEXPRESS__REASON__DAMAGED__GUARD"},
		"WK_STORE__a1__PLATFORM":                       {"no such variable", "WK_STORE__A1__PLATFORM"},
		"WK_SLA__STORE__A1__REASON__DAMAGED__X__GUARD": {"in this scope", "WK_SLA__STORE__A1__REASON__DAMAGED__GUARD"},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := problems(t, storeA1, name+"=5h")
			if len(got) != 1 || got[0].Variable != name || !strings.Contains(got[0].Detail, want.detail) {
				t.Fatalf("problems = %+v, want one with %q", got, want.detail)
			}
			if want.suggestion != "" && got[0].Suggestion != want.suggestion {
				t.Errorf("suggestion = %q, want %q", got[0].Suggestion, want.suggestion)
			}
		})
	}
}

func TestBadValuesAreRefusedByName(t *testing.T) {
	t.Parallel()
	for _, entry := range []string{
		"WK_SLA__GUARD=", "WK_SLA__GUARD=  ", "WK_SLA__GUARD=-2h", "WK_SLA__GUARD=0s", "WK_SLA__GUARD=0", "WK_SLA__GUARD=90",
		"WK_SLA__GUARD=1d12", "WK_SLA__GUARD=99999999999999999999d", "WK_SLA__GUARD=106752d", "WK_SLA__GUARD=5x", "WK_SLA__GUARD=2h30",
		"WK_SLA__GUARD=12h1d", "WK_SLA__GUARD=1d-2h", "WK_SLA__GUARD=two hours", "WK_SLA__GUARD=2h\x00", "WK_SLA__GUARD=\xff2h",
		"WK_SLA__GUARD=31d", "WK_SLA__SETTLE=59s", "WK_SLA__WARN=1h,,2h", "WK_SLA__WARN=1h,0s", "WK_SLA__WARN=10m,11m,12m,13m,14m,15m,16m,17m,18m,19m,20m",
		"WK_SLA__MODE=LIVE", "WK_SLA__OFFER_SHARE=30", "WK_SLA__OFFER_SHARE=101%", "WK_SLA__OFFER_SHARE=-1%", "WK_SLA__OFFER_SHARE=0%",
		"WK_SLA__OFFER_SHARE=1.234%", "WK_SLA__OFFER_SHARE=%", "WK_SLA__ACCEPT_CAP=25", "WK_SLA__ACCEPT_CAP=USD", "WK_SLA__ACCEPT_CAP=-1USD",
		"WK_SLA__ACCEPT_CAP=1.5JPY", "WK_SLA__ACCEPT_CAP=1XYZ", "WK_SLA__EXTEND=36h", "WK_SLA__EXTEND=10", "WK_SHIPMENT__STALL=5m",
		"WK_STORE__A1__POLL=1s", "WK_STORE__A1__APP_KEY=", "WK_REDIS__URL=\xff",
	} {
		t.Run(entry, func(t *testing.T) {
			t.Parallel()
			got := problems(t, storeA1, entry)
			name, _, _ := strings.Cut(entry, "=")
			if len(got) != 1 || got[0].Variable != name || got[0].Detail == "" {
				t.Errorf("problems = %+v, want one about %s", got, name)
			}
		})
	}
}

func TestValuesOfOneRuleMustFitTogether(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		env      []string
		variable string
	}{
		"guard as long as act before":      {[]string{storeA1, "WK_SLA__GUARD=72h"}, "WK_SLA__GUARD"},
		"act before longer than window":    {[]string{storeA1, "WK_SLA__RESPONSE_WINDOW=2d"}, "WK_SLA__RESPONSE_WINDOW"},
		"warn at the start of the window":  {[]string{storeA1, "WK_SLA__WARN=5d"}, "WK_SLA__WARN"},
		"guard not more than settle":       {[]string{storeA1, "WK_SLA__SETTLE=90m"}, "WK_SLA__SETTLE"},
		"no time for a second try":         {[]string{storeA1, "WK_SLA__SETTLE=88m", "WK_SLA__ACT_BEFORE=3h"}, "WK_SLA__ACT_BEFORE"},
		"one reason of one store":          {[]string{storeA1, "WK_SLA__STORE__A1__REASON__DAMAGED__GUARD=4d"}, "WK_SLA__STORE__A1__REASON__DAMAGED__GUARD"},
		"a platform without a store":       {[]string{storeA1, "WK_SLA__EBAY__ACT_BEFORE=4d"}, "WK_SLA__EBAY__ACT_BEFORE"},
		"the general rule without a store": {[]string{"WK_SLA__GUARD=4d"}, "WK_SLA__GUARD"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := problems(t, test.env...)
			if len(got) != 1 || got[0].Variable != test.variable {
				t.Errorf("problems = %+v, want one about %s", got, test.variable)
			}
		})
	}
}

func TestBreachInManyStoresIsOneProblem(t *testing.T) {
	t.Parallel()
	got := problems(t, storeA1, "WK_STORE__A2__PLATFORM=aliexpress", "WK_STORE__A3__PLATFORM=aliexpress", "WK_SLA__GUARD=4d")
	if len(got) != 1 || !strings.Contains(got[0].Detail, "store A1 and 2 more") {
		t.Errorf("problems = %+v, want one", got)
	}
}

func TestPlatformThatIsNotUsedDoesNotStopTheFleet(t *testing.T) {
	t.Parallel()
	// ebay's own window of 3 days could not hold this; no store is there.
	b := load(t, storeA1, "WK_SLA__ACT_BEFORE=4d")
	if got := b.For("aliexpress", "A1", sla.ReasonOther).ActBefore.Value; got != 4*day {
		t.Errorf("act before = %s", got)
	}
}

func TestStoreMustHaveAKnownPlatform(t *testing.T) {
	t.Parallel()
	got := problems(t, "WK_STORE__A1__APP_KEY=k", "WK_STORE__A1__TOKEN=k", "WK_SLA__STORE__A1__GUARD=2h")
	if len(got) != 1 || got[0].Variable != "WK_STORE__A1__PLATFORM" {
		t.Errorf("without a platform: %+v", got)
	}
	got = problems(t, "WK_STORE__A1__PLATFORM=alixpress", "WK_STORE__A1__APP_KEY=k")
	if len(got) != 1 || got[0].Value != `"alixpress"` || !strings.Contains(got[0].Expected, "aliexpress, ebay") {
		t.Errorf("with an unknown platform: %+v", got)
	}
}

func TestAmbiguousEnvironmentIsRefused(t *testing.T) {
	t.Parallel()
	if got := problems(t, "WK_SLA__GUARD=2h", "WK_SLA__GUARD=3h", "WK_SLA__MODE"); len(got) != 2 {
		t.Errorf("problems = %+v, want one for each name", got)
	}
	for _, name := range []sla.Platform{"store", "Ebay", "e_bay", ""} {
		_, err := rules.Load(t.Context(), nil, rules.Options{Platforms: []rules.Platform{{Name: name}}})
		if err == nil {
			t.Errorf("platform %q is accepted", name)
		}
	}
}

func TestDefaultsOfAPlatformAreCheckedToo(t *testing.T) {
	t.Parallel()
	o := rules.Options{Platforms: []rules.Platform{{Name: "odd", Defaults: func(r sla.Rule) sla.Rule {
		r.Guard.Value = 100 * day
		return r
	}}}}
	_, err := rules.Load(t.Context(), []string{"WK_STORE__O1__PLATFORM=odd"}, o)
	if err == nil || !strings.Contains(err.Error(), "WK_SLA__STORE__O1__GUARD") {
		t.Errorf("err = %v, want the variable that would mend it", err)
	}
}

// TestAcceptedRulesAlwaysHoldTheirOrder throws legal values at one store: whatever Load accepts is in order.
func TestAcceptedRulesAlwaysHoldTheirOrder(t *testing.T) {
	t.Parallel()
	scopes := []string{"WK_SLA__", "WK_SLA__ALIEXPRESS__", "WK_SLA__STORE__A1__", "WK_SLA__STORE__A1__REASON__DAMAGED__"}
	rapid.Check(t, func(t *rapid.T) {
		env := []string{storeA1}
		for _, s := range scopes {
			for _, name := range []string{"RESPONSE_WINDOW", "ACT_BEFORE", "GUARD", "SETTLE", "WARN"} {
				if rapid.Bool().Draw(t, s+name) {
					d := time.Duration(rapid.IntRange(1, 400).Draw(t, "hours")) * time.Hour / 4
					env = append(env, s+name+"="+rules.FormatDuration(d))
				}
			}
		}
		b, err := rules.Load(context.Background(), env, options())
		if _, refused := errors.AsType[*rules.Report](err); refused {
			return
		}
		if err != nil {
			t.Fatalf("err = %v, want a report", err)
		}
		for _, reason := range sla.Reasons() {
			r := b.For("aliexpress", "A1", reason)
			if r.Guard.Value <= r.Settle.Value || r.Guard.Value >= r.ActBefore.Value || r.ActBefore.Value > r.Window.Value ||
				slices.ContainsFunc(r.Warn.Value, func(p sla.WarnPoint) bool { return p.Before >= r.Window.Value }) {
				t.Fatalf("%v gives %+v", env, r)
			}
		}
	})
}

// A list whose later steps give as much or more, or ask for something else, is no mistake.
func TestStepsMayRise(t *testing.T) {
	t.Parallel()
	for _, steps := range []string{
		"refuse@0h,partial:30%@96h,accept@110h", "partial:30%@0h,partial:30%@96h", "accept@0h,refuse?signed@96h", "refuse?signed@0h,partial:30%@0h",
		"partial:30%@0h,refuse@0h", "accept:3USD@0h,partial:30%@96h", "accept@0h,accept:3USD@96h", "accept@0h,playbook@96h", "playbook@0h,refuse@96h",
	} {
		load(t, storeA1, "WK_SLA__ACCEPT_CAP=25USD", "WK_SLA__ANSWER="+steps)
	}
}

// A platform's clock that hardly runs would leave the deadline years away, and every case unanswered until then.
func TestAWindowOnAClockThatHardlyRunsIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hours, window string
		refused       bool
	}{
		"a minute a week":           {"Mon 00:00-00:01", "5d", true},
		"a day a week":              {"Sun 9:00-17:00", "5d", true},
		"working days":              {"Mon-Fri 00:00-24:00", "24h", false},
		"working hours":             {"Mon-Fri 9:00-17:00", "5d", false},
		"working hours, a month":    {"Mon-Fri 9:00-17:00", "30d", false},
		"working hours, two months": {"Mon-Fri 9:00-17:00", "60d", true},
		"less than a shift":         {"Mon-Fri 9:00-17:00", "6h", false},
	} {
		env := []string{
			storeA1, "WK_CALENDAR__X__ZONE=Asia/Shanghai", "WK_CALENDAR__X__HOURS=" + c.hours, "WK_SLA__WINDOW_CALENDAR=X", "WK_SLA__RESPONSE_WINDOW=" + c.window,
			"WK_SLA__ACT_BEFORE=5h", "WK_SLA__WARN=2h",
		}
		if !c.refused {
			load(t, env...)
			continue
		}
		got := problems(t, env...)
		if len(got) != 1 || got[0].Variable != "WK_SLA__WINDOW_CALENDAR" || !strings.Contains(got[0].String(), "open more often") {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}
