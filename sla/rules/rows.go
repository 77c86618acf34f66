package rules

import (
	"fmt"
	"maps"
	"slices"

	"watchkeeper/sla"
)

// A Row is one effective value, for printing.
type Row struct {
	Scope    string // "default", "platform aliexpress", "store AE01, reason damaged"
	Variable string // without the scope
	Value    string // as the variable would be written; what a store's connector reads is only said to be set
	From     string // the variable that set it, or sla.FromDefault
}

// A Filter narrows rows; its zero value lets everything through.
type Filter struct {
	Platform sla.Platform
	Store    sla.StoreID
}

// Rows lists the effective values of every scope with their origins: the general ones, each platform's, each store's, and those of a
// reason where a variable speaks of it. A store's connector variables are listed as set, never with their values.
func (b *Book) Rows(f Filter) []Row {
	var out []Row
	if f == (Filter{}) {
		out = append(out, b.base.rows()...)
		out = append(out, shipmentRows("default", *b.parcel)...)
	}
	for _, name := range slices.Sorted(maps.Keys(b.platforms)) {
		if f.Store == "" && (f.Platform == "" || f.Platform == name) {
			out = append(out, b.platforms[name].rows()...)
		}
	}
	for _, s := range b.declared() {
		if (f.Store == "" || f.Store == s.ID) && (f.Platform == "" || f.Platform == s.Platform) {
			out = append(out, b.storeRows(s)...)
		}
	}
	return out
}

func (b *Book) storeRows(s Store) []Row {
	sh := b.stores[s.ID]
	at := sh.scope.String()
	out := []Row{{at, "PLATFORM", string(s.Platform), storePrefix(s.ID) + "PLATFORM"}}
	if s.Poll.Value > 0 {
		out = append(out, Row{at, "POLL", FormatDuration(s.Poll.Value), s.Poll.From})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		out = append(out, Row{at, name, "(set)", storePrefix(s.ID) + name})
	}
	out = append(out, sh.rows()...)
	return append(out, shipmentRows(at, *b.parcels[s.ID])...)
}

func (s *shelf) rows() []Row {
	var out []Row
	for _, in := range s.distinct() {
		rule := *in.rule
		out = append(out, rowsOf(in.scope.String(), "", ruleSettings(&rule))...)
	}
	return out
}

func shipmentRows(at string, r sla.ShipmentRule) []Row {
	return rowsOf(at, "SHIPMENT__", shipmentSettings(&r))
}

// rowsOf prefixes the names of shipment settings, because a rule has a RECHECK, too.
func rowsOf(at, prefix string, all []setting) []Row {
	out := make([]Row, 0, len(all))
	for _, s := range all {
		out = append(out, Row{at, prefix + s.about.Name, s.show(), *s.from})
	}
	return out
}

// Variables describes every variable that the rulebook reads, for the documentation. What a platform's connector reads is listed by
// name; the connector's own page explains it.
func Variables(platforms []Platform) []Variable {
	rule, parcel := sla.DefaultRule(), sla.DefaultShipmentRule()
	var head storeHead
	var out []Variable
	add := func(all []setting, scopes ...string) {
		for _, s := range all {
			v := s.about
			for _, begin := range scopes {
				v.Scopes = append(v.Scopes, begin+v.Name)
			}
			out = append(out, v)
		}
	}
	const store, platform, reason = "STORE__<STORE>__", "<PLATFORM>__", "REASON__<REASON>__"
	add(ruleSettings(&rule), prefixRule, prefixRule+platform, prefixRule+platform+reason, prefixRule+store, prefixRule+store+reason)
	add(shipmentSettings(&parcel), prefixShipment, prefixShipment+store)
	add(settings(bindStore(&head, platforms)), storePrefix("<STORE>"))
	for _, p := range platforms {
		for _, name := range p.StoreVariables {
			out = append(out, Variable{
				Name: name, Scopes: []string{storePrefix("<STORE>") + name}, Type: "text",
				Sentence: fmt.Sprintf("Read by the connector of %s.", p.Name),
			})
		}
	}
	return out
}
