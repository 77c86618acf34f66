package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"watchkeeper/sla"
)

// ErrStaleCase means that Settle wrote the ledger and not the case, because somebody else had written the case meanwhile (and armed it).
var ErrStaleCase = errors.New("the case has changed meanwhile; the ledger is written")

// refusals are the integers that the scripts of the ledger answer instead of a slot.
var refusals = map[int64]error{1: sla.ErrHeld, 2: sla.ErrFrozen, 3: sla.ErrFenced, 4: ErrIllegalMove}

// A slotCall makes the call of a ledger script on the case in its shard.
type slotCall func(v *view, k shardKeys, member []byte) (call, error)

// onLedger runs a script on the ledger of one case. When money is about to move, a loss of memory is for the caller to hear: the new epoch
// is opened, and nothing is tried again.
func (s *Store) onLedger(ctx context.Context, op string, id sla.DisputeID, money bool, build slotCall) (any, error) {
	op += " " + id.String()
	at := s.locate(classCase, caseIdent(id))
	var out any
	once := func(shards []int) ([]int, error) {
		v := s.views[at.shard].Load()
		member, err := v.appendMember(nil, at.bucket, caseIdent(id))
		if err != nil {
			return nil, err
		}
		c, err := build(v, s.keys[at.shard], member)
		if err != nil {
			return nil, err
		}
		if out, err = s.runOne(ctx, c); err != nil {
			return nil, err
		}
		if out == lostMemory {
			return shards, nil
		}
		if code, ok := out.(int64); ok {
			return nil, refusals[code]
		}
		if pair, ok := out.([]any); ok && len(pair) == 2 {
			v.saw(parseInt(pair[1]))
			out = pair[0]
		}
		return nil, nil
	}
	if !money {
		err := s.remembering(ctx, op, []int{at.shard}, once)
		return out, err
	}
	lost, err := once([]int{at.shard})
	if len(lost) > 0 {
		err = errors.Join(sla.ErrAmnesia, s.refresh(ctx, s.now()))
	}
	return out, wrap(op, err)
}

// guarded are the first arguments of a script of the ledger.
func (v *view) guarded(more ...any) []any {
	return append([]any{v.epoch, v.sequence.Load()}, more...)
}

// ClaimAttempt takes a slot of the ledger until the lease ends, and gives it as it stands:
//   - claimed: the caller may send; N is how often the slot was sent before (each time surely refused);
//   - unknown: the caller must first learn what became of the last try, which is described; N counts it;
//   - settled: nothing is left to do, and nothing was claimed.
//
// A try whose sender went away becomes unknown here. It answers sla.ErrHeld while another's lease runs.
func (s *Store) ClaimAttempt(ctx context.Context, key sla.AttemptKey, now time.Time, lease time.Duration) (sla.Attempt, error) {
	const op = "claim attempt"
	writer, until := newWriter(), appendInstant(nil, dueMS(now.Add(lease)))
	field := slotField(key)
	reply, err := s.onLedger(ctx, op, key.Dispute, false, func(v *view, k shardKeys, member []byte) (call, error) {
		return call{script: attemptClaim, keys: []string{k.epoch, k.ledger(member)},
			args: v.guarded(field, now.UnixMilli(), until, writer)}, nil
	})
	if err != nil {
		return sla.Attempt{}, err
	}
	a, err := readSlot(key.Dispute, field, bytesOf(reply))
	return a, wrap(op, err)
}

// RecordIntent makes a coming send durable: claimed → sent, with what will be sent. It gives the attempt as sent, N counting this try.
// Nothing may be sent without it, and nothing after it was refused: with sla.ErrFenced (the claim was taken over or its lease is over),
// sla.ErrFrozen (memory was lost a short time ago), sla.ErrAmnesia (it is noticed just now) or ErrIllegalMove. The freeze stops every
// kind of answer: after a loss nobody knows which messages were sent either.
func (s *Store) RecordIntent(ctx context.Context, a sla.Attempt, now time.Time) (sla.Attempt, error) {
	const op = "record intent"
	writer, field := newWriter(), slotField(a.AttemptKey)
	a.Receipt = ""
	reply, err := s.onLedger(ctx, op, a.Dispute, true, func(v *view, k shardKeys, member []byte) (call, error) {
		return call{script: attemptIntent, keys: []string{k.epoch, k.ledger(member)},
			args: v.guarded(field, now.UnixMilli(), appendInstant(nil, floorMS(now)), writer, appendToken(nil, a.Token), packSent(nil, a))}, nil
	})
	if err != nil {
		return sla.Attempt{}, err
	}
	sent, err := readSlot(a.Dispute, field, bytesOf(reply))
	return sent, wrap(op, err)
}

