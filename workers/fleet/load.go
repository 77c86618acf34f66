package fleet

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/sethvargo/go-envconfig"
	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla/rules"
)

// Load reads the whole environment ("NAME=value" entries, as os.Environ gives them): the machinery's variables and the rulebook. Every
// mistake of both is in the one error. Pairs of quotes around a whole value are left out.
func Load(ctx context.Context, environ []string, registry connectors.Registry) (Config, *rules.Book, error) {
	environ = withoutQuotes(environ)
	config, err := LoadConfig(ctx, lookuper(environ))
	config.strays = strays(environ)
	book, bookErr := rules.Load(ctx, environ, RuleOptions(registry))
	return config, book, errors.Join(err, bookErr)
}

// Check loads as Load does and builds the connector of every store without any call, so that the one error holds every mistake there is.
func Check(ctx context.Context, environ []string, registry connectors.Registry, now func() time.Time) (Config, *rules.Book, error) {
	config, book, err := Load(ctx, environ, registry)
	stores, wrong := book, wrongVariables(err)
	if stores == nil { // what is left may hold mistakes that only the connectors know
		_, stores, _ = Load(ctx, Bare(environ, wrong), registry)
	}
	if stores == nil {
		return config, nil, err
	}
	return config, book, errors.Join(err, CheckStores(ctx, Options{Config: config, Book: stores, Registry: registry, Now: now, Log: zap.NewNop()}, wrong))
}

// wrongVariables are those that a report of the rulebook names.
func wrongVariables(err error) []string {
	var report *rules.Report
	if !errors.As(err, &report) {
		return nil
	}
	out := make([]string, len(report.Problems))
	for i, p := range report.Problems {
		out[i] = p.Variable
	}
	return out
}

// Bare is an environment without its rules and without the given variables: what is left may be looked at whatever the rules say. A store
// without a platform goes as a whole: its variables cannot be judged.
func Bare(environ, wrong []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.ContainsFunc(RuleNouns, func(noun string) bool { return strings.HasPrefix(strings.ToUpper(entry), noun) }) ||
			slices.ContainsFunc(wrong, func(variable string) bool {
				store, whole := strings.CutSuffix(variable, "PLATFORM")
				return name == variable || whole && strings.HasPrefix(name, store)
			})
	})
}

// RuleOptions tells the rulebook which platforms there are, and which variables belong to the machinery.
func RuleOptions(registry connectors.Registry) rules.Options {
	o := rules.Options{Also: Variables()}
	for _, p := range registry {
		o.Platforms = append(o.Platforms, rules.Platform{
			Name: p.Name, Defaults: p.Defaults, StoreVariables: p.Variables, ParcelsOnly: p.Capabilities.Shipments && !p.Capabilities.Disputes,
		})
	}
	return o
}

// lookuper makes a map of an environment; the last entry of a name counts, as it does for a process.
func lookuper(environ []string) envconfig.Lookuper {
	m := make(map[string]string, len(environ))
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok {
			m[name] = value
		}
	}
	return envconfig.MapLookuper(m)
}
