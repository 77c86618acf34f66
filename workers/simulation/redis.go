package simulation

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/workers/store"
)

// Real is a Redis server with the fleet's own scripts. The world must have it for itself: it is emptied at will.
type Real struct{ Client redis.UniversalClient }

var _ Memory = (*store.Store)(nil)

// Open gives a process its own handle.
func (r Real) Open(h Handle) (Memory, error) {
	return store.Open(context.Background(), r.Client, store.Options{Now: h.Now, Stores: h.Stores, Settle: h.Settle, Shards: shards})
}

// shards is how many shards a world has: the least with which one can lose its memory and another not.
const shards = 2

// Flush loses everything.
func (r Real) Flush() {
	if err := r.Client.FlushAll(context.Background()).Err(); err != nil {
		panic(err) // the world's own server: nothing can go on
	}
}

// dumped is one key as it was.
type dumped struct {
	key, value string
	ttl        time.Duration
}

// Snapshot keeps everything there is.
func (r Real) Snapshot() any {
	ctx := context.Background()
	keys, err := r.Client.Keys(ctx, "*").Result()
	if err != nil {
		panic(fmt.Errorf("list keys: %w", err))
	}
	pipe := r.Client.Pipeline()
	values, ttls := make([]*redis.StringCmd, len(keys)), make([]*redis.DurationCmd, len(keys))
	for i, k := range keys {
		values[i], ttls[i] = pipe.Dump(ctx, k), pipe.PTTL(ctx, k)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		panic(fmt.Errorf("dump %d keys: %w", len(keys), err))
	}
	out := make([]dumped, len(keys))
	for i, k := range keys {
		out[i] = dumped{key: k, value: values[i].Val(), ttl: max(ttls[i].Val(), 0)}
	}
	return out
}

// Restore goes back to a point. The server stays what it is: what one that takes over waits for (scripts/server.lua) is by its own clock, and that
// one is not virtual.
func (r Real) Restore(point any) {
	r.Flush()
	ctx, pipe := context.Background(), r.Client.Pipeline()
	for _, d := range point.([]dumped) { //nolint:forcetypeassert // made by Snapshot
		pipe.Restore(ctx, d.key, d.ttl, d.value)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		panic(fmt.Errorf("restore: %w", err))
	}
}
