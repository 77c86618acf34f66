package fleet

import (
	"context"
	"time"

	"github.com/sethvargo/go-envconfig"

	"watchkeeper/connectors/transport"
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
