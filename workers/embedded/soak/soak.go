package soak

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"watchkeeper/connectors/simulator"
)

// Target is the longest that the work of a killed daemon may lie, but for one case in a hundred.
const Target = 5 * time.Second

// A Result is the platform's word on a run with kills.
type Result struct {
	Cases    int `json:"cases"`
	Answered int `json:"answered"` // in time
	Late     int `json:"late"`     // all others: the deadline passed, or nobody answered until the end of the run
	Twice    int `json:"twice"`    // effects beyond the first of a turn
	Kills    int `json:"kills"`
	// Held is how many cases the killed daemons held, over all kills. A case was held when its answer had fallen due before the kill, the
	// platform had no answer to it then nor got one from the killed daemon after all, and no living daemon was the last to ask about it:
	// the killed one was, or nobody had yet, so that it was at best claimed by somebody. The first kill of a daemon that was the last to ask is the
	// last that counts for a case: its answer may have been cut off, and then nobody holds the case, but it is looked at a few times in a settle
	// window, until it is certain what became of that answer.
	Held int `json:"held"`
	// The lags are from a kill to the first request about a held case that the platform gets from a living daemon: its claim of the case
	// stands by then. A case that nobody asks about counts until the end of the run.
	LagP50 float64 `json:"lag_p50_seconds"`
	LagP99 float64 `json:"lag_p99_seconds"`
	LagMax float64 `json:"lag_max_seconds"`
	// Asynq is how long plain asynq took to run the task of a killed worker again, on the same Redis in the same run; 0: not measured.
	Asynq   float64 `json:"asynq_recovery_seconds"`
	Seconds float64 `json:"seconds"`
	// Memory is the most that one process has had in memory; 0 where the system does not tell.
	Memory int64 `json:"daemon_memory_bytes"`
}

// Kept tells whether the promises held.
func (r Result) Kept() bool {
	return r.Late == 0 && r.Twice == 0 && r.Answered == r.Cases && r.LagP99 <= Target.Seconds()
}

// A killing is one daemon's end.
type killing struct {
	at     time.Time
	number int
}

// Run kills one of two daemons every few seconds and starts another in its place, while answers fall due, and judges when all is done.
func Run(ctx context.Context, o Options) (Result, error) {
	s, from, err := newScene(ctx, o)
	if err != nil {
		return Result{}, err
	}
	defer s.close()
	begun := o.Now()
	s.sayf("%d cases of %d stores, two daemons; answers fall due from %s on", o.Cases, o.Stores, from.Format(time.TimeOnly))
	if err := s.read(ctx, from); err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	raw := measureAsynq(ctx, s)
	kills, err := s.killing(ctx, from.Add(o.For))
	if err != nil {
		return Result{}, err
	}
	s.sayf("%d kills; waiting for the last answers", len(kills))
	if err := s.drain(ctx, from); err != nil {
		return Result{}, err
	}
	r := s.judge(kills)
	recovery := <-raw
	if recovery.err != nil {
		return r, recovery.err
	}
	r.Asynq = recovery.took.Seconds()
	r.Seconds = o.Now().Sub(begun).Seconds()
	return r, nil
}

// killing kills and starts daemons until an instant.
func (s *scene) killing(ctx context.Context, until time.Time) ([]killing, error) {
	chance := rand.New(rand.NewPCG(s.o.Seed, s.o.Seed)) //nolint:gosec // a repeatable choice of victims
	var out []killing
	for {
		if err := wait(ctx, s.o.Every); err != nil {
			return out, err
		}
		if !s.o.Now().Before(until) {
			return out, nil
		}
		if err := s.alive(); err != nil {
			return out, err
		}
		i := chance.IntN(len(s.daemons))
		out = append(out, killing{at: s.o.Now(), number: s.daemons[i].number})
		s.kill(i)
		if err := s.spawn(i); err != nil {
			return out, err
		}
		if len(out)%12 == 0 {
			s.sayf("%d kills, %d answered", len(out), s.inTime())
		}
	}
}

