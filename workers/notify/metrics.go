package notify

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"watchkeeper/sla"
)

// What can become of a message.
const (
	outcomeSent    = "sent"
	outcomeFailed  = "failed"  // no try was taken, or none is worth while
	outcomeDropped = "dropped" // given up before it was tried to the end: no room, or the process ended
)

// lanes are the channels that have a hook; each is served by itself.
var lanes = [...]sla.Channel{sla.ChannelPage, sla.ChannelChat}

type metrics struct {
	total *prometheus.CounterVec
	queue prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	m := &metrics{
		total: f.NewCounterVec(prometheus.CounterOpts{Name: "watchkeeper_notifications_total",
			Help: "Warnings and pages for webhooks, by what became of them."}, []string{"channel", "outcome"}),
		queue: f.NewGauge(prometheus.GaugeOpts{Name: "watchkeeper_notification_queue",
			Help: "Warnings and pages that wait for their webhook."}),
	}
	for _, c := range lanes {
		for _, outcome := range []string{outcomeSent, outcomeFailed, outcomeDropped} {
			m.total.WithLabelValues(c.String(), outcome)
		}
	}
	return m
}

func (m *metrics) count(c sla.Channel, outcome string) {
	m.total.WithLabelValues(c.String(), outcome).Inc()
}
