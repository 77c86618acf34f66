package notify_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"watchkeeper/sla"
	"watchkeeper/workers/notify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	secretPath  = "/services/T0SECRET/B0SECRET"
	secretToken = "tok-9d2f71"
)

var start = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// A clock moves by itself whenever somebody waits, so that a test of ten minutes takes none.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.waits = append(c.waits, d)
	fired := make(chan time.Time, 1)
	fired <- c.now
	return fired
}

func (c *clock) Waits() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]time.Duration(nil), c.waits...)
}

// A hook is a receiver that keeps what it was sent.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []map[string]any
	header http.Header
}

// newHook answers the n-th request, from 1, with reply; nil: 200.
func newHook(t *testing.T, reply func(n int, w http.ResponseWriter, r *http.Request)) *hook {
	t.Helper()
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		var body map[string]any
		if err := json.Unmarshal(raw, &body); err != nil || r.Method != http.MethodPost {
			t.Errorf("%s of %q: want a POST of JSON", r.Method, raw)
		}
		h.mu.Lock()
		h.bodies = append(h.bodies, body)
		h.header = r.Header
		n := len(h.bodies)
		h.mu.Unlock()
		if reply != nil {
			reply(n, w, r)
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) got() []map[string]any {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]map[string]any(nil), h.bodies...)
}

func (h *hook) cases(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, b := range h.got() {
		out = append(out, member[string](t, b, "case"))
	}
	return out
}

// member is a member of a body.
func member[T any](t *testing.T, body map[string]any, name string) T {
	t.Helper()
	v, ok := body[name].(T)
	if !ok {
		t.Fatalf("%s: got %v", name, body[name])
	}
	return v
}

type world struct {
	*notify.Poster
	clock *clock
	reg   *prometheus.Registry
	logs  *observer.ObservedLogs
}

// newWorld makes a Poster for two addresses, either of which may be empty; change may alter the options.
func newWorld(t *testing.T, chat, page string, change func(*notify.Options)) *world {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	w := &world{clock: &clock{now: start}, reg: prometheus.NewRegistry(), logs: logs}
	o := notify.Options{ChatURL: chat, PageURL: page, Token: secretToken, Now: w.clock.Now, After: w.clock.After, Log: zap.New(core), Reg: w.reg}
	if change != nil {
		change(&o)
	}
	w.Poster = notify.New(o)
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = w.Close(ended)
	})
	return w
}

func (w *world) flush(t *testing.T) {
	t.Helper()
	if err := w.Close(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
}

// wantCounts compares the counts of a channel.
func (w *world) wantCounts(t *testing.T, channel string, sent, failed, dropped int) {
	t.Helper()
	families, err := w.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if l := m.GetLabel(); len(l) == 2 && l[0].GetValue() == channel {
				got[l[1].GetValue()] = int(m.GetCounter().GetValue())
			}
		}
	}
	if got["sent"] != sent || got["failed"] != failed || got["dropped"] != dropped || len(got) != 3 {
		t.Errorf("%s: want %d sent, %d failed, %d dropped, got %v", channel, sent, failed, dropped, got)
	}
}

func (w *world) queued(t *testing.T) int {
	t.Helper()
	families, err := w.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "watchkeeper_notification_queue" {
			return int(f.GetMetric()[0].GetGauge().GetValue())
		}
	}
	t.Fatal("no gauge of the queue")
	return 0
}

// wantNoSecret greps everything that was logged.
func (w *world) wantNoSecret(t *testing.T) {
	t.Helper()
	for _, e := range w.logs.All() {
		line := e.Message + " " + toJSON(t, e.ContextMap())
		for _, secret := range []string{"SECRET", secretToken, "127.0.0.1", "http"} {
			if strings.Contains(line, secret) {
				t.Errorf("%q is in a log line: %s", secret, line)
			}
		}
	}
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func message(c sla.Channel, native string) notify.Message {
	return notify.Message{
		Channel: c, Case: sla.DisputeID{Platform: "aliexpress", Store: "AE01", Native: native}, Turn: 7, Reason: sla.ReasonNotReceived,
		Why: sla.WhyWarnPoint, Stage: sla.StageWarn, Point: 1, Deadline: start.Add(5*time.Hour + 30*time.Minute),
		Cost: sla.Money{Minor: 1200, Currency: "USD"},
	}
}

func warning(native string) notify.Message { return message(sla.ChannelChat, native) }
func page(native string) notify.Message    { return message(sla.ChannelPage, native) }

func TestMetricsAreWellNamedAndPresentFromTheStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", "", nil)
	problems, err := testutil.GatherAndLint(w.reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
	w.wantCounts(t, "chat", 0, 0, 0)
	w.wantCounts(t, "page", 0, 0, 0)
}
