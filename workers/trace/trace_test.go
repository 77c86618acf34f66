package trace_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/trace"
	"watchkeeper/workers/trace/tracetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// ticking is a clock that goes on by a second with each look.
func ticking() func() time.Time {
	var n atomic.Int64
	return func() time.Time { return start.Add(time.Duration(n.Add(1)-1) * time.Second) }
}

func caseOf(native string, turn sla.Turn) sla.Case {
	return sla.Case{
		DisputeRef: sla.DisputeRef{ID: sla.DisputeID{Platform: "aliexpress", Store: "AE01", Native: native}},
		Obligation: sla.Obligation{Turn: turn},
	}
}

func (c tracer) root(turn sla.Turn) (context.Context, trace.Span) {
	return c.Case(context.Background(), "case.assess", "aliexpress", caseOf("1", turn))
}

type tracer struct{ *trace.Tracer }

func newTracer(t *testing.T, env map[string]string) (tracer, *tracetest.Collector, func()) {
	t.Helper()
	c := tracetest.New(t)
	made, flush := c.Tracer(ticking(), env)
	return tracer{made}, c, flush
}

// Whoever begins a span of a turn finds its trace without being told.
func TestATurnHasOneTraceInEveryProcess(t *testing.T) {
	t.Parallel()
	one, first, flushOne := newTracer(t, nil)
	two, second, flushTwo := newTracer(t, nil)
	for _, c := range []tracer{one, two} {
		for turn := range sla.Turn(2) {
			_, s := c.root(turn + 1)
			s.End()
		}
	}
	flushOne()
	flushTwo()
	a, b := first.Spans(), second.Spans()
	if len(a) != 2 || len(b) != 2 || a[0].Trace != b[0].Trace || a[1].Trace != b[1].Trace || a[0].Trace == a[1].Trace || a[0].ID == b[0].ID {
		t.Errorf("want two traces, the same in both, of different spans, got %+v and %+v", a, b)
	}
	if want := trace.Of(caseOf("1", 1).ID, 1).String(); a[0].Trace != want || a[0].Parent != "" {
		t.Errorf("want a root in %s, got %+v", want, a[0])
	}
	other := sla.DisputeID{Store: "AE01", Native: "11"}
	if trace.Of(caseOf("1", 1).ID, 1) == trace.Of(other, 1) || trace.Of(other, 1) == trace.Of(other, 2) {
		t.Error("want different disputes and turns in different traces")
	}
	if trace.Of(sla.DisputeID{Platform: "x", Store: "AE01", Native: "1"}, 1) != trace.Of(sla.DisputeID{Store: "AE01", Native: "1"}, 1) {
		t.Error("want the platform left out: not every record of a dispute names it")
	}
}

// A sampler by the trace's identity takes whole traces, and the same ones everywhere.
func TestASamplerDecidesAlikeInAllProcesses(t *testing.T) {
	t.Parallel()
	const turns = 400
	env := map[string]string{"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.5"}
	one, first, flushOne := newTracer(t, env)
	two, second, flushTwo := newTracer(t, env)
	for turn := range sla.Turn(turns) {
		ctx, s := one.root(turn)
		_, step := one.Step(ctx, trace.StepIntent, sla.AttemptKey{Dispute: caseOf("1", turn).ID, Turn: turn})
		step.End()
		s.End()
		_, s = two.root(turn) // the job was lost: nothing was carried over
		s.End()
	}
	flushOne()
	flushTwo()
	taken := map[string]int{}
	for _, s := range first.Spans() {
		taken[s.Trace]++
	}
	if n := len(taken); n < turns*4/10 || n > turns*6/10 {
		t.Errorf("want about half of %d traces, got %d", turns, n)
	}
	for id, spans := range taken {
		if spans != 2 || len(second.Trace(id)) != 1 {
			t.Errorf("want trace %s whole, got %d spans here and %d there", id, spans, len(second.Trace(id)))
		}
	}
	if len(second.Spans()) != len(taken) {
		t.Errorf("want the same traces in both, got %d and %d", len(taken), len(second.Spans()))
	}
}

