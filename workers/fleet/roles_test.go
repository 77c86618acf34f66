package fleet_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"watchkeeper/workers/fleet"
	"watchkeeper/workers/store/storetest"
)

func TestAWordThatIsNoRoleIsToldWithTheOneThatWasMeant(t *testing.T) {
	t.Parallel()
	load := func(roles string) error {
		environ := []string{"WK_REDIS__ADDRS=127.0.0.1:1", "WK_STORE__Q01__PLATFORM=quiet", "WK_WORKERS__ROLES=" + roles}
		_, _, err := fleet.Load(t.Context(), environ, quietRegistry())
		return err
	}
	for _, roles := range []string{"all", "ALL", "poll", "work, sweep", "sweep,admin,poll,work", "poll,poll"} {
		if err := load(roles); err != nil {
			t.Errorf("%q: %v", roles, err)
		}
	}
	for roles, want := range map[string]string{
		"pol": "did you mean poll?", "work,sweeper": "did you mean sweep?", "poll;work": "no role", "poll,,work": "no role", "leader": "poll, work, sweep, admin",
	} {
		err := load(roles)
		if err == nil || !strings.Contains(err.Error(), "WK_WORKERS__ROLES") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: want the variable and %q, got %v", roles, want, err)
		}
	}
}

// A process that sweeps nothing has another sign of life, and takes no port that is not its own.
func TestAProcessWithoutSweepsIsAliveAndServesNoAdministrator(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := options(t, b.addr, "WK_WORKERS__ROLES=work", "WK_HTTP__ADMIN=127.0.0.1:0")
	o.Now, o.VirtualTime = b.now, true
	f, err := fleet.New(t.Context(), o)
	b.must(err)
	defer func() { b.must(f.Stop(context.Background())) }()
	b.must(f.Start(t.Context()))
	if addr := f.AdminAddr(); addr != "" {
		t.Errorf("want no port of the administrator's, got %s", addr)
	}
	b.clock.Add(time.Hour.Milliseconds())
	deadline := time.Now().Add(20 * time.Second)
	code := 0
	for time.Now().Before(deadline) && code != http.StatusOK {
		code, _ = get(t, f, "/livez")
	}
	if code != http.StatusOK {
		t.Errorf("/livez: %d after the comparing of memories went on", code)
	}
}

func TestEachRoleDoesItsPartAlone(t *testing.T) {
	t.Parallel()
	for role, want := range map[string]struct {
		claimed float64
		feeds   bool
	}{"work": {}, "admin": {}, "sweep": {claimed: 1}, "poll": {feeds: true}, "all": {claimed: 1, feeds: true}} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			b := setup(t, "WK_WORKERS__ROLES="+role)
			b.must(b.fleet.Begin(t.Context()))
			b.owe("1", time.Hour)
			b.step(time.Second)
			b.has("watchkeeper_due_claimed_total", map[string]float64{" case": want.claimed})
			feeds, err := storetest.Hand(b.redis).Keys(t.Context(), "wk:*:f:*").Result()
			b.must(err)
			if (len(feeds) > 0) != want.feeds {
				t.Errorf("feeds armed %v, got %v", want.feeds, feeds)
			}
		})
	}
}
