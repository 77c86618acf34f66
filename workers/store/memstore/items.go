package memstore

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"watchkeeper/sla"
)

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// A kind is what the one mechanism of records must know of one class of them.
type kind[R any] struct {
	name    string
	table   func(*shard) table[R]
	ident   func(*R) (sla.StoreID, string)
	next    func(*R) *time.Time
	version func(*R) *uint32
	mark    func(*R) uint64
	clean   func(*R, sla.Platform) // as it comes back from its packed form
}

const maxInstant = 1<<44 - 1

// dueMS rounds up, so that nothing is claimed before its time; 0 is no timer.
func dueMS(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	ms := t.UnixMilli()
	if t.Nanosecond()%int(time.Millisecond) != 0 {
		ms++
	}
	return min(max(ms, 1), maxInstant)
}

// floorMS is an instant that passed: it rounds down.
func floorMS(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return min(max(t.UnixMilli(), 1), maxInstant)
}

func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// millis keeps the milliseconds of an instant.
func millis(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

// set writes a record and moves its timer.
func (k kind[R]) set(t table[R], key string, r R) {
	old, replaced := t.records.Set(key, r)
	ms := dueMS(*k.next(&r))
	if replaced {
		was := dueMS(*k.next(&old))
		if was == ms {
			return
		}
		t.due.Delete(timer{ms: was, id: key})
		t.leased.Delete(key)
	}
	if ms != 0 {
		t.due.Set(timer{ms: ms, id: key})
	}
}

// A change is a record to be written.
type change[R any] struct {
	record *R
	expect uint32 // the version it was read at
	leased bool   // its timer is the end of a lease
}

func changeOf(w *sla.CaseWrite) change[sla.CaseRecord] {
	return change[sla.CaseRecord]{record: &w.CaseRecord, expect: w.Expect, leased: w.Leased}
}

// writeCase is write for a case.
func (s *Store) writeCase(shard int, key string, w *sla.CaseWrite) bool {
	return write(s, caseKind, shard, key, changeOf(w))
}

// write writes a record if it still has the version it was read at; one that is gone was lost, and comes back.
func write[R any](s *Store, k kind[R], shard int, key string, w change[R]) bool {
	t := k.table(s.w.shards[shard])
	if old, ok := t.records.Get(key); ok && *k.version(&old) != w.expect {
		return false
	}
	fresh := *w.record
	id, _ := k.ident(w.record)
	k.clean(&fresh, s.views[shard].stores[id])
	*k.next(&fresh) = instant(dueMS(*k.next(w.record)))
	*k.version(&fresh) = w.expect + 1
	k.set(t, key, fresh)
	t.leased.Delete(key) // a timer of the same millisecond is no lease any more
	if ms := dueMS(*k.next(&fresh)); ms != 0 && w.leased {
		t.leased.Set(key, ms)
	}
	return true
}

// A target is one item of a call: its key and its shard.
type target struct {
	key   string
	shard int
}

// targets finds the places of items and has their shards remember.
func targets(s *Store, op string, n int, ident func(int) (sla.StoreID, string)) ([]target, error) {
	out, shards := make([]target, n), make([]int, n)
	for i := range out {
		key, shard, err := s.member(ident(i))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
		out[i], shards[i] = target{key: key, shard: shard}, shard
	}
	if err := s.remember(shards...); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return out, nil
}

func put[R any](s *Store, k kind[R], n int, at func(int) change[R]) ([]sla.PutResult, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	out := make([]sla.PutResult, n)
	places, err := targets(s, "put "+k.name, n, func(i int) (sla.StoreID, string) { return k.ident(at(i).record) })
	if err != nil {
		return out, err
	}
	for i, p := range places {
		w := at(i)
		delete(s.prints, k.name+p.key)
		if out[i].Stale = !write(s, k, p.shard, p.key, w); !out[i].Stale {
			out[i].Version = w.expect + 1
		}
	}
	return out, nil
}

func get[R any](s *Store, k kind[R], n int, ident func(int) (sla.StoreID, string)) ([]R, []bool, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	out, found := make([]R, n), make([]bool, n)
	for i := range out {
		key, shard, err := s.member(ident(i))
		if err != nil {
			return nil, nil, fmt.Errorf("get %s: %w", k.name, err)
		}
		out[i], found[i] = k.table(s.w.shards[shard]).records.Get(key)
	}
	return out, found, nil
}

func remove[R any](s *Store, k kind[R], n int, ident func(int) (sla.StoreID, string)) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	places, err := targets(s, "remove "+k.name, n, ident)
	if err != nil {
		return err
	}
	for _, p := range places {
		delete(s.prints, k.name+p.key)
		t := k.table(s.w.shards[p.shard])
		if old, ok := t.records.Delete(p.key); ok {
			t.due.Delete(timer{ms: dueMS(*k.next(&old)), id: p.key})
			t.leased.Delete(p.key)
		}
		if k.name == caseKind.name {
			s.w.shards[p.shard].ledger.Delete(p.key)
		}
	}
	return nil
}

