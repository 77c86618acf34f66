package handle_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/job"
)

func TestOnlyUnreadableJobsGoToTheArchive(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind    string
		payload string
		archive bool
		is      error
	}{
		"unknown kind":  {"case.unheard", `{"v":1,"ids":["AE01/1"]}`, true, nil},
		"not JSON":      {string(job.Assess), "\x00", true, job.ErrPayload},
		"empty":         {string(job.Assess), "", true, job.ErrPayload},
		"newer program": {string(job.Assess), `{"v":2,"ids":{"x":1}}`, false, job.ErrNewer},
		"lost store":    {string(job.Respond), `{"v":1,"ids":["AE01/9000000001"]}`, false, errOut},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.fault = func(point) bool { return true }
			err := w.handlers.ProcessTask(context.Background(), asynq.NewTask(c.kind, []byte(c.payload)))
			if err == nil || errors.Is(err, asynq.SkipRetry) != c.archive || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("want archive %v and %v, got %v", c.archive, c.is, err)
			}
			if strings.Contains(err.Error(), "\x00") {
				t.Errorf("want no payload in the error, got %q", err)
			}
		})
	}
}

func TestMuxKnowsEveryKindByItsWholeName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mux := w.handlers.Mux()
	for _, k := range job.Kinds() {
		if _, pattern := mux.Handler(asynq.NewTask(string(k), nil)); pattern != string(k) {
			t.Errorf("want %s routed as itself, got %q", k, pattern)
		}
	}
	err := mux.ProcessTask(context.Background(), asynq.NewTask(string(job.Assess)+".late", []byte(`{"v":1,"ids":["AE01/1"]}`)))
	if !errors.Is(err, asynq.SkipRetry) {
		t.Errorf("want a kind that only begins like ours archived, got %v", err)
	}
}

// stubIntake and stubTracker fail as told; the other parts of their interfaces are not called.
type stubIntake struct {
	err    error
	called []sla.StoreID
}

func (s *stubIntake) Await(context.Context, *connectors.Source, sla.Dispute, sla.CaseRecord, time.Time) error {
	return s.err
}

func (s *stubIntake) Record(context.Context, *connectors.Source, sla.Dispute, sla.CaseRecord) error {
	return s.err
}

func (s *stubIntake) Refresh(_ context.Context, src *connectors.Source, _ []sla.DisputeID) error {
	s.called = append(s.called, src.Store)
	return s.err
}

func (s *stubIntake) Look(_ context.Context, src *connectors.Source, _ []sla.ShipmentRef) error {
	s.called = append(s.called, src.Store)
	return s.err
}

type stubTracker struct {
	connectors.Tracker
	err  error
	refs []sla.ShipmentRef
}

func (s *stubTracker) Register(_ context.Context, refs []sla.ShipmentRef) error {
	s.refs = append(s.refs, refs...)
	return s.err
}

// A platform's failure is left to a timer; where there is none it is the queue's to try again; a failure of ours always is.
func TestFailureOfAPlatformIsNoFailureOfTheJob(t *testing.T) {
	t.Parallel()
	refs := []sla.ShipmentRef{{Number: "LX1"}}
	jobs := map[string]job.Job{
		"refresh": job.ForCases(job.Refresh, []sla.DisputeID{{Store: "AE01", Native: "1"}}, "")[0],
		"look":    job.ForParcels(job.Look, "T17", refs, "")[0],
		"enrol":   job.ForParcels(job.Enrol, "T17", refs, "")[0],
	}
	for _, kind := range connectors.Kinds() {
		for name, j := range jobs {
			w, in, tracker := newWorld(t), &stubIntake{err: platformError(kind)}, &stubTracker{err: fmt.Errorf("wrapped: %w", platformError(kind))}
			w.handlers.Intake = in
			w.sources["T17"] = &connectors.Source{Store: "T17", Platform: "track17", Built: connectors.Built{Tracker: tracker}}
			w.do(j)
			again := name == "enrol" && (kind == connectors.Throttled || kind == connectors.Unavailable)
			if (len(w.failed) > 0) != again {
				t.Errorf("%s, %v: want a failed job %v, got %v", name, kind, again, w.failed)
			}
			if len(in.called)+len(tracker.refs) != 1 {
				t.Errorf("%s: want one call, got %v, %v", name, in.called, tracker.refs)
			}
		}
	}
	for name, j := range jobs {
		w := newWorld(t)
		w.handlers.Intake = &stubIntake{err: errOut}
		w.sources["T17"] = &connectors.Source{Store: "T17", Built: connectors.Built{Tracker: &stubTracker{err: errOut}}}
		w.do(j)
		if len(w.failed) != 1 || !errors.Is(w.failed[0], errOut) {
			t.Errorf("%s: want our own failure given to the queue, got %v", name, w.failed)
		}
	}
}

func TestWorkOfAnotherReplicasStoreIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := []sla.DisputeID{{Store: "EB01", Native: "1"}}
	w.memory.cases["EB01/1"] = sla.CaseRecord{Case: sla.Case{DisputeRef: sla.DisputeRef{ID: other[0]}, Version: 3, Next: w.now}}
	for _, kind := range []job.Kind{job.Assess, job.Refresh, job.Respond} {
		w.do(job.ForCases(kind, other, "")[0])
	}
	for _, kind := range []job.Kind{job.Look, job.Enrol} {
		w.do(job.ForParcels(kind, "EB02", []sla.ShipmentRef{{Number: "1"}}, "")[0])
		w.do(job.ForParcels(kind, "AE01", []sla.ShipmentRef{{Number: "1"}}, "")[0]) // no tracker
	}
	if rec := w.memory.cases["EB01/1"]; rec.Version != 3 || !rec.Next.Equal(w.now) || len(w.failed) != 0 || len(w.queue) != 0 {
		t.Errorf("want nothing touched, got %+v, %v", rec, w.failed)
	}
}
