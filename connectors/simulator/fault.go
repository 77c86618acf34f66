package simulator

import (
	"math/rand/v2"
	"time"

	"watchkeeper/sla"
)

// staleReads is how often a read shows the past when Faults.StaleRead is on.
const staleReads = 0.3

// A plan of misbehaviour for one request. It depends on what is asked and how often it was asked before, and not on what other
// requests are under way.
type mischief struct {
	w     *World
	n     []uint64
	stale time.Duration // how far in the past this read looks
}

// plot draws the request's misbehaviour. The caller holds the lock.
func (w *World) plot(key string) mischief {
	w.seen[key]++
	m := mischief{w: w, n: []uint64{number(key), w.seen[key]}}
	if limit := w.o.Faults.StaleRead; limit > 0 {
		if r := m.draw(forStale); sometimes(r, staleReads) {
			m.stale = between(r, 0, limit)
		}
	}
	return m
}

func (m mischief) draw(p purpose) *rand.Rand { return draw(m.w.o.Seed, p, m.n...) }

// strikes reports whether a fault of probability p happens to this request.
func (m mischief) strikes(kind purpose, p float64) bool {
	return p > 0 && sometimes(m.draw(kind), p)
}

// dark reports whether a platform is in its one dark period.
func (w *World) dark(p sla.Platform, now time.Time) bool {
	length := w.o.Faults.DarkFor
	if length <= 0 {
		return false
	}
	r := draw(w.o.Seed, forDark, number(string(p)))
	start := w.o.Start.Add(between(r, w.o.length()/10, w.o.length()*7/10))
	return !now.Before(start) && now.Before(start.Add(length))
}

// spoil makes a page's rows misbehave: one lost at the beginning of a later page, one twice, one broken.
func (m mischief) spoil(rows []any, page int, broken any) []any {
	f := m.w.o.Faults
	if page > 1 && len(rows) > 0 && m.strikes(forShift, f.ShiftedPages) {
		rows = rows[1:]
	}
	if len(rows) > 0 && m.strikes(forDuplicate, f.DuplicateRows) {
		rows = append(rows, rows[m.draw(forDuplicate).IntN(len(rows))])
	}
	if m.strikes(forMalformed, f.MalformedRow) {
		rows = append(rows, broken)
	}
	return rows
}
