package soak

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"watchkeeper/connectors/simulator"
	"watchkeeper/sla"
)

// onItsWay is for how many seconds after a loss an answer may arrive that was sent before it.
const onItsWay = 5

// inHand is how long a daemon works on a dispute that it has read.
const inHand = 2 * time.Second

// pageSize is how many disputes a page of the platform's list has.
const pageSize = 50

// A Rebuilt is the platform's word on a run in which Redis lost everything.
type Rebuilt struct {
	Cases    int `json:"cases"`
	Open     int `json:"open"`     // unanswered when Redis was emptied
	Answered int `json:"answered"` // in time
	Late     int `json:"late"`
	Twice    int `json:"twice"`
	// Reconciled is from the loss to the moment when the last open dispute had been read again.
	Reconciled float64 `json:"reconciled_seconds"`
	// Least is how long the pages and details of the open disputes take at the rates that the platform allows, after a burst of a second.
	Least float64 `json:"least_seconds"`
	// Answering is from the loss to the first answer after it that could not have been on its way; Frozen is how much of that the rules
	// want: nothing is sent before every effect from before the loss would show.
	Answering float64 `json:"answering_seconds"`
	Frozen    float64 `json:"frozen_seconds"`
	Seconds   float64 `json:"seconds"`
}

// Kept tells whether the promises held.
func (r Rebuilt) Kept() bool {
	const slack = 1.5 // of the least time, and some seconds to notice the loss and to poll
	return r.Late == 0 && r.Twice == 0 && r.Answered == r.Cases && r.Reconciled > 0 && r.Reconciled <= slack*r.Least+10 &&
		r.Answering >= r.Frozen && r.Answering <= max(r.Frozen, r.Reconciled)+15
}

// Rebuild empties Redis when a tenth of the answers have fallen due, in the midst of answering, and judges when all is done.
func Rebuild(ctx context.Context, o Options) (Rebuilt, error) {
	s, from, err := newScene(ctx, o)
	if err != nil {
		return Rebuilt{}, err
	}
	defer s.close()
	begun := o.Now()
	s.sayf("%d cases of %d stores, two daemons; answers fall due from %s on", o.Cases, o.Stores, from.Format(time.TimeOnly))
	if err := s.read(ctx, from); err != nil {
		return Rebuilt{}, err
	}
	if err := wait(ctx, from.Add(o.For/10).Sub(o.Now())); err != nil {
		return Rebuilt{}, err
	}
	lost := o.Now()
	if err := s.rdb.FlushAll(ctx).Err(); err != nil {
		return Rebuilt{}, fmt.Errorf("empty redis: %w", err)
	}
	open := s.unanswered(lost)
	s.sayf("redis is empty; %d cases are open", len(open))
	if err := wait(ctx, from.Add(o.For).Sub(o.Now())); err != nil {
		return Rebuilt{}, err
	}
	s.sayf("waiting for the last answers")
	if err := s.drain(ctx, from); err != nil {
		return Rebuilt{}, err
	}
	answered := s.inTime()
	r := Rebuilt{
		Cases: o.Cases, Open: len(open), Answered: answered, Late: o.Cases - answered, Twice: s.world.Report().DoubleEffects,
		Least: s.least(open), Frozen: settle.Seconds(), Reconciled: s.reread(open, lost).Seconds(), Seconds: o.Now().Sub(begun).Seconds(),
	}
	for _, at := range s.answers() {
		if after := at.Sub(lost).Seconds(); after > onItsWay && (r.Answering == 0 || after < r.Answering) {
			r.Answering = after
		}
	}
	return r, nil
}

// unanswered lists the disputes without an answer at an instant, by store.
func (s *scene) unanswered(at time.Time) map[string]sla.StoreID {
	out := map[string]sla.StoreID{}
	answered := s.answers()
	for _, e := range s.world.Log() {
		if when, ok := answered[e.Subject]; e.Kind == simulator.KindOwed && (!ok || when.After(at)) {
			out[e.Subject] = e.Store
		}
	}
	return out
}

// least is how long the store with the most open disputes takes, if every call is one that is needed.
func (s *scene) least(open map[string]sla.StoreID) float64 {
	calls, most := map[sla.StoreID]int{}, 0
	for _, store := range open {
		calls[store]++
	}
	for _, n := range calls {
		most = max(most, n+(n+pageSize-1)/pageSize)
	}
	return max(float64(most-s.o.Rate)/float64(s.o.Rate), 0)
}

// reread is how long after a loss the last open dispute was read again; 0 when one never was. What a daemon had just read when memory was lost is
// left out: it wrote its record down again, and nothing was forgotten of it.
func (s *scene) reread(open map[string]sla.StoreID, lost time.Time) time.Duration {
	first, held := map[string]time.Time{}, 0
	open = maps.Clone(open)
	for _, t := range s.touches.list() {
		if _, known := first[t.of]; !known && t.at.After(lost) {
			first[t.of] = t.at
		}
		if _, forgotten := open[t.of]; forgotten && !t.at.After(lost) && lost.Sub(t.at) < inHand {
			delete(open, t.of)
			held++
		}
	}
	after := make([]time.Duration, 0, len(open))
	for issue := range open {
		if at, ok := first[issue]; ok {
			after = append(after, at.Sub(lost))
		}
	}
	if len(after) == 0 || len(after) < len(open) {
		return 0
	}
	slices.Sort(after)
	share := func(of float64) time.Duration {
		return after[int(of*float64(len(after)-1))].Round(100 * time.Millisecond)
	}
	s.sayf("in the hands of a daemon at the loss: %d; of the others the first was read again after %s, half after %s, 90%% after %s, 99%% after %s, all after %s",
		held, share(0), share(0.5), share(0.9), share(0.99), share(1))
	return after[len(after)-1]
}
