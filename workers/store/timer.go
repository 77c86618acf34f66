package store

import (
	"math/bits"
	"time"
)

// A timer is an instant with the width of the leaf it is kept in: 2^(7 + code) ms, or one millisecond for exactCode (scripts/timer.lua).
// The width is chosen when the timer is set and never changes: any choice is correct, a good one keeps the leaf a small listpack.
type timer struct {
	ms   uint64
	code uint64
}

const (
	minWidthBits = 7
	maxCode      = 14
	exactCode    = 15
	leafLoad     = 128 // entries in a leaf if every timer of the class were as far away as this one
)

// append writes six bytes: four bits of code, 44 of milliseconds.
func (t timer) append(dst []byte) []byte { return appendInstant(dst, t.code<<44|t.ms) }

// A gauge chooses widths for one class in one shard.
type gauge struct {
	now   uint64
	count uint64 // records of the class in the shard, about
}

func (s *Store) gauge(c class, shard int) gauge {
	return gauge{now: dueMS(s.now()), count: uint64(max(s.counts[shard][c.index()].Load(), 1))}
}

// timer chooses a leaf: the farther away and the fewer records, the wider. If all n timers of a shard lie d ahead, their density is n/d,
// and a leaf of width load·d/n holds load of them. Timers at many distances share the load, and make more, smaller leaves.
func (g gauge) timer(next time.Time) timer {
	t := timer{ms: dueMS(next)}
	if t.ms == 0 {
		return t
	}
	ahead := uint64(1)
	if t.ms > g.now {
		ahead = t.ms - g.now
	}
	width := bits.Len64(ahead*leafLoad/g.count) - 1
	t.code = uint64(min(max(width-minWidthBits, 0), maxCode))
	return t
}
