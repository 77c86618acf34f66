package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"watchkeeper/sla/rules"
)

// TestItsOwnEnvironmentGivesTheSameRulebook draws variables, dates among them: what Environ prints loads to the same hash and prints again.
func TestItsOwnEnvironmentGivesTheSameRulebook(t *testing.T) {
	t.Parallel()
	values := map[string][]string{
		"RESPONSE_WINDOW": {"2w", "120h"}, "WARN": {"6h, 24h:page", "50%,80%:log"}, "ACT_BEFORE": {"72h", "1d12h"}, "ACT_AFTER": {"0h", "never"}, "GUARD": {"90m", "2h"},
		"ANSWER": {"playbook", "refuse?signed@0h, partial:30%@0h", "playbook@1h"}, "ACCEPT_CAP": {"25 usd", "never"}, "HOLD_CLAIMS": {"3", "never"}, "KILL": {"on", "off"},
		"CALENDAR": {"CN", "none"}, "APPROVE_ABOVE": {"15.5USD"}, "MODE": {"live", "hold"},
	}
	rapid.Check(t, func(t *rapid.T) {
		env := []string{
			storeA1, "WK_STORE__A1__APP_SECRET=hunter2", "WK_STORE__A1__POLL=90s", "WK_CALENDAR__CN__ZONE=Asia/Shanghai",
			"WK_CALENDAR__CN__HOURS=Sat 9:00-12:00,Mon-fri 9:00-12:00 13:00-18:00", "WK_CALENDAR__CN__CLOSED=2027-05-01", "WK_SLA__STORM=20/60m",
		}
		set := func(name string, of []string) {
			if !rapid.Bool().Draw(t, name) {
				return
			}
			env = append(env, name+"="+rapid.SampledFrom(of).Draw(t, "value"))
			switch first := rapid.IntRange(1, 28).Draw(t, "day"); rapid.IntRange(0, 3).Draw(t, "dates") {
			case 1:
				env = append(env, fmt.Sprintf("%s__FROM=2027-02-%02d..2027-03-01", name, first))
			case 2:
				env = append(env, fmt.Sprintf("%s__UNTIL=2027-02-%02dT12:00:00+08:00", name, first))
			}
		}
		for _, s := range ruleScopes {
			for name, of := range values {
				set(s+name, of)
			}
		}
		for _, s := range laneScopes {
			set(s+"STALL", []string{"9d", "12d", "2w"})
		}
		b, err := rules.Load(t.Context(), env, options())
		if err != nil {
			t.Skip("the values contradict each other")
		}
		again, err := rules.Load(t.Context(), b.Environ(), options())
		if err != nil || again.Hash() != b.Hash() {
			t.Fatalf("%q\ngives %v, want %v; %v", b.Environ(), again, b, err)
		}
		if diff := cmp.Diff(b.Environ(), again.Environ()); diff != "" || strings.Contains(fmt.Sprint(b.Environ()), "hunter2") {
			t.Fatalf("not canonical, or with a secret (-first +second):\n%s", diff)
		}
		if changes := rules.Diff(b, again); len(changes) > 0 {
			t.Fatalf("changes: %+v", changes)
		}
	})
}

