package sweep

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"watchkeeper/sla"
)

// BeatEvery is how often a process says that it lives: several times within what makes it gone.
const BeatEvery = 400 * time.Millisecond

// endApart is the least time between two endings of all leases because of processes that come and go. One that is starved may seem gone every few
// seconds: each time all that is under way would be asked for again, which takes the more of the machine the more there is, and starves others.
const endApart = 15 * time.Second

// Living is what watching over the other processes needs of the records.
type Living interface {
	Beat(ctx context.Context, now time.Time) (sla.Gone, error)
	EndCaseLeases(ctx context.Context, now, until time.Time) (int, error)
	EndShipmentLeases(ctx context.Context, now, until time.Time) (int, error)
	EndFeedLeases(ctx context.Context, now, until time.Time) (int, error)
}

// A Watch has the work of killed processes taken up within seconds instead of a lease: it says that this process lives, looks whether the
// others do, and ends the leases when one is gone. They do not say whose they are, so all end that were given by then, and what a living
// process has begun is asked for once more: its claims of attempts stand, so that nothing is done twice. Only lists that are being read are known by
// their readers. The next sweep takes what is due
// then. Leases end at once when a process is gone for the first time, and after a while when it had come back.
type Watch struct {
	store   Living
	feeds   time.Duration
	now     func() time.Time
	log     *zap.Logger
	metrics *metrics
	owed    int       // processes found gone since the leases were last ended
	urgent  bool      // one of them for the first time
	last    time.Time // when that was
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
	w.metrics.gone.Add(float64(gone.Processes))
	w.owed += gone.Processes
	w.urgent = w.urgent || gone.Processes > gone.Again
	if since := w.now().Sub(w.last); w.owed == 0 || !w.urgent && since >= 0 && since < endApart {
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
	w.metrics.ended.Add(float64(ended))
	w.log.Warn("a process is gone: its work is taken up", zap.Int("processes", w.owed), zap.Int("leases_ended", ended))
	w.owed, w.urgent, w.last = 0, false, w.now()
	return nil
}
