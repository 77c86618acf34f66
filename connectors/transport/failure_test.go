package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
)

func TestEffectWhoseReplyIsLostIsUnknownAndSentOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // it did the thing
		drop(w)
	})
	_, err := b.client.Do(t.Context(), effect())
	wantKind(t, err, connectors.OutcomeUnknown)
	if b.hits.Load() != 1 {
		t.Errorf("want one request, got %d", b.hits.Load())
	}
}

func TestEffectIsNotRepeatedOnAKeptConnectionThatDied(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]transport.Call{
		"with a body":    effect(),
		"without a body": {Op: "fake cancel", Effect: true, Method: "DELETE", Path: "/x"},
		"with a key":     {Op: "fake refund", Effect: true, Header: http.Header{"Idempotency-Key": {"k"}}, Body: []byte("{}")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			effects := 0
			b := setup(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet {
					effects++
					drop(w)
				}
			})
			if _, err := b.client.Do(t.Context(), read("/warm")); err != nil {
				t.Fatal(err)
			}
			_, err := b.client.Do(t.Context(), call)
			wantKind(t, err, connectors.OutcomeUnknown)
			b.server.Close()
			if effects != 1 {
				t.Errorf("want one request, got %d", effects)
			}
		})
	}
}

func TestEffectIsSentOnceThroughAForeignRoundTripperToo(t *testing.T) {
	t.Parallel()
	b := setup(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			drop(w)
		}
	}, func(o *transport.Options) { o.RT = wrapped{o.RT} })
	if _, err := b.client.Do(t.Context(), read("/warm")); err != nil {
		t.Fatal(err)
	}
	_, err := b.client.Do(t.Context(), effect())
	wantKind(t, err, connectors.OutcomeUnknown)
	if b.hits.Load() != 2 {
		t.Errorf("want the warm-up and one request, got %d", b.hits.Load())
	}
}

type wrapped struct{ http.RoundTripper }

