package fleet

import (
	"context"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/sweep"
)

// The pace of counting the cases; see the comment of the package.
const (
	countEvery    = time.Minute
	countPerCase  = time.Millisecond
	countAtLatest = time.Hour
	countLooks    = 6 // of the loop, in the shortest of these times
)

// countAfter is how long after a count the next one begins, by how many cases there were.
func countAfter(cases int) time.Duration {
	return min(max(countEvery, time.Duration(cases)*countPerCase), countAtLatest)
}

// A census is what one walk over all cases has found.
type census struct {
	at        time.Time
	cases     int
	untimed   int // without a timer
	platforms map[sla.Platform]*owed
}

// owed is what the seller owes on one platform.
type owed struct {
	deadline      time.Time // the earliest, by our clock
	stages        map[sla.StageKind]int
	risk          map[sla.Currency]int64 // minor units
	held          int                    // answers that wait for a person's yes
	unknown, late int
	oldest        time.Time // of the unknown ones: when it was sent
}

func newCensus(at time.Time, platforms []sla.Platform) *census {
	c := &census{at: at, platforms: map[sla.Platform]*owed{}}
	for _, p := range platforms {
		c.platforms[p] = &owed{stages: map[sla.StageKind]int{}, risk: map[sla.Currency]int64{}}
	}
	return c
}

// take counts one case with its attempts. One of a store that is not configured here is left to those who know it, and to wkctl doctor.
func (c *census) take(src *connectors.Source, r sla.CaseRecord, attempts []sla.Attempt, rule sla.Rule) {
	if src == nil || c.platforms[src.Platform] == nil {
		return
	}
	o := c.platforms[src.Platform]
	for _, a := range attempts {
		unknown, late := sweep.Unknown(a, c.at, rule.Settle.Value)
		if !unknown {
			continue
		}
		if o.unknown++; late {
			o.late++
		}
		if o.oldest.IsZero() || a.SentAt.Before(o.oldest) {
			o.oldest = a.SentAt
		}
	}
	if !r.Open() || r.Obligation.Turn == 0 || r.Answered {
		return
	}
	if r.Approval == sla.ApprovalHeld || r.Approval == sla.ApprovalNone && r.Waiting {
		o.held++
	}
	d := sla.Decide(src.PlatformTime(c.at), r.Case, rule)
	o.stages[d.Stage]++
	if !d.Cost.IsZero() {
		o.risk[d.Cost.Currency] += d.Cost.Minor
	}
	if d.Deadline.IsZero() {
		return
	}
	if ours := d.Deadline.Add(-src.Skew()); o.deadline.IsZero() || ours.Before(o.deadline) {
		o.deadline = ours
	}
}

// Count walks over all cases, for what the metrics tell of them. Only Start calls it by itself, at the pace of the package's comment.
func (f *Fleet) Count(ctx context.Context) error {
	rules := f.wary()
	c := newCensus(f.o.Now(), f.census.names)
	tally, err := f.store.Inspection().Cases(ctx, func(r sla.CaseRecord, attempts []sla.Attempt) {
		c.take(f.sources[r.ID.Store], r, attempts, rules.For(r.ID.Platform, r.ID.Store, r.Reason))
	})
	if err != nil {
		return err
	}
	c.cases, c.untimed = tally.Records, tally.Idle.Count+tally.Untimed.Count
	f.census.last.Store(c)
	return nil
}

// countDue counts when it is time.
func (f *Fleet) countDue(ctx context.Context) error {
	if c := f.census.last.Load(); c != nil {
		if since := f.o.Now().Sub(c.at); since >= 0 && since < countAfter(c.cases) {
			return nil
		}
	}
	return f.Count(ctx)
}

// censusCollector tells what the last count found. It asks nobody.
type censusCollector struct {
	names []sla.Platform // with disputes
	last  atomic.Pointer[census]

	deadline, stages, risk, held, unknown, late, oldest *prometheus.Desc
	counted, cases, untimed                             *prometheus.Desc
}

func newCensusCollector(sources connectors.Sources) *censusCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("watchkeeper_"+name, help, labels, nil)
	}
	const platform = "platform"
	c := &censusCollector{
		deadline: desc("earliest_deadline_timestamp_seconds", "When the first platform's deadline is that has no answer yet; +Inf when nothing is owed.", platform),
		stages:   desc("open_obligations", "Obligations without an answer, by the stage that they have reached; breach: the deadline has passed.", platform, "stage"),
		risk:     desc("value_at_risk", "What silence would cost of all obligations without an answer, in major units.", platform, "currency"),
		held:     desc("held_answers", "Obligations without an answer whose answer waits for a person's yes.", platform),
		unknown:  desc("unknown_answers", "Answers that were sent and of which nobody knows whether they took effect.", platform),
		late:     desc("unknown_answers_late", "Those of them whose outcome is not known for longer than it takes to learn it: the settle window and two sweeps.", platform),
		oldest:   desc("unknown_answers_oldest_timestamp_seconds", "When the oldest answer of unknown outcome was sent; +Inf without one.", platform),
		counted:  desc("cases_counted_timestamp_seconds", "When this process last counted the cases: once a minute, more seldom from 60,000 cases on; 0: never."),
		cases:    desc("cases", "Cases on record when they were last counted, the closed ones of a month included."),
		untimed:  desc("cases_without_timer", "Cases among them that nobody would look at by himself."),
	}
	for _, src := range sources {
		if src.Connector != nil && !slices.Contains(c.names, src.Platform) {
			c.names = append(c.names, src.Platform)
		}
	}
	slices.Sort(c.names)
	return c
}

// Describe implements prometheus.Collector.
func (c *censusCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.deadline, c.stages, c.risk, c.held, c.unknown, c.late, c.oldest, c.counted, c.cases, c.untimed} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *censusCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	last := c.last.Load()
	if last == nil {
		last = newCensus(time.Time{}, c.names)
		gauge(c.counted, 0)
	} else {
		gauge(c.counted, unix(last.at))
	}
	gauge(c.cases, float64(last.cases))
	gauge(c.untimed, float64(last.untimed))
	for p, o := range last.platforms {
		gauge(c.deadline, orNever(o.deadline), string(p))
		for _, s := range sla.Stages() {
			gauge(c.stages, float64(o.stages[s]), string(p), s.String())
		}
		for currency, minor := range o.risk {
			gauge(c.risk, major(sla.Money{Minor: minor, Currency: currency}), string(p), string(currency))
		}
		gauge(c.held, float64(o.held), string(p))
		gauge(c.unknown, float64(o.unknown), string(p))
		gauge(c.late, float64(o.late), string(p))
		gauge(c.oldest, orNever(o.oldest), string(p))
	}
}

func unix(at time.Time) float64 { return float64(at.UnixMilli()) / 1000 }

// orNever is an instant, or one that never comes.
func orNever(at time.Time) float64 {
	if at.IsZero() {
		return math.Inf(1)
	}
	return unix(at)
}
