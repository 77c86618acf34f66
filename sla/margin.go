package sla

import (
	"fmt"
	"math"
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
	Known   bool          // an answer was measured; if not, Latency counts as the longest that one call may take
	Latency time.Duration // the longest that the reading of a dispute and its answer took of late
	Skew    time.Duration // the farthest that the platform's clock was from ours of late, either way
	Wait    time.Duration // the longest that the platform asked us to wait of late
	Every   time.Duration // the time between two calls that the allowance permits; 0 when there is no limit
	Backlog int           // answers that are due and not sent
}

// Worse takes of each measure the worse of two replicas; their backlogs add up.
func (m Measured) Worse(o Measured) Measured {
	return Measured{
		Known: m.Known || o.Known, Latency: max(m.Latency, o.Latency), Skew: max(m.Skew.Abs(), o.Skew.Abs()), Wait: max(m.Wait, o.Wait),
		Every: max(m.Every, o.Every), Backlog: max(m.Backlog, 0) + max(o.Backlog, 0),
	}
}

// Each is how long one answer occupies the platform's allowance, or a worker where there is no limit.
func (m Measured) Each() time.Duration {
	if m.Every <= 0 {
		return max(m.latency(), 0) / answersAtOnce
	}
	return times(m.Every, CallsPerAnswer)
}

// answersAtOnce is how many answers go on beside each other at least where no allowance limits them.
const answersAtOnce = 16

func (m Measured) latency() time.Duration {
	if !m.Known {
		return max(m.Latency, unmeasured)
	}
	return m.Latency
}

// A Margin is what the measurements of a platform add to a rule.
type Margin struct {
	Guard time.Duration // no answer is sent with less time left than the rule's guard and this
	Lead  time.Duration // answers are due so much earlier than the rule has it
	From  string        // what was measured, in words; empty: nothing is added, and nobody measures
}

// MarginOf turns measurements into a margin. Guard needs the time of an answer and of one more try, what the platform's clock may be wrong by,
// and the wait that it may ask for between the two; the settle windows are the rule's own business, which refuses a guard shorter than one.
// A backlog moves the beginning only: the more there is to do, the earlier it must be begun, and stopping earlier would help nobody. Both grow
// with each measure, in whole seconds, up to MostGuard and MostLead.
func MarginOf(m Measured) Margin {
	need := sum(times(m.latency(), 2), m.Skew.Abs(), m.Wait)
	drain := times(m.Each(), m.Backlog)
	out := Margin{Guard: bounded(need, MostGuard)}
	out.Lead = bounded(sum(out.Guard, drain), MostLead)
	from := "measured"
	if !m.Known {
		from = "nothing measured yet"
	}
	out.From = fmt.Sprintf("%s: latency %s twice, clock %s, waits %s, %d due at %s each", from, whole(m.latency()), whole(m.Skew.Abs()), whole(max(m.Wait, 0)),
		max(m.Backlog, 0), m.Each().Round(time.Millisecond))
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

// peakHalves is after how long a peak counts half.
const peakHalves = 15 * time.Minute

// A Peak is a maximum that decays: a slow hour is not forgotten with the next quick reply, nor held against a platform for ever.
type Peak struct {
	Value time.Duration
	At    time.Time
}

// Now is what is left of the peak.
func (p Peak) Now(now time.Time) time.Duration {
	age := now.Sub(p.At)
	if age <= 0 {
		return p.Value
	}
	return time.Duration(float64(p.Value) * math.Exp2(-float64(age)/float64(peakHalves)))
}

// Seen takes one more measurement in.
func (p Peak) Seen(now time.Time, d time.Duration) Peak {
	if left := p.Now(now); left > d {
		return Peak{Value: left, At: now}
	}
	return Peak{Value: d, At: now}
}
