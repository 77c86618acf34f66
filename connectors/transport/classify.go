package transport

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"crypto/tls"

	"watchkeeper/connectors"
)

// maxRetryAfter bounds what a platform may ask us to wait: a broken header must not stop a feed for a year.
const maxRetryAfter = time.Hour

// StatusKind is what an HTTP status means. KindNone is success. A status that tells nothing about an effect is OutcomeUnknown;
// a read that the platform does not understand is Malformed, for a person to look at, and never Rejected, which is said of answers.
func StatusKind(status int, effect bool) connectors.Kind {
	switch {
	case status >= 200 && status < 300:
		return connectors.KindNone
	case status == http.StatusUnauthorized:
		return connectors.Unauthorised
	case status == http.StatusForbidden:
		return connectors.Forbidden
	case status == http.StatusNotFound, status == http.StatusGone:
		return connectors.NotFound
	case status == http.StatusConflict, status == http.StatusPreconditionFailed, status == http.StatusLocked:
		return connectors.Conflict
	case status == http.StatusTooManyRequests:
		return connectors.Throttled
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly: // the server did not take the request up
		return connectors.Unavailable
	case status >= 400 && status < 500 && effect:
		return connectors.Rejected
	case effect: // 5xx, and a redirect, which is how some answer after doing the thing
		return connectors.OutcomeUnknown
	case status >= 500:
		return connectors.Unavailable
	}
	return connectors.Malformed
}

// retryAfter reads both forms of the header, seconds and a date; 0 when there is none to understand.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	wait := time.Duration(0)
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		wait = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}

// LooksJSON reports whether a body begins like a JSON object or list; an empty body, a web page and plain text do not.
func LooksJSON(body []byte) bool {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	body = bytes.TrimLeft(body, " \t\r\n")
	return len(body) > 0 && (body[0] == '{' || body[0] == '[')
}

// cleanCode keeps what is printable of a platform's code.
func cleanCode(code string) string {
	code = strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f {
			return -1
		}
		return r
	}, code)
	return code[:min(len(code), 64)]
}

// plain says in fixed words why a request failed. The library's own words quote URLs, headers and bytes of the reply.
func plain(err error) error {
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var errno syscall.Errno
	var slow net.Error
	switch {
	case errors.Is(err, errForbidden):
		return errForbidden
	case errors.As(err, &dns):
		return errors.New("host name not found")
	case errors.As(err, &cert):
		return errors.New("certificate not accepted")
	case errors.As(err, &record), errors.As(err, &alert):
		return errors.New("TLS handshake broke off")
	case errors.As(err, &errno):
		return errno
	case errors.As(err, &slow) && slow.Timeout():
		return errors.New("time-out")
	}
	return errors.New("connection broke off")
}

// unsent reports whether an error proves that nothing left this process.
func unsent(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	return errors.Is(err, errForbidden) || errors.As(err, &dns) || errors.As(err, &cert) || errors.As(err, &op) && op.Op == "dial"
}
