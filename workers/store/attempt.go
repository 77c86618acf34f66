package store

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"watchkeeper/sla"
)

// The form of a slot of the ledger is written down in scripts/ledger.lua.
const slotHead = 34

// processSize is how many bytes name a process in a slot and among the living (presence.go).
const processSize = 4

// A writer marks one call of a process, so that a script that the client library repeats after a lost reply is known for the same call.
func newWriter(process string) []byte {
	return binary.BigEndian.AppendUint32([]byte(process), rand.Uint32()) //nolint:gosec // it tells calls apart and keeps no secret
}

// slotField names a slot within the ledger of its case.
func slotField(key sla.AttemptKey) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(key.Turn)), byte(key.Side))
}

func appendToken(dst []byte, token uint64) []byte { return binary.BigEndian.AppendUint64(dst, token) }

// packSent writes what is needed to confirm an answer on the platform after a crash.
func packSent(b []byte, a sla.Attempt) []byte {
	b = append(b, byte(a.Kind), byte(a.Why))
	b = appendString(b, a.Proposal)
	b = appendMoney(b, a.Amount)
	if a.Receipt == "" && !a.Absent.IsZero() {
		return appendString(b, absentMark+strconv.FormatUint(floorMS(a.Absent), 36))
	}
	return appendString(b, a.Receipt)
}

// absentMark and an instant stand in the place of the receipt, which an answer of unknown outcome does not have: earlier builds read them as one.
const absentMark = "absent:"

// packSlot writes a whole slot.
func packSlot(a sla.Attempt, writer []byte) []byte {
	b := append(make([]byte, 0, 96), schema, byte(a.State))
	b = appendToken(binary.BigEndian.AppendUint32(b, a.N), a.Token)
	b = appendInstant(b, dueMS(a.Lease))
	b = appendInstant(b, floorMS(a.SentAt))
	return packSent(append(b, writer...), a)
}

func readSlot(id sla.DisputeID, field, slot []byte) (sla.Attempt, error) {
	if len(field) != 9 || len(slot) < slotHead || slot[0] != schema {
		return sla.Attempt{}, fmt.Errorf("attempt of %s: %w", id, ErrUnreadable)
	}
	a := sla.Attempt{
		AttemptKey: sla.AttemptKey{Dispute: id, Turn: sla.Turn(binary.BigEndian.Uint64(field)), Side: sla.AnswerKind(field[8])},
		State:      sla.AttemptState(slot[1]),
		N:          binary.BigEndian.Uint32(slot[2:]),
		Token:      binary.BigEndian.Uint64(slot[6:]),
		Lease:      instant(slot[14:]),
		SentAt:     instant(slot[20:]),
	}
	if len(slot) == slotHead {
		return a, nil // claimed, and nothing was ever sent
	}
	p := packed{b: slot[slotHead:]}
	a.Kind, a.Why = sla.AnswerKind(p.byte()), sla.Why(p.byte())
	a.Proposal, a.Amount, a.Receipt = p.string(), p.money(), p.string()
	if p.err() != nil {
		return sla.Attempt{}, fmt.Errorf("attempt of %s: %w: %w", id, p.err(), ErrUnreadable)
	}
	since, marked := strings.CutPrefix(a.Receipt, absentMark)
	if ms, err := strconv.ParseUint(since, 36, 44); marked && err == nil && a.State == sla.AttemptUnknown {
		a.Receipt, a.Absent = "", time.UnixMilli(int64(ms)).UTC()
	}
	return a, nil
}
