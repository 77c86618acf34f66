package memstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
)

// A Store is one process' handle on a World.
type Store struct {
	w      *World
	now    func() time.Time
	settle time.Duration
	trust  time.Duration
	stores map[sla.StoreID]sla.Platform
	views  []view
	kills  []word             // the newest word on each scope that this process has seen
	prints map[string]seenRow // by class and identity

	process string
	others  store.Others
}

// A view is what this process knows of one shard.
type view struct {
	epoch, sequence, frozen int64
	lost                    bool // not told by CheckEpoch yet
	stores                  map[sla.StoreID]sla.Platform
}

// A seenRow is one row that was unchanged.
type seenRow struct {
	fingerprint uint64
	epoch       int64
	until       int64
}

// Open gives a process' handle and learns the epochs.
func Open(w *World, o store.Options) (*Store, error) {
	if o.Now == nil {
		return nil, errors.New("open store: options: want a clock")
	}
	if o.Shards != 0 && o.Shards != len(w.shards) {
		return nil, fmt.Errorf("open store: %d shards in memory, %d wanted", len(w.shards), o.Shards)
	}
	if o.Settle == 0 {
		o.Settle = store.DefaultSettle
	}
	if o.Trust == 0 {
		o.Trust = store.DefaultTrust
	}
	s := &Store{w: w, now: o.Now, settle: o.Settle, trust: max(o.Trust, 0), stores: o.Stores, views: make([]view, len(w.shards)),
		prints: map[string]seenRow{}}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened++
	s.process = named(w.opened)
	if err := s.refresh(s.now()); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	return s, nil
}

// Shards is how many shards there are.
func (s *Store) Shards() int { return len(s.w.shards) }

// CheckEpoch notices a loss of memory and opens a new epoch. See store.Store.CheckEpoch.
func (s *Store) CheckEpoch(_ context.Context, now time.Time) (sla.Epoch, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	var out sla.Epoch
	if err := s.refresh(now); err != nil {
		return out, fmt.Errorf("check epoch: %w", err)
	}
	for i := range s.views {
		if s.views[i].lost {
			out.Lost = append(out.Lost, i)
		}
		s.views[i].lost = false
	}
	out.FrozenUntil = frozenUntil(s.views...)
	return out, nil
}

// FrozenUntil is store.Store.FrozenUntil.
func (s *Store) FrozenUntil(id sla.DisputeID) time.Time {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	_, shard := s.locate(id.Store, id.Native)
	return frozenUntil(s.views[shard])
}

func frozenUntil(views ...view) time.Time {
	frozen := int64(0)
	for i := range views {
		frozen = max(frozen, views[i].frozen)
	}
	if frozen == 0 {
		return time.Time{}
	}
	return time.UnixMilli(frozen).UTC()
}

// refresh learns the present epoch of every shard, as scripts/epoch.lua has it.
func (s *Store) refresh(now time.Time) error {
	for i, h := range s.w.shards {
		v := &s.views[i]
		lost := h.epoch == 0 || h.epoch < v.epoch || h.epoch == v.epoch && s.told(h) < v.sequence
		if lost {
			h.epoch = max(h.epoch, v.epoch) + 1
			h.frozen = max(h.frozen, now.Add(s.settle).UnixMilli())
			if h.epoch > 1 {
				h.lost = now.UnixMilli()
			}
		} else if h.lost >= 0 {
			h.frozen = max(h.frozen, h.lost+s.settle.Milliseconds())
		}
		s.strange(h, now)
		for _, id := range sortedKeys(s.stores) {
			if _, ok := h.stores.Get(id); !ok {
				h.stores.Set(id, s.stores[id])
				h.sequence++
			}
		}
		s.adopt(v, h, lost)
		s.tell(h)
		for _, id := range sortedKeys(s.stores) {
			if got := v.stores[id]; got != s.stores[id] {
				return fmt.Errorf("store %s is recorded with platform %q, configured with %q", id, got, s.stores[id])
			}
		}
	}
	return nil
}

// settling is for how long nothing is sent by a server that took over.
const settling = 15*time.Second + 2*20*time.Second

// strange is scripts/server.lua.
func (s *Store) strange(h *shard, now time.Time) bool {
	if h.server != s.w.server {
		h.server, h.wait = s.w.server, now.Add(settling).UnixMilli()
	}
	return h.wait > now.UnixMilli()
}

func (s *Store) adopt(v *view, h *shard, lost bool) {
	if h.epoch != v.epoch {
		v.lost = v.lost || lost || v.epoch > 0
		v.sequence = 0
	}
	v.lost = v.lost || lost
	v.epoch, v.sequence, v.frozen = h.epoch, max(v.sequence, h.sequence), h.frozen
	if len(v.stores) != h.stores.Len() || lost {
		v.stores = make(map[sla.StoreID]sla.Platform, h.stores.Len())
		h.stores.Scan(func(id sla.StoreID, p sla.Platform) bool {
			v.stores[id] = p
			return true
		})
	}
}

// forgot tells whether a shard has forgotten something since this process learned its epoch.
func (s *Store) forgot(shard int) bool {
	h, v := s.w.shards[shard], &s.views[shard]
	return h.epoch != v.epoch || s.told(h) < v.sequence
}

// told is the sequence that this process was told last, as a shard remembers it; tell has it tell the present one.
func (s *Store) told(h *shard) int64 {
	told, _ := h.told.Get(s.process)
	return told
}

func (s *Store) tell(h *shard) { h.told.Set(s.process, h.sequence) }

// remember opens a new epoch when any of the shards has forgotten.
func (s *Store) remember(shards ...int) error {
	for _, shard := range shards {
		if s.forgot(shard) {
			if err := s.refresh(s.now()); err != nil {
				return fmt.Errorf("after a loss of memory: %w", err)
			}
			return nil
		}
	}
	return nil
}

// notForgot is remember for money: the caller must hear of the loss.
func (s *Store) notForgot(shard int) error {
	if s.forgot(shard) {
		return errors.Join(sla.ErrAmnesia, s.refresh(s.now()))
	}
	return nil
}

// ahead takes the next n sequences of a shard, and gives the first.
func (s *Store) ahead(shard int, n int64) int64 {
	h := s.w.shards[shard]
	first := h.sequence + 1
	h.sequence += n
	s.tell(h)
	return first
}

// saw remembers the highest sequence of a shard.
func (s *Store) saw(shard int, sequence int64) {
	s.tell(s.w.shards[shard])
	s.views[shard].sequence = max(s.views[shard].sequence, sequence)
}

const maxNative = 112

// locate gives the key and the shard of an item, as the Redis one places it.
func (s *Store) locate(id sla.StoreID, native string) (key string, shard int) {
	key = string(id) + "\x00" + native
	return key, s.shardOf(key)
}

func (s *Store) shardOf(name string) int { return int(xxhash.Sum64String(name) % uint64(len(s.views))) }

// member is locate for what the shard's view must be able to name.
func (s *Store) member(id sla.StoreID, native string) (key string, shard int, err error) {
	key, shard = s.locate(id, native)
	if _, ok := s.views[shard].stores[id]; !ok {
		return "", 0, fmt.Errorf("store %q: %w", id, store.ErrUnknownStore)
	}
	if native == "" || len(native) > maxNative {
		return "", 0, fmt.Errorf("id of %d bytes in store %s: %w", len(native), id, store.ErrTooLong)
	}
	return key, shard, nil
}
