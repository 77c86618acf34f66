package rules

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"watchkeeper/sla"
	"watchkeeper/sla/calendar"
)

// A Row is one effective value, for printing.
type Row struct {
	Scope    string // "default", "platform aliexpress", "store AE01, reason damaged", "store AE01, carrier YANWEN, lane CN_BR"
	Variable string // without the scope
	Value    string // as the variable would be written; what a store's connector reads is only said to be set
	From     string // the variable that set it, or sla.FromDefault
}

// A Filter narrows rows; its zero value lets everything through.
type Filter struct {
	Platform sla.Platform
	Store    sla.StoreID
}

// Rows lists the effective values of every scope in the book's era with their origins: the general ones, each platform's, each store's, and
// those of a reason, a carrier or a lane where a variable speaks of it. A store's connector variables are listed as set, never with
// their values.
func (b *Book) Rows(f Filter) []Row {
	p := newPrinter(b)
	var out []Row
	for _, s := range b.scopes(f) {
		rows := p.rows(s)
		if s.noun == NounStore && s.store != "" {
			rows = append(rows, connectorRows(b.declaredStore(s.store))...)
		}
		out = append(out, rows...)
	}
	return out
}

// connectorRows say which variables of the connector are set.
func connectorRows(s Store) []Row {
	var out []Row
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		out = append(out, Row{scope{store: s.ID}.String(), name, "(set)", storePrefix(s.ID) + name})
	}
	return out
}

// scopes lists the scopes whose values differ in the book's era, or could.
func (b *Book) scopes(f Filter) []scope {
	var out []scope
	shelved := func(s *shelf) {
		for _, in := range s.distinct(b.era) {
			out = append(out, in.scope)
		}
	}
	if f == (Filter{}) {
		out = append(out, scope{}, scope{noun: NounShipment})
		out = append(out, b.parcels.general.scopes...)
		for _, c := range b.calendars {
			out = append(out, scope{noun: NounCalendar, calendar: c.Name()})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.platforms)) {
		if f.Store == "" && (f.Platform == "" || f.Platform == name) {
			out = append(out, scope{noun: NounStore, platform: name})
			shelved(b.platforms[name])
		}
	}
	for _, s := range b.declared() {
		if (f.Store == "" || f.Store == s.ID) && (f.Platform == "" || f.Platform == s.Platform) {
			out = append(out, scope{noun: NounStore, store: s.ID})
			shelved(b.stores[s.ID])
			out = append(out, scope{noun: NounShipment, store: s.ID})
			if own, ok := b.parcels.stores[s.ID]; ok {
				out = append(out, own.scopes...)
			}
		}
	}
	return out
}

func (b *Book) declaredStore(id sla.StoreID) Store {
	all := b.declared()
	if i, ok := slices.BinarySearchFunc(all, id, func(s Store, id sla.StoreID) int { return cmp.Compare(s.ID, id) }); ok {
		return all[i]
	}
	return Store{}
}

// A printer writes the values of a book.
type printer struct {
	book    *Book
	rule    *desk[sla.Rule]
	parcels *desk[sla.ShipmentRule]
}

func newPrinter(b *Book) *printer { return &printer{b, newRuleDesk(nil), newParcelDesk()} }

// rows are the values of one scope, whether or not a variable speaks of it; none of a store, a platform or a calendar that the book has not.
func (p *printer) rows(s scope) []Row {
	at := s.String()
	switch s.noun {
	case NounStore:
		if general := p.book.general[s.platform]; general != nil {
			return general.list[general.at(p.book.era)].rows(at)
		}
		own := p.book.declaredStore(s.store)
		if own.ID == "" {
			return nil
		}
		return append([]Row{{at, platformVariable, string(own.Platform), storePrefix(own.ID) + platformVariable}}, p.book.Pace(own.ID).rows(at)...)
	case NounCalendar:
		return p.calendarRows(s)
	case NounShipment:
		if _, declared := p.book.stores[s.store]; !declared && s.store != "" {
			return nil
		}
		// A rule has a RECHECK, too, therefore the names are told apart.
		return rowsOf(s, "SHIPMENT__", p.parcels.with(p.book.Shipments(s.store, sla.Lane{Carrier: s.carrier, Origin: s.origin, Dest: s.dest})))
	}
	sh := p.book.base
	switch {
	case s.store != "":
		sh = p.book.stores[s.store]
	case s.platform != "":
		sh = p.book.platforms[s.platform]
	}
	if sh == nil {
		return nil
	}
	rule := sh.period(p.book.era).general
	if s.reasoned {
		rule = sh.rule(p.book.era, s.reason)
	}
	return rowsOf(s, "", p.rule.with(*rule))
}

