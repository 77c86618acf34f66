package intake

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"watchkeeper/sla"
)

type metrics struct {
	rows      *prometheus.CounterVec
	anomalies *prometheus.CounterVec
	window    *prometheus.GaugeVec
	doubts    *prometheus.CounterVec
	breaches  *prometheus.CounterVec
}

// Metrics are intake's counters, registered once for a process.
type Metrics struct{ *metrics }

// NewMetrics registers the counters with every series present from the start.
func NewMetrics(reg prometheus.Registerer, platforms []sla.Platform) *Metrics {
	const platform = "platform"
	f := promauto.With(reg)
	m := &metrics{
		rows: f.NewCounterVec(prometheus.CounterOpts{Name: "watchkeeper_rows_total",
			Help: "Rows read from feeds or looked up, by what became of them."}, []string{platform, "verdict"}),
		anomalies: f.NewCounterVec(prometheus.CounterOpts{Name: "watchkeeper_parcel_anomalies_total",
			Help: "Anomalies found on parcels, counted when they first appear."}, []string{platform, "anomaly"}),
		window: f.NewGaugeVec(prometheus.GaugeOpts{Name: "watchkeeper_window_drift_seconds",
			Help: "How far the last deadline in a feed was from the rule's window; negative when the platform allows less."}, []string{platform}),
		doubts: f.NewCounterVec(prometheus.CounterOpts{Name: "watchkeeper_rows_read_again_total",
			Help: "Changed rows whose detail showed nothing new, and which are read again with the next poll."}, []string{platform}),
	}
	m.breaches = f.NewCounterVec(prometheus.CounterOpts{Name: "watchkeeper_breaches_total",
		Help: "Deadlines that passed in silence, as the platform shows it, by what kept an answer from going out; silent: nobody was told."}, []string{platform, "cause"})
	for _, p := range platforms {
		for _, cause := range causes() {
			m.breaches.WithLabelValues(string(p), cause)
		}
		m.count(p, Tally{})
		m.window.WithLabelValues(string(p))
		m.doubts.WithLabelValues(string(p))
		for _, k := range sla.AnomalyKinds() {
			m.anomalies.WithLabelValues(string(p), k.String())
		}
	}
	return &Metrics{m}
}

func (m *metrics) count(p sla.Platform, t Tally) {
	for verdict, n := range map[string]int{"new": t.New, "updated": t.Updated, "unchanged": t.Unchanged, "stale": t.Stale, "rejected": t.Rejected} {
		m.rows.WithLabelValues(string(p), verdict).Add(float64(n))
	}
}

func (m *metrics) drift(p sla.Platform, d time.Duration) {
	if d != 0 {
		m.window.WithLabelValues(string(p)).Set(d.Seconds())
	}
}
