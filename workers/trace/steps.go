package trace

import (
	"context"
	"time"

	oteltrace "go.opentelemetry.io/otel/trace"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// Now is the tracer's clock, for steps of which it is known only at their end what they are; zero where nothing is traced.
func (t *Tracer) Now() time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.now()
}

// Poll begins the reading of a feed, which is a trace of its own: a page has thousands of rows.
func (t *Tracer) Poll(ctx context.Context, platform sla.Platform, store sla.StoreID, feed string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	return t.begin(ctx, "poll", oteltrace.WithNewRoot(), oteltrace.WithTimestamp(t.now()),
		oteltrace.WithAttributes(keyPlatform.String(t.clean(string(platform))), keyStore.String(t.clean(string(store))), keyFeed.String(t.clean(feed))))
}

// Job begins a job that is about no turn, as those about parcels are. It goes on under the span that asked for it.
func (t *Tracer) Job(ctx context.Context, kind string, store sla.StoreID) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	parent, try := brought(ctx, "")
	ctx = oteltrace.ContextWithSpanContext(ctx, parent)
	return t.begin(ctx, kind, oteltrace.WithSpanKind(oteltrace.SpanKindConsumer), oteltrace.WithTimestamp(t.now()),
		oteltrace.WithAttributes(keyKind.String(kind), keyTry.Int(try), keyStore.String(t.clean(string(store)))))
}

// Case begins a job's work on one case, in the trace of its turn: under the span that asked for it, if that is of the same turn, else as a root that
// is linked to it.
func (t *Tracer) Case(ctx context.Context, kind string, platform sla.Platform, c sla.Case) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	parent, try := brought(ctx, c.ID.String())
	ctx, span := t.turn(ctx, kind, of{c.ID, platform, c.Obligation.Turn}, parent, oteltrace.WithSpanKind(oteltrace.SpanKindConsumer), oteltrace.WithTimestamp(t.now()))
	if span.t != nil {
		span.span.SetAttributes(keyKind.String(kind), keyTry.Int(try))
	}
	return ctx, span
}

// A Row is a dispute that was read, and what was on record before.
type Row struct {
	ID       sla.DisputeID
	Platform sla.Platform
	Turn     sla.Turn  // 0: nothing is owed
	Before   sla.Turn  // on record; 0: none
	Began    time.Time // zero: now
}

// Row begins the recording of a dispute, in the trace of the turn that it shows, or of the one that it ends. A turn that has begun leaves a last span
// in the trace of the one before. The reading that brought it is linked.
func (t *Tracer) Row(ctx context.Context, r Row) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	if r.Began.IsZero() {
		r.Began = t.now()
	}
	about := of{r.ID, r.Platform, r.Turn}
	if about.turn == 0 {
		about.turn = r.Before
	}
	ctx, span := t.turn(ctx, "intake", about, oteltrace.SpanContextFromContext(ctx), oteltrace.WithTimestamp(r.Began))
	if r.Before != 0 && r.Before != about.turn {
		_, last := t.turn(ctx, "turn ended", of{r.ID, r.Platform, r.Before}, oteltrace.SpanContextFromContext(ctx), oteltrace.WithTimestamp(r.Began))
		last.End()
	}
	return ctx, span
}

// of is what the spans of a turn are about.
type of struct {
	id       sla.DisputeID
	platform sla.Platform
	turn     sla.Turn
}

// turn begins a span in the trace of a turn.
func (t *Tracer) turn(ctx context.Context, name string, o of, parent oteltrace.SpanContext, options ...oteltrace.SpanStartOption) (context.Context, Span) {
	identity := Of(o.id, o.turn)
	if parent.TraceID() == identity {
		ctx = oteltrace.ContextWithSpanContext(ctx, parent)
	} else {
		ctx = context.WithValue(ctx, chosen{}, identity)
		options = append(options, oteltrace.WithNewRoot())
		if parent.IsSampled() {
			options = append(options, oteltrace.WithLinks(oteltrace.Link{SpanContext: parent}))
		}
	}
	ctx, span := t.begin(ctx, name, options...)
	if span.t != nil {
		span.span.SetAttributes(keyStore.String(t.clean(string(o.id.Store))), keyDispute.String(t.clean(o.id.String())), keyTurn.String(o.turn.String()))
		if o.platform != "" {
			span.span.SetAttributes(keyPlatform.String(t.clean(string(o.platform))))
		}
	}
	return ctx, span
}

// A Step is a part of a case's work.
type Step string

// The steps.
const (
	StepClaim   Step = "ledger.claim"
	StepIntent  Step = "ledger.intent"
	StepSettle  Step = "ledger.settle"
	StepConfirm Step = "confirm" // the platform is asked what became of an answer
)

// Step begins a step with a slot of the ledger, in the trace of the slot's turn: what became of an answer may be learnt when the next turn has begun.
func (t *Tracer) Step(ctx context.Context, step Step, key sla.AttemptKey) (context.Context, Span) {
	return t.step(ctx, step, key, t.Now())
}

func (t *Tracer) step(ctx context.Context, step Step, key sla.AttemptKey, began time.Time) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	return t.turn(ctx, string(step), of{key.Dispute, key.Dispute.Platform, key.Turn}, oteltrace.SpanContextFromContext(ctx), oteltrace.WithTimestamp(began))
}

// Claimed is the claim of a slot that has ended: several are claimed at once.
func (t *Tracer) Claimed(ctx context.Context, key sla.AttemptKey, c sla.Claim, began time.Time) {
	_, span := t.step(ctx, StepClaim, key, began)
	span.Stands(c.Attempt)
	span.Fail(c.Err)
	span.End()
}

// Call is a request to a platform that has ended, under the span of the context. It tells the operation and nothing that was sent.
func (t *Tracer) Call(ctx context.Context, platform sla.Platform, c connectors.Called) {
	if t == nil || !oteltrace.SpanContextFromContext(ctx).IsSampled() {
		return
	}
	class := "read"
	if c.Effect {
		class = "effect"
	}
	end := t.now()
	_, span := t.begin(ctx, c.Op, oteltrace.WithSpanKind(oteltrace.SpanKindClient), oteltrace.WithTimestamp(end.Add(-c.Took)),
		oteltrace.WithAttributes(keyPlatform.String(string(platform)), keyCall.String(class)))
	if span.t != nil && c.Status != 0 {
		span.span.SetAttributes(keyStatus.Int(c.Status))
	}
	if span.t != nil && c.Kind != connectors.KindNone {
		span.failed(c.Kind.String())
	}
	span.endAt(end)
}
