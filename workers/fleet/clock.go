package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/store"
)

// Timings of the watch over this process' own clock.
const (
	// mostApart is how far it may be from the clock of Redis; for a process further off, timers fire early or late, and asynq's leases with them.
	mostApart = 20 * time.Second
	// nearAgain is how near a clock must come that was further off: at the limit itself the work would start and stop each second.
	nearAgain = 15 * time.Second
	askWithin = 2 * time.Second
)

// errClock means that this process' clock cannot be believed.
var errClock = errors.New("this process' clock is not believed")

// A timekeeper holds this process' clock against that of Redis, which all replicas share. It believes the clock for mostApart after each
// comparison, by that very clock: when it jumps, nothing is claimed and no timer is written until it has been compared again. Before the first
// comparison, as for whoever moves the clock himself, it is believed.
type timekeeper struct {
	now   func() time.Time
	at    atomic.Int64 // when they were last compared, in Unix nanoseconds of the process' own clock; 0: never
	wrong atomic.Bool
	told  atomic.Bool // Redis told its time when it was last asked
	ahead prometheus.Gauge
	said  prometheus.Gauge

	// The beginning of the process: as the wall clock had it, and as its monotonic reading counts from, which knows of no step.
	wall, steady time.Time
}

func newTimekeeper(now func() time.Time, reg prometheus.Registerer) *timekeeper {
	f := promauto.With(reg)
	gauge := func(name, help string) prometheus.Gauge {
		return f.NewGauge(prometheus.GaugeOpts{Name: "watchkeeper_" + name, Help: help})
	}
	begun := now()
	return &timekeeper{
		now: now, wall: begun.Round(0), steady: begun,
		ahead: gauge("clock_ahead_seconds", "How far this process' clock is surely ahead of that of Redis; negative when it is behind."),
		said:  gauge("clock_wrong", "1 while this process takes no work because its clock is more than 20 s off, else 0."),
	}
}

// believed tells whether timers may be read and written by this process' clock.
func (k *timekeeper) believed() bool {
	at := k.at.Load()
	return at == 0 || !k.wrong.Load() && k.now().Sub(time.Unix(0, at)).Abs() <= mostApart
}

// shared tells whether what other processes wrote down about time can be held against this process' clock, and what it writes down against theirs:
// each is believed after a comparison with that of Redis, and none was seen to step. A step may hit all of them and Redis alike, so that they agree,
// and what was written down before it looks old.
func (k *timekeeper) shared() bool {
	now := k.now()
	stepped := now.Round(0).Sub(k.wall) - now.Sub(k.steady)
	return k.told.Load() && k.believed() && stepped.Abs() <= mostApart
}

// compare takes in what Redis said its time is, when it was asked and answered by our clock; zero: it does not tell. It answers how far
// ahead we are.
func (k *timekeeper) compare(asked, answered, theirs time.Time) time.Duration {
	ahead := time.Duration(0)
	told := !theirs.IsZero()
	k.told.Store(told)
	if told {
		ahead = apart(asked, answered, theirs)
		k.ahead.Set(ahead.Seconds())
		k.wrong.Store(ahead.Abs() > mostApart || k.wrong.Load() && ahead.Abs() > nearAgain)
	}
	k.at.Store(asked.UnixNano()) // a jump while they were asked shows like one after it
	k.said.Set(0)
	if k.wrong.Load() {
		k.said.Set(1)
	}
	return ahead
}

// apart is how far our clock is surely ahead of one that told its time between two instants of ours.
func apart(asked, answered, theirs time.Time) time.Duration {
	switch {
	case theirs.Before(asked):
		return asked.Sub(theirs)
	case theirs.After(answered):
		return answered.Sub(theirs)
	}
	return 0
}

// compareClocks holds our clock against that of Redis.
func (f *Fleet) compareClocks(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	asked := f.o.Now()
	theirs, err := f.store.ServerTime(ctx)
	if err != nil {
		return 0, err
	}
	return f.clock.compare(asked, f.o.Now(), theirs), nil
}

// checkClock refuses a start by a wrong clock.
func (f *Fleet) checkClock(ctx context.Context) error {
	if f.o.VirtualTime {
		return nil
	}
	ahead, err := f.compareClocks(ctx)
	if err == nil && f.clock.wrong.Load() {
		err = fmt.Errorf("%w: it is %s that of redis, by more than %s", errClock, side(ahead), mostApart)
	}
	return err
}

// side tells a person on which side of another a clock is that is so far ahead of it.
func side(ahead time.Duration) string {
	if ahead < 0 {
		return (-ahead).Round(time.Second).String() + " behind"
	}
	return ahead.Round(time.Second).String() + " ahead of"
}

