package memstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
)

// stateNone is a slot that is held by nobody and had a try that was refused for good.
const stateNone sla.AttemptState = 0

// slotOf gives what the ledger knows of one slot, and all of its case.
func slotOf(h *shard, key string, at sla.AttemptKey) (all []sla.Attempt, i int, ok bool) {
	all, _ = h.ledger.Get(key)
	i, ok = slices.BinarySearchFunc(all, at, func(a sla.Attempt, at sla.AttemptKey) int {
		return cmp.Or(cmp.Compare(a.Turn, at.Turn), cmp.Compare(a.Side, at.Side))
	})
	return all, i, ok
}

// writerOf names a slot of a case among the writers.
func writerOf(key string, at sla.AttemptKey) string {
	return fmt.Sprintf("%s/%x/%d", key, uint64(at.Turn), at.Side)
}

// keep writes a slot.
func (s *Store) keep(h *shard, key string, a sla.Attempt) {
	h.writers.Set(writerOf(key, a.AttemptKey), s.process)
	a.Dispute = sla.DisputeID{}
	all, i, ok := slotOf(h, key, a.AttemptKey)
	all = slices.Clone(all)
	if ok {
		all[i] = a
	} else {
		all = slices.Insert(all, i, a)
	}
	h.ledger.Set(key, all)
}

// ClaimAttempt is store.Store.ClaimAttempt.
func (s *Store) ClaimAttempt(ctx context.Context, key sla.AttemptKey, now time.Time, lease time.Duration) (sla.Attempt, error) {
	c := s.ClaimAttempts(ctx, []sla.AttemptKey{key}, now, lease)[0]
	return c.Attempt, c.Err
}

// ClaimAttempts is store.Store.ClaimAttempts.
func (s *Store) ClaimAttempts(_ context.Context, keys []sla.AttemptKey, now time.Time, lease time.Duration) []sla.Claim {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	out, all := make([]sla.Claim, len(keys)), make([]int, len(keys))
	for i := range keys {
		all[i] = i
	}
	gone := s.others.Gone()
	s.claimAll(keys, all, now, lease, out)
	var held []int
	for i, c := range out {
		if errors.Is(c.Err, sla.ErrHeld) {
			held = append(held, i)
		}
	}
	if len(held) > 0 && s.others.Learn(s.present(nil, nil, now), s.process, gone) {
		s.claimAll(keys, held, now, lease, out)
	}
	for i, key := range keys {
		if out[i].Err != nil {
			out[i].Err = fmt.Errorf("claim attempt %s: %w", key.Dispute, out[i].Err)
		}
	}
	return out
}

// claimAll tries slots.
func (s *Store) claimAll(keys []sla.AttemptKey, pending []int, now time.Time, lease time.Duration, out []sla.Claim) {
	places, each := make([]target, len(keys)), map[int]int64{}
	for _, i := range pending {
		key := keys[i]
		var err error
		if places[i].key, places[i].shard, err = s.member(key.Dispute.Store, key.Dispute.Native); err == nil {
			err = s.remember(places[i].shard)
		}
		if out[i].Err = err; err == nil {
			each[places[i].shard]++
		}
	}
	ahead := map[int]int64{} // the sequences of the call, taken from each shard at once as the Redis one does
	for _, i := range pending {
		if key := keys[i]; out[i].Err == nil {
			p := places[i]
			next := func() int64 {
				if ahead[p.shard] == 0 {
					ahead[p.shard] = s.ahead(p.shard, each[p.shard]) - 1
				}
				ahead[p.shard]++
				return ahead[p.shard]
			}
			out[i].Attempt, out[i].Err = s.claimSlot(p, key, now, instant(dueMS(now.Add(lease))), next)
			if seen := cmp.Or(ahead[p.shard], s.w.shards[p.shard].sequence); out[i].Err == nil {
				s.saw(p.shard, seen)
			}
		}
	}
}

// claimSlot is scripts/attempt_claim.lua.
func (s *Store) claimSlot(p target, key sla.AttemptKey, now, until time.Time, next func() int64) (sla.Attempt, error) {
	h := s.w.shards[p.shard]
	all, i, ok := slotOf(h, p.key, key)
	a := sla.Attempt{AttemptKey: key}
	if ok {
		a = all[i]
		a.Dispute = key.Dispute
	}
	if a.State == sla.AttemptSettled {
		return a, nil
	}
	early := floorMS(a.Lease) > now.UnixMilli()
	if early && !s.deserted(h, p.key, key) {
		return sla.Attempt{}, sla.ErrHeld
	}
	became := sla.AttemptClaimed
	if out(a.State) {
		became = sla.AttemptUnknown
	}
	if became == sla.AttemptClaimed && key.Side == 0 {
		for j, other := range all {
			if (!ok || j != i) && other.Side == 0 && out(other.State) {
				return sla.Attempt{}, sla.ErrUnresolved
			}
		}
	}
	if early && a.State == sla.AttemptSent {
		a.SentAt = a.Lease // who is taken for gone may only be slow, and send until its lease is over
	}
	a.State, a.Lease = became, until
	a.Token = uint64(s.views[p.shard].epoch)<<32 + uint64(next())
	s.keep(h, p.key, a)
	return a, nil
}

// deserted tells whether the process that wrote a slot last is gone.
func (s *Store) deserted(h *shard, key string, at sla.AttemptKey) bool {
	by, _ := h.writers.Get(writerOf(key, at))
	return s.others.IsGone(by)
}

// out tells whether an answer may be out whose outcome is not known.
func out(st sla.AttemptState) bool { return st == sla.AttemptSent || st == sla.AttemptUnknown }

