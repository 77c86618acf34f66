package simulation

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// A Plan is many worlds, each with a seed of its own.
type Plan struct {
	First   uint64 // the first seed
	Seeds   int
	Cases   int // in each world
	Faults  Faults
	AtOnce  int // worlds played at the same time
	Server  func() Server
	Planned func(Result) // is told of each world that has ended, by one goroutine at a time; nil: nobody listens
}

// A Summary is what became of all of them.
type Summary struct {
	Lifetimes  int      `json:"lifetimes"`
	Late       int      `json:"late"`
	Twice      int      `json:"twice"`
	Violations int      `json:"violations"`
	Seconds    float64  `json:"seconds"`
	Answered   int      `json:"answered"`
	Breaches   int      `json:"breaches"`
	Pages      int      `json:"pages"`
	Crashes    int      `json:"crashes"`
	Failed     []Result `json:"failed,omitempty"` // the worlds with violations, at most ten
	Story      *Story   `json:"story,omitempty"`  // the shortest of the first of them
}

// Play plays a plan; since tells how long it has been at it. A context that ends stops it between two worlds.
func Play(ctx context.Context, p Plan, since func() time.Duration) Summary {
	s := Summary{}
	var mu sync.Mutex
	seeds := make(chan uint64)
	var wg sync.WaitGroup
	for range max(p.AtOnce, 1) {
		wg.Go(func() {
			for seed := range seeds {
				r := New(Options{Seed: seed, Cases: p.Cases, Faults: p.Faults}, p.Server()).Run()
				mu.Lock()
				s.add(r)
				if p.Planned != nil {
					p.Planned(r)
				}
				mu.Unlock()
			}
		})
	}
	for i := range p.Seeds {
		if ctx.Err() != nil {
			break
		}
		seeds <- p.First + uint64(i)
	}
	close(seeds)
	wg.Wait()
	s.Seconds = since().Seconds()
	return s
}

func (s *Summary) add(r Result) {
	s.Lifetimes += r.Lifetimes
	s.Late += r.Late
	s.Twice += r.Twice
	s.Violations += len(r.Violations)
	s.Answered += r.Answered
	s.Breaches += r.Breaches
	s.Pages += r.Pages
	s.Crashes += r.Crashes
	if len(r.Violations) > 0 && len(s.Failed) < 10 {
		s.Failed = append(s.Failed, r)
	}
}

// A Story is how a violation comes about, with as few cases and kinds of faults as still lead to one.
type Story struct {
	Seed      uint64    `json:"seed"`
	Cases     int       `json:"cases"`
	Faults    string    `json:"faults"`
	Violation Violation `json:"violation"`
	Lines     []string  `json:"lines"`
}

// tries is how many worlds are played to shorten a story.
const tries = 30

// Shortest looks for the shortest story of a world that violates an invariant: it takes cases and kinds of faults away as long as the same
// invariant is violated still. Nil when the world violates none.
func Shortest(o Options, server func() Server) *Story {
	o.Trace = nil
	found := New(o, server()).Run().Violations
	if len(found) == 0 {
		return nil
	}
	left := tries
	fails := func(try Options) bool {
		left--
		v := New(try, server()).Run().Violations
		if len(v) > 0 && v[0].Invariant == found[0].Invariant {
			found = v
			return true
		}
		return false
	}
	for shorter := true; shorter && left > 0; {
		shorter = false
		for try := o; left > 0 && try.Cases > 1; {
			try.Cases /= 2
			if !fails(try) {
				break
			}
			o, shorter = try, true
		}
		for _, f := range o.Faults.Each() {
			try := o
			if try.Faults &^= f; left > 0 && fails(try) {
				o, shorter = try, true
			}
		}
	}
	return tell(o, found[0], server)
}

// tell plays the world once more and writes down what concerns the case, up to the violation.
func tell(o Options, v Violation, server func() Server) *Story {
	s := &Story{Seed: o.Seed, Cases: o.Cases, Faults: o.Faults.String(), Violation: v}
	over := false
	o.Trace = func(at time.Time, of, what string) {
		if !over && (of == "" || of == v.Case) {
			s.Lines = append(s.Lines, strings.TrimSpace(fmt.Sprintf("%s %s %s", at.Format("01-02 15:04:05.000"), of, what)))
		}
		over = over || of == v.Case && strings.HasPrefix(what, violated)
	}
	New(o, server()).Run()
	const most = 200
	if n := len(s.Lines); n > most {
		s.Lines = append([]string{fmt.Sprintf("… %d lines before", n-most)}, s.Lines[n-most:]...)
	}
	return s
}