// watchClock lays the work down when the clock becomes wrong, and takes it up when it is right again. The process then beats no more, so
// that the others take it for gone and its claims for over.
func (f *Fleet) watchClock(ctx context.Context) error {
	ahead, err := f.compareClocks(ctx)
	if err != nil {
		return err
	}
	f.askPlatforms()
	switch wrong := f.clock.wrong.Load(); {
	case wrong && f.taking:
		f.log.Error("the clock is wrong: this process takes no work until it is right", zap.Duration("ahead_of_redis", ahead))
		f.notifier().clock(ctx, ahead)
		f.taking = false
		f.leaveJobs()
	case !wrong && !f.taking:
		if err := f.takeJobs(); err != nil {
			return err
		}
		f.log.Warn("the clock is right again: this process takes work")
	}
	return nil
}

// askPlatforms warns when most platforms tell another time than this process. It stops nothing: a platform may be wrong itself, and
// deadlines are kept by its clock in any case.
func (f *Fleet) askPlatforms() {
	ahead := -skewOf(f.sources)
	far := ahead.Abs() > mostApart
	if far && !f.warned {
		f.log.Warn("most platforms tell another time", zap.Duration("ahead_of_platforms", ahead))
	}
	f.warned = far
}

// skewOf is the median of the platforms' skews: of two in the middle the smaller one, so that one platform alone accuses nobody.
func skewOf(sources connectors.Sources) time.Duration {
	stores := map[sla.Platform][]time.Duration{}
	for _, s := range sources {
		stores[s.Platform] = append(stores[s.Platform], s.Skew())
	}
	all := make([]time.Duration, 0, len(stores))
	for _, skews := range stores {
		all = append(all, median(skews))
	}
	return median(all)
}

func median(of []time.Duration) time.Duration {
	if len(of) == 0 {
		return 0
	}
	slices.Sort(of)
	low, high := of[(len(of)-1)/2], of[len(of)/2]
	if low.Abs() < high.Abs() {
		return low
	}
	return high
}

// onTime runs once only while the clock is believed.
func (f *Fleet) onTime(once func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		if !f.clock.believed() {
			return nil
		}
		return once(ctx)
	}
}

// timed is the store for whoever writes timers and claims: it does neither by a clock that is not believed. The outcome of a call is written
// down all the same, without the case's timer, which the lease of who claimed it brings back.
type timed struct {
	*store.Store
	clock *timekeeper
}

func (t timed) PutCases(ctx context.Context, writes []sla.CaseWrite) ([]sla.PutResult, error) {
	if !t.clock.believed() {
		return nil, errClock
	}
	return t.Store.PutCases(ctx, writes)
}

func (t timed) PutShipments(ctx context.Context, writes []sla.ShipmentWrite) ([]sla.PutResult, error) {
	if !t.clock.believed() {
		return nil, errClock
	}
	return t.Store.PutShipments(ctx, writes)
}

func (t timed) BeginFeed(ctx context.Context, feed sla.FeedRecord) (bool, error) {
	if !t.clock.believed() {
		return false, errClock
	}
	return t.Store.BeginFeed(ctx, feed)
}

func (t timed) PutFeed(ctx context.Context, feed sla.FeedRecord) (bool, error) {
	if !t.clock.believed() {
		return false, errClock
	}
	return t.Store.PutFeed(ctx, feed)
}

func (t timed) ClaimAttempts(ctx context.Context, keys []sla.AttemptKey, now time.Time, lease time.Duration) []sla.Claim {
	if t.clock.believed() {
		return t.Store.ClaimAttempts(ctx, keys, now, lease)
	}
	claims := make([]sla.Claim, len(keys))
	for i := range claims {
		claims[i].Err = errClock
	}
	return claims
}

func (t timed) RecordIntent(ctx context.Context, in sla.Intent) (sla.Attempt, error) {
	if !t.clock.believed() {
		return sla.Attempt{}, errClock
	}
	return t.Store.RecordIntent(ctx, in)
}

func (t timed) Settle(ctx context.Context, a sla.Attempt, s sla.Settlement) error {
	if !t.clock.believed() {
		s.Case = nil
	}
	return t.Store.Settle(ctx, a, s)
}

func (t timed) Reserve(ctx context.Context, in sla.Spend, now time.Time) error {
	if !t.clock.believed() {
		return errClock
	}
	return t.Store.Reserve(ctx, in, now)
}

// Take gives no call by a clock that is not believed: one that is ahead would leave none to others for as long.
func (t timed) Take(ctx context.Context, key string, rate int, per time.Duration) (time.Duration, error) {
	if !t.clock.believed() {
		return 0, errClock
	}
	return t.Store.Take(ctx, key, rate, per)
}

func (t timed) TakeInBulk(ctx context.Context, key string, rate int, per time.Duration, share bool) (time.Duration, error) {
	if !t.clock.believed() {
		return 0, errClock
	}
	return t.Store.TakeInBulk(ctx, key, rate, per, share)
}
