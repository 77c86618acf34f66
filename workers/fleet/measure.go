package fleet

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/rules"
	"watchkeeper/workers/meter"
)

// wary are the rules of now with the margins that the measurements want.
type wary struct {
	rules.Current
	meter *meter.Meter
}

func (f *Fleet) wary() wary { return wary{f.rules(), f.meter} }

// For gives the rule of a dispute as of now. It allocates nothing.
func (w wary) For(p sla.Platform, s sla.StoreID, r sla.Reason) sla.Rule {
	rule := w.Current.For(p, s, r)
	rule.Margin = w.meter.View(p).Margin
	return rule
}

// pressure is the level of a store's platform, or the highest of all for nil.
func (f *Fleet) pressure(src *connectors.Source) sla.Pressure {
	if src == nil {
		return f.meter.Worst()
	}
	return f.meter.Level(src.Platform)
}

// measure tells the other replicas what was measured here, hears what they have measured, and makes the margins and the levels from both. Where
// the store is out, what was heard last counts for a while, and then what was measured here alone. By a clock that is not believed it does none of
// that: guards would seem near that are far, and people would be paged.
func (f *Fleet) measure(ctx context.Context) error {
	if !f.clock.believed() {
		return nil
	}
	now := f.o.Now()
	for _, src := range f.sources {
		if src.Observed() {
			f.meter.Clock(src.Platform, src.Store, src.Skew())
		}
	}
	err := f.store.NoteMeasured(ctx, f.process, f.meter.Note(), now)
	if err == nil {
		var others map[sla.Platform]sla.Measured
		if others, err = f.store.Measured(ctx, f.process, now); err == nil {
			f.meter.Hear(others)
		}
	}
	f.meter.Make()
	if err != nil {
		return err
	}
	for _, p := range f.o.Registry.Names() {
		if err := f.alarm(ctx, p, now); err != nil {
			return err
		}
	}
	return nil
}

// leaveMeasures leaves to the other replicas what was measured here, but for the answers that are due: those are due with them from now on.
func (f *Fleet) leaveMeasures(ctx context.Context) {
	own := f.meter.Own()
	for p, m := range own {
		m.Allowances = nil
		own[p] = m
	}
	ctx, cancel := context.WithTimeout(ctx, leaveWithin)
	defer cancel()
	if err := f.store.NoteMeasured(ctx, f.process, own, f.o.Now()); err != nil {
		f.log.Warn("the others will count for a while what was due here", zap.Error(err))
	}
}

// alarm pages people once when answers of a platform begin to be late, by one replica, and again only for another shortage, an hour
// later at the earliest.
func (f *Fleet) alarm(ctx context.Context, p sla.Platform, now time.Time) error {
	v := f.meter.View(p)
	switch {
	case v.Level < sla.PressureAnswers && !f.alarmed[p]:
		return nil
	case v.Level < sla.PressureAnswers:
		if err := f.store.EndPage(ctx, p); err != nil {
			return err
		}
		delete(f.alarmed, p)
		return nil
	case f.alarmed[p] || v.Shortage.Level < sla.PressureAnswers:
		return nil
	}
	ours, told, err := f.store.ClaimPage(ctx, p, now)
	if err != nil {
		return err
	}
	f.alarmed[p] = told
	if ours {
		f.notifier().short(ctx, p, v.Shortage, now)
	}
	return nil
}

// meterCollector tells when it is scraped how early the fleet stops and begins on each platform of its stores, and how short of time it is.
type meterCollector struct {
	book  *rules.Book
	meter *meter.Meter
	now   func() time.Time

	guard, lead, level *prometheus.Desc
}

func newMeterCollector(book *rules.Book, m *meter.Meter, now func() time.Time) *meterCollector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("watchkeeper_"+name, help, []string{"platform"}, nil)
	}
	return &meterCollector{
		book: book, meter: m, now: now,
		guard: desc("effective_guard_seconds", "No answer is sent with less time left: the longest guard of the rules, and what the platform's measured pace adds."),
		lead:  desc("act_lead_seconds", "How much earlier than the rules have it answers are due, by the platform's measured pace and what waits."),
		level: desc("pressure_level", "How short of time the fleet is: 1 lists are read less often, 2 and no parcels, 3 and disputes in which nothing is owed not again."),
	}
}

// Describe implements prometheus.Collector.
func (c *meterCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.guard, c.lead, c.level} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *meterCollector) Collect(ch chan<- prometheus.Metric) {
	book, guards := c.book.At(c.now()), map[sla.Platform]time.Duration{}
	for _, s := range book.Stores() {
		for _, r := range sla.Reasons() {
			guards[s.Platform] = max(guards[s.Platform], book.For(s.Platform, s.ID, r).Guard.Value)
		}
	}
	for _, p := range slices.Sorted(maps.Keys(guards)) {
		v := c.meter.View(p)
		for d, value := range map[*prometheus.Desc]float64{
			c.guard: (guards[p] + v.Margin.Guard).Seconds(), c.lead: v.Margin.Lead.Seconds(), c.level: float64(v.Level),
		} {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, string(p))
		}
	}
}
