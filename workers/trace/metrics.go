package trace

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	exported, rejected, failed, dropped prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	spans := promauto.With(reg).NewCounterVec(prometheus.CounterOpts{Name: "watchkeeper_trace_spans_total",
		Help: "Spans, by what became of them: exported; rejected by the collector; failed, as it could not be reached or refused them all; " +
			"dropped, as too many waited."}, []string{"outcome"})
	return &metrics{
		exported: spans.WithLabelValues("exported"), rejected: spans.WithLabelValues("rejected"),
		failed: spans.WithLabelValues("failed"), dropped: spans.WithLabelValues("dropped"),
	}
}
