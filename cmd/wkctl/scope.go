package main

import (
	"maps"
	"slices"
	"strings"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
)

// everyScope is the scope that has no platform and no store.
const everyScope = "all"

// A territory is which platforms and stores a scope may name.
type territory struct {
	platforms []sla.Platform
	disputes  map[sla.Platform]bool // platforms that have any
	stores    map[sla.StoreID]sla.Platform
}

// answers reports whether there can be answers in a store: one that only tracks parcels has none.
func (n territory) answers(id sla.StoreID) bool { return n.disputes[n.stores[id]] }

// territory takes the stores of the rulebook, and those that are on record: a store that is not configured here may still be another process's.
func (t *tool) territory(b *rules.Book, recorded map[sla.StoreID]sla.Platform) territory {
	out := territory{t.registry.Names(), map[sla.Platform]bool{}, map[sla.StoreID]sla.Platform{}}
	for _, p := range t.registry {
		out.disputes[p.Name] = p.Capabilities.Disputes
	}
	maps.Copy(out.stores, recorded)
	for _, s := range b.Stores() {
		out.stores[s.ID] = s.Platform
	}
	return out
}

// names are all that may stand before the reason.
func (n territory) names() []string {
	out := []string{everyScope}
	for _, p := range n.platforms {
		out = append(out, string(p))
	}
	for _, id := range slices.Sorted(maps.Keys(n.stores)) {
		out = append(out, string(id))
	}
	return out
}

// scope reads all, a platform or a store, then a slash and a reason where only that one is meant. Capital and small letters are one, as the
// names of variables have platforms and reasons in capitals.
func (n territory) scope(text string) (sla.KillScope, error) {
	var k sla.KillScope
	head, word, reasoned := strings.Cut(text, "/")
	store := sla.StoreID(strings.ToUpper(head))
	platform := sla.Platform(strings.ToLower(head))
	_, known := n.stores[store]
	switch {
	case head == everyScope:
	case slices.Contains(n.platforms, platform):
		k.Platform = platform
	case known:
		k.Store = store
	case strings.EqualFold(head, everyScope):
	default:
		return k, notAScope(text, "no platform or store is called so", meant(head, n.names(), word, reasoned), n.names())
	}
	if !reasoned {
		return k, nil
	}
	reason, err := sla.ParseReason(strings.ToLower(word))
	if err != nil || reason == sla.ReasonUnknown {
		names := reasonNames()
		return k, notAScope(text, "no reason is called so", meant(word, names, "", false), names)
	}
	k.Reason = reason
	return k, nil
}

// reasonNames are the reasons that a scope may narrow to: what is not known of a dispute is no reason to narrow to.
func reasonNames() []string {
	var out []string
	for _, r := range sla.Reasons() {
		if r != sla.ReasonUnknown {
			out = append(out, r.String())
		}
	}
	return out
}

// meant is the name that was probably meant, with the reason that stood behind it.
func meant(word string, names []string, reason string, reasoned bool) string {
	near := rules.Nearest(word, names)
	if near == "" {
		near = rules.Nearest(strings.ToUpper(word), names)
	}
	if near != "" && reasoned {
		near += "/" + reason
	}
	return near
}

func notAScope(text, what, near string, names []string) error {
	if near != "" {
		near = "; did you mean " + clean(near) + "?"
	}
	const most = 40
	if len(names) > most {
		names = append(slices.Clone(names[:most]), "…")
	}
	return usagef("--scope %q: %s%s\nWant all, a platform or a store, then a slash and a reason where only that one is meant; here: %s",
		clean(text), what, near, strings.Join(names, ", "))
}

// scopeText is a scope as kill-switch takes it.
func scopeText(k sla.KillScope) string {
	out := everyScope
	switch {
	case k.Store != "":
		out = string(k.Store)
	case k.Platform != "":
		out = string(k.Platform)
	}
	if k.Reason != sla.ReasonUnknown {
		out += "/" + k.Reason.String()
	}
	return out
}

// meets reports whether there can be an answer that both scopes stop.
func (n territory) meets(a, b sla.KillScope) bool {
	home := func(k sla.KillScope) sla.Platform {
		if k.Store != "" {
			return n.stores[k.Store]
		}
		return k.Platform
	}
	p, q := home(a), home(b)
	return (a.Store == "" || b.Store == "" || a.Store == b.Store) && (p == "" || q == "" || p == q) &&
		(a.Reason == sla.ReasonUnknown || b.Reason == sla.ReasonUnknown || a.Reason == b.Reason)
}