// floorMS is an instant that passed: it rounds down.
func floorMS(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(min(max(t.UnixMilli(), 1), maxInstant))
}

// Settle writes how a sent attempt ended: settled, refused or unknown (sent → any of them; unknown → any of them, unknown again meaning
// that nothing could be learned yet). The claim ends with it. In the same step it writes the case and the audit line, when they are given;
// ErrStaleCase means that all but the case was written. A late holder gets sla.ErrFenced and writes nothing; but what was sent before a
// loss of memory is written even if the loss took its slot, unless somebody has claimed it since.
func (s *Store) Settle(ctx context.Context, a sla.Attempt, st sla.Settlement) error {
	const op = "settle attempt"
	if st.State != sla.AttemptSettled && st.State != sla.AttemptRefused && st.State != sla.AttemptUnknown {
		return fmt.Errorf("%s %s to %s: %w", op, a.Dispute, st.State, ErrIllegalMove)
	}
	if st.Case != nil && st.Case.ID.String() != a.Dispute.String() {
		return fmt.Errorf("%s %s with case %s: %w", op, a.Dispute, st.Case.ID, ErrIllegalMove)
	}
	a.State, a.Receipt, a.Lease = st.State, st.Receipt, time.Time{}
	slot := packSlot(a, newWriter())
	at := s.locate(classCase, caseIdent(a.Dispute))
	reply, err := s.onLedger(ctx, op, a.Dispute, false, func(v *view, k shardKeys, member []byte) (call, error) {
		var record []byte
		if st.Case != nil {
			var err error
			if record, err = caseKind.appendValue(nil, &st.Case.CaseRecord, st.Case.Expect, s.gauge(classCase, at.shard)); err != nil {
				return call{}, err
			}
		}
		return call{script: attemptSettle, keys: []string{k.epoch, k.ledger(member), k.audit},
			args: v.guarded(slotField(a.AttemptKey), slot, k.prefix, member, record, st.Audit, s.perShard(maxAudits), st.At.UnixMilli(), a.Dispute.String())}, nil
	})
	if err == nil && reply == "0" {
		return fmt.Errorf("%s %s: %w", op, a.Dispute, ErrStaleCase)
	}
	return err
}

// ReleaseAttempt gives a claim back: nothing was sent, or nothing could be learned. A claim that is no longer held is no error; one that
// was sent is ErrIllegalMove.
func (s *Store) ReleaseAttempt(ctx context.Context, a sla.Attempt) error {
	_, err := s.onLedger(ctx, "release attempt", a.Dispute, false, func(v *view, k shardKeys, member []byte) (call, error) {
		return call{script: attemptGive, keys: []string{k.epoch, k.ledger(member)},
			args: v.guarded(slotField(a.AttemptKey), appendToken(nil, a.Token))}, nil
	})
	return err
}

// Attempts lists the ledger of one dispute, by the time of the last try. An error that Is ErrUnreadable concerns single ones.
func (s *Store) Attempts(ctx context.Context, id sla.DisputeID) ([]sla.Attempt, error) {
	op := "attempts of " + id.String()
	at := s.locate(classCase, caseIdent(id))
	member, err := s.views[at.shard].Load().appendMember(nil, at.bucket, caseIdent(id))
	if err != nil {
		return nil, wrap(op, err)
	}
	slots, err := s.rdb.HGetAll(ctx, s.keys[at.shard].ledger(member)).Result()
	if err != nil {
		return nil, wrap(op, err)
	}
	var out []sla.Attempt
	var bad error
	for field, slot := range slots {
		a, err := readSlot(id, []byte(field), []byte(slot))
		if err != nil {
			s.skip(op, err)
			bad = err
			continue
		}
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b sla.Attempt) int { return a.SentAt.Compare(b.SentAt) })
	return out, wrap(op, bad)
}
