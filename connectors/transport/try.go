package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"

	"watchkeeper/connectors"
)

// tried is what became of one request.
type tried struct {
	reply Reply
	err   error
	again bool // a read that failed before any reply
}

// body is a request body that net/http cannot rewind, so that it never sends it a second time. It does not leave before the brake is open,
// whatever the transport did with the headers.
type body struct {
	io.Reader
	brake *brake // nil: it may always leave
}

func (b body) Read(p []byte) (int, error) {
	if b.brake != nil {
		if err := b.brake.open(); err != nil {
			return 0, err
		}
	}
	return b.Reader.Read(p)
}

func (body) Close() error { return nil }

// wire watches how far a request got. A transport that reports nothing leaves both false. Where there is a brake, it alone knows.
type wire struct {
	asked, got atomic.Bool
	brake      *brake
}

func (w *wire) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { w.asked.Store(true) },
		GotConn: func(info httptrace.GotConnInfo) {
			w.got.Store(true)
			w.brake.stop(info.Conn)
		},
	})
}

// silent reports whether surely not one byte of the request was sent.
func (w *wire) silent(err error) bool {
	if w.brake != nil {
		return w.brake.shut()
	}
	if w.asked.Load() {
		return !w.got.Load()
	}
	return unsent(err)
}

// try sends the request once and reads the reply.
func (c *Client) try(ctx context.Context, proto *http.Request, call Call) tried {
	w := wire{brake: c.brake(ctx, call)}
	sending, giveUp := context.WithCancel(w.trace(ctx))
	defer giveUp()
	w.brake.onStop(giveUp)
	req := proto.Clone(sending)
	if len(call.Body) > 0 {
		req.Body, req.ContentLength = body{bytes.NewReader(call.Body), w.brake}, int64(len(call.Body))
	}
	rt := c.reads
	if call.Effect {
		rt = c.effects
	}
	start := c.o.Now()
	resp, err := rt.RoundTrip(req)
	if err != nil {
		lost := c.lost(ctx, call, err, w.silent(err))
		if why := w.brake.why(); why != nil {
			lost = c.fail(call, connectors.Unavailable, why)
		}
		t := tried{err: lost, again: !call.Effect && ctx.Err() == nil}
		c.observe(ctx, call, 0, t.err, c.o.Now().Sub(start))
		return t
	}
	defer func() { _ = resp.Body.Close() }() // what matters of it was read or is an error already
	text, readErr := c.readBody(resp)
	took := c.o.Now().Sub(start)
	t := tried{reply: Reply{Status: resp.StatusCode, Header: resp.Header, Body: text}}
	t.reply.Date, t.reply.Skew = c.skews.measure(resp.Header, start, took)
	if e := c.judge(ctx, call, t.reply, readErr); e != nil {
		t.err = e
	}
	c.observe(ctx, call, resp.StatusCode, t.err, took)
	return t
}

// lost classifies a request without a reply.
func (c *Client) lost(ctx context.Context, call Call, err error, silent bool) error {
	cause := c.cause(ctx, err)
	switch {
	case call.Effect && !silent:
		return c.fail(call, connectors.OutcomeUnknown, cause)
	case errors.Is(cause, context.Canceled):
		return c.cancelled(call)
	}
	return c.fail(call, connectors.Unavailable, cause)
}

// cause says why a request or the reading of its reply failed, in words that are safe to show.
func (c *Client) cause(ctx context.Context, err error) error {
	var own *timeoutError
	switch cause := context.Cause(ctx); {
	case errors.As(cause, &own):
		return own
	case ctx.Err() != nil:
		return ctx.Err() // not the caller's own cause: its text is not ours to show
	}
	return plain(err)
}

var errTooLarge = errors.New("reply is too large")

func (c *Client) readBody(resp *http.Response) ([]byte, error) {
	var buf bytes.Buffer
	if n := resp.ContentLength; n > 0 && n <= c.o.MaxBody {
		buf.Grow(int(n) + bytes.MinRead)
	}
	n, err := buf.ReadFrom(io.LimitReader(resp.Body, c.o.MaxBody+1))
	if err == nil && n > c.o.MaxBody {
		return nil, errTooLarge
	}
	return buf.Bytes(), err
}

// judge decides what a reply means: the connector's word first, then the status, then whether its body could be read at all.
func (c *Client) judge(ctx context.Context, call Call, r Reply, readErr error) error {
	kind := StatusKind(r.Status, call.Effect)
	if readErr != nil && (kind == connectors.KindNone || kind == connectors.OutcomeUnknown) {
		return c.unread(ctx, call, readErr)
	}
	var e *connectors.Error
	if call.Classify != nil && readErr == nil {
		e = call.Classify(r.Status, r.Body)
	}
	if e == nil {
		if kind == connectors.KindNone {
			return nil
		}
		e = &connectors.Error{Kind: kind}
	}
	return c.complete(call, r, *e)
}

// unread is a reply that said yes and then could not be read.
func (c *Client) unread(ctx context.Context, call Call, err error) error {
	switch {
	case !errors.Is(err, errTooLarge):
		return c.lost(ctx, call, err, false)
	case call.Effect:
		return c.fail(call, connectors.OutcomeUnknown, errTooLarge)
	}
	return c.fail(call, connectors.Malformed, errTooLarge)
}

// complete fills in what the connector left open, and holds it to the promises: clean codes, no secret, and no effect that is called
// undone because its reply made no sense.
func (c *Client) complete(call Call, r Reply, e connectors.Error) error {
	if e.Op == "" {
		e.Op = call.Op
	}
	if e.Subject == "" {
		e.Subject = call.Subject
	}
	if call.Effect && (e.Kind == connectors.Malformed || e.Kind == connectors.Unavailable && r.Status != http.StatusRequestTimeout && r.Status != http.StatusTooEarly) {
		e.Kind = connectors.OutcomeUnknown
	}
	wait := retryAfter(r.Header, c.o.Now())
	if e.Kind == connectors.Unavailable && r.Status == http.StatusServiceUnavailable && wait > 0 {
		e.Kind = connectors.Throttled
	}
	if e.Kind == connectors.Throttled && e.RetryAfter == 0 {
		e.RetryAfter = wait
	}
	e.RetryAfter = min(max(e.RetryAfter, 0), maxRetryAfter)
	e.Code = cleanCode(c.scrub(e.Code))
	if e.Err != nil {
		if text := e.Err.Error(); c.scrub(text) != text {
			e.Err = errors.New(c.scrub(text))
		}
	}
	return &e
}

// scrub takes the known secrets out of a text.
func (c *Client) scrub(s string) string {
	for _, secret := range c.o.Secrets {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, "[secret]")
		}
	}
	return s
}
