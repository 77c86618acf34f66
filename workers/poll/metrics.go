package poll

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

type metrics struct {
	polls       *prometheus.CounterVec
	lastSuccess *prometheus.GaugeVec
	skew        *prometheus.GaugeVec
	lost        *prometheus.CounterVec
}

// Metrics are the poller's, registered once for a process.
type Metrics struct{ *metrics }

// NewMetrics registers them with every series of a closed set present from the start.
func NewMetrics(reg prometheus.Registerer, platforms []sla.Platform) *Metrics {
	f := promauto.With(reg)
	m := &metrics{
		polls: f.NewCounterVec(prometheus.CounterOpts{Name: "watchkeeper_polls_total",
			Help: "Readings of feeds, by the kind of failure; none when all went well."}, []string{"platform", "kind"}),
		lastSuccess: f.NewGaugeVec(prometheus.GaugeOpts{Name: "watchkeeper_feed_last_success_timestamp_seconds",
			Help: "When a feed was last read to its end."}, []string{"store", "feed"}),
		skew: f.NewGaugeVec(prometheus.GaugeOpts{Name: "watchkeeper_platform_clock_skew_seconds",
			Help: "The platform's clock minus ours, as its last page told."}, []string{"platform"}),
	}
	m.lost = f.NewCounterVec(prometheus.CounterOpts{Name: "watchkeeper_feed_readings_lost_total",
		Help: "Readings of feeds found to have ended with their process; from the third in a row on the feed is put off."}, []string{"platform"})
	for _, p := range platforms {
		m.lost.WithLabelValues(string(p))
		m.skew.WithLabelValues(string(p))
		m.polls.WithLabelValues(string(p), connectors.KindNone.String())
		for _, k := range connectors.Kinds() {
			m.polls.WithLabelValues(string(p), k.String())
		}
	}
	return &Metrics{m}
}
