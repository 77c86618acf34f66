package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
)

var brazil = sla.Lane{Carrier: "YanWen", Origin: "CN", Dest: "BR"}

// laneScopes are the scopes that apply to a parcel of store A1 on the lane to Brazil, the most specific first.
var laneScopes = []string{
	"WK_SHIPMENT__STORE__A1__CARRIER__YANWEN__LANE__CN_BR__", "WK_SHIPMENT__STORE__A1__CARRIER__YANWEN__LANE__ANY_BR__",
	"WK_SHIPMENT__STORE__A1__CARRIER__YANWEN__LANE__CN_ANY__", "WK_SHIPMENT__STORE__A1__LANE__CN_BR__", "WK_SHIPMENT__STORE__A1__LANE__ANY_BR__",
	"WK_SHIPMENT__STORE__A1__LANE__CN_ANY__", "WK_SHIPMENT__STORE__A1__CARRIER__YANWEN__", "WK_SHIPMENT__STORE__A1__",
	"WK_SHIPMENT__CARRIER__YANWEN__LANE__CN_BR__", "WK_SHIPMENT__CARRIER__YANWEN__LANE__ANY_BR__", "WK_SHIPMENT__CARRIER__YANWEN__LANE__CN_ANY__",
	"WK_SHIPMENT__LANE__CN_BR__", "WK_SHIPMENT__LANE__ANY_BR__", "WK_SHIPMENT__LANE__CN_ANY__", "WK_SHIPMENT__CARRIER__YANWEN__", "WK_SHIPMENT__",
}

func TestMostSpecificLaneWinsForEachThreshold(t *testing.T) {
	t.Parallel()
	env := []string{storeA1, "WK_SHIPMENT__PICKUP=4d"}
	for i, s := range slices.Backward(laneScopes) {
		env = append(env, fmt.Sprintf("%sSTALL=%dd", s, 10+i))
		r := load(t, env...).Shipments("A1", brazil)
		if want := sla.By(s+"STALL", time.Duration(10+i)*day); r.Stall != want {
			t.Errorf("with %s: stall = %v, want %v", s, r.Stall, want)
		}
		if want := sla.By("WK_SHIPMENT__PICKUP", 4*day); r.Pickup != want {
			t.Errorf("with %s: pickup = %v, want %v", s, r.Pickup, want)
		}
	}
	b := load(t, env...)
	for lane, want := range map[sla.Lane]string{
		{}:                                  laneScopes[7],
		{Carrier: "yanwen"}:                 laneScopes[6],
		{Carrier: "cainiao", Origin: "CN"}:  laneScopes[5],
		{Dest: "BR"}:                        laneScopes[4],
		{Origin: "CN", Dest: "BR"}:          laneScopes[3],
		{Carrier: "YANWEN", Dest: "BR"}:     laneScopes[1],
		{Origin: "DE", Dest: "FR"}:          laneScopes[7],
		{Carrier: strings.Repeat("A", 999)}: laneScopes[7],
	} {
		if got := b.Shipments("A1", lane).Stall.From; got != want+"STALL" {
			t.Errorf("%+v is set by %s, want %s", lane, got, want)
		}
	}
	if got := b.Shipments("A2", brazil).Stall.From; got != laneScopes[8]+"STALL" {
		t.Errorf("another store is set by %s", got)
	}
}

func TestCarrierCodesMatchWhateverTheirCaseAndSigns(t *testing.T) {
	t.Parallel()
	b := load(t, "WK_SHIPMENT__CARRIER__CHINA_POST__STALL=20d", "WK_SHIPMENT__CARRIER__3011__STALL=21d")
	for code, want := range map[string]time.Duration{"china-post": 20 * day, "China Post": 20 * day, "3011": 21 * day, "3012": 12 * day, "": 12 * day} {
		if got := b.Shipments("", sla.Lane{Carrier: code}).Stall.Value; got != want {
			t.Errorf("%q: stall = %s, want %s", code, got, want)
		}
	}
}

// ruleScopes are the scopes that apply to a damaged parcel's dispute in store A1, the most specific first.
var ruleScopes = []string{
	"WK_SLA__STORE__A1__REASON__DAMAGED__", "WK_SLA__STORE__A1__", "WK_SLA__ALIEXPRESS__REASON__DAMAGED__", "WK_SLA__ALIEXPRESS__", "WK_SLA__",
}

// TestOrderOfScopesIsTotal sets a variable in any of the scopes that apply: the most specific of them decides, and one that is less
// specific never changes what another says.
func TestOrderOfScopesIsTotal(t *testing.T) {
	t.Parallel()
	resolved := func(t *rapid.T, scopes []string, variable string) string {
		env := []string{storeA1}
		for i, s := range scopes {
			env = append(env, fmt.Sprintf("%s%s=%dh", s, variable, 3+i))
		}
		b, err := rules.Load(t.Context(), rapid.Permutation(env).Draw(t, "env"), options())
		if err != nil {
			t.Fatal(err)
		}
		if variable == "RECHECK" {
			return b.For("aliexpress", "A1", sla.ReasonDamaged).Recheck.From
		}
		return b.Shipments("A1", brazil).Stall.From
	}
	rapid.Check(t, func(t *rapid.T) {
		for variable, all := range map[string][]string{"RECHECK": ruleScopes, "STALL": laneScopes} {
			var some []string
			for _, s := range all {
				if rapid.Bool().Draw(t, s) {
					some = append(some, s)
				}
			}
			if len(some) == 0 {
				continue
			}
			if got := resolved(t, some, variable); got != some[0]+variable {
				t.Fatalf("%v: decided by %s", some, got)
			}
			if got := resolved(t, some[:1], variable); got != some[0]+variable {
				t.Fatalf("%v: decided by %s", some[0], got)
			}
		}
	})
}