func (s *scene) judge(kills []killing) Result {
	answered := s.inTime()
	memory := s.memory
	for _, d := range s.daemons {
		memory = max(memory, d.memory())
	}
	r := Result{Memory: memory, Cases: s.o.Cases, Answered: answered, Late: s.o.Cases - answered, Twice: s.world.Report().DoubleEffects, Kills: len(kills)}
	s.sayLate()
	lags := s.lags(kills)
	if r.Held = len(lags); r.Held > 0 {
		slices.Sort(lags)
		r.LagP50, r.LagP99, r.LagMax = lags[len(lags)/2].Seconds(), lags[len(lags)*99/100].Seconds(), lags[len(lags)-1].Seconds()
	}
	return r
}

// toldLate is how many late disputes are named.
const toldLate = 5

// sayLate names some of the disputes that were not answered in time, with what the platform's log has of them.
func (s *scene) sayLate() {
	answered, named := s.answers(), 0
	for _, issue := range slices.Sorted(maps.Keys(s.acts)) {
		at, ok := answered[issue]
		if ok && at.Before(s.acts[issue].Add(actBefore)) {
			continue
		}
		if named++; named > toldLate {
			return
		}
		s.sayf("late: %s, due at %s", issue, s.acts[issue].Format(time.TimeOnly))
		for _, e := range s.world.Log() {
			if e.Subject == issue {
				s.sayf("  %s %s %s", e.At.Format(time.TimeOnly), e.Actor, e.Kind)
			}
		}
		for _, t := range s.touches.list() {
			if t.of == issue {
				s.sayf("  %s asked by daemon %d", t.at.Format(time.TimeOnly), t.by)
			}
		}
	}
}

// answers is when each dispute was first answered.
func (s *scene) answers() map[string]time.Time {
	out := map[string]time.Time{}
	for _, e := range s.world.Log() {
		if e.Actor != simulator.ActorSeller || (e.Kind != simulator.KindAgreed && e.Kind != simulator.KindProposed) {
			continue
		}
		if _, known := out[e.Subject]; !known {
			out[e.Subject] = e.At
		}
	}
	return out
}

// lags are those of all held cases; Result says what they are.
func (s *scene) lags(kills []killing) []time.Duration {
	answered, asked, end := s.answers(), map[string][]touch{}, s.o.Now()
	for _, t := range s.touches.list() {
		asked[t.of] = append(asked[t.of], t)
	}
	var out []time.Duration
	for issue, act := range s.acts {
		for _, k := range kills {
			if at, ok := answered[issue]; act.Add(-early).Before(k.at) && (!ok || at.After(k.at)) {
				lag, held, begun := lagOf(k, act, at, asked[issue], end)
				if held {
					out = append(out, lag)
				}
				if begun {
					break
				}
			}
		}
	}
	return out
}

// early is how long before its time an answer may go out: a fleet that has measured nothing yet takes each call for long.
const early = 30 * time.Second

// lagOf is how long one case waited after a kill that came between its time and its answer, whether the killed daemon held it, and whether it was
// the last to ask about it.
func lagOf(k killing, act, answered time.Time, asked []touch, end time.Time) (lag time.Duration, held, begun bool) {
	last := 0
	if !act.After(k.at) {
		last = k.number // nobody has asked for it, and it was due
	}
	for _, t := range asked {
		if t.at.Before(act.Add(-early)) {
			continue // as it was first read
		}
		if !t.at.After(k.at) {
			last, begun = t.by, t.by == k.number
			continue
		}
		if t.by == k.number {
			continue // on its way when the daemon was killed
		}
		if last != k.number || (!answered.IsZero() && answered.Before(t.at)) {
			return 0, false, begun
		}
		return t.at.Sub(k.at), true, begun
	}
	return end.Sub(k.at), last == k.number && answered.IsZero(), begun
}
