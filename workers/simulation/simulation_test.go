package simulation_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"watchkeeper/sla"
	"watchkeeper/workers/simulation"
	"watchkeeper/workers/store/storetest"
)

func inMemory() simulation.Server { return simulation.NewInMemory() }

func unraced(t *testing.T) {
	t.Helper()
	if raced {
		t.Skip("one goroutine at a time has no races, and the detector needs gigabytes for the coroutines")
	}
}

func play(seed uint64, cases int, faults simulation.Faults, server simulation.Server) simulation.Result {
	return simulation.New(simulation.Options{Seed: seed, Cases: cases, Faults: faults}, server).Run()
}

// wantSound fails unless a world was alive and no invariant was violated in it.
func wantSound(t *testing.T, r simulation.Result, cases int) {
	t.Helper()
	for _, v := range r.Violations {
		t.Errorf("seed %d: %s: case %s at %s: %s", r.Seed, v.Invariant, v.Case, v.At, v.What)
	}
	if r.Lifetimes != cases || r.Answered < cases/10 || r.Late != 0 || r.Twice != 0 {
		t.Errorf("want %d lifetimes, a good part of them answered, none late or twice, got %+v", cases, r)
	}
}

func TestNothingIsLateOrTwiceUnderEveryFault(t *testing.T) {
	t.Parallel()
	unraced(t)
	for seed := range uint64(3) {
		r := play(seed+1, 100, simulation.All, inMemory())
		wantSound(t, r, 100)
		if r.Crashes == 0 {
			t.Errorf("seed %d: want processes that die", r.Seed)
		}
	}
}

// Not parallel: it counts all goroutines.
func TestAWorldLeavesNothingRunning(t *testing.T) { //nolint:paralleltest // see above
	unraced(t)
	before := runtime.NumGoroutine()
	wantSound(t, play(1, 30, simulation.All, inMemory()), 30)
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("want no goroutine of the world left, got %d more", after-before)
	}
}

func TestWithoutFaultsNobodyDies(t *testing.T) {
	t.Parallel()
	unraced(t)
	r := play(1, 100, 0, inMemory())
	wantSound(t, r, 100)
	if r.Crashes != 0 {
		t.Errorf("want no fault, got %d processes that died", r.Crashes)
	}
}

func TestTheSameSeedGivesTheSameWorldStepByStep(t *testing.T) {
	t.Parallel()
	unraced(t)
	story := func() (lines []string) {
		trace := func(at time.Time, of, what string) { lines = append(lines, at.Format(time.RFC3339Nano)+of+what) }
		simulation.New(simulation.Options{Seed: 7, Cases: 40, Faults: simulation.All, Trace: trace}, inMemory()).Run()
		return lines
	}
	first := story()
	if d := cmp.Diff(first, story()); d != "" || len(first) < 100 {
		t.Errorf("want the same %d lines twice:\n%s", len(first), d)
	}
}

// The same worlds on the fleet's own scripts: what holds in memory must hold in Redis.
func TestNothingIsLateOrTwiceOnTheRealScripts(t *testing.T) {
	t.Parallel()
	unraced(t)
	if testing.Short() {
		t.Skip("plays days of timers through a real server")
	}
	rdb := storetest.Connect(t, storetest.Start(t))
	wantSound(t, play(3, 20, simulation.All, simulation.Real{Client: rdb}), 20)
}

// forgetful is a server without a ledger: every claim is granted, and nothing is known of what was sent. The judge must see what comes of it.
type forgetful struct{ simulation.Server }

func (f forgetful) Open(h simulation.Handle) (simulation.Memory, error) {
	m, err := f.Server.Open(h)
	return unledgered{m}, err
}

type unledgered struct{ simulation.Memory }

func (unledgered) Attempts(context.Context, sla.DisputeID) ([]sla.Attempt, error) { return nil, nil }

func (unledgered) ClaimAttempts(_ context.Context, keys []sla.AttemptKey, now time.Time, lease time.Duration) []sla.Claim {
	out := make([]sla.Claim, len(keys))
	for i, k := range keys {
		out[i].Attempt = sla.Attempt{AttemptKey: k, State: sla.AttemptClaimed, Token: 1, Lease: now.Add(lease)}
	}
	return out
}

func (unledgered) RecordIntent(_ context.Context, in sla.Intent) (sla.Attempt, error) {
	in.State, in.N, in.SentAt = sla.AttemptSent, 1, in.Now
	return in.Attempt, nil
}

func (u unledgered) Settle(ctx context.Context, _ sla.Attempt, s sla.Settlement) error {
	if s.Case == nil {
		return nil
	}
	_, err := u.PutCases(ctx, []sla.CaseWrite{*s.Case})
	return err
}

func (unledgered) ReleaseAttempt(context.Context, sla.Attempt) error { return nil }

func TestAStoryIsShortAndEndsWithTheViolation(t *testing.T) {
	t.Parallel()
	unraced(t)
	server := func() simulation.Server { return forgetful{inMemory()} }
	var s *simulation.Story
	for seed := uint64(1); s == nil && seed <= 10; seed++ {
		s = simulation.Shortest(simulation.Options{Seed: seed, Cases: 60, Faults: simulation.All}, server)
	}
	if s == nil {
		t.Fatal("want a violation where nothing is known of what was sent")
	}
	if last := s.Lines[len(s.Lines)-1]; !strings.Contains(last, "VIOLATION") || s.Cases > 60 || s.Violation.Case == "" {
		t.Fatalf("want a story that ends with the violation, got %+v", s)
	}
	if s.Faults == simulation.All.String() {
		t.Errorf("want faults taken away that do not matter, got %s", s.Faults)
	}
}
