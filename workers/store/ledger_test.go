package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

func slot() sla.AttemptKey { return sla.AttemptKey{Dispute: disputeID(1), Turn: 0xfeed} }

// described is what an attempt says it will send.
func described(a sla.Attempt) sla.Attempt {
	a.Kind, a.Proposal, a.Why = sla.AnswerOffer, "987654321", sla.WhyNegotiate
	a.Amount = sla.Money{Minor: 1250, Currency: "USD"}
	return a
}

// claimSlot claims and checks the state it is given in.
func claimSlot(tb testing.TB, s *store.Store, now time.Time, want sla.AttemptState) sla.Attempt {
	tb.Helper()
	a, err := s.ClaimAttempt(context.Background(), slot(), now, time.Minute)
	must(tb, err)
	if a.State != want {
		tb.Fatalf("want the slot %s, got %s", want, a.State)
	}
	return a
}

func send(tb testing.TB, s *store.Store, a sla.Attempt, now time.Time) sla.Attempt {
	tb.Helper()
	sent, err := s.RecordIntent(context.Background(), intent(described(a), now, now))
	must(tb, err)
	return sent
}

func wantErr(tb testing.TB, err, want error) {
	tb.Helper()
	if !errors.Is(err, want) {
		tb.Fatalf("want %v, got %v", want, err)
	}
}

func TestAnAnswerIsSentOnceAndSettled(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx := context.Background()
		putAll(t, s, []sla.CaseWrite{newCase(1, c.now())})
		a := claimSlot(t, s, c.now(), sla.AttemptClaimed)
		_, err := s.ClaimAttempt(ctx, slot(), c.now(), time.Minute)
		wantErr(t, err, sla.ErrHeld)
		wantErr(t, s.Settle(ctx, a, sla.Settlement{State: sla.AttemptSettled, At: c.now()}), store.ErrIllegalMove)
		sent := send(t, s, a, c.now())
		if sent.N != 1 || sent.State != sla.AttemptSent || !sent.SentAt.Equal(c.now()) {
			t.Fatalf("want the first try sent now, got %+v", sent)
		}
		_, err = s.RecordIntent(ctx, intent(described(a), c.now(), c.now()))
		wantErr(t, err, store.ErrIllegalMove)
		wantErr(t, s.ReleaseAttempt(ctx, sent), store.ErrIllegalMove)

		write := newCase(1, c.now().Add(time.Hour))
		write.Expect, write.Answered = 1, true
		must(t, s.Settle(ctx, sent, sla.Settlement{State: sla.AttemptSettled, Receipt: "req-77", At: c.now(), Case: &write, Audit: []byte(`{"did":"offer"}`)}))
		want := described(sent)
		want.State, want.Receipt, want.Lease = sla.AttemptSettled, "req-77", time.Time{}
		attempts, err := s.Attempts(ctx, disputeID(1))
		must(t, err)
		if diff := cmp.Diff([]sla.Attempt{want}, attempts); diff != "" {
			t.Fatal(diff)
		}
		got, _, err := s.Cases(ctx, []sla.DisputeID{disputeID(1)})
		must(t, err)
		lines, err := s.AuditsOf(ctx, disputeID(1), 5)
		must(t, err)
		if !got[0].Answered || got[0].Version != 2 || len(lines) != 1 || string(lines[0].Line) != `{"did":"offer"}` {
			t.Fatalf("want case and audit line written with it, got %+v %v", got[0], lines)
		}
		if again := claimSlot(t, s, c.now().Add(time.Hour), sla.AttemptSettled); again.Token != sent.Token {
			t.Fatal("a settled slot was claimed")
		}
		must(t, s.RemoveCases(ctx, []sla.DisputeID{disputeID(1)}))
		if attempts, err = s.Attempts(ctx, disputeID(1)); err != nil || len(attempts) > 0 {
			t.Fatalf("want the ledger gone with the case, got %v %v", attempts, err)
		}
	})
}

