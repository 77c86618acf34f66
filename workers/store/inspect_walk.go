package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
)

const (
	walkRecords  = 512 // records read in one round trip of an inspection, about
	walkNarrow   = 16  // buckets read in one, at least
	walkWide     = 512 // and at most
	walkCommands = 128 // the other commands of one: what Redis does in a millisecond or so
	walkLeaves   = 16  // leaves of timers read in one
	mostSamples  = 3
)

// A Tally is what an inspection found in one class of records.
type Tally struct {
	Records    int
	Unreadable int                 // written by a newer version, or damaged
	Stores     map[sla.StoreID]int // records by store
	Due        int                 // records whose time has come
	Oldest     time.Time           // the earliest of those times
	Idle       Orphans             // records that should have a time and have none
	Untimed    Orphans             // records whose timer is lost: nobody will look at them
	Unowned    Orphans             // timers without a record
}

// Orphans counts, and names the first ones.
type Orphans struct {
	Count   int
	Samples []string
}

func (o *Orphans) add(name string) {
	if o.Count++; len(o.Samples) < mostSamples {
		o.Samples = append(o.Samples, name)
	}
}

// Cases walks over every case in bounded memory, and looks for each whether its timer is there. Those that are open are given to fn with their
// attempts; fn may be called twice for a case whose bucket grows meanwhile.
func (i *Inspection) Cases(ctx context.Context, fn func(sla.CaseRecord, []sla.Attempt)) (Tally, error) {
	return inspect(ctx, i.s, caseKind, surveyed[sla.CaseRecord]{
		store: func(r *sla.CaseRecord) sla.StoreID { return r.ID.Store },
		next:  func(r *sla.CaseRecord) (time.Time, bool) { return r.Next, r.Open() },
		also: func(shard int, found []stored[sla.CaseRecord]) error {
			return i.s.attempted(ctx, shard, found, fn)
		},
	})
}

// Shipments is Cases for parcels.
func (i *Inspection) Shipments(ctx context.Context) (Tally, error) {
	return inspect(ctx, i.s, shipmentKind, surveyed[sla.ShipmentRecord]{
		store: func(r *sla.ShipmentRecord) sla.StoreID { return r.Store },
		next:  func(r *sla.ShipmentRecord) (time.Time, bool) { return r.Next, !r.Milestone.Final() },
	})
}

// surveyed is what an inspection must know of one class of records.
type surveyed[R any] struct {
	store func(*R) sla.StoreID
	next  func(*R) (at time.Time, wanted bool)
	also  func(shard int, found []stored[R]) error // nil: nothing more
}

// A stored is one record with what it was read from.
type stored[R any] struct {
	record  R
	bucket  uint16
	field   string
	value   string
	readErr error
}

func (r *stored[R]) member() string {
	return string([]byte{byte(r.bucket >> 8), byte(r.bucket)}) + r.field
}

func inspect[R any](ctx context.Context, s *Store, k kind[R], about surveyed[R]) (Tally, error) {
	op := "inspect " + k.name
	t := Tally{Stores: map[sla.StoreID]int{}}
	for shard := range s.shards {
		width, err := s.walkWidth(ctx, k.class, shard)
		if err != nil {
			return t, wrap(op, err)
		}
		for first := 0; first < s.buckets; first += width {
			found, err := readStored(ctx, s, k, shard, span{first, min(first+width, s.buckets)})
			if err != nil {
				return t, wrap(op, err)
			}
			tally(s.now(), k, found, about, &t)
			lost, err := losers(ctx, s, k, shard, found)
			if err == nil && about.also != nil {
				err = about.also(shard, found)
			}
			if err != nil {
				return t, wrap(op, err)
			}
			for _, name := range lost {
				t.Untimed.add(name)
			}
		}
		if err := unowned(ctx, s, k.class, shard, &t.Unowned); err != nil {
			return t, wrap(op, fmt.Errorf("shard %d: %w", shard, err))
		}
	}
	return t, nil
}

// walkWidth is how many buckets are read in one round trip: the more the emptier they are, for most of the cost of a small walk is its round trips.
func (s *Store) walkWidth(ctx context.Context, c class, shard int) (int, error) {
	count, err := s.rdb.HGet(ctx, s.keys[shard].counts, string(c)).Int()
	if err != nil && !errors.Is(err, redis.Nil) {
		return 0, err
	}
	return min(max(walkRecords*s.buckets/max(count, 1), walkNarrow), walkWide), nil
}

