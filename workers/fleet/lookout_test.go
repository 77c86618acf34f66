package fleet

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/store"
)

// Skew lets a test say how far the clock of a store's platform is ahead.
func (f *Fleet) Skew(id sla.StoreID, d time.Duration) { f.sources[id].Observe(d) }

func TestCasesAreCountedTheMoreSeldomTheMoreThereAre(t *testing.T) {
	t.Parallel()
	for cases, want := range map[int]time.Duration{
		0: time.Minute, 60_000: time.Minute, 120_000: 2 * time.Minute, 1_000_000: 1000 * time.Second, 100_000_000: time.Hour,
	} {
		if got := countAfter(cases); got != want {
			t.Errorf("%d cases: want a count after %s, got %s", cases, want, got)
		}
	}
	h := newHand()
	f := ruledBy(t, h, zap.NewNop())
	begun := h.at
	for _, step := range []struct {
		after   time.Duration
		cases   int
		counted time.Duration
	}{{0, 0, 0}, {59 * time.Second, 0, 0}, {time.Minute, 0, time.Minute}, {3 * time.Minute, 300_000, time.Minute}, {6 * time.Minute, 300_000, 6 * time.Minute}} {
		h.at = begun.Add(step.after)
		if c := f.census.last.Load(); c != nil {
			c.cases = step.cases
		}
		if err := f.countDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := f.census.last.Load().at.Sub(begun); got != step.counted {
			t.Errorf("after %s with %d cases: want the count of %s, got that of %s", step.after, step.cases, step.counted, got)
		}
	}
	h.at = begun // a clock that was put back does not stop the counting
	if err := f.countDue(t.Context()); err != nil || !f.census.last.Load().at.Equal(begun) {
		t.Errorf("want a count, got that of %s (%v)", f.census.last.Load().at, err)
	}
}

func TestAServerIsUnsafeForEachReason(t *testing.T) {
	t.Parallel()
	good := store.Server{Policy: "noeviction", AOF: true, Role: "master", Used: 74, Max: 100, System: 1000}
	for name, c := range map[string]struct {
		change func(*store.Server)
		want   []string
	}{
		"safe":                    {func(*store.Server) {}, nil},
		"safe with a replica":     {func(s *store.Server) { s.Replicas, s.Guarded, s.Good = []store.Replica{{}}, true, 1 }, nil},
		"deletes":                 {func(s *store.Server) { s.Policy = "allkeys-lru" }, []string{"eviction"}},
		"keeps nothing":           {func(s *store.Server) { s.AOF = false }, []string{"persistence"}},
		"cannot write":            {func(s *store.Server) { s.Failed = []string{"aof_last_write_status"} }, []string{"disk"}},
		"a replica":               {func(s *store.Server) { s.Role = "slave" }, []string{"replication"}},
		"replicas gone":           {func(s *store.Server) { s.Guarded = true }, []string{"replication"}},
		"replicas not waited for": {func(s *store.Server) { s.Replicas = []store.Replica{{}} }, []string{"replication"}},
		"nearly full":             {func(s *store.Server) { s.Used = 76 }, []string{"memory"}},
		"without a limit":         {func(s *store.Server) { s.Max, s.Used = 0, 760 }, []string{"memory"}},
		"tells nothing":           {func(s *store.Server) { *s = store.Server{} }, nil},
	} {
		s := good
		c.change(&s)
		if got := dangers(s); !slices.Equal(got, c.want) {
			t.Errorf("%s: want %v, got %v", name, c.want, got)
		}
	}
	reg := prometheus.NewRegistry()
	l := newLookout(reg, nil)
	bad := good
	bad.AOF, bad.Used = false, 90
	l.servers([]store.Server{good, bad, bad})
	want := map[string]float64{"eviction": 0, "persistence": 2, "disk": 0, "replication": 0, "memory": 2}
	if diff := cmp.Diff(want, samples(t, reg, "watchkeeper_redis_unsafe")); diff != "" {
		t.Error(diff)
	}
	told := func(persistence, memory, servers float64) {
		t.Helper()
		for name, want := range map[string]float64{"unsafe": persistence, "memory_used_ratio": memory, "servers": servers} {
			got := samples(t, reg, "watchkeeper_redis_"+name)
			if v := got[""] + got["persistence"]; v != want {
				t.Errorf("%s: want %v, got %v", name, want, got)
			}
		}
	}
	told(2, 0.9, 3)
	l.servers([]store.Server{good})
	told(0, 0.74, 1)
}

// samples are the gauges with a prefix by the values of their labels.
func samples(t *testing.T, reg *prometheus.Registry, prefix string) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		if len(f.GetName()) < len(prefix) || f.GetName()[:len(prefix)] != prefix {
			continue
		}
		for _, m := range f.GetMetric() {
			var name strings.Builder
			for _, l := range m.GetLabel() {
				name.WriteString(l.GetValue())
			}
			out[name.String()] = m.GetGauge().GetValue()
		}
	}
	return out
}

// holder is a connector with a credential.
type holder struct {
	connectors.Connector
	is  connectors.Credential
	err error
}

func (h *holder) Credential(context.Context) (connectors.Credential, error) { return h.is, h.err }

func TestTheEndOfACredentialIsTold(t *testing.T) {
	t.Parallel()
	h := newHand()
	f := ruledBy(t, h, zap.NewNop())
	hold := &holder{}
	f.sources["B02"] = &connectors.Source{Store: "B02", Platform: "bare", Built: connectors.Built{Connector: hold}}
	reg, never := prometheus.NewRegistry(), math.Inf(1)
	f.lookout = newLookout(reg, f.sources)
	check := func(what string, access, refresh, life, sealed float64) {
		t.Helper()
		for name, want := range map[string]float64{
			"expiry_timestamp_seconds": access, "lifetime_seconds": life, "sealed": sealed,
		} {
			got := samples(t, reg, "watchkeeper_credential_"+name)
			key := map[string]string{"expiry_timestamp_seconds": "accessB02"}[name]
			if key == "" {
				key = "B02"
			}
			if got[key] != want || name == "expiry_timestamp_seconds" && got["refreshB02"] != refresh {
				t.Errorf("%s: %s: want %v and %v, got %v", what, name, want, refresh, got)
			}
		}
	}
	check("at first", never, never, 0, 0)
	day := 24 * time.Hour
	hold.is = connectors.Credential{Stored: true, Renewable: true, Issued: h.at, Expires: h.at.Add(day), RefreshExpires: h.at.Add(30 * day)}
	look := func() error { return f.LookAround(t.Context()) }
	if err := look(); err != nil {
		t.Fatal(err)
	}
	check("rotated", unix(h.at.Add(day)), unix(h.at.Add(30*day)), day.Seconds(), 0)
	hold.err = errors.New("out")
	if err := look(); !errors.Is(err, hold.err) {
		t.Errorf("want the failure, got %v", err)
	}
	check("not read", unix(h.at.Add(day)), unix(h.at.Add(30*day)), day.Seconds(), 0)
	hold.is, hold.err = connectors.Credential{Expires: h.at.Add(day), Issued: h.at}, nil
	if err := look(); err != nil {
		t.Fatal(err)
	}
	check("not renewed by itself", unix(h.at.Add(day)), never, 0, 0)
	hold.is = connectors.Credential{Stored: true, Sealed: true}
	if err := look(); err != nil {
		t.Fatal(err)
	}
	check("sealed", never, never, 0, 1)
	if got := samples(t, reg, "watchkeeper_credential_"); len(got) != 3 { // B02, accessB02, refreshB02
		t.Errorf("want nothing of a store without a credential that ends, got %v", got)
	}
}
