package store

import (
	"context"
	"fmt"
	"time"
)

// limitKept is how long the state of an unused allowance stays, beyond its period.
const limitKept = 24 * time.Hour

// Take asks for one call of the allowance named key: rate calls a period, shared by all replicas. It never waits: it answers 0 when the
// call is granted, and otherwise how long until the next one is. A burst may use a whole period's calls at once; after it they come
// evenly spaced.
func (s *Store) Take(ctx context.Context, key string, rate int, per time.Duration) (time.Duration, error) {
	return s.take(ctx, key, rate, per, inLine)
}

// TakeInBulk is Take for who makes many calls in a row, which can wait: they leave half of a burst to others, and go on when a burst is whole.
// With a share they get a third of the calls where others would take all.
func (s *Store) TakeInBulk(ctx context.Context, key string, rate int, per time.Duration, share bool) (time.Duration, error) {
	if share {
		return s.take(ctx, key, rate, per, inBulkWithShare)
	}
	return s.take(ctx, key, rate, per, inBulk)
}

// How a call is asked for, as scripts/take.lua has it.
const (
	inLine          = 0
	inBulk          = 1
	inBulkWithShare = 2
)

func (s *Store) take(ctx context.Context, key string, rate int, per time.Duration, how int) (time.Duration, error) {
	op := "take a call of " + key
	if rate < 1 || per <= 0 {
		return 0, fmt.Errorf("%s: rate of %d in %s: want at least one in a positive time", op, rate, per)
	}
	period := float64(per) / float64(time.Microsecond)
	shard := s.keys[s.shardOf(key)]
	reply, err := s.runOne(ctx, call{script: takeScript, keys: []string{shard.limit(key), shard.shareOf(key)},
		args: []any{s.now().UnixMicro(), period / float64(rate), period, (limitKept + per).Milliseconds(), how}})
	if err != nil {
		return 0, wrap(op, err)
	}
	return time.Duration(parseInt(reply)) * time.Microsecond, nil
}
