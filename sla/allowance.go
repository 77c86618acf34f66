package sla

import (
	"cmp"
	"slices"
	"time"
)

// answersAtOnce is how many answers go on beside each other at least where neither an allowance nor an operator limits them.
const answersAtOnce = 16

// A Duty is a number of answers that are due and not sent, and the last safe moment for them.
type Duty struct {
	By time.Time
	N  int
}

// Owed is one answer that is due, as replicas tell each other of it.
type Owed struct {
	Case uint32 `json:"c"` // a hash of the case: two replicas that have seen it count it once
	By   int64  `json:"b"` // the last safe moment, Unix seconds
	Seen int64  `json:"s"` // when it was last said to be due, or done, in Unix milliseconds: the latest word counts
	Done bool   `json:"d,omitempty"`
}

// Bounds of what replicas tell each other of what is due on one platform: beyond so many it is a sample.
const (
	MostOwed  = 1024
	mostScale = 20
)

// An Allowance is one of the limits that a platform sets to our calls, which one store or several share, and the answers that wait for it.
type Allowance struct {
	Every time.Duration `json:"every"` // the time between two calls that the allowance permits; 0 when there is no limit
	Slots int           `json:"slots"` // answers that may be under way at once; 0 when there is no limit
	Scale int           `json:"scale"` // Owed has those of 2^Scale whose hash ends in so many zero bits
	Owed  []Owed        `json:"owed,omitempty"`
}

// Backlog is how many answers are due.
func (a Allowance) Backlog() int {
	n := 0
	for _, o := range a.Owed {
		if !o.Done {
			n++
		}
	}
	return n << a.scale()
}

// Due is what is due; each of a sample stands for as many as it was taken of.
func (a Allowance) Due() []Duty {
	out := make([]Duty, 0, len(a.Owed))
	for _, o := range a.Owed {
		if !o.Done {
			out = append(out, Duty{By: time.Unix(o.By, 0), N: 1 << a.scale()})
		}
	}
	return out
}

func (a Allowance) scale() int { return min(max(a.Scale, 0), mostScale) }

// sample is the allowance with a sample of what is owed.
func (a Allowance) sample(scale int) Allowance {
	a.Owed = slices.DeleteFunc(slices.Clone(a.Owed), func(o Owed) bool { return o.Case&(1<<scale-1) != 0 })
	a.Scale = scale
	return a
}

// Sampled are the allowances of a platform with no more owed than replicas tell each other.
func Sampled(all map[string]Allowance) map[string]Allowance {
	for scale := 1; ; scale++ {
		n := 0
		for _, a := range all {
			n += len(a.Owed)
		}
		if n <= MostOwed || scale > mostScale {
			return all
		}
		thinner := make(map[string]Allowance, len(all))
		for name, a := range all {
			thinner[name] = a.sample(max(scale, a.scale()))
		}
		all = thinner
	}
}

// with is the allowance as two replicas see it together.
func (a Allowance) with(o Allowance) Allowance {
	scale := max(a.scale(), o.scale())
	out := Allowance{Every: max(a.Every, o.Every), Slots: a.Slots, Scale: scale}
	if out.Slots <= 0 || o.Slots > 0 && o.Slots < out.Slots {
		out.Slots = o.Slots
	}
	out.Owed = slices.Concat(a.sample(scale).Owed, o.sample(scale).Owed)
	slices.SortFunc(out.Owed, func(x, y Owed) int {
		return cmp.Or(cmp.Compare(x.Case, y.Case), cmp.Compare(y.Seen, x.Seen), -cmp.Compare(flag(x.Done), flag(y.Done)), cmp.Compare(x.By, y.By))
	})
	out.Owed = slices.CompactFunc(out.Owed, func(x, y Owed) bool { return x.Case == y.Case }) // the latest word, and the end if in doubt
	return out
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// each is how long one answer that takes latency takes of the time that is left: that of its calls, or its part of one of the answers
// that go on beside each other, whichever is longer.
func (a Allowance) each(latency time.Duration) time.Duration {
	slots := a.Slots
	if slots <= 0 {
		slots = answersAtOnce
	}
	return max(times(a.Every, CallsPerAnswer), max(latency, 0)/time.Duration(slots))
}
