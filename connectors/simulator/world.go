package simulator

import (
	"container/heap"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
	_ "time/tzdata" // AliExpress speaks Pacific time, and a small container has no zone files

	"watchkeeper/sla"
)

// A World is both platforms through one month. Its methods may be called from many goroutines.
type World struct {
	o       Options
	pacific *time.Location

	mu      sync.Mutex
	now     time.Time // how far the world has run
	queue   queue
	log     []Entry
	stores  []*store
	issues  []*issue
	byID    map[int64]*issue
	orders  map[int64]*order // by child and by parent id
	parcels []*parcel
	numbers map[string]*parcel
	seen    map[string]uint64 // how often a request was made, so that faults do not depend on who asks first
	calls   callsThisSecond
	inject  func(*http.Request, Phase) Verdict

	servers  map[sla.Platform]*server
	release  chan struct{} // closed by Release, then replaced
	closed   chan struct{}
	closeOne sync.Once
	serving  sync.WaitGroup
}

// New makes the whole month from the seed.
func New(o Options) *World {
	o = o.withDefaults()
	pacific, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		panic(fmt.Sprintf("load Pacific time: %v", err)) // cannot happen: the zone is compiled in
	}
	w := &World{
		o: o, pacific: pacific, now: o.Start.Add(-120 * day),
		byID: map[int64]*issue{}, orders: map[int64]*order{}, numbers: map[string]*parcel{}, seen: map[string]uint64{},
		servers: map[sla.Platform]*server{}, release: make(chan struct{}), closed: make(chan struct{}),
	}
	for n := range o.Stores {
		w.stores = append(w.stores, newStore(o, n))
	}
	w.writeScripts()
	w.writeParcels()
	w.run(o.Start)
	return w
}

// An event is something that will happen. Events run in the order of time, then actor, then seq, so that the steps in which the
// world is advanced cannot matter.
type event struct {
	at    time.Time
	actor int
	seq   int
	live  func() bool // nil: always
	do    func(at time.Time)
}

type queue []event

// Len is part of heap.Interface.
func (q *queue) Len() int { return len(*q) }

// Less is part of heap.Interface.
func (q *queue) Less(i, j int) bool {
	a, b := (*q)[i], (*q)[j]
	if !a.at.Equal(b.at) {
		return a.at.Before(b.at)
	}
	if a.actor != b.actor {
		return a.actor < b.actor
	}
	return a.seq < b.seq
}

// Swap is part of heap.Interface.
func (q *queue) Swap(i, j int) { (*q)[i], (*q)[j] = (*q)[j], (*q)[i] }

// Push is part of heap.Interface.
func (q *queue) Push(x any) {
	if e, ok := x.(event); ok {
		*q = append(*q, e)
	}
}

// Pop is part of heap.Interface.
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

func (w *World) schedule(e event) { heap.Push(&w.queue, e) }

// next is the earliest event that will still happen; dead ones are dropped.
func (w *World) next() (event, bool) {
	for len(w.queue) > 0 {
		if e := w.queue[0]; e.live == nil || e.live() {
			return e, true
		}
		heap.Pop(&w.queue)
	}
	return event{}, false
}

// run plays everything up to an instant, that instant included.
func (w *World) run(to time.Time) {
	for {
		e, ok := w.next()
		if !ok || e.at.After(to) {
			break
		}
		heap.Pop(&w.queue)
		w.now = later(w.now, e.at)
		e.do(e.at)
	}
	w.now = later(w.now, to)
}

// Advance runs the world's own events up to an instant. Going back does nothing.
func (w *World) Advance(to time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.run(to.UTC())
}

// NextEvent is when the world changes next by itself after an instant; zero when never.
func (w *World) NextEvent(after time.Time) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.run(after.UTC())
	e, ok := w.next()
	if !ok {
		return time.Time{}
	}
	return e.at
}

// tick brings the world to the virtual now and gives it.
func (w *World) tick() time.Time {
	if w.o.Now != nil {
		w.run(w.o.Now().UTC())
	}
	return w.now
}

// Log is every change so far, oldest first.
func (w *World) Log() []Entry {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.log)
}

// Report judges the month so far, from the log alone.
func (w *World) Report() Report {
	return Judge(w.Log())
}

func (w *World) record(e Entry) { w.log = append(w.log, e) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
