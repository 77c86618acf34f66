package trace

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
)

// Options is what a tracer is made of.
type Options struct {
	Config   Config
	Version  string // of the program
	Instance string // names this process among the replicas
	Now      func() time.Time
	Log      *zap.Logger
	Reg      prometheus.Registerer
	Clean    func(string) string // takes secrets out of the ids that spans carry
	HTTP     http.RoundTripper   // carries the spans; nil: one of its own
}

// A Tracer makes spans. A nil one makes none.
type Tracer struct {
	tracer    oteltrace.Tracer
	queue     *queue
	collector *collector
	now       func() time.Time
	clean     func(string) string
	log       *zap.Logger
}

// Open makes a tracer that sends its spans to the collector; nil when the configuration has none. It makes no call.
func Open(o Options) *Tracer {
	if !o.Config.On() {
		return nil
	}
	m := newMetrics(o.Reg)
	q := &queue{most: int64(o.Config.queue), metrics: m}
	c := newCollector(o, m, q)
	exporter := otlptrace.NewUnstarted(c)
	_ = exporter.Start(context.Background()) // the collector's own Start, which does nothing; without it there is no Stop
	q.SpanProcessor = sdktrace.NewBatchSpanProcessor(exporter, sdktrace.WithMaxQueueSize(o.Config.queue),
		sdktrace.WithMaxExportBatchSize(o.Config.batch), sdktrace.WithBatchTimeout(o.Config.delay), sdktrace.WithExportTimeout(o.Config.timeout))
	about := append(slices.Clone(o.Config.resource), attribute.String("service.version", o.Version), attribute.String("service.instance.id", o.Instance))
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithSpanProcessor(q), sdktrace.WithSampler(o.Config.sampler), sdktrace.WithIDGenerator(identities{}), sdktrace.WithRawSpanLimits(limits()),
		sdktrace.WithResource(resource.NewSchemaless(about...)), sdktrace.WithoutPanicRecording(), // what is panicked with may hold a record
	)
	tracer := provider.Tracer("watchkeeper", oteltrace.WithInstrumentationVersion(o.Version))
	return &Tracer{tracer: tracer, queue: q, collector: c, now: o.Now, clean: o.Clean, log: o.Log.Named("trace")}
}

// limits bound a span by themselves: no value of ours is long, and no step has many events.
func limits() sdktrace.SpanLimits {
	return sdktrace.SpanLimits{
		AttributeValueLengthLimit: 128, AttributeCountLimit: 32, EventCountLimit: 128, LinkCountLimit: 8, AttributePerEventCountLimit: 16,
		AttributePerLinkCountLimit: 1, AttributeValueDepthLimit: 1,
	}
}

// Close sends what waits, as long as the context lasts; what is left then is lost, and counts as failed. It is no failure of the fleet.
func (t *Tracer) Close(ctx context.Context) {
	if t == nil {
		return
	}
	if err := t.queue.Shutdown(ctx); err != nil {
		t.log.Warn("stopped before every span was sent", zap.Error(err))
	}
	t.collector.giveUp()
	<-t.collector.ended
}
