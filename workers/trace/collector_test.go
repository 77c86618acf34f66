package trace_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/protobuf/encoding/protowire"

	"watchkeeper/workers/trace"
	"watchkeeper/workers/trace/tracetest"
)

// rig is a tracer before a collector of the test's own.
type rig struct {
	tracer
	t    *testing.T
	reg  *prometheus.Registry
	logs *observer.ObservedLogs
}

func newRig(t *testing.T, env map[string]string) *rig {
	t.Helper()
	config := trace.Load(of(env), nil)
	if !config.On() {
		t.Fatalf("nothing is traced: %v", config.Warnings())
	}
	core, logs := observer.New(zap.DebugLevel)
	r := &rig{t: t, reg: prometheus.NewRegistry(), logs: logs}
	r.Tracer = trace.Open(trace.Options{
		Config: config, Version: "v1.2.3", Instance: "P1", Now: ticking(), Log: zap.New(core), Reg: r.reg, Clean: func(s string) string { return s },
	})
	t.Cleanup(func() { r.closed(time.Minute) })
	return r
}

// closed closes the tracer, and tells how long that took.
func (r *rig) closed(within time.Duration) time.Duration {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	began := time.Now()
	r.Close(ctx)
	return time.Since(began)
}

func (r *rig) spans(n int) {
	for range n {
		_, s := r.root(1)
		s.End()
	}
}

// counted are the spans by what became of them, as far as that is not 0.
func (r *rig) counted() map[string]int {
	r.t.Helper()
	families, err := r.reg.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	out := map[string]int{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if v := int(m.GetCounter().GetValue()); v != 0 {
				out[m.GetLabel()[0].GetValue()] = v
			}
		}
	}
	return out
}

func (r *rig) expect(want map[string]int) {
	r.t.Helper()
	if diff := cmp.Diff(want, r.counted()); diff != "" {
		r.t.Error(diff)
	}
}

func (r *rig) said(message string) int { return r.logs.FilterMessage(message).Len() }

// serve is a collector that answers as told.
func serve(t *testing.T, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return server
}

func TestSpansArriveWithWhoSendsThem(t *testing.T) {
	t.Parallel()
	c := tracetest.New(t)
	r := newRig(t, map[string]string{
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": c.URL + "/some/where", headers: "Authorization=Bearer%20" + canary + ",X-Scope=main",
		"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip", "OTEL_SERVICE_NAME": "wk", "OTEL_RESOURCE_ATTRIBUTES": "service.name=ignored,deployment.environment.name=a%20b",
	})
	r.spans(3)
	r.closed(time.Minute)
	r.expect(map[string]int{"exported": 3})
	want := map[string]string{"service.name": "wk", "deployment.environment.name": "a b", "service.version": "v1.2.3", "service.instance.id": "P1"}
	if diff := cmp.Diff(want, c.Resource()); diff != "" {
		t.Error(diff)
	}
	request := c.Requests()[0]
	if request.URL.Path != "/some/where" || request.Header.Get("Authorization") != "Bearer "+canary || request.Header.Get("X-Scope") != "main" {
		t.Errorf("want the headers sent to the address, got %s %v", request.URL, request.Header)
	}
	if len(c.Spans()) != 3 || r.logs.Len() != 0 {
		t.Errorf("want three spans and not a word, got %d, %v", len(c.Spans()), r.logs.All())
	}
}

func TestTheAddressOfEverythingIsThatOfTracesWithTheirPath(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{"": "/v1/traces", "/": "/v1/traces", "/otlp/": "/otlp/v1/traces"} {
		c := tracetest.New(t)
		r := newRig(t, map[string]string{endpoint: c.URL + base})
		r.spans(1)
		r.closed(time.Minute)
		if got := c.Requests()[0].URL.Path; got != want {
			t.Errorf("%q: want %s, got %s", base, want, got)
		}
	}
}

