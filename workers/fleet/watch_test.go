package fleet_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"watchkeeper/sla"
	"watchkeeper/workers/fleet"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/store/storetest"
)

// skewed is a process on the real clock, which the test puts forward and back.
func skewed(t *testing.T, addr string, environ ...string) (*bundle, *atomic.Int64) {
	t.Helper()
	return skewedFor(t, addr, nil, environ...)
}

// skewedFor is skewed with somebody who is told of pages.
func skewedFor(t *testing.T, addr string, paged handle.Notifier, environ ...string) (*bundle, *atomic.Int64) {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	b, skew := &bundle{t: t, logs: logs}, &atomic.Int64{}
	b.o = options(t, addr, environ...)
	b.o.Now = func() time.Time { return time.Now().Add(time.Duration(skew.Load())) }
	b.o.Log, b.o.Idle, b.o.Notify = zap.New(core), time.Millisecond, paged
	b.clock.Store(time.Now().UnixMilli())
	var err error
	b.fleet, err = fleet.New(t.Context(), b.o)
	b.must(err)
	t.Cleanup(func() { b.must(b.fleet.Stop(t.Context())) })
	return b, skew
}

const laidDown = "the clock is wrong: this process takes no work until it is right"

func TestAProcessWhoseClockIsWrongLaysItsWorkDownAndAnotherTakesItUp(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]time.Duration{"ahead": 25 * time.Second, "behind": -25 * time.Second, "a zone behind": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := storetest.Start(t)
			paged := &market{}
			b, skew := skewedFor(t, addr, paged)
			b.must(b.fleet.Start(t.Context()))
			skew.Store(int64(by))
			eventually(t, func() bool { return len(b.logged(laidDown)) == 1 })
			if n := paged.pagesFor(sla.WhyClockWrong); n != 1 {
				t.Errorf("want people paged once, got %d pages", n)
			}
			if code, body := get(t, b.fleet, "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "clock") {
				t.Errorf("/readyz by a wrong clock: %d %q", code, body)
			}
			if code, _ := get(t, b.fleet, "/livez"); code != http.StatusOK {
				t.Errorf("/livez by a wrong clock: %d: a restart would not mend it", code)
			}
			b.has("watchkeeper_clock_wrong", map[string]float64{"": 1})
			if got := b.series("watchkeeper_clock_ahead_seconds")[""]; got < by.Seconds()-2 || got > by.Seconds()+2 {
				t.Errorf("want about %s told, got %v s", by, got)
			}
			b.owe("9001", time.Hour)
			b.owe("9002", time.Hour)
			for range 10 { // it has the time of some sweeps to do wrong
				<-time.After(50 * time.Millisecond)
				b.has("watchkeeper_decisions_total", map[string]float64{" wait quiet": 0, " warn quiet": 0, " act quiet": 0, " page quiet": 0})
			}
			other, _ := skewed(t, addr)
			b.must(other.fleet.Start(t.Context()))
			eventually(t, func() bool { return other.decided() > 0 })
			if b.decided() != 0 {
				t.Error("the process decided by a wrong clock")
			}
			b.must(other.fleet.Stop(t.Context()))
			skew.Store(0)
			eventually(t, func() bool { code, _ := get(t, b.fleet, "/readyz"); return code == http.StatusOK })
			b.has("watchkeeper_clock_wrong", map[string]float64{"": 0})
			b.owe("9003", time.Hour)
			eventually(t, func() bool { return b.decided() > 0 })
		})
	}
}

// decided is how many decisions a process has made.
func (b *bundle) decided() (n float64) {
	b.t.Helper()
	for _, v := range b.series("watchkeeper_decisions_total") {
		n += v
	}
	return n
}

func TestTheClaimsOfAProcessWithAWrongClockEnd(t *testing.T) {
	t.Parallel()
	addr := storetest.Start(t)
	b, skew := skewed(t, addr)
	other, _ := skewed(t, addr)
	b.must(b.fleet.Start(t.Context()))
	b.must(other.fleet.Start(t.Context()))
	skew.Store(int64(time.Minute))
	eventually(t, func() bool { return other.series("watchkeeper_processes_gone_total")[""] == 1 })
}

func TestAProcessDoesNotStartByAWrongClock(t *testing.T) {
	t.Parallel()
	b, skew := skewed(t, storetest.Start(t))
	skew.Store(int64(-21 * time.Second))
	err := b.fleet.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "21s behind that of redis") {
		t.Fatalf("want the start refused with how far the clock is off, got %v", err)
	}
	page, failed := os.ReadFile(filepath.Join("..", "..", "deploy", "README.md"))
	if b.must(failed); !strings.Contains(string(page), "`"+err.Error()+"`") {
		t.Errorf("deploy/README.md has no row for %q", err)
	}
}

func TestVirtualTimeIsNotHeldAgainstRedis(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.o
	o.VirtualTime = true
	f, err := fleet.New(t.Context(), o)
	b.must(err)
	t.Cleanup(func() { b.must(f.Stop(t.Context())) })
	b.must(f.Start(t.Context()))
	if code, body := get(t, f, "/readyz"); code != http.StatusOK {
		t.Errorf("/readyz in virtual time: %d %q", code, body)
	}
}
