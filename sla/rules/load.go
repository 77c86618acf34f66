package rules

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"watchkeeper/sla"
	"watchkeeper/sla/calendar"
)

// A Platform is what the rulebook needs to know of a platform.
type Platform struct {
	Name sla.Platform
	// Defaults changes the general defaults into the platform's own; nil leaves them.
	Defaults func(sla.Rule) sla.Rule
	// StoreVariables are the names that the platform's connector reads under a store's prefix, without the prefix.
	StoreVariables []string
	// ParcelsOnly says that it tells of parcels alone: nothing is answered there, whatever the rules say.
	ParcelsOnly bool
}

// Options say what may be in the environment.
type Options struct {
	Platforms []Platform
	// Also are full names of WK_ variables that other parts of the program read; a name ending in * is a beginning.
	Also []string
}

var (
	errBytes = errors.New("holds bytes that no value may hold (NUL or invalid UTF-8)")
	errEmpty = errors.New("empty; unset it to get the default")
)

// Load reads the variables under WK_ of an environment in the form of os.Environ. The book is that of the time before any date that a
// variable names; At gives the others. The error is a *Report of everything that is wrong.
func Load(ctx context.Context, env []string, o Options) (*Book, error) {
	l := newLoader(o)
	l.checkOptions()
	l.read(env)
	l.findStores()
	l.findCalendars()
	l.check()
	l.date()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	book := l.book()
	l.crossCheck(book)
	if len(l.problems) > 0 {
		slices.SortStableFunc(l.problems, func(a, b Problem) int { return strings.Compare(a.Variable, b.Variable) })
		return nil, &Report{Problems: l.problems}
	}
	return book, nil
}

type loader struct {
	options   Options
	platforms map[string]sla.Platform // by the word in a name
	reasons   map[string]sla.Reason
	exact     map[string]bool // what other parts of the program read
	begins    []string

	values    map[string]string // of WK_ variables
	stores    map[sla.StoreID]*sla.Sourced[sla.Platform]
	calendars map[string]*calendar.Calendar // nil when it is declared and wrong
	spoiled   map[string]bool               // variables that were reported

	rules   *desk[sla.Rule]
	parcels *desk[sla.ShipmentRule]
	heads   *desk[storeHead]
	texts   *desk[calendarText]

	entries  map[scope][]*entry
	eras     eras
	known    []string
	problems []Problem
}

// An entry is an accepted variable of a scope, in the order of the names: a season's value comes behind the one that holds otherwise.
type entry struct {
	accepted
	name   string
	field  int // its number among the settings
	season bool
	when   Span
	span   span
}

func newLoader(o Options) *loader {
	l := &loader{
		options: o, platforms: map[string]sla.Platform{}, reasons: map[string]sla.Reason{}, exact: map[string]bool{}, values: map[string]string{},
		stores: map[sla.StoreID]*sla.Sourced[sla.Platform]{}, calendars: map[string]*calendar.Calendar{}, spoiled: map[string]bool{},
		entries: map[scope][]*entry{},
	}
	for _, p := range o.Platforms {
		l.platforms[strings.ToUpper(string(p.Name))] = p.Name
	}
	for _, r := range sla.Reasons() {
		l.reasons[strings.ToUpper(r.String())] = r
	}
	for _, name := range o.Also {
		if begin, open := strings.CutSuffix(name, "*"); open {
			l.begins = append(l.begins, begin)
		} else {
			l.exact[name] = true
		}
	}
	l.rules, l.parcels, l.heads, l.texts = newRuleDesk(l.calendars), newParcelDesk(), newStoreDesk(o.Platforms), newCalendarDesk()
	return l
}

func (l *loader) report(p Problem) {
	l.spoiled[p.Variable] = true
	l.problems = append(l.problems, p)
}

// checkOptions refuses platforms whose names cannot be told apart in a variable.
func (l *loader) checkOptions() {
	reserved := []string{storeWord, reasonWord, carrierWord, laneWord, anyWord}
	for _, s := range l.rules.settings {
		reserved = append(reserved, s.about.Name)
	}
	for _, p := range l.options.Platforms {
		upper := strings.ToUpper(string(p.Name))
		if !sla.StoreID(upper).Valid() || strings.ToLower(upper) != string(p.Name) || slices.Contains(reserved, upper) {
			l.report(Problem{
				Variable: prefixRule + printable(upper), Detail: "the program registers a platform that no variable can name",
				Expected: "lower-case letters and digits, and no word that names already have",
			})
		}
	}
}

// read keeps what is ours of the environment.
func (l *loader) read(env []string) {
	for _, item := range env {
		name, value, ok := strings.Cut(item, "=")
		if !strings.HasPrefix(strings.ToUpper(name), prefixAll) {
			continue
		}
		before, twice := l.values[name]
		switch {
		case !ok:
			l.report(Problem{Variable: printable(name), Detail: "has no value", Expected: "NAME=value"})
		case twice && before != value:
			l.report(Problem{Variable: printable(name), Value: redacted, Detail: "is set twice, differently"})
		default:
			l.values[name] = value
		}
	}
}

