package meter

import (
	"cmp"
	"slices"
	"time"

	"watchkeeper/sla"
)

// measured is what this process has measured of a platform. The lock is held.
func (m *Meter) measured(p sla.Platform, of *platform, now time.Time) sla.Measured {
	out := sla.Measured{Skew: of.skew.Now(now), Wait: of.wait.Now(now), Allowances: m.allowances(p, of, now)}
	out.Latency, out.Known = of.answers.High(now)
	return out
}

// allowances groups what is due by allowance, and forgets what was not said again: answered elsewhere, or nobody's any more. The lock is held.
func (m *Meter) allowances(p sla.Platform, of *platform, now time.Time) map[string]sla.Allowance {
	out, stores := map[string]sla.Allowance{}, map[string]map[sla.StoreID]struct{}{}
	for hash, d := range of.due {
		last := d.seen
		if d.until.After(last) {
			last = d.until
		}
		if now.Sub(last) > dueKept || !d.done && !d.guard.After(now) {
			delete(of.due, hash)
			continue
		}
		name := of.allowance(p, d.store)
		if stores[name] == nil {
			stores[name] = map[sla.StoreID]struct{}{}
		}
		stores[name][d.store] = struct{}{}
		a := out[name]
		a.Owed = append(a.Owed, sla.Owed{Case: hash, By: d.guard.Unix(), Seen: d.seen.UnixMilli(), Done: d.done})
		out[name] = a
	}
	for name, a := range out {
		a.Every, a.Slots = of.every[name], m.slotsOf(stores[name])
		slices.SortFunc(a.Owed, func(a, b sla.Owed) int { return cmp.Compare(a.Case, b.Case) })
		out[name] = a
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
func (m *Meter) slotsOf(stores map[sla.StoreID]struct{}) int {
	all := 0
	for store := range stores {
		n := m.slots(store)
		if n <= 0 {
			return 0
		}
		all += n
	}
	return all
}
