package handle_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/job"
)

// Whatever goes wrong, and however often: at most one effect in a turn, none after guard, none above the cap, legal moves, a timer for
// each case, and no deadline that passes in silence. What the platform does late, and shows late, ends within the settle window.
func TestAnyHistoryKeepsThePromises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt)
		w.skew = time.Duration(rapid.IntRange(-240, 240).Draw(rt, "skew")) * time.Second
		if rapid.Bool().Draw(rt, "parcel moves") {
			w.track(sla.MilestoneInTransit)
		}
		w.platform.blind = time.Duration(rapid.IntRange(0, 240).Draw(rt, "blind")) * time.Second
		w.poll()
		w.drain()
		w.now = actAt.Add(-w.skew - time.Minute)
		turn := sla.Turn(7)
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			switch rapid.IntRange(0, 9).Draw(rt, "step") {
			case 0:
				turn++
				w.platform.edit(turn)
			case 1:
				w.poll()
				w.drain()
			case 2:
				w.platform.readErr = drawError(rt)
			case 3:
				w.platform.askErr = drawError(rt)
			case 4:
				w.platform.replies = append(w.platform.replies, drawReply(rt))
			case 5:
				w.do(w.job(rapid.SampledFrom([]job.Kind{job.Assess, job.Respond, job.Refresh}).Draw(rt, "job")))
				w.drain()
			case 6:
				if len(w.sources) == 1 { // an extension does not show, so that a loss of memory may repeat it
					w.memory.lose()
				}
			case 7:
				w.strike(rt)
			default:
				w.until(w.now.Add(time.Duration(rapid.IntRange(1, 3600).Draw(rt, "seconds")) * time.Second))
			}
			w.holds("on the way")
		}
		w.fault, w.platform.readErr, w.platform.askErr, w.platform.replies = nil, nil, nil, nil
		w.poll()
		w.until(deadline.Add(-w.skew))
		w.holds("end")
		if w.count(turn) == 0 && len(w.pages) == 0 {
			rt.Fatalf("the deadline passed in silence: %+v", w.kase())
		}
	})
}

// strike lets one of the coming points fail, crash, or meet another worker.
func (w *world) strike(rt *rapid.T) {
	n := w.points + rapid.IntRange(1, 40).Draw(rt, "point")
	how := rapid.IntRange(0, 2).Draw(rt, "fault")
	freeze := time.Duration(rapid.IntRange(0, 90).Draw(rt, "freeze")) * time.Second
	w.fault = func(at point) bool {
		if at.n != n {
			return false
		}
		switch how {
		case 0:
			panic(crash{at})
		case 1:
			w.visit(freeze)
			return false
		}
		return true
	}
}

func drawError(rt *rapid.T) error {
	kind := rapid.SampledFrom(append(connectors.Kinds(), connectors.KindNone, connectors.KindNone, connectors.KindNone)).Draw(rt, "kind")
	if kind == connectors.KindNone || kind == connectors.OutcomeUnknown {
		return nil
	}
	return &connectors.Error{Op: "fake read", Kind: kind, RetryAfter: 30 * time.Second}
}

// drawReply keeps the contract of connectors: every kind but OutcomeUnknown and Malformed means that there was surely no effect.
func drawReply(rt *rapid.T) reply {
	kind := rapid.SampledFrom(connectors.Kinds()).Draw(rt, "reply")
	r := reply{err: platformError(kind)}
	if kind == connectors.OutcomeUnknown || kind == connectors.Malformed {
		r.apply = rapid.Bool().Draw(rt, "applied")
		r.late = time.Duration(rapid.IntRange(0, 240).Draw(rt, "late")) * time.Second
		r.panic = rapid.IntRange(0, 3).Draw(rt, "panics") == 0
	}
	return r
}
