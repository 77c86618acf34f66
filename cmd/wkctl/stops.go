package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"watchkeeper/sla"
)

// What stops answers. A mode is written behind its word.
const (
	stopSwitch   = "kill switch"
	stopVariable = "KILL variable"
	stopMode     = "mode "
)

// A stopView is one thing that stops answers.
type stopView struct {
	What   string   `json:"by"`
	Scopes []string `json:"scopes"` // what it stops of the scope that was asked for
	From   words    `json:"from"`   // the variable, or "default"; null of a switch
	Since  instant  `json:"since"`  // null of a variable
	Note   words    `json:"note"`
}

// where is what it stops, with the first scopes only: one variable may hold in hundreds of stores.
func (s stopView) where() string {
	const most = 3
	if n := len(s.Scopes) - most; n > 0 {
		return strings.Join(s.Scopes[:most], ", ") + fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(s.Scopes, ", ")
}

func (s stopView) from() string {
	if s.From != "" {
		return string(s.From)
	}
	return strings.TrimSpace("since " + s.Since.String() + "  " + string(s.Note))
}

// still lists what else stops answers of a scope: other switches, then what the rules of this environment say.
func (n territory) still(d *desk, scope sla.KillScope, others []sla.KillSwitch) []stopView {
	out := []stopView{}
	for _, k := range others {
		if n.meets(k.KillScope, scope) {
			out = append(out, stopView{What: stopSwitch, Scopes: []string{scopeText(k.KillScope)}, Since: instant{k.Since}, Note: words(k.Note)})
		}
	}
	return append(out, n.stopped(d, scope)...)
}

// stopped lists the KILL variables and the modes of the environment that stop answers of a scope now.
func (n territory) stopped(d *desk, scope sla.KillScope) []stopView {
	book := d.book.At(d.now)
	found := map[[2]string][]string{} // scopes by what and from
	met := false
	for _, id := range slices.Sorted(maps.Keys(n.stores)) {
		home := sla.KillScope{Store: id}
		if !n.meets(home, scope) || !n.answers(id) {
			continue
		}
		met = true
		mine := map[[2]string][]sla.Reason{}
		asked := reasonsOf(scope)
		for _, r := range asked {
			for _, key := range stopsOf(book.For(n.stores[id], id, r)) {
				mine[key] = append(mine[key], r)
			}
		}
		for key, reasons := range mine {
			if len(reasons) == len(asked) {
				found[key] = append(found[key], scopeText(sla.KillScope{Store: id, Reason: scope.Reason}))
				continue
			}
			for _, r := range reasons {
				found[key] = append(found[key], string(id)+"/"+r.String())
			}
		}
	}
	if !met { // no store tells: what would hold for one
		for _, key := range stopsOf(book.For(scope.Platform, "", scope.Reason)) {
			found[key] = []string{scopeText(scope)}
		}
	}
	var out []stopView
	for _, key := range slices.SortedFunc(maps.Keys(found), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		out = append(out, stopView{What: key[0], From: words(key[1]), Scopes: found[key]})
	}
	return out
}

// reasonsOf are the reasons that a scope speaks of.
func reasonsOf(scope sla.KillScope) []sla.Reason {
	if scope.Reason != sla.ReasonUnknown {
		return []sla.Reason{scope.Reason}
	}
	return sla.Reasons()
}

// stopsOf tells what of a rule stops answers, each with its origin.
func stopsOf(r sla.Rule) (out [][2]string) {
	if r.Kill.Value {
		out = append(out, [2]string{stopVariable, r.Kill.From})
	}
	if r.Mode.Value != sla.ModeLive {
		out = append(out, [2]string{stopMode + r.Mode.Value.String(), r.Mode.From})
	}
	return out
}