// findStores takes every store that any variable speaks of, so that a store without a platform is one mistake.
func (l *loader) findStores() {
	for name := range l.values {
		rest, ok := strings.CutPrefix(name, prefixStore)
		word, variable, level := strings.Cut(rest, separator)
		id := sla.StoreID(word)
		if !ok || !level || variable == "" || !id.Valid() || l.stores[id] != nil {
			continue
		}
		from := storePrefix(id) + platformVariable
		if _, declares := l.values[from]; l.platforms[word] != "" && !declares {
			continue // it speaks of all stores on the platform
		}
		p := sla.By(from, sla.Platform(strings.TrimSpace(l.values[from])))
		l.stores[id] = &p
	}
	for _, id := range l.storeIDs() {
		variable := l.stores[id].From
		if _, set := l.values[variable]; !set {
			l.report(Problem{
				Variable: variable, Detail: "is not set, and other variables of the store are", Expected: "the store's platform",
				Example: "aliexpress",
			})
		}
		if l.isReserved(id) {
			l.report(Problem{
				Variable: variable, Detail: "the id of the store is a word that names of variables already have",
				Expected: "a store id that is no platform and none of STORE, REASON, CARRIER, LANE and ANY", Example: storePrefix("AE01") + platformVariable,
			})
		}
	}
}

func (l *loader) storeIDs() []sla.StoreID { return slices.Sorted(maps.Keys(l.stores)) }

// reads reports whether the store's connector is the platform's. A store whose platform is not known may hold the variables of any, so
// that one mistake is not told as ten.
func (l *loader) reads(id sla.StoreID, p Platform) bool {
	of := l.stores[id].Value
	_, known := platformOf(l.options.Platforms, of)
	return p.Name == of || !known
}

func platformOf(platforms []Platform, name sla.Platform) (Platform, bool) {
	for _, p := range platforms {
		if p.Name == name {
			return p, true
		}
	}
	return Platform{}, false
}

// declared finds the declaration of a variable. One of a connector and of other parts of the program is declared elsewhere, and has none
// here.
func (l *loader) declared(a address) (s *setting, field int, legal bool) {
	find := func(all []setting, byName map[string]int) {
		if i, ok := byName[a.variable]; ok {
			s, field, legal = &all[i], i, true
		}
	}
	switch a.scope.noun {
	case NounStore:
		switch find(l.heads.settings, l.heads.byName); {
		case legal:
			legal = !s.fixed || a.scope.store != "" && !a.season && a.dating == ""
			return s, field, legal
		case a.scope.store == "", a.season, a.dating != "":
			return nil, 0, false // what connectors read is each store's, and always the same
		}
		legal = slices.ContainsFunc(l.options.Platforms, func(p Platform) bool {
			return l.reads(a.scope.store, p) && slices.Contains(p.StoreVariables, a.variable)
		})
		return nil, 0, legal
	case NounCalendar:
		find(l.texts.settings, l.texts.byName)
	case NounShipment:
		find(l.parcels.settings, l.parcels.byName)
	default:
		find(l.rules.settings, l.rules.byName)
		if legal && s.alone && a.scope != (scope{}) {
			return nil, 0, false
		}
	}
	return s, field, legal
}

// check looks at each variable by itself. What is wrong is reported and has no entry.
func (l *loader) check() {
	for _, name := range slices.Sorted(maps.Keys(l.values)) {
		foreign := l.exact[name] || slices.ContainsFunc(l.begins, func(begin string) bool { return strings.HasPrefix(name, begin) })
		a, legal := l.parse(name)
		var s *setting
		var field int
		if legal {
			s, field, legal = l.declared(a)
		}
		switch {
		case foreign:
			s = nil
		case !legal:
			l.report(Problem{Variable: printable(name), Value: redacted, Detail: l.diagnose(name), Suggestion: l.suggest(name)})
			continue
		case a.dating != "":
			continue // read with its variable
		}
		v, err := checkValue(name, l.values[name], s)
		if err != nil {
			l.reportValue(name, s, err)
			continue
		}
		if s != nil && !l.spoiled[name] {
			l.entries[a.scope] = append(l.entries[a.scope], &entry{accepted: v, name: name, field: field, season: a.season})
		}
	}
}

func checkValue(name, value string, s *setting) (accepted, error) {
	switch {
	case strings.ContainsRune(value, 0) || !utf8.ValidString(value):
		return accepted{}, errBytes
	case strings.TrimSpace(value) == "":
		return accepted{}, errEmpty
	case s == nil:
		return accepted{}, nil
	}
	return s.parse(value, name)
}

// reportValue tells what a variable's declaration does not take.
func (l *loader) reportValue(name string, s *setting, err error) {
	p := Problem{Variable: name, Value: shown(name, l.values[name]), Detail: err.Error()}
	if s != nil {
		p.Expected, p.Example = s.about.Type, s.about.Example
		if s.about.Bounds != "" {
			p.Expected += " (" + s.about.Bounds + ")"
		}
	}
	l.report(p)
}
