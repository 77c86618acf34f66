package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/fleet"
	"watchkeeper/workers/store/storetest"
	"watchkeeper/workers/trace"
	"watchkeeper/workers/trace/tracetest"
)

func TestWorkIsTracedWhenTheEnvironmentNamesACollector(t *testing.T) {
	t.Parallel()
	c := tracetest.New(t)
	token := secretFile(t, "Authorization=Bearer%20"+canary)
	b := setup(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "OTEL_SERVICE_NAME=wk", "WK_TRACE__HEADERS_FILE="+token)
	b.must(b.fleet.Begin(t.Context()))
	b.owe("1", time.Hour)
	b.step(time.Minute)
	b.must(b.fleet.Stop(t.Context()))
	if got := c.Resource(); got["service.name"] != "wk" || got["service.instance.id"] == "" || got["service.version"] != fleet.Version() {
		t.Errorf("want it known who sends, got %v", got)
	}
	if got := c.Requests()[0].Header.Get("Authorization"); got != "Bearer "+canary {
		t.Errorf("want the header of the file, got %q", got)
	}
	want := trace.Of(sla.DisputeID{Store: "Q01", Native: "1"}, 7).String()
	assess := c.Named("case.assess")
	if len(assess) == 0 || assess[0].Trace != want || assess[0].About["watchkeeper.dispute"] != "Q01/1" || !assess[0].Start.Equal(b.now()) {
		t.Errorf("want the case assessed in trace %s by the fleet's clock, got %+v", want, assess)
	}
	if polls := c.Named("poll"); len(polls) != 1 || polls[0].About["watchkeeper.store"] != "Q01" || polls[0].About["watchkeeper.outcome"] != "none" {
		t.Errorf("want one poll of one feed, got %+v", polls)
	}
	b.has("watchkeeper_trace_spans_total", map[string]float64{" exported": float64(len(c.Spans())), " failed": 0, " dropped": 0, " rejected": 0})
	lines := b.logged("a person must act")
	if len(lines) != 1 || lines[0].ContextMap()["trace_id"] != want {
		t.Errorf("want the page's line to name the trace, got %v", lines)
	}
}

func TestWithoutACollectorNothingIsTraced(t *testing.T) {
	t.Parallel()
	b := setup(t, "OTEL_SERVICE_NAME=wk")
	b.must(b.fleet.Begin(t.Context()))
	b.owe("1", time.Hour)
	b.step(time.Minute)
	if got := b.series("watchkeeper_trace"); len(got) != 0 {
		t.Errorf("want no metric of spans, got %v", got)
	}
	if _, named := b.logged("a person must act")[0].ContextMap()["trace_id"]; named {
		t.Error("want no trace in the log")
	}
}

// Who injects variables into every pod, or a collector of another kind, keeps no answer from going out.
func TestWhatIsWrongWithTracesIsAWarningAndNoMore(t *testing.T) {
	t.Parallel()
	b := setup(t, "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4317", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_HEADERS="+canary,
		"WK_TRACE__HEADERS_FILE=/nowhere/secrets/headers")
	b.must(b.fleet.Begin(t.Context()))
	b.step(time.Minute)
	var said []string
	for _, l := range b.logged("the configuration may not mean what it says") {
		if text, _ := l.ContextMap()["warning"].(string); strings.HasPrefix(text, "nothing is traced: ") {
			said = append(said, text)
		}
	}
	all := strings.Join(said, "\n")
	if len(said) != 2 || !strings.Contains(all, "OTEL_EXPORTER_OTLP_PROTOCOL") || !strings.Contains(all, "WK_TRACE__HEADERS_FILE") || strings.Contains(all, canary) {
		t.Errorf("want two warnings without a value, got %q", said)
	}
	if got := b.series("watchkeeper_trace"); len(got) != 0 {
		t.Errorf("want nothing traced, got %v", got)
	}
}

