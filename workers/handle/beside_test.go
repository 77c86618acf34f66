package handle_test

import (
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/job"
)

// moving is a world whose parcel moves: the answer is a refusal, with an extension of the buyer's protection beside it.
func moving(w *world) { w.track(sla.MilestoneInTransit) }

func (w *world) extensions() (n int) {
	for _, e := range w.platform.effects {
		if e.kind == sla.AnswerExtend {
			n++
		}
	}
	return n
}

func TestWhatGoesBesideNeverHoldsUpTheAnswer(t *testing.T) {
	t.Parallel()
	for name, beside := range map[string]reply{
		"accepted": {apply: true},
		"rejected": {err: platformError(connectors.Rejected)},
		"no right": {err: platformError(connectors.Forbidden)},
		"unknown":  unknown(false),
		"lost":     unknown(true),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := acted(t, moving, replying(beside))
			if len(w.platform.sent) != 2 || w.platform.sent[0].Kind != sla.AnswerExtend || w.platform.sent[1].Kind != sla.AnswerRefuse {
				t.Fatalf("want an extension and then a refusal at once, got %+v", w.platform.sent)
			}
			if !w.kase().Answered || w.kase().Unresolved {
				t.Errorf("want the case answered, got %+v", w.kase())
			}
			w.until(guardAt)
			w.quiet(name)
		})
	}
}

// The process dies after the extension went out: its unknown outcome is asked for on the way, and the answer does not wait for it.
func TestUnknownBesideIsAskedForAndTheAnswerGoesOut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		askErr error
		state  sla.AttemptState
	}{
		"present":    {nil, sla.AttemptSettled},
		"unreadable": {platformError(connectors.Malformed), sla.AttemptUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := opened(t, moving)
			w.until(actAt.Add(-time.Second))
			w.platform.askErr = c.askErr
			w.fault = func(at point) bool {
				if at.name == "respond" && at.when == "after" {
					w.fault = nil
					panic(crash{at})
				}
				return false
			}
			w.until(actAt.Add(5 * time.Minute))
			slot := w.memory.slots[sla.AttemptKey{Dispute: w.kase().ID, Turn: 7, Side: sla.AnswerExtend}]
			if w.count(7) != 1 || w.extensions() != 1 || slot.State != c.state {
				t.Errorf("want the answer sent and the extension %v once, got %+v and %v", c.state, w.platform.effects, slot.State)
			}
		})
	}
}

func TestWhatGoesBesideIsSentOncePerTurn(t *testing.T) {
	t.Parallel()
	w := acted(t, moving, replying(reply{apply: true}, reply{err: platformError(connectors.Unavailable)}))
	w.until(actAt.Add(2 * time.Hour)) // the refusal is tried again, the extension is not
	if w.extensions() != 1 || w.count(7) != 1 || len(w.platform.sent) != 3 {
		t.Errorf("want one extension and two tries of the refusal, got %+v", w.platform.sent)
	}
	w.platform.edit(8)
	w.poll()
	w.drain()
	w.until(actAt.Add(3 * time.Hour))
	if w.extensions() != 2 || w.count(8) != 1 {
		t.Errorf("want both again in the next turn, got %+v", w.platform.effects)
	}
}

// Whether an obligation whose turn moved while an attempt was unknown can be answered twice, or never.
func TestTurnThatMovedOverAnUnknownAttemptIsAnsweredOnceAfterItIsKnown(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]reply{
		"took effect": unknown(true),
		"was lost":    unknown(false),
		"was late":    {apply: true, late: 6 * time.Minute, err: platformError(connectors.OutcomeUnknown)},
	} {
		for _, told := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := acted(t, replying(first))
				w.now = w.now.Add(10 * time.Second)
				w.platform.edit(8)
				if told {
					w.poll()
					w.drain()
				}
				w.until(actAt.Add(9 * time.Minute))
				if w.count(8) > 0 && w.slot().State == sla.AttemptUnknown {
					t.Fatalf("want turn 8 to wait for turn 7, got %+v", w.platform.effects)
				}
				w.until(actAt.Add(time.Hour))
				w.holds(name)
				if w.count(8) != 1 || w.slot().State == sla.AttemptUnknown || w.kase().Unresolved {
					t.Errorf("want turn 8 answered and turn 7 known, got %+v, %v", w.platform.effects, w.slot().State)
				}
			})
		}
	}
}