func TestAJobCarriesTheParentOfEachOfItsCases(t *testing.T) {
	t.Parallel()
	c, got, flush := newTracer(t, nil)
	_, asking := c.root(1)
	carried := trace.Parents(nil).Asks(asking, caseOf("1", 1).ID)
	asking.End()
	received := c.Receive(context.Background(), carried, 3)
	for _, of := range []sla.Case{caseOf("1", 1), caseOf("1", 2), caseOf("2", 1)} {
		_, s := c.Case(received, "case.respond", "aliexpress", of)
		s.End()
	}
	for _, header := range []string{"", "nonsense", "00-00000000000000000000000000000000-0000000000000000-01"} {
		_, s := c.Case(c.Receive(context.Background(), trace.Parents{"AE01/1": header}, 1), "case.refresh", "aliexpress", caseOf("1", 1))
		s.End()
	}
	flush()
	first := got.Named("case.assess")[0]
	works := got.Named("case.respond")
	if len(works) != 3 || works[0].Parent != first.ID || works[0].Trace != first.Trace || works[0].About["watchkeeper.job.try"] != "3" || works[0].Kind != "consumer" {
		t.Fatalf("want a child of the span that asked, got %+v", works)
	}
	if works[1].Parent != "" || works[1].Trace == first.Trace || cmp.Diff(works[1].Links, []string{first.Trace}) != "" {
		t.Errorf("the turn has moved: want a root in its own trace, linked to what asked, got %+v", works[1])
	}
	if works[2].Parent != "" || len(works[2].Links) != 0 {
		t.Errorf("nothing was carried for the case: want a root, got %+v", works[2])
	}
	for _, s := range got.Named("case.refresh") {
		if s.Parent != "" || s.Trace != first.Trace || len(s.Links) != 0 {
			t.Errorf("a header that cannot be read: want a root in the turn's trace, got %+v", s)
		}
	}
}

func TestAJobOfParcelsGoesOnUnderWhatAskedForIt(t *testing.T) {
	t.Parallel()
	c, got, flush := newTracer(t, nil)
	ctx, reading := c.Poll(context.Background(), "track17", "T17", "parcels")
	carried := trace.Asking(ctx)
	reading.Read(2, 70, 3, nil)
	reading.End()
	_, s := c.Job(c.Receive(context.Background(), carried, 1), "parcel.register", "T17")
	s.End()
	_, s = c.Job(c.Receive(context.Background(), trace.Asking(context.Background()), 1), "parcel.look", "T17")
	s.Fail(context.DeadlineExceeded)
	s.End()
	flush()
	poll, enrol, look := got.Named("poll")[0], got.Named("parcel.register")[0], got.Named("parcel.look")[0]
	if enrol.Parent != poll.ID || look.Parent != "" || look.Trace == poll.Trace || look.Error != "timeout" {
		t.Errorf("want the first under the reading, the second alone, got %+v, %+v", enrol, look)
	}
	want := map[string]string{
		"watchkeeper.platform": "track17", "watchkeeper.store": "T17", "watchkeeper.feed": "parcels", "watchkeeper.pages": "2", "watchkeeper.rows": "70",
		"watchkeeper.changed": "3", "watchkeeper.outcome": "none",
	}
	if diff := cmp.Diff(want, poll.About); diff != "" {
		t.Error(diff)
	}
}

func TestARowIsLinkedToItsReadingAndEndsTheTurnBefore(t *testing.T) {
	t.Parallel()
	id := caseOf("1", 0).ID
	for name, c := range map[string]struct {
		row    trace.Row
		in     sla.Turn // the turn in whose trace it is
		before bool     // the turn before has a last span
	}{
		"new":          {trace.Row{ID: id, Turn: 1}, 1, false},
		"same turn":    {trace.Row{ID: id, Turn: 1, Before: 1}, 1, false},
		"next turn":    {trace.Row{ID: id, Turn: 2, Before: 1}, 2, true},
		"end of it":    {trace.Row{ID: id, Before: 1}, 1, false},
		"nothing owed": {trace.Row{ID: id}, 0, false},
	} {
		tr, got, flush := newTracer(t, nil)
		ctx, poll := tr.Poll(t.Context(), "aliexpress", "AE01", "disputes")
		_, s := tr.Row(ctx, c.row)
		s.Recorded("new", true)
		s.End()
		poll.End()
		flush()
		rows, last := got.Named("intake"), got.Named("turn ended")
		if len(rows) != 1 || rows[0].Trace != trace.Of(id, c.in).String() || rows[0].Parent != "" || cmp.Diff(rows[0].Links, []string{got.Named("poll")[0].Trace}) != "" {
			t.Errorf("%s: want a root in the trace of turn %v, linked to the poll, got %+v", name, c.in, rows)
		}
		if c.before != (len(last) == 1) || c.before && (last[0].Trace != trace.Of(id, c.row.Before).String() || last[0].Links[0] != rows[0].Trace) {
			t.Errorf("%s: want a last span %t, linked to the row's, got %+v", name, c.before, last)
		}
	}
}

