package store

import (
	"context"
	"encoding/binary"
	"time"

	"watchkeeper/sla"
)

var caseKind = kind[sla.CaseRecord]{
	class: classCase, name: "cases",
	ident:  func(r *sla.CaseRecord) ident { return caseIdent(r.ID) },
	header: func(r *sla.CaseRecord) header { return header{next: r.Next, fingerprint: r.Fingerprint} },
	pack:   packCase, unpack: unpackCase,
}

func caseIdent(id sla.DisputeID) ident { return ident{store: id.Store, native: id.Native} }

// The flags of a packed case.
const (
	caseAnswered = 1 << iota
	caseUnresolved
	caseOwes     // an obligation follows
	caseSameCost // silence costs what is claimed
	caseShadowed
	caseWaiting
	caseBuyer    // the buyer's key follows
	caseApproval // what a person said follows
)

// packCase writes what the header does not hold. A usual case takes some 45 bytes, so that its bucket stays a listpack.
func packCase(b []byte, r *sla.CaseRecord) []byte {
	o := &r.Obligation
	flags := flag(r.Answered, caseAnswered) | flag(r.Unresolved, caseUnresolved) |
		flag(*o != sla.Obligation{}, caseOwes) | flag(o.Cost == r.Claimed, caseSameCost) |
		flag(r.Shadowed, caseShadowed) | flag(r.Waiting, caseWaiting) | flag(r.Buyer != 0, caseBuyer) | flag(r.Approval != sla.ApprovalNone, caseApproval)
	b = append(b, flags, byte(r.State)<<4|byte(r.Paged)&15, byte(r.Reason))
	b = binary.AppendUvarint(b, uint64(max(r.Warned, 0)))
	b = appendString(b, r.Order)
	b = appendMoney(b, r.Claimed)
	if r.Buyer != 0 {
		b = binary.BigEndian.AppendUint64(b, uint64(r.Buyer))
	}
	if r.Approval != sla.ApprovalNone {
		b = append(b, byte(r.Approval))
	}
	if flags&caseOwes == 0 {
		return b
	}
	b = binary.BigEndian.AppendUint64(b, uint64(o.Turn))
	b = binary.AppendUvarint(b, uint64(o.Kinds))
	b = appendTime(b, o.Opened)
	b = appendTimeAfter(b, o.Deadline, o.Opened)
	if flags&caseSameCost == 0 {
		b = appendMoney(b, o.Cost)
	}
	return b
}

func unpackCase(r *sla.CaseRecord, id ident, platform sla.Platform, h header, p *packed) {
	r.ID = sla.DisputeID{Platform: platform, Store: id.store, Native: id.native}
	r.Version, r.Next, r.Fingerprint = h.version, h.next, h.fingerprint
	flags, both := p.byte(), p.byte()
	r.Answered, r.Unresolved = flags&caseAnswered != 0, flags&caseUnresolved != 0
	r.Shadowed, r.Waiting = flags&caseShadowed != 0, flags&caseWaiting != 0
	r.State, r.Paged, r.Reason = sla.State(both>>4), sla.StageKind(both&15), sla.Reason(p.byte())
	r.Warned = int(p.uvarint())
	r.Order = p.string()
	r.Claimed = p.money()
	if flags&caseBuyer != 0 {
		r.Buyer = sla.BuyerKey(p.uint64())
	}
	if flags&caseApproval != 0 {
		r.Approval = sla.Approval(p.byte())
	}
	if flags&caseOwes == 0 {
		return
	}
	o := &r.Obligation
	o.Turn, o.Kinds = sla.Turn(p.uint64()), sla.AnswerSet(p.uvarint())
	o.Opened = p.time()
	o.Deadline = p.timeAfter(o.Opened)
	o.Cost = r.Claimed
	if flags&caseSameCost == 0 {
		o.Cost = p.money()
	}
}

func flag(set bool, bit byte) byte {
	if set {
		return bit
	}
	return 0
}

// CompareCases tells of each row of one store whether its dispute is new, unchanged or changed since it was last recorded. The record
// comes with a changed one; it is zero when it cannot be read (it is then counted, and a write at version 0 is stale).
func (s *Store) CompareCases(ctx context.Context, store sla.StoreID, rows []sla.Seen) ([]sla.CaseCompared, error) {
	out := make([]sla.CaseCompared, len(rows))
	return out, compare(ctx, s, caseKind, store, rows, func(i int, verdict sla.Verdict, r *sla.CaseRecord) {
		out[i].Verdict = verdict
		if verdict == sla.VerdictChanged {
			out[i].Record = *r
		}
	})
}

// PutCases writes cases and arms their timers at Case.Next (none when zero), each if it still has the version it was read at: a record
// that is there with another version makes the write stale; one that is gone was lost, and the write brings it back. After an error the
// results with a version were written.
//
// Instants keep milliseconds; Next is rounded up.
func (s *Store) PutCases(ctx context.Context, writes []sla.CaseWrite) ([]sla.PutResult, error) {
	return put(ctx, s, caseKind, len(writes), func(i int) change[sla.CaseRecord] { return changeOf(&writes[i]) })
}

// Cases reads cases. An error that Is ErrUnreadable concerns single ones, which are then not found: the others are valid.
func (s *Store) Cases(ctx context.Context, ids []sla.DisputeID) ([]sla.CaseRecord, []bool, error) {
	return get(ctx, s, caseKind, len(ids), func(i int) ident { return caseIdent(ids[i]) })
}

// ClaimCases takes cases that are due, oldest first in each shard, and looks away from them until the lease ends: limit of them, or a little
// more where timers that lie close together are taken at once (never more than three times the limit). Next of a claimed case is the
// instant it was due at. Fewer than limit mean that nothing more is due. After an error the given ones are claimed.
func (s *Store) ClaimCases(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]sla.CaseRecord, error) {
	return claim(ctx, s, caseKind, now, lease, limit)
}

// RearmCases moves the timers of unchanged cases: the cheap acknowledgement of a claim. The version stays. It answers which were moved;
// a case that changed meanwhile has a timer of its own.
func (s *Store) RearmCases(ctx context.Context, moves []sla.Rearm) ([]bool, error) {
	return rearm(ctx, s, classCase, caseKind.name, len(moves), func(i int) rearmed {
		return rearmed{id: caseIdent(moves[i].ID), version: moves[i].Version, next: moves[i].Next}
	})
}

// RemoveCases forgets cases, with their timers and their ledger.
func (s *Store) RemoveCases(ctx context.Context, ids []sla.DisputeID) error {
	return remove(ctx, s, classCase, caseKind.name, len(ids), func(i int) ident { return caseIdent(ids[i]) })
}

// EachCase gives every case to fn, in no order and in bounded memory. What is there from beginning to end is given exactly once.
func (s *Store) EachCase(ctx context.Context, fn func(sla.CaseRecord) error) error {
	return each(ctx, s, caseKind, s.buckets, fn)
}

func changeOf(w *sla.CaseWrite) change[sla.CaseRecord] {
	return change[sla.CaseRecord]{record: &w.CaseRecord, expect: w.Expect, leased: w.Leased}
}
