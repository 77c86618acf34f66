package main

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"watchkeeper/sla/rules"
	"watchkeeper/workers/fleet"
)

// ruleNouns begin the names of the variables that are rules.
var ruleNouns = []string{fleet.Prefix + "SLA__", fleet.Prefix + "SHIPMENT__", fleet.Prefix + "CALENDAR__"}

// withRules is the environment with the rules of another: its variables of rules take the place of all of ours, whatever else it sets
// takes the place of ours by the name.
func withRules(environ, other []string) []string {
	set := map[string]bool{}
	for _, entry := range other {
		name, _, _ := strings.Cut(entry, "=")
		set[name] = true
	}
	out := slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return set[name] || slices.ContainsFunc(ruleNouns, func(noun string) bool { return strings.HasPrefix(name, noun) })
	})
	return append(out, other...)
}

// A rulebook is a book with the dates at which its rules change by themselves.
type rulebook struct {
	*rules.Book
	eras []time.Time
}

func rulebookOf(b *rules.Book) rulebook { return rulebook{b, b.Eras()} }

// newRules loads the rulebook that a file would make. What is wrong with it is shown as config check does.
func (t *tool) newRules(ctx context.Context, path string) (rulebook, error) {
	entries, err := readEnvFile(path)
	if err != nil {
		return rulebook{}, usagef("%w", err)
	}
	next := *t
	next.environ = withRules(t.environ, entries)
	_, book, err := fleet.Load(ctx, next.environ, t.registry)
	if err == nil {
		return rulebookOf(book), nil
	}
	v := checkView{Problems: problemsOf(err)}
	for i := range v.Problems {
		v.Problems[i].Detail = next.scrub(v.Problems[i].Detail)
	}
	if err := t.show(v, func(w io.Writer) { v.print(w) }); err != nil {
		return rulebook{}, err
	}
	return rulebook{}, usagef("%s: %d problem(s)", clean(path), len(v.Problems))
}