func TestHashTellsDatesLanesAndCalendarsApart(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, more := range []string{
		"WK_STORE__ALIEXPRESS__RATE=5", "WK_STORE__A1__RATE=6", "WK_STORE__A1__RATE=6 WK_STORE__A1__RATE__FROM=2027-01-01", "WK_STORE__A1__CONCURRENCY=2",
		"WK_SLA__TOTAL_BUDGET=5USD WK_SLA__TOTAL_BUDGET__SEASON=6USD WK_SLA__TOTAL_BUDGET__SEASON__FROM=2027-01-01",
		"", "WK_SLA__RECHECK=1h", "WK_SLA__RECHECK=1h WK_SLA__RECHECK__FROM=2027-01-01", "WK_SLA__RECHECK=1h WK_SLA__RECHECK__FROM=2027-01-02",
		"WK_SLA__RECHECK=1h WK_SLA__RECHECK__UNTIL=2027-01-02", "WK_SHIPMENT__STALL=9d", "WK_SHIPMENT__LANE__CN_BR__STALL=9d",
		"WK_SHIPMENT__CARRIER__CN__STALL=9d", "WK_SHIPMENT__LANE__CN_BR__STALL=9d WK_SHIPMENT__LANE__CN_BR__STALL__FROM=2027-01-01",
		"WK_CALENDAR__CN__ZONE=Asia/Shanghai WK_CALENDAR__CN__HOURS=Mon 9:00-10:00", "WK_CALENDAR__CN__ZONE=Asia/Shanghai WK_CALENDAR__CN__HOURS=Mon 9:00-11:00",
		"WK_SLA__TOTAL_BUDGET=5USD", "WK_SLA__TOTAL_BUDGET=5USD WK_SLA__TOTAL_BUDGET__FROM=2027-01-01", "WK_STORE__A1__POLL=1m",
	} {
		hash := load(t, slices.Concat([]string{storeA1}, slices.DeleteFunc(entries(more), func(s string) bool { return s == "" }))...).Hash()
		if other, twice := seen[hash]; twice {
			t.Errorf("%q and %q have one hash", other, more)
		}
		seen[hash] = more
	}
	same := load(t, storeA1, "WK_SLA__RECHECK=6h", "WK_SLA__RECHECK__FROM=2027-01-01").Hash()
	if seen[same] != "" || len(seen) == 0 {
		t.Error("a date at which nothing changes changes the hash")
	}
}

func TestDiffTellsWhatChangesAndWhen(t *testing.T) {
	t.Parallel()
	before := load(t, storeA1, "WK_SLA__GUARD=2h", "WK_SHIPMENT__STALL=10d")
	after := load(t, storeA1, "WK_STORE__A2__PLATFORM=ebay", "WK_SLA__GUARD=2h", "WK_SLA__STORE__A1__REASON__DAMAGED__GUARD=3h", "WK_SHIPMENT__STALL=10d",
		"WK_SHIPMENT__STORE__A1__LANE__CN_BR__STALL=15d", "WK_SHIPMENT__STORE__A1__LANE__CN_BR__STALL__FROM=2027-02-05..2027-02-20",
		"WK_SLA__TOTAL_BUDGET=5USD", "WK_SLA__TOTAL_BUDGET__FROM=2027-02-10")
	spring := rules.Span{From: date("2027-02-05T00:00:00Z"), Until: date("2027-02-21T00:00:00Z")}
	want := []rules.Change{
		{Scope: "store A2", Variable: "PLATFORM", Is: "ebay", IsFrom: "WK_STORE__A2__PLATFORM"},
		{"store A1, reason damaged", "GUARD", "2h", "3h", "WK_SLA__GUARD", "WK_SLA__STORE__A1__REASON__DAMAGED__GUARD", rules.Span{}},
		{"store A1, lane CN_BR", "SHIPMENT__STALL", "10d", "15d", "WK_SHIPMENT__STALL", "WK_SHIPMENT__STORE__A1__LANE__CN_BR__STALL", spring},
		{"default", "TOTAL_BUDGET", "never", "5.00USD", "default", "WK_SLA__TOTAL_BUDGET", rules.Span{From: date("2027-02-10T00:00:00Z")}},
	}
	got := rules.Diff(before, after)
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("missing %+v", w)
		}
	}
	for _, c := range got {
		if !strings.HasPrefix(c.Scope, "store A2") && !slices.Contains(want, c) {
			t.Errorf("unexpected %+v", c)
		}
	}
	back := rules.Diff(after, before)
	if len(back) != len(got) {
		t.Errorf("%d changes back, %d there", len(back), len(got))
	}
	if s := spring.String(); s != "2027-02-05..2027-02-20" {
		t.Errorf("span = %s", s)
	}
}