// What became of an answer may be learnt when the next turn has begun.
func TestAStepIsInTheTraceOfItsOwnTurn(t *testing.T) {
	t.Parallel()
	c, got, flush := newTracer(t, nil)
	ctx, s := c.root(2)
	for turn := range sla.Turn(2) {
		_, step := c.Step(ctx, trace.StepConfirm, sla.AttemptKey{Dispute: caseOf("1", 0).ID, Turn: turn + 1})
		step.Stands(sla.Attempt{State: sla.AttemptSettled, N: 2})
		step.End()
	}
	s.End()
	flush()
	steps, root := got.Named("confirm"), got.Named("case.assess")[0]
	if steps[0].Trace != trace.Of(caseOf("1", 0).ID, 1).String() || steps[0].Parent != "" || steps[0].Links[0] != root.Trace || steps[0].About["watchkeeper.state"] != "settled" {
		t.Errorf("want a root in the trace of turn 1, linked, got %+v", steps[0])
	}
	if steps[1].Parent != root.ID || steps[1].Trace != root.Trace || steps[1].About["watchkeeper.attempt"] != "2" {
		t.Errorf("want a child, got %+v", steps[1])
	}
}

func TestACallIsToldByItsOperationAndKind(t *testing.T) {
	t.Parallel()
	c, got, flush := newTracer(t, nil)
	ctx, s := c.root(1)
	c.Call(ctx, "aliexpress", connectors.Called{Op: "aliexpress issue.solution.save", Effect: true, Kind: connectors.OutcomeUnknown, Took: 2 * time.Second})
	c.Call(ctx, "aliexpress", connectors.Called{Op: "aliexpress issue.detail.get", Status: 200, Took: time.Second})
	c.Call(context.Background(), "aliexpress", connectors.Called{Op: "nobody asks"})
	s.End()
	flush()
	save, detail := got.Named("aliexpress issue.solution.save")[0], got.Named("aliexpress issue.detail.get")[0]
	if save.Error != "outcome_unknown" || save.About["watchkeeper.call"] != "effect" || save.End.Sub(save.Start) != 2*time.Second || save.Kind != "client" {
		t.Errorf("got %+v", save)
	}
	if detail.Error != "" || detail.About["watchkeeper.call"] != "read" || detail.About["http.response.status_code"] != "200" || detail.Parent == "" {
		t.Errorf("got %+v", detail)
	}
	if len(got.Named("nobody asks")) != 0 {
		t.Error("want no span where there is no work to put it under")
	}
}

func TestAnErrorIsToldByItsKind(t *testing.T) {
	t.Parallel()
	c, got, flush := newTracer(t, nil)
	text := errors.New("Jane Doe, 1 Main Street, " + canary)
	failures := map[string]error{
		"held": sla.ErrHeld, "unresolved": sla.ErrUnresolved, "fenced": sla.ErrFenced, "stale": sla.ErrStaleCase, "frozen": sla.ErrTakenOver, "amnesia": sla.ErrAmnesia,
		"killed": &connectors.Error{Kind: connectors.Unavailable, Err: sla.ErrKilled}, "storm": sla.ErrStorm, "budget": sla.ErrBudget, "store_full": sla.ErrStoreFull,
		"store_read_only": sla.ErrStoreReadOnly, "store_out": sla.ErrStoreOut, "throttled": &connectors.Error{Kind: connectors.Throttled, Code: canary, Err: text},
		"timeout": context.DeadlineExceeded, "cancelled": context.Canceled, "other": errors.New("new"),
	}
	for kind, err := range failures {
		_, s := c.Job(context.Background(), kind, "AE01")
		s.Fail(fmt.Errorf("%s: %w, %w", canary, err, text))
		s.End()
	}
	flush()
	for _, s := range got.Spans() {
		if s.Error != s.Name || s.About["error.type"] != s.Name {
			t.Errorf("want %s, got %q", s.Name, s.Error)
		}
	}
	if len(got.Spans()) != len(failures) || strings.Contains(got.Received(), canary) || strings.Contains(got.Received(), "Jane") {
		t.Error("want every failure told, and no text of any")
	}
}

