package fleet

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/sweep"
)

const (
	obeyBatch  = 500              // timers moved in one round trip
	obeySpread = 30 * time.Second // over which the cases are spread that are due by the new rules already
)

// ruling names the rules in force: the rulebook, and the date from which they hold.
func (f *Fleet) ruling(now time.Time) string {
	since := int64(0)
	for _, era := range f.o.Book.Eras() {
		if !era.After(now) {
			since = era.Unix()
		}
	}
	return fmt.Sprintf("%s@%d", f.o.Book.Hash(), since)
}

// obey has the open cases looked at that are due earlier by the rules in force than by those under which they were armed: when a process
// starts under another rulebook, and at each date at which rules change by themselves. A case that is due later now is looked at as it
// was armed, and armed anew then. Where replicas obey different rules, each does this once.
func (f *Fleet) obey(ctx context.Context) error {
	name := f.ruling(f.o.Now())
	if name == f.obeyed {
		return nil
	}
	last, err := f.store.Obeyed(ctx)
	if err != nil {
		return err
	}
	if last != name {
		moved, err := f.rearm(ctx)
		if err != nil {
			return fmt.Errorf("arm open cases under new rules: %w", err)
		}
		f.log.Info("other rules are in force", zap.String("rules", name), zap.String("before", last), zap.Int("cases_due_earlier", moved))
		if err := f.store.SetObeyed(ctx, name); err != nil {
			return err
		}
	}
	f.obeyed = name
	return nil
}

// rearm moves the timers of all open cases that the rules want looked at earlier than they are armed.
func (f *Fleet) rearm(ctx context.Context) (moved int, err error) {
	var moves []store.Rearm
	flush := func() error {
		done, err := f.store.RearmCases(ctx, moves)
		for _, ok := range done {
			if ok {
				moved++
			}
		}
		moves = moves[:0]
		return err
	}
	err = f.store.EachCase(ctx, func(c sla.CaseRecord) error {
		if next, earlier := f.earlier(c); earlier {
			moves = append(moves, store.Rearm{ID: c.ID, Version: c.Version, Next: next})
		}
		if len(moves) < obeyBatch {
			return nil
		}
		return flush()
	})
	if err == nil && len(moves) > 0 {
		err = flush()
	}
	return moved, err
}

// earlier is when a case is to be looked at under the rules in force, if that is before its timer. What is looked at soon anyway, or is
// leased, stays.
func (f *Fleet) earlier(c sla.CaseRecord) (time.Time, bool) {
	src, now := f.sources[c.ID.Store], f.o.Now()
	if src == nil || !c.Open() || c.Obligation.Turn == 0 || c.Next.Sub(now) <= sweep.Lease {
		return time.Time{}, false
	}
	theirs := src.PlatformTime(now)
	d := sla.Decide(theirs, c.Case, f.rules().For(src.Platform, c.ID.Store, c.Reason))
	if d.Action == sla.ActionLeave || d.Next.IsZero() && d.Action == sla.ActionWait {
		return time.Time{}, false
	}
	next := now.Add(d.Next.Sub(theirs))
	if d.Action != sla.ActionWait {
		next = now.Add(time.Duration(c.Fingerprint % uint64(obeySpread)))
	}
	return next, next.Before(c.Next)
}
