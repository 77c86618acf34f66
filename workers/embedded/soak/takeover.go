package soak

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// lookEvery is how often is looked whether something has come to pass that is awaited here.
const lookEvery = 50 * time.Millisecond

// A Takeover is how long the work of one killed daemon lay until the other took it up.
type Takeover struct {
	Feeds Laid `json:"feeds"` // whose lists it was reading: until the other begins to
	Cases Laid `json:"cases"` // that it had claimed and was about to answer: until the other asks about them, who has claimed them by then
	Twice int  `json:"twice"` // effects beyond the first of a turn
}

// Laid is how long some of the work lay, of what was held at the kill. What is never taken up lay until the end of the run.
type Laid struct {
	Held    int           `json:"held"`
	Median  time.Duration `json:"median"`
	Longest time.Duration `json:"longest"`
}

// Take kills one of two daemons in the middle of its work: its readings of lists and of disputes that are due get no answer from the platform until it
// has so many of each, and then it is killed. The other is watched for Drain at most.
func Take(ctx context.Context, o Options, least int) (Takeover, error) {
	s, from, err := newScene(ctx, o)
	if err != nil {
		return Takeover{}, err
	}
	defer s.close()
	if err := s.read(ctx, from); err != nil {
		return Takeover{}, err
	}
	victim := s.daemons[0]
	victim.door.close()
	if err := s.await(ctx, o.For, func() bool {
		feeds, cases := victim.door.held()
		return len(feeds) >= least && len(cases) >= least
	}); err != nil {
		feeds, cases := victim.door.held()
		return Takeover{}, fmt.Errorf("a daemon that holds %d feeds and %d cases: %w", len(feeds), len(cases), err)
	}
	feeds, cases := victim.door.held()
	killed := o.Now()
	s.kill(0)
	s.sayf("killed while it held %d feeds and %d cases", len(feeds), len(cases))
	err = s.await(ctx, o.Drain, func() bool {
		return has(s.polls.since(killed, victim.number), feeds) && has(s.touches.since(killed, victim.number), cases)
	})
	if err != nil && !errors.Is(err, errInVain) {
		return Takeover{}, err
	}
	end := o.Now()
	t := Takeover{
		Feeds: laid(feeds, killed, end, s.polls.since(killed, victim.number)), Cases: laid(cases, killed, end, s.touches.since(killed, victim.number)),
		Twice: s.world.Report().DoubleEffects,
	}
	return t, s.alive(victim)
}

// has tells whether all are there.
func has(all map[string]time.Time, these []string) bool {
	return !slices.ContainsFunc(these, func(one string) bool { _, ok := all[one]; return !ok })
}

// laid is how long each of some things lay from a kill until somebody took it up, or until the end.
func laid(held []string, killed, end time.Time, taken map[string]time.Time) Laid {
	if len(held) == 0 {
		return Laid{}
	}
	lay := make([]time.Duration, len(held))
	for i, one := range held {
		at, ok := taken[one]
		if !ok {
			at = end
		}
		lay[i] = at.Sub(killed)
	}
	slices.Sort(lay)
	return Laid{Held: len(held), Median: lay[len(lay)/2], Longest: lay[len(lay)-1]}
}

var errInVain = errors.New("in vain")

// await waits until something is so, but not for ever.
func (s *scene) await(ctx context.Context, within time.Duration, is func() bool) error {
	for end := s.o.Now().Add(within); !is(); {
		if !s.o.Now().Before(end) {
			return fmt.Errorf("waited for %s: %w", within, errInVain)
		}
		if err := wait(ctx, lookEvery); err != nil {
			return err
		}
	}
	return nil
}
