package fleet

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/store"
)

// lookEvery is how often is looked at what changes slowly and is asked for in many small questions: credentials, feeds and the servers.
const lookEvery = time.Minute

// crowded is the share of its memory from which a server of Redis is in danger: when it is full it refuses every write.
const crowded = 0.75

// The reasons for which a server of Redis is not safe.
const (
	unsafeEviction    = "eviction"    // it deletes records when memory is full
	unsafePersistence = "persistence" // it does not keep what was written
	unsafeDisk        = "disk"        // its last write to disk went wrong
	unsafeReplication = "replication" // it takes no writes, or may lose acknowledged ones in a failover
	unsafeMemory      = "memory"      // it is nearly full
)

func unsafeReasons() []string {
	return []string{unsafeEviction, unsafePersistence, unsafeDisk, unsafeReplication, unsafeMemory}
}

// dangers says for which reasons a server is not safe. What it does not tell (an embedded one) accuses nobody.
func dangers(s store.Server) (out []string) {
	share, _ := s.MemoryShare()
	for _, d := range []struct {
		reason string
		is     bool
	}{
		{unsafeEviction, s.Policy != "" && s.Policy != "noeviction"},
		{unsafePersistence, s.Policy != "" && !s.AOF},
		{unsafeDisk, len(s.Failed) > 0},
		{unsafeReplication, s.Role != "" && s.Role != "master" || s.Guarded && s.Good == 0 || !s.Guarded && len(s.Replicas) > 0},
		{unsafeMemory, share > crowded},
	} {
		if d.is {
			out = append(out, d.reason)
		}
	}
	return out
}

// A lookout keeps what was seen by the last look.
type lookout struct {
	expiry, lifetime, sealed *prometheus.GaugeVec
	unsafe                   *prometheus.GaugeVec
	memory, masters          prometheus.Gauge
}

// The parts of a credential.
const (
	partAccess  = "access"
	partRefresh = "refresh"
)

func newLookout(reg prometheus.Registerer, sources connectors.Sources) *lookout {
	f := promauto.With(reg)
	gauges := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return f.NewGaugeVec(prometheus.GaugeOpts{Name: "watchkeeper_" + name, Help: help}, labels)
	}
	l := &lookout{
		expiry: gauges("credential_expiry_timestamp_seconds",
			"When a store's credential ends (access), and the right to renew it (refresh); +Inf when that is not told.", "store", "credential"),
		lifetime: gauges("credential_lifetime_seconds",
			"For how long a store's credential holds from its issue, where it is renewed by itself, which is done at four fifths of it; 0 where it is not.", "store"),
		sealed: gauges("credential_sealed", "1 when a store's credential is kept and no key of this process opens it, else 0.", "store"),
		unsafe: gauges("redis_unsafe", "Servers of Redis that may lose what was written, or are nearly full, by what is wrong.", "reason"),
		memory: f.NewGauge(prometheus.GaugeOpts{Name: "watchkeeper_redis_memory_used_ratio",
			Help: "How much of its memory the fullest server of Redis uses, of the machine's where it has no limit; 0 when it does not tell."}),
		masters: f.NewGauge(prometheus.GaugeOpts{Name: "watchkeeper_redis_servers", Help: "Servers of Redis that take writes, as they were last asked."}),
	}
	for _, reason := range unsafeReasons() {
		l.unsafe.WithLabelValues(reason)
	}
	for id, src := range sources {
		if _, ok := src.Connector.(connectors.Credentialed); ok {
			l.credential(id, connectors.Credential{})
		}
	}
	return l
}

func (l *lookout) credential(id sla.StoreID, c connectors.Credential) {
	life, sealed := 0.0, 0.0
	if c.Renewable && !c.Issued.IsZero() && c.Issued.Before(c.Expires) {
		life = c.Expires.Sub(c.Issued).Seconds()
	}
	if c.Sealed {
		sealed = 1
	}
	l.expiry.WithLabelValues(string(id), partAccess).Set(orNever(c.Expires))
	l.expiry.WithLabelValues(string(id), partRefresh).Set(orNever(c.RefreshExpires))
	l.lifetime.WithLabelValues(string(id)).Set(life)
	l.sealed.WithLabelValues(string(id)).Set(sealed)
}

func (l *lookout) servers(all []store.Server) {
	found, fullest := map[string]int{}, 0.0
	for _, s := range all {
		for _, reason := range dangers(s) {
			found[reason]++
		}
		share, _ := s.MemoryShare()
		fullest = math.Max(fullest, share)
	}
	for _, reason := range unsafeReasons() {
		l.unsafe.WithLabelValues(reason).Set(float64(found[reason]))
	}
	l.memory.Set(fullest)
	l.masters.Set(float64(len(all)))
}

// LookAround reads where the feeds stand, when the credentials end and what the servers of Redis tell, for the metrics. Only Start calls it by itself,
// every minute. What cannot be read keeps the value that it had.
func (f *Fleet) LookAround(ctx context.Context) error {
	feeds, err := f.store.Feeds(ctx)
	if err == nil {
		f.poller.Heard(feeds)
	}
	errs := []error{err}
	servers, err := f.store.Servers(ctx)
	if err == nil {
		f.lookout.servers(servers)
	}
	errs = append(errs, err)
	for _, id := range slices.Sorted(maps.Keys(f.sources)) {
		holder, ok := f.sources[id].Connector.(connectors.Credentialed)
		if !ok {
			continue
		}
		c, err := holder.Credential(ctx)
		if err != nil {
			return errors.Join(append(errs, err)...) // the others are kept in the same place
		}
		f.lookout.credential(id, c)
	}
	return errors.Join(errs...)
}
