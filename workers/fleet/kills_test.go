package fleet

import (
	"testing"
	"time"

	"watchkeeper/sla"
)

func TestKillVariablesCountWhereTheyStopAStoreNow(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		environ  []string
		disputes []sla.Platform // those that have some
		want     int
	}{
		"none":                       {nil, []sla.Platform{"bare"}, 0},
		"off":                        {[]string{"WK_SLA__KILL=off"}, []sla.Platform{"bare"}, 0},
		"one for every reason":       {[]string{"WK_SLA__KILL=on"}, []sla.Platform{"bare"}, 1},
		"off again in the one store": {[]string{"WK_SLA__KILL=on", "WK_SLA__STORE__B01__KILL=off"}, []sla.Platform{"bare"}, 0},
		"two of reasons": {
			[]string{"WK_SLA__STORE__B01__REASON__DAMAGED__KILL=on", "WK_SLA__STORE__B01__REASON__NOT_RECEIVED__KILL=on"}, []sla.Platform{"bare"}, 2,
		},
		"in force today":    {[]string{"WK_SLA__KILL=on", "WK_SLA__KILL__FROM=2026-03-01..2026-03-03"}, []sla.Platform{"bare"}, 1},
		"over":              {[]string{"WK_SLA__KILL=on", "WK_SLA__KILL__FROM=2026-02-01..2026-02-03"}, []sla.Platform{"bare"}, 0},
		"nothing to answer": {[]string{"WK_SLA__KILL=on"}, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, book, err := Load(t.Context(), append([]string{"WK_REDIS__ADDRS=localhost:6379", "WK_STORE__B01__PLATFORM=bare"}, c.environ...), bare())
			if err != nil {
				t.Fatal(err)
			}
			if got := newStoreCollector(nil, book, c.disputes, time.Now).killVariables(now); got != c.want {
				t.Errorf("want %d, got %d", c.want, got)
			}
		})
	}
}
