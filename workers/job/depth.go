package job

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// A Depth is what lies in one of asynq's queues.
type Depth struct {
	Queue    string
	Pending  int64 // jobs that wait for a worker
	Active   int64
	Retry    int64
	Archived int64 // dead jobs, which asynq keeps
	Fresh    int64 // of those, the ones that died after since
	Paused   bool
	Lost     int64 // jobs that wait or run, of those looked at, whose content is gone: asynq cannot take them up
}

// looked is how many jobs of a list are looked at.
const looked = 200

// Depths reads the queues in asynq's own keys with plain reading commands, where its inspector runs scripts that need the right to write. Who
// may not read them gets an error.
func Depths(ctx context.Context, rdb redis.UniversalClient, since time.Time) ([]Depth, error) {
	var out []Depth
	for _, queue := range slices.Sorted(maps.Keys(Queues())) {
		d, err := depth(ctx, rdb, queue, since)
		if err != nil {
			return nil, fmt.Errorf("queue %s: %w", queue, err)
		}
		out = append(out, d)
	}
	return out, nil
}

func depth(ctx context.Context, rdb redis.UniversalClient, queue string, since time.Time) (Depth, error) {
	key := func(part string) string { return "asynq:{" + queue + "}:" + part }
	pipe := rdb.Pipeline()
	pending, active := pipe.LLen(ctx, key("pending")), pipe.LLen(ctx, key("active"))
	retry, archived := pipe.ZCard(ctx, key("retry")), pipe.ZCard(ctx, key("archived"))
	fresh := pipe.ZCount(ctx, key("archived"), strconv.FormatInt(since.Unix(), 10), "+inf")
	paused := pipe.Exists(ctx, key("paused"))
	waiting, running := pipe.LRange(ctx, key("pending"), -looked, -1), pipe.LRange(ctx, key("active"), 0, looked-1)
	if _, err := pipe.Exec(ctx); err != nil {
		return Depth{}, err
	}
	d := Depth{
		Queue: queue, Pending: pending.Val(), Active: active.Val(), Retry: retry.Val(), Archived: archived.Val(), Fresh: fresh.Val(), Paused: paused.Val() > 0,
	}
	var err error
	d.Lost, err = hollow(ctx, rdb, key, slices.Concat(waiting.Val(), running.Val()))
	return d, err
}

// hollow counts the jobs without content that are still listed after their content was looked for: one that ended meanwhile is not lost.
func hollow(ctx context.Context, rdb redis.UniversalClient, key func(string) string, ids []string) (n int64, err error) {
	if len(ids) == 0 {
		return 0, nil
	}
	pipe := rdb.Pipeline()
	there := make([]*redis.BoolCmd, len(ids))
	for i, id := range ids {
		there[i] = pipe.HExists(ctx, key("t:"+id), "msg")
	}
	waiting, running := pipe.LRange(ctx, key("pending"), -looked, -1), pipe.LRange(ctx, key("active"), 0, looked-1)
	if _, err := pipe.Exec(ctx); err != nil {
		return 0, err
	}
	listed := slices.Concat(waiting.Val(), running.Val())
	for i, id := range ids {
		if !there[i].Val() && slices.Contains(listed, id) {
			n++
		}
	}
	return n, nil
}
