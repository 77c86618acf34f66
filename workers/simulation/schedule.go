package simulation

import (
	"iter"
	"time"
)

// An event is something that happens at an instant: a strand that goes on, or anything else.
type event struct {
	at     int64  // nanoseconds since the world began
	seq    uint64 // events of one instant happen in the order in which they were set
	strand *strand
	do     func()
}

func (e *event) before(o *event) bool { return e.at < o.at || e.at == o.at && e.seq < o.seq }

// A schedule is a heap with four children to a node: container/heap costs a tenth of a world's time.
type schedule []event

func (s *schedule) push(e event) {
	h := append(*s, e)
	i := len(h) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(&h[parent]) {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = e
	*s = h
}

func (s *schedule) pop() event {
	h := *s
	first, last := h[0], h[len(h)-1]
	h[len(h)-1] = event{}
	h = h[:len(h)-1]
	i := 0
	for 4*i+1 < len(h) {
		least := 4*i + 1
		for c := least + 1; c < min(4*i+5, len(h)); c++ {
			if h[c].before(&h[least]) {
				least = c
			}
		}
		if !h[least].before(&last) {
			break
		}
		h[i] = h[least]
		i = least
	}
	if len(h) > 0 {
		h[i] = last
	}
	*s = h
	return first
}

// at sets an event.
func (w *World) at(t time.Time, do func()) {
	w.seq++
	w.events.push(event{at: max(int64(t.Sub(began)), int64(w.now.Sub(began))), seq: w.seq, do: do})
}

func (w *World) after(d time.Duration, do func()) { w.at(w.now.Add(d), do) }

func (w *World) resume(d time.Duration, s *strand) {
	w.seq++
	w.events.push(event{at: int64(w.now.Sub(began) + d), seq: w.seq, strand: s})
}

// next lets the earliest event happen; false when there is none before an instant.
func (w *World) next(before time.Time) bool {
	if len(w.events) == 0 || w.events[0].at >= int64(before.Sub(began)) {
		return false
	}
	e := w.events.pop()
	w.now = began.Add(time.Duration(e.at))
	if e.strand == nil {
		e.do()
		return true
	}
	w.step(e.strand)
	return true
}

// A strand is one line of work of a process: a loop, or a job. It runs until it has to wait, and then others do.
type strand struct {
	proc  *process
	on    *fibre
	dead  bool
	index int // in proc.strands
}

// A fibre is a coroutine that runs the work of one strand after the other: a new coroutine for each job would have to grow its stack each time.
type fibre struct {
	next  func() (time.Duration, bool)
	stop  func()
	yield func(time.Duration) bool
	work  func()
}

// over is what a fibre gives instead of a wait when its work has ended.
const over = time.Duration(-1)

// ended is what the code of a dead process panics with at whatever it does next.
type ended struct{}

// start makes a strand of a process.
func (w *World) start(p *process, work func()) {
	s := &strand{proc: p, index: len(p.strands), on: w.fibre()}
	s.on.work = work
	p.strands = append(p.strands, s)
	w.resume(0, s)
}

// fibre gives one that has nothing to do.
func (w *World) fibre() *fibre {
	if n := len(w.idle); n > 0 {
		f := w.idle[n-1]
		w.idle = w.idle[:n-1]
		return f
	}
	f := &fibre{}
	f.next, f.stop = iter.Pull(func(yield func(time.Duration) bool) {
		f.yield = yield
		for more := true; more; more = yield(over) { // yield is false from the stop on
			f.run()
		}
	})
	return f
}

func (f *fibre) run() {
	defer func() {
		f.work = nil
		if r := recover(); r != nil && r != any(ended{}) {
			panic(r)
		}
	}()
	f.work()
}

// step lets a strand go on, unless its process is dead or frozen.
func (w *World) step(s *strand) {
	switch {
	case s.dead:
		return
	case s.proc.frozen.After(w.now):
		w.resume(s.proc.frozen.Sub(w.now), s)
		return
	}
	w.running = s
	wait, more := s.on.next()
	w.running = nil
	switch {
	case !more:
		panic("a fibre has ended under its strand")
	case wait != over:
		w.resume(wait, s)
	default:
		w.idle = append(w.idle, s.on)
		s.proc.drop(s)
	}
}

// pause lets time pass for the running strand. It does not return in a process that has died.
func (w *World) pause(d time.Duration) {
	s := w.running
	if s == nil {
		return // the world itself, before or after a run
	}
	if s.dead || !s.on.yield(max(d, 0)) {
		s.dead = true
		panic(ended{})
	}
}

// drop forgets a strand that has ended.
func (p *process) drop(s *strand) {
	last := len(p.strands) - 1
	if s.index <= last && p.strands[s.index] == s {
		p.strands[s.index] = p.strands[last]
		p.strands[s.index].index = s.index
		p.strands = p.strands[:last]
	}
	s.dead = true
}

// crash ends a process between two steps of its work. What it has asked of others goes on.
func (w *World) crash(p *process) {
	w.crashes++
	w.tellf("", "process %d dies", p.n)
	w.endAll(p)
	w.after(w.between(time.Second, time.Minute), func() { w.launch(p.n) })
	w.watchOver()
	if w.running != nil && w.running.proc == p {
		panic(ended{})
	}
}

// endAll ends every strand of a process that dies. Their deferred work runs, and can do nothing any more.
func (w *World) endAll(p *process) {
	p.dead = true
	strands, running := p.strands, w.running
	p.strands = nil
	for _, s := range strands {
		s.dead = true
	}
	for _, s := range strands {
		if s != running {
			w.running = s
			s.on.stop()
		}
	}
	w.running = running
}
