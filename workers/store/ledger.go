package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"watchkeeper/sla"
)

// refusals are the integers that the scripts of the ledger answer instead of a slot.
var refusals = map[int64]error{1: sla.ErrHeld, 2: sla.ErrFrozen, 3: sla.ErrFenced, 4: ErrIllegalMove, 5: sla.ErrUnresolved, 6: sla.ErrKilled,
	7: sla.ErrTakenOver}

// onLedger runs a script on the ledger of one case; more gives the script's arguments behind the member, under a view. When money is about to
// move, a loss of memory is for the caller to hear: the new epoch is opened, and nothing is tried again.
func (s *Store) onLedger(ctx context.Context, op string, id sla.DisputeID, script luaScript, money bool, more func(v *view, shard int) ([]any, error)) (any, error) {
	op += " " + id.String()
	at := s.locate(classCase, caseIdent(id))
	var out any
	once := func(shards []int) ([]int, error) {
		v := s.views[at.shard].Load()
		last, err := more(v, at.shard)
		if err != nil {
			return nil, err
		}
		it, err := s.onCase(v, script, at, id, last...)
		if err != nil {
			return nil, err
		}
		var lost bool
		if out, lost, err = ledgerReply(v, s.share(ctx, it)[0]); lost {
			return shards, nil
		}
		return nil, err
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

// onCase is an item of a script on one case.
func (s *Store) onCase(v *view, script luaScript, at place, id sla.DisputeID, more ...any) (item, error) {
	member, err := v.appendMember(nil, at.bucket, caseIdent(id))
	if err != nil {
		return item{}, err
	}
	return item{script: script, shard: at.shard, under: v, args: append([]any{member}, more...)}, nil
}

// ledgerReply reads what a script of the ledger answered under a view: a slot with a sequence behind it, or a word.
func ledgerReply(v *view, a answer) (out any, lost bool, err error) {
	if a.err != nil || a.value == lostMemory {
		return nil, a.err == nil, a.err
	}
	if code, ok := a.value.(int64); ok {
		return nil, false, refusals[code]
	}
	text, _ := a.value.(string)
	if len(text) < slotHead+8 {
		return text, false, nil
	}
	v.saw(int64(binary.BigEndian.Uint64([]byte(text[len(text)-8:]))))
	return text[:len(text)-8], false, nil
}

// ClaimAttempt is ClaimAttempts for one slot.
func (s *Store) ClaimAttempt(ctx context.Context, key sla.AttemptKey, now time.Time, lease time.Duration) (sla.Attempt, error) {
	c := s.ClaimAttempts(ctx, []sla.AttemptKey{key}, now, lease)[0]
	return c.Attempt, c.Err
}

// ClaimAttempts takes slots of the ledger until the lease ends, in one round trip, and gives each as it stands:
//   - claimed: the caller may send; N is how often the slot was sent before (each time surely refused);
//   - unknown: the caller must first learn what became of the last try, which is described; N counts it;
//   - settled: nothing is left to do, and nothing was claimed.
//
// A try whose sender went away becomes unknown here. A slot has sla.ErrHeld while another's lease runs, unless that process is gone (Beat):
// what it sent counts as sent at the end of its lease. The slot of an answer has sla.ErrUnresolved while the answer of another turn of the
// same dispute may still be out. One slot's error says nothing of the others.
func (s *Store) ClaimAttempts(ctx context.Context, keys []sla.AttemptKey, now time.Time, lease time.Duration) []sla.Claim {
	out := make([]sla.Claim, len(keys))
	all := make([]int, len(keys))
	for i := range keys {
		all[i] = i
	}
	gone := s.deserters()
	s.claimAll(ctx, keys, all, now, lease, out)
	// Who was found gone since our last look left nothing that is held.
	if of := held(out); len(of) > 0 && s.heardOfMore(ctx, gone, now) {
		s.claimAll(ctx, keys, of, now, lease, out)
	}
	for i, key := range keys {
		out[i].Err = wrap(claimOp+" "+key.Dispute.String(), out[i].Err)
	}
	return out
}

const claimOp = "claim attempt"

// claimAll tries the pending slots, and those again whose shard has lost its memory.
func (s *Store) claimAll(ctx context.Context, keys []sla.AttemptKey, pending []int, now time.Time, lease time.Duration, out []sla.Claim) {
	shards := make([]int, len(pending))
	for i, n := range pending {
		shards[i] = s.shardFor(keys[n])
	}
	until := appendInstant(nil, dueMS(now.Add(lease)))
	err := s.remembering(ctx, claimOp, shards, func([]int) (lost []int, _ error) {
		again := s.claimEach(ctx, keys, pending, now, until, out)
		for _, i := range again {
			lost = append(lost, s.shardFor(keys[i]))
		}
		pending = again
		return lost, nil
	})
	for _, i := range pending {
		out[i].Err = err // memory was lost, and is lost again or cannot be asked
	}
}

func (s *Store) shardFor(key sla.AttemptKey) int {
	return s.locate(classCase, caseIdent(key.Dispute)).shard
}

// claimEach tries the pending slots once, and gives those whose shard has lost its memory.
func (s *Store) claimEach(ctx context.Context, keys []sla.AttemptKey, pending []int, now time.Time, until []byte, out []sla.Claim) (lost []int) {
	gone := s.deserters()
	items, views, asked := make([]item, 0, len(pending)), make([]*view, 0, len(pending)), make([]int, 0, len(pending))
	for _, i := range pending {
		at := s.locate(classCase, caseIdent(keys[i].Dispute))
		v := s.views[at.shard].Load()
		it, err := s.onCase(v, attemptClaim, at, keys[i].Dispute, slotField(keys[i]), now.UnixMilli(), until, newWriter(s.process), gone)
		if err != nil {
			out[i].Err = err
			continue
		}
		items, views, asked = append(items, it), append(views, v), append(asked, i)
	}
	for n, a := range s.share(ctx, items...) {
		i := asked[n]
		reply, forgot, err := ledgerReply(views[n], a)
		if forgot {
			lost = append(lost, i)
			continue
		}
		if out[i].Err = err; err == nil {
			out[i].Attempt, out[i].Err = readSlot(keys[i].Dispute, slotField(keys[i]), bytesOf(reply))
		}
	}
	return lost
}

// RecordIntent makes a coming send durable: claimed → sent, with what will be sent. It gives the attempt as sent, N counting this try.
// Since is back to when the ledger must remember everything: now for an answer, which the platform shows within the settle window; the
// beginning of the turn for what no reading of the platform tells.
// Nothing may be sent without it, and nothing after it was refused: with sla.ErrFenced (the claim was taken over or its lease is over),
// sla.ErrKilled (a kill switch covers it), sla.ErrFrozen (memory was lost after since, or a settle window before), sla.ErrAmnesia (it is
// noticed just now) or ErrIllegalMove. The freeze stops every kind of answer: after a loss nobody knows which messages were sent either.
func (s *Store) RecordIntent(ctx context.Context, in sla.Intent) (sla.Attempt, error) {
	const op = "record intent"
	a := in.Attempt
	writer, field := newWriter(s.process), slotField(a.AttemptKey)
	a.Receipt, a.Absent = "", time.Time{}
	reply, err := s.onLedger(ctx, op, a.Dispute, attemptIntent, true, func(v *view, _ int) ([]any, error) {
		return []any{field, in.Now.UnixMilli(), appendInstant(nil, floorMS(in.Now)), writer, appendToken(nil, a.Token), packSent(nil, a),
			in.Since.UnixMilli(), strings.Join(scopesOver(v.platformOf(a.Dispute), a.Dispute.Store, in.Reason), "\n")}, nil
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
// sla.ErrStaleCase means that all but the case was written. A late holder gets sla.ErrFenced and writes nothing; but what was sent before a
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
	if st.State != sla.AttemptUnknown {
		a.Absent = time.Time{}
	}
	slot := packSlot(a, newWriter(s.process))
	reply, err := s.onLedger(ctx, op, a.Dispute, attemptSettle, false, func(_ *view, shard int) ([]any, error) {
		var record []byte
		if st.Case != nil {
			var err error
			if record, err = caseKind.appendValue(nil, changeOf(st.Case), s.gauge(classCase, shard)); err != nil {
				return nil, err
			}
		}
		return []any{slotField(a.AttemptKey), slot, record, st.Audit, s.perShard(maxAudits), st.At.UnixMilli(), a.Dispute.String()}, nil
	})
	if err == nil && reply == "0" {
		return fmt.Errorf("%s %s: %w", op, a.Dispute, sla.ErrStaleCase)
	}
	return err
}

// ReleaseAttempt gives a claim back: nothing was sent, or nothing could be learned. A claim that is no longer held is no error; one that
// was sent is ErrIllegalMove.
func (s *Store) ReleaseAttempt(ctx context.Context, a sla.Attempt) error {
	_, err := s.onLedger(ctx, "release attempt", a.Dispute, attemptGive, false, func(*view, int) ([]any, error) {
		return []any{slotField(a.AttemptKey), appendToken(nil, a.Token)}, nil
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
