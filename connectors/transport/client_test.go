package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
)

func TestNewRefusesWhatCannotBeSafe(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]transport.Options{
		"no URL":              {},
		"other scheme":        {BaseURL: "ftp://x.example"},
		"no host":             {BaseURL: "https://"},
		"password":            {BaseURL: "https://user:hunter22@x.example"},
		"query":               {BaseURL: "https://x.example?token=hunter22"},
		"plain http":          {BaseURL: "http://x.example"},
		"plain http, 127-ish": {BaseURL: "http://127.0.0.1.x.example"},
		"unreadable":          {BaseURL: "https://hunter22\x7f"},
		"no clock":            {BaseURL: "https://x.example", Platform: "p", Store: "S"},
		"no store":            {BaseURL: "https://x.example", Platform: "p", Now: atEpoch},
		"rate, no limiter":    {BaseURL: "https://x.example", Platform: "p", Store: "S", Now: atEpoch, Rate: 1},
		"negative":            {BaseURL: "https://x.example", Platform: "p", Store: "S", Now: atEpoch, MaxBody: -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := transport.New(o)
			if err == nil || strings.Contains(err.Error(), "hunter22") {
				t.Fatalf("want an error without the secret, got %v", err)
			}
		})
	}
	for _, ok := range []string{"https://x.example/v2/", "http://127.0.0.1:1", "http://[::1]:1/x", "http://localhost:9"} {
		if _, err := transport.New(transport.Options{BaseURL: ok, Platform: "p", Store: "S", Now: atEpoch}); err != nil {
			t.Errorf("%s: %v", ok, err)
		}
	}
}

func TestRequestCarriesWhatTheCallSays(t *testing.T) {
	t.Parallel()
	b := setup(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got := []string{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.UserAgent(), r.Header.Get("Content-Type"), r.Header.Get("X-Key"), string(body)}
		_, _ = io.WriteString(w, strings.Join(got, "|"))
	}, func(o *transport.Options) { o.BaseURL += "/v2/" })
	reply, err := b.client.Do(t.Context(), transport.Call{
		Op: "fake read", Method: "POST", Path: "/a%2Fb", Query: url.Values{"q": {"x y"}}, Header: http.Header{"X-Key": {"k"}},
		Body: []byte("f=1"), ContentType: "application/x-www-form-urlencoded",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "POST|/v2/a%2Fb|q=x+y|watchkeeper|application/x-www-form-urlencoded|k|f=1"
	if diff := cmp.Diff(want, string(reply.Body)); diff != "" {
		t.Error(diff)
	}
}

func TestStatusesBecomeKinds(t *testing.T) {
	t.Parallel()
	for status, want := range map[int][2]connectors.Kind{
		200: {connectors.KindNone, connectors.KindNone},
		204: {connectors.KindNone, connectors.KindNone},
		302: {connectors.Malformed, connectors.OutcomeUnknown},
		400: {connectors.Malformed, connectors.Rejected},
		401: {connectors.Unauthorised, connectors.Unauthorised},
		403: {connectors.Forbidden, connectors.Forbidden},
		404: {connectors.NotFound, connectors.NotFound},
		408: {connectors.Unavailable, connectors.Unavailable},
		409: {connectors.Conflict, connectors.Conflict},
		422: {connectors.Malformed, connectors.Rejected},
		429: {connectors.Throttled, connectors.Throttled},
		500: {connectors.Unavailable, connectors.OutcomeUnknown},
		502: {connectors.Unavailable, connectors.OutcomeUnknown},
		503: {connectors.Unavailable, connectors.OutcomeUnknown},
	} {
		b := setup(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		})
		for i, call := range []transport.Call{read("/"), effect()} {
			_, err := b.client.Do(t.Context(), call)
			if got := connectors.KindOf(err); got != want[i] || got != transport.StatusKind(status, call.Effect) {
				t.Errorf("%d, effect %v: want %v, got %v", status, call.Effect, want[i], got)
			}
		}
		if b.hits.Load() != 2 {
			t.Errorf("%d: want one request a call, got %d for 2", status, b.hits.Load())
		}
		if diff := cmp.Diff([]connectors.Kind{want[0], want[1]}, b.observed()); diff != "" {
			t.Errorf("%d: observer: %s", status, diff)
		}
	}
}

func TestRetryAfterIsReadInBothFormsAndCapped(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{
		"17":       17 * time.Second,
		"99999999": time.Hour,
		"-5":       0,
		"soon":     0,
		"":         0,
		epoch.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second,
		epoch.Add(-time.Minute).Format(http.TimeFormat):     0,
	} {
		b := setup(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(http.StatusTooManyRequests)
		})
		_, err := b.client.Do(t.Context(), read("/"))
		if e := wantKind(t, err, connectors.Throttled); e.RetryAfter != want {
			t.Errorf("%q: want %v, got %v", header, want, e.RetryAfter)
		}
	}
}

