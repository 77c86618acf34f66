package fleet_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"watchkeeper/workers/store"
)

func TestAfterTheWordToStopOnlyTheAnswerThatIsUnderWayComesToItsEnd(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	b := s.fleet(t, 0, "WK_STORE__Q01__CONCURRENCY=1", "WK_WORKERS__SHUTDOWN=10s", "WK_SLA__MODE=live", "WK_SLA__ANSWER=refuse@0h", "WK_SLA__ACT_BEFORE=4d", "WK_STORE__Q01__POLL=1d")
	s.wanted = 99 // the first is held until the test lets go
	b.step(store.DefaultSettle + 2*time.Hour)
	s.opened, s.until = b.now(), b.now().Add(3*24*time.Hour)
	for i := range 8 {
		b.owe(strconv.Itoa(9000+i), 3*24*time.Hour)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stepped, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(stepped)
		_ = b.fleet.Step(ctx) // it waits for jobs that another process will do
	}()
	under := func() int { s.mu.Lock(); defer s.mu.Unlock(); return s.under }
	eventually(t, func() bool { return under() == 1 })
	go func() { stopped <- b.fleet.Stop(t.Context()) }()
	eventually(t, func() bool { return len(b.logged("jobs come to their ends")) == 1 })
	close(s.full)
	b.must(<-stopped)
	cancel()
	<-stepped
	if len(s.answers) != 1 || s.most != 1 {
		t.Errorf("want the one answer that was under way, got %v", s.answers)
	}
}
