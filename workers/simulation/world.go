package simulation

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"watchkeeper/sla"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/intake"
	"watchkeeper/workers/poll"
	"watchkeeper/workers/sweep"
)

// Options say what a world is made of.
type Options struct {
	Seed   uint64
	Cases  int    // disputes that buyers open
	Faults Faults // what may go wrong
	// Trace is told everything that happens, with the case it happens to; nil: nobody listens.
	Trace func(at time.Time, of, what string)
}

// How the time of a world goes.
const (
	processes    = 3
	sellers      = 4
	opening      = 4 * 24 * time.Hour // over which buyers open disputes
	calmBefore   = 36 * time.Hour     // the end of the faults, after the last dispute was opened
	longest      = 60 * 24 * time.Hour
	pollEvery    = 15 * time.Minute
	parcelsEvery = time.Hour
	loopEvery    = time.Minute
	inspectEvery = 2 * time.Hour
)

// began is when every world begins: an hour that is far from midnight.
var began = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// metrics are shared by all processes of a world: nobody reads them.
type metrics struct {
	intake *intake.Metrics
	handle *handle.Metrics
	poll   *poll.Metrics
	sweep  *sweep.Metrics
}

// A World is one run. It must be used by one goroutine.
type World struct {
	o         Options
	rng       *rand.Rand
	now       time.Time
	calm      time.Time // nothing goes wrong any more from here on
	events    schedule
	seq       uint64
	running   *strand
	idle      []*fibre
	server    Server
	market    *market
	queue     *queue
	rules     *rulebook
	ruled     time.Time // when the rules changed last
	lost      time.Time // when Redis lost something last
	killed    kill
	processes []*process
	metrics   metrics
	judge     *judge
	followed  []int
	follows   map[int]bool
	crashes   int
	launches  int
	leaving   int // disputes that are still to be opened
}

// New makes a world around a server without any state.
func New(o Options, server Server) *World {
	reg, platforms := prometheus.NewRegistry(), []sla.Platform{marketplace, tracking}
	w := &World{
		o: o, now: began, calm: began.Add(opening + calmBefore), server: server, follows: map[int]bool{},
		processes: make([]*process, processes), leaving: o.Cases,
		metrics: metrics{intake.NewMetrics(reg, platforms), handle.NewMetrics(reg, platforms), poll.NewMetrics(reg, platforms), sweep.NewMetrics(reg)},
	}
	w.rng = rand.New(rand.NewPCG(o.Seed, 0x5eed)) //nolint:gosec // a world that can be repeated
	w.judge, w.queue = newJudge(w), &queue{w: w, taken: map[string]bool{}}
	w.market = &market{w: w}
	for i := range sellers {
		w.market.stores = append(w.market.stores, &seller{id: sla.StoreID(fmt.Sprint("S", i+1))})
	}
	w.rules = w.draw(nil)
	return w
}

func (m *market) platforms() map[sla.StoreID]sla.Platform {
	out := map[sla.StoreID]sla.Platform{trackerID: tracking}
	for _, s := range m.stores {
		out[s.id] = marketplace
	}
	return out
}

// dispute finds a dispute by its id; nil when there is none.
func (w *World) dispute(id sla.DisputeID) *dispute {
	n, err := strconv.Atoi(id.Native)
	if n -= firstID; err != nil || n < 0 || n >= len(w.market.all) {
		return nil
	}
	return w.market.all[n]
}

// tell lets whoever listens hear what happens.
func (w *World) tellf(of, format string, args ...any) {
	if w.o.Trace != nil {
		w.o.Trace(w.now, of, fmt.Sprintf(format, args...))
	}
}

// Run plays the world to its end and gives what the judge found.
func (w *World) Run() Result {
	started := w.now
	w.tellf("", "rules %s: %s", w.rules.Hash(), w.modes())
	for n := range w.processes {
		w.launch(n)
	}
	for range w.o.Cases {
		w.at(started.Add(time.Duration(w.rng.Int64N(int64(opening)))), func() {
			w.market.open(len(w.market.all))
			w.leaving--
		})
	}
	w.plague()
	w.at(w.calm, w.pacify)
	w.inspections()
	for !w.over() && w.next(started.Add(longest)) {
		continue
	}
	w.judge.ends()
	w.end()
	return w.result(started)
}

// pacify ends every fault that lasts.
func (w *World) pacify() {
	for _, s := range w.market.stores {
		s.dark, s.expired = time.Time{}, time.Time{}
	}
	for _, p := range w.processes {
		if p != nil {
			p.cut, p.dark, p.frozen = time.Time{}, time.Time{}, time.Time{}
		}
	}
	if !w.killed.since.IsZero() {
		w.throw(false)
	}
	w.tellf("", "nothing goes wrong from here on")
}

func (w *World) inspections() {
	w.after(inspectEvery, func() {
		w.judge.inspect()
		w.inspections()
	})
}

// over reports whether every dispute has been closed for so long that the records must know.
func (w *World) over() bool {
	if w.leaving > 0 || w.judge.closed < len(w.market.all) || w.now.Before(w.calm) {
		return false
	}
	if w.market.rest.IsZero() {
		w.market.rest = w.now.Add(convergeIn + 12*time.Hour)
	}
	return w.now.After(w.market.rest)
}

// end stops every process.
func (w *World) end() {
	for _, p := range w.processes {
		if p != nil {
			w.endAll(p)
		}
	}
	for _, f := range w.idle {
		f.stop()
	}
}

// open gives the world's own handle on the store.
func (w *World) open() (Memory, error) {
	return w.server.Open(Handle{Now: func() time.Time { return w.now }, Stores: w.market.platforms(), Settle: settle})
}

// A Result is what became of a world.
type Result struct {
	Seed       uint64      `json:"seed"`
	Lifetimes  int         `json:"lifetimes"`
	Answered   int         `json:"answered"` // turns that an answer of ours ended
	Breaches   int         `json:"breaches"` // deadlines that passed; a person knew of all that are not late
	Late       int         `json:"late"`     // deadlines that passed in silence
	Twice      int         `json:"twice"`
	Pages      int         `json:"pages"`
	Crashes    int         `json:"crashes"`
	Days       float64     `json:"days"`
	Violations []Violation `json:"violations,omitempty"`
}

func (w *World) result(started time.Time) Result {
	j := w.judge
	return Result{
		Seed: w.o.Seed, Lifetimes: len(w.market.all), Answered: j.answered, Breaches: j.breaches, Late: j.late, Twice: j.twice, Pages: j.pages,
		Crashes: w.crashes, Days: w.now.Sub(started).Hours() / 24, Violations: j.violations,
	}
}
