package rules

import (
	"slices"

	"watchkeeper/sla"
)

// A shelf holds the rules of one store or platform, by the time in which they hold.
type shelf struct {
	scope   scope
	begins  []int // the era in which each period begins; the first is 0
	periods []period
}

// A period holds one rule for each reason, most of them the same one.
type period struct {
	general  *sla.Rule
	byReason []*sla.Rule
}

func (s *shelf) rule(era int, r sla.Reason) *sla.Rule {
	p := s.period(era)
	if int(r) < len(p.byReason) {
		return p.byReason[r]
	}
	return p.general
}

func (s *shelf) period(era int) *period {
	n, found := slices.BinarySearch(s.begins, era)
	if !found {
		n--
	}
	return &s.periods[n]
}

// shelf resolves one store or platform, and its reasons where a variable speaks of one. The base is what holds when nothing is set.
func (l *loader) shelf(base sla.Rule, s scope) *shelf {
	out := &shelf{scope: s, begins: []int{0}}
	scopes := s.withReasons()
	if s == (scope{}) {
		scopes = scopes[:1] // no variable speaks of a reason everywhere
	}
	chains, own := make([][]*entry, len(scopes)), make([]bool, len(scopes)) // of each scope what applies, and whether its reason has a say
	for i, r := range scopes {
		for _, in := range chainOf(r) {
			for _, e := range l.entries[in] {
				out.begins = append(out.begins, e.span.from, e.span.until)
				chains[i], own[i] = append(chains[i], e), own[i] || in.reasoned
			}
		}
	}
	slices.Sort(out.begins)
	out.begins = slices.Compact(out.begins)
	if last := len(out.begins) - 1; last > 0 && out.begins[last] > len(l.eras) {
		out.begins = out.begins[:last] // the end of all time begins nothing
	}
	for _, era := range out.begins {
		p := period{general: l.rule(base, chains[0], era), byReason: make([]*sla.Rule, len(scopes)-1)}
		for i := range p.byReason {
			p.byReason[i] = p.general
			if own[i+1] {
				p.byReason[i] = l.rule(base, chains[i+1], era)
			}
		}
		out.periods = append(out.periods, p)
	}
	return out
}

// rule lays what applies in an era over the base.
func (l *loader) rule(base sla.Rule, chain []*entry, era int) *sla.Rule {
	l.rules.with(base)
	for _, e := range chain {
		if e.span.holds(era) {
			e.put()
		}
	}
	out := l.rules.work
	return &out
}

// chainOf lists the scopes that apply, the least specific first: everywhere, the platform, the platform with the reason, the store, the
// store with its reason.
func chainOf(s scope) []scope {
	out := make([]scope, 1, 5)
	add := func(s scope) {
		general := s
		general.reasoned, general.reason = false, 0
		if out = append(out, general); s.reasoned {
			out = append(out, s)
		}
	}
	if s.platform != "" {
		add(scope{platform: s.platform, reasoned: s.reasoned, reason: s.reason})
	}
	if s.store != "" {
		add(scope{store: s.store, reasoned: s.reasoned, reason: s.reason})
	}
	return out
}

// A placed rule is a rule with the scope and the time it holds in.
type placed struct {
	scope scope
	era   int
	rule  *sla.Rule
}

// distinct lists the rules of one era once each, the general one first.
func (s *shelf) distinct(era int) []placed {
	p := s.period(era)
	out := []placed{{s.scope, era, p.general}}
	for i, r := range p.byReason {
		if r != p.general {
			out = append(out, placed{s.ofReason(sla.Reason(i)), era, r})
		}
	}
	return out
}

func (s *shelf) ofReason(r sla.Reason) scope {
	out := s.scope
	out.reasoned, out.reason = true, r
	return out
}
