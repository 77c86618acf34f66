package fleet_test

import (
	"testing"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/fleet"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

func TestASwitchHoldsAgainBeforeMoneyThawsAfterALossOfAllMemory(t *testing.T) {
	t.Parallel()
	b := setup(t, "WK_SLA__STORE__Q01__REASON__OTHER__KILL=on")
	b.must(b.fleet.Begin(t.Context()))
	tool, done, err := fleet.OpenStore(t.Context(), b.o)
	b.must(err)
	t.Cleanup(func() { b.must(done(t.Context())) })
	scopes := []sla.KillScope{{}, {Platform: "quiet"}, {Store: "Q01"}, {Reason: sla.ReasonDamaged}, {Store: "Q01", Reason: sla.ReasonDamaged}}
	for _, scope := range scopes {
		b.must(tool.SetKill(t.Context(), scope, true, "ops: wrong prices", b.now()))
	}
	b.step(time.Second)
	levels := map[string]float64{" all": 1, " platform": 1, " store": 1, " reason": 2, " variable": 1}
	b.has("watchkeeper_kill_switch_on", levels)
	b.must(storetest.Hand(b.redis).FlushAll(t.Context()).Err())
	b.step(time.Second)
	if frozen := b.series("watchkeeper_money_frozen_seconds")[""]; frozen <= 0 {
		t.Errorf("want money frozen still, got %v s", frozen)
	}
	b.has("watchkeeper_kill_switch_on", levels)
	b.has("watchkeeper_kill_switches_mended_total", map[string]float64{"": float64(len(scopes) * tool.Shards())})
	b.step(store.DefaultSettle)
	fresh, done, err := fleet.OpenStore(t.Context(), b.o) // knows only what Redis says
	b.must(err)
	t.Cleanup(func() { b.must(done(t.Context())) })
	if kills, err := fresh.Kills(t.Context()); err != nil || len(kills) != len(scopes) || kills[0].Note != "ops: wrong prices" {
		t.Errorf("want every switch on again, got %v (%v)", kills, err)
	}
}

func TestMoneyIsFrozenForTheLongestSettleWindowThatTheRulesName(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		environ []string
		want    time.Duration
	}{
		"the default":        {nil, 10 * time.Minute},
		"shorter everywhere": {[]string{"WK_SLA__SETTLE=2m"}, 2 * time.Minute},
		"longer for one":     {[]string{"WK_SLA__SETTLE=2m", "WK_SLA__STORE__Q01__REASON__DAMAGED__SETTLE=17m"}, 17 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newShop(t).fleet(t, 10, c.environ...)
			b.step(time.Hour) // from an empty store, which is frozen as well
			b.must(storetest.Hand(b.redis).FlushAll(t.Context()).Err())
			b.step(time.Second)
			if frozen := b.series("watchkeeper_money_frozen_seconds")[""]; frozen <= c.want.Seconds()-2 || frozen > c.want.Seconds() {
				t.Errorf("want money frozen for %s, got %v s", c.want, frozen)
			}
		})
	}
}