func TestAMisspeltVariableOfTracesIsAWarningAndSomebodyElsesIsNone(t *testing.T) {
	t.Parallel()
	warned := func(name string) string {
		config, _, err := fleet.Load(t.Context(), []string{name + "=" + canary}, quietRegistry())
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(config.TraceWarnings(), "\n")
	}
	for name, want := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENPOINT": "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OLTP_ENDPOINT": "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_SERVICENAME": "OTEL_SERVICE_NAME",
		"OTEL_TRACE_SAMPLER": "OTEL_TRACES_SAMPLER", "otel_service_name": "OTEL_SERVICE_NAME", "OTEL_BSP_MAX_QUEUESIZE": "OTEL_BSP_MAX_QUEUE_SIZE",
	} {
		if got := warned(name); got != name+": no such variable of traces is read; did you mean "+want+"?" {
			t.Errorf("%s: want %s meant, got %q", name, want, got)
		}
	}
	for _, name := range append(trace.Variables(),
		"OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER", "OTEL_LOG_LEVEL", "OTEL_METRIC_EXPORT_INTERVAL", "OTEL_METRICS_EXEMPLAR_FILTER", "OTEL_PROPAGATORS",
		"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_HEADERS", "OTEL_EXPORTER_OTLP_INSECURE", "OTEL_EXPORTER_OTLP_TRACES_INSECURE", "OTEL_SPAN_LINK_COUNT_LIMIT",
		"OTEL_BSP_EXPORT_TIMEOUT", "OTEL_BLRP_MAX_QUEUE_SIZE", "OTEL_BLRP_SCHEDULE_DELAY", "OTEL_EXPORTER_ZIPKIN_ENDPOINT", "OTEL_EXPORTER_JAEGER_ENDPOINT",
		"OTEL_ATTRIBUTE_COUNT_LIMIT", "OTEL_EXPERIMENTAL_CONFIG_FILE", "OTEL_CONFIG_FILE", "OTEL_ENTITIES", "OTEL_SEMCONV_STABILITY_OPT_IN", "OTEL_RESOURCE_PROVIDERS_AWS_ENABLED",
		"OTEL_NODE_IP", "OTEL_POD_IP", "OTEL_RESOURCE_ATTRIBUTES_POD_NAME", "OTEL_RESOURCE_ATTRIBUTES_NODE_NAME", "OTEL_GO_X_EXEMPLAR", "OTEL_EXPORTER_PROMETHEUS_HOST", "HOTEL_SERVICE_NAME",
	) {
		if got := warned(name); strings.Contains(got, "no such variable") {
			t.Errorf("want nothing said of it, got %q", got)
		}
	}
}

func TestHeadersOfTheCollectorAreSecrets(t *testing.T) {
	t.Parallel()
	const file, plain = "s3cr3tInTheFile", "s3cr3tInTheVariable"
	r := fleet.Redactor([]string{
		"WK_TRACE__HEADERS_FILE=" + secretFile(t, "Authorization=Bearer%20"+file), "OTEL_EXPORTER_OTLP_HEADERS=x-scope-orgid=main,x-key=" + plain,
		"OTEL_EXPORTER_OTLP_TRACES_HEADERS=a=" + plain + "2",
	})
	got := r.String("sent " + file + " and " + plain + " and " + plain + "2 to main")
	if strings.Contains(got, "s3cr3t") || !strings.HasSuffix(got, "to main") {
		t.Errorf("got %q", got)
	}
	o := options(t, "127.0.0.1:1", "OTEL_EXPORTER_OTLP_ENDPOINT=https://c.example.com", "OTEL_EXPORTER_OTLP_HEADERS=a="+plain)
	if text := fmt.Sprintf("%+v %v", o.Config, fleet.Describe(o.Config)); strings.Contains(text, plain) {
		t.Errorf("they show: %s", text)
	}
}

