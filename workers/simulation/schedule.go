package simulation

import (
	"container/heap"
	"iter"
	"time"
)

// An event is something that happens at an instant: a strand that goes on, or anything else.
type event struct {
	at     time.Time
	seq    uint64 // events of one instant happen in the order in which they were set
	strand *strand
	do     func()
}

type schedule []event

func (s schedule) Len() int { return len(s) }

func (s schedule) Less(i, j int) bool {
	if c := s[i].at.Compare(s[j].at); c != 0 {
		return c < 0
	}
	return s[i].seq < s[j].seq
}

func (s schedule) Swap(i, j int) { s[i], s[j] = s[j], s[i] }

func (s *schedule) Push(e any) { *s = append(*s, e.(event)) }

func (s *schedule) Pop() any {
	old := *s
	e := old[len(old)-1]
	old[len(old)-1] = event{}
	*s = old[:len(old)-1]
	return e
}

// at sets an event.
func (w *World) at(t time.Time, do func()) {
	w.seq++
	heap.Push(&w.events, event{at: t, seq: w.seq, do: do})
}

func (w *World) after(d time.Duration, do func()) { w.at(w.now.Add(d), do) }

func (w *World) resume(d time.Duration, s *strand) {
	w.seq++
	heap.Push(&w.events, event{at: w.now.Add(d), seq: w.seq, strand: s})
}

// next lets the earliest event happen; false when there is none before an instant.
func (w *World) next(before time.Time) bool {
	if len(w.events) == 0 || !w.events[0].at.Before(before) {
		return false
	}
	e := heap.Pop(&w.events).(event)
	w.now = e.at
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
	next  func() (time.Duration, bool)
	stop  func()
	yield func(time.Duration) bool
	dead  bool
	index int // in proc.strands
}

// ended is what the code of a dead process panics with at whatever it does next.
type ended struct{}

// start makes a strand of a process; whatever happens, done is called when it has ended by itself.
func (w *World) start(p *process, work func()) {
	s := &strand{proc: p, index: len(p.strands)}
	p.strands = append(p.strands, s)
	s.next, s.stop = iter.Pull(func(yield func(time.Duration) bool) {
		s.yield = yield
		defer func() {
			if r := recover(); r != nil && r != any(ended{}) {
				panic(r)
			}
		}()
		work()
	})
	w.resume(0, s)
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
	wait, more := s.next()
	w.running = nil
	if more {
		w.resume(wait, s)
		return
	}
	s.proc.drop(s)
}

// pause lets time pass for the running strand. It does not return in a process that has died.
func (w *World) pause(d time.Duration) {
	s := w.running
	if s == nil {
		return // the world itself, before or after a run
	}
	if s.dead || !s.yield(d) {
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
	w.tell("", "process %d dies", p.n)
	w.endAll(p)
	w.after(w.between(time.Second, time.Minute), func() { w.launch(p.n) })
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
			s.stop()
		}
	}
	w.running = running
}
