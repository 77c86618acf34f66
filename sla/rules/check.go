package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"watchkeeper/sla"
)

// sweeps is the time of three sweeps, in which an attempt of unknown outcome is confirmed.
const sweeps = 3 * 2 * time.Minute

// A relation is something that two values of one rule must not break.
type relation struct {
	culprit, other string // names of settings; the culprit is the one to change when both were set
	broken         func(sla.Rule) bool
	want           string // of the culprit
}

var relations = []relation{
	{"GUARD", "ACT_BEFORE", func(r sla.Rule) bool { return r.Guard.Value >= r.ActBefore.Value }, "less than ACT_BEFORE, or no answer is ever sent"},
	{
		"ACT_BEFORE", "RESPONSE_WINDOW", func(r sla.Rule) bool { return r.ActBefore.Value > r.Window.Value },
		"at most RESPONSE_WINDOW, or the time to answer is over before it begins",
	},
	{
		"WARN", "RESPONSE_WINDOW", func(r sla.Rule) bool { return len(r.Warn.Value) > 0 && slices.Max(r.Warn.Value) >= r.Window.Value },
		"each point less than RESPONSE_WINDOW, or the warning comes before the dispute",
	},
	{
		"GUARD", "SETTLE", func(r sla.Rule) bool { return r.Guard.Value <= r.Settle.Value },
		"more than SETTLE, or the outcome of the last answer is not known before the deadline",
	},
	{
		"ACT_BEFORE", "SETTLE", func(r sla.Rule) bool { return r.ActBefore.Value < 2*r.Settle.Value+sweeps },
		"at least twice SETTLE and " + FormatDuration(sweeps) + ", or a lost answer cannot be tried again in time",
	},
}

// crossCheck holds the relations in every rule that can be used: those of the stores, of platforms that a variable speaks of, and
// without any store the general one.
func (l *loader) crossCheck(b *Book) {
	found := map[string]int{} // where in problems a breach was told first: one variable may break the rules of many stores
	more := map[string]int{}
	for _, s := range l.inUse(b) {
		for _, rule := range s.distinct() {
			for _, rel := range relations {
				if !rel.broken(*rule.rule) {
					continue
				}
				p := rel.problem(rule)
				key := p.Variable + p.Expected
				if _, told := found[key]; told {
					more[key]++
					continue
				}
				found[key] = len(l.problems)
				l.report(p)
			}
		}
	}
	for key, n := range more {
		l.problems[found[key]].Detail += fmt.Sprintf(" and %d more", n)
	}
}

func (l *loader) inUse(b *Book) []*shelf {
	var out []*shelf
	for _, id := range slices.Sorted(maps.Keys(b.stores)) {
		out = append(out, b.stores[id])
	}
	for _, name := range slices.Sorted(maps.Keys(b.platforms)) {
		begin := scope{platform: name}.prefix()
		for p := range l.scopes {
			if strings.HasPrefix(p, begin) {
				out = append(out, b.platforms[name])
				break
			}
		}
	}
	if len(b.stores) == 0 {
		out = append(out, b.base)
	}
	return out
}

// A placed rule is a rule with the scope it holds in.
type placed struct {
	scope scope
	rule  *sla.Rule
}

// distinct lists the rules of a shelf once each, the general one first.
func (s *shelf) distinct() []placed {
	out := []placed{{s.scope, s.general}}
	for _, r := range sla.Reasons() {
		if rule := s.byReason[r]; rule != s.general {
			out = append(out, placed{scope{s.scope.platform, s.scope.store, &r}, rule})
		}
	}
	return out
}

// problem names the variable to change: the culprit's if one set it, else the other's, else the scope whose defaults clash.
func (rel relation) problem(in placed) Problem {
	var culprit, other setting
	for _, s := range ruleSettings(in.rule) {
		switch s.about.Name {
		case rel.culprit:
			culprit = s
		case rel.other:
			other = s
		}
	}
	p := Problem{
		Variable: *culprit.from, Value: quoted(culprit.show()), Example: culprit.about.Example,
		Detail:   "in " + in.scope.String(),
		Expected: rel.culprit + " " + culprit.show() + " (" + *culprit.from + ") to be " + rel.want + ": " + rel.other + " is " + other.show() + " (" + *other.from + ")",
	}
	if *culprit.from == sla.FromDefault {
		p.Variable, p.Value, p.Example = *other.from, quoted(other.show()), other.about.Example
	}
	if p.Variable == sla.FromDefault {
		p.Variable = in.scope.prefix() + rel.culprit
	}
	return p
}
