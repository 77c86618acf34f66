package handle_test

import (
	"testing"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/handle"
)

// thawing has the handlers hear of a freeze of the memory, and counts the disputes that are read.
func (w *world) thawing(reads *int) {
	d := w.handlers.Deps
	d.Frozen = func(sla.DisputeID) time.Time { return w.memory.frozen }
	w.handlers = handle.New(d)
	w.fault = func(p point) bool {
		if p.name == "lookup" && p.when == "before" {
			*reads++
		}
		return false
	}
}

// A freeze has an end that is known: until then the platform's allowance is for reading what was forgotten.
func TestWhatMayNotBeSentYetIsNotReadEither(t *testing.T) {
	t.Parallel()
	end, reads := actAt.Add(7*time.Minute), 0
	w := opened(t, func(w *world) { w.memory.frozen = end })
	w.thawing(&reads)
	w.until(end.Add(-time.Second))
	if w.sent(); reads != 0 {
		t.Errorf("want no reading while nothing may be sent, got %d", reads)
	}
	if next := w.kase().Next; !next.Equal(end) {
		t.Errorf("want it looked at when the freeze ends, got %s", next.Sub(end))
	}
	if state := w.slot().State; state == sla.AttemptClaimed {
		t.Error("want the claim given back meanwhile")
	}
	w.until(end.Add(time.Second))
	w.sent(sla.AnswerOffer)

	w = opened(t, func(w *world) { w.memory.frozen = deadline })
	w.thawing(&reads)
	w.until(deadline.Add(time.Hour))
	w.sent()
	w.paged(sla.WhyGuardPassed, sla.WhyDeadlinePassed)
}

// A process may end between an answer and the writing down of its outcome, and memory be lost then. What is asked for during the freeze is known
// at its end.
func TestWhatWasSentBeforeAFreezeIsAskedForDuringIt(t *testing.T) {
	t.Parallel()
	reads, end := 0, actAt.Add(30*time.Minute)
	w := opened(t)
	w.fault = func(p point) bool {
		if p.name == "respond" && p.when == "before" {
			w.memory.frozen = end
			panic(crash{p})
		}
		return false
	}
	w.until(actAt.Add(time.Second))
	if state := w.slot().State; state != sla.AttemptSent || w.kase().Unresolved {
		t.Fatalf("want an intent of which the case says nothing, got %s", state)
	}
	w.thawing(&reads)
	w.until(end.Add(-time.Second))
	if state := w.slot().State; reads == 0 || state == sla.AttemptSent || state == sla.AttemptUnknown {
		t.Errorf("want it known during the freeze that the answer never arrived, got %s after %d readings", state, reads)
	}
	w.until(end.Add(time.Second))
	w.sent(sla.AnswerOffer)
}

// A freeze holds up answers, and not who must be told that there will be none.
func TestAPersonIsToldDuringAFreeze(t *testing.T) {
	t.Parallel()
	reads := 0
	w := opened(t, func(w *world) { w.memory.frozen, w.source.Responder = guardAt.Add(-time.Hour), nil })
	w.thawing(&reads)
	w.until(actAt.Add(time.Minute))
	w.paged(sla.WhyPersonNeeded)
}
