package fleet_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"watchkeeper/sla"
	"watchkeeper/workers/fleet"
	"watchkeeper/workers/store/storetest"
)

// bundle is a fleet on a Redis of its own and a clock that only the test moves.
type bundle struct {
	t     *testing.T
	fleet *fleet.Fleet
	o     fleet.Options
	addr  string // or addresses
	redis redis.UniversalClient
	logs  *observer.ObservedLogs
	clock atomic.Int64
}

func setup(t *testing.T, environ ...string) *bundle {
	t.Helper()
	addr := storetest.Start(t)
	rdb := storetest.Connect(t, addr)
	core, logs := observer.New(zap.DebugLevel)
	b := &bundle{t: t, o: options(t, addr, environ...), addr: addr, redis: rdb, logs: logs}
	b.clock.Store(time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC).UnixMilli())
	b.o.Now, b.o.Log, b.o.Idle = b.now, zap.New(core), time.Millisecond
	var err error
	if b.fleet, err = fleet.New(t.Context(), b.o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.must(b.fleet.Stop(context.Background())) })
	return b
}

func (b *bundle) now() time.Time { return time.UnixMilli(b.clock.Load()).UTC() }

func (b *bundle) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// step lets time pass and does what is due then.
func (b *bundle) step(d time.Duration) {
	b.t.Helper()
	b.clock.Add(d.Milliseconds())
	b.must(b.fleet.Step(b.t.Context()))
}

// owe records a case that has so much time left.
func (b *bundle) owe(native string, left time.Duration) {
	b.t.Helper()
	c := sla.Case{
		DisputeRef: sla.DisputeRef{ID: sla.DisputeID{Platform: "quiet", Store: "Q01", Native: native}, Order: "8000001"}, Buyer: 0x5ec7e7b0e1,
		State: sla.StateSeller, Reason: sla.ReasonDamaged, Claimed: sla.Money{Minor: 1200, Currency: "USD"}, Next: b.now(),
		Obligation: sla.Obligation{Turn: 7, Kinds: sla.Answers(sla.AnswerRefuse), Opened: b.now(), Deadline: b.now().Add(left), Cost: sla.Money{Minor: 1200, Currency: "USD"}},
	}
	results, err := b.fleet.Store().PutCases(b.t.Context(), []sla.CaseWrite{{CaseRecord: sla.CaseRecord{Case: c, Fingerprint: 1}}})
	b.must(err)
	if results[0].Stale {
		b.t.Fatal("the case is there already")
	}
}

// series are the samples of metrics whose name has a prefix, by name and labels.
func (b *bundle) series(prefix string) map[string]float64 {
	b.t.Helper()
	families, err := b.fleet.Registry().Gather()
	b.must(err)
	out := map[string]float64{}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), prefix) {
			continue
		}
		for _, m := range f.GetMetric() {
			name := []string{strings.TrimPrefix(f.GetName(), prefix)}
			for _, l := range m.GetLabel() {
				name = append(name, l.GetValue())
			}
			out[strings.Join(name, " ")] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return out
}

// has fails unless the samples are among those of a prefix.
func (b *bundle) has(prefix string, want map[string]float64) {
	b.t.Helper()
	got := b.series(prefix)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if v, ok := got[name]; !ok || v != want[name] {
			b.t.Errorf("%s%s: want %v, got %v (%v)", prefix, name, want[name], v, ok)
		}
	}
}

// logged are the lines with a message.
func (b *bundle) logged(message string) []observer.LoggedEntry {
	return b.logs.FilterMessage(message).All()
}
