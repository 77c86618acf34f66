package notify

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"watchkeeper/sla"
)

// Timings of delivery.
const (
	maxTries      = 5
	within        = 10 * time.Minute // from the posting to the beginning of the last try
	firstBackoff  = 2 * time.Second  // then four times as long each: 2 s, 8 s, 32 s, 128 s
	maxRetryAfter = 5 * time.Minute  // a broken header must not cost a message its other tries
)

// deliver serves each channel by itself until the context ends or stop is closed; with a nil stop, until nothing is left.
func (p *Poster) deliver(ctx context.Context, stop <-chan struct{}) {
	var wg sync.WaitGroup
	for _, c := range lanes {
		wg.Go(func() { p.serve(ctx, c, stop) })
	}
	wg.Wait()
}

func (p *Poster) serve(ctx context.Context, c sla.Channel, stop <-chan struct{}) {
	for ctx.Err() == nil {
		select {
		case <-stop:
			return
		default:
		}
		it, wait := p.take(c)
		switch {
		case it != nil:
			p.settle(it, p.send(ctx, it.Message), ctx.Err() != nil)
		case wait < 0 && stop == nil:
			return
		default:
			p.rest(ctx, c, wait, stop)
		}
	}
}

// take gives the message of a channel whose turn it is, or how long to wait for one; less than zero when there is none at all.
func (p *Poster) take(c sla.Channel) (*item, time.Duration) {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	var first *item
	for _, it := range p.items {
		if it.Channel == c && (first == nil || it.due.Before(first.due)) {
			first = it
		}
	}
	if first == nil {
		return nil, -1
	}
	if wait := max(first.due.Sub(now), p.hold[c].Sub(now)); wait > 0 {
		return nil, wait
	}
	first.busy = true
	return first, 0
}

// rest waits until a message is due, one is posted, or it is time to stop.
func (p *Poster) rest(ctx context.Context, c sla.Channel, wait time.Duration, stop <-chan struct{}) {
	var due <-chan time.Time
	if wait >= 0 {
		due = p.after(wait)
	}
	select {
	case <-due:
	case <-p.wake[c]:
	case <-stop:
	case <-ctx.Done():
	}
}

// settle records what became of a try. One that was broken off because we are stopping does not count: Close makes it again, and people
// told twice are better than people not told.
func (p *Poster) settle(it *item, f *failure, brokenOff bool) {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	it.busy = false
	if f != nil {
		if brokenOff || p.again(it, f, now) {
			return
		}
		p.seen.forget(it.key())
		p.metrics.count(it.Channel, outcomeFailed)
		p.complain(it.Message, "notification not delivered", zap.Int("tries", it.tries), zap.Error(f))
	} else {
		p.metrics.count(it.Channel, outcomeSent)
	}
	p.items = slices.DeleteFunc(p.items, func(o *item) bool { return o == it })
	p.metrics.queue.Set(float64(len(p.items)))
}

// again arranges the next try, and reports whether there is one. What a hook asks for with Retry-After holds for all its messages.
func (p *Poster) again(it *item, f *failure, now time.Time) bool {
	it.tries++
	if !f.again || it.tries >= maxTries {
		return false
	}
	wait := backoff(it.tries)
	if f.after > 0 {
		wait = min(f.after, maxRetryAfter)
		p.hold[it.Channel] = now.Add(wait)
	}
	it.due = now.Add(wait)
	if it.due.After(it.posted.Add(within)) {
		return false
	}
	p.log.Debug("notification put off", zap.Stringer("channel", it.Channel), zap.Duration("wait", wait), zap.Error(f))
	return true
}

// backoff is how long to wait after the n-th try, a quarter more or less: messages that failed together are not to come back together.
func backoff(n int) time.Duration {
	d := firstBackoff << (2 * (n - 1))
	return d - d/4 + rand.N(d/2) //nolint:gosec // spreading load needs no secrecy
}
