package fleet_test

import (
	"testing"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/fleet"
)

func TestWhatIsSpentTodayIsToldAgainstItsBudgets(t *testing.T) {
	t.Parallel()
	b := setup(t, "WK_STORE__Q02__PLATFORM=quiet", "WK_SLA__STORE__Q01__STORE_BUDGET=300USD", "WK_SLA__STORE__Q01__REASON__DAMAGED__STORE_BUDGET=120.50USD",
		"WK_SLA__TOTAL_BUDGET=1000USD", "WK_SLA__STORM=20/2h")
	b.has("watchkeeper_spent_today", map[string]float64{" USD Q01": 0, "_all_stores USD": 0})
	for i, m := range []sla.Money{{Minor: 1250, Currency: "USD"}, {Minor: 1500, Currency: "JPY"}} {
		id := sla.DisputeID{Platform: "quiet", Store: []sla.StoreID{"Q01", "Q02"}[i], Native: "9"}
		b.must(b.fleet.Store().Reserve(t.Context(), sla.Spend{Key: sla.AttemptKey{Dispute: id, Turn: 1}, Token: 1, Amount: m}, b.now().Add(-90*time.Minute)))
	}
	b.has("watchkeeper_spent_today", map[string]float64{" USD Q01": 12.5, " JPY Q02": 1500, "_all_stores USD": 12.5, "_all_stores JPY": 1500})
	b.has("watchkeeper_budget_today", map[string]float64{" USD Q01": 120.5, "_all_stores USD": 1000})
	b.has("watchkeeper_storm_", map[string]float64{"answers": 2, "limit": 20})
	if n := len(b.series("watchkeeper_budget_today")); n != 2 {
		t.Errorf("want no budget told where there is none, got %d", n)
	}
}

func TestRulesAndTheirDateAreTold(t *testing.T) {
	t.Parallel()
	b := setup(t, "WK_SLA__GUARD=2h", "WK_SLA__ACT_BEFORE=40h", "WK_SLA__ACT_BEFORE__FROM=2026-03-03")
	hash := b.o.Book.Hash()
	b.has("watchkeeper_rules_info", map[string]float64{" " + hash + " ": 1})
	b.clock.Add((24 * time.Hour).Milliseconds())
	b.has("watchkeeper_rules_info", map[string]float64{" " + hash + " 2026-03-03T00:00:00Z": 1})
}

func TestReplicasWithOtherRulesAreSeen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.clock.Store(time.Now().UnixMilli()) // a process does not start by a wrong clock
	other := b.o
	other.Book = options(t, b.addr, "WK_SLA__GUARD=3h").Book
	f, err := fleet.New(t.Context(), other)
	b.must(err)
	t.Cleanup(func() { b.must(f.Stop(t.Context())) })
	for i, replica := range []*fleet.Fleet{b.fleet, f} {
		b.must(replica.Start(t.Context()))
		eventually(t, func() bool { return b.series("watchkeeper_rules_versions")[""] == float64(i+1) })
	}
	b.clock.Add((2*time.Minute + time.Second).Milliseconds())
	b.has("watchkeeper_rules_versions", map[string]float64{"": 0})
}

func TestWarningsOfTheRulesAreLoggedOnceAtStart(t *testing.T) {
	t.Parallel()
	b := setup(t, "WK_SLA__MODE=live")
	want := fleet.Warnings(b.o.Config, b.o.Book)
	if len(want) < 2 {
		t.Fatal("the test needs rules that warn, and nobody who is told of pages")
	}
	b.must(b.fleet.Begin(t.Context()))
	b.step(time.Second)
	got := b.logged("the configuration may not mean what it says")
	if len(got) != len(want) || got[0].ContextMap()["warning"] != want[0] {
		t.Errorf("want %q, got %v", want, got)
	}
}
