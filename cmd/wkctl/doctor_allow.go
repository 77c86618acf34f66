package main

import (
	"maps"
	"slices"
	"strings"

	"watchkeeper/sla/rules"
)

// checks are the names of all findings, under their headings.
var checks = map[string][]string{
	groupRedis:   {"server", "version", "eviction", "persistence", "replication", "memory", "cluster"},
	groupClocks:  {"redis", "platform"},
	groupFleet:   {"configuration", mistake, "pages", "traces", "trace variable", "processes", "rules", "kill switch"},
	groupStores:  {"token", "feeds", "feed", "recorded"},
	groupRecords: {"shards", "epochs", "cases", "parcels", "unknown attempts"},
	groupQueues:  {"queues", "queue"},
}

// checkName is how a check is named on the command line: "redis/replication", "fleet/kill-switch".
func checkName(group, name string) string { return group + "/" + strings.ReplaceAll(name, " ", "-") }

func checkNames() []string {
	var out []string
	for _, group := range slices.Sorted(maps.Keys(checks)) {
		for _, name := range checks[group] {
			out = append(out, checkName(group, name))
		}
	}
	return out
}

// fits refuses what cannot be asked.
func (a *doctorAsk) fits() error {
	if len(a.allow) > 0 && !a.strict {
		return usagef("--allow goes with --strict: without it a warning fails nothing")
	}
	names := checkNames()
	for _, name := range a.allow {
		if !slices.Contains(names, name) {
			near := orMeant(rules.Nearest(name, names))
			return usagef("--allow %s: no check is called so%s; want some of %s", clean(name), near, strings.Join(names, ", "))
		}
	}
	return nil
}

// permit marks what is not to count. What fails counts all the same: somebody has said that he knows of a warning, not of whatever comes next.
func permit(found []finding, allow []string) []finding {
	for i := range found {
		f := &found[i]
		f.Allowed = (f.State == stateWarn || f.State == stateUnknown) && slices.Contains(allow, checkName(f.Group, f.Name))
	}
	return found
}
