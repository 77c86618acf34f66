package store

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
)

// ErrNoRecords means that nobody has ever written records there, or that they were lost.
var ErrNoRecords = errors.New("redis holds no records")

// An Inspection reads the records of a running installation as they are, for whoever looks what is wrong with it. Unlike a Store it refuses no
// server, opens no epoch and gives no numbers: it writes nothing but what calls to platforms take of their allowance.
type Inspection struct {
	s      *Store
	states []ShardState
}

// A ShardState is what one shard remembers of itself.
type ShardState struct {
	Shard       int
	Epoch       int64     // 0: the shard has lost its memory, and nobody has noticed yet
	FrozenUntil time.Time // no money moves before
	LostAt      time.Time // when its memory was lost last; zero: never
}

// A Process is one that has said that it lives.
type Process struct {
	ID    string    // in hexadecimal digits
	Beats uint64    // how often it has beaten; 0 of one that is gone
	Gone  time.Time // when another found it gone; zero while it is not
}

// Inspect reads the layout and the state of the shards. ErrNoRecords is the answer of an empty Redis, ErrUnfit of another layout.
func Inspect(ctx context.Context, rdb redis.UniversalClient, o Options) (*Inspection, error) {
	const op = "inspect store"
	o.Stores, o.Shards = nil, 0
	s, err := newStore(rdb, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	stored, err := rdb.HMGet(ctx, metaKey, "layout", "shards", "buckets").Result()
	if err != nil {
		return nil, wrap(op, err)
	}
	if stored[0] == nil && stored[1] == nil {
		return nil, fmt.Errorf("%s: %w", op, ErrNoRecords)
	}
	if layout := parseInt(stored[0]); layout != layoutNow {
		return nil, fmt.Errorf("%s: %w: layout %d in Redis, this program knows %d", op, ErrUnfit, layout, layoutNow)
	}
	s.shards, s.buckets = int(parseInt(stored[1])), int(parseInt(stored[2]))
	if s.shards < 1 || s.shards > maxShards || s.buckets < 1 || s.buckets > 1<<16 {
		return nil, fmt.Errorf("%s: layout of %d shards with %d buckets: %w", op, s.shards, s.buckets, ErrUnreadable)
	}
	s.furnish()
	i := &Inspection{s: s}
	if err := i.learn(ctx); err != nil {
		return nil, wrap(op, err)
	}
	return i, nil
}

// learn reads the epoch of every shard and the numbers of its stores.
func (i *Inspection) learn(ctx context.Context) error {
	s := i.s
	pipe := s.rdb.Pipeline()
	epochs, stores := make([]*redis.SliceCmd, s.shards), make([]*redis.MapStringStringCmd, s.shards)
	for n, k := range s.keys {
		epochs[n], stores[n] = pipe.HMGet(ctx, k.epoch, "e", "f", "o"), pipe.HGetAll(ctx, k.stores)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	for n := range s.keys {
		said := epochs[n].Val()
		state := ShardState{Shard: n, Epoch: parseInt(said[0]), FrozenUntil: instantMS(parseInt(said[1])), LostAt: instantMS(parseInt(said[2]))}
		i.states = append(i.states, state)
		v := &view{epoch: state.Epoch, sequence: &atomic.Int64{}}
		var pairs []any
		for id, number := range stores[n].Val() {
			pairs = append(pairs, id, number)
		}
		if err := v.learn(pairs); err != nil {
			return fmt.Errorf("shard %d: %w", n, err)
		}
		s.views[n].Store(v)
	}
	return nil
}

func instantMS(ms int64) time.Time {
	if ms <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Inspection looks at the records of a store that is open. It knows of no Shards.
func (s *Store) Inspection() *Inspection { return &Inspection{s: s} }

// Shards tells what each shard remembers of itself.
func (i *Inspection) Shards() []ShardState { return i.states }

// Stores are the stores that any process has ever written for, with their platforms.
func (i *Inspection) Stores() map[sla.StoreID]sla.Platform { return i.s.Stores() }

// Kills lists the kill switches that are on. See Store.Kills.
func (i *Inspection) Kills(ctx context.Context) ([]sla.KillSwitch, error) { return i.s.Kills(ctx) }

// Rulebooks tells how many processes obey each rulebook. See Store.Rulebooks.
func (i *Inspection) Rulebooks(ctx context.Context, now time.Time, within time.Duration) (map[string]int, error) {
	return i.s.Rulebooks(ctx, now, within)
}

// Take asks for one call of an allowance. See Store.Take.
func (i *Inspection) Take(ctx context.Context, key string, rate int, per time.Duration) (time.Duration, error) {
	return i.s.Take(ctx, key, rate, per)
}

// Load gives a store's sealed credential. See Store.Load.
func (i *Inspection) Load(ctx context.Context, store sla.StoreID) ([]byte, int64, error) {
	return i.s.Load(ctx, store)
}

// Processes lists the processes that have said that they live. Whether one still does shows when it has beaten more often by the next look.
func (i *Inspection) Processes(ctx context.Context) ([]Process, error) {
	said, err := i.s.rdb.HGetAll(ctx, i.s.keys[presentShard].alive).Result()
	if err != nil {
		return nil, wrap("processes", err)
	}
	var out []Process
	for id, beats := range said {
		p := Process{ID: hex.EncodeToString([]byte(id))}
		switch {
		case len(id) != processSize:
			continue
		case markedGone(beats):
			p.Gone = instantMS(parseInt(beats[min(1+processSize, len(beats)):]))
		case len(beats) == 8:
			p.Beats = binary.BigEndian.Uint64([]byte(beats))
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Process) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// Feeds lists all feeds by id.
func (i *Inspection) Feeds(ctx context.Context) ([]sla.FeedRecord, error) { return i.s.knownFeeds(ctx) }
