// Package tracetest gives tests a collector of traces: a server that speaks OTLP over HTTP and keeps what it is sent. It is for tests only.
package tracetest

import (
	"compress/gzip"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"watchkeeper/workers/trace"
)

// A Collector takes spans.
type Collector struct {
	*httptest.Server

	tb       testing.TB
	mu       sync.Mutex
	spans    []Span
	resource map[string]string
	bytes    []byte // of all bodies, unzipped
	requests []*http.Request
}

// A Span is one as it arrived.
type Span struct {
	Name, Trace, ID, Parent string
	Start, End              time.Time
	Kind                    string
	About                   map[string]string
	Error                   string   // the description of a failed one
	Events                  []string // "name key=value key=value", by key
	Links                   []string // traces
	Process                 string   // the instance that sent it
}

// New starts a collector that ends with the test.
func New(tb testing.TB) *Collector {
	tb.Helper()
	c := &Collector{tb: tb, resource: map[string]string{}}
	c.Server = httptest.NewServer(http.HandlerFunc(c.serve))
	tb.Cleanup(c.Close)
	return c
}

// Tracer makes a tracer that sends to the collector. Its spans are all there when flush has returned; it makes none then.
func (c *Collector) Tracer(now func() time.Time, env map[string]string) (t *trace.Tracer, flush func()) {
	c.tb.Helper()
	config := trace.Load(func(name string) (string, bool) {
		if name == "OTEL_EXPORTER_OTLP_ENDPOINT" {
			return c.URL, true
		}
		v, ok := env[name]
		return v, ok
	}, nil)
	if !config.On() {
		c.tb.Fatalf("nothing is traced: %v", config.Warnings())
	}
	t = trace.Open(trace.Options{
		Config: config, Version: "v1.2.3", Instance: "P1", Now: now, Log: zap.NewNop(), Reg: prometheus.NewRegistry(), Clean: func(s string) string { return s },
	})
	flush = func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		t.Close(ctx)
	}
	c.tb.Cleanup(flush)
	return t, flush
}

func (c *Collector) serve(w http.ResponseWriter, r *http.Request) {
	var in io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			c.tb.Errorf("a body that is not zipped: %v", err)
			return
		}
		in = z
	}
	body, err := io.ReadAll(in)
	var request tracepb.TracesData
	if err != nil || proto.Unmarshal(body, &request) != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-protobuf" {
		c.tb.Errorf("want OTLP in protobuf, got %s of %s, %d bytes (%v)", r.Method, r.Header.Get("Content-Type"), len(body), err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes, c.requests = append(c.bytes, body...), append(c.requests, r)
	for _, rs := range request.GetResourceSpans() {
		about := attributes(rs.GetResource().GetAttributes())
		maps.Copy(c.resource, about)
		for _, ss := range rs.GetScopeSpans() {
			for _, s := range ss.GetSpans() {
				span := read(s)
				span.Process = about["service.instance.id"]
				c.spans = append(c.spans, span)
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func read(s *tracepb.Span) Span {
	at := func(nano uint64) time.Time { return time.Unix(0, int64(nano)).UTC() }
	out := Span{
		Name: s.GetName(), Trace: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()), Parent: hex.EncodeToString(s.GetParentSpanId()),
		Start: at(s.GetStartTimeUnixNano()), End: at(s.GetEndTimeUnixNano()), Kind: strings.ToLower(strings.TrimPrefix(s.GetKind().String(), "SPAN_KIND_")),
		About: attributes(s.GetAttributes()),
	}
	if s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR {
		out.Error = s.GetStatus().GetMessage()
	}
	for _, e := range s.GetEvents() {
		words := []string{e.GetName()}
		for key, value := range attributes(e.GetAttributes()) {
			words = append(words, strings.TrimPrefix(key, "watchkeeper.")+"="+value)
		}
		slices.Sort(words[1:])
		out.Events = append(out.Events, strings.Join(words, " "))
	}
	for _, l := range s.GetLinks() {
		out.Links = append(out.Links, hex.EncodeToString(l.GetTraceId()))
	}
	return out
}

func attributes(all []*commonpb.KeyValue) map[string]string {
	out := map[string]string{}
	for _, a := range all {
		switch v := a.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			out[a.GetKey()] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			out[a.GetKey()] = strconv.FormatInt(v.IntValue, 10)
		case *commonpb.AnyValue_BoolValue:
			out[a.GetKey()] = strconv.FormatBool(v.BoolValue)
		default:
			out[a.GetKey()] = fmt.Sprintf("a value of type %T", v)
		}
	}
	return out
}

// Spans are those that have arrived, by their beginnings.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := slices.Clone(c.spans)
	slices.SortStableFunc(out, func(a, b Span) int { return a.Start.Compare(b.Start) })
	return out
}

// Named are the spans of a name.
func (c *Collector) Named(name string) []Span {
	return slices.DeleteFunc(c.Spans(), func(s Span) bool { return s.Name != name })
}

// Trace are the spans of a trace.
func (c *Collector) Trace(id string) []Span {
	return slices.DeleteFunc(c.Spans(), func(s Span) bool { return s.Trace != id })
}

// Resource is what the spans tell of their process.
func (c *Collector) Resource() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.resource
}

// Received is everything that was sent, in bytes.
func (c *Collector) Received() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.bytes)
}

// Requests are those that brought it; their bodies are read.
func (c *Collector) Requests() []*http.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.requests)
}

// Tree draws spans: each under its parent, two spaces further in, by their beginnings. Spans whose parent is not among them stand at the left.
func Tree(spans []Span) string {
	var out strings.Builder
	var draw func(parent, indent string)
	known := map[string]bool{}
	for _, s := range spans {
		known[s.ID] = true
	}
	draw = func(parent, indent string) {
		for _, s := range spans {
			if s.Parent != parent && (parent != "" || known[s.Parent]) {
				continue
			}
			fmt.Fprintf(&out, "%s%s\n", indent, s.Name)
			draw(s.ID, indent+"  ")
		}
	}
	draw("", "")
	return out.String()
}
