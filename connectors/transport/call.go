package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// A Call is one request to the platform.
type Call struct {
	Op      string // the operation, from a closed list: "track17 gettrackinfo"; metrics are labelled with it
	Subject string // store, or store and id
	Effect  bool   // may change something there: sent at most once, never by GET

	// Answer marks the effect that answers a dispute of the reason: the brake is asked before it leaves. It needs a body.
	Answer bool
	Reason sla.Reason

	Method      string // default GET, of an effect POST
	Path        string // below the base URL, already escaped
	Query       url.Values
	Header      http.Header
	Body        []byte
	ContentType string // of the body; default application/json

	// Classify looks at the reply, for platforms that answer errors with status 200 or tell more than the status does. Nil leaves it to
	// the status. Op and Subject are filled in; Code is cleaned; Err must be safe to show. Of an effect, Malformed and Unavailable are
	// taken for OutcomeUnknown: neither proves that nothing happened.
	Classify func(status int, body []byte) *connectors.Error
}

// A Reply is what the platform answered.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
	Date   time.Time     // of the Date header; zero without one
	Skew   time.Duration // platform clock minus ours at the middle of the call; 0 without a Date header or within its resolution
}

// Do makes one call. The error, if any, is a *connectors.Error, or wraps context.Canceled when the caller gave up and nothing can
// have happened. The reply is there also with an error when the platform answered.
//
// An effect is sent at most once: a kind other than OutcomeUnknown means that it surely did not happen. A read whose connection fails
// before any reply is tried once more.
func (c *Client) Do(ctx context.Context, call Call) (Reply, error) {
	req, err := c.prepare(call)
	if err != nil {
		return Reply{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.o.Timeout, &timeoutError{after: c.o.Timeout})
	defer cancel()
	if err := c.permit(ctx, call); err != nil {
		return Reply{}, err
	}
	t := c.try(ctx, req, call)
	if t.again && c.permit(ctx, call) == nil {
		t = c.try(ctx, req, call)
	}
	return t.reply, t.err
}

// timeoutError is the cause of a call's own time-out, to tell it from the caller's deadline.
type timeoutError struct{ after time.Duration }

func (e *timeoutError) Error() string { return fmt.Sprintf("no reply within %v", e.after) }
func (e *timeoutError) Unwrap() error { return context.DeadlineExceeded }

// prepare builds the request; a mistake in the call is the programmer's, and nothing is sent.
func (c *Client) prepare(call Call) (*http.Request, error) {
	if call.Method == "" {
		call.Method = http.MethodGet
		if call.Effect {
			call.Method = http.MethodPost
		}
	}
	if err := call.check(); err != nil {
		return nil, c.fail(call, connectors.Malformed, err)
	}
	u := *c.base
	path, err := url.PathUnescape(call.Path)
	if err != nil {
		return nil, c.fail(call, connectors.Malformed, errors.New("path is not escaped"))
	}
	u.RawPath, u.Path = u.EscapedPath()+call.Path, u.Path+path
	u.RawQuery = call.Query.Encode()
	req := &http.Request{Method: call.Method, URL: &u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: call.Header.Clone()}
	if req.Header == nil {
		req.Header = http.Header{}
	}
	defaultHeader(req.Header, "Accept", "application/json")
	req.Header.Set("User-Agent", "watchkeeper")
	if call.Body != nil {
		if call.ContentType == "" {
			call.ContentType = "application/json"
		}
		req.Header.Set("Content-Type", call.ContentType)
	}
	return req, nil
}

func defaultHeader(h http.Header, name, value string) {
	if h.Get(name) == "" {
		h.Set(name, value)
	}
}

// check refuses what would break a promise: net/http repeats by itself whatever looks repeatable, which a GET does, and so does a
// request without a body that carries an idempotency key.
func (call Call) check() error {
	switch {
	case call.Path != "" && !strings.HasPrefix(call.Path, "/"):
		return errors.New("path does not begin with a slash")
	case strings.ContainsAny(call.Path, "?#"):
		return errors.New("path holds a query")
	case strings.Contains(call.Path+"/", "/../"):
		return errors.New("path climbs")
	case call.Answer && (!call.Effect || len(call.Body) == 0):
		return errors.New("an answer that is no effect with a body cannot be held back")
	case !call.Effect:
		return nil
	case call.Method == http.MethodGet || call.Method == http.MethodHead || call.Method == http.MethodOptions || call.Method == http.MethodTrace:
		return fmt.Errorf("effect by %s", call.Method)
	case len(call.Body) == 0 && (call.Header.Get("Idempotency-Key") != "" || call.Header.Get("X-Idempotency-Key") != ""):
		return errors.New("effect without a body but with an idempotency key")
	}
	return nil
}

// permit asks for one call of the shared allowance. Not knowing the limit is no permission, and neither is a context that is over.
func (c *Client) permit(ctx context.Context, call Call) error {
	if err := ctx.Err(); err != nil {
		return c.lost(ctx, call, err, true)
	}
	if c.o.Limiter == nil {
		return nil
	}
	wait, err := c.o.Limiter.Take(ctx, c.o.LimitKey, c.o.Rate, c.o.Per)
	switch {
	case err != nil && ctx.Err() != nil:
		return c.lost(ctx, call, err, true)
	case err != nil:
		return c.fail(call, connectors.Unavailable, errors.New("the rate limit is not known"))
	case wait > 0:
		e := c.fail(call, connectors.Throttled, connectors.ErrOwnLimit)
		e.RetryAfter = wait
		return e
	}
	return nil
}

func (c *Client) fail(call Call, kind connectors.Kind, cause error) *connectors.Error {
	return &connectors.Error{Op: call.Op, Subject: call.Subject, Kind: kind, Err: cause}
}

func (c *Client) cancelled(call Call) error {
	return fmt.Errorf("%s %s: %w", call.Op, call.Subject, context.Canceled)
}

// observe tells the metrics, the traces and the debug log of one request; a cancelled one counts as unavailable, since it got no reply.
func (c *Client) observe(ctx context.Context, call Call, status int, err error, took time.Duration) {
	kind := connectors.KindOf(err)
	if err != nil && kind == connectors.KindNone {
		kind = connectors.Unavailable
	}
	c.o.Calls(ctx, connectors.Called{Op: call.Op, Effect: call.Effect, Status: status, Kind: kind, Took: took})
	c.o.Log.Debug("request", zap.String("op", call.Op), zap.String("subject", call.Subject), zap.Int("status", status),
		zap.Stringer("kind", kind), zap.Duration("took", took))
}