func readStored[R any](ctx context.Context, s *Store, k kind[R], shard int, at span) ([]stored[R], error) {
	cmds, err := s.readBuckets(ctx, k.class, shard, at)
	if err != nil {
		return nil, err
	}
	var out []stored[R]
	for n, cmd := range cmds {
		for field, value := range cmd.Val() {
			r := stored[R]{bucket: uint16(at.first + n), field: field, value: value}
			r.record, r.readErr = k.read(s.views[shard].Load(), []byte(field), []byte(value))
			out = append(out, r)
		}
	}
	return out, nil
}

// tally counts some records.
func tally[R any](now time.Time, k kind[R], found []stored[R], about surveyed[R], t *Tally) {
	for i := range found {
		r := &found[i]
		t.Records++
		if r.readErr != nil {
			t.Unreadable++
			continue
		}
		t.Stores[about.store(&r.record)]++
		next, wanted := about.next(&r.record)
		switch {
		case next.IsZero() && wanted:
			t.Idle.add(k.ident(&r.record).String())
		case !next.IsZero() && !next.After(now):
			if t.Due++; t.Oldest.IsZero() || next.Before(t.Oldest) {
				t.Oldest = next
			}
		}
	}
}

// losers are the records of a shard that have lost their timers, by name.
func losers[R any](ctx context.Context, s *Store, k kind[R], shard int, found []stored[R]) (names []string, err error) {
	suspects, err := untimed(ctx, s, k.class, shard, found)
	if err != nil || len(suspects) == 0 {
		return nil, err
	}
	lost, err := untimed(ctx, s, k.class, shard, suspects) // it may have moved between our two looks
	if err != nil {
		return nil, err
	}
	same, err := unchanged(ctx, s, k.class, shard, lost)
	if err != nil {
		return nil, err
	}
	for i, r := range lost {
		if same[i] {
			names = append(names, s.nameOf(shard, r.member()))
		}
	}
	return names, nil
}

