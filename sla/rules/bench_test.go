package rules_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
)

func manyStores(n int) []string {
	env := make([]string, 0, 2*n)
	for i := range n {
		env = append(env, fmt.Sprintf("WK_STORE__S%04d__PLATFORM=aliexpress", i), fmt.Sprintf("WK_SLA__STORE__S%04d__REASON__DAMAGED__GUARD=2h", i))
	}
	return env
}

// tuned are stores with ten overrides each, some of them dated and some of lanes.
func tuned(n int) []string {
	out := make([]string, 0, 11*n)
	for i := range n {
		at := fmt.Sprintf("STORE__S%04d__", i)
		out = append(out, fmt.Sprintf("WK_STORE__S%04d__PLATFORM=aliexpress", i))
		for _, v := range []string{
			"WK_SLA__|GUARD=2h", "WK_SLA__|ACCEPT_CAP=25USD", "WK_SLA__|WARN=72h,24h,6h:page", "WK_SLA__|REASON__DAMAGED__ANSWER=refuse?signed@0h,partial:30%@0h",
			"WK_SLA__|REASON__MISSING__ACT_AFTER=0h", "WK_SLA__|ACT_BEFORE=4d", "WK_SLA__|ACT_BEFORE__FROM=2027-02-05..2027-02-20", "WK_SHIPMENT__|STALL=10d",
			"WK_SHIPMENT__|LANE__CN_BR__STALL=15d", "WK_SHIPMENT__|CARRIER__YANWEN__STALL=17d",
		} {
			out = append(out, strings.Replace(v, "|", at, 1))
		}
	}
	return out
}

func current(b *testing.B, env []string) rules.Current {
	b.Helper()
	book, err := rules.Load(b.Context(), env, options())
	if err != nil {
		b.Fatal(err)
	}
	at := date("2027-02-10T00:00:00Z")
	return rules.Current{Book: book, Now: func() time.Time { return at }}
}

func BenchmarkFor(b *testing.B) {
	now := current(b, tuned(500))
	b.ReportAllocs()
	for b.Loop() {
		if r := now.For("aliexpress", "S0250", sla.ReasonDamaged); r.ActBefore.Value != 4*day {
			b.Fatal("not the rule of the season")
		}
	}
}

func BenchmarkShipments(b *testing.B) {
	now := current(b, append(tuned(500), "WK_SHIPMENT__LANE__CN_BR__CUSTOMS=9d", "WK_SHIPMENT__CARRIER__YANWEN__LANE__ANY_BR__PICKUP=9d"))
	b.ReportAllocs()
	for b.Loop() {
		if r := now.Shipments("S0250", brazil); r.Stall.Value != 15*day || r.Pickup.Value != 9*day {
			b.Fatal("not the thresholds of the lane")
		}
	}
}

func BenchmarkLoadFiveHundredStoresWithTenOverrides(b *testing.B) {
	env := tuned(500)
	for b.Loop() {
		if _, err := rules.Load(b.Context(), env, options()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReportTwentyTyposAmongAThousandStores(b *testing.B) {
	env := manyStores(1000)
	for i := range 20 {
		env = append(env, fmt.Sprintf("WK_SLA__STORE__S%04d__REASON__DAMAGED__GUADR=2h", i))
	}
	for b.Loop() {
		if _, err := rules.Load(b.Context(), env, options()); err == nil {
			b.Fatal("nothing was refused")
		}
	}
}
