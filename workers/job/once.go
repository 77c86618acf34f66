package job

import (
	"context"
	"errors"
	"net"

	"github.com/redis/go-redis/v9"
)

// Once keeps a client from sending a command again by itself when the reply to it was lost: a repeated script makes a second job. It must be called
// before the first command, for a client with MaxRetries -1. On one server that number is enough; a cluster's client repeats whatever it says.
// What surely did not arrive, or was answered, is sent where it belongs all the same.
func Once(rdb redis.UniversalClient) {
	if cluster, ok := rdb.(*redis.ClusterClient); ok {
		cluster.OnNewNode(func(node *redis.Client) { node.AddHook(once{}) })
	}
}

// A lostError is an error after which nobody knows whether a command was carried out. It hides what it is made of, by which go-redis decides to
// send the command again.
type lostError struct{ text string }

func (e lostError) Error() string { return e.text }

type once struct{}

func (once) DialHook(next redis.DialHook) redis.DialHook { return next }

func (once) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if lost(err) {
			err = lostError{err.Error()}
			cmd.SetErr(err)
		}
		return err
	}
}

// ProcessPipelineHook does the same: a command is sent in a pipeline behind ASKING while its slot moves to another server.
func (once) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		for _, cmd := range cmds {
			if lost(cmd.Err()) {
				cmd.SetErr(lostError{cmd.Err().Error()})
			}
		}
		if lost(err) {
			err = lostError{err.Error()}
		}
		return err
	}
}

// lost tells whether a command may have been carried out although there is no reply.
func lost(err error) bool {
	if err == nil || errors.Is(err, redis.ErrPoolTimeout) || errors.Is(err, redis.ErrClosed) { // there was no connection to send it by
		return false
	}
	if _, answered := errors.AsType[redis.Error](err); answered {
		return false
	}
	op, network := errors.AsType[*net.OpError](err)
	return !network || op.Op != "dial"
}
