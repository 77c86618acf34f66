package memstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/memstore"
)

// One process alone was told of an intent, and the server that takes over has never heard of it. Another process must not send before the first one
// has compared.
func TestAServerThatTookOverSendsNothingBeforeWhoKnowsMoreHasCompared(t *testing.T) {
	t.Parallel()
	ctx, now := context.Background(), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	world := memstore.NewWorld(2)
	open := func() *memstore.Store {
		s, err := memstore.Open(world, store.Options{Now: func() time.Time { return now }, Stores: map[sla.StoreID]sla.Platform{"AE01": "aliexpress"}, Settle: 10 * time.Minute})
		must(t, err)
		return s
	}
	knows, other := open(), open()
	now = now.Add(time.Hour) // the freeze of a first start is over
	compare := func(s *memstore.Store) sla.Epoch {
		e, err := s.CheckEpoch(ctx, now)
		must(t, err)
		return e
	}
	compare(knows)
	compare(other)
	before := world.Snapshot()
	key := sla.AttemptKey{Dispute: sla.DisputeID{Platform: "aliexpress", Store: "AE01", Native: "1"}, Turn: 1}
	send := func(s *memstore.Store) error {
		c := s.ClaimAttempts(ctx, []sla.AttemptKey{key}, now, time.Minute)[0]
		must(t, c.Err)
		_, err := s.RecordIntent(ctx, sla.Intent{Attempt: c.Attempt, Now: now, Since: now})
		return err
	}
	must(t, send(knows))
	world.Restore(before)
	world.TakeOver()
	if err := send(other); !errors.Is(err, sla.ErrTakenOver) {
		t.Fatalf("want nothing sent by who was not told of the intent, got %v", err)
	}
	if e := compare(knows); len(e.Lost) == 0 {
		t.Fatal("want the loss noticed by who was told of it")
	}
	now = now.Add(2 * time.Minute)
	if err := send(other); !errors.Is(err, sla.ErrFrozen) && !errors.Is(err, sla.ErrAmnesia) {
		t.Errorf("want a settle window waited for after the loss was noticed, got %v", err)
	}
}
