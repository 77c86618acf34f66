package fleet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sethvargo/go-envconfig"
	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
	"watchkeeper/sla/rules"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/notify"
	"watchkeeper/workers/redact"
	"watchkeeper/workers/trace"
)

// Prefix is what every variable of the program begins with.
const Prefix = "WK_"

// Config is what an operator sets of the machinery; what concerns disputes and parcels is in sla/rules.
type Config struct {
	Redis   Redis   `env:", prefix=REDIS__"`
	HTTP    HTTP    `env:", prefix=HTTP__"`
	Workers Workers `env:", prefix=WORKERS__"`
	Log     Log     `env:", prefix=LOG__"`
	Vault   Vault   `env:", prefix=VAULT__"`
	// Notify says where warnings and pages are posted; nowhere when nothing is set.
	Notify notify.Config `env:", prefix=NOTIFY__"`
	Trace  Trace         `env:", prefix=TRACE__"`
	// Traces is what the standard variables of OpenTelemetry say; it makes none when nothing is set.
	Traces trace.Config
	// strays are warnings of variables of OpenTelemetry that nobody reads and that look like those that are read.
	strays []string
}

// HTTP says where metrics and probes are served.
type HTTP struct {
	Listen string `env:"LISTEN, default=:9090"`
	// Admin is where the profiler and the settings are served; empty: nowhere. Without a host it is the loopback interface.
	Admin string `env:"ADMIN"`
}

// Workers says how much is done at once, and how often is looked.
type Workers struct {
	// Concurrency is how many jobs run at once in one process.
	Concurrency int `env:"CONCURRENCY, default=32"`
	// Shutdown is how long running jobs have when the process is asked to stop; more than a job's budget.
	Shutdown time.Duration `env:"SHUTDOWN, default=30s"`
	// Sweep is how often the timers are looked at on average: a due case waits twice that at most.
	Sweep time.Duration `env:"SWEEP, default=20ms"`
	// Poll is how often is looked for feeds to read, on average.
	Poll time.Duration `env:"POLL, default=100ms"`
	// Roles is what this process does (Role): all, or a list.
	Roles string `env:"ROLES, default=all"`
}

// DefaultSweep is how often the timers are looked at when no variable says otherwise.
const DefaultSweep = 20 * time.Millisecond

// Log says what is logged.
type Log struct {
	Level  string `env:"LEVEL, default=info"`
	Format string `env:"FORMAT, default=json"`
}

// Variables are the full names of the machinery's variables, for the check of unknown names.
func Variables() []string {
	var out []string
	for _, v := range Describe(Config{}) {
		out = append(out, v.Name)
	}
	return out
}

// LoadConfig reads the machinery's variables and checks them. All mistakes are reported together, each naming its variable.
func LoadConfig(ctx context.Context, env envconfig.Lookuper) (Config, error) {
	all := env
	env, errs := sound(env)
	read := func(target any, prefix string) {
		err := envconfig.ProcessWith(ctx, &envconfig.Config{Target: target, Lookuper: envconfig.PrefixLookuper(Prefix+prefix, env)})
		if err != nil {
			errs = append(errs, fmt.Errorf("%s%s: %w", Prefix, prefix, err))
		}
	}
	var c Config
	read(&c.Redis, "REDIS__")
	read(&c.HTTP, "HTTP__")
	read(&c.Workers, "WORKERS__")
	read(&c.Log, "LOG__")
	read(&c.Vault, "VAULT__")
	read(&c.Notify, "NOTIFY__")
	read(&c.Trace, "TRACE__")
	c.Traces = c.Trace.load(all)
	return c, errors.Join(append(errs, c.validate()...)...)
}

func (c *Config) validate() []error {
	errs := c.Redis.validate()
	bad := func(name, want string) { errs = append(errs, fmt.Errorf("%s%s: %s", Prefix, name, want)) }
	if !isAddr(c.HTTP.Listen) {
		bad("HTTP__LISTEN", "want host:port with a number below 65536, for example :9090")
	}
	if c.HTTP.Admin != "" && !isAddr(c.HTTP.Admin) {
		bad("HTTP__ADMIN", "want host:port with a number below 65536, for example 127.0.0.1:9091")
	} else if c.HTTP.Admin != "" && collide(c.HTTP.Listen, adminAddr(c.HTTP.Admin)) {
		bad("HTTP__ADMIN", "want another port than that of WK_HTTP__LISTEN, for example 127.0.0.1:9091")
	}
	if _, err := c.Vault.keys(); err != nil {
		errs = append(errs, err)
	}
	if c.Workers.Concurrency < 1 || c.Workers.Concurrency > 1000 {
		bad("WORKERS__CONCURRENCY", "want 1 to 1000")
	}
	if c.Workers.Shutdown < time.Second || c.Workers.Shutdown > 10*time.Minute {
		bad("WORKERS__SHUTDOWN", "want 1s to 10m")
	}
	if c.Workers.Sweep < time.Millisecond || c.Workers.Sweep > 30*time.Second { // looks are up to twice that apart, and deadAfter is more
		bad("WORKERS__SWEEP", "want 1ms to 30s")
	}
	if c.Workers.Poll < time.Millisecond || c.Workers.Poll > time.Minute {
		bad("WORKERS__POLL", "want 1ms to 1m")
	}
	if _, err := c.Workers.roles(); err != nil {
		bad("WORKERS__ROLES", err.Error())
	}
	if _, err := zap.ParseAtomicLevel(c.Log.Level); err != nil {
		bad("LOG__LEVEL", "want debug, info, warn or error")
	}
	if c.Log.Format != "json" && c.Log.Format != "console" {
		bad("LOG__FORMAT", "want json or console")
	}
	return append(errs, c.Notify.Validate(transport.SecretFile)...)
}

// Options is everything a fleet is made of.
type Options struct {
	Config   Config
	Book     *rules.Book
	Registry connectors.Registry
	Now      func() time.Time
	// VirtualTime says that Now is no clock of this world, and is not held against that of Redis.
	VirtualTime bool
	Log         *zap.Logger
	// HTTP carries the calls to the platforms; nil: the transport's own.
	HTTP http.RoundTripper
	// Notify is told of warnings and pages besides the log, the metrics and the hooks of Config.Notify; nil: nobody.
	Notify handle.Notifier
	// Redactor takes secrets out of the ids that spans carry; nil: one that knows their forms only.
	Redactor *redact.Redactor
	// Idle is how long a worker that finds no job waits before it looks again; 0: a fifth of a second.
	Idle time.Duration
}

func (o *Options) validate() error {
	switch {
	case o.Book == nil:
		return errors.New("fleet options: no rulebook")
	case len(o.Registry) == 0:
		return errors.New("fleet options: no platforms")
	case o.Now == nil:
		return errors.New("fleet options: no clock")
	case o.Log == nil:
		return errors.New("fleet options: no logger")
	}
	if o.Idle == 0 {
		o.Idle = 200 * time.Millisecond
	}
	return errors.Join(o.Config.validate()...)
}
