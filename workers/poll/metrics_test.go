package poll_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// gauges are the samples of the one feed.
func gauges(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		out[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue()
	}
	return out
}

const (
	refused  = "watchkeeper_feed_refused_timestamp_seconds"
	read     = "watchkeeper_feed_last_success_timestamp_seconds"
	interval = "watchkeeper_feed_interval_seconds"
)

func unix(at time.Time) float64 { return float64(at.UnixMilli()) / 1000 }

func TestAFeedThatThePlatformDoesNotLetUsReadIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t, 3, 10)
	reg := prometheus.NewRegistry()
	r := b.on(b.store, zap.NewNop(), reg)
	if got := gauges(t, reg); got[refused] != 0 || got[read] != 0 {
		t.Errorf("want a series from the start, got %v", got)
	}
	calls := 0
	for _, c := range []struct {
		kind connectors.Kind
		told bool
	}{{connectors.Unavailable, false}, {connectors.Unauthorised, true}, {connectors.Malformed, false}, {connectors.Forbidden, true}} {
		before := gauges(t, reg)[refused]
		b.errs[calls] = &connectors.Error{Op: "list", Kind: c.kind}
		b.read(t, r)
		calls++
		if got := gauges(t, reg)[refused]; (got == unix(b.now)) != c.told || !c.told && got != before {
			t.Errorf("%s: want it told %t, got %v at %v", c.kind, c.told, got, unix(b.now))
		}
	}
	b.read(t, r)
	if got := gauges(t, reg); got[read] <= got[refused] {
		t.Errorf("want the reading later than the refusal, got %v", got)
	}
}

func TestAProcessTellsOfReadingsThatAnotherMade(t *testing.T) {
	t.Parallel()
	b := setup(t, 3, 10)
	b.season = b.now.Add(time.Hour)
	reg := prometheus.NewRegistry()
	idle := b.on(b.store, zap.NewNop(), reg)
	rec := b.read(t)
	stranger := sla.FeedRecord{ID: "ZZ09/disputes", Store: "ZZ09", LastSuccess: b.now.Add(time.Hour)}
	idle.Heard([]sla.FeedRecord{rec, stranger})
	if got := gauges(t, reg); got[read] != unix(rec.LastSuccess) || got[interval] != 300 {
		t.Errorf("want the reading of the other and the pace, got %v", got)
	}
	b.now = b.season
	idle.Heard([]sla.FeedRecord{{ID: feedID, Store: "AE01"}}) // memory was lost: what was heard stays
	if got := gauges(t, reg); got[read] != unix(rec.LastSuccess) || got[interval] != 60 {
		t.Errorf("want the reading kept and the new pace, got %v", got)
	}
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}