func TestBusyServerThatNamesAWaitThrottlesReadsOnly(t *testing.T) {
	t.Parallel()
	b := setup(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	_, err := b.client.Do(t.Context(), read("/"))
	if e := wantKind(t, err, connectors.Throttled); e.RetryAfter != 30*time.Second {
		t.Errorf("want 30s, got %v", e.RetryAfter)
	}
	_, err = b.client.Do(t.Context(), effect())
	wantKind(t, err, connectors.OutcomeUnknown)
}

func TestClassifyHasTheLastWordOnSuccessOnly(t *testing.T) {
	t.Parallel()
	b := setup(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/500" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	says := func(path string, isEffect bool, e *connectors.Error) error {
		call := read(path)
		call.Effect, call.Classify = isEffect, func(int, []byte) *connectors.Error { return e }
		_, err := b.client.Do(t.Context(), call)
		return err
	}
	if err := says("/", false, nil); err != nil {
		t.Errorf("want success, got %v", err)
	}
	wantKind(t, says("/500", false, nil), connectors.Unavailable)
	e := wantKind(t, says("/", true, &connectors.Error{Kind: connectors.Rejected, Code: "bad\ncode\x00" + strings.Repeat("x", 99)}), connectors.Rejected)
	if !strings.HasPrefix(e.Code, "badcodexxx") || len(e.Code) != 64 || e.Op != "fake read" || e.Subject != "S1" {
		t.Errorf("want a clean code, operation and subject, got %+v", e)
	}
	wantKind(t, says("/", true, &connectors.Error{Kind: connectors.Malformed}), connectors.OutcomeUnknown)
	wantKind(t, says("/500", true, &connectors.Error{Kind: connectors.Unavailable}), connectors.OutcomeUnknown)
}

func TestTooLargeRepliesAreNotKept(t *testing.T) {
	t.Parallel()
	b := setup(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, 1001))
	}, func(o *transport.Options) { o.MaxBody = 1000 })
	reply, err := b.client.Do(t.Context(), read("/"))
	wantKind(t, err, connectors.Malformed)
	if len(reply.Body) != 0 {
		t.Errorf("want no body, got %d bytes", len(reply.Body))
	}
	_, err = b.client.Do(t.Context(), effect())
	wantKind(t, err, connectors.OutcomeUnknown)
}

func TestLimiterIsAskedFirst(t *testing.T) {
	t.Parallel()
	var wait time.Duration
	var fault error
	var keys []string
	b := setup(t, func(http.ResponseWriter, *http.Request) {}, func(o *transport.Options) {
		o.Rate = 5
		o.Limiter = limiter(func(key string) (time.Duration, error) { keys = append(keys, key); return wait, fault })
	})
	if _, err := b.client.Do(t.Context(), read("/")); err != nil {
		t.Fatal(err)
	}
	wait = 3 * time.Second
	_, err := b.client.Do(t.Context(), effect())
	if e := wantKind(t, err, connectors.Throttled); e.RetryAfter != wait {
		t.Errorf("want %v, got %v", wait, e.RetryAfter)
	}
	wait, fault = 0, errors.New("redis is away")
	_, err = b.client.Do(t.Context(), effect())
	wantKind(t, err, connectors.Unavailable)
	if b.hits.Load() != 1 || !slices.Equal(keys, []string{"fake/S1", "fake/S1", "fake/S1"}) {
		t.Errorf("want one request and the store's key, got %d and %v", b.hits.Load(), keys)
	}
}

func TestSkewIsMeasuredBeyondTheHeadersResolution(t *testing.T) {
	t.Parallel()
	var off time.Duration
	b := setup(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", epoch.Add(off).Format(http.TimeFormat))
	})
	for _, d := range []time.Duration{2 * time.Second, time.Hour, -90 * time.Second, 90 * time.Second, 100 * time.Second, 95 * time.Second} {
		off = d
		reply, err := b.client.Do(t.Context(), read("/"))
		want := d
		if d == 2*time.Second {
			want = 0
		}
		if err != nil || reply.Skew != want || !reply.Date.Equal(epoch.Add(d)) {
			t.Errorf("%v: want %v, got %v at %v (%v)", d, want, reply.Skew, reply.Date, err)
		}
	}
	if got := b.client.Skew(); got != 95*time.Second {
		t.Errorf("want the median of the last five, 95s, got %v", got)
	}
}

func TestCallsThatCannotBeSafeAreNotSent(t *testing.T) {
	t.Parallel()
	b := setup(t, func(http.ResponseWriter, *http.Request) {})
	for name, call := range map[string]transport.Call{
		"effect by GET":    {Effect: true, Method: "GET"},
		"repeatable":       {Effect: true, Header: http.Header{"Idempotency-Key": {"k"}}},
		"query in path":    {Path: "/a?b=c"},
		"relative path":    {Path: "a"},
		"climbing path":    {Path: "/a/../b"},
		"path not escaped": {Path: "/%zz"},
	} {
		_, err := b.client.Do(context.Background(), call)
		if connectors.KindOf(err) != connectors.Malformed || b.hits.Load() != 0 {
			t.Errorf("%s: want Malformed and no request, got %v and %d", name, err, b.hits.Load())
		}
	}
}
