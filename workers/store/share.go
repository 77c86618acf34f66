package store

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// trips is how many shared round trips are under way at once: one in Redis, one on its way.
	trips = 2
	// tripLimit is how long a shared round trip may take, whatever becomes of its passengers' contexts.
	tripLimit = 5 * time.Second
)

// A ferry shares round trips among callers: who comes while others are under way waits for the next one, which takes all who wait by then.
// So a busy process does with a few round trips what would take one for each answer, and an idle one waits for nobody.
type ferry struct {
	mu      sync.Mutex
	waiting []*passenger
	away    int // round trips under way
}

// A passenger is some calls of one caller.
type passenger struct {
	calls []call
	cmds  []*redis.Cmd
	done  chan struct{}
}

// share is run with others' calls in the same round trip. A caller whose context ends leaves while it waits; calls that are under way are
// waited for, because what they do must be known.
func (s *Store) share(ctx context.Context, calls []call) []*redis.Cmd {
	p := &passenger{calls: calls, done: make(chan struct{})}
	f := &s.ferry
	f.mu.Lock()
	f.waiting = append(f.waiting, p)
	if f.away < trips {
		f.away++
		go s.ship(context.WithoutCancel(ctx)) // ends when nobody waits; every passenger waits for it
	}
	f.mu.Unlock()
	select {
	case <-p.done:
		return p.cmds
	case <-ctx.Done():
	}
	if f.leave(p) {
		cmds := make([]*redis.Cmd, len(calls))
		for i := range cmds {
			cmds[i] = redis.NewCmd(ctx)
			cmds[i].SetErr(context.Cause(ctx))
		}
		return cmds
	}
	<-p.done
	return p.cmds
}

// leave takes a passenger off who has not departed yet.
func (f *ferry) leave(p *passenger) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.Index(f.waiting, p)
	if i < 0 {
		return false
	}
	f.waiting = slices.Delete(f.waiting, i, i+1)
	return true
}

// board takes those who wait, as many as one round trip has room for; nobody when it is time to end.
func (f *ferry) board() []*passenger {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, room := 0, most
	for n < len(f.waiting) && (n == 0 || len(f.waiting[n].calls) <= room) {
		room -= len(f.waiting[n].calls)
		n++
	}
	if n == 0 {
		f.away--
		return nil
	}
	boarded := slices.Clone(f.waiting[:n])
	f.waiting = slices.Delete(f.waiting, 0, n)
	return boarded
}

// ship makes round trips for as long as somebody waits.
func (s *Store) ship(ctx context.Context) {
	for {
		boarded := s.ferry.board()
		if len(boarded) == 0 {
			return
		}
		var calls []call
		for _, p := range boarded {
			calls = append(calls, p.calls...)
		}
		cmds := s.trip(ctx, calls)
		for _, p := range boarded {
			p.cmds, cmds = cmds[:len(p.calls):len(p.calls)], cmds[len(p.calls):]
			close(p.done)
		}
	}
}

func (s *Store) trip(ctx context.Context, calls []call) []*redis.Cmd {
	ctx, cancel := context.WithTimeout(ctx, tripLimit)
	defer cancel()
	return s.run(ctx, calls)
}

// shareOne is share for a single call.
func (s *Store) shareOne(ctx context.Context, c call) (any, error) {
	return s.share(ctx, []call{c})[0].Result()
}