// What a collector that hangs costs is at most the time that is left to it at the end.
func TestAHangingCollectorHoldsUpNeitherWorkNorTheEnd(t *testing.T) {
	t.Parallel()
	over, arrived := make(chan struct{}), make(chan struct{}, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		select {
		case <-over:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(over) })
	b := setup(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+server.URL, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=1", "OTEL_BSP_MAX_QUEUE_SIZE=5")
	b.must(b.fleet.Begin(t.Context()))
	b.owe("0", time.Hour)
	b.step(time.Minute)
	<-arrived // from now on the exporter hangs
	for i := range 20 {
		b.owe(strconv.Itoa(i+1), time.Hour)
	}
	b.step(time.Minute)
	if got := len(b.logged("a person must act")); got != 21 {
		t.Errorf("want all 21 cases handled meanwhile, got %d", got)
	}
	began := time.Now()
	b.must(b.fleet.Stop(t.Context()))
	if took := time.Since(began); took < time.Second || took > 8*time.Second {
		t.Errorf("want the end after the two seconds that are left to the collector, took %s", took)
	}
	got := b.series("watchkeeper_trace_spans_total")
	if got[" exported"] != 0 || got[" failed"] != 5 || got[" dropped"] < 15 {
		t.Errorf("want five lost with the collector and the others dropped, got %v", got)
	}
}

// loud is a platform that lets secrets and a buyer's words into everything that it may, and some more.
type loud struct {
	deps  connectors.Deps
	calls *atomic.Int64
}

// What must not be seen: a secret of the environment, a token by its form, and what a buyer is and says.
const (
	loudKey   = "hunter2hunter2"
	loudToken = "50000601c30qyTpCDhLIbeZIr4vKlVzeyVfAoTfhpzwzoGLtzQB7fWf8kWYxTz"
	loudBuyer = "jane.doe@example.com"
	loudWords = "the dress is torn"
)

var errLoud = errors.New("GET /x?access_token=" + loudToken + " for " + loudBuyer + ": " + loudWords + " " + loudKey)

func (l loud) fail(kind connectors.Kind) error {
	return &connectors.Error{Op: "loud get", Subject: loudBuyer, Kind: kind, Code: loudKey, Err: errLoud}
}

func (l loud) called(ctx context.Context, effect bool, kind connectors.Kind) {
	l.deps.Calls(ctx, connectors.Called{Op: "loud get", Effect: effect, Status: 200, Kind: kind, Took: time.Millisecond})
}

// Fetch lists disputes whose very ids say too much.
func (l loud) Fetch(ctx context.Context, _ connectors.Cursor) (connectors.Page, error) {
	l.called(ctx, false, connectors.KindNone)
	if l.calls.Add(1)%3 == 2 {
		return connectors.Page{}, l.fail(connectors.Unavailable)
	}
	var rows []connectors.Row
	for _, id := range []string{"1", "2", "3", loudBuyer, loudKey} {
		rows = append(rows, connectors.Row{ID: id, Raw: []byte(loudWords), Fingerprint: uint64(l.calls.Load())})
	}
	return connectors.Page{Rows: rows}, nil
}

func (l loud) dispute(id string) sla.Dispute {
	now := l.deps.Now()
	return sla.Dispute{
		DisputeRef: sla.DisputeRef{ID: sla.DisputeID{Platform: "loud", Store: l.deps.Store, Native: id}, Order: loudBuyer}, State: sla.StateSeller,
		Reason: sla.ReasonDamaged, Opened: now, Modified: now, Country: loudWords, Proposal: loudKey, Own: loudToken,
		Claimed: sla.Money{Minor: 1200, Currency: "USD"}, Cap: sla.Money{Minor: 1200, Currency: "USD"},
		Obligations: []sla.Obligation{{Turn: 7, Kinds: sla.Answers(sla.AnswerAccept, sla.AnswerRefuse, sla.AnswerOffer), Opened: now.Add(-time.Hour),
			Deadline: time.Date(2026, time.March, 5, 9, 0, 0, 0, time.UTC), Cost: sla.Money{Minor: 1200, Currency: "USD"}}},
	}
}

func (l loud) Resolve(ctx context.Context, row connectors.Row) (sla.Dispute, error) {
	l.called(ctx, false, connectors.KindNone)
	if row.ID == "3" {
		panic(errLoud.Error())
	}
	return l.dispute(row.ID), nil
}

func (l loud) Lookup(ctx context.Context, ref sla.DisputeRef) (sla.Dispute, error) {
	l.called(ctx, false, connectors.Forbidden)
	if ref.ID.Native == "2" {
		return sla.Dispute{}, l.fail(connectors.Forbidden)
	}
	return l.dispute(ref.ID.Native), nil
}

func (l loud) Respond(ctx context.Context, d sla.Dispute, _ sla.Answer) (connectors.Receipt, error) {
	l.called(ctx, true, connectors.OutcomeUnknown)
	if d.ID.Native == "1" {
		panic(errLoud)
	}
	return connectors.Receipt{ID: loudToken}, l.fail(connectors.OutcomeUnknown)
}

func (l loud) Confirm(ctx context.Context, _ sla.Dispute, _ sla.Answer) (connectors.Outcome, error) {
	l.called(ctx, false, connectors.Throttled)
	return connectors.OutcomeAbsent, l.fail(connectors.Throttled)
}

func TestNoSpanHoldsASecretOrAWordOfABuyer(t *testing.T) {
	t.Parallel()
	c := tracetest.New(t)
	var calls atomic.Int64
	registry := connectors.Registry{{
		Name: "loud", Poll: time.Minute, Variables: []string{"KEY"},
		New: func(_ context.Context, _ envconfig.Lookuper, deps connectors.Deps) (connectors.Built, error) {
			l := loud{deps, &calls}
			return connectors.Built{Connector: l, Responder: l}, nil
		},
	}}
	environ := []string{"WK_REDIS__ADDRS=" + storetest.StartRedis(t), "WK_HTTP__LISTEN=127.0.0.1:0", "WK_STORE__L01__PLATFORM=loud", "WK_STORE__L01__KEY=" + loudKey,
		"WK_SLA__MODE=live", "WK_SLA__ACCEPT_CAP=60USD", "WK_SLA__ACT_BEFORE=70h", "OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL, "OTEL_BSP_MAX_QUEUE_SIZE=65536"}
	config, book, err := fleet.Load(t.Context(), environ, registry)
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	b := &bundle{t: t, logs: logs}
	b.clock.Store(time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC).UnixMilli())
	b.fleet, err = fleet.New(t.Context(), fleet.Options{
		Config: config, Book: book, Registry: registry, Now: b.now, Log: zap.New(core), Idle: time.Millisecond, Redactor: fleet.Redactor(environ),
	})
	b.must(err)
	t.Cleanup(func() { b.must(b.fleet.Stop(context.Background())) })
	b.must(b.fleet.Begin(t.Context()))
	for range 60 {
		b.step(5 * time.Minute)
	}
	b.must(b.fleet.Stop(t.Context()))
	for _, canary := range []string{loudKey, loudToken, loudBuyer, "jane", loudWords, "torn", "access_token"} {
		if at := strings.Index(c.Received(), canary); at >= 0 {
			t.Errorf("%q is in a span: …%q…", canary, c.Received()[max(at-60, 0):at+len(canary)])
		}
	}
	everything(t, c)
}

// everything checks that what the platform said was there to be told: spans of every kind, and failures of every part.
func everything(t *testing.T, c *tracetest.Collector) {
	t.Helper()
	var failed []string
	names := map[string]int{}
	for _, s := range c.Spans() {
		names[s.Name]++
		if s.Error != "" && !slices.Contains(failed, s.Name+" "+s.Error) {
			failed = append(failed, s.Name+" "+s.Error)
		}
	}
	for _, name := range []string{"poll", "intake", "case.assess", "case.respond", "loud get", "ledger.claim", "ledger.intent", "ledger.settle", "confirm"} {
		if names[name] == 0 {
			t.Errorf("no span %q, the test shows less than it says: %v", name, names)
		}
	}
	for _, want := range []string{"poll unavailable", "loud get outcome_unknown", "confirm throttled"} {
		if !slices.Contains(failed, want) {
			t.Errorf("want %q among the failures: %v", want, failed)
		}
	}
}