func TestACrashAfterTheIntentIsUnknown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx := context.Background()
		late := send(t, s, claimSlot(t, s, c.now(), sla.AttemptClaimed), c.now())
		_, err := s.ClaimAttempt(ctx, slot(), c.now(), time.Minute)
		wantErr(t, err, sla.ErrHeld)
		c.advance(time.Minute)
		a := claimSlot(t, s, c.now(), sla.AttemptUnknown)
		if a.N != 1 || a.Proposal != "987654321" || !a.SentAt.Equal(late.SentAt) {
			t.Fatalf("want the last try described, got %+v", a)
		}
		_, err = s.ClaimAttempt(ctx, slot(), c.now(), time.Minute)
		wantErr(t, err, sla.ErrHeld)
		_, err = s.RecordIntent(ctx, intent(described(a), c.now(), c.now()))
		wantErr(t, err, store.ErrIllegalMove)
		wantErr(t, s.Settle(ctx, late, sla.Settlement{State: sla.AttemptSettled, At: c.now()}), sla.ErrFenced)
		must(t, s.Settle(ctx, a, sla.Settlement{State: sla.AttemptUnknown, At: c.now()}))
		a = claimSlot(t, s, c.now(), sla.AttemptUnknown)
		must(t, s.ReleaseAttempt(ctx, a))
		a = claimSlot(t, s, c.now(), sla.AttemptUnknown)
		must(t, s.Settle(ctx, a, sla.Settlement{State: sla.AttemptRefused, At: c.now()}))
		a = claimSlot(t, s, c.now(), sla.AttemptClaimed)
		if again := send(t, s, a, c.now()); again.N != 2 {
			t.Fatalf("want the second try, got %+v", again)
		}
	})
}

func TestNoAnswerIsClaimedWhileOneOfAnotherTurnIsOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx := context.Background()
		next, side := slot(), slot()
		next.Turn++
		side.Turn, side.Side = next.Turn, sla.AnswerExtend
		sent := send(t, s, claimSlot(t, s, c.now(), sla.AttemptClaimed), c.now())
		for _, state := range []sla.AttemptState{sla.AttemptSent, sla.AttemptUnknown} {
			if state == sla.AttemptUnknown {
				must(t, s.Settle(ctx, sent, sla.Settlement{State: state, At: c.now()}))
			}
			_, err := s.ClaimAttempt(ctx, next, c.now(), time.Minute)
			wantErr(t, err, sla.ErrUnresolved)
		}
		a, err := s.ClaimAttempt(ctx, side, c.now(), time.Minute)
		must(t, err) // what goes beside an answer waits for none
		must(t, s.ReleaseAttempt(ctx, a))
		must(t, s.Settle(ctx, claimSlot(t, s, c.now(), sla.AttemptUnknown), sla.Settlement{State: sla.AttemptRefused, At: c.now()}))
		if a, err = s.ClaimAttempt(ctx, next, c.now(), time.Minute); err != nil || a.State != sla.AttemptClaimed {
			t.Fatalf("want the next turn claimed once the last answer is known, got %v %v", a.State, err)
		}
	})
}

func TestWhatGoesBesideAnAnswerCountsInTheOtherTurnsOfNobody(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		side := slot()
		side.Turn, side.Side = side.Turn+1, sla.AnswerExtend
		a, err := s.ClaimAttempt(context.Background(), side, c.now(), time.Minute)
		must(t, err)
		send(t, s, a, c.now())
		claimSlot(t, s, c.now(), sla.AttemptClaimed)
	})
}

