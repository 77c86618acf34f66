package fleet

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"watchkeeper/workers/store"
)

// scriptTimes tells in the metrics how long Redis and the way to it take.
func scriptTimes(reg prometheus.Registerer) func(script string, took time.Duration) {
	times := promauto.With(reg).NewHistogramVec(prometheus.HistogramOpts{
		Name: "watchkeeper_script_duration_seconds", Help: "How long the store's scripts took, with the way to Redis and back; those that went together took equally long.",
		Buckets: []float64{.001, .005, .025, .1, .5, 3},
	}, []string{"script"})
	for _, name := range store.ScriptNames() {
		times.WithLabelValues(name) // one that did not run yet has a series, too
	}
	return func(script string, took time.Duration) { times.WithLabelValues(script).Observe(took.Seconds()) }
}
