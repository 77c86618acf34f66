package embedded_test

import (
	"testing"

	"watchkeeper/connectors/simulator"
	"watchkeeper/sla"
)

// open counts the disputes on record, and the answers that the platform has taken.
func (s *scene) open() (cases, answers int) {
	s.t.Helper()
	if err := s.store.EachCase(s.t.Context(), func(sla.CaseRecord) error {
		cases++
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
	for _, e := range s.world.Log() {
		if e.Actor == simulator.ActorSeller {
			answers++
		}
	}
	return cases, answers
}

// overdue tells whether a case waits for a sweep.
func (s *scene) overdue() bool {
	s.t.Helper()
	found := false
	if err := s.store.EachCase(s.t.Context(), func(c sla.CaseRecord) error {
		found = found || c.Open() && !c.Next.IsZero() && c.Next.Before(s.now())
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
	return found
}

// Each process does its part and nothing else, and all of them together do everything.
func TestProcessesOfOneRoleEachDoTheWholeWorkTogether(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts real processes for a quarter of a minute")
	}
	s := newScene(t, killSpeed, simulator.Options{Seed: 11, Days: 4, Disputes: 16, Shipments: 10, Person: true})
	s.spawn("WK_WORKERS__ROLES=poll")
	s.eventually("disputes are on record, and due", func() bool {
		cases, _ := s.open()
		return cases > 0 && s.overdue()
	})
	if _, answers := s.open(); answers > 0 {
		t.Errorf("%d answers from a process that only reads feeds", answers)
	}
	s.spawn("WK_WORKERS__ROLES=sweep, admin")
	s.eventually("what is due was claimed", func() bool { return !s.overdue() })
	if _, answers := s.open(); answers > 0 {
		t.Errorf("%d answers from processes that only read feeds and sweep", answers)
	}
	s.spawn("WK_WORKERS__ROLES=work")
	s.eventually("answers go out", func() bool {
		_, answers := s.open()
		return answers >= 3
	})
	if r := s.world.Report(); r.Breached != 0 || r.DoubleEffects != 0 {
		t.Errorf("double effects %d, breached %d", r.DoubleEffects, r.Breached)
	}
}
