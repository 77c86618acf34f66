package handle_test

import (
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/job"
)

// scenario is one way in which an answer can go. It starts a minute before the act stage, and whatever happens at one point of it must
// leave one effect and a quiet case three hours later.
type scenario struct {
	name  string
	setup func(*world)
}

func scenarios() []scenario {
	moving := func(w *world) { w.track(sla.MilestoneInTransit) }
	return []scenario{
		{"accepted", func(*world) {}},
		{"reply lost", func(w *world) {
			w.platform.replies = []reply{{apply: true, err: platformError(connectors.OutcomeUnknown)}}
		}},
		{"request lost", func(w *world) { w.platform.replies = []reply{{err: platformError(connectors.OutcomeUnknown)}} }},
		{"late", func(w *world) {
			w.platform.replies = []reply{{apply: true, late: 4 * time.Minute, err: platformError(connectors.OutcomeUnknown)}}
		}},
		{"shown late", func(w *world) { w.platform.blind = 5 * time.Minute }},
		{"refused once", func(w *world) { w.platform.replies = []reply{{err: platformError(connectors.Unavailable)}} }},
		{"moved once", func(w *world) { w.platform.replies = []reply{{err: platformError(connectors.Conflict)}} }},
		{"panics once", func(w *world) { w.platform.replies = []reply{{apply: true, panic: true}} }},
		{"something beside", moving},
		{"something beside is unknown", func(w *world) {
			moving(w)
			w.platform.replies = []reply{{err: platformError(connectors.OutcomeUnknown)}}
		}},
		{"skewed", func(w *world) { w.skew = -3 * time.Minute }},
	}
}

// track makes the parcel of the dispute known, with a scan a day before the act stage.
func (w *world) track(m sla.Milestone) {
	w.sources["T17"] = &connectors.Source{Store: "T17", Platform: "track17", Built: connectors.Built{Tracker: noTracker{}}}
	ref := sla.ShipmentRef{Number: "LX000000001CN"}
	w.platform.dispute.Shipments = []sla.ShipmentRef{ref}
	w.memory.parcels[ref.Key()] = sla.ShipmentRecord{Store: "T17", Ref: ref, Milestone: m, LastEvent: actAt.Add(-24 * time.Hour), Version: 1}
}

// noTracker stands for a tracker whose parcels are on record; its methods are not called.
type noTracker struct{ connectors.Tracker }

// beforeAct is a world of a scenario, a minute before the act stage, that is then given a fault.
func beforeAct(t *testing.T, s scenario, fault func(*world) func(point) bool) *world {
	t.Helper()
	w := opened(t, s.setup)
	w.until(actAt.Add(-w.skew - time.Minute))
	w.fault = fault(w)
	return w
}

// points are the places for faults that the scenario has in its first two hours: all of the beginning, and some of what only repeats.
func points(t *testing.T, s scenario) (out []int) {
	t.Helper()
	w := beforeAct(t, s, func(*world) func(point) bool { return func(point) bool { return false } })
	w.until(actAt.Add(2 * time.Hour))
	w.quiet(s.name + ", no fault")
	if w.points < 20 {
		t.Fatalf("want an answer's worth of points, got %d", w.points)
	}
	for n := 1; n <= w.points; n += 1 + n/60*6 {
		out = append(out, n)
	}
	return out
}

// quiet checks that the turn was answered once, and that nothing is left open.
func (w *world) quiet(where string) {
	w.t.Helper()
	w.holds(where)
	if n := w.count(7); n != 1 {
		w.t.Fatalf("%s: want one answer, got %d: %+v", where, n, w.kase())
	}
	if c := w.kase(); c.Unresolved || !c.Answered && c.Obligation.Turn == 7 {
		w.t.Fatalf("%s: want an answered case, got %+v", where, c)
	}
	for _, a := range w.memory.slots {
		if a.Side == sla.AnswerNone && a.State != sla.AttemptSettled {
			w.t.Fatalf("%s: want the attempt settled, got %+v", where, a)
		}
	}
	if len(w.pages) > 0 {
		w.t.Fatalf("%s: want nobody paged, got %v", where, w.pages[0].Why)
	}
}

func TestFaultAtAnyPointLeavesOneEffectAndATimer(t *testing.T) {
	t.Parallel()
	kinds := map[string]func(at point) bool{
		"call fails": func(point) bool { return true },
		"crash":      func(at point) bool { panic(crash{at}) },
	}
	for _, s := range scenarios() {
		for kind, strike := range kinds {
			t.Run(s.name+", "+kind, func(t *testing.T) {
				t.Parallel()
				for _, n := range points(t, s) {
					var struck point
					w := beforeAct(t, s, func(*world) func(point) bool {
						return func(at point) bool {
							if at.n != n {
								return false
							}
							struck = at
							return strike(at)
						}
					})
					w.until(actAt.Add(3 * time.Hour))
					w.quiet(struck.String())
				}
			})
		}
	}
}

