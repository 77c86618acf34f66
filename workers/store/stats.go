package store

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// ClassStats is what is recorded of one class.
type ClassStats struct {
	Count  int64
	Due    int64     // entries due and not claimed
	Oldest time.Time // when the first timer fires or should have fired; zero without timers
}

// Stats is the state of the store in numbers.
type Stats struct {
	Cases, Shipments, Feeds ClassStats
	MemoryUsed, MemoryMax   int64  // bytes, over all masters; 0 when the server does not say (or sets no limit)
	Unreadable              uint64 // records skipped by this process
}

// Stats counts. Its cost grows with the backlog, not with the number of records.
func (s *Store) Stats(ctx context.Context) (Stats, error) {
	const op = "stats"
	now := s.now().UnixMilli()
	counts := make([]*redis.SliceCmd, s.shards)
	pipe := s.rdb.Pipeline()
	for i, k := range s.keys {
		counts[i] = pipe.HMGet(ctx, k.counts, "c", "s", "f")
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return Stats{}, wrap(op, err)
	}
	var calls []call
	for _, k := range s.keys {
		for _, c := range classes {
			calls = append(calls, call{script: dueScript, keys: []string{k.epoch}, args: []any{k.index(c), now}})
		}
	}
	out := Stats{Unreadable: s.unreadable.Load()}
	into := []*ClassStats{&out.Cases, &out.Shipments, &out.Feeds}
	for i, cmd := range s.run(ctx, calls) {
		pair, err := cmd.Slice()
		if err != nil || len(pair) != 2 {
			return Stats{}, wrap(op, err)
		}
		to := into[i%len(classes)]
		to.Count += parseInt(counts[i/len(classes)].Val()[i%len(classes)])
		to.Due += parseInt(pair[0])
		if ms := parseInt(pair[1]); ms > 0 {
			if at := time.UnixMilli(ms).UTC(); to.Oldest.IsZero() || at.Before(to.Oldest) {
				to.Oldest = at
			}
		}
	}
	var err error
	out.MemoryUsed, out.MemoryMax, err = memoryOf(ctx, s.rdb)
	return out, wrap(op, err)
}

// MeasureMemory tells how many bytes of the servers' memory fill takes, for benchmarks: run it on servers that nobody else uses.
func MeasureMemory(ctx context.Context, rdb redis.UniversalClient, fill func(context.Context) error) (int64, error) {
	const op = "measure memory"
	before, _, err := memoryOf(ctx, rdb)
	if err != nil {
		return 0, wrap(op, err)
	}
	if err := fill(ctx); err != nil {
		return 0, wrap(op, err)
	}
	after, _, err := memoryOf(ctx, rdb)
	return after - before, wrap(op, err)
}

func memoryOf(ctx context.Context, rdb redis.UniversalClient) (used, limit int64, err error) {
	var mu sync.Mutex
	err = onMasters(ctx, rdb, func(ctx context.Context, node redis.Cmdable) error {
		info := infoOf(ctx, node, "memory")
		mu.Lock()
		defer mu.Unlock()
		u, _ := strconv.ParseInt(info["used_memory"], 10, 64)
		m, _ := strconv.ParseInt(info["maxmemory"], 10, 64)
		used, limit = used+u, limit+m
		return nil
	})
	return used, limit, err
}
