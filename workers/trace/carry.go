package trace

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	oteltrace "go.opentelemetry.io/otel/trace"

	"watchkeeper/sla"
)

// traceparent is the one header of the W3C that is used.
const traceparent = "traceparent"

// Parents are the spans that asked for the work of a job, in the form of the W3C's header, by the case that each is about; under an empty name the one
// that asked for all of it.
type Parents map[string]string

// Asks notes that a span asked for work on a case. It gives the map, which is made with the first.
func (p Parents) Asks(s Span, id sla.DisputeID) Parents {
	if s.t == nil {
		return p
	}
	if p == nil {
		p = Parents{}
	}
	p[id.String()] = written(s.In(context.Background()))
	return p
}

// Asking is the span of a context as the parent of whole jobs; nil where none is recorded.
func Asking(ctx context.Context) Parents {
	if !oteltrace.SpanContextFromContext(ctx).IsSampled() {
		return nil
	}
	return Parents{"": written(ctx)}
}

func written(ctx context.Context) string {
	to := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, to)
	return to[traceparent]
}

// read is the span that a header names; one without identity when it names none.
func read(header string) oteltrace.SpanContext {
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{traceparent: header})
	return oteltrace.SpanContextFromContext(ctx)
}

type received struct{}

// delivery is what a job has brought with it.
type delivery struct {
	parents Parents
	try     int
}

// Receive gives a context in which the spans of a job's cases find what the job has brought: their parents, and which try this is.
func (t *Tracer) Receive(ctx context.Context, parents Parents, try int) context.Context {
	if t == nil {
		return ctx
	}
	return context.WithValue(ctx, received{}, delivery{parents, try})
}

// brought is the parent of a case's span, or of the whole job's for an empty name.
func brought(ctx context.Context, name string) (parent oteltrace.SpanContext, try int) {
	d, _ := ctx.Value(received{}).(delivery)
	header, ok := d.parents[name]
	if !ok {
		header, ok = d.parents[""]
	}
	if !ok {
		return oteltrace.SpanContextFromContext(ctx), d.try
	}
	return read(header), d.try
}