func TestTwoFaultsInARowLeaveOneEffectAndATimer(t *testing.T) {
	t.Parallel()
	for _, s := range scenarios()[:4] {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for _, n := range points(t, s) {
				for gap := range 12 {
					w := beforeAct(t, s, func(*world) func(point) bool {
						return func(at point) bool {
							switch at.n {
							case n:
								panic(crash{at})
							case n + 1 + gap:
								return true
							}
							return false
						}
					})
					w.until(actAt.Add(3 * time.Hour))
					w.quiet(s.name)
				}
			}
		})
	}
}

// The one freeze that nobody can guard against is longer than the settle window and exactly between the last check and the effect.
func hopeless(at point, freeze time.Duration) bool {
	return freeze > 8*time.Minute && at.name == "respond" && at.when == "before"
}

func TestTwoWorkersAtOnceSendOnce(t *testing.T) {
	t.Parallel()
	for _, freeze := range []time.Duration{0, 30 * time.Second, 70 * time.Second, 11 * time.Minute} {
		for _, s := range scenarios() {
			t.Run(s.name+", frozen "+freeze.String(), func(t *testing.T) {
				t.Parallel()
				for _, n := range points(t, s) {
					var met point
					w := beforeAct(t, s, func(w *world) func(point) bool {
						return func(at point) bool {
							if at.n == n && !hopeless(at, freeze) {
								met = at
								w.visit(freeze)
							}
							return false
						}
					})
					w.until(actAt.Add(3 * time.Hour))
					w.quiet(met.String())
				}
			})
		}
	}
}

// A node whose clock is fast takes a slot over too early: the first holder is fenced off, and what it sent already is not sent again.
func TestWorkerWithAFastClockCannotDouble(t *testing.T) {
	t.Parallel()
	for _, fast := range []time.Duration{70 * time.Second, 5 * time.Minute} {
		for _, s := range scenarios()[:6] {
			t.Run(s.name+", "+fast.String(), func(t *testing.T) {
				t.Parallel()
				for _, n := range points(t, s) {
					var met point
					w := beforeAct(t, s, func(w *world) func(point) bool {
						return func(at point) bool {
							if at.n == n {
								met = at
								w.visit(fast)
								w.now = w.now.Add(-fast)
							}
							return false
						}
					})
					w.until(actAt.Add(3 * time.Hour))
					w.quiet(met.String())
				}
			})
		}
	}
}

// visit is another worker doing everything there is while this one stands still.
func (w *world) visit(freeze time.Duration) {
	mine, fault := w.queue, w.fault
	w.queue, w.fault = nil, nil
	w.now = w.now.Add(freeze)
	for _, kind := range []job.Kind{job.Respond, job.Assess, job.Refresh, job.Respond} {
		w.do(w.job(kind))
		w.drain()
	}
	w.sweep()
	w.poll()
	w.drain()
	w.queue, w.fault = mine, fault
}

// The lease check, and not luck, is what stops a worker that was frozen between its intent and its send.
func TestFrozenBetweenIntentAndSendSendsNothing(t *testing.T) {
	t.Parallel()
	for _, freeze := range []time.Duration{50 * time.Second, 20 * time.Minute} {
		w := beforeAct(t, scenarios()[0], func(w *world) func(point) bool {
			return func(at point) bool {
				if at.name == "record intent" && at.when == "after" {
					w.now, w.fault = w.now.Add(freeze), nil
				}
				return false
			}
		})
		w.now = actAt
		w.sweep()
		if len(w.platform.sent) != 0 || w.slot().State != sla.AttemptRefused {
			t.Errorf("%v: want nothing sent and the attempt given up, got %v and %v", freeze, w.platform.sent, w.slot().State)
		}
	}
}

func TestLateReplyOfTheClaimCountsAgainstItsLease(t *testing.T) {
	t.Parallel()
	w := beforeAct(t, scenarios()[0], func(w *world) func(point) bool {
		return func(at point) bool {
			if at.name == "claim attempts" && at.when == "after" {
				w.now, w.fault = w.now.Add(50*time.Second), nil
			}
			return false
		}
	})
	w.now = actAt
	w.sweep()
	if len(w.platform.sent) != 0 {
		t.Errorf("want nothing sent with ten seconds of the lease left, got %v", w.platform.sent)
	}
	w.until(actAt.Add(time.Hour))
	w.quiet("after the next try")
}