// claim takes what is due, the oldest first, and looks away from it until the lease ends.
func claim[R any](s *Store, k kind[R], now time.Time, lease time.Duration, limit int) ([]R, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if lease < time.Millisecond {
		return nil, fmt.Errorf("claim %s: a lease of %s would end at once", k.name, lease)
	}
	for shard := range s.views {
		if err := s.remember(shard); err != nil {
			return nil, fmt.Errorf("claim %s: %w", k.name, err)
		}
	}
	var out []R
	till := instant(dueMS(now.Add(lease)))
	for len(out) < limit {
		best, shard := timer{ms: now.UnixMilli() + 1}, -1
		for i, h := range s.w.shards {
			if first, ok := k.table(h).due.Min(); ok && sooner(first, best) {
				best, shard = first, i
			}
		}
		if shard < 0 {
			break
		}
		t := k.table(s.w.shards[shard])
		r, _ := t.records.Get(best.id)
		out = append(out, r)
		*k.next(&r) = till
		k.set(t, best.id, r)
		t.leased.Set(best.id, dueMS(till))
	}
	return out, nil
}

// compare tells of each row whether it is new, unchanged or changed; report gets the record of a changed one.
func compare[R any](s *Store, k kind[R], id sla.StoreID, rows []sla.Seen, report func(int, sla.Verdict, R)) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	now := s.now().UnixMilli()
	var none R
	for i, row := range rows {
		key, shard := s.locate(id, row.ID)
		seen := s.prints[k.name+key]
		if seen.epoch == s.views[shard].epoch && seen.fingerprint == row.Fingerprint && now < seen.until && seen.until-now <= s.trust.Milliseconds() {
			report(i, sla.VerdictUnchanged, none)
			continue
		}
		if _, _, err := s.member(id, row.ID); err != nil {
			return fmt.Errorf("compare %s: %w", k.name, err)
		}
		r, ok := k.table(s.w.shards[shard]).records.Get(key)
		switch {
		case !ok:
			report(i, sla.VerdictNew, none)
		case k.mark(&r) != row.Fingerprint:
			report(i, sla.VerdictChanged, r)
		default:
			report(i, sla.VerdictUnchanged, none)
			if s.trust > 0 {
				s.prints[k.name+key] = seenRow{fingerprint: row.Fingerprint, epoch: s.views[shard].epoch, until: now + s.trust.Milliseconds()}
			}
		}
	}
	return nil
}

// each gives every record to fn, by shard and identity, as they are at the beginning.
func each[R any](s *Store, k kind[R], fn func(R) error) error {
	s.w.mu.Lock()
	err := s.refresh(s.now())
	all := copies(s.w.shards)
	s.w.mu.Unlock()
	if err != nil {
		return fmt.Errorf("each of %s: %w", k.name, err)
	}
	for _, h := range all {
		k.table(h).records.Scan(func(_ string, r R) bool {
			err = fn(r)
			return err == nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
