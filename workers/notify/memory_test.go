package notify

import (
	"testing"
	"time"

	"watchkeeper/sla"
)

func TestMemoryIsBoundedAndForgetsTheOldestFirst(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	m := memory{at: map[key]time.Time{}}
	for n := range 3 * remembers {
		if !m.fresh(key{turn: sla.Turn(n)}, now.Add(time.Duration(n))) {
			t.Fatalf("message %d is not new", n)
		}
		if n%3 == 0 {
			m.forget(key{turn: sla.Turn(n)})
		}
	}
	if len(m.order) > remembers || len(m.at) > remembers {
		t.Errorf("want at most %d, got %d and %d", remembers, len(m.order), len(m.at))
	}
	if m.fresh(key{turn: 3*remembers - 2}, now) {
		t.Error("the newest is forgotten")
	}
	if !m.fresh(key{turn: 1}, now) {
		t.Error("the oldest is not forgotten")
	}
	if !m.fresh(key{turn: 3*remembers - 2}, now.Add(2*time.Hour)) || len(m.at) != 1 || len(m.order) != 1 {
		t.Errorf("want all but one forgotten after two hours, got %d and %d", len(m.at), len(m.order))
	}
}

func TestAForgottenMessageIsRememberedFromItsSecondPosting(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	m := memory{at: map[key]time.Time{}}
	m.fresh(key{turn: 1}, now)
	m.forget(key{turn: 1})
	m.fresh(key{turn: 1}, now.Add(30*time.Minute))
	if m.fresh(key{turn: 1}, now.Add(sameFor)) {
		t.Error("the first posting's hour has ended the second's")
	}
}
