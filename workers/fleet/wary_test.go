package fleet

import (
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/rules"
	"watchkeeper/sla/slatest"
	"watchkeeper/workers/meter"
)

func TestTheMarginCostsARuleNoAllocation(t *testing.T) { //nolint:paralleltest // AllocsPerRun counts the whole process
	registry := connectors.Registry{{Name: "quiet", Defaults: func(r sla.Rule) sla.Rule { return r }}}
	book, err := rules.Load(t.Context(), []string{"WK_STORE__Q01__PLATFORM=quiet", "WK_SLA__GUARD=2h"}, RuleOptions(registry))
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return slatest.Epoch }
	w := wary{rules.Current{Book: book, Now: now}, meter.New(registry.Names(), nil, now)}
	w.meter.Took("quiet", 3*time.Second)
	w.meter.Make()
	rule := w.For("quiet", "Q01", sla.ReasonDamaged)
	if plain := w.Current.For("quiet", "Q01", sla.ReasonDamaged); rule.Guard != plain.Guard || rule.Margin.Guard != 6*time.Second || plain.Margin != (sla.Margin{}) {
		t.Errorf("want the rule as it is and the margin beside it, got %v and %+v", rule.Guard, rule.Margin)
	}
	if n := testing.AllocsPerRun(200, func() { rule = w.For("quiet", "Q01", sla.ReasonDamaged) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
