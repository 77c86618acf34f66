package handle

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"watchkeeper/sla"
)

// slotWait is when a case is looked at again whose store had no slot for it.
const slotWait = 5 * time.Second

// slots count the cases of each store that are under way to an answer in this process.
//
// A job that finds no slot does not wait for one: jobs of one slow store that wait would fill the workers, and the deadlines of all other stores
// would pass behind them. It puts its cases off instead, before it claims anything, so that no attempt is counted, no lease runs and nobody is
// paged. A job that has a slot keeps it for one case after the other, so that a store never holds more workers than it may have answers
// under way, and no store is left without a job that goes on.
type slots struct {
	mu    sync.Mutex
	taken map[sla.StoreID]int
}

func newSlots() *slots { return &slots{taken: map[sla.StoreID]int{}} }

// take takes as many slots as are wanted and free; most is how many there are, 0 for any number.
func (s *slots) take(store sla.StoreID, wanted, most int) *lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	if most > 0 {
		wanted = max(min(wanted, most-s.taken[store]), 0) // more may be taken than there are since a date
	}
	s.taken[store] += wanted
	return &lease{of: s, store: store, slots: wanted}
}

func (s *slots) free(store sla.StoreID, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[store] -= n; s.taken[store] <= 0 {
		delete(s.taken, store)
	}
}

// A lease is what one job has taken.
type lease struct {
	of    *slots
	store sla.StoreID
	slots int
	done  atomic.Int64 // cases that have ended
}

// ended gives a slot back when no case of the job will need it any more.
func (l *lease) ended(of int) {
	if int(l.done.Add(1)) > of-l.slots {
		l.of.free(l.store, 1)
	}
}

// most is how many cases of a store may be under way at once; 0 is any number.
func (h *Handlers) most(store sla.StoreID) int {
	if h.Limit == nil {
		return 0
	}
	return h.Limit(store)
}

// urgent brings the cases with the least time left to the front, and those without a deadline to the end.
func urgent(turns []*turn) {
	slices.SortStableFunc(turns, func(a, b *turn) int {
		x, y := a.decision.Deadline, b.decision.Deadline
		switch {
		case x.IsZero() == y.IsZero():
			return x.Compare(y)
		case x.IsZero():
			return 1
		}
		return -1
	})
}

// putOff lets cases be looked at again soon: by their own timers, which are not later than guard.
func (h *Handlers) putOff(ctx context.Context, turns ...*turn) error {
	writes := make([]sla.CaseWrite, len(turns))
	for i, t := range turns {
		writes[i] = rewrite(t.rec, t.later(slotWait, t.decision))
	}
	_, err := h.put(ctx, writes...)
	return err
}
