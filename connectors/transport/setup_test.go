package transport_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// epoch is the time of every test that does not care.
var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func atEpoch() time.Time { return epoch }

// bench is one test's platform, client and what the client told its observers.
type bench struct {
	client *transport.Client
	server *httptest.Server
	hits   *atomic.Int64

	mu    sync.Mutex
	kinds []connectors.Kind
}

func (b *bench) observed() []connectors.Kind {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]connectors.Kind(nil), b.kinds...)
}

// setup serves the handler and makes a client for it; with changes the options.
func setup(t *testing.T, h http.HandlerFunc, with ...func(*transport.Options)) *bench {
	t.Helper()
	b := &bench{hits: new(atomic.Int64)}
	b.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.hits.Add(1)
		w.Header().Set("Date", epoch.Format(http.TimeFormat))
		h(w, r)
	}))
	rt := &http.Transport{}
	t.Cleanup(func() { rt.CloseIdleConnections(); b.server.Close() })
	o := transport.Options{Platform: "fake", Store: "S1", BaseURL: b.server.URL, RT: rt, Now: atEpoch, Timeout: 5 * time.Second}
	o.Calls = func(_ context.Context, c connectors.Called) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.kinds = append(b.kinds, c.Kind)
	}
	for _, f := range with {
		f(&o)
	}
	c, err := transport.New(o)
	if err != nil {
		t.Fatal(err)
	}
	b.client = c
	return b
}

// drop ends the connection without a reply, as a crashing server does.
func drop(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func read(path string) transport.Call {
	return transport.Call{Op: "fake read", Subject: "S1", Path: path}
}

func effect() transport.Call {
	return transport.Call{Op: "fake refund", Subject: "S1/7", Effect: true, Path: "/refund", Body: []byte(`{"amount":5}`)}
}

func wantKind(t *testing.T, err error, want connectors.Kind) *connectors.Error {
	t.Helper()
	if got := connectors.KindOf(err); got != want {
		t.Fatalf("want %v, got %v (%v)", want, got, err)
	}
	var e *connectors.Error
	if !errors.As(err, &e) {
		t.Fatalf("want a *connectors.Error, got %T", err)
	}
	return e
}

type limiter func(key string) (time.Duration, error)

func (l limiter) Take(_ context.Context, key string, _ int, _ time.Duration) (time.Duration, error) {
	return l(key)
}