func (p *printer) calendarRows(s scope) []Row {
	i, ok := slices.BinarySearchFunc(p.book.calendars, s.calendar, func(c *calendar.Calendar, name string) int {
		return strings.Compare(c.Name(), name)
	})
	if !ok {
		return nil
	}
	var out []Row
	for _, item := range calendarTexts(p.book.calendars[i].Spec()) {
		out = append(out, Row{s.String(), item[0], item[1], s.prefix() + item[0]})
	}
	return out
}

// calendarTexts lists the variables of a calendar and their values.
func calendarTexts(spec calendar.Spec) [][2]string {
	all := [][2]string{{"ZONE", spec.Zone}, {"HOURS", spec.Hours}, {"CLOSED", spec.Closed}, {"OPEN", spec.Open}}
	return slices.DeleteFunc(all, func(item [2]string) bool { return item[1] == "" })
}

func rowsOf(s scope, prefix string, all []setting) []Row {
	return appendRows(make([]Row, 0, len(all)), s, prefix, all)
}

func appendRows(out []Row, s scope, prefix string, all []setting) []Row {
	at := s.String()
	for i := range all {
		if v := &all[i]; !v.alone || s == (scope{}) {
			out = append(out, Row{at, prefix + v.about.Name, v.show(), *v.from})
		}
	}
	return out
}

// Variables describes every variable that the rulebook reads, for the documentation. What a platform's connector reads is listed by
// name; the connector's own page explains it.
func Variables(platforms []Platform) []Variable {
	var out []Variable
	add := func(noun string, all []setting, scopes ...string) {
		for _, s := range all {
			v := s.about
			v.Noun = noun
			in := scopes
			switch {
			case s.alone:
				in = scopes[:1]
			case s.fixed:
				in = scopes[len(scopes)-1:]
			}
			for _, begin := range in {
				v.Scopes = append(v.Scopes, begin+v.Name)
			}
			out = append(out, v)
		}
	}
	const store, platform, reason, carrier, lane = "STORE__<STORE>__", "<PLATFORM>__", "REASON__<REASON>__", "CARRIER__<CARRIER>__", "LANE__<ORIGIN>_<DEST>__"
	add(NounRule, newRuleDesk(nil).settings, prefixRule, prefixRule+platform, prefixRule+platform+reason, prefixRule+store, prefixRule+store+reason)
	const own = prefixShipment + store
	add(NounShipment, newParcelDesk().settings, prefixShipment, prefixShipment+carrier, prefixShipment+lane, prefixShipment+carrier+lane,
		own, own+carrier, own+lane, own+carrier+lane)
	add(NounStore, newStoreDesk(platforms).settings, storePrefix("<PLATFORM>"), storePrefix("<STORE>"))
	add(NounCalendar, newCalendarDesk().settings, prefixCalendar+"<CALENDAR>"+separator)
	for _, word := range []string{fromWord, untilWord, seasonWord} {
		out = append(out, dateVariable(word))
	}
	for _, p := range platforms {
		for _, name := range p.StoreVariables {
			out = append(out, Variable{
				Name: name, Noun: NounStore, Scopes: []string{storePrefix("<STORE>") + name}, Type: "text",
				Sentence: fmt.Sprintf("Read by the connector of %s.", p.Name),
			})
		}
	}
	return out
}

func dateVariable(word string) Variable {
	var scopes []string
	for _, prefix := range []string{prefixRule, prefixShipment, prefixStore} {
		scopes = append(scopes, prefix+"…<VARIABLE>"+separator+word)
	}
	v := Variable{
		Name: word, Noun: NounDate, Scopes: scopes,
		Unit: "UTC", Bounds: "the years 2000 to 2200", Type: "day or instant of RFC 3339", Example: "2027-02-21",
		Sentence: "When the variable ceases to hold in its scope; a day ends it at its midnight, UTC. Then the next less specific scope counts again.",
	}
	switch word {
	case seasonWord:
		v.Unit, v.Bounds, v.Type, v.Example = "", "", "the variable's", "1000USD"
		v.Sentence = "A second value of the variable in the same scope, for the dates that its own `…" + separator + seasonWord + separator + fromWord + "` and `…" +
			separator + seasonWord + separator + untilWord + "` tell and it must have; the variable itself holds at all other times."
	case fromWord:
		v.Type, v.Example = "day, instant of RFC 3339, or first and last day", dateExample
		v.Sentence = "From when on the variable holds in its scope; with two dots and a last day, which is included, until when, too."
	}
	return v
}
