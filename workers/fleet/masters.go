package fleet

import (
	"context"
	"errors"
	"net"

	"github.com/redis/go-redis/v9"
)

// masters has a cluster's client ask where the masters are when one does not answer. By itself it asks once a minute, or when a server sends it
// elsewhere, which one that is gone does not: for as long all that a master had would stand still, although a replica has long taken over.
type masters struct{ ask func(context.Context) }

// seekMasters must be called before the first command.
func seekMasters(rdb redis.UniversalClient) {
	if cluster, ok := rdb.(*redis.ClusterClient); ok {
		cluster.AddHook(masters{cluster.ReloadState})
	}
}

func (masters) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (m masters) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		m.heed(ctx, err)
		return err
	}
}

func (m masters) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		for _, cmd := range cmds {
			m.heed(ctx, cmd.Err())
		}
		return err
	}
}

// heed asks after an error that is no answer of a server, unless it is that the caller has gone. Who asks while it is asked shares that answer.
func (m masters) heed(ctx context.Context, err error) {
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	if _, answered := errors.AsType[redis.Error](err); !answered {
		m.ask(context.WithoutCancel(ctx))
	}
}
