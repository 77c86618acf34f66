package trace

import (
	"sync/atomic"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// A queue lets so many spans wait for the collector, and drops the others when they end, so that nobody ever waits for it. What the batches behind it
// drop by themselves they do not tell; here there is always room for what is let through.
type queue struct {
	sdktrace.SpanProcessor

	most    int64
	waiting atomic.Int64
	metrics *metrics
}

// OnEnd implements sdktrace.SpanProcessor.
func (q *queue) OnEnd(s sdktrace.ReadOnlySpan) {
	if q.waiting.Add(1) > q.most {
		q.waiting.Add(-1)
		q.metrics.dropped.Inc()
		return
	}
	q.SpanProcessor.OnEnd(s)
}

// left says that spans wait no longer.
func (q *queue) left(n int) { q.waiting.Add(-int64(n)) }
