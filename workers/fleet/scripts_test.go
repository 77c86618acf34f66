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
	if _, there := b.series("watchkeeper_script_duration_seconds")[" put"]; there {
		t.Fatal("nothing was written yet")
	}
	b.owes("1", 80*time.Hour, same)
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
	if counts["put"] != 1 || counts["epoch"] == 0 {
		t.Errorf("want one writing of records, and epochs learnt, got %v", counts)
	}
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
