package memstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
)

// A name is the identity of a record within its class.
type name struct {
	store  sla.StoreID
	native string
}

// memory is everything that a loss of memory loses.
type memory struct {
	epoch, sequence, frozen int64 // frozen: in ms
	lostAt                  int64 // ms, -1 when nothing was ever lost
	stores                  map[sla.StoreID]sla.Platform
	cases                   table[sla.CaseRecord]
	shipments               table[sla.ShipmentRecord]
	feeds                   table[sla.FeedRecord]
	ledger                  map[name][]sla.Attempt
	money                   money
	claims                  map[sla.BuyerKey][]sla.BuyerClaim
	kills                   map[sla.KillScope]word
	obeyed                  string
}

func newMemory() *memory {
	return &memory{
		lostAt: -1, stores: map[sla.StoreID]sla.Platform{}, cases: newTable[sla.CaseRecord](), shipments: newTable[sla.ShipmentRecord](),
		feeds: newTable[sla.FeedRecord](), ledger: map[name][]sla.Attempt{}, money: newMoney(), claims: map[sla.BuyerKey][]sla.BuyerClaim{},
		kills: map[sla.KillScope]word{},
	}
}

func (m *memory) clone() *memory {
	out := *m
	out.stores, out.kills = maps.Clone(m.stores), maps.Clone(m.kills)
	out.cases, out.shipments, out.feeds = m.cases.clone(), m.shipments.clone(), m.feeds.clone()
	out.ledger, out.claims = cloneLists(m.ledger), cloneLists(m.claims)
	out.money = m.money.clone()
	return &out
}

func cloneLists[K comparable, V any](m map[K][]V) map[K][]V {
	out := make(map[K][]V, len(m))
	for k, v := range m {
		out[k] = slices.Clone(v)
	}
	return out
}

// A World is what a server remembers. It is for one goroutine.
type World struct{ m *memory }

// NewWorld makes an empty server.
func NewWorld() *World { return &World{m: newMemory()} }

// Flush loses everything.
func (w *World) Flush() { w.m = newMemory() }

// A Snapshot is a server's memory at one point.
type Snapshot struct{ m *memory }

// Snapshot keeps what there is.
func (w *World) Snapshot() Snapshot { return Snapshot{w.m.clone()} }

// Restore goes back to a point: what was written since is lost.
func (w *World) Restore(s Snapshot) { w.m = s.m.clone() }

// A Store is one process' handle. See store.Store for what each method promises.
type Store struct {
	w        *World
	now      func() time.Time
	settle   time.Duration
	stores   map[sla.StoreID]sla.Platform
	names    []sla.StoreID
	epoch    int64 // the highest that this process has seen
	sequence int64
	lost     bool // a loss that CheckEpoch has not told yet
	prints   map[string]print
	trust    time.Duration
	heard    map[sla.KillScope]word
}

// Open gives a process its handle.
func Open(w *World, o store.Options) (*Store, error) {
	if o.Now == nil {
		return nil, errors.New("options: want a clock")
	}
	s := &Store{
		w: w, now: o.Now, settle: cmp.Or(o.Settle, store.DefaultSettle), stores: o.Stores, names: slices.Sorted(maps.Keys(o.Stores)),
		prints: map[string]print{}, trust: cmp.Or(o.Trust, store.DefaultTrust), heard: map[sla.KillScope]word{},
	}
	return s, s.refresh(s.now())
}

// refresh learns the present epoch, and opens a new one when memory was lost.
func (s *Store) refresh(now time.Time) error {
	m := s.w.m
	lost := m.epoch == 0 || m.epoch < s.epoch || m.epoch == s.epoch && m.sequence < s.sequence
	if lost {
		m.epoch = max(m.epoch, s.epoch) + 1
		m.frozen = max(m.frozen, now.Add(s.settle).UnixMilli())
		if m.epoch > 1 {
			m.lostAt = now.UnixMilli()
		}
	}
	for _, id := range s.names {
		switch p, known := m.stores[id]; {
		case !known:
			m.stores[id] = s.stores[id]
			m.sequence++
		case p != s.stores[id]:
			return fmt.Errorf("store %s is recorded with platform %q, configured with %q", id, p, s.stores[id])
		}
	}
	s.lost = s.lost || lost || s.epoch > 0 && m.epoch != s.epoch
	if s.epoch != m.epoch {
		s.epoch, s.sequence = m.epoch, 0
	}
	s.saw(m.sequence)
	return nil
}

