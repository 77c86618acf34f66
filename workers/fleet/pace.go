package fleet

import (
	"context"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/rules"
)

// standardPoll is how often a store's lists are read when neither a variable nor its platform says so.
const standardPoll = 5 * time.Minute

// rules are the rulebook of now.
func (f *Fleet) rules() rules.Current { return rules.Current{Book: f.o.Book, Now: f.o.Now} }

// pace is how often a store's feeds are read: less often under a pressure.
func (f *Fleet) pace(s rules.Store, pressure func() sla.Pressure) func(time.Time) (time.Duration, time.Time) {
	standard := standardPoll
	if p, err := f.o.Registry.Get(s.Platform); err == nil && p.Poll > 0 {
		standard = p.Poll
	}
	return func(now time.Time) (time.Duration, time.Time) {
		pace, until := rules.Current{Book: f.o.Book, Now: func() time.Time { return now }}.Pace(s.ID)
		if pace.Poll.Value > 0 {
			return pressure().Stretch(pace.Poll.Value), until
		}
		return pressure().Stretch(standard), until
	}
}

// atOnce is how many cases of a store may be under way to an answer at once.
func (f *Fleet) atOnce(id sla.StoreID) int {
	pace, _ := f.rules().Pace(id)
	return pace.Concurrency.Value
}

// limiter shares the allowance of a store's platform among all replicas, by the operator's number where there is one.
func (f *Fleet) limiter(s rules.Store) connectors.Limiter {
	return limiter{f.shared, s.ID, f.rules(), func(key string, every time.Duration) { f.meter.Allowed(s.Platform, s.ID, key, every) }}
}

// allowance is a limit that is shared by many calls that can wait and few that cannot.
type allowance interface {
	connectors.Limiter
	TakeInBulk(ctx context.Context, key string, rate int, per time.Duration, share bool) (time.Duration, error)
}

type limiter struct {
	allowance
	store sla.StoreID
	rules rules.Current
	tell  func(key string, every time.Duration) // of the time between two calls; 0: there is no limit
}

// Take puts the operator's number of calls a second in place of the connector's. It counts from the next call on: the allowance is a
// schedule of calls, which another number goes on with.
func (l limiter) Take(ctx context.Context, key string, rate int, per time.Duration) (time.Duration, error) {
	pace, _ := l.rules.Pace(l.store)
	if n := pace.Rate.Value; n > 0 {
		rate, per = n, time.Second
	}
	if rate == 0 {
		l.tell(key, 0)
		return 0, nil
	}
	l.tell(key, per/time.Duration(max(rate, 1)))
	if bulk, share := connectors.InBulk(ctx); bulk {
		return l.TakeInBulk(ctx, key, rate, per, share)
	}
	return l.allowance.Take(ctx, key, rate, per)
}