func TestSlotsClaimedTogetherHaveTheirOwnFates(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		keys := make([]sla.AttemptKey, 12)
		for i := range keys {
			keys[i] = sla.AttemptKey{Dispute: disputeID(i), Turn: 0xfeed}
		}
		held, err := s.ClaimAttempt(ctx, keys[3], c.now(), time.Minute)
		must(t, err)
		done, err := s.ClaimAttempt(ctx, keys[4], c.now(), time.Minute)
		must(t, err)
		must(t, s.Settle(ctx, send(t, s, done, c.now()), sla.Settlement{State: sla.AttemptSettled, At: c.now()}))
		keys[5].Dispute.Store = "NOBODY" // a store without a number
		for i, got := range s.ClaimAttempts(ctx, keys, c.now(), time.Minute) {
			switch {
			case i == 3 && !errors.Is(got.Err, sla.ErrHeld), i == 5 && got.Err == nil:
				t.Errorf("slot %d: want an error of its own, got %v", i, got.Err)
			case i == 4 && got.State != sla.AttemptSettled:
				t.Errorf("want the settled slot as it stands, got %v %v", got.State, got.Err)
			case (i < 3 || i > 5) && (got.Err != nil || got.State != sla.AttemptClaimed || got.AttemptKey != keys[i]):
				t.Errorf("slot %d: want it claimed, got %+v", i, got)
			}
		}
		must(t, s.ReleaseAttempt(ctx, held))
		must(t, storetest.Hand(rdb).FlushAll(ctx).Err())
		for i, got := range s.ClaimAttempts(ctx, keys[6:], c.now(), time.Minute) {
			if got.Err != nil || got.State != sla.AttemptClaimed || got.Token>>32 < 2 {
				t.Errorf("slot %d: want it claimed in the new epoch, got %+v", i, got)
			}
		}
	})
}

func TestALateHolderIsFencedOff(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx := context.Background()
		late := claimSlot(t, s, c.now(), sla.AttemptClaimed)
		c.advance(time.Minute)
		_, err := s.RecordIntent(ctx, intent(described(late), c.now(), c.now()))
		wantErr(t, err, sla.ErrFenced) // nobody took it, and still its lease is over
		a := claimSlot(t, s, c.now(), sla.AttemptClaimed)
		if a.Token <= late.Token {
			t.Fatalf("want a larger token, got %d after %d", a.Token, late.Token)
		}
		_, err = s.RecordIntent(ctx, intent(described(late), c.now(), c.now()))
		wantErr(t, err, sla.ErrFenced)
		must(t, s.ReleaseAttempt(ctx, late)) // not his any more, and no harm
		sent := send(t, s, a, c.now())
		wantErr(t, s.Settle(ctx, late, sla.Settlement{State: sla.AttemptRefused, At: c.now()}), sla.ErrFenced)
		must(t, s.Settle(ctx, sent, sla.Settlement{State: sla.AttemptSettled, At: c.now()}))
		wantErr(t, s.Settle(ctx, sent, sla.Settlement{State: sla.AttemptRefused, At: c.now()}), store.ErrIllegalMove)
	})
}

func TestAReleasedClaimIsAsIfItNeverWas(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx := context.Background()
		a := claimSlot(t, s, c.now(), sla.AttemptClaimed)
		must(t, s.ReleaseAttempt(ctx, a))
		if attempts, err := s.Attempts(ctx, disputeID(1)); err != nil || len(attempts) > 0 {
			t.Fatalf("want no trace, got %v %v", attempts, err)
		}
		_, err := s.RecordIntent(ctx, intent(described(a), c.now(), c.now()))
		wantErr(t, err, sla.ErrFenced)
		if again := claimSlot(t, s, c.now(), sla.AttemptClaimed); again.Token <= a.Token {
			t.Fatalf("want tokens to grow, got %d after %d", again.Token, a.Token)
		}
	})
}

