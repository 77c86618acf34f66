package trace_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"watchkeeper/workers/trace"
	"watchkeeper/workers/trace/tracetest"
)

func TestACollectorIsAskedWhetherItTakesAnEmptyBatch(t *testing.T) {
	t.Parallel()
	c := tracetest.New(t) // which complains of what is no OTLP
	for _, compression := range []string{"none", "gzip"} {
		config := trace.Load(of(with(endpoint, c.URL, headers, "Authorization=Bearer%20"+canary, "OTEL_EXPORTER_OTLP_COMPRESSION", compression)), nil)
		if err := trace.Probe(t.Context(), config); err != nil {
			t.Errorf("%s: want it taken, got %v", compression, err)
		}
	}
	asked := c.Requests()
	if len(asked) != 2 || asked[0].Header.Get("Authorization") != "Bearer "+canary || asked[0].URL.Path != "/v1/traces" || len(c.Spans()) != 0 {
		t.Errorf("want two empty batches with the headers, got %d", len(asked))
	}
	if err := trace.Probe(t.Context(), trace.Config{}); err != nil {
		t.Errorf("want nobody asked, got %v", err)
	}
}

func TestACollectorThatDoesNotTakeItIsToldWithoutASecret(t *testing.T) {
	t.Parallel()
	denies := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	t.Cleanup(denies.Close)
	gone := httptest.NewServer(nil)
	gone.Close()
	over := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	t.Cleanup(hangs.Close)
	t.Cleanup(func() { close(over) })
	for says, address := range map[string]string{"status 401": denies.URL, "refused": gone.URL, "deadline": hangs.URL} {
		began := time.Now()
		err := trace.Probe(t.Context(), trace.Load(of(with(endpoint, address, headers, "Authorization="+canary, "OTEL_EXPORTER_OTLP_TIMEOUT", "200")), nil))
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), canary) || time.Since(began) > 30*time.Second {
			t.Errorf("want %q in time, got %v after %s", says, err, time.Since(began))
		}
	}
}

func TestBytesThatAreNotUTF8LoseNoSpan(t *testing.T) {
	t.Parallel()
	env := with("OTEL_SERVICE_NAME", "w\xffk", "OTEL_RESOURCE_ATTRIBUTES", "team=a%FFb,\xfe=c")
	said := strings.Join(trace.Load(of(env), nil).Warnings(), "\n")
	if strings.Count(said, "\n") != 1 || !strings.Contains(said, "OTEL_SERVICE_NAME: holds bytes") || !strings.Contains(said, "OTEL_RESOURCE_ATTRIBUTES: holds bytes") {
		t.Errorf("want one warning of each variable, got %q", said)
	}
	c := tracetest.New(t)
	tr, flush := c.Tracer(ticking(), env)
	_, s := tracer{tr}.root(1)
	s.End()
	flush()
	if got := c.Resource(); len(c.Spans()) != 1 || got["service.name"] != "w\uFFFDk" || got["team"] != "a\uFFFDb" || got["\uFFFD"] != "c" {
		t.Errorf("want the span with its resource, got %d %q", len(c.Spans()), got)
	}
}