func TestWhatHappensToACaseIsTold(t *testing.T) {
	t.Parallel()
	c, got, flush := newTracer(t, nil)
	ctx, s := c.root(1)
	s.Decided(&sla.Decision{Action: sla.ActionAct, Why: sla.WhyDue, Stage: sla.StageAct, Rule: sla.Rule{Mode: sla.By("x", sla.ModeLive)}}, 90*time.Second)
	s.Answered(sla.AnswerOffer, "accepted")
	s.PutOff(trace.MoneyFrozen)
	trace.Told(ctx, sla.ChannelPage, sla.WhyOverCap, start)
	s.End()
	flush()
	want := []string{
		"decided action=act left_seconds=90 mode=live stage=act why=due", "answer answer=offer outcome=accepted", "put off why=money_frozen", "told channel=page why=over_cap",
	}
	if diff := cmp.Diff(want, got.Spans()[0].Events); diff != "" {
		t.Error(diff)
	}
}

func TestLinesOfTheLogNameTheTraceOfTheirWork(t *testing.T) {
	t.Parallel()
	c, _, _ := newTracer(t, nil)
	core, lines := observer.New(zap.InfoLevel)
	log := zap.New(core)
	ctx, s := c.root(1)
	trace.Log(ctx, log).Info("with")
	s.End()
	trace.Log(context.Background(), log).Info("without")
	if got := lines.All()[0].ContextMap()["trace_id"]; got != trace.Of(caseOf("1", 1).ID, 1).String() {
		t.Errorf("want the trace, got %v", got)
	}
	if got := lines.All()[1].Context; len(got) != 0 {
		t.Errorf("want nothing added, got %v", got)
	}
}

// Where nothing is traced, what is said of the work costs nothing.
//
// Not parallel: others would be counted.
func TestNothingIsAllocatedWhereNothingIsTraced(t *testing.T) { //nolint:paralleltest // see above
	ctx, rec, d, err := context.Background(), caseOf("1", 1), &sla.Decision{Rule: sla.DefaultRule()}, errors.New("x")
	var none *trace.Tracer
	n := testing.AllocsPerRun(100, func() { work(ctx, none, rec, d, err) })
	if n != 0 {
		t.Errorf("want no allocation, got %v", n)
	}
	none.Close(ctx)
}

func work(ctx context.Context, none *trace.Tracer, rec sla.Case, d *sla.Decision, err error) {
	ctx = none.Receive(ctx, nil, 1)
	ctx, s := none.Case(ctx, "case.assess", "aliexpress", rec)
	s.Decided(d, time.Second)
	s.Fail(err)
	ctx, step := none.Step(s.In(ctx), trace.StepIntent, sla.AttemptKey{Dispute: rec.ID})
	step.Stands(sla.Attempt{})
	step.End()
	none.Call(ctx, "aliexpress", connectors.Called{})
	_, row := none.Row(ctx, trace.Row{ID: rec.ID})
	row.Recorded("new", true)
	_ = trace.Parents(nil).Asks(row, rec.ID)
	_ = trace.Asking(ctx)
	trace.Told(ctx, sla.ChannelPage, sla.WhyDue, time.Time{})
	s.End()
}

// BenchmarkCase is the spans of one answer: off and on. Off is what every installation pays that traces nothing.
func BenchmarkCase(b *testing.B) {
	c := tracetest.New(b)
	on, _ := c.Tracer(time.Now, nil)
	rec, d, err := caseOf("1", 1), &sla.Decision{Rule: sla.DefaultRule()}, errors.New("x")
	for name, t := range map[string]*trace.Tracer{"off": nil, "on": on} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				work(b.Context(), t, rec, d, err)
			}
		})
	}
}
