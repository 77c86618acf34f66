package fleet

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"go.uber.org/zap"

	"watchkeeper/workers/job"
)

// mendEvery is how often is looked for what asynq cannot read. Until then the jobs of a killed worker stay where they are, and their cases are
// found by their timers.
const mendEvery = 10 * time.Second

// A backlog tells what lies in the queue, and counts what was taken out of it.
type backlog struct {
	inspect    *asynq.Inspector
	jobs       *prometheus.Desc
	latency    *prometheus.Desc
	unreadable *prometheus.CounterVec
}

func newBacklog(inspect *asynq.Inspector, reg prometheus.Registerer) *backlog {
	b := &backlog{
		inspect: inspect,
		jobs: prometheus.NewDesc("watchkeeper_queue_jobs",
			"Jobs in asynq by queue and state; archived ones were given up, and of more than 10,000 the oldest are dropped.", []string{"queue", "state"}, nil),
		latency: prometheus.NewDesc("watchkeeper_queue_latency_seconds",
			"For how long the oldest job of a queue has waited for a worker; 0 when none waits.", []string{"queue"}, nil),
		unreadable: promauto.With(reg).NewCounterVec(prometheus.CounterOpts{Name: "watchkeeper_queue_unreadable_total",
			Help: "Jobs that asynq cannot read, taken out of the hands of its workers."}, []string{"queue"}),
	}
	for queue := range job.Queues() {
		b.unreadable.WithLabelValues(queue)
	}
	reg.MustRegister(b)
	return b
}

// Describe implements prometheus.Collector.
func (b *backlog) Describe(ch chan<- *prometheus.Desc) {
	ch <- b.jobs
	ch <- b.latency
}

// Collect implements prometheus.Collector. What asynq does not answer is left out.
func (b *backlog) Collect(ch chan<- prometheus.Metric) {
	known, err := b.inspect.Queues() // a queue is known once it has had a job
	if err != nil {
		return
	}
	for queue := range job.Queues() {
		info := &asynq.QueueInfo{}
		if slices.Contains(known, queue) {
			if info, err = b.inspect.GetQueueInfo(queue); err != nil {
				continue
			}
		}
		ch <- prometheus.MustNewConstMetric(b.latency, prometheus.GaugeValue, max(info.Latency, 0).Seconds(), queue)
		for state, n := range map[string]int{"pending": info.Pending, "active": info.Active, "retry": info.Retry, "archived": info.Archived} {
			ch <- prometheus.MustNewConstMetric(b.jobs, prometheus.GaugeValue, float64(n), queue, state)
		}
	}
}

// mend takes out of the queue what asynq cannot read, which would stop its recovery for good, and says so.
func (f *Fleet) mend(ctx context.Context) error {
	dropped, err := f.mender.Mend(ctx)
	for _, queue := range slices.Sorted(maps.Keys(dropped)) {
		f.backlog.unreadable.WithLabelValues(queue).Add(float64(dropped[queue]))
		f.log.Warn("jobs that nobody can read were dropped", zap.String("queue", queue), zap.Int("jobs", dropped[queue]))
	}
	return err
}