// untimed are the records whose timer is not where it must be: in its leaf, and the leaf in the index.
func untimed[R any](ctx context.Context, s *Store, c class, shard int, found []stored[R]) ([]stored[R], error) {
	index := s.keys[shard].index(c)
	var timed []stored[R]
	for _, r := range found {
		if leafOf(r.value) != "" {
			timed = append(timed, r)
		}
	}
	var out []stored[R]
	for first := 0; first < len(timed); first += walkCommands {
		some := timed[first:min(first+walkCommands, len(timed))]
		pipe := s.rdb.Pipeline()
		members, leaves := make([]*redis.BoolCmd, len(some)), map[string]*redis.FloatCmd{}
		for i, r := range some {
			leaf := leafOf(r.value)
			members[i] = pipe.HExists(ctx, index+":"+leaf, r.member())
			if leaves[leaf] == nil {
				leaves[leaf] = pipe.ZScore(ctx, index, leaf)
			}
		}
		if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
			return nil, err
		}
		for i, r := range some {
			if !members[i].Val() || leaves[leafOf(r.value)].Err() != nil {
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// unchanged tells which records are still as they were read.
func unchanged[R any](ctx context.Context, s *Store, c class, shard int, found []stored[R]) ([]bool, error) {
	out := make([]bool, len(found))
	for first := 0; first < len(found); first += walkCommands {
		some := found[first:min(first+walkCommands, len(found))]
		pipe := s.rdb.Pipeline()
		cmds := make([]*redis.StringCmd, len(some))
		for i, r := range some {
			cmds[i] = pipe.HGet(ctx, s.keys[shard].bucket(c, r.bucket), r.field)
		}
		if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
			return nil, err
		}
		for i, r := range some {
			out[first+i] = cmds[i].Err() == nil && cmds[i].Val() == r.value
		}
	}
	return out, nil
}

// leafOf is the name of the leaf that a record's timer is in (scripts/timer.lua); empty without a timer.
func leafOf(value string) string {
	if len(value) < headerSize || instant([]byte(value[1:7])).IsZero() {
		return ""
	}
	at := value[1:7]
	code := uint(at[0] >> 4)
	// A leaf covers 2^(7+code) ms, so that many low bits of its first instant are nought; whole bytes of them are left out.
	switch width := minWidthBits + code; {
	case code == exactCode:
		return at
	case width <= 7:
		return at[:5] + string([]byte{at[5] &^ (1<<width - 1)})
	case width <= 16:
		return at[:4] + string([]byte{at[4] &^ (1<<(width-8) - 1)})
	default:
		return at[:3] + string([]byte{at[3] &^ (1<<(width-16) - 1)})
	}
}

// unowned looks for timers of a shard without a record.
func unowned(ctx context.Context, s *Store, c class, shard int, into *Orphans) error {
	index := s.keys[shard].index(c)
	for first := int64(0); ; first += walkLeaves {
		leaves, err := s.rdb.ZRange(ctx, index, first, first+walkLeaves-1).Result()
		if err != nil || len(leaves) == 0 {
			return err
		}
		pipe := s.rdb.Pipeline()
		cmds := make([]*redis.MapStringStringCmd, len(leaves))
		for i, leaf := range leaves {
			cmds[i] = pipe.HGetAll(ctx, index+":"+leaf)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		var entries []entry
		for i, cmd := range cmds {
			for member := range cmd.Val() {
				entries = append(entries, entry{leaf: leaves[i], member: member})
			}
		}
		suspects, err := s.ownerless(ctx, c, shard, entries)
		if err == nil && len(suspects) > 0 {
			suspects, err = s.ownerless(ctx, c, shard, suspects) // it may have gone between our two looks
		}
		if err != nil {
			return err
		}
		for _, e := range suspects {
			into.add(s.nameOf(shard, e.member))
		}
	}
}

// An entry is one timer.
type entry struct{ leaf, member string }

// ownerless are the entries that are there and have no record.
func (s *Store) ownerless(ctx context.Context, c class, shard int, entries []entry) (out []entry, err error) {
	k := s.keys[shard]
	for first := 0; first < len(entries); first += walkCommands / 2 {
		some := entries[first:min(first+walkCommands/2, len(entries))]
		pipe := s.rdb.Pipeline()
		there, owned := make([]*redis.BoolCmd, len(some)), make([]*redis.BoolCmd, len(some))
		for i, e := range some {
			bucket := uint16(0)
			if len(e.member) > 2 {
				bucket = uint16(e.member[0])<<8 | uint16(e.member[1])
			}
			owned[i] = pipe.HExists(ctx, k.bucket(c, bucket), e.member[min(2, len(e.member)):])
			there[i] = pipe.HExists(ctx, k.index(c)+":"+e.leaf, e.member)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, err
		}
		for i, e := range some {
			if there[i].Val() && !owned[i].Val() {
				out = append(out, e)
			}
		}
	}
	return out, nil
}

// nameOf is the id of a timer's record, as far as it can be told.
func (s *Store) nameOf(shard int, member string) string {
	id, _, err := s.views[shard].Load().readField([]byte(member[min(2, len(member)):]))
	if err != nil {
		return fmt.Sprintf("%x", member)
	}
	return id.String()
}

// attempted gives every open case with its attempts to fn.
func (s *Store) attempted(ctx context.Context, shard int, found []stored[sla.CaseRecord], fn func(sla.CaseRecord, []sla.Attempt)) error {
	var open []stored[sla.CaseRecord]
	for _, r := range found {
		if r.readErr == nil && (r.record.Open() || r.record.Unresolved) {
			open = append(open, r)
		}
	}
	for first := 0; first < len(open); first += walkCommands {
		some := open[first:min(first+walkCommands, len(open))]
		pipe := s.rdb.Pipeline()
		slots := make([]*redis.MapStringStringCmd, len(some))
		for i, r := range some {
			slots[i] = pipe.HGetAll(ctx, s.keys[shard].ledger([]byte(r.member())))
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		for i, r := range some {
			var attempts []sla.Attempt
			for field, slot := range slots[i].Val() {
				if a, err := readSlot(r.record.ID, []byte(field), []byte(slot)); err == nil {
					attempts = append(attempts, a)
				} else {
					s.skip("inspect attempts", err)
				}
			}
			fn(r.record, attempts)
		}
	}
	return nil
}
