package fleet

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
	"watchkeeper/workers/store"
)

const scrapeLimit = 2 * time.Second // how long a scrape waits for the store

// storeCollector tells when it is scraped what the store knows of all replicas together, and which rules this process obeys. Every replica
// tells the same of the store; what the store does not answer is left out.
type storeCollector struct {
	store     *store.Store
	book      *rules.Book
	platforms []sla.Platform // with disputes
	now       func() time.Time

	up, build, rules, versions, processes, kills *prometheus.Desc
	money                                        *moneyCollector
}

func newStoreCollector(s *store.Store, book *rules.Book, platforms []sla.Platform, now func() time.Time) *storeCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("watchkeeper_"+name, help, labels, nil)
	}
	return &storeCollector{
		store: s, book: book, platforms: platforms, now: now,
		up:        desc("store_up", "1 when the store answers, else 0."),
		build:     desc("build_info", "What this process was built of.", "version", "go_version"),
		rules:     desc("rules_info", "The hash of the rules in force, and since which date they are what they are; empty without dates.", "hash", "since"),
		versions:  desc("rules_versions", "Different rulebooks among the replicas that live; more than 1 for long means a roll-out that stuck."),
		processes: desc("processes", "Processes that have said within two minutes which rules they obey."),
		kills: desc("kill_switch_on", "Kill switches that are on, by what they stop: everything, a platform, a store, or a reason in any of them; "+
			"variable: the KILL variables of this process under which a store sends nothing.", "scope"),
		money: newMoneyCollector(desc, book),
	}
}

// Describe implements prometheus.Collector.
func (c *storeCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.up, c.build, c.rules, c.versions, c.processes, c.kills} {
		ch <- d
	}
	c.money.describe(ch)
}

// Collect implements prometheus.Collector.
func (c *storeCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	now := c.now()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(c.build, 1, Version(), runtime.Version())
	gauge(c.rules, 1, c.book.Hash(), c.since(now))
	gauge(c.kills, float64(c.killVariables(now)), levelVariable)
	if c.store.Ping(ctx) != nil {
		gauge(c.up, 0)
		return
	}
	gauge(c.up, 1)
	if books, err := c.store.Rulebooks(ctx, now, HeardWithin); err == nil {
		n := 0
		for _, processes := range books {
			n += processes
		}
		gauge(c.versions, float64(len(books)))
		gauge(c.processes, float64(n))
	}
	if kills, err := c.store.Kills(ctx); err == nil || errors.Is(err, store.ErrUnreadable) {
		on := map[string]int{}
		for _, k := range kills {
			on[level(k.KillScope)]++
		}
		for _, l := range []string{levelAll, levelPlatform, levelStore, levelReason} {
			gauge(c.kills, float64(on[l]), l)
		}
	}
	if spent, err := c.store.Spent(ctx, now, c.money.window(now)); err == nil {
		c.money.collect(now, spent, gauge)
	}
}

// since is the date from which the rules of now hold.
func (c *storeCollector) since(now time.Time) (since string) {
	for _, era := range c.book.Eras() {
		if !era.After(now) {
			since = era.UTC().Format(time.RFC3339)
		}
	}
	return since
}

// killVariables counts the KILL variables that stop answers of a store now.
func (c *storeCollector) killVariables(now time.Time) int {
	book, on := c.book.At(now), map[string]struct{}{}
	for _, s := range book.Stores() {
		if !slices.Contains(c.platforms, s.Platform) {
			continue
		}
		for _, r := range sla.Reasons() {
			if kill := book.For(s.Platform, s.ID, r).Kill; kill.Value {
				on[kill.From] = struct{}{}
			}
		}
	}
	return len(on)
}

// The levels of kill switches, by the narrowest part of their scope. What variables stop is one level, whatever their scope.
const (
	levelVariable = "variable"

	levelAll      = "all"
	levelPlatform = "platform"
	levelStore    = "store"
	levelReason   = "reason"
)

func level(k sla.KillScope) string {
	switch {
	case k.Reason != sla.ReasonUnknown:
		return levelReason
	case k.Store != "":
		return levelStore
	case k.Platform != "":
		return levelPlatform
	}
	return levelAll
}
