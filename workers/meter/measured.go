package meter

import (
	"slices"
	"time"

	"watchkeeper/sla"
)

// How finely the moments of duties are told to other replicas, always rounded to the earlier: what is near counts.
const (
	fine   = time.Minute
	coarse = 15 * time.Minute
	near   = 2 * time.Hour
)

// measured is what this process has measured of a platform. The lock is held.
func (m *Meter) measured(p sla.Platform, of *platform, now time.Time) sla.Measured {
	out := sla.Measured{Skew: of.skew.Now(now), Wait: of.wait.Now(now), Allowances: m.allowances(p, of, now)}
	out.Latency, out.Known = of.answers.High(now)
	return out
}

// allowances groups what is due by allowance and moment, and forgets what was not said again: answered elsewhere, or nobody's any more. The lock
// is held.
func (m *Meter) allowances(p sla.Platform, of *platform, now time.Time) map[string]sla.Allowance {
	counts := map[string]map[time.Time]int{}
	stores := map[string]map[sla.StoreID]struct{}{}
	for id, d := range of.due {
		if now.Sub(d.seen) > dueKept || !d.guard.After(now) {
			delete(of.due, id)
			continue
		}
		name := of.allowance(p, id.Store)
		if counts[name] == nil {
			counts[name], stores[name] = map[time.Time]int{}, map[sla.StoreID]struct{}{}
		}
		counts[name][rounded(now, d.guard)]++
		stores[name][id.Store] = struct{}{}
	}
	out := make(map[string]sla.Allowance, len(counts))
	for name, by := range counts {
		a := sla.Allowance{Every: of.every[name], Slots: m.slotsOf(stores[name])}
		for moment, n := range by {
			a.Due = append(a.Due, sla.Duty{By: moment, N: n})
		}
		slices.SortFunc(a.Due, func(a, b sla.Duty) int { return a.By.Compare(b.By) })
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

func rounded(now, moment time.Time) time.Time {
	if moment.Sub(now) < near {
		return moment.Truncate(fine).UTC()
	}
	return moment.Truncate(coarse).UTC()
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
