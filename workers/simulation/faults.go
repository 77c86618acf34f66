package simulation

import (
	"strings"
	"time"
)

// Faults is a set of what may go wrong in a world.
type Faults uint32

// The faults.
const (
	Crash     Faults = 1 << iota // a process dies at any point between two inputs or outputs
	Freeze                       // a process stands still for minutes and goes on
	Jobs                         // jobs are lost, doubled, late, or of a newer program
	Flush                        // Redis loses everything
	Restore                      // Redis goes back to an earlier point: an old snapshot, a failover that lost writes
	Cut                          // a process loses its way to Redis; requests or only their replies are lost
	Dark                         // a process, or all of them, lose their way to a platform
	Skew                         // clocks of processes and platforms are minutes off; such a process lays its work down
	Errors                       // a platform throttles, fails before or after the effect, times out, applies late, reads stale
	Pages                        // a platform's pages repeat rows, leave some out, and hold unreadable ones
	Tokens                       // a platform refuses a store's token for a while
	Rules                        // the rules change, and processes are restarted one after the other to follow
	Kill                         // kill switches are thrown and released
	Moves                        // a platform moves deadlines within a turn
	faultsEnd                    // behind the last

	// All is every fault.
	All = faultsEnd - 1
)

var faultNames = []string{"crash", "freeze", "jobs", "flush", "restore", "cut", "dark", "skew", "errors", "pages", "tokens", "rules", "kill", "moves"}

// String lists the faults.
func (f Faults) String() string {
	var out []string
	for i, name := range faultNames {
		if f&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return strings.Join(out, ",")
}

// Each lists the faults of the set one by one.
func (f Faults) Each() []Faults {
	var out []Faults
	for i := range faultNames {
		if f&(1<<i) != 0 {
			out = append(out, 1<<i)
		}
	}
	return out
}

// How long things may take at the worst. The settle window must be longer than a freeze and a late request together (reliability R6).
const (
	longestFreeze = 5 * time.Minute
	latestRequest = 2 * time.Minute
	callTimeout   = 10 * time.Second
	staleness     = 20 * time.Second
	largestSkew   = 5 * time.Minute
)

// may draws whether a fault of a kind happens now.
func (w *World) may(f Faults, p float64) bool {
	return w.o.Faults&f != 0 && w.now.Before(w.calm) && w.rng.Float64() < p
}

// between draws a time.
func (w *World) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.rng.Int64N(int64(most-least)+1))
}

// every lets something happen again and again at times whose mean distance is given, until the world is calm.
func (w *World) every(f Faults, mean time.Duration, do func()) {
	if w.o.Faults&f == 0 {
		return
	}
	var again func()
	again = func() {
		if !w.now.Before(w.calm) {
			return
		}
		do()
		w.after(w.between(mean/4, 7*mean/4), again)
	}
	w.after(w.between(0, 2*mean), again)
}

// plague sets everything that goes wrong by itself and not at a step of a process.
func (w *World) plague() {
	w.every(Crash, 8*time.Hour, func() {
		if p := w.anyone(); p != nil {
			w.crash(p)
		}
	})
	w.every(Freeze, 5*time.Hour, func() {
		if p := w.anyone(); p != nil {
			w.freeze(p)
		}
	})
	w.every(Cut, 4*time.Hour, func() {
		if p := w.anyone(); p != nil {
			p.cut = w.now.Add(w.between(time.Second, 20*time.Minute))
			w.tellf("", "process %d has no Redis until %s", p.n, p.cut.Format(time.TimeOnly))
			w.watchOver()
			w.at(p.cut, w.watchOver)
		}
	})
	w.every(Flush, 60*time.Hour, func() {
		w.tellf("", "Redis is emptied")
		w.server.Flush()
		w.queue.flush()
		w.lost = w.now
	})
	w.every(Restore, 40*time.Hour, w.restore)
	w.every(Dark, 12*time.Hour, func() {
		store := w.market.stores[w.rng.IntN(len(w.market.stores))]
		store.dark = w.now.Add(w.between(time.Minute, 3*time.Hour))
		w.tellf("", "store %s is dark until %s", store.id, store.dark.Format(time.TimeOnly))
	})
	w.every(Tokens, 30*time.Hour, func() {
		store := w.market.stores[w.rng.IntN(len(w.market.stores))]
		store.expired = w.now.Add(w.between(time.Minute, 40*time.Minute))
		w.tellf("", "the token of store %s is refused until %s", store.id, store.expired.Format(time.TimeOnly))
	})
	w.every(Skew, 10*time.Hour, func() {
		if w.rng.IntN(4) == 0 {
			store := w.market.stores[w.rng.IntN(len(w.market.stores))]
			store.skew = w.between(-largestSkew, largestSkew)
			w.tellf("", "the clock of store %s is %s off", store.id, store.skew)
			return
		}
		if p := w.anyone(); p != nil {
			w.jump(p)
		}
	})
	w.every(Rules, 30*time.Hour, w.otherRules)
	w.every(Kill, 20*time.Hour, w.killSwitch)
}

// How far a process' clock may be from that of Redis before it lays its work down, and how soon it notices (workers/fleet).
const (
	believed = 20 * time.Second
	noticed  = 2 * time.Second
)

// jump puts a process' clock wrong. It works on until it notices, and works again when the clock is right enough.
func (w *World) jump(p *process) {
	p.skew = w.between(-largestSkew, largestSkew)
	p.unaware = w.now.Add(w.between(0, noticed))
	w.tellf("", "the clock of process %d is %s off", p.n, p.skew)
	if p.skew.Abs() <= believed {
		return
	}
	w.at(p.unaware, w.watchOver)
	w.after(w.between(time.Minute, 40*time.Minute), func() {
		if p.skew = w.between(-believed, believed); !p.dead {
			w.tellf("", "the clock of process %d is %s off", p.n, p.skew)
			w.watchOver()
		}
	})
}

// restore takes Redis back to a point that is some time ago, with the queue as it may have been then.
func (w *World) restore() {
	point := w.server.Snapshot()
	w.after(w.between(100*time.Millisecond, 10*time.Minute), func() {
		w.tellf("", "Redis goes back to an earlier point")
		w.server.Restore(point)
		w.queue.back()
		w.lost = w.now
	})
}
