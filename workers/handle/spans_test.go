package handle_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/job"
	"watchkeeper/workers/trace"
	"watchkeeper/workers/trace/tracetest"
)

// traced has the handlers make spans; told ends that, and gives those of a name.
func (w *world) traced(t *testing.T) (told func(name string) []tracetest.Span) {
	t.Helper()
	c := tracetest.New(t)
	tracer, flush := c.Tracer(func() time.Time { return w.now }, nil)
	d := w.handlers.Deps
	d.Trace = tracer
	w.handlers = handle.New(d)
	return func(name string) []tracetest.Span {
		flush()
		return c.Named(name)
	}
}

func TestTheSpanOfACaseSaysWhyItWasPutOff(t *testing.T) {
	t.Parallel()
	for why, hinder := range map[string]func(*testing.T, *world){
		"held_elsewhere": func(t *testing.T, w *world) {
			key := sla.AttemptKey{Dispute: w.kase().ID, Turn: w.kase().Obligation.Turn}
			if c := w.memory.ClaimAttempts(context.Background(), []sla.AttemptKey{key}, w.now, time.Hour)[0]; c.Err != nil {
				t.Fatal(c.Err)
			}
		},
		"money_frozen": func(_ *testing.T, w *world) { w.memory.frozen = w.now.Add(time.Minute) },
		"switched_off": func(_ *testing.T, w *world) {
			w.memory.kills = []sla.KillScope{{Store: "AE01"}}
			w.do(w.job(job.Respond)) // it reads, and is stopped
		},
		"no_time": func(_ *testing.T, w *world) { w.handlers.StopBy(w.now) },
		"":        func(*testing.T, *world) {},
	} {
		w := opened(t)
		w.now = actAt
		reads := 0
		w.thawing(&reads)
		told := w.traced(t)
		hinder(t, w)
		w.do(w.job(job.Respond))
		spans := told(string(job.Respond))
		if len(w.failed) != 0 || len(spans) == 0 {
			t.Fatalf("%s: %d spans, failed %v", why, len(spans), w.failed)
		}
		var events []string
		for _, s := range spans {
			events = append(events, s.Events...)
		}
		if put := slices.Contains(events, "put off why="+why); put != (why != "") || (why == "") != (len(w.platform.sent) == 1) {
			t.Errorf("%s: got %v, %d sent", why, events, len(w.platform.sent))
		}
	}
}

func TestTheSpansOfAFailedStepAndItsJobSayOfWhatKind(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]map[string]string{
		"record intent": {string(trace.StepIntent): "other", string(job.Respond): "other"},
		"":              {string(trace.StepIntent): "", string(job.Respond): ""},
	} {
		w := opened(t)
		w.now = actAt
		told := w.traced(t)
		w.fault = func(p point) bool { return p.name == at && p.when == "before" }
		w.do(w.job(job.Respond))
		for name, kind := range want {
			spans := told(name)
			if len(spans) == 0 {
				t.Errorf("%q fails: no span %s", at, name)
			}
			for _, s := range spans {
				if s.Error != kind {
					t.Errorf("%q fails: want the span %s to say %q, got %q", at, name, kind, s.Error)
				}
			}
		}
	}
}
