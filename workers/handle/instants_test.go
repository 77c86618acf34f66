package handle

import (
	"testing"
	"time"
)

func TestInstantsAreRememberedForTwoGenerationsAndNoLonger(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)
	m := newInstants[int](2)
	for i := range 3 {
		m.set(i, now.Add(time.Duration(i)))
	}
	for range 5 {
		m.set(2, now.Add(2)) // a key that is there already takes no room
	}
	for i := range 3 {
		if got := m.get(i); !got.Equal(now.Add(time.Duration(i))) {
			t.Errorf("%d: want its instant, got %s", i, got)
		}
	}
	if got := m.first(0, now.Add(time.Hour)); !got.Equal(now) { // moves it into the younger generation
		t.Errorf("want the first instant, got %s", got)
	}
	m.set(3, now)
	if got := m.get(1); !got.IsZero() {
		t.Errorf("want the oldest forgotten, got %s", got)
	}
	if got := m.get(0); !got.Equal(now) {
		t.Errorf("want what was asked for meanwhile remembered, got %s", got)
	}
	for i := range 100 {
		m.first(i, now)
	}
	if n := len(m.young) + len(m.old); n > 4 {
		t.Errorf("it remembers %d instants: want it bounded", n)
	}
}
