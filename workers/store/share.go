package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// trips is how many shared round trips of a ferry are under way at once. More would each take fewer along, and Redis does one at a time.
	trips = 1
	// seats is how many items one shared round trip takes: what belongs to a shard and a script is done in one go, and still within a few
	// milliseconds.
	seats = 256
	// tripLimit is how long a shared round trip may take, whatever becomes of its passengers' contexts.
	tripLimit = 5 * time.Second
)

// An item is one caller's part of a script that works on several (scripts/items.lua): a shard and the script's arguments for it, always as
// many as the script has for each item. Where the script looks for a loss of memory, under is the view it was made under, whose epoch and
// sequence go in front: the sequence as it is when the trip begins, for trips before it may have told a higher one.
type item struct {
	script luaScript
	shard  int
	under  *view
	args   []any
}

// An answer is what a script replied to an item.
type answer struct {
	value any
	err   error
}

// A ferry shares round trips and runs of scripts among callers: who comes while others are under way waits for the next trip, which takes all
// who wait by then. So a busy process does with a few runs what would take one for each answer, and an idle one waits for nobody. On
// Cluster each shard has a ferry of its own: a node that hangs must not hold up the others, nor spoil their replies.
type ferry struct {
	mu      sync.Mutex
	waiting []*passenger
	away    int // round trips under way
}

// A seat is an item with the place of its answer.
type seat struct {
	item
	answer *answer
}

// A passenger is one caller with its items for a ferry.
type passenger struct {
	seated []seat
	done   chan struct{}
}

// ferryOf is the ferry of a shard's items.
func (s *Store) ferryOf(shard int) *ferry {
	if s.cluster {
		return &s.ferries[shard]
	}
	return &s.ferries[0]
}

// share runs items, together with those of others. A caller whose context ends leaves while it waits; items that are under way are waited
// for, because what they do must be known.
func (s *Store) share(ctx context.Context, items ...item) []answer {
	answers := make([]answer, len(items))
	aboard := make(map[*ferry]*passenger, 1)
	for i, it := range items {
		f := s.ferryOf(it.shard)
		if aboard[f] == nil {
			aboard[f] = &passenger{done: make(chan struct{})}
		}
		aboard[f].seated = append(aboard[f].seated, seat{item: it, answer: &answers[i]})
	}
	for f, p := range aboard {
		s.queue(ctx, f, p)
	}
	for f, p := range aboard {
		select {
		case <-p.done:
		case <-ctx.Done():
			if f.leave(p) {
				p.fail(context.Cause(ctx))
			} else {
				<-p.done
			}
		}
	}
	return answers
}

// queue has a passenger wait, and sends the ferry when none is on its way that would take it.
func (s *Store) queue(ctx context.Context, f *ferry, p *passenger) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = append(f.waiting, p)
	if f.away < trips {
		f.away++
		go s.ship(context.WithoutCancel(ctx), f) // ends when nobody waits; every passenger waits for it
	}
}

func (p *passenger) fail(err error) {
	for _, st := range p.seated {
		st.answer.err = err
	}
}

// shareOne is share for a single item.
func (s *Store) shareOne(ctx context.Context, it item) (any, error) {
	a := s.share(ctx, it)[0]
	return a.value, a.err
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

// board takes those who wait, as many as one trip has room for; nobody when it is time to end.
func (f *ferry) board() []*passenger {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, room := 0, seats
	for n < len(f.waiting) && (n == 0 || len(f.waiting[n].seated) <= room) {
		room -= len(f.waiting[n].seated)
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

// ship makes trips for as long as somebody waits.
func (s *Store) ship(ctx context.Context, f *ferry) {
	for {
		boarded := f.board()
		if len(boarded) == 0 {
			return
		}
		s.trip(ctx, boarded)
	}
}

// trip runs each script once for all items that are for it. Whatever happens, every passenger gets off.
func (s *Store) trip(ctx context.Context, boarded []*passenger) {
	ctx, cancel := context.WithTimeout(ctx, tripLimit)
	defer cancel()
	defer func() {
		broken := recover()
		for _, p := range boarded {
			if broken != nil {
				p.fail(fmt.Errorf("shared round trip: panic: %v: %w", broken, ErrUnreadable))
			}
			close(p.done)
		}
	}()
	var runs [][]seat
	for _, p := range boarded {
		for _, st := range p.seated {
			at := slices.IndexFunc(runs, func(r []seat) bool { return r[0].script.Script == st.script.Script })
			if at < 0 {
				at, runs = len(runs), append(runs, nil)
			}
			runs[at] = append(runs[at], st)
		}
	}
	calls := make([]call, len(runs))
	for i, r := range runs {
		slices.SortStableFunc(r, func(a, b seat) int { return cmp.Compare(a.shard, b.shard) })
		calls[i] = s.together(r)
	}
	for i, cmd := range s.run(ctx, calls) {
		hand(runs[i], cmd)
	}
}

// together makes one call of items for one script.
func (s *Store) together(run []seat) call {
	width := len(run[0].args)
	if run[0].under != nil {
		width += 2
	}
	c := call{script: run[0].script, keys: make([]string, len(run)), args: make([]any, 0, 1+width*len(run))}
	c.args = append(c.args, width)
	for i, it := range run {
		c.keys[i] = s.keys[it.shard].epoch
		if it.under != nil {
			c.args = append(c.args, it.under.epoch, it.under.seen(s.process))
		}
		c.args = append(c.args, it.args...)
	}
	return c
}

// hand gives each item its part of the reply.
func hand(run []seat, cmd *redis.Cmd) {
	replies, err := cmd.Slice()
	if err == nil && len(replies) != len(run) {
		err = fmt.Errorf("%d replies to %d items: %w", len(replies), len(run), ErrUnreadable)
	}
	for i, it := range run {
		if err != nil {
			it.answer.err = err
			continue
		}
		if failed, ok := replies[i].(error); ok {
			it.answer.err = failed
			continue
		}
		it.answer.value = replies[i]
	}
}
