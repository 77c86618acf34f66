package fleet_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"watchkeeper/workers/fleet"
)

func TestHowLongTheScriptsOfTheStoreTakeIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before := b.scripts()
	if n, there := before["put"]; !there || n != 0 {
		t.Fatalf("want a series of a script that has not run, got %v", before)
	}
	b.owes("1", 80*time.Hour, same)
	after := b.scripts()
	if after["put"] != 1 || after["epoch"] == 0 {
		t.Errorf("want one writing of records, and epochs learnt, got %v", after)
	}
	if len(after) != len(before) || len(before) < 20 {
		t.Errorf("want all series from the start, got %d and later %d", len(before), len(after))
	}
}

// scripts is how often each script was told of.
func (b *bundle) scripts() map[string]uint64 {
	families, err := b.fleet.Registry().Gather()
	b.must(err)
	counts := map[string]uint64{}
	for _, f := range families {
		if f.GetName() == "watchkeeper_script_duration_seconds" {
			for _, m := range f.GetMetric() {
				counts[m.GetLabel()[0].GetValue()] = m.GetHistogram().GetSampleCount()
			}
		}
	}
	return counts
}

func TestTheRolesOfAProcessAndItsServersAreTold(t *testing.T) {
	t.Parallel()
	b := setup(t, "WK_WORKERS__ROLES=work,admin")
	b.has("watchkeeper_role", map[string]float64{" poll": 0, " work": 1, " sweep": 0, " admin": 1})
	b.has("watchkeeper_redis_servers", map[string]float64{"": 0})
	b.must(b.fleet.LookAround(t.Context()))
	addrs := b.o.Config.Redis.Addrs // one, or those of the masters of a cluster
	b.has("watchkeeper_redis_servers", map[string]float64{"": float64(len(addrs))})

	all, err := fleet.New(t.Context(), options(t, strings.Join(addrs, ",")))
	b.must(err)
	defer func() { b.must(all.Stop(context.Background())) }()
	(&bundle{t: t, fleet: all}).has("watchkeeper_role", map[string]float64{" poll": 1, " work": 1, " sweep": 1, " admin": 1})
}
