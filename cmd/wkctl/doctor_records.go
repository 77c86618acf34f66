package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"watchkeeper/workers/store"
	"watchkeeper/workers/sweep"
)

// judgeRecords looks at the shards, the cases, the parcels, their timers and the attempts.
func judgeRecords(f *facts) sheet {
	s := sheet{group: groupRecords}
	if f.unread != nil {
		s.add("shards", "", verdict{stateFail, f.unread.Error(), remedy(f.unread)})
	} else {
		s.add("shards", "", judgeShards(f.shards, len(f.states)))
		s.add("epochs", "", judgeEpochs(f))
	}
	for _, class := range []struct {
		name, arm string
		lease     time.Duration
		tally     told[store.Tally]
	}{
		{"cases", "nobody will look at them: wkctl cases release ID --note TEXT makes each due at once", sweep.Lease, f.cases},
		{"parcels", "nobody will look at them until the tracker tells of a change", sweep.LookLease, f.parcels},
	} {
		s.add(class.name, "", recordsOr(f, class.tally, judgeReadable))
		if f.unread != nil || class.tally.err != nil {
			continue
		}
		t := class.tally.value
		s.add(class.name, "timers", judgeTimers(t, class.arm))
		s.add(class.name, "overdue", judgeOverdue(f.at, class.lease, t))
	}
	if f.unread == nil && f.cases.err == nil {
		s.add("unknown attempts", "", judgeUnknown(f.at, f.unknown))
	}
	return s
}

func judgeShards(configured, recorded int) verdict {
	if configured != recorded {
		return fails(fmt.Sprintf("set WK_REDIS__SHARDS=%d: the number is fixed at the first start", recorded), "%d in Redis, %d configured here", recorded, configured)
	}
	return fine("%d, as configured", recorded)
}

func judgeEpochs(f *facts) verdict {
	var missing []string
	var until, lost time.Time
	frozen := 0
	for _, s := range f.states {
		if s.Epoch == 0 {
			missing = append(missing, fmt.Sprintf("%02x", s.Shard))
		}
		if s.FrozenUntil.After(f.at) {
			frozen++
		}
		if s.FrozenUntil.After(until) {
			until = s.FrozenUntil
		}
		if s.LostAt.After(lost) {
			lost = s.LostAt
		}
	}
	const why = "memory was lost, or this is the first start"
	switch left := until.Sub(f.at); {
	case len(missing) > 0:
		return fails("start the fleet: it freezes money, and reads everything again from the platforms", "no epoch in shard %s: its memory is lost, and no process has noticed",
			strings.Join(missing, ", "))
	case frozen > 0 && left > f.settle:
		return fails("see whether a clock was ahead when it was written, and set it; then wait, or have it confirmed with the platforms that nothing was sent twice",
			"%d of %d frozen until %s, which is longer than a settle window of %s: nothing is sent", frozen, len(f.states), instant{until}, span(f.settle))
	case frozen > 0:
		return warns("wait; see why Redis lost its memory if this is not the first start", "%d of %d frozen until %s (%s): nothing is sent, as %s",
			frozen, len(f.states), instant{until}, span(left), why)
	case !lost.IsZero():
		return fine("all there, none is frozen; memory was lost last at %s", instant{lost})
	}
	return fine("all there, none is frozen")
}

func judgeReadable(t store.Tally) verdict {
	if t.Unreadable > 0 {
		return warns("use the version that wrote them; see the log of the fleet for which they are",
			"%d on record, %d of them cannot be read by this version", t.Records, t.Unreadable)
	}
	return fine("%d on record", t.Records)
}

func judgeTimers(t store.Tally, arm string) verdict {
	kinds := []struct {
		found store.Orphans
		what  string
	}{{t.Idle, "without a next look"}, {t.Untimed, "whose timer is lost"}}
	var bad []string
	for _, k := range kinds {
		if k.found.Count > 0 {
			bad = append(bad, fmt.Sprintf("%d %s (%s)", k.found.Count, k.what, sampled(k.found)))
		}
	}
	switch {
	case len(bad) > 0:
		return fails(arm, "%s", strings.Join(bad, "; "))
	case t.Unowned.Count > 0:
		return warns("they do no harm; if they grow, something else writes or deletes keys of wk:", "%d timers without a record (%s)", t.Unowned.Count, sampled(t.Unowned))
	}
	return fine("each has its timer")
}

// sampled names the first ones.
func sampled(o store.Orphans) string {
	names := slices.Clone(o.Samples)
	slices.Sort(names)
	out := strings.Join(names, ", ")
	if o.Count > len(names) {
		out += ", …"
	}
	return out
}

// judgeOverdue knows that a lost job is asked for again after a lease.
func judgeOverdue(now time.Time, lease time.Duration, t store.Tally) verdict {
	if t.Due == 0 {
		return fine("none is due")
	}
	age := now.Sub(t.Oldest)
	return limits[time.Duration]{2 * lease, 10 * lease}.judge(age, "see whether processes live, the platform lets them ask, and WK_WORKERS__CONCURRENCY is enough",
		fmt.Sprintf("%d due, the oldest for %s", t.Due, span(age)))
}

func judgeUnknown(now time.Time, u unknownAttempts) verdict {
	switch {
	case u.late > 0:
		return fails("wkctl cases show ID; look on the platform whether the answer is there, and answer by hand if it is not",
			"%d, %d of them for longer than the settle window and two sweeps (%s); the oldest was sent %s ago",
			u.count, u.late, strings.Join(u.samples, ", "), span(now.Sub(u.oldest)))
	case u.count > 0:
		return warns("wait: each is asked for until it shows, or has not shown for the settle window", "%d, the oldest was sent %s ago", u.count, span(now.Sub(u.oldest)))
	}
	return fine("none")
}
