package poll

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

type metrics struct {
	polls       *prometheus.CounterVec
	lastSuccess *prometheus.GaugeVec
	refused     *prometheus.GaugeVec
	interval    *prometheus.GaugeVec
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
			Help: "As of when a feed was last read to its end, as this process has heard; of a snapshot, when its first page was read; 0: never."}, []string{"store", "feed"}),
		skew: f.NewGaugeVec(prometheus.GaugeOpts{Name: "watchkeeper_platform_clock_skew_seconds",
			Help: "The platform's clock minus ours, as its last page told."}, []string{"platform"}),
	}
	m.refused = f.NewGaugeVec(prometheus.GaugeOpts{Name: "watchkeeper_feed_refused_timestamp_seconds",
		Help: "When the platform last did not let this process read a feed (unauthorised or forbidden); 0: never."}, []string{"store", "feed"})
	m.interval = f.NewGaugeVec(prometheus.GaugeOpts{Name: "watchkeeper_feed_interval_seconds",
		Help: "How often a feed is read at present."}, []string{"store", "feed"})
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

// polled counts a reading that came to its end, and notes when the platform does not let us in.
func (m *metrics) polled(feed Feed, err error, now time.Time) {
	kind := connectors.KindOf(err)
	m.polls.WithLabelValues(string(feed.Source.Platform), kind.String()).Inc()
	if kind == connectors.Unauthorised || kind == connectors.Forbidden {
		m.refused.WithLabelValues(string(feed.Source.Store), feed.kind()).Set(seconds(now))
	}
}

// success notes when a feed was last read; a zero instant tells nothing new.
func (m *metrics) success(feed Feed, at time.Time) {
	if !at.IsZero() {
		m.lastSuccess.WithLabelValues(string(feed.Source.Store), feed.kind()).Set(seconds(at))
	}
}

func seconds(at time.Time) float64 { return float64(at.UnixMilli()) / 1000 }
