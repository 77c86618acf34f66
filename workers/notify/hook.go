package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"watchkeeper/sla"
)

const (
	tryTimeout = 5 * time.Second
	maxReply   = 64 << 10 // what is read of a reply, for the sake of the connection; nobody looks at it
)

// ownClient has connections of its own, so that they can be closed.
func ownClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: tryTimeout, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: maxReply,
	}}
}

// A failure is a try that told nobody. It says which hook and what kind of failure and nothing else: the library's own words quote the
// address, which is a secret.
type failure struct {
	channel sla.Channel
	what    string
	again   bool          // whether another try is worth while
	after   time.Duration // how long the hook asks us to wait; 0 when it does not
}

func (f *failure) Error() string { return fmt.Sprintf("%s webhook: %s", f.channel, f.what) }

// send makes one try; nil means that the hook has taken the message.
func (p *Poster) send(ctx context.Context, m Message) *failure {
	fail := func(what string, again bool) *failure { return &failure{channel: m.Channel, what: what, again: again} }
	body, err := m.body(p.now())
	if err != nil {
		return fail("message not writable as JSON", false)
	}
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.hooks[m.Channel], bytes.NewReader(body))
	if err != nil {
		return fail("not an address", false)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "watchkeeper")
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return fail(plain(err), true)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.CopyN(io.Discard, resp.Body, maxReply)
	switch s := resp.StatusCode; {
	case s >= 200 && s < 300:
		return nil
	case s >= 300 && s < 400:
		return fail(fmt.Sprintf("status %d, and redirects are not followed", s), false)
	default:
		f := fail(fmt.Sprintf("status %d", s), s >= 500 || s == http.StatusRequestTimeout || s == http.StatusTooManyRequests)
		f.after = retryAfter(resp.Header, p.now())
		return f
	}
}

// retryAfter reads both forms of the header, seconds and a date; 0 when there is none to understand.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// plain says in fixed words why a request failed.
func plain(err error) string {
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var slow net.Error
	switch {
	case errors.As(err, &dns):
		return "host name not found"
	case errors.As(err, &cert):
		return "certificate not accepted"
	case errors.As(err, &record), errors.As(err, &alert):
		return "TLS handshake broke off"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.As(err, &slow) && slow.Timeout():
		return "time-out"
	}
	return "connection broke off"
}
