package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"watchkeeper/sla"
)

// capacity is how many messages wait at most: a night of a dead hook, and a few hundred kilobytes.
const capacity = 1000

// ErrNoHook means that no hook is configured where a message would go.
var ErrNoHook = errors.New("no hook is configured")

// Options says where people are told and what a Poster works with.
type Options struct {
	// ChatURL and PageURL are the hooks; both are secrets. Without an address for pages they go to the chat, without one for the chat
	// warnings go nowhere.
	ChatURL string
	PageURL string
	// Token is sent to both as a bearer; empty: none.
	Token string
	// Client makes the calls; nil: one of our own. Redirects are never followed.
	Client *http.Client
	Now    func() time.Time // required
	// After waits between two tries; nil: time.After.
	After func(time.Duration) <-chan time.Time
	Log   *zap.Logger           // nil: silent
	Reg   prometheus.Registerer // nil: the metrics are not registered
}

// A Poster posts messages from a queue of its own. It is safe for concurrent use.
type Poster struct {
	hooks   map[sla.Channel]string
	token   string
	client  *http.Client
	own     bool // whether the client's connections are ours to close
	now     func() time.Time
	after   func(time.Duration) <-chan time.Time
	log     *zap.Logger
	metrics *metrics

	wake    map[sla.Channel]chan struct{} // something was posted
	closing chan struct{}
	turn    chan struct{} // held by whoever delivers, Run or Close: no message is ever in two hands

	mu     sync.Mutex
	items  []*item // in the order in which they were posted
	hold   map[sla.Channel]time.Time
	seen   memory
	closed bool
	cancel context.CancelFunc // ends the tries of Run
}

// An item is a message that is not delivered yet.
type item struct {
	Message
	posted time.Time
	due    time.Time // when to try next
	tries  int
	busy   bool // a try is under way
}

// New makes a Poster; nothing is sent before Run.
func New(o Options) *Poster {
	client, own := ownClient(), o.Client == nil
	if !own {
		*client = *o.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	p := &Poster{
		hooks: map[sla.Channel]string{sla.ChannelChat: o.ChatURL, sla.ChannelPage: o.PageURL}, token: o.Token, client: client, own: own,
		now: o.Now, after: o.After, log: o.Log, metrics: newMetrics(o.Reg),
		wake: map[sla.Channel]chan struct{}{}, closing: make(chan struct{}), turn: make(chan struct{}, 1),
		hold: map[sla.Channel]time.Time{}, seen: memory{at: map[key]time.Time{}}, cancel: func() {},
	}
	if o.PageURL == "" {
		p.hooks[sla.ChannelPage] = o.ChatURL
	}
	if p.after == nil {
		p.after = time.After
	}
	if p.log == nil {
		p.log = zap.NewNop()
	}
	p.log = p.log.Named("notify")
	for _, c := range lanes {
		p.wake[c] = make(chan struct{}, 1)
	}
	return p
}

// Post puts a message on its way and returns at once. One that people were told within the last hour is not told again; one without a
// hook for its channel, or after Close, is not told at all.
func (p *Poster) Post(_ context.Context, m Message) {
	if p.hooks[m.Channel] == "" {
		return
	}
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.seen.fresh(m.key(), now) {
		return
	}
	if p.closed || !p.makeRoom(m.Channel) {
		p.drop(m)
		return
	}
	p.items = append(p.items, &item{Message: m, posted: now, due: now})
	p.metrics.queue.Set(float64(len(p.items)))
	select {
	case p.wake[m.Channel] <- struct{}{}:
	default: // it is awake already
	}
}

// Try posts a message to the hook of a channel that says of itself to be a test, once and without waiting in the queue. The error says which hook and
// what kind of failure, never an address. ErrNoHook means that the channel has none.
func (p *Poster) Try(ctx context.Context, c sla.Channel) error {
	if p.hooks[c] == "" {
		return fmt.Errorf("%s webhook: %w", c, ErrNoHook)
	}
	if f := p.send(ctx, Message{Channel: c, Test: true}); f != nil {
		return f
	}
	return nil
}

// makeRoom gives up the oldest warning when the queue is full, and a page only for another page. It reports whether there is room.
func (p *Poster) makeRoom(c sla.Channel) bool {
	if len(p.items) < capacity {
		return true
	}
	at := p.oldest(sla.ChannelChat)
	if at < 0 && c == sla.ChannelPage {
		at = p.oldest(sla.ChannelPage)
	}
	if at < 0 {
		return false
	}
	p.drop(p.items[at].Message)
	p.items = slices.Delete(p.items, at, at+1)
	return true
}

func (p *Poster) oldest(c sla.Channel) int {
	return slices.IndexFunc(p.items, func(it *item) bool { return it.Channel == c && !it.busy })
}

// drop counts a message that nobody will be told, and lets the same message through when it comes again.
func (p *Poster) drop(m Message) {
	p.seen.forget(m.key())
	p.metrics.count(m.Channel, outcomeDropped)
	p.complain(m, "notification dropped")
}

// complain logs what people did not hear of, as loud as it is.
func (p *Poster) complain(m Message, what string, more ...zap.Field) {
	log := p.log.Warn
	if m.Channel == sla.ChannelPage {
		log = p.log.Error
	}
	log(what, append(more, zap.Stringer("channel", m.Channel), zap.Stringer("case", m.Case), zap.Stringer("stage", m.Stage))...)
}

// Run delivers until its context ends or Close is called. Pages and warnings are delivered side by side, so that a chat that does not
// answer keeps no page waiting.
func (p *Poster) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	select {
	case p.turn <- struct{}{}:
	case <-p.closing:
		return
	case <-ctx.Done():
		return
	}
	defer func() { <-p.turn }()
	p.mu.Lock()
	p.cancel = cancel
	p.mu.Unlock()
	p.deliver(ctx, p.closing)
}

// Close takes no more messages and delivers what waits until its context ends, whether Run has ended or not: each message is tried once
// more at once, then by the usual waits. What is left is dropped and is the error.
func (p *Poster) Close(ctx context.Context) error {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.closing)
	}
	stop := context.AfterFunc(ctx, p.cancel)
	p.mu.Unlock()
	defer stop()
	p.turn <- struct{}{} // Run gives it back after the try under way, which ends with ctx at the latest
	defer func() { <-p.turn }()

	p.mu.Lock()
	now := p.now()
	for _, it := range p.items {
		it.due = now
	}
	clear(p.hold) // the process may not have as long as a hook wants to be left alone
	p.mu.Unlock()
	p.deliver(ctx, nil)
	if p.own {
		p.client.CloseIdleConnections()
	}
	return p.abandon()
}

func (p *Poster) abandon() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	left := len(p.items)
	for _, it := range p.items {
		p.drop(it.Message)
	}
	p.items = nil
	p.metrics.queue.Set(0)
	if left > 0 {
		return fmt.Errorf("close notify: %d notifications not delivered", left)
	}
	return nil
}
