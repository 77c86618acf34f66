package handle

import (
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/zap"
)

func TestTurnsGoAtOnceAndAPanicStopsNoOther(t *testing.T) {
	t.Parallel()
	h := &Handlers{Deps: Deps{AtOnce: true}, log: zap.NewNop()}
	turns := make([]*turn, 5)
	var together sync.WaitGroup
	together.Add(len(turns))
	var ended atomic.Int32
	defer func() {
		if p := recover(); p != "broken" {
			t.Errorf("want the panic of the third turn, got %v", p)
		}
		if n := ended.Load(); n != 4 {
			t.Errorf("want the four others to end, got %d", n)
		}
	}()
	h.each(turns, func(i int, _ *turn) {
		together.Done()
		together.Wait() // nobody goes on before all have begun
		if i == 2 {
			panic("broken")
		}
		ended.Add(1)
	})
}

func TestTurnsGoInOrderUnlessAtOnce(t *testing.T) {
	t.Parallel()
	var order []int
	(&Handlers{}).each(make([]*turn, 4), func(i int, _ *turn) { order = append(order, i) })
	for i, got := range order {
		if got != i {
			t.Fatalf("want them in order, got %v", order)
		}
	}
	if len(order) != 4 {
		t.Fatalf("want four, got %v", order)
	}
}
