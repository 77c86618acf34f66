package soak_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"watchkeeper/workers/embedded"
	"watchkeeper/workers/embedded/soak"
)

// short is a soak of half a minute; the long ones are run by `make soak`.
func short(t *testing.T) soak.Options {
	t.Helper()
	if testing.Short() {
		t.Skip("starts and kills real processes for half a minute")
	}
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(embedded.ErrNoRedis)
		}
		t.Skip(embedded.ErrNoRedis)
	}
	binary := filepath.Join(t.TempDir(), "watchkeeper")
	if out, err := exec.Command("go", "build", "-o", binary, "watchkeeper/cmd/watchkeeper").CombinedOutput(); err != nil {
		t.Fatalf("build the daemon: %v\n%s", err, out)
	}
	return soak.Options{Cases: 120, Stores: 4, Rate: 50, Seed: 3, Binary: binary, Now: time.Now, Notes: t.Output()}
}

// An answer that was on its way to the platform and never arrived may only be sent again when a settle window is over, which is longer than
// this test: its case may still be open.
func TestTheWorkOfAKilledDaemonIsTakenUpWithinSeconds(t *testing.T) {
	t.Parallel()
	o := short(t)
	o.For, o.Every, o.Reading, o.Drain = 12*time.Second, 4*time.Second, 5*time.Second, 8*time.Second
	r, err := soak.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", r)
	if r.Kills < 2 || r.Twice != 0 || r.Answered < r.Cases-3 {
		t.Errorf("%d kills, %d effects too many, %d of %d answered", r.Kills, r.Twice, r.Answered, r.Cases)
	}
	if r.LagP99 > soak.Target.Seconds() {
		t.Errorf("taken up after %.1f s: want %s at most", r.LagP99, soak.Target)
	}
}