func (s *Store) saw(sequence int64) { s.sequence = max(s.sequence, sequence) }

// forgot reports whether the server has forgotten what this process knows.
func (s *Store) forgot() bool { return s.w.m.epoch != s.epoch || s.w.m.sequence < s.sequence }

// remember opens a new epoch when memory was lost; the work goes on in it.
func (s *Store) remember() error {
	if s.forgot() {
		return s.refresh(s.now())
	}
	return nil
}

// ahead gives the next sequence, as every move of the ledger does.
func (s *Store) ahead() int64 {
	n := s.w.m.sequence
	s.w.m.sequence++
	s.saw(n + 1)
	return n + 1
}

// CheckEpoch is store.Store.CheckEpoch.
func (s *Store) CheckEpoch(_ context.Context, now time.Time) (sla.Epoch, error) {
	if err := s.refresh(now); err != nil {
		return sla.Epoch{}, err
	}
	out := sla.Epoch{}
	if s.lost {
		out.Lost, s.lost = []int{0}, false
	}
	if s.w.m.frozen > 0 {
		out.FrozenUntil = time.UnixMilli(s.w.m.frozen).UTC()
	}
	return out, nil
}

// A word is what was said last of one kill switch.
type word struct {
	on bool
	at int64
}

func (w word) newer(old word) bool { return w.at > old.at || w.at == old.at && w.on && !old.on }

// hear remembers the newest words.
func (s *Store) hear(words map[sla.KillScope]word) {
	for scope, w := range words {
		if old, known := s.heard[scope]; !known || w.newer(old) {
			s.heard[scope] = w
		}
	}
}

// CheckKill is store.Store.CheckKill.
func (s *Store) CheckKill(_ context.Context, p sla.Platform, id sla.StoreID, r sla.Reason) error {
	s.hear(s.w.m.kills)
	if killed(s.heard, p, id, r) {
		return fmt.Errorf("kill switches over %s: %w", id, sla.ErrKilled)
	}
	return nil
}

func killed(words map[sla.KillScope]word, p sla.Platform, id sla.StoreID, r sla.Reason) bool {
	for scope, w := range words {
		if w.on && scope.Covers(p, id, r) {
			return true
		}
	}
	return false
}

// SetKill is store.Store.SetKill.
func (s *Store) SetKill(_ context.Context, scope sla.KillScope, on bool, _ string, now time.Time) error {
	at := max(now.UnixMilli(), s.heard[scope].at+1)
	if old, known := s.w.m.kills[scope]; known {
		at = max(at, old.at+1)
	}
	s.w.m.kills[scope] = word{on: on, at: at}
	s.hear(s.w.m.kills)
	return nil
}

// Kills is store.Store.Kills; it tells no notes.
func (s *Store) Kills(context.Context) ([]sla.KillSwitch, error) {
	s.hear(s.w.m.kills)
	var out []sla.KillSwitch
	for scope, w := range s.w.m.kills {
		if w.on {
			out = append(out, sla.KillSwitch{KillScope: scope, Since: time.UnixMilli(w.at).UTC()})
		}
	}
	slices.SortFunc(out, func(a, b sla.KillSwitch) int {
		return cmp.Or(strings.Compare(string(a.Platform), string(b.Platform)), strings.Compare(string(a.Store), string(b.Store)), cmp.Compare(a.Reason, b.Reason))
	})
	return out, nil
}

// MendKills is store.Store.MendKills.
func (s *Store) MendKills(context.Context) (int, error) {
	s.hear(s.w.m.kills)
	mended := 0
	for scope, w := range s.heard {
		if old, known := s.w.m.kills[scope]; !known || w.newer(old) {
			s.w.m.kills[scope] = w
			mended++
		}
	}
	return mended, nil
}

// Obeyed is store.Store.Obeyed.
func (s *Store) Obeyed(context.Context) (string, error) { return s.w.m.obeyed, nil }

// SetObeyed is store.Store.SetObeyed.
func (s *Store) SetObeyed(_ context.Context, name string) error {
	s.w.m.obeyed = name
	return nil
}
