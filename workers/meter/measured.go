package meter

import (
	"time"

	"watchkeeper/sla"
)

// collected is what this process has measured; what is due is in no order.
func (m *Meter) collected(now time.Time) map[sla.Platform]sla.Measured {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make(map[sla.Platform]sla.Measured, len(m.of))
	for p, of := range m.of {
		out[p] = m.measured(p, of, now)
	}
	return out
}

// measured is what this process has measured of a platform. The lock is held.
func (m *Meter) measured(p sla.Platform, of *platform, now time.Time) sla.Measured {
	out := sla.Measured{Skew: of.skew.Now(now), Wait: of.wait.Now(now), Allowances: m.allowances(p, of, now)}
	out.Latency, out.Known = of.answers.High(now)
	return out
}

// allowances groups what is due by allowance, and forgets what was not said again: answered elsewhere, or nobody's any more. The lock is held.
func (m *Meter) allowances(p sla.Platform, of *platform, now time.Time) map[string]sla.Allowance {
	all, stores, its := map[string]*sla.Allowance{}, map[string][]sla.StoreID{}, map[sla.StoreID]*sla.Allowance{}
	for hash, d := range of.due {
		last := d.seen
		if d.until.After(last) {
			last = d.until
		}
		if now.Sub(last) > dueKept || !d.done && !d.guard.After(now) {
			delete(of.due, hash)
			continue
		}
		a := its[d.store]
		if a == nil {
			name := of.allowance(p, d.store)
			if a = all[name]; a == nil {
				a = &sla.Allowance{Every: of.every[name]}
				all[name] = a
			}
			its[d.store], stores[name] = a, append(stores[name], d.store)
		}
		a.Owed = append(a.Owed, sla.Owed{Case: hash, By: d.guard.Unix(), Seen: d.seen.UnixMilli(), Done: d.done})
	}
	out := make(map[string]sla.Allowance, len(all))
	for name, a := range all {
		a.Slots = m.slotsOf(stores[name])
		out[name] = *a
	}
	return out
}

// allowance names the allowance of a store; one that has made no call yet is taken to have its own.
func (of *platform) allowance(p sla.Platform, store sla.StoreID) string {
	if name, ok := of.keys[store]; ok {
		return name
	}
	return string(p) + "/" + string(store)
}

// slotsOf is how many answers of some stores may be under way at once; 0 is any number.
func (m *Meter) slotsOf(stores []sla.StoreID) int {
	all := 0
	for _, store := range stores {
		n := m.slots(store)
		if n <= 0 {
			return 0
		}
		all += n
	}
	return all
}