func TestACollectorOfACertificateOfOnesOwnIsTrustedByFile(t *testing.T) {
	t.Parallel()
	var hits atomic.Int64
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	t.Cleanup(server.Close)
	server.Config.ErrorLog = zap.NewStdLog(zap.NewNop())
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for ca, want := range map[string]map[string]int{file: {"exported": 1}, "": {"failed": 1}} {
		r := newRig(t, map[string]string{endpoint: server.URL, "OTEL_EXPORTER_OTLP_CERTIFICATE": ca, "OTEL_EXPORTER_OTLP_TIMEOUT": "300"})
		r.spans(1)
		r.closed(time.Minute)
		r.expect(want)
	}
	if hits.Load() != 1 {
		t.Errorf("want one request, got %d", hits.Load())
	}
}

func TestABatchIsTriedAgainWhenTheCollectorIsAwayForAMoment(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]http.HandlerFunc{
		"asks for patience": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"asks for a second": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		},
		"has a bad gateway":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"has a slow gateway": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGatewayTimeout) },
		"hangs up":           func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var hits atomic.Int64
			var first, second atomic.Value
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				var body bytes.Buffer
				_, _ = body.ReadFrom(r.Body)
				if hits.Add(1) == 1 {
					first.Store(body.String())
					away(w, r)
					return
				}
				second.Store(body.String())
			})
			r := newRig(t, map[string]string{endpoint: server.URL})
			r.spans(2)
			r.closed(time.Minute)
			r.expect(map[string]int{"exported": 2})
			if hits.Load() != 2 || first.Load() != second.Load() {
				t.Errorf("want the same batch sent twice, got %d requests", hits.Load())
			}
		})
	}
}

// By OTLP only some statuses are worth another try, and a wait that would outlast the time for a batch is not begun.
func TestABatchThatNoFurtherTryWouldSaveIsGivenUpAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code  int
		after string
	}{
		"refused": {http.StatusBadRequest, "1"}, "broken": {http.StatusInternalServerError, "1"}, "not built": {http.StatusNotImplemented, ""},
		"too old": {http.StatusHTTPVersionNotSupported, ""}, "patience without end": {http.StatusServiceUnavailable, "30"}, "tomorrow": {http.StatusTooManyRequests, "86400"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var hits atomic.Int64
			server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				hits.Add(1)
				w.Header().Set("Retry-After", c.after)
				w.WriteHeader(c.code)
			})
			r := newRig(t, map[string]string{endpoint: server.URL, "OTEL_EXPORTER_OTLP_TIMEOUT": "30000"})
			r.spans(1)
			took := r.closed(time.Minute)
			r.expect(map[string]int{"failed": 1})
			if hits.Load() != 1 || took > 20*time.Second {
				t.Errorf("want one try and no wait, got %d within %s", hits.Load(), took)
			}
		})
	}
}

func TestWhatTheCollectorRefusesIsLostAtOnceAndToldOnce(t *testing.T) {
	t.Parallel()
	var hits, elsewhere atomic.Int64
	other := serve(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	status := atomic.Int64{}
	status.Store(http.StatusUnauthorized)
	asked := make(chan struct{}, 10)
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		defer func() { asked <- struct{}{} }()
		if code := int(status.Load()); code != http.StatusOK {
			w.Header().Set("Location", other.URL)
			http.Error(w, canary, code)
		}
	})
	r := newRig(t, map[string]string{endpoint: server.URL, headers: "Authorization=" + canary, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1"})
	r.spans(2)
	<-asked
	<-asked
	status.Store(http.StatusTemporaryRedirect)
	r.spans(1)
	<-asked
	status.Store(http.StatusOK)
	r.spans(1)
	r.closed(time.Minute)
	r.expect(map[string]int{"failed": 3, "exported": 1})
	if hits.Load() != 4 || elsewhere.Load() != 0 {
		t.Errorf("want no second try and no redirect followed, got %d and %d", hits.Load(), elsewhere.Load())
	}
	if r.said("spans do not reach the collector") != 1 || r.said("spans reach the collector again") != 1 || r.logs.Len() != 2 {
		t.Errorf("want one line of the beginning and one of the end, got %v", r.logs.All())
	}
	for _, l := range r.logs.All() {
		for _, f := range l.Context {
			if text := f.String; strings.Contains(text, canary) {
				t.Errorf("what the collector said shows: %s", text)
			}
		}
		if text, _ := l.ContextMap()["error"].(string); text != "" && text != "status 401" {
			t.Errorf("want the status alone, got %q", text)
		}
	}
}

func TestSpansThatTheCollectorSaysItRefusedAreCounted(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		partial := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 2)
		partial = protowire.AppendString(protowire.AppendTag(partial, 2, protowire.BytesType), "too old: "+canary)
		_, _ = w.Write(protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), partial))
	})
	r := newRig(t, map[string]string{endpoint: server.URL})
	r.spans(5)
	r.closed(time.Minute)
	r.expect(map[string]int{"exported": 3, "rejected": 2})
}

