package handle_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/job"
)

// crowd is a platform that counts how many lookups are under way at once, and lets each go on when its gate opens.
type crowd struct {
	*platform
	mu       sync.Mutex
	now, max int
	order    []string
	gate     func(int) // called with the number that is under way
}

func (c *crowd) Lookup(_ context.Context, ref sla.DisputeRef) (sla.Dispute, error) {
	c.mu.Lock()
	c.now++
	c.max = max(c.max, c.now)
	c.order = append(c.order, ref.ID.Native)
	n := c.now
	c.mu.Unlock()
	if c.gate != nil {
		c.gate(n)
	}
	c.mu.Lock()
	c.now--
	c.mu.Unlock()
	return sla.Dispute{}, platformError(connectors.Unavailable)
}

// crowded is a world of so many cases that are due, with a limit of its store.
func crowded(t *testing.T, cases int, limit *int) (*world, *crowd, []sla.DisputeID) {
	t.Helper()
	w := opened(t)
	c := &crowd{platform: w.platform}
	w.source.Built = connectors.Built{Connector: c, Responder: w.platform}
	w.now = actAt
	rec := w.kase()
	delete(w.memory.cases, rec.ID.String())
	ids := make([]sla.DisputeID, cases)
	for i := range ids {
		rec.ID.Native = strconv.Itoa(1000 + i)
		rec.Obligation.Deadline = deadline.Add(-time.Duration(i) * time.Second) // the last is the most urgent
		ids[i], w.memory.cases[rec.ID.String()] = rec.ID, rec
	}
	d := w.handlers.Deps
	var mu sync.Mutex
	d.AtOnce, d.Limit, d.Store, d.Ledger = true, func(sla.StoreID) int { return *limit }, lockedStore{w.memory, &mu}, lockedLedger{w.memory, &mu}
	w.handlers = handle.New(d)
	return w, c, ids
}

// The memory of a world is for one goroutine; these let several use it, one after the other.
type lockedStore struct {
	handle.Store
	mu *sync.Mutex
}

func (l lockedStore) PutCases(ctx context.Context, writes []sla.CaseWrite) ([]sla.PutResult, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Store.PutCases(ctx, writes)
}

type lockedLedger struct {
	handle.Ledger
	mu *sync.Mutex
}

func (l lockedLedger) ReleaseAttempt(ctx context.Context, a sla.Attempt) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Ledger.ReleaseAttempt(ctx, a)
}

func TestNoMoreCasesOfAStoreAreUnderWayThanItsLimit(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]int{1: 1, 3: 3, 0: 8, 50: 8} {
		t.Run(strconv.Itoa(limit), func(t *testing.T) {
			t.Parallel()
			w, c, ids := crowded(t, 8, &limit)
			full := make(chan struct{})
			var once sync.Once
			c.gate = func(n int) {
				if n == want {
					once.Do(func() { close(full) })
				}
				<-full // all that may be under way are: a limit that is not reached hangs here
			}
			w.do(job.ForCases(job.Respond, ids, "all")[0])
			if c.max != want || len(c.order) != 8 || len(w.failed) != 0 || len(w.pages) != 0 {
				t.Errorf("want %d at once and all eight read, got %d and %v, %v, %v", want, c.max, c.order, w.failed, w.pages)
			}
			if limit == 1 && c.order[0] != ids[7].Native {
				t.Errorf("want the most urgent first, got %v", c.order)
			}
		})
	}
}

func TestACaseWithoutASlotIsPutOffAndNothingIsCounted(t *testing.T) {
	t.Parallel()
	limit := 1
	w, c, ids := crowded(t, 3, &limit)
	second := job.ForCases(job.Respond, ids[1:], "second")[0]
	c.gate = func(int) {
		c.gate = nil
		c.mu.Lock() // nobody else is under way
		defer c.mu.Unlock()
		if err := w.handlers.Do(context.Background(), second.Kind, second.Payload); err != nil {
			t.Errorf("without a slot: %v", err)
		}
	}
	w.do(job.ForCases(job.Respond, ids[:1], "first")[0])
	if len(c.order) != 1 || len(w.memory.slots) > 1 || len(w.pages) != 0 || len(w.failed) != 0 {
		t.Fatalf("want one case read and nothing claimed for the others, got %v, %v, %v", c.order, w.memory.slots, w.failed)
	}
	for _, id := range ids[1:] {
		rec := w.memory.cases[id.String()]
		if wait := rec.Next.Sub(w.now); wait != 5*time.Second || rec.Paged != slatest.Case().Paged {
			t.Errorf("%s: want another look in five seconds, got %v and %v", id, wait, rec.Paged)
		}
	}
	w.do(second) // the slot is free again
	if len(c.order) != 3 {
		t.Errorf("want the others read now, got %v", c.order)
	}
}

func TestALimitThatFallsLetsWhatIsUnderWayEnd(t *testing.T) {
	t.Parallel()
	limit := 2
	w, c, ids := crowded(t, 2, &limit)
	third := w.memory.cases[ids[0].String()]
	third.ID.Native = "1009"
	w.memory.cases[third.ID.String()] = third
	late := job.ForCases(job.Respond, []sla.DisputeID{third.ID}, "late")[0]
	var once sync.Once
	both := make(chan struct{})
	c.gate = func(n int) {
		if n < 2 {
			<-both
			return
		}
		once.Do(func() {
			limit = 1
			if err := w.handlers.Do(context.Background(), late.Kind, late.Payload); err != nil {
				t.Errorf("without a slot: %v", err)
			}
			close(both)
		})
	}
	w.do(job.ForCases(job.Respond, ids, "all")[0])
	if len(c.order) != 2 {
		t.Errorf("want the third put off, got %v", c.order)
	}
	c.gate = nil
	w.do(late)
	if len(c.order) != 3 {
		t.Errorf("want the third read when the two had ended, got %v", c.order)
	}
}
