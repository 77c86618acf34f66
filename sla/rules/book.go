package rules

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"watchkeeper/sla"
	"watchkeeper/sla/calendar"
)

// A Book is the rulebook as of one era: the rule of every dispute and parcel between two dates that variables name. It never changes; the
// lists in a rule are shared, so a caller must not write to them.
type Book struct {
	*library
	era int
}

// A library is what the books of all eras share.
type library struct {
	base      *shelf
	platforms map[sla.Platform]*shelf
	stores    map[sla.StoreID]*shelf
	paces     map[sla.StoreID]*paces
	general   map[sla.Platform]*paces // of each platform's stores of which nothing is said
	parcels   *parcelBook
	calendars []*calendar.Calendar
	declared  func() []Store // in a closure, because fmt prints what it finds in the fields of a value, whatever their methods say
	environ   []string
	warnings  []string
	eras      eras
	books     []Book
	hash      string
}

// A Store is one declared store. Env holds its connector's variables without their prefix, secrets among them: it is for the
// connector only, and no way of printing a Store shows it.
type Store struct {
	Pace // in the book's era

	ID       sla.StoreID
	Platform sla.Platform
	Env      map[string]string `json:"-"`
}

// Format keeps every verb, %#v included, from printing secrets.
func (s Store) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%s (%s)", string(s.ID), string(s.Platform)) // a fmt.State cannot fail
}

// Format prints the hash only, whatever the verb: a Book holds secrets.
func (b *Book) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "rulebook %s", b.hash) // a fmt.State cannot fail
}

// At is the book of the era in which an instant lies. It allocates nothing.
func (b *Book) At(t time.Time) *Book { return &b.books[b.eras.at(t)] }

// Eras are the instants at which a rule changes by itself, in order.
func (b *Book) Eras() []time.Time { return slices.Clone(b.eras) }

// For gives the rule of a dispute. A store that is not declared has its platform's rule. It allocates nothing.
func (b *Book) For(p sla.Platform, s sla.StoreID, r sla.Reason) sla.Rule {
	if sh, ok := b.stores[s]; ok {
		return *sh.rule(b.era, r)
	}
	if sh, ok := b.platforms[p]; ok {
		return *sh.rule(b.era, r)
	}
	return *b.base.rule(b.era, r)
}

// Shipments gives the rule of a store's parcels on a lane; what is unknown of the lane is empty. A carrier's code is compared without
// regard to case, and what is neither letter nor digit in it is an underscore. It allocates nothing.
func (b *Book) Shipments(s sla.StoreID, lane sla.Lane) sla.ShipmentRule {
	return b.parcels.rule(b.era, lane, s)
}

// Sold gives the rule of a parcel for a dispute: what is said of the store that sold wins over what is said of the tracker that follows it.
func (b *Book) Sold(seller, tracker sla.StoreID, lane sla.Lane) sla.ShipmentRule {
	return b.parcels.rule(b.era, lane, tracker, seller)
}

// Stores lists the declared stores by their ids.
func (b *Book) Stores() []Store {
	out := slices.Clone(b.declared())
	for i := range out {
		out[i].Env = maps.Clone(out[i].Env)
		out[i].Pace = b.Pace(out[i].ID)
	}
	return out
}

// Warnings are what is no mistake and hardly meant, one sentence each.
func (b *Book) Warnings() []string { return slices.Clone(b.warnings) }

// Environ is the rulebook as variables in canonical form, NAME=value in the order of the names: whoever loads it gets the same rules of all
// eras and the same hash. What the connectors read is left out, secrets with it.
func (b *Book) Environ() []string { return slices.Clone(b.environ) }

// Hash names the rules of all eras and the stores in twelve hex digits: two processes with the same hash decide alike. Nothing that
// connectors read is in it.
func (b *Book) Hash() string { return b.hash }

// Current is the rulebook of now: what a daemon asks whose rules change at dates.
type Current struct {
	Book *Book
	Now  func() time.Time
}

// For gives the rule of a dispute as of now.
func (c Current) For(p sla.Platform, s sla.StoreID, r sla.Reason) sla.Rule {
	return c.Book.At(c.Now()).For(p, s, r)
}

// Hash names the rules of all eras, as that of the book does.
func (c Current) Hash() string { return c.Book.Hash() }

// Shipments gives the rule of a store's parcels on a lane as of now.
func (c Current) Shipments(s sla.StoreID, lane sla.Lane) sla.ShipmentRule {
	return c.Book.At(c.Now()).Shipments(s, lane)
}

// Sold gives the rule of a parcel for a dispute as of now.
func (c Current) Sold(seller, tracker sla.StoreID, lane sla.Lane) sla.ShipmentRule {
	return c.Book.At(c.Now()).Sold(seller, tracker, lane)
}

// book resolves every chain of scopes.
func (l *loader) book() *Book {
	b := &library{
		platforms: map[sla.Platform]*shelf{}, stores: map[sla.StoreID]*shelf{}, paces: map[sla.StoreID]*paces{}, general: map[sla.Platform]*paces{},
		parcels: l.parcelBook(), eras: l.eras, environ: l.canonical(),
	}
	b.base = l.shelf(sla.DefaultRule(), scope{})
	for _, p := range l.options.Platforms {
		b.platforms[p.Name] = l.shelf(l.defaultsOf(p), scope{platform: p.Name})
		b.general[p.Name] = l.pacesOf(p.Name, "")
	}
	var declared []Store
	for _, id := range l.storeIDs() {
		p, known := platformOf(l.options.Platforms, l.stores[id].Value)
		if !known {
			continue
		}
		b.stores[id] = l.shelf(l.defaultsOf(p), scope{platform: p.Name, store: id})
		b.paces[id] = l.pacesOf(p.Name, id)
		declared = append(declared, l.store(id, p))
	}
	b.declared = func() []Store { return declared }
	for _, name := range l.calendarNames() {
		if c := l.calendars[name]; c != nil {
			b.calendars = append(b.calendars, c)
		}
	}
	for era := range len(l.eras) + 1 {
		b.books = append(b.books, Book{b, era})
	}
	b.hash = b.sum()
	return &b.books[0]
}

// defaultsOf is what holds on a platform when no variable is set, whatever the platform calls the origin of its values.
func (l *loader) defaultsOf(p Platform) sla.Rule {
	r := sla.DefaultRule()
	if p.Defaults != nil {
		r = p.Defaults(r)
	}
	for _, s := range l.rules.with(r) {
		*s.from = sla.FromDefault
	}
	return l.rules.work
}

func (l *loader) store(id sla.StoreID, p Platform) Store {
	out := Store{ID: id, Platform: p.Name, Env: map[string]string{}}
	for _, name := range p.StoreVariables {
		if v, set := l.values[storePrefix(id)+name]; set {
			out.Env[name] = v
		}
	}
	return out
}
