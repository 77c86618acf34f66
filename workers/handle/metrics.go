package handle

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/job"
)

type metrics struct {
	jobs      *prometheus.CounterVec
	took      *prometheus.HistogramVec
	decisions *prometheus.CounterVec
	answers   *prometheus.CounterVec
	pages     *prometheus.CounterVec
	warnings  *prometheus.CounterVec
	shadows   *prometheus.CounterVec
	margin    *prometheus.HistogramVec
	platform  *prometheus.CounterVec
}

// Metrics are the handlers', registered once for a process.
type Metrics struct{ *metrics }

// outcomes of an answer, for the label.
var outcomes = []string{
	"accepted", "refused", "unknown", "confirmed", "absent", "moot", "frozen", "too_late", "killed", sla.WhyOverBudget.String(), sla.WhyStorm.String(),
}

// NewMetrics registers them with every series of a closed set present from the start.
func NewMetrics(reg prometheus.Registerer, platforms []sla.Platform) *Metrics {
	f := promauto.With(reg)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{Name: "watchkeeper_" + name, Help: help}, labels)
	}
	m := &metrics{
		jobs:      counter("jobs_total", "Jobs done, by kind and result.", "kind", "result"),
		decisions: counter("decisions_total", "Decisions about cases, by what they said.", "platform", "action"),
		answers:   counter("answers_total", "Answers sent, or learnt about, by the mode of then and the outcome.", "platform", "answer", "mode", "outcome"),
		pages:     counter("pages_total", "Cases for which a person was paged.", "platform"),
		warnings:  counter("warnings_total", "Warn points that were announced, by the loudest channel.", "platform", "channel"),
		shadows:   counter("shadow_answers_total", "Answers that would have been sent; none: a person would have been paged.", "platform", "answer"),
		platform:  counter("platform_calls_put_off_total", "Platform calls of jobs that failed and are left to a timer, by kind.", "kind"),
		took: f.NewHistogramVec(prometheus.HistogramOpts{Name: "watchkeeper_job_duration_seconds", Help: "How long jobs took.",
			Buckets: []float64{.005, .02, .1, .5, 2, 10, 30}}, []string{"kind"}),
		margin: f.NewHistogramVec(prometheus.HistogramOpts{Name: "watchkeeper_answer_margin_seconds",
			Help:    "Time left until the deadline when the platform accepted an answer.",
			Buckets: []float64{0, 900, 5400, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600, 2 * 86400, 3 * 86400, 5 * 86400}}, []string{"platform"}),
	}
	m.prepare(platforms)
	return &Metrics{m}
}

func (m *metrics) prepare(platforms []sla.Platform) {
	for _, k := range job.Kinds() {
		m.jobs.WithLabelValues(string(k), "done")
		m.jobs.WithLabelValues(string(k), "failed")
		m.took.WithLabelValues(string(k))
	}
	for _, k := range connectors.Kinds() {
		m.platform.WithLabelValues(k.String())
	}
	for _, p := range platforms {
		for _, a := range sla.Actions() {
			m.decisions.WithLabelValues(string(p), a.String())
		}
		for _, k := range sla.AnswerKinds()[1:] {
			for _, mode := range sla.Modes() {
				for _, o := range outcomes {
					m.answers.WithLabelValues(string(p), k.String(), mode.String(), o)
				}
			}
		}
		m.pages.WithLabelValues(string(p))
		for _, c := range sla.Channels() {
			m.warnings.WithLabelValues(string(p), c.String())
		}
		for _, k := range sla.AnswerKinds() {
			m.shadows.WithLabelValues(string(p), k.String())
		}
		m.margin.WithLabelValues(string(p))
	}
}

func (m *metrics) job(kind job.Kind, err error, took time.Duration) {
	result := "done"
	if err != nil {
		result = "failed"
	}
	m.jobs.WithLabelValues(string(kind), result).Inc()
	m.took.WithLabelValues(string(kind)).Observe(took.Seconds())
}

// count counts an answer of a turn.
func (t *turn) count(k sla.AnswerKind, outcome string) {
	t.span.Answered(k, outcome)
	t.metrics.answers.WithLabelValues(string(t.src.Platform), k.String(), t.rule.Mode.Value.String(), outcome).Inc()
}

func (m *metrics) decided(p sla.Platform, d sla.Decision) {
	m.decisions.WithLabelValues(string(p), d.Action.String()).Inc()
	if d.Action == sla.ActionWarn {
		m.warnings.WithLabelValues(string(p), d.Channel.String()).Inc()
	}
}
