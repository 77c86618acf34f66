package sweep_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
	"watchkeeper/workers/sweep"
)

// living tells of processes that are gone, once, and notes which leases end.
type living struct {
	gone  int
	again int // of them
	fails map[string]bool
	ended []string
	spans []time.Duration
}

func (l *living) Beat(context.Context, time.Time) (sla.Gone, error) {
	if l.fails["beat"] {
		return sla.Gone{}, errOut
	}
	n := sla.Gone{Processes: l.gone, Again: l.again}
	l.gone, l.again = 0, 0
	return n, nil
}

func (l *living) end(what string, now, until time.Time) (int, error) {
	if l.fails[what] {
		return 0, errOut
	}
	l.ended, l.spans = append(l.ended, what), append(l.spans, until.Sub(now))
	return 3, nil
}

func (l *living) EndCaseLeases(_ context.Context, now, until time.Time) (int, error) {
	return l.end("cases", now, until)
}

func (l *living) EndShipmentLeases(_ context.Context, now, until time.Time) (int, error) {
	return l.end("parcels", now, until)
}

func (l *living) EndFeedLeases(_ context.Context, now, until time.Time) (int, error) {
	return l.end("feeds", now, until)
}

func TestLeasesEndOnceAfterAProcessIsGoneWhateverFails(t *testing.T) {
	t.Parallel()
	l := &living{fails: map[string]bool{}}
	reg := prometheus.NewRegistry()
	now := slatest.Epoch
	w := sweep.NewWatch(l, 2*time.Minute, func() time.Time { return now }, zap.NewNop(), sweep.NewMetrics(reg))
	beat := func(want error, ended ...string) {
		t.Helper()
		if err := w.Beat(t.Context()); !errors.Is(err, want) {
			t.Fatalf("want %v, got %v", want, err)
		}
		if !slices.Equal(l.ended, ended) {
			t.Fatalf("want leases of %v ended, got %v", ended, l.ended)
		}
		l.ended = nil
	}
	beat(nil)
	l.gone, l.fails["beat"] = 1, true
	beat(errOut)
	delete(l.fails, "beat")
	l.fails["feeds"] = true
	beat(errOut, "cases")
	delete(l.fails, "feeds")
	l.spans = nil
	beat(nil, "cases", "feeds", "parcels") // the store tells of it once
	if want := []time.Duration{sweep.Lease, 2 * time.Minute, 10 * time.Minute}; !slices.Equal(l.spans, want) {
		t.Errorf("want only leases ended that were given before, within %v, got %v", want, l.spans)
	}
	beat(nil)
	now = now.Add(15 * time.Second)
	l.gone = 2
	beat(nil, "cases", "feeds", "parcels")
	if got := total(t, reg, "watchkeeper_processes_gone_total"); got != 3 {
		t.Errorf("want 3 processes counted, got %v", got)
	}
	if got := total(t, reg, "watchkeeper_leases_ended_total"); got != 3+9+9 {
		t.Errorf("want 21 leases counted, got %v", got)
	}
}

// A process that is starved beats once in three seconds: it is taken for gone, comes back, and is taken for gone again.
func TestAProcessThatComesAndGoesDoesNotHaveEverythingAskedForAgainEachTime(t *testing.T) {
	t.Parallel()
	l := &living{fails: map[string]bool{}}
	now := slatest.Epoch
	w := sweep.NewWatch(l, 2*time.Minute, func() time.Time { return now }, zap.NewNop(), sweep.NewMetrics(prometheus.NewRegistry()))
	for i := range 150 { // a minute
		if i%8 == 0 {
			l.gone, l.again = 1, min(i, 1)
		}
		if err := w.Beat(t.Context()); err != nil {
			t.Fatal(err)
		}
		if i == 0 && len(l.ended) != 3 {
			t.Errorf("want the leases ended at once for the first, got %v", l.ended)
		}
		now = now.Add(sweep.BeatEvery)
	}
	if n := len(l.ended) / 3; n != 4 {
		t.Errorf("want leases ended four times in a minute, got %d", n)
	}
	now = now.Add(15 * time.Second)
	if err := w.Beat(t.Context()); err != nil || len(l.ended)/3 != 5 {
		t.Errorf("want the last one's leases ended, too, got %d (%v)", len(l.ended)/3, err)
	}
}

// Three are killed within seconds, and what each has held is taken up at once.
func TestTheWorkOfEachKilledProcessIsTakenUpAtOnce(t *testing.T) {
	t.Parallel()
	l := &living{fails: map[string]bool{}}
	now := slatest.Epoch
	w := sweep.NewWatch(l, 2*time.Minute, func() time.Time { return now }, zap.NewNop(), sweep.NewMetrics(prometheus.NewRegistry()))
	for i := range 3 {
		l.gone, l.again = 2, 1 // one of the two had been taken for gone before
		if err := w.Beat(t.Context()); err != nil || len(l.ended)/3 != i+1 {
			t.Errorf("after %d: want the leases ended each time, got %d (%v)", i+1, len(l.ended)/3, err)
		}
		now = now.Add(sweep.BeatEvery)
	}
	if err := w.Beat(t.Context()); err != nil || len(l.ended)/3 != 3 {
		t.Errorf("want nothing ended when nobody is gone, got %d (%v)", len(l.ended)/3, err)
	}
}

func total(t *testing.T, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	return 0
}
