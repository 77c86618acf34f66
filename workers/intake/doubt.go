package intake

import (
	"strconv"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// doubtFor is how long a platform's details may lag behind its lists. Reads that are 20 seconds old and more are seen (deploy/FAILURES.md).
const doubtFor = 30 * time.Second

// print is the fingerprint to record a row under. A detail that is older than its row, or that shows nothing new of a changed one, may have
// been read from a replica of the platform that lags: the row keeps the fingerprint it had, so that the next poll reads it again, until one
// reading that is later than any lag has shown the same. Otherwise a turn that has begun would be seen when the record's own timer runs out,
// which may be too late.
func (in *Intake) print(src *connectors.Source, f found) uint64 {
	if !f.row.Modified.After(f.dispute.Modified) && (f.prev == nil || !in.same(src, f.dispute, f.prev)) {
		return f.row.Fingerprint
	}
	now := in.now()
	key := xxhash.Sum64String(string(src.Store) + "/" + f.row.ID + "/" + strconv.FormatUint(f.row.Fingerprint, 36))
	if first, before := in.doubts.first(key, now); before && now.Sub(first) >= doubtFor {
		return f.row.Fingerprint
	}
	in.metrics.doubts.WithLabelValues(string(src.Platform)).Inc()
	if f.prev == nil {
		return 0
	}
	return f.prev.Fingerprint
}

// kept is the fingerprint to record a dispute under that was read without its row. Where it shows something else than the record, one of the two
// readings was late, and nobody knows which: the next poll reads the row again.
func (in *Intake) kept(src *connectors.Source, d sla.Dispute, prev *sla.CaseRecord) uint64 {
	if d.State == sla.StateClosed || in.same(src, d, prev) { // nothing comes after the end
		return prev.Fingerprint
	}
	return 0
}

// same reports whether a dispute shows what its record says.
func (in *Intake) same(src *connectors.Source, d sla.Dispute, prev *sla.CaseRecord) bool {
	o, _ := d.Ruling(in.rules.For(src.Platform, src.Store, d.Reason))
	was := prev.Obligation
	return d.State == prev.State && d.Reason == prev.Reason && d.Claimed == prev.Claimed && d.State != sla.StateClosed &&
		o.Turn == was.Turn && o.Kinds == was.Kinds && o.Deadline.Equal(was.Deadline)
}

// recent remembers when things were first seen, in two generations so that its memory is bounded.
type recent struct {
	mu         sync.Mutex
	young, old map[uint64]time.Time
}

const generation = 10_000

func newRecent() *recent { return &recent{young: map[uint64]time.Time{}} }

// first is when a thing was first seen, now if it never was; and whether it was seen before.
func (r *recent) first(h uint64, now time.Time) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, before := r.young[h]
	if before {
		return at, true
	}
	if at, before = r.old[h]; !before {
		at = now
	}
	if len(r.young) >= generation {
		r.old, r.young = r.young, map[uint64]time.Time{}
	}
	r.young[h] = at
	return at, before
}

// forget makes things new again: what they stand for was not kept, and the next poll may bring it back.
func (r *recent) forget(hashes []uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range hashes {
		delete(r.young, h)
		delete(r.old, h)
	}
}
