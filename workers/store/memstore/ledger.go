package memstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
)

// slot finds a slot of the ledger; nil when there is none. It must not be kept.
func (s *Store) slot(key sla.AttemptKey) *sla.Attempt {
	list := s.w.m.ledger[caseName(key.Dispute)]
	for i := range list {
		if list[i].Turn == key.Turn && list[i].Side == key.Side {
			return &list[i]
		}
	}
	return nil
}

// given is a slot as it is given out, under the id that was asked for.
func given(a sla.Attempt, id sla.DisputeID) sla.Attempt {
	a.Dispute = id
	return a
}

func (s *Store) put(a sla.Attempt) {
	if old := s.slot(a.AttemptKey); old != nil {
		*old = a
		return
	}
	of := caseName(a.Dispute)
	s.w.m.ledger[of] = append(s.w.m.ledger[of], a)
}

// ClaimAttempts is store.Store.ClaimAttempts.
func (s *Store) ClaimAttempts(_ context.Context, keys []sla.AttemptKey, now time.Time, lease time.Duration) []sla.Claim {
	out := make([]sla.Claim, len(keys))
	for i, key := range keys {
		if err := s.remember(); err != nil {
			out[i].Err = err
			continue
		}
		a, err := s.claim(key, now, lease)
		if out[i].Err = err; err == nil {
			out[i].Attempt = given(a, key.Dispute)
		} else {
			out[i].Err = fmt.Errorf("claim attempt %s: %w", key.Dispute, err)
		}
	}
	return out
}

func (s *Store) claim(key sla.AttemptKey, now time.Time, lease time.Duration) (sla.Attempt, error) {
	a := sla.Attempt{AttemptKey: key}
	if old := s.slot(key); old != nil {
		a = *old
	}
	switch {
	case a.State == sla.AttemptSettled:
		return a, nil
	case dueMS(a.Lease) > now.UnixMilli():
		return a, sla.ErrHeld
	}
	became := sla.AttemptClaimed
	if a.State == sla.AttemptSent || a.State == sla.AttemptUnknown {
		became = sla.AttemptUnknown
	}
	if became == sla.AttemptClaimed && key.Side == sla.AnswerNone && s.answerOut(key) {
		return a, sla.ErrUnresolved
	}
	a.State, a.Token, a.Lease = became, uint64(s.w.m.epoch)<<32+uint64(s.ahead()), instant(dueMS(now.Add(lease)))
	s.put(a)
	return a, nil
}

// answerOut reports whether the answer of another turn may still be out.
func (s *Store) answerOut(key sla.AttemptKey) bool {
	return slices.ContainsFunc(s.w.m.ledger[caseName(key.Dispute)], func(a sla.Attempt) bool {
		return a.Turn != key.Turn && a.Side == sla.AnswerNone && (a.State == sla.AttemptSent || a.State == sla.AttemptUnknown)
	})
}

// RecordIntent is store.Store.RecordIntent.
func (s *Store) RecordIntent(_ context.Context, in sla.Intent) (sla.Attempt, error) {
	op := "record intent " + in.Dispute.String()
	if s.forgot() {
		return sla.Attempt{}, fmt.Errorf("%s: %w", op, errors.Join(sla.ErrAmnesia, s.refresh(s.now())))
	}
	m, old := s.w.m, s.slot(in.AttemptKey)
	var refused error
	switch {
	case old == nil || old.Token != in.Token:
		refused = sla.ErrFenced
	case old.State != sla.AttemptClaimed:
		refused = store.ErrIllegalMove
	case dueMS(old.Lease) <= in.Now.UnixMilli():
		refused = sla.ErrFenced
	case killed(m.kills, m.stores[in.Dispute.Store], in.Dispute.Store, in.Reason):
		refused = sla.ErrKilled
	case m.frozen > in.Since.UnixMilli():
		refused = sla.ErrFrozen
	}
	if refused != nil {
		return sla.Attempt{}, fmt.Errorf("%s: %w", op, refused)
	}
	a := *old
	a.State, a.N, a.SentAt = sla.AttemptSent, old.N+1, kept(in.Now)
	a.Kind, a.Why, a.Proposal, a.Amount, a.Receipt = in.Kind, in.Why, in.Proposal, in.Amount, ""
	s.put(a)
	s.ahead()
	return given(a, in.Dispute), nil
}

// Settle is store.Store.Settle.
func (s *Store) Settle(_ context.Context, a sla.Attempt, st sla.Settlement) error {
	op := "settle attempt " + a.Dispute.String()
	if st.State != sla.AttemptSettled && st.State != sla.AttemptRefused && st.State != sla.AttemptUnknown ||
		st.Case != nil && st.Case.ID.String() != a.Dispute.String() {
		return fmt.Errorf("%s: %w", op, store.ErrIllegalMove)
	}
	if err := s.remember(); err != nil {
		return err
	}
	a.State, a.Receipt, a.Lease = st.State, st.Receipt, time.Time{}
	old := s.slot(a.AttemptKey)
	if refused := later(old, &a, s.w.m.epoch); refused != nil {
		return fmt.Errorf("%s: %w", op, refused)
	}
	s.put(a)
	if st.Case != nil && s.putCase(st.Case).Stale {
		return fmt.Errorf("%s: %w", op, sla.ErrStaleCase)
	}
	return nil
}

// later takes what is newer in the slot as it stands into the one to be written, or says what forbids the move (attempt_settle.lua).
func later(old, mine *sla.Attempt, epoch int64) error {
	before := int64(mine.Token>>32) < epoch // memory was lost since the claim
	if old == nil {
		if !before {
			return sla.ErrFenced
		}
		return nil
	}
	if old.Token > mine.Token || old.Token < mine.Token && !before {
		return sla.ErrFenced
	}
	again := old.State == mine.State && (old.State == sla.AttemptSettled || old.State == sla.AttemptRefused)
	if old.State != sla.AttemptSent && old.State != sla.AttemptUnknown && !again && (!before || old.State == sla.AttemptSettled) {
		return store.ErrIllegalMove
	}
	mine.N = max(mine.N, old.N)
	if old.SentAt.After(mine.SentAt) {
		mine.SentAt = old.SentAt
	}
	return nil
}

// ReleaseAttempt is store.Store.ReleaseAttempt.
func (s *Store) ReleaseAttempt(_ context.Context, a sla.Attempt) error {
	if err := s.remember(); err != nil {
		return err
	}
	old := s.slot(a.AttemptKey)
	switch {
	case old == nil || old.Token != a.Token:
		return nil
	case old.State == sla.AttemptSent:
		return fmt.Errorf("release attempt %s: %w", a.Dispute, store.ErrIllegalMove)
	case old.State == sla.AttemptClaimed && old.N == 0:
		of := caseName(a.Dispute)
		s.w.m.ledger[of] = slices.DeleteFunc(s.w.m.ledger[of], func(x sla.Attempt) bool { return x.Turn == a.Turn && x.Side == a.Side })
		return nil
	case old.State == sla.AttemptClaimed:
		old.State = sla.AttemptNone
	}
	old.Lease = time.Time{}
	return nil
}

// Attempts is store.Store.Attempts.
func (s *Store) Attempts(_ context.Context, id sla.DisputeID) ([]sla.Attempt, error) {
	var out []sla.Attempt
	for _, a := range s.w.m.ledger[caseName(id)] {
		out = append(out, given(a, id))
	}
	slices.SortStableFunc(out, func(a, b sla.Attempt) int { return a.SentAt.Compare(b.SentAt) })
	return out, nil
}
