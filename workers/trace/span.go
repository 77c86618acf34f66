package trace

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	oteltrace "go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// The names of what is told of spans and events.
const (
	keyStore    = attribute.Key("watchkeeper.store")
	keyPlatform = attribute.Key("watchkeeper.platform")
	keyDispute  = attribute.Key("watchkeeper.dispute")
	keyTurn     = attribute.Key("watchkeeper.turn")
	keyFeed     = attribute.Key("watchkeeper.feed")
	keyPages    = attribute.Key("watchkeeper.pages")
	keyRows     = attribute.Key("watchkeeper.rows")
	keyChanged  = attribute.Key("watchkeeper.changed")
	keyVerdict  = attribute.Key("watchkeeper.verdict")
	keyDue      = attribute.Key("watchkeeper.due")
	keyKind     = attribute.Key("watchkeeper.job.kind")
	keyTry      = attribute.Key("watchkeeper.job.try")
	keyAction   = attribute.Key("watchkeeper.action")
	keyWhy      = attribute.Key("watchkeeper.why")
	keyStage    = attribute.Key("watchkeeper.stage")
	keyLeft     = attribute.Key("watchkeeper.left_seconds")
	keyAnswer   = attribute.Key("watchkeeper.answer")
	keyMode     = attribute.Key("watchkeeper.mode")
	keyOutcome  = attribute.Key("watchkeeper.outcome")
	keyAttempt  = attribute.Key("watchkeeper.attempt")
	keyState    = attribute.Key("watchkeeper.state")
	keyCall     = attribute.Key("watchkeeper.call") // read or effect
	keyStatus   = attribute.Key("http.response.status_code")
	keyError    = attribute.Key("error.type")
)

// A Span is one step of the work. The zero value is none, and everything that is told of it costs nothing.
type Span struct {
	span oteltrace.Span
	t    *Tracer // nil: nobody records
}

// begin begins a span, which whoever asked for it ends.
func (t *Tracer) begin(ctx context.Context, name string, options ...oteltrace.SpanStartOption) (context.Context, Span) {
	ctx, span := t.tracer.Start(ctx, name, options...)
	if !span.IsRecording() {
		return ctx, Span{}
	}
	return ctx, Span{span: span, t: t}
}

// In gives a context in which steps are those of the span.
func (s Span) In(ctx context.Context) context.Context {
	if s.t == nil {
		return ctx
	}
	return oteltrace.ContextWithSpan(ctx, s.span)
}

// End ends the step. To end it again changes nothing.
func (s Span) End() {
	if s.t != nil {
		s.endAt(s.t.now())
	}
}

func (s Span) endAt(at time.Time) {
	if s.t != nil {
		s.span.End(oteltrace.WithTimestamp(at))
	}
}

// Fail says that the step failed, by the kind of its error alone. Without an error it says nothing.
func (s Span) Fail(err error) {
	if s.t == nil || err == nil {
		return
	}
	s.failed(kindOf(err))
}

func (s Span) failed(kind string) {
	s.span.SetStatus(codes.Error, kind)
	s.span.SetAttributes(keyError.String(kind))
}

// Read says what the reading of a feed has brought.
func (s Span) Read(pages, rows, changed int, err error) {
	if s.t == nil {
		return
	}
	kind := connectors.KindOf(err)
	s.span.SetAttributes(keyPages.Int(pages), keyRows.Int(rows), keyChanged.Int(changed), keyOutcome.String(kind.String()))
	if kind != connectors.Throttled { // which is no failure: the platform is there, and asks for patience
		s.Fail(err)
	}
}

// Recorded says what became of a row, and whether work was asked for.
func (s Span) Recorded(verdict string, due bool) {
	if s.t != nil {
		s.span.SetAttributes(keyVerdict.String(verdict), keyDue.Bool(due))
	}
}

// Decided says what was decided about the case.
func (s Span) Decided(d *sla.Decision, left time.Duration) {
	if s.t != nil {
		s.event("decided", keyAction.String(d.Action.String()), keyWhy.String(d.Why.String()), keyStage.String(d.Stage.String()),
			keyMode.String(d.Rule.Mode.Value.String()), keyLeft.Int64(int64(left/time.Second)))
	}
}

// Answered says what became of an answer, or why it did not go out: of the list of outcomes that the metrics have.
func (s Span) Answered(kind sla.AnswerKind, outcome string) {
	if s.t != nil {
		s.event("answer", keyAnswer.String(kind.String()), keyOutcome.String(outcome))
	}
}

// A Hindrance is why nothing came of a step.
type Hindrance string

// The hindrances.
const (
	HeldElsewhere Hindrance = "held_elsewhere" // another worker is at it
	MoneyFrozen   Hindrance = "money_frozen"
	SwitchedOff   Hindrance = "switched_off" // by a kill switch that stopped it a moment ago
	NoSlot        Hindrance = "no_slot"      // the store has too many under way
	NoTime        Hindrance = "no_time"      // the job or the process ends
)

// PutOff says that the case is left to its timer.
func (s Span) PutOff(h Hindrance) {
	if s.t != nil {
		s.event("put off", keyWhy.String(string(h)))
	}
}

// Stands says how a slot of the ledger stands after a step.
func (s Span) Stands(a sla.Attempt) {
	if s.t != nil {
		s.span.SetAttributes(keyState.String(a.State.String()), keyAttempt.Int64(int64(a.N)))
	}
}

func (s Span) event(name string, about ...attribute.KeyValue) {
	s.span.AddEvent(name, oteltrace.WithTimestamp(s.t.now()), oteltrace.WithAttributes(about...))
}

// Told says that a person was told of the case.
func Told(ctx context.Context, channel sla.Channel, why sla.Why, at time.Time) {
	if span := oteltrace.SpanFromContext(ctx); span.IsRecording() {
		span.AddEvent("told", oteltrace.WithTimestamp(at), oteltrace.WithAttributes(attribute.String("watchkeeper.channel", channel.String()), keyWhy.String(why.String())))
	}
}

// Log is a logger whose lines name the trace, where there is one that is recorded.
func Log(ctx context.Context, log *zap.Logger) *zap.Logger {
	if sc := oteltrace.SpanContextFromContext(ctx); sc.IsSampled() {
		return log.With(zap.String(LogField, sc.TraceID().String()))
	}
	return log
}

// LogField names the trace in a line of the log.
const LogField = "trace_id"
