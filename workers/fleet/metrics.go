package fleet

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"watchkeeper/workers/store"
)

// scrapeLimit is how long a scrape waits for the store.
const scrapeLimit = 2 * time.Second

// storeCollector tells when it is scraped whether the store answers, and which rules this process obeys.
type storeCollector struct {
	store *store.Store
	hash  string
	up    *prometheus.Desc
	rules *prometheus.Desc
}

func newStoreCollector(s *store.Store, hash string) *storeCollector {
	return &storeCollector{
		store: s, hash: hash,
		up:    prometheus.NewDesc("watchkeeper_store_up", "1 when the store answers, else 0.", nil, nil),
		rules: prometheus.NewDesc("watchkeeper_rules_info", "The hash of the effective rules.", []string{"hash"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *storeCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.up
	ch <- c.rules
}

// Collect implements prometheus.Collector.
func (c *storeCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	up := 1.0
	if c.store.Ping(ctx) != nil {
		up = 0
	}
	ch <- prometheus.MustNewConstMetric(c.up, prometheus.GaugeValue, up)
	ch <- prometheus.MustNewConstMetric(c.rules, prometheus.GaugeValue, 1, c.hash)
}
