package rules

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sethvargo/go-envconfig"

	"watchkeeper/sla"
)

// A Platform is what the rulebook needs to know of a platform.
type Platform struct {
	Name sla.Platform
	// Defaults changes the general defaults into the platform's own; nil leaves them.
	Defaults func(sla.Rule) sla.Rule
	// StoreVariables are the names that the platform's connector reads under a store's prefix, without the prefix.
	StoreVariables []string
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

// Load reads the variables under WK_ of an environment in the form of os.Environ. The error is a *Report of everything that is wrong.
func Load(ctx context.Context, env []string, o Options) (*Book, error) {
	l := &loader{options: o, values: map[string]string{}, scopes: map[string]bool{}, stores: map[sla.StoreID]sla.Platform{}}
	l.checkOptions()
	l.read(env)
	l.findStores()
	l.check(newVocabulary(o, l.stores))
	book := l.book(ctx)
	l.crossCheck(book)
	if len(l.problems) > 0 {
		slices.SortStableFunc(l.problems, func(a, b Problem) int { return strings.Compare(a.Variable, b.Variable) })
		return nil, &Report{Problems: l.problems}
	}
	return book, nil
}

type loader struct {
	options  Options
	values   map[string]string // of WK_ variables; what is wrong is taken out once it is reported
	scopes   map[string]bool   // prefixes under which a value is set
	stores   map[sla.StoreID]sla.Platform
	problems []Problem
}

func (l *loader) report(p Problem) { l.problems = append(l.problems, p) }

// checkOptions refuses platforms whose names cannot be told apart in a variable.
func (l *loader) checkOptions() {
	for _, p := range l.options.Platforms {
		upper := strings.ToUpper(string(p.Name))
		if !sla.StoreID(upper).Valid() || strings.ToLower(upper) != string(p.Name) || upper == storeWord {
			l.report(Problem{
				Variable: prefixRule + printable(upper), Detail: "the program registers a platform that no variable can name",
				Expected: "lower-case letters and digits, not " + strings.ToLower(storeWord),
			})
		}
	}
}

// read keeps what is ours of the environment.
func (l *loader) read(env []string) {
	for _, entry := range env {
		name, value, ok := strings.Cut(entry, "=")
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
		id, variable, level := strings.Cut(rest, separator)
		if !ok || !level || variable == "" || !sla.StoreID(id).Valid() {
			continue
		}
		l.stores[sla.StoreID(id)] = sla.Platform(strings.TrimSpace(l.values[storePrefix(sla.StoreID(id))+"PLATFORM"]))
	}
	for _, id := range slices.Sorted(maps.Keys(l.stores)) {
		variable := storePrefix(id) + "PLATFORM"
		if _, set := l.values[variable]; !set {
			l.report(Problem{
				Variable: variable, Detail: "is not set, and other variables of the store are", Expected: "the store's platform",
				Example: "aliexpress",
			})
		}
	}
}

// check looks at each variable by itself, and drops what it reports.
func (l *loader) check(known *vocabulary) {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(l.values)) {
		declared, legal := known.legal(name)
		if !legal {
			if names == nil {
				names = known.names()
			}
			l.report(Problem{
				Variable: printable(name), Value: redacted, Detail: diagnose(name, l.options, l.stores),
				Suggestion: nearest(strings.ToUpper(name), names),
			})
			delete(l.values, name)
			continue
		}
		if p, wrong := checkValue(name, l.values[name], declared); wrong {
			l.report(p)
			delete(l.values, name)
			continue
		}
		l.scopes[name[:strings.LastIndex(name, separator)+len(separator)]] = true
	}
}

func checkValue(name, value string, declared *setting) (Problem, bool) {
	p := Problem{Variable: name, Value: shown(name, value)}
	var err error
	switch {
	case strings.ContainsRune(value, 0) || !utf8.ValidString(value):
		err = errBytes
	case strings.TrimSpace(value) == "":
		err = errEmpty
	case declared != nil:
		err = declared.set(value, name)
	default:
		return p, false
	}
	if err == nil {
		return p, false
	}
	p.Detail = err.Error()
	if declared != nil {
		p.Expected, p.Example = declared.about.Type, declared.about.Example
		if declared.about.Bounds != "" {
			p.Expected += " (" + declared.about.Bounds + ")"
		}
	}
	return p, true
}

// chain asks the prefixes in order; the first that has a variable wins.
func (l *loader) chain(prefixes ...string) envconfig.Lookuper {
	// A value travels with the name that it has, so that a setting learns where its value came from.
	named := envconfig.LookuperFunc(func(name string) (string, bool) {
		v, ok := l.values[name]
		return name + originMark + v, ok
	})
	all := make([]envconfig.Lookuper, 0, len(prefixes))
	for _, p := range prefixes {
		all = append(all, envconfig.PrefixLookuper(p, named))
	}
	return envconfig.MultiLookuper(all...)
}

// fill sets a struct of settings. Every value was accepted before, so that an error is a slip of this package.
func (l *loader) fill(ctx context.Context, vars any, prefixes ...string) {
	if err := fill(ctx, vars, l.chain(prefixes...)); err != nil {
		l.report(Problem{Variable: prefixes[0] + "*", Detail: fmt.Sprintf("cannot be read: %v", err)})
	}
}
