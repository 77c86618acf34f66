package fleet

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/sethvargo/go-envconfig"

	"watchkeeper/connectors/transport"
	"watchkeeper/sla/rules"
	"watchkeeper/workers/redact"
	"watchkeeper/workers/trace"
)

// Trace is what an operator sets of the traces beside the standard variables of OpenTelemetry, which say whether there are any and where they go.
type Trace struct {
	// HeadersFile names a file that holds the value of OTEL_EXPORTER_OTLP_HEADERS, and excludes it.
	HeadersFile string `env:"HEADERS_FILE"`
}

// load reads the standard variables.
func (t Trace) load(env envconfig.Lookuper) trace.Config {
	var file func() (string, error)
	if t.HeadersFile != "" {
		file = func() (string, error) { return transport.SecretFile(t.HeadersFile) }
	}
	return trace.Load(env.Lookup, file)
}

// others begin the names of standard variables that are none of ours: whoever sets them up for all programs of a machine means no other.
var others = []string{
	"OTEL_EXPORTER_OTLP_METRICS_", "OTEL_EXPORTER_OTLP_LOGS_", "OTEL_EXPORTER_OTLP_PROFILES_", "OTEL_EXPORTER_OTLP_INSECURE", "OTEL_EXPORTER_OTLP_TRACES_INSECURE",
	"OTEL_METRIC", "OTEL_LOG", "OTEL_BLRP_", "OTEL_BSP_EXPORT_TIMEOUT",
}

// strays tells of names that look like those of variables of traces that are read, and are not.
func strays(environ []string) []string {
	var out []string
	known := trace.Variables()
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		switch {
		case !strings.HasPrefix(strings.ToUpper(name), "OTEL_"), slices.Contains(known, name),
			slices.ContainsFunc(others, func(begin string) bool { return strings.HasPrefix(name, begin) }):
		default:
			if near := rules.Nearest(strings.ToUpper(name), known); near != "" {
				out = append(out, name+": no such variable of traces is read; did you mean "+near+"?")
			}
		}
	}
	slices.Sort(out)
	return out
}

// TraceWarnings says what is wrong with the variables of OpenTelemetry, which is no mistake of the configuration.
func (c *Config) TraceWarnings() []string { return slices.Concat(c.Traces.Warnings(), c.strays) }

// traceDrain is how long spans that wait may still be sent when the process stops, as the last of all parts. With what the hooks may take it is less
// than what Run leaves for the parts after the queue.
const traceDrain = 2 * time.Second

// openTrace makes the tracer; it is the first part, and so ends as the last.
func (f *Fleet) openTrace(context.Context) error {
	r := f.o.Redactor
	if r == nil {
		r = redact.New()
	}
	f.trace = trace.Open(trace.Options{
		Config: f.o.Config.Traces, Version: Version(), Instance: f.process, Now: f.o.Now, Log: f.o.Log, Reg: f.reg, Clean: r.String,
	})
	f.onStop("traces", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, traceDrain)
		defer cancel()
		f.trace.Close(ctx)
		return nil
	})
	return nil
}
