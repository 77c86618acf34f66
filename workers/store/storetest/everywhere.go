package storetest

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"
)

// everywhere is an administrator of a cluster, who reaches every master with what is not about one key.
type everywhere struct{ *redis.ClusterClient }

// Keys implements redis.Cmdable.
func (e everywhere) Keys(ctx context.Context, pattern string) *redis.StringSliceCmd {
	var mu sync.Mutex
	var found []string
	err := e.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		keys, err := node.Keys(ctx, pattern).Result()
		mu.Lock()
		defer mu.Unlock()
		found = append(found, keys...)
		return err
	})
	cmd := redis.NewStringSliceCmd(ctx, "keys", pattern)
	cmd.SetVal(found)
	cmd.SetErr(err)
	return cmd
}

// Del implements redis.Cmdable.
func (e everywhere) Del(ctx context.Context, keys ...string) *redis.IntCmd {
	cmd := redis.NewIntCmd(ctx, "del")
	for _, key := range keys {
		n, err := e.ClusterClient.Del(ctx, key).Result()
		cmd.SetVal(cmd.Val() + n)
		if err != nil {
			cmd.SetErr(err)
		}
	}
	return cmd
}

// Do implements redis.UniversalClient.
func (e everywhere) Do(ctx context.Context, args ...any) *redis.Cmd {
	cmd := redis.NewCmd(ctx, args...)
	cmd.SetErr(e.each(ctx, func(node *redis.Client) error { return node.Do(ctx, args...).Err() }).Err())
	return cmd
}

// FlushAll implements redis.Cmdable.
func (e everywhere) FlushAll(ctx context.Context) *redis.StatusCmd {
	return e.each(ctx, func(node *redis.Client) error { return node.FlushAll(ctx).Err() })
}

// ConfigSet implements redis.Cmdable.
func (e everywhere) ConfigSet(ctx context.Context, name, value string) *redis.StatusCmd {
	return e.each(ctx, func(node *redis.Client) error { return node.ConfigSet(ctx, name, value).Err() })
}

func (e everywhere) each(ctx context.Context, do func(*redis.Client) error) *redis.StatusCmd {
	cmd := redis.NewStatusCmd(ctx)
	cmd.SetErr(e.ForEachMaster(ctx, func(_ context.Context, node *redis.Client) error { return do(node) }))
	return cmd
}
