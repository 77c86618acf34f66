package sla

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// Bounds of what measurements may add to a rule. They hold whatever a platform says or does: one whose clock jumps, which hangs or which asks
// for hours of patience makes the fleet stop at most MostGuard earlier and begin at most MostLead earlier than the rule alone would have it,
// and never takes more than half of the time between the beginning of an obligation and the rule's own guard.
const (
	MostGuard = time.Hour
	MostLead  = 6 * time.Hour
)

// unmeasured is the latency of a platform that has answered nothing yet: one call that uses up its time.
const unmeasured = 10 * time.Second

// CallsPerAnswer is how many calls of a platform one answer takes, with the reading before it and one to learn what became of it.
const CallsPerAnswer = 5

// Measured is what was measured of a platform, or may be feared where nothing was.
type Measured struct {
	Known      bool                 `json:"known"`   // an answer was measured; if not, Latency counts as the longest that one call may take
	Latency    time.Duration        `json:"latency"` // what the reading of a dispute and its answer took of late, but for one in a hundred
	Skew       time.Duration        `json:"skew"`    // the most that the platform's clock has changed against ours of late
	Wait       time.Duration        `json:"wait"`    // the longest that the platform asked us to wait of late
	Allowances map[string]Allowance `json:"allowances,omitempty"`
}

// Worse takes of each measure the worse of two replicas; the answers that are due with them add up.
func (m Measured) Worse(o Measured) Measured {
	out := Measured{
		Known: m.Known || o.Known, Latency: max(m.Latency, o.Latency), Skew: max(m.Skew.Abs(), o.Skew.Abs()), Wait: max(m.Wait, o.Wait),
	}
	if len(m.Allowances)+len(o.Allowances) > 0 {
		out.Allowances = maps.Clone(m.Allowances)
	}
	for name, l := range o.Allowances {
		if out.Allowances == nil {
			out.Allowances = map[string]Allowance{}
		}
		out.Allowances[name] = out.Allowances[name].with(l)
	}
	return out
}

func (m Measured) latency() time.Duration {
	if !m.Known {
		return max(m.Latency, unmeasured)
	}
	return m.Latency
}

// busiest is the allowance whose answers take the longest, and how long each of them takes.
func (m Measured) busiest() (due int, each time.Duration) {
	for _, name := range slices.Sorted(maps.Keys(m.Allowances)) {
		l := m.Allowances[name]
		n, e := l.Backlog(), l.each(m.latency())
		if due == 0 || times(e, n) > times(each, due) {
			due, each = n, e
		}
	}
	return due, each
}

// A Margin is what the measurements of a platform add to a rule.
type Margin struct {
	Guard time.Duration // no answer is sent with less time left than the rule's guard and this
	Lead  time.Duration // answers are due so much earlier than the rule has it
	From  string        // what was measured, in words; empty: nothing is added, and nobody measures
}

// MarginOf turns measurements into a margin. Guard needs the time of an answer and of one more try, what the reading of the platform's clock
// may be wrong by, and the wait that it may ask for between the two; the settle windows are the rule's own business, which refuses a guard
// shorter than one. A backlog moves the beginning only: the more there is to do, the earlier it must be begun, and stopping earlier would help
// nobody. Both grow with each measure, in whole seconds, up to MostGuard and MostLead.
func MarginOf(m Measured) Margin {
	need := sum(times(m.latency(), 2), m.Skew.Abs(), m.Wait)
	due, each := m.busiest()
	out := Margin{Guard: bounded(need, MostGuard)}
	out.Lead = bounded(sum(out.Guard, times(each, due)), MostLead)
	from := "measured"
	if !m.Known {
		from = "nothing measured yet"
	}
	out.From = fmt.Sprintf("%s: latency %s twice, clock %s, waits %s, %d due at %s each", from, whole(m.latency()), whole(m.Skew.Abs()), whole(max(m.Wait, 0)),
		due, each.Round(time.Millisecond))
	return out
}

// whole rounds up to the second, so that noise moves no timer.
func whole(d time.Duration) time.Duration {
	if d > math.MaxInt64-time.Second {
		return d.Truncate(time.Second)
	}
	return (d + time.Second - 1).Truncate(time.Second)
}

func bounded(d, most time.Duration) time.Duration { return min(whole(max(d, 0)), most) }

// times multiplies without going beyond the longest duration.
func times(d time.Duration, n int) time.Duration {
	switch {
	case d <= 0 || n <= 0:
		return 0
	case d > math.MaxInt64/time.Duration(n):
		return math.MaxInt64
	}
	return d * time.Duration(n)
}

// sum adds what is positive without going beyond the longest duration.
func sum(all ...time.Duration) time.Duration {
	total := time.Duration(0)
	for _, d := range all {
		if d = max(d, 0); total > math.MaxInt64-d {
			return math.MaxInt64
		}
		total += d
	}
	return total
}

// GuardAt is the last moment that is safe for an answer: the rule's guard and what the measured margin adds to it before the deadline. It means
// nothing where no deadline is known.
func GuardAt(o Obligation, r Rule) time.Time { return guardAt(o, EffectiveDeadline(o, r), r) }

func guardAt(o Obligation, deadline time.Time, r Rule) time.Time {
	guard := deadline.Add(-r.Guard.Value)
	return guard.Add(-spared(o, guard, r.Margin.Guard))
}

// spared is as much of an addition as leaves half of the time between an obligation's beginning and a moment of the rule.
func spared(o Obligation, moment time.Time, extra time.Duration) time.Duration {
	extra = max(extra, 0)
	if o.Opened.IsZero() {
		return extra
	}
	return min(extra, max(moment.Sub(o.Opened)/2, 0))
}
