package intake

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/trace"
)

// found is one changed row or known case on its way to a dispute.
type found struct {
	row     connectors.Row
	prev    *sla.CaseRecord
	dispute sla.Dispute
	done    bool
	err     error
	began   time.Time  // of its reading; zero when nothing is traced
	span    trace.Span // of the job that reads it again
}

func (in *Intake) resolve(ctx context.Context, src *connectors.Source, rows []found) error {
	return in.each(ctx, rows, tolerated, func(ctx context.Context, f *found) (sla.Dispute, error) {
		return src.Connector.Resolve(ctx, f.row)
	})
}

func (in *Intake) lookup(ctx context.Context, src *connectors.Source, rows []found) error {
	return in.each(ctx, rows, 0, func(ctx context.Context, f *found) (sla.Dispute, error) {
		return src.Connector.Lookup(ctx, f.prev.DisputeRef)
	})
}

// each reads the disputes a few at a time. The first failure that may pass stops the rest and is returned: going on would only burn
// the platform's patience. Those that are under way come to their end: a reading that is cut off has cost its call all the same, and at a low rate
// the one that is refused would cut off the others each time. Failures of one dispute alone stay with it, and so do a few of a platform that is
// otherwise there: one dispute
// whose detail always fails must not hold up the feed behind it. It is read again with the next snapshot, or by its timer.
func (in *Intake) each(ctx context.Context, rows []found, tolerate int, read func(context.Context, *found) (sla.Dispute, error)) error {
	var g errgroup.Group
	g.SetLimit(in.atOnce)
	var stopped atomic.Bool
	var mu sync.Mutex
	var first error
	out := 0
	one := func(f *found) error {
		if stopped.Load() || ctx.Err() != nil {
			return nil
		}
		f.began = in.trace.Now()
		f.dispute, f.err = guarded(f.span.In(ctx), f, read)
		f.done = true
		if f.err == nil || onlyThis(f.err) {
			in.note(f)
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		if out++; connectors.KindOf(f.err) == connectors.Unavailable && fromConnector(f.err) && out <= tolerate && ctx.Err() == nil {
			in.note(f)
			return nil
		}
		if first == nil {
			first = f.err
		}
		stopped.Store(true)
		return f.err
	}
	for i := range rows {
		f := &rows[i]
		if in.atOnce > 1 {
			g.Go(func() error { return one(f) })
		} else if err := one(f); err != nil {
			break
		}
	}
	if g.Wait() == nil && first == nil {
		return ctx.Err()
	}
	return first
}

// tolerated is how many disputes of one page may be unreadable before the platform itself counts as out.
const tolerated = 2

func fromConnector(err error) bool {
	_, ok := errors.AsType[*connectors.Error](err)
	return ok
}

// guarded turns a panic of a connector into a malformed row: one poisonous record must not stop the fleet.
func guarded(ctx context.Context, f *found, read func(context.Context, *found) (sla.Dispute, error)) (d sla.Dispute, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(f.row.ID)
		}
	}()
	return read(ctx, f)
}

// onlyThis reports whether a failure concerns one dispute and not the way to the platform.
func onlyThis(err error) bool {
	switch connectors.KindOf(err) {
	case connectors.Malformed, connectors.NotFound, connectors.Conflict, connectors.Rejected:
		return true
	}
	return false
}

func (in *Intake) note(f *found) {
	if f.err != nil {
		in.log.Warn("dispute not read", zap.String("row", f.row.ID), zap.Stringer("kind", connectors.KindOf(f.err)), zap.Error(f.err))
	}
}

// panicked makes the error of a connector's panic, for the function that recovered from it to call. It tells the place only: what a
// connector panics with may hold what it was reading.
func panicked(subject string) error {
	place := "an unknown place"
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])]) // above this function and the one that recovered
	for {
		frame, more := frames.Next()
		if frame.Function != "" && !strings.HasPrefix(frame.Function, "runtime.") {
			place = fmt.Sprintf("%s:%d", frame.Function, frame.Line)
			break
		}
		if !more {
			break
		}
	}
	return &connectors.Error{Op: "resolve", Subject: subject, Kind: connectors.Malformed, Err: fmt.Errorf("panic at %s", place)}
}
