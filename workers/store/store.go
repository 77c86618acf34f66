package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"watchkeeper/sla"
)

// DefaultSettle is how long money stays frozen after a loss of memory when Options do not say.
const DefaultSettle = 10 * time.Minute

const defaultShards = 8

// Options say how to open a Store.
type Options struct {
	Shards int                          // fixed at the first start; 0: what is stored, or 8
	Now    func() time.Time             // required
	Stores map[sla.StoreID]sla.Platform // the stores this process writes for
	Settle time.Duration                // how long money is frozen after a loss of memory; 0: DefaultSettle
	Log    *zap.Logger                  // nil: silent
	// Trust is how long a row that Redis called unchanged is taken for unchanged without asking again; 0: DefaultTrust, below 0: not at all.
	Trust time.Duration
	// Ran hears, by the name of each script in it, how long a round trip to Redis took; nil: nobody does.
	Ran func(script string, took time.Duration)
}

// A Store is the state in Redis. It is safe for concurrent use.
type Store struct {
	rdb        redis.UniversalClient
	process    string // names this process in slots of the ledger and among the living
	now        func() time.Time
	settle     time.Duration
	ran        func(script string, took time.Duration)
	log        *zap.Logger
	configured []storeEntry // in order of their id

	cluster         bool
	shards, buckets int
	keys            []shardKeys
	views           []atomic.Pointer[view]
	counts          [][len(classes)]atomic.Int64 // records of each class, as last heard: a hint
	turn            atomic.Uint64                // of claims, among the shards
	unreadable      atomic.Uint64
	ferries         []ferry // one, and on Cluster one for each shard
	prints          prints
	warnings        []string

	others Others // the other processes, as far as they beat

	mu   sync.Mutex       // over learning epochs
	lost map[int]struct{} // shards whose loss CheckEpoch has not told yet

	killMu sync.Mutex
	kills  map[string]string // the newest word on each scope that this process has seen, to outlive a loss of memory in every shard
}

// Open checks that the server can keep the promises of this package, fixes or checks the layout, and learns the epochs. It refuses a
// server that evicts keys or is too old; what the server does not tell, or what may lose the latest writes, is in Warnings. It does not
// own the client.
func Open(ctx context.Context, rdb redis.UniversalClient, o Options) (*Store, error) {
	s, err := newStore(rdb, o)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := rdb.Ping(ctx).Err(); err != nil {
		return nil, wrap("open store", err)
	}
	if s.warnings, err = checkServer(ctx, rdb); err != nil {
		return nil, wrap("open store", err)
	}
	if err := s.layout(ctx); err != nil {
		return nil, wrap("open store", err)
	}
	s.furnish()
	if err := s.refresh(ctx, s.now()); err != nil {
		return nil, wrap("open store", err)
	}
	return s, nil
}

// furnish makes what there is one of for each shard.
func (s *Store) furnish() {
	s.keys, s.views = make([]shardKeys, s.shards), make([]atomic.Pointer[view], s.shards)
	s.counts = make([][len(classes)]atomic.Int64, s.shards)
	s.ferries = make([]ferry, s.shards)
	for i := range s.keys {
		s.keys[i] = newShardKeys(i)
		s.views[i].Store(&view{sequence: &atomic.Int64{}})
	}
}

func newStore(rdb redis.UniversalClient, o Options) (*Store, error) {
	if o.Now == nil {
		return nil, errors.New("options: want a clock")
	}
	if o.Shards < 0 || o.Shards > maxShards {
		return nil, fmt.Errorf("options: %d shards, want 1 to %d", o.Shards, maxShards)
	}
	if o.Settle < 0 {
		return nil, fmt.Errorf("options: settle of %s, want a positive one", o.Settle)
	}
	if o.Settle == 0 {
		o.Settle = DefaultSettle
	}
	if o.Trust == 0 {
		o.Trust = DefaultTrust
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	_, cluster := rdb.(*redis.ClusterClient)
	s := &Store{rdb: rdb, cluster: cluster, now: o.Now, settle: o.Settle, ran: o.Ran, log: o.Log.Named("store"), shards: o.Shards, lost: map[int]struct{}{},
		kills: map[string]string{}}
	s.process = string(newWriter("")) // as long as a process' name
	s.prints.trust = max(o.Trust, 0)
	for _, id := range slices.Sorted(maps.Keys(o.Stores)) {
		if id == "" || o.Stores[id] == "" {
			return nil, fmt.Errorf("options: store %q of platform %q: want both", id, o.Stores[id])
		}
		s.configured = append(s.configured, storeEntry{id: id, platform: o.Stores[id]})
	}
	return s, nil
}

// layout fixes the layout, or learns the one that holds. It runs again with each check of the epochs, because a loss of memory takes it too.
func (s *Store) layout(ctx context.Context) error {
	want, buckets := s.shards, s.buckets
	if want == 0 {
		want = defaultShards
	}
	if buckets == 0 {
		buckets = bucketsNow
	}
	reply, err := s.runOne(ctx, call{script: layoutScript, keys: []string{metaKey}, args: []any{layoutNow, want, buckets}})
	if err != nil {
		return err
	}
	stored, _ := reply.([]any)
	if len(stored) != 3 {
		return fmt.Errorf("layout of %d parts: %w", len(stored), ErrUnreadable)
	}
	layout, shards, held := parseInt(stored[0]), int(parseInt(stored[1])), int(parseInt(stored[2]))
	switch {
	case layout != layoutNow:
		return fmt.Errorf("%w: layout %d in Redis, this program knows %d: start the version that wrote it, or give this one an empty Redis, from which "+
			"everything is read again", ErrUnfit, layout, layoutNow)
	case s.shards != 0 && shards != s.shards:
		return fmt.Errorf("%w: %d shards in Redis, %d wanted: the number is fixed at the first start; set WK_REDIS__SHARDS to it", ErrUnfit, shards, s.shards)
	case shards < 1 || shards > maxShards || held < 1 || held > 1<<16 || (s.buckets != 0 && held != s.buckets):
		return fmt.Errorf("layout of %d shards with %d buckets: %w", shards, held, ErrUnreadable)
	}
	if s.shards != shards || s.buckets != held { // at the first call only: after that everybody reads them
		s.shards, s.buckets = shards, held
	}
	return nil
}

// Warnings are what an operator should know of the server: what may lose the latest writes, and what could not be checked.
func (s *Store) Warnings() []string { return slices.Clone(s.warnings) }

// Shards is how many shards there are.
func (s *Store) Shards() int { return s.shards }

// Ping asks whether the server answers.
func (s *Store) Ping(ctx context.Context) error { return wrap("ping", s.rdb.Ping(ctx).Err()) }
