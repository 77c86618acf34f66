package sweep

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

const (
	mixedEvery = 30 * time.Second // how often is asked whether processes with other rules are there
	heard      = 5 * time.Minute  // for how long one counts that has noted its rules, as each does twice a minute; clocks differ by less than one
	obeyBatch  = 500              // timers moved in one round trip
	obeySpread = 30 * time.Second // over which the cases are spread that are due by the new rules already

	leap        = 5 * time.Minute  // by so much a platform's clock must have gone ahead for its cases to be armed anew; guard bears less
	followEvery = 5 * time.Minute  // between two times that clocks had that done
	nearly      = 10 * time.Second // clocks that differ by less differ from one measurement to the next
)

// Armed is what obeying needs of the records.
type Armed interface {
	EachCase(ctx context.Context, fn func(sla.CaseRecord) error) error
	RearmCases(ctx context.Context, moves []sla.Rearm) ([]bool, error)
	Obeyed(ctx context.Context) (string, error)
	SetObeyed(ctx context.Context, name string) error
	RulesVersions(ctx context.Context, now time.Time, within time.Duration) (int, error)
	Behind(ctx context.Context) (map[sla.StoreID]time.Duration, error)
	SetBehind(ctx context.Context, behind map[sla.StoreID]time.Duration) error
}

// Rules are the operator's rules of now.
type Rules interface {
	For(p sla.Platform, s sla.StoreID, r sla.Reason) sla.Rule
}

// An Obeyer has the open cases looked at that are due earlier by the rules in force than by those under which they were armed: when a
// process starts under another rulebook, and at each date at which rules change by themselves. A case that is due later now is looked at as
// it was armed, and armed anew then. Where replicas obey different rules, each does this once, and once more when they have come to agree: one
// with the old rules may have looked at a case meanwhile, and armed it as they want.
//
// It does the same when a platform's clock goes ahead. Timers go by our clock, and by as much as the platform's differed when they were set: one
// that told a time of days ago for a while, and the right one again, has left timers that ring days late. So have clocks of ours that were ahead, and
// were set right: the records have by how much, for the processes that armed the cases may all have ended before.
type Obeyer struct {
	Store   Armed
	Sources connectors.Sources
	Rules   Rules
	Name    func(now time.Time) string // of the rules in force: it changes whenever they do
	Now     func() time.Time
	Log     *zap.Logger

	mu     sync.Mutex // one call at a time: over what follows
	obeyed string     // the rules under which the open cases were last armed, as this process knows
	asked  time.Time  // when the versions of the rules were last counted
	mixed  bool       // there were several then

	behind   map[sla.StoreID]time.Duration // the least that each store's platform was ahead since the cases were armed, nearly; nil: not read yet
	followed time.Time                     // when a clock last had cases armed
}

// Obey arms the open cases under the rules in force, if they were last armed under others. It is cheap when they were not, and safe for
// concurrent use.
func (o *Obeyer) Obey(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	agreed, err := o.agreed(ctx)
	if err != nil {
		return err
	}
	name := o.Name(o.Now())
	if name == o.obeyed && !agreed {
		return o.follow(ctx)
	}
	last, err := o.Store.Obeyed(ctx)
	if err != nil {
		return err
	}
	if last != name || agreed {
		moved, err := o.rearm(ctx)
		if err != nil {
			return fmt.Errorf("arm open cases under new rules: %w", err)
		}
		o.Log.Info("other rules are in force", zap.String("rules", name), zap.String("before", last), zap.Int("cases_due_earlier", moved))
		if err := o.Store.SetObeyed(ctx, name); err != nil {
			return err
		}
	}
	o.obeyed = name
	if agreed {
		o.mixed = false
	}
	return nil
}

// follow arms the open cases anew when a platform's clock has gone ahead.
func (o *Obeyer) follow(ctx context.Context) error {
	if o.behind == nil {
		behind, err := o.Store.Behind(ctx)
		if err != nil {
			return err
		}
		o.behind = behind
	}
	leapt, fell := false, map[sla.StoreID]time.Duration{}
	for id, src := range o.Sources {
		skew := src.Skew()
		if behind, known := o.behind[id]; !known || skew < behind-nearly {
			fell[id] = skew
		} else if skew-behind > leap && src.Observed() {
			leapt = true
		}
	}
	if len(fell) > 0 {
		if err := o.Store.SetBehind(ctx, fell); err != nil {
			return err
		}
		maps.Copy(o.behind, fell)
	}
	now := o.Now()
	if since := now.Sub(o.followed); !leapt || since >= 0 && since < followEvery {
		return nil
	}
	moved, err := o.rearm(ctx)
	if err != nil {
		return fmt.Errorf("arm open cases by a clock that went ahead: %w", err)
	}
	o.followed = now
	set := map[sla.StoreID]time.Duration{}
	for id, src := range o.Sources {
		set[id] = src.Skew()
	}
	if err := o.Store.SetBehind(ctx, set); err != nil {
		return err
	}
	maps.Copy(o.behind, set)
	o.Log.Warn("a platform's clock went ahead", zap.Int("cases_due_earlier", moved))
	return nil
}

// agreed reports whether processes that obeyed different rules have come to agree, and the cases were not armed since.
func (o *Obeyer) agreed(ctx context.Context) (bool, error) {
	now := o.Now()
	if d := now.Sub(o.asked); d >= 0 && d < mixedEvery {
		return false, nil
	}
	versions, err := o.Store.RulesVersions(ctx, now, heard)
	if err != nil {
		return false, err
	}
	o.asked = now
	if versions > 1 {
		o.mixed = true
	}
	return o.mixed && versions <= 1, nil
}

// rearm moves the timers of all open cases that the rules want looked at earlier than they are armed.
func (o *Obeyer) rearm(ctx context.Context) (moved int, err error) {
	var moves []sla.Rearm
	flush := func() error {
		done, err := o.Store.RearmCases(ctx, moves)
		for _, ok := range done {
			if ok {
				moved++
			}
		}
		moves = moves[:0]
		return err
	}
	err = o.Store.EachCase(ctx, func(c sla.CaseRecord) error {
		if next, earlier := o.earlier(c); earlier {
			moves = append(moves, sla.Rearm{ID: c.ID, Version: c.Version, Next: next})
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
func (o *Obeyer) earlier(c sla.CaseRecord) (time.Time, bool) {
	src, now := o.Sources[c.ID.Store], o.Now()
	if src == nil || !c.Open() || c.Obligation.Turn == 0 || c.Next.Sub(now) <= Lease {
		return time.Time{}, false
	}
	theirs := src.PlatformTime(now)
	d := sla.Decide(theirs, c.Case, o.Rules.For(src.Platform, c.ID.Store, c.Reason))
	if d.Action == sla.ActionLeave || d.Next.IsZero() && d.Action == sla.ActionWait {
		return time.Time{}, false
	}
	next := now.Add(d.Next.Sub(theirs))
	if d.Action != sla.ActionWait {
		next = now.Add(time.Duration(c.Fingerprint % uint64(obeySpread)))
	}
	return next, next.Before(c.Next)
}
