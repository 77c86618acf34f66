package soak

import (
	"context"
	"time"
)

// A Share is what each of several daemons did in a while, in the order in which they were started.
type Share struct {
	Feeds []int `json:"feeds"` // readings of lists that it began
	Cases []int `json:"cases"` // disputes that it answered
}

// Sharing is how the work was shared, before and after one of the daemons was killed.
type Sharing struct {
	Before Share `json:"before"`
	After  Share `json:"after"` // that of the killed one is 0
	// Left is how many disputes have no answer at the end, nor were taken up: what the killed one had sent may only be sent again when it is sure that it
	// never arrived.
	Left   int `json:"left"`
	Unread int `json:"unread"` // stores whose lists nobody has begun to read since the kill
	Twice  int `json:"twice"`  // effects beyond the first of a turn
}

// ofKill is how long after a kill the shares are not counted: what the killed one held is taken over then, by whoever is first.
const ofKill = 5 * time.Second

// Divide has daemons share the work for half of For, kills one of them where there are several, and has the others share the rest.
func Divide(ctx context.Context, o Options) (Sharing, error) {
	s, from, err := newScene(ctx, o)
	if err != nil {
		return Sharing{}, err
	}
	defer s.close()
	if err := s.read(ctx, from); err != nil {
		return Sharing{}, err
	}
	half, end := from.Add(o.For/2), from.Add(o.For)
	if err := wait(ctx, half.Sub(o.Now())); err != nil {
		return Sharing{}, err
	}
	killed := o.Now()
	var dead []*daemon
	if len(s.daemons) > 1 {
		dead = s.daemons[:1]
		s.kill(0)
	}
	if err := wait(ctx, end.Sub(o.Now())); err != nil {
		return Sharing{}, err
	}
	if err := s.drain(ctx, from, dead...); err != nil {
		return Sharing{}, err
	}
	out := Sharing{
		Before: Share{s.readings(from, killed), s.gave(time.Time{}, killed)}, After: Share{s.readings(killed.Add(ofKill), end), s.gave(killed, s.o.Now())},
		Left: s.left(killed), Twice: s.world.Report().DoubleEffects,
		Unread: s.o.Stores - len(s.polls.since(killed, 0)),
	}
	s.sayf("before the kill %+v, after it %+v", out.Before, out.After)
	return out, s.alive(dead...)
}

// left counts the disputes without an answer about which no living daemon has asked since a kill.
func (s *scene) left(killed time.Time) (n int) {
	answered, asked := s.answers(), s.touches.since(killed, 1)
	for issue := range s.acts {
		if _, ok := answered[issue]; !ok && asked[issue].IsZero() {
			n++
		}
	}
	return n
}

// readings counts the readings of lists that each daemon began between two instants.
func (s *scene) readings(from, to time.Time) []int {
	out := make([]int, s.started)
	for _, p := range s.polls.list() {
		if !p.at.Before(from) && p.at.Before(to) {
			out[p.by-1]++
		}
	}
	return out
}

// gave counts the answers that each daemon gave between two instants: it was the last that had asked about the dispute.
func (s *scene) gave(from, to time.Time) []int {
	answered, last := s.answers(), map[string]int{}
	for _, t := range s.touches.list() {
		if at, ok := answered[t.of]; ok && !at.Before(from) && at.Before(to) && !t.at.After(at) {
			last[t.of] = t.by
		}
	}
	out := make([]int, s.started)
	for _, by := range last {
		out[by-1]++
	}
	return out
}