// Crash after the send, and the platform moves on: the intent must not be forgotten with its turn.
func TestIntentOfAnOldTurnIsCarriedOver(t *testing.T) {
	t.Parallel()
	w := opened(t)
	w.until(actAt.Add(-time.Second))
	w.fault = func(at point) bool {
		if at.name == "respond" && at.when == "after" {
			w.fault = nil
			panic(crash{at})
		}
		return false
	}
	w.now = actAt
	w.sweep()
	w.platform.dispute.State, w.platform.dispute.Obligations = sla.StateClosed, nil
	w.poll()
	if !w.kase().Unresolved {
		t.Fatalf("want the closed case to remember the attempt, got %+v", w.kase())
	}
	w.until(actAt.Add(30 * time.Minute))
	if w.kase().Unresolved || w.slot().State != sla.AttemptSettled {
		t.Errorf("want the attempt settled, got %+v, %v", w.kase(), w.slot().State)
	}
}

// Two answers are out, and one becomes known: the other must still be asked for.
func TestAnsweredCaseStillAsksForAnOlderAttempt(t *testing.T) {
	t.Parallel()
	w := acted(t, func(w *world) { w.platform.blind = time.Hour })
	rec := w.kase()
	old := sla.AttemptKey{Dispute: rec.ID, Turn: 6}
	w.memory.slots[old] = sla.Attempt{AttemptKey: old, State: sla.AttemptUnknown, N: 1, Token: 1, Kind: sla.AnswerOffer, SentAt: actAt.Add(-time.Hour)}
	rec.Unresolved = true
	w.memory.cases[rec.ID.String()] = rec
	w.until(actAt.Add(30 * time.Minute))
	if w.kase().Unresolved || w.memory.slots[old].State != sla.AttemptRefused {
		t.Errorf("want the old attempt known, got %+v, %v", w.kase(), w.memory.slots[old].State)
	}
}

func TestFrozenMoneyIsPutOffAndSentAfterTheFreeze(t *testing.T) {
	t.Parallel()
	for name, freeze := range map[string]func(*world){
		"frozen":     func(w *world) { w.memory.frozen = actAt.Add(5 * time.Minute) },
		"new server": func(w *world) { w.memory.strange = actAt.Add(5 * time.Minute) },
		"amnesia":    func(w *world) { w.memory.lost = true },
		"amnesia after the claim": func(w *world) {
			w.fault = func(at point) bool {
				if at.name == "claim attempts" && at.when == "after" {
					w.memory.lost, w.fault = true, nil
				}
				return false
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := opened(t, moving)
			w.until(actAt.Add(-time.Second))
			freeze(w)
			w.now = actAt
			w.do(w.job(job.Respond))
			if len(w.platform.sent) != 0 || w.slot().State == sla.AttemptClaimed || len(w.failed) != 0 {
				t.Errorf("want nothing sent and the claim given back, got %v, %v, %v", w.platform.sent, w.slot().State, w.failed)
			}
			if left := w.kase().Next.Sub(w.now); left != time.Minute {
				t.Errorf("want another look in a minute, got %v", left)
			}
			w.until(actAt.Add(4 * time.Minute))
			if len(w.platform.sent) != 0 {
				t.Fatalf("want nothing sent in the freeze, got %v", w.platform.sentAt)
			}
			w.until(actAt.Add(time.Hour))
			w.quiet("after the freeze")
		})
	}
}

// All of the store's memory is lost right after an answer went out: the platform shows the answer before the freeze ends.
func TestLossOfMemoryDoesNotDoubleAnAnswer(t *testing.T) {
	t.Parallel()
	for _, blind := range []time.Duration{0, 8 * time.Minute} {
		w := acted(t, func(w *world) { w.platform.blind = blind })
		w.memory.lose()
		for range 8 {
			w.poll()
			w.drain()
			w.until(w.now.Add(2 * time.Minute))
		}
		w.until(actAt.Add(3 * time.Hour))
		w.holds("after a loss")
		if w.count(7) != 1 || w.kase().Obligation.Turn != 0 {
			t.Errorf("%v: want one answer and the case with the buyer, got %+v, %+v", blind, w.platform.effects, w.kase())
		}
	}
}

// The memory is lost between what goes beside the answer and the answer: the platform does not show the first, so it is not sent again.
func TestLossOfMemoryDoesNotDoubleWhatGoesBeside(t *testing.T) {
	t.Parallel()
	w := opened(t, moving)
	w.until(actAt.Add(-time.Second))
	intents := 0
	w.fault = func(at point) bool {
		if at.name == "record intent" && at.when == "before" {
			if intents++; intents == 2 {
				w.memory.lose()
				w.fault = nil
			}
		}
		return false
	}
	w.now = actAt
	w.sweep()
	for range 10 {
		w.poll()
		w.drain()
		w.until(w.now.Add(2 * time.Minute))
	}
	w.until(actAt.Add(3 * time.Hour))
	w.holds("after a loss")
	sent := map[sla.AnswerKind]int{}
	for _, a := range w.platform.sent {
		sent[a.Kind]++
	}
	if intents != 2 || sent[sla.AnswerExtend] != 1 || sent[sla.AnswerRefuse] != 1 {
		t.Errorf("want one extension and one answer, got %v after %d intents", sent, intents)
	}
}
