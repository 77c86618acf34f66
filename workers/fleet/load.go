package fleet

import (
	"context"
	"errors"
	"strings"

	"github.com/sethvargo/go-envconfig"

	"watchkeeper/connectors"
	"watchkeeper/sla/rules"
)

// Load reads the whole environment ("NAME=value" entries, as os.Environ gives them): the machinery's variables and the rulebook. Every
// mistake of both is in the one error.
func Load(ctx context.Context, environ []string, registry connectors.Registry) (Config, *rules.Book, error) {
	config, err := LoadConfig(ctx, lookuper(environ))
	book, bookErr := rules.Load(ctx, environ, RuleOptions(registry))
	return config, book, errors.Join(err, bookErr)
}

// RuleOptions tells the rulebook which platforms there are, and which variables belong to the machinery.
func RuleOptions(registry connectors.Registry) rules.Options {
	o := rules.Options{Also: Variables()}
	for _, p := range registry {
		o.Platforms = append(o.Platforms, rules.Platform{Name: p.Name, Defaults: p.Defaults, StoreVariables: p.Variables})
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