// RecordIntent is store.Store.RecordIntent.
func (s *Store) RecordIntent(_ context.Context, in sla.Intent) (sla.Attempt, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	sent, err := s.recordIntent(in)
	if err != nil {
		return sla.Attempt{}, fmt.Errorf("record intent %s: %w", in.Dispute, err)
	}
	return sent, nil
}

// recordIntent is scripts/attempt_intent.lua.
func (s *Store) recordIntent(in sla.Intent) (sla.Attempt, error) {
	key, shard, err := s.member(in.Dispute.Store, in.Dispute.Native)
	if err == nil {
		err = s.notForgot(shard)
	}
	if err != nil {
		return sla.Attempt{}, err
	}
	h := s.w.shards[shard]
	all, i, ok := slotOf(h, key, in.AttemptKey)
	switch {
	case !ok || all[i].Token != in.Token:
		return sla.Attempt{}, sla.ErrFenced
	case all[i].State != sla.AttemptClaimed:
		return sla.Attempt{}, store.ErrIllegalMove
	case floorMS(all[i].Lease) <= in.Now.UnixMilli():
		return sla.Attempt{}, sla.ErrFenced
	case stopped(h.kills, s.views[shard].stores[in.Dispute.Store], in.Dispute.Store, in.Reason):
		return sla.Attempt{}, sla.ErrKilled
	case h.frozen > in.Since.UnixMilli():
		return sla.Attempt{}, sla.ErrFrozen
	case s.strange(h, in.Now):
		return sla.Attempt{}, sla.ErrTakenOver
	}
	a := in.Attempt
	a.State, a.N, a.Lease, a.SentAt = sla.AttemptSent, all[i].N+1, all[i].Lease, instant(floorMS(in.Now))
	a.Amount, a.Receipt, a.Absent = money3(a.Amount), "", time.Time{}
	s.keep(h, key, a)
	s.saw(shard, s.ahead(shard, 1))
	return a, nil
}

// Settle is store.Store.Settle.
func (s *Store) Settle(_ context.Context, a sla.Attempt, st sla.Settlement) error {
	op := "settle attempt " + a.Dispute.String()
	if !out(st.State) && st.State != sla.AttemptSettled && st.State != sla.AttemptRefused || st.State == sla.AttemptSent ||
		st.Case != nil && st.Case.ID.String() != a.Dispute.String() {
		return fmt.Errorf("%s to %s: %w", op, st.State, store.ErrIllegalMove)
	}
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	key, shard, err := s.member(a.Dispute.Store, a.Dispute.Native)
	if err == nil {
		err = s.remember(shard)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	a.State, a.Receipt, a.Lease = st.State, st.Receipt, time.Time{}
	a.Amount, a.SentAt, a.Absent = money3(a.Amount), instant(floorMS(a.SentAt)), instant(floorMS(a.Absent))
	if st.State != sla.AttemptUnknown || st.Receipt != "" {
		a.Absent = time.Time{}
	}
	h := s.w.shards[shard]
	if err := later(h, key, &a, s.views[shard].epoch); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	s.keep(h, key, a)
	fresh := st.Case == nil || s.writeCase(shard, key, st.Case)
	if len(st.Audit) > 0 {
		s.audit(shard, AuditLine{At: time.UnixMilli(st.At.UnixMilli()).UTC(), ID: a.Dispute.String(), Line: st.Audit})
	}
	if !fresh {
		return fmt.Errorf("%s: %w", op, sla.ErrStaleCase)
	}
	return nil
}

// later takes from the slot as it stands what is newer in it, or tells what forbids the move.
func later(h *shard, key string, mine *sla.Attempt, epoch int64) error {
	before := mine.Token>>32 < uint64(epoch) // memory was lost since the claim
	all, i, ok := slotOf(h, key, mine.AttemptKey)
	if !ok {
		if !before {
			return sla.ErrFenced
		}
		return nil
	}
	old := all[i]
	if old.Token > mine.Token || old.Token < mine.Token && !before {
		return sla.ErrFenced
	}
	again := old.State == mine.State && (old.State == sla.AttemptSettled || old.State == sla.AttemptRefused)
	if !out(old.State) && !again && (!before || old.State == sla.AttemptSettled) {
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
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	op := "release attempt " + a.Dispute.String()
	key, shard, err := s.member(a.Dispute.Store, a.Dispute.Native)
	if err == nil {
		err = s.remember(shard)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	h := s.w.shards[shard]
	all, i, ok := slotOf(h, key, a.AttemptKey)
	if !ok || all[i].Token != a.Token {
		return nil
	}
	old := all[i]
	if old.State == sla.AttemptSent {
		return fmt.Errorf("%s: %w", op, store.ErrIllegalMove)
	}
	if old.State == sla.AttemptClaimed && old.N == 0 {
		h.ledger.Set(key, slices.Delete(slices.Clone(all), i, i+1))
		return nil
	}
	if old.State == sla.AttemptClaimed {
		old.State = stateNone
	}
	old.Lease = time.Time{}
	s.keep(h, key, old)
	return nil
}

// Attempts is store.Store.Attempts.
func (s *Store) Attempts(_ context.Context, id sla.DisputeID) ([]sla.Attempt, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	key, shard, err := s.member(id.Store, id.Native)
	if err != nil {
		return nil, fmt.Errorf("attempts of %s: %w", id, err)
	}
	all, _ := s.w.shards[shard].ledger.Get(key)
	out := slices.Clone(all)
	for i := range out {
		out[i].Dispute = id
	}
	slices.SortStableFunc(out, func(a, b sla.Attempt) int { return a.SentAt.Compare(b.SentAt) })
	return out, nil
}
