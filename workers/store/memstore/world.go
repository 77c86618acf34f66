// Package memstore is workers/store in plain memory, for simulations and tests: the same methods with the same answers, no server, no
// goroutine, and the same results for the same calls. A differential test holds it equal to the Redis one.
//
// A World is what the server remembers; it can be emptied, and set back to an earlier Snapshot. A Store is one process' handle on it, with
// what workers/store keeps in the process: the epochs and sequences it has seen, kill switches, and rows it trusts to be unchanged.
//
// Where the Redis one is free, this one chooses:
//   - a claim takes the oldest of all shards first and never more than the limit; the Redis one takes fair parts and may take more;
//   - a claimed record's Next becomes the end of the lease; the Redis one may leave it and look away by its index;
//   - a server that took over sends nothing for longer, by what the clocks of processes may differ, for it has none of its own;
//   - keys do not expire by age: what expires on Redis is older than any call asks for;
//   - a row trusted to be unchanged is never pushed out by another one before its time;
//   - errors have the same kinds, and fewer words.
//
// It imports sla and, for shared options and errors, workers/store. Production programs do not import it.
package memstore

import (
	"slices"
	"sync"
	"time"

	"github.com/tidwall/btree"

	"watchkeeper/sla"
)

const defaultShards = 8

// A World is what the server remembers. It is safe for concurrent use.
type World struct {
	mu      sync.Mutex
	shards  []*shard
	opened  uint32 // handles so far
	server  uint32 // how often another server took over
	observe func(AuditLine)
}

// A Snapshot is a World at one point. It never changes.
type Snapshot struct{ shards []*shard }

// An AuditLine is one kept line about a dispute.
type AuditLine struct {
	At   time.Time
	ID   string
	Line []byte
}

// A shard is one shard's records. Values are immutable, and the trees are copied when first written after a copy.
type shard struct {
	epoch, sequence, frozen int64
	lost                    int64                     // when memory was lost last, in ms; -1: never
	server                  uint32                    // on which it was last
	wait                    int64                     // until when nothing is sent, because it was on another server before, in ms
	told                    *btree.Map[string, int64] // by process, the sequence it was told last
	stores                  *btree.Map[sla.StoreID, sla.Platform]
	cases                   table[sla.CaseRecord]
	shipments               table[sla.ShipmentRecord]
	feeds                   table[sla.FeedRecord]
	ledger                  *btree.Map[string, []sla.Attempt] // without the dispute, by turn and side
	kills                   []word
	claims                  *btree.Map[uint64, []claimed]
	money                   money
	writers                 *btree.Map[string, string] // by slot, the process that wrote it last
	alive                   *btree.Map[string, string] // what each process says
	rules                   *btree.Map[string, note]
	obeyed                  string
	behind                  map[sla.StoreID]time.Duration
	audits                  *btree.Map[int64, AuditLine]
	rejects                 *btree.Map[int64, sla.Rejected]
	lines                   int64 // of both streams so far
}

// A note is what one process says of its rules.
type note struct {
	hash string
	at   int64
}

func newTree[K ~int64 | ~uint64 | ~string, V any]() *btree.Map[K, V] { return btree.NewMap[K, V](0) }

func newShard() *shard {
	return &shard{
		lost: -1, told: newTree[string, int64](), stores: newTree[sla.StoreID, sla.Platform](), cases: newTable[sla.CaseRecord](), shipments: newTable[sla.ShipmentRecord](),
		feeds: newTable[sla.FeedRecord](), ledger: newTree[string, []sla.Attempt](), claims: newTree[uint64, []claimed](), money: newMoney(),
		writers: newTree[string, string](), alive: newTree[string, string](), rules: newTree[string, note](), audits: newTree[int64, AuditLine](),
		rejects: newTree[int64, sla.Rejected](),
	}
}

func (h *shard) copy() *shard {
	c := *h
	c.told = h.told.Copy()
	c.stores, c.cases, c.shipments, c.feeds = h.stores.Copy(), h.cases.copy(), h.shipments.copy(), h.feeds.copy()
	c.ledger, c.claims, c.money = h.ledger.Copy(), h.claims.Copy(), h.money.copy()
	c.writers, c.alive = h.writers.Copy(), h.alive.Copy()
	c.rules, c.audits, c.rejects = h.rules.Copy(), h.audits.Copy(), h.rejects.Copy()
	return &c
}

// NewWorld is an empty server for a number of shards; 0: 8.
func NewWorld(shards int) *World {
	if shards == 0 {
		shards = defaultShards
	}
	w := &World{shards: make([]*shard, shards)}
	w.Flush()
	return w
}

// Flush forgets everything.
func (w *World) Flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.shards {
		w.shards[i] = newShard()
		w.shards[i].server = w.server
	}
}

// Snapshot remembers this point. It costs a few words for each shard.
func (w *World) Snapshot() Snapshot {
	w.mu.Lock()
	defer w.mu.Unlock()
	return Snapshot{shards: copies(w.shards)}
}

// Restore goes back to an earlier point: what was written since is lost.
func (w *World) Restore(s Snapshot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shards = copies(s.shards)
}

// TakeOver lets another server go on with what there is: it sends nothing at first.
func (w *World) TakeOver() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.server++
}

func copies(shards []*shard) []*shard {
	out := slices.Clone(shards)
	for i := range out {
		out[i] = out[i].copy()
	}
	return out
}

// Observe has fn called with each audit line as it is kept, while the World is locked: fn must not call a Store.
func (w *World) Observe(fn func(AuditLine)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.observe = fn
}

// A timer is the place of a record in the order of what is due.
type timer struct {
	ms int64
	id string
}

func sooner(a, b timer) bool { return a.ms < b.ms || a.ms == b.ms && a.id < b.id }

func newTimers() *btree.BTreeG[timer] {
	return btree.NewBTreeGOptions(sooner, btree.Options{NoLocks: true})
}

// A table is the records of one class with their timers.
type table[R any] struct {
	records *btree.Map[string, R]
	due     *btree.BTreeG[timer]
	leased  *btree.Map[string, int64] // until when claims look away from records, in ms
}

func newTable[R any]() table[R] {
	return table[R]{records: newTree[string, R](), due: newTimers(), leased: newTree[string, int64]()}
}

func (t table[R]) copy() table[R] {
	return table[R]{records: t.records.Copy(), due: t.due.Copy(), leased: t.leased.Copy()}
}
