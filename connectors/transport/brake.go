package transport

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"watchkeeper/sla"
)

// brakeLimit is how long the brake may take to answer, and so how old its word may be when the request leaves: with a switch thrown, no
// answer leaves more than this much later, whatever happened between its intent and its connection.
const brakeLimit = 2 * time.Second

var errNotFree = errors.New("whether a kill switch is on is not known")

// A brake holds one answer back until it is asked whether it may leave. It opens or shuts once and for all, so that after a failure it is
// known whether anything can have left.
type brake struct {
	free func() error

	mu      sync.Mutex
	settled bool
	err     error // why it is shut
	giveUp  func()
}

// brake makes the brake of a call; nil when nothing holds it back.
func (c *Client) brake(ctx context.Context, call Call) *brake {
	if !call.Answer || c.o.Brake == nil {
		return nil
	}
	return &brake{free: func() error {
		if ctx.Err() != nil {
			return errGivenUp
		}
		ctx, cancel := context.WithTimeout(ctx, brakeLimit)
		defer cancel()
		err := c.o.Brake.CheckKill(ctx, c.o.Platform, c.o.Store, call.Reason)
		switch {
		case errors.Is(err, sla.ErrKilled):
			return sla.ErrKilled
		case err != nil || ctx.Err() != nil:
			return errNotFree // not the error itself: its text is not ours to show
		}
		return nil
	}}
}

// onStop says what ends the request when it is held back, so that no transport tries it on another connection.
func (b *brake) onStop(giveUp func()) {
	if b != nil {
		b.giveUp = giveUp
	}
}

// stop asks whether the request may leave, at the moment when its connection stands and nothing is on it. If it may not, the connection is
// closed: net/http sends the headers of a request before it reads the body, and a platform might act on them alone.
func (b *brake) stop(conn net.Conn) {
	if b == nil || b.open() == nil {
		return
	}
	b.giveUp()
	if conn != nil {
		_ = conn.Close() // it is the request's own, and it has no other
	}
}

// open asks whether the request may leave, when it is not settled yet.
func (b *brake) open() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.settled {
		b.settled, b.err = true, b.free()
	}
	return b.err
}

// shut keeps a request that has not left from leaving, and reports whether surely nothing of it has.
func (b *brake) shut() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.settled {
		b.settled, b.err = true, errGivenUp
		return true
	}
	return b.err != nil
}

var errGivenUp = errors.New("the request was given up")

// why tells what the brake itself held the request back for; nil when it did not.
func (b *brake) why() error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if errors.Is(b.err, errGivenUp) {
		return nil
	}
	return b.err
}
