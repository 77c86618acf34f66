package sweep

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// BeatEvery is how often a process says that it lives: several times within what makes it gone.
const BeatEvery = 400 * time.Millisecond

// Living is what watching over the other processes needs of the records.
type Living interface {
	Beat(ctx context.Context, now time.Time) (gone int, err error)
	EndCaseLeases(ctx context.Context, now, until time.Time) (int, error)
	EndShipmentLeases(ctx context.Context, now, until time.Time) (int, error)
	EndFeedLeases(ctx context.Context, now, until time.Time) (int, error)
}

// A Watch has the work of killed processes taken up within seconds instead of a lease: it says that this process lives, looks whether the
// others do, and ends the leases when one is gone. They do not say whose they are, so all end that were given by then, and what a living
// process has begun is asked for once more: its claims of attempts stand, so that nothing is done twice. The next sweep takes what is due
// then.
type Watch struct {
	store   Living
	feeds   time.Duration
	now     func() time.Time
	log     *zap.Logger
	metrics *metrics
	owed    bool // somebody was found gone, and the leases have not ended yet
}

// NewWatch makes a watch; feeds is how long a feed is leased. Beat must not be called by several at once.
func NewWatch(store Living, feeds time.Duration, now func() time.Time, log *zap.Logger, m *Metrics) *Watch {
	return &Watch{store: store, feeds: feeds, now: now, log: log.Named("watch"), metrics: m.metrics}
}

// Beat says that this process lives, and ends leases when another is gone. An error is tried again with the next call.
func (w *Watch) Beat(ctx context.Context) error {
	gone, err := w.store.Beat(ctx, w.now())
	if err != nil {
		return fmt.Errorf("watch the other processes: %w", err)
	}
	if gone > 0 {
		w.metrics.gone.Add(float64(gone))
		w.owed = true
	}
	if !w.owed {
		return nil
	}
	ended := 0
	for _, c := range []struct {
		end   func(ctx context.Context, now, until time.Time) (int, error)
		lease time.Duration
	}{{w.store.EndCaseLeases, Lease}, {w.store.EndFeedLeases, w.feeds}, {w.store.EndShipmentLeases, LookLease}} {
		now := w.now()
		n, err := c.end(ctx, now, now.Add(c.lease))
		if ended += n; err != nil {
			w.metrics.ended.Add(float64(ended))
			return fmt.Errorf("end leases after a process was gone: %w", err)
		}
	}
	w.owed = false
	w.metrics.ended.Add(float64(ended))
	w.log.Warn("a process is gone: its work is taken up", zap.Int("processes", gone), zap.Int("leases_ended", ended))
	return nil
}