func TestEffectWithHalfAReplyIsUnknown(t *testing.T) {
	t.Parallel()
	b := setup(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"ok":`)
	})
	_, err := b.client.Do(t.Context(), effect())
	wantKind(t, err, connectors.OutcomeUnknown)
	_, err = b.client.Do(t.Context(), read("/"))
	wantKind(t, err, connectors.Unavailable)
}

func TestReadIsTriedTwiceWhenTheConnectionFails(t *testing.T) {
	t.Parallel()
	b := setup(t, func(w http.ResponseWriter, _ *http.Request) { drop(w) })
	_, err := b.client.Do(t.Context(), read("/"))
	wantKind(t, err, connectors.Unavailable)
	if b.hits.Load() != 2 || len(b.observed()) != 2 {
		t.Errorf("want two requests, both observed, got %d and %d", b.hits.Load(), len(b.observed()))
	}

	n := 0
	b = setup(t, func(w http.ResponseWriter, _ *http.Request) {
		if n++; n == 1 {
			drop(w)
		}
	})
	if _, err := b.client.Do(t.Context(), read("/")); err != nil {
		t.Errorf("want the second try to succeed, got %v", err)
	}
}

func TestEffectThatCouldNotConnectSurelyDidNotHappen(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + l.Addr().String()
	_ = l.Close()
	for name, rt := range map[string]http.RoundTripper{"own": nil, "foreign": failing{&net.OpError{Op: "dial", Err: errors.New("refused")}}} {
		c, err := transport.New(transport.Options{Platform: "p", Store: "S", BaseURL: base, Now: atEpoch, RT: rt})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Do(t.Context(), effect())
		if connectors.KindOf(err) != connectors.Unavailable {
			t.Errorf("%s: want Unavailable, got %v", name, err)
		}
	}
}

type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

func TestUntrustedServerGetsNothing(t *testing.T) {
	t.Parallel()
	served := false
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served = true }))
	s.Config.ErrorLog = zap.NewStdLog(zap.NewNop())
	s.StartTLS()
	defer s.Close()
	c, err := transport.New(transport.Options{Platform: "p", Store: "S", BaseURL: s.URL, Now: atEpoch})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Do(t.Context(), effect())
	e := wantKind(t, err, connectors.Unavailable)
	if served || e.Err == nil || e.Err.Error() != "certificate not accepted" {
		t.Errorf("want the certificate refused, got %v, served %v", err, served)
	}
}

func TestTimeOutIsUnknownForEffectsAndUnavailableForReads(t *testing.T) {
	t.Parallel()
	b := setup(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}, func(o *transport.Options) { o.Timeout = 50 * time.Millisecond })
	_, err := b.client.Do(t.Context(), effect())
	if wantKind(t, err, connectors.OutcomeUnknown); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want a deadline, got %v", err)
	}
	_, err = b.client.Do(t.Context(), read("/"))
	if wantKind(t, err, connectors.Unavailable); b.hits.Load() != 2 {
		t.Errorf("want no second try after a time-out, got %d requests", b.hits.Load())
	}
}

// hanging serves requests that are given up by cancelling the context once they have arrived.
func hanging(t *testing.T) (context.Context, *bench) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, setup(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	})
}

func TestCancelledReadIsNobodysFault(t *testing.T) {
	t.Parallel()
	ctx, b := hanging(t)
	for range 2 { // the second is cancelled before it is sent, and so is the effect after it
		_, err := b.client.Do(ctx, read("/"))
		if !errors.Is(err, context.Canceled) || connectors.KindOf(err) != connectors.KindNone {
			t.Errorf("want a plain cancellation, got %v", err)
		}
	}
	_, err := b.client.Do(ctx, effect())
	if !errors.Is(err, context.Canceled) || connectors.KindOf(err) != connectors.KindNone || b.hits.Load() != 1 {
		t.Errorf("want an effect that was not sent to be a plain cancellation, got %v", err)
	}
}

func TestCancelledEffectIsUnknown(t *testing.T) {
	t.Parallel()
	ctx, b := hanging(t)
	_, err := b.client.Do(ctx, effect())
	if wantKind(t, err, connectors.OutcomeUnknown); !errors.Is(err, context.Canceled) {
		t.Errorf("want both the unknown outcome and the cancellation, got %v", err)
	}
}

func TestNoSecretReachesAnErrorOrALog(t *testing.T) {
	t.Parallel()
	const secret, token = "hunter22-secret", "access-token-777"
	core, logs := observer.New(zap.DebugLevel)
	b := setup(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/drop":
			drop(w)
		case "/garbage":
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_, _ = io.WriteString(conn, "HTTP/9 "+secret+"\r\n\r\n")
				_ = conn.Close()
			}
		default:
			w.Header().Set("Location", "https://elsewhere.example/?t="+secret)
			w.WriteHeader(http.StatusFound)
			_, _ = io.WriteString(w, secret)
		}
	}, func(o *transport.Options) { o.Secrets, o.Log = []string{secret, ""}, zap.New(core) })
	for _, path := range []string{"/drop", "/garbage", "/echo"} {
		for _, isEffect := range []bool{false, true} {
			call := transport.Call{Op: "fake", Subject: "S1", Effect: isEffect, Method: "POST", Path: path,
				Query: url.Values{"access_token": {token}}, Header: http.Header{"Authorization": {"Bearer " + token}}, Body: []byte(secret)}
			call.Classify = func(int, []byte) *connectors.Error {
				return &connectors.Error{Kind: connectors.Rejected, Code: secret, Err: errors.New("said " + secret)}
			}
			_, err := b.client.Do(t.Context(), call)
			if err == nil || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), token) {
				t.Errorf("%s: want an error without secrets, got %v", path, err)
			}
		}
	}
	for _, e := range logs.All() {
		for k, v := range e.ContextMap() {
			if s, ok := v.(string); ok && (strings.Contains(s, secret) || strings.Contains(s, token)) {
				t.Errorf("log field %s holds a secret", k)
			}
		}
	}
	if logs.Len() == 0 {
		t.Error("want a debug line for each request")
	}
}