func TestAReplyThatCannotBeReadIsATakenBatch(t *testing.T) {
	t.Parallel()
	for _, reply := range []string{"\xff\xff", "\x0a\x7f\x08", "<html>", "\x0a\x02\x08\xff", "\x08\x01"} {
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(reply)) })
		r := newRig(t, map[string]string{endpoint: server.URL})
		r.spans(1)
		r.closed(time.Minute)
		r.expect(map[string]int{"exported": 1})
	}
}

// hanging is a collector that takes requests and never answers; arrived tells of the first.
func hanging(t *testing.T) (server *httptest.Server, arrived <-chan struct{}) {
	t.Helper()
	over, first := make(chan struct{}), make(chan struct{}, 100)
	server = serve(t, func(_ http.ResponseWriter, r *http.Request) {
		first <- struct{}{}
		select {
		case <-over:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(over) }) // before the server's own end, which waits
	return server, first
}

// What a collector that hangs costs is spans: nobody waits for room, and the end of the process waits no longer than it says.
func TestAHangingCollectorHoldsUpNobody(t *testing.T) {
	t.Parallel()
	server, arrived := hanging(t)
	r := newRig(t, map[string]string{endpoint: server.URL, "OTEL_BSP_MAX_QUEUE_SIZE": "50", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "10"})
	r.spans(10)
	<-arrived // the first batch is under way, and stays so
	began := time.Now()
	r.spans(1000)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("a thousand spans took %s", took)
	}
	r.expect(map[string]int{"dropped": 960})
	if took := r.closed(200 * time.Millisecond); took > 5*time.Second {
		t.Errorf("want the end within a fraction of a second, took %s", took)
	}
	r.expect(map[string]int{"dropped": 960, "failed": 50})
	if r.said("stopped before every span was sent") != 1 {
		t.Errorf("want a line about what is lost, got %v", r.logs.All())
	}
	r.spans(1) // after the end: nothing, and no panic
}

func TestThereIsRoomAgainWhenSpansHaveLeft(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	server := serve(t, func(http.ResponseWriter, *http.Request) { asked <- struct{}{} })
	r := newRig(t, map[string]string{endpoint: server.URL, "OTEL_BSP_MAX_QUEUE_SIZE": "2", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1"})
	for range 10 { // of the one before it may not be known yet that it has left
		r.spans(1)
		select {
		case <-asked:
		case <-time.After(20 * time.Second):
			t.Fatalf("a span does not come: %v", r.counted())
		}
	}
	r.closed(time.Minute)
	r.expect(map[string]int{"exported": 10})
}

// Nor does one that is gone.
func TestACollectorThatIsGoneCostsItsSpansAlone(t *testing.T) {
	t.Parallel()
	server := serve(t, func(http.ResponseWriter, *http.Request) {})
	server.Close()
	r := newRig(t, map[string]string{endpoint: server.URL, "OTEL_EXPORTER_OTLP_TIMEOUT": "100"})
	r.spans(3)
	r.closed(time.Minute)
	r.expect(map[string]int{"failed": 3})
	if r.said("spans do not reach the collector") != 1 {
		t.Errorf("want it told once, got %v", r.logs.All())
	}
}

// A context that is over already ends the tracer all the same.
func TestAnEndWithoutTimeIsAnEnd(t *testing.T) {
	t.Parallel()
	server, _ := hanging(t)
	r := newRig(t, map[string]string{endpoint: server.URL})
	r.spans(3)
	if took := r.closed(-time.Second); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
	r.expect(map[string]int{"failed": 3})
}
