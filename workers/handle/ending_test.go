package handle_test

import (
	"testing"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/job"
)

// A call may take ten seconds, and what became of it five more to write down.
const lastCall = 15 * time.Second

func TestNoAnswerBeginsSoLateThatTheEndOfTheProcessCutsItOff(t *testing.T) {
	t.Parallel()
	for left, want := range map[time.Duration]int{lastCall: 1, lastCall - time.Millisecond: 0, 0: 0, -time.Hour: 0} {
		w := opened(t)
		w.now = actAt
		w.handlers.StopBy(w.now.Add(left))
		version := w.kase().Version
		w.do(w.job(job.Respond))
		if len(w.platform.sent) != want || len(w.failed) != 0 {
			t.Errorf("%s left: want %d answers, got %v and %v", left, want, w.platform.sent, w.failed)
		}
		if rec := w.kase(); want == 0 && (rec.Version == version || rec.Next.Sub(w.now) > 5*time.Second || w.slot().N != 0) {
			t.Errorf("%s left: want the case put off for another process and no try counted, got %s and %+v", left, rec.Next.Sub(w.now), w.slot())
		}
	}
}

// The end comes into sight while the job is at each of its steps: nothing leaves after it did, and another process sends the answer, once.
func TestAnEndThatComesIntoSightInTheMiddleOfAJobStopsItsAnswer(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"claim attempts", "lookup", "record intent"} {
		met := false
		w := beforeAct(t, scenarios()[0], func(w *world) func(point) bool {
			return func(at point) bool {
				if at.name == name && at.when == "after" {
					met = true
					w.handlers.StopBy(w.now.Add(lastCall - time.Second))
				}
				return false
			}
		})
		w.now = actAt
		w.do(w.job(job.Respond))
		if !met || len(w.platform.sent) != 0 || w.slot().State == sla.AttemptUnknown {
			t.Errorf("after %s: want nothing sent and nothing in doubt, got %v and %v (met %v)", name, w.platform.sent, w.slot().State, met)
		}
		w.fault = nil
		w.handlers.StopBy(w.now.Add(24 * time.Hour)) // another process
		w.until(actAt.Add(5 * time.Minute))
		if w.count(7) != 1 {
			t.Errorf("after %s: want the answer sent by another process, got %v", name, w.platform.effects)
		}
	}
}

func TestWhatAnEndingProcessDoesNotBeginIsClaimedByNobody(t *testing.T) {
	t.Parallel()
	limit := 1
	w, c, ids := crowded(t, 5, &limit)
	c.gate = func(int) { w.handlers.StopBy(w.now) } // after the first
	w.do(job.ForCases(job.Respond, ids, "x")[0])
	if len(c.order) != 1 || len(w.failed) != 0 {
		t.Errorf("want one case begun, got %v, %v", c.order, w.failed)
	}
	for _, id := range ids {
		if rec := w.memory.cases[id.String()]; rec.Next.Sub(w.now) > time.Minute {
			t.Errorf("%s: want it looked at soon, got %s", id, rec.Next.Sub(w.now))
		}
	}
	for key, a := range w.memory.slots {
		if a.State == sla.AttemptClaimed || a.N > 0 {
			t.Errorf("%s: want its slot free, got %+v", key.Dispute, a)
		}
	}
}
