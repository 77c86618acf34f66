package sla

import (
	"slices"
	"time"
)

// answersAtOnce is how many answers go on beside each other at least where neither an allowance nor an operator limits them.
const answersAtOnce = 16

// A Duty is a number of answers that are due and not sent, and the last safe moment for them.
type Duty struct {
	By time.Time `json:"by"`
	N  int       `json:"n"`
}

// An Allowance is one of the limits that a platform sets to our calls, which one store or several share, and the answers that wait for it.
type Allowance struct {
	Every time.Duration `json:"every"` // the time between two calls that the allowance permits; 0 when there is no limit
	Slots int           `json:"slots"` // answers that may be under way at once; 0 when there is no limit
	Due   []Duty        `json:"due,omitempty"`
}

// Backlog is how many answers are due.
func (a Allowance) Backlog() int {
	n := 0
	for _, d := range a.Due {
		n += max(d.N, 0)
	}
	return n
}

// with is the allowance as two replicas see it together.
func (a Allowance) with(o Allowance) Allowance {
	out := Allowance{Every: max(a.Every, o.Every), Slots: a.Slots, Due: slices.Concat(a.Due, o.Due)}
	if out.Slots <= 0 || o.Slots > 0 && o.Slots < out.Slots {
		out.Slots = o.Slots
	}
	return out
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
