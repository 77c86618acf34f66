package rules

import (
	"slices"
	"time"
)

// A Change is one effective value that differs between two rulebooks.
type Change struct {
	Scope    string
	Variable string
	Was, Is  string // empty where a book does not have the scope
	WasFrom  string // the variable that says so, or sla.FromDefault
	IsFrom   string
	Era      Span // when they differ so
}

// Diff lists what differs between two rulebooks, in the order of Rows: of every scope that either speaks of, in each era of either. What the
// connectors read is not compared.
func Diff(a, b *Book) []Change {
	all := slices.Concat(a.eras, b.eras)
	slices.SortFunc(all, time.Time.Compare)
	all = slices.CompactFunc(all, time.Time.Equal)
	var out []Change
	open := map[[2]string]int{} // where in out the latest change of a value is
	for era := range len(all) + 1 {
		when := all.when(era)
		for _, c := range diffEra(a.At(when.From), b.At(when.From)) {
			c.Era = when
			key := [2]string{c.Scope, c.Variable}
			if i, seen := open[key]; seen && out[i].continues(c) {
				out[i].Era.Until = when.Until
				continue
			}
			open[key] = len(out)
			out = append(out, c)
		}
	}
	return out
}

// continues reports whether the next change is the same one, in the time that follows.
func (c Change) continues(next Change) bool {
	adjacent := !c.Era.Until.IsZero() && c.Era.Until.Equal(next.Era.From)
	next.Era = c.Era
	return adjacent && c == next
}

func diffEra(a, b *Book) []Change {
	var out []Change
	scopes := b.scopes(Filter{})
	seen := map[scope]bool{}
	for _, s := range scopes {
		seen[s.named()] = true
	}
	for _, s := range a.scopes(Filter{}) {
		if !seen[s.named()] {
			scopes = append(scopes, s)
		}
	}
	was, is := newPrinter(a), newPrinter(b)
	for _, s := range scopes {
		out = append(out, diffRows(was.rows(s), is.rows(s))...)
	}
	return out
}

// named leaves out of the scope of a store's rules the platform that the store is on, because it can change.
func (s scope) named() scope {
	if s.store != "" {
		s.platform = ""
	}
	return s
}

// diffRows compares the values of one scope.
func diffRows(was, is []Row) []Change {
	var out []Change
	find := func(rows []Row, variable string) Row {
		for _, r := range rows {
			if r.Variable == variable {
				return r
			}
		}
		return Row{}
	}
	for _, now := range is {
		if before := find(was, now.Variable); before.Value != now.Value {
			out = append(out, Change{now.Scope, now.Variable, before.Value, now.Value, before.From, now.From, Span{}})
		}
	}
	for _, before := range was {
		if find(is, before.Variable) == (Row{}) {
			out = append(out, Change{before.Scope, before.Variable, before.Value, "", before.From, "", Span{}})
		}
	}
	return out
}