func TestOneOfManyClaimersGetsTheSlot(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		won, held := 0, 0
		for range 16 {
			wg.Go(func() {
				_, err := s.ClaimAttempt(context.Background(), slot(), c.now(), time.Minute)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won++
				case errors.Is(err, sla.ErrHeld):
					held++
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won != 1 || held != 15 {
			t.Fatalf("want one holder and 15 turned away, got %d and %d", won, held)
		}
	})
}

func TestAStaleCaseDoesNotUndoTheLedger(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx := context.Background()
		putAll(t, s, []sla.CaseWrite{newCase(1, c.now())})
		sent := send(t, s, claimSlot(t, s, c.now(), sla.AttemptClaimed), c.now())
		stale := newCase(1, c.now())
		stale.Expect = 9
		wantErr(t, s.Settle(ctx, sent, sla.Settlement{State: sla.AttemptSettled, At: c.now(), Case: &stale}), sla.ErrStaleCase)
		claimSlot(t, s, c.now(), sla.AttemptSettled)
		foreign := newCase(2, c.now())
		wantErr(t, s.Settle(ctx, sent, sla.Settlement{State: sla.AttemptSettled, At: c.now(), Case: &foreign}), store.ErrIllegalMove)
		wantErr(t, s.Settle(ctx, sent, sla.Settlement{State: sla.AttemptSent, At: c.now()}), store.ErrIllegalMove)
	})
}

func TestWhatWasSentBeforeALossIsWrittenAfterIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		sent := send(t, s, claimSlot(t, s, c.now(), sla.AttemptClaimed), c.now())
		must(t, storetest.Hand(rdb).FlushAll(ctx).Err())
		must(t, s.Settle(ctx, sent, sla.Settlement{State: sla.AttemptSettled, Receipt: "req-1", At: c.now()}))
		if got := claimSlot(t, s, c.now(), sla.AttemptSettled); got.Receipt != "req-1" || got.N != 1 {
			t.Fatalf("want the answer remembered, got %+v", got)
		}
		must(t, storetest.Hand(rdb).FlushAll(ctx).Err())
		claimSlot(t, s, c.now(), sla.AttemptClaimed) // somebody has begun anew: he decides
		wantErr(t, s.Settle(ctx, sent, sla.Settlement{State: sla.AttemptUnknown, At: c.now()}), sla.ErrFenced)
	})
}

// What says since when an answer is absent has the place of a receipt, which only an answer of known outcome has.
func TestAnAbsenceIsNoReceiptAndAReceiptNoAbsence(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx := context.Background()
		free, err := s.ClaimAttempt(ctx, slot(), c.now(), time.Minute)
		must(t, err)
		sent := send(t, s, free, c.now())
		sent.Absent = c.now()
		must(t, s.Settle(ctx, sent, sla.Settlement{State: sla.AttemptUnknown, At: c.now()}))
		c.advance(time.Minute)
		held, err := s.ClaimAttempt(ctx, slot(), c.now(), time.Minute)
		if must(t, err); !held.Absent.Equal(sent.Absent) || held.Receipt != "" {
			t.Errorf("want it absent since %s, got %s and receipt %q", sent.Absent, held.Absent, held.Receipt)
		}
		held.Absent = c.now()
		must(t, s.Settle(ctx, held, sla.Settlement{State: sla.AttemptRefused, At: c.now()}))
		again, err := s.ClaimAttempt(ctx, slot(), c.now(), time.Minute)
		if must(t, err); again.Receipt != "" {
			t.Errorf("want no receipt of what was refused, got %q", again.Receipt)
		}
		again.Absent = c.now()
		if held = send(t, s, again, c.now()); !held.Absent.IsZero() || held.Receipt != "" {
			t.Errorf("want nothing said of the absence of a new try, got %+v", held)
		}
		const receipt = "absent:zz"
		must(t, s.Settle(ctx, held, sla.Settlement{State: sla.AttemptSettled, Receipt: receipt, At: c.now()}))
		all, err := s.Attempts(ctx, slot().Dispute)
		if must(t, err); len(all) != 1 || all[0].Receipt != receipt || !all[0].Absent.IsZero() {
			t.Errorf("want the platform's receipt, got %+v", all)
		}
	})
}
