package sweep

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	claimed *prometheus.CounterVec
	lastRun prometheus.Gauge
	frozen  prometheus.Gauge
	amnesia prometheus.Counter
	mended  prometheus.Counter

	leftUndone *prometheus.CounterVec
	gone       prometheus.Counter
	ended      prometheus.Counter
}

// Metrics are the sweeper's, registered once for a process.
type Metrics struct{ *metrics }

// NewMetrics registers them with every series present from the start.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	f := promauto.With(reg)
	m := &metrics{
		claimed: f.NewCounterVec(prometheus.CounterOpts{Name: "watchkeeper_due_claimed_total",
			Help: "Timers that ran out and were claimed, by what they belong to."}, []string{"class"}),
		lastRun: f.NewGauge(prometheus.GaugeOpts{Name: "watchkeeper_sweep_last_success_timestamp_seconds",
			Help: "When a sweep last went through."}),
		frozen: f.NewGauge(prometheus.GaugeOpts{Name: "watchkeeper_money_frozen_seconds",
			Help: "For how much longer no answer that costs money is sent, after a loss of memory."}),
		amnesia: f.NewCounter(prometheus.CounterOpts{Name: "watchkeeper_store_amnesia_total",
			Help: "Shards of the store that were found to have lost their memory, the first start included."}),
		mended: f.NewCounter(prometheus.CounterOpts{Name: "watchkeeper_kill_switches_mended_total",
			Help: "Words on kill switches that were brought back to shards that had lost or missed them."}),
	}
	m.leftUndone = f.NewCounterVec(prometheus.CounterOpts{Name: "watchkeeper_left_undone_total",
		Help: "What was left undone because time is short: disputes that were not read again, and sweeps over the parcels."}, []string{"class"})
	m.leftUndone.WithLabelValues("case")
	m.leftUndone.WithLabelValues("parcel")
	m.gone = f.NewCounter(prometheus.CounterOpts{Name: "watchkeeper_processes_gone_total",
		Help: "Other processes that stopped without a word, as this one was the first to find."})
	m.ended = f.NewCounter(prometheus.CounterOpts{Name: "watchkeeper_leases_ended_total",
		Help: "Leases of timers that were ended because a process was gone."})
	m.claimed.WithLabelValues("case")
	m.claimed.WithLabelValues("parcel")
	return &Metrics{m}
}
