package rules

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"watchkeeper/sla"
)

// A Book is the rulebook: the rule of every dispute and parcel. It never changes; the warn points of a rule are shared, so a caller
// must not write to them.
type Book struct {
	base      *shelf
	platforms map[sla.Platform]*shelf
	stores    map[sla.StoreID]*shelf
	parcels   map[sla.StoreID]*sla.ShipmentRule
	parcel    *sla.ShipmentRule
	declared  func() []Store // in a closure, because fmt prints what it finds in the fields of a value, whatever their methods say
	hash      string
}

// A shelf holds the rules of one store or platform: one for each reason, most of them the same one.
type shelf struct {
	scope    scope
	general  *sla.Rule
	byReason []*sla.Rule
}

func (s *shelf) rule(r sla.Reason) *sla.Rule {
	if int(r) < len(s.byReason) {
		return s.byReason[r]
	}
	return s.general
}

// A Store is one declared store. Env holds its connector's variables without their prefix, secrets among them: it is for the
// connector only, and no way of printing a Store shows it.
type Store struct {
	ID       sla.StoreID
	Platform sla.Platform
	Poll     sla.Sourced[time.Duration] // zero when no variable says how often to read its lists
	Env      map[string]string          `json:"-"`
}

// Format keeps every verb, %#v included, from printing secrets.
func (s Store) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%s (%s)", string(s.ID), string(s.Platform)) // a fmt.State cannot fail
}

// Format prints the hash only, whatever the verb: a Book holds secrets.
func (b *Book) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "rulebook %s", b.hash) // a fmt.State cannot fail
}

// For gives the rule of a dispute. A store that is not declared has its platform's rule. It allocates nothing.
func (b *Book) For(p sla.Platform, s sla.StoreID, r sla.Reason) sla.Rule {
	if sh, ok := b.stores[s]; ok {
		return *sh.rule(r)
	}
	if sh, ok := b.platforms[p]; ok {
		return *sh.rule(r)
	}
	return *b.base.rule(r)
}

// Shipments gives the rule of a store's parcels.
func (b *Book) Shipments(s sla.StoreID) sla.ShipmentRule {
	if r, ok := b.parcels[s]; ok {
		return *r
	}
	return *b.parcel
}

// Stores lists the declared stores by their ids.
func (b *Book) Stores() []Store {
	out := slices.Clone(b.declared())
	for i := range out {
		out[i].Env = maps.Clone(out[i].Env)
	}
	return out
}

// Hash names the effective rules and stores in twelve hex digits: two processes with the same hash decide alike. No secret is in it.
func (b *Book) Hash() string { return b.hash }

// book resolves every chain of scopes.
func (l *loader) book(ctx context.Context) *Book {
	b := &Book{
		platforms: map[sla.Platform]*shelf{}, stores: map[sla.StoreID]*shelf{}, parcels: map[sla.StoreID]*sla.ShipmentRule{},
	}
	b.base = l.shelf(ctx, sla.DefaultRule(), scope{})
	b.parcel = l.parcelRule(ctx, "")
	for _, p := range l.options.Platforms {
		b.platforms[p.Name] = l.shelf(ctx, defaultsOf(p), scope{platform: p.Name})
	}
	var declared []Store
	for _, id := range slices.Sorted(maps.Keys(l.stores)) {
		p, known := platformOf(l.options.Platforms, l.stores[id])
		if !known {
			continue
		}
		b.stores[id] = l.shelf(ctx, defaultsOf(p), scope{platform: p.Name, store: id})
		b.parcels[id] = l.parcelRule(ctx, id)
		declared = append(declared, l.store(ctx, id, p))
	}
	b.declared = func() []Store { return declared }
	b.hash = hashOf(b.Rows(Filter{}))
	return b
}

// defaultsOf is what holds on a platform when no variable is set, whatever the platform calls the origin of its values.
func defaultsOf(p Platform) sla.Rule {
	r := sla.DefaultRule()
	if p.Defaults != nil {
		r = p.Defaults(r)
	}
	for _, s := range ruleSettings(&r) {
		*s.from = sla.FromDefault
	}
	return r
}

// shelf resolves one store or platform, and its reasons where a variable speaks of one.
func (l *loader) shelf(ctx context.Context, base sla.Rule, s scope) *shelf {
	out := &shelf{scope: s, general: l.rule(ctx, base, s)}
	for _, r := range sla.Reasons() {
		rule, reasoned := out.general, scope{s.platform, s.store, &r}
		if slices.ContainsFunc(chainOf(reasoned), func(p string) bool { return l.scopes[p] && strings.Contains(p, reasonWord+separator) }) {
			rule = l.rule(ctx, base, reasoned)
		}
		out.byReason = append(out.byReason, rule)
	}
	return out
}

func (l *loader) rule(ctx context.Context, base sla.Rule, s scope) *sla.Rule {
	l.fill(ctx, bindRule(&base), chainOf(s)...)
	return &base
}

// chainOf lists the prefixes of the scopes that apply, most specific first: a store with its reason, the store, its platform with
// the reason, the platform, everywhere.
func chainOf(s scope) []string {
	var out []string
	add := func(s scope) {
		if s.reason != nil {
			out = append(out, s.prefix())
		}
		out = append(out, scope{platform: s.platform, store: s.store}.prefix())
	}
	if s.store != "" {
		add(s)
	}
	if s.platform != "" {
		add(scope{platform: s.platform, reason: s.reason})
	}
	return append(out, prefixRule)
}

func (l *loader) parcelRule(ctx context.Context, id sla.StoreID) *sla.ShipmentRule {
	r := sla.DefaultShipmentRule()
	l.fill(ctx, bindShipment(&r), shipmentPrefix(id), prefixShipment)
	return &r
}

func (l *loader) store(ctx context.Context, id sla.StoreID, p Platform) Store {
	var head storeHead
	l.fill(ctx, bindStore(&head, l.options.Platforms), storePrefix(id))
	out := Store{ID: id, Platform: p.Name, Poll: head.poll, Env: map[string]string{}}
	for _, name := range p.StoreVariables {
		if v, set := l.values[storePrefix(id)+name]; set {
			out.Env[name] = v
		}
	}
	return out
}

func hashOf(rows []Row) string {
	sum := sha256.New()
	for _, r := range rows {
		_, _ = fmt.Fprintf(sum, "%q %q %q\n", r.Scope, r.Variable, r.Value) // a hash cannot fail
	}
	return hex.EncodeToString(sum.Sum(nil))[:12]
}
