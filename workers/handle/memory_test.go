package handle_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"watchkeeper/sla"
)

// memory is the store and the ledger in memory, with the semantics that their interfaces and sla.AttemptState promise: compare and set
// on versions, timers that are leased, tokens that fence, moves that are legal, a freeze after a loss. Every call is one I/O of the
// world, where faults happen.
type memory struct {
	w       *world
	cases   map[string]sla.CaseRecord
	slots   map[sla.AttemptKey]sla.Attempt
	parcels map[string]sla.ShipmentRecord
	rejects []sla.Rejected
	audits  []string
	kills   []sla.KillScope
	spent   map[sla.AttemptKey]sla.Spend
	claimed map[sla.BuyerKey]int
	epoch   uint64
	claims  uint64
	frozen  time.Time
	strange time.Time // until then the server is new
	capped  bool      // the budget of a case counts
	lost    bool      // the memory is gone, and nobody has noticed yet
	illegal []string  // moves that no ledger may see
}

var (
	errIllegal = errors.New("illegal move")
)

func newMemory(w *world) *memory {
	return &memory{w: w, cases: map[string]sla.CaseRecord{}, slots: map[sla.AttemptKey]sla.Attempt{}, parcels: map[string]sla.ShipmentRecord{}, epoch: 1,
		spent: map[sla.AttemptKey]sla.Spend{}, claimed: map[sla.BuyerKey]int{}}
}

// lose empties the memory, as a flush does.
func (m *memory) lose() {
	clear(m.cases)
	clear(m.slots)
	m.lost = true
}

// notice opens a new epoch after a loss; true when there was one to notice.
func (m *memory) notice() bool {
	if !m.lost {
		return false
	}
	m.lost, m.epoch, m.frozen = false, m.epoch+1, m.w.now.Add(m.w.rule.Settle.Value)
	return true
}

func (m *memory) CompareCases(ctx context.Context, store sla.StoreID, rows []sla.Seen) (out []sla.CaseCompared, err error) {
	err = m.w.io(ctx, "compare cases", func() {
		for _, r := range rows {
			rec, ok := m.cases[string(store)+"/"+r.ID]
			switch {
			case !ok:
				out = append(out, sla.CaseCompared{Verdict: sla.VerdictNew})
			case rec.Fingerprint == r.Fingerprint:
				out = append(out, sla.CaseCompared{Verdict: sla.VerdictUnchanged})
			default:
				out = append(out, sla.CaseCompared{Verdict: sla.VerdictChanged, Record: rec})
			}
		}
	})
	return out, err
}

func (m *memory) Cases(ctx context.Context, ids []sla.DisputeID) (out []sla.CaseRecord, ok []bool, err error) {
	err = m.w.io(ctx, "read cases", func() {
		for _, id := range ids {
			rec, found := m.cases[id.String()]
			out, ok = append(out, rec), append(ok, found)
		}
	})
	return out, ok, err
}

func (m *memory) PutCases(ctx context.Context, writes []sla.CaseWrite) (out []sla.PutResult, err error) {
	err = m.w.io(ctx, "put cases", func() {
		for _, wr := range writes {
			out = append(out, m.put(wr))
		}
	})
	return out, err
}

func (m *memory) put(wr sla.CaseWrite) sla.PutResult {
	key := wr.ID.String()
	if old, ok := m.cases[key]; ok && old.Version != wr.Expect {
		return sla.PutResult{Stale: true}
	}
	wr.Version = wr.Expect + 1
	m.cases[key] = wr.CaseRecord
	return sla.PutResult{Version: wr.Version}
}

func (m *memory) ClaimCases(ctx context.Context, now time.Time, lease time.Duration, limit int) (out []sla.CaseRecord, err error) {
	err = m.w.io(ctx, "claim cases", func() {
		for key, rec := range m.cases {
			if rec.Next.IsZero() || rec.Next.After(now) || len(out) == limit {
				continue
			}
			out = append(out, rec)
			rec.Next = now.Add(lease)
			m.cases[key] = rec
		}
	})
	return out, err
}

func (m *memory) RemoveCases(ctx context.Context, ids []sla.DisputeID) error {
	return m.w.io(ctx, "remove cases", func() {
		for _, id := range ids {
			delete(m.cases, id.String())
		}
	})
}

func (m *memory) CheckEpoch(context.Context, time.Time) (sla.Epoch, error) {
	if m.notice() {
		return sla.Epoch{Lost: []int{0}, FrozenUntil: m.frozen}, nil
	}
	return sla.Epoch{FrozenUntil: m.frozen}, nil
}

func (m *memory) MendKills(context.Context) (int, error) { return 0, nil }

func (m *memory) CheckKill(ctx context.Context, p sla.Platform, store sla.StoreID, r sla.Reason) (err error) {
	fault := m.w.io(ctx, "check kill switches", func() {
		if slices.ContainsFunc(m.kills, func(k sla.KillScope) bool { return k.Covers(p, store, r) }) {
			err = sla.ErrKilled
		}
	})
	return cmp.Or(fault, err)
}

func (m *memory) Attempts(ctx context.Context, id sla.DisputeID) (out []sla.Attempt, err error) {
	err = m.w.io(ctx, "read attempts", func() {
		for key, a := range m.slots {
			if key.Dispute == id {
				out = append(out, a)
			}
		}
		slices.SortFunc(out, func(a, b sla.Attempt) int {
			return cmp.Or(a.SentAt.Compare(b.SentAt), cmp.Compare(a.Turn, b.Turn), cmp.Compare(a.Side, b.Side))
		})
	})
	return out, err
}

func (m *memory) ClaimAttempts(ctx context.Context, keys []sla.AttemptKey, now time.Time, lease time.Duration) []sla.Claim {
	out := make([]sla.Claim, len(keys))
	fault := m.w.io(ctx, "claim attempts", func() {
		m.notice()
		for i, key := range keys {
			out[i].Attempt, out[i].Err = m.claim(key, now, lease)
		}
	})
	for i := range out {
		out[i].Err = cmp.Or(fault, out[i].Err)
	}
	return out
}

func (m *memory) claim(key sla.AttemptKey, now time.Time, lease time.Duration) (sla.Attempt, error) {
	a, ok := m.slots[key]
	switch {
	case ok && a.State == sla.AttemptSettled:
		return a, nil
	case ok && a.Lease.After(now):
		return sla.Attempt{}, sla.ErrHeld
	case !ok:
		a = sla.Attempt{AttemptKey: key}
	}
	was, open := a.State, func(s sla.AttemptState) bool { return s == sla.AttemptSent || s == sla.AttemptUnknown }
	for other, o := range m.slots {
		if !open(was) && key.Side == sla.AnswerNone && other != key && other.Dispute == key.Dispute && other.Side == sla.AnswerNone && open(o.State) {
			return sla.Attempt{}, sla.ErrUnresolved
		}
	}
	m.claims++
	a.Token, a.Lease, a.State = m.epoch<<32|m.claims, now.Add(lease), sla.AttemptClaimed
	if open(was) {
		a.State = sla.AttemptUnknown
	}
	m.move(was, a)
	return a, nil
}

func (m *memory) RecordIntent(ctx context.Context, in sla.Intent) (out sla.Attempt, err error) {
	a, now, since := in.Attempt, in.Now, in.Since
	fault := m.w.io(ctx, "record intent", func() {
		old, ok := m.slots[a.AttemptKey]
		switch {
		case m.notice():
			err = sla.ErrAmnesia
		case !ok || old.Token != a.Token || old.State == sla.AttemptClaimed && !old.Lease.After(now):
			err = sla.ErrFenced
		case old.State != sla.AttemptClaimed:
			err = errIllegal
		case m.frozen.After(since):
			err = sla.ErrFrozen
		case m.strange.After(now):
			err = sla.ErrTakenOver
		case slices.ContainsFunc(m.kills, func(k sla.KillScope) bool { return k.Covers(a.Dispute.Platform, a.Dispute.Store, in.Reason) }):
			err = sla.ErrKilled
		default:
			a.State, a.N, a.SentAt, a.Lease, a.Receipt = sla.AttemptSent, old.N+1, now, old.Lease, ""
			a.Absent = time.Time{}
			m.move(old.State, a)
			out = a
		}
	})
	return out, cmp.Or(fault, err)
}

func (m *memory) Settle(ctx context.Context, a sla.Attempt, s sla.Settlement) (err error) {
	fault := m.w.io(ctx, "settle", func() {
		m.notice()
		old, ok := m.slots[a.AttemptKey]
		before := a.Token>>32 < m.epoch
		switch {
		case !ok && !before, ok && old.Token > a.Token, ok && old.Token < a.Token && !before:
			err = sla.ErrFenced
			return
		case ok && !before && old.State != sla.AttemptSent && old.State != sla.AttemptUnknown && old.State != s.State:
			err = errIllegal
			return
		}
		was := old.State
		if !ok {
			was = sla.AttemptSent // it was, and the loss took it
		}
		a.State, a.Receipt, a.Lease = s.State, s.Receipt, time.Time{}
		m.move(was, a)
		if s.Audit != nil {
			m.audits = append(m.audits, string(s.Audit))
		}
		if s.Case != nil && m.put(*s.Case).Stale {
			err = sla.ErrStaleCase
		}
	})
	return cmp.Or(fault, err)
}

func (m *memory) ReleaseAttempt(ctx context.Context, a sla.Attempt) (err error) {
	fault := m.w.io(ctx, "release attempt", func() {
		old, ok := m.slots[a.AttemptKey]
		switch {
		case !ok || old.Token != a.Token:
		case old.State == sla.AttemptSent:
			err = errIllegal
		default:
			was := old.State
			old.Lease = time.Time{}
			if was == sla.AttemptClaimed {
				old.State = sla.AttemptNone
			}
			m.move(was, old)
		}
	})
	return cmp.Or(fault, err)
}

// legal are the moves of sla.AttemptState, and the ones that stay.
var legal = map[sla.AttemptState][]sla.AttemptState{
	sla.AttemptNone:    {sla.AttemptClaimed},
	sla.AttemptClaimed: {sla.AttemptClaimed, sla.AttemptSent, sla.AttemptNone},
	sla.AttemptSent:    {sla.AttemptSettled, sla.AttemptRefused, sla.AttemptUnknown},
	sla.AttemptUnknown: {sla.AttemptUnknown, sla.AttemptSettled, sla.AttemptRefused},
	sla.AttemptRefused: {sla.AttemptClaimed, sla.AttemptRefused},
	sla.AttemptSettled: {sla.AttemptSettled},
}

func (m *memory) move(was sla.AttemptState, a sla.Attempt) {
	old := m.slots[a.AttemptKey]
	if !slices.Contains(legal[was], a.State) || a.N < old.N || a.Token < old.Token {
		m.illegal = append(m.illegal, fmt.Sprintf("%v → %v, tries %d → %d, token %d → %d", was, a.State, old.N, a.N, old.Token, a.Token))
	}
	m.slots[a.AttemptKey] = a
}

func (m *memory) Shipments(ctx context.Context, _ sla.StoreID, refs []sla.ShipmentRef) (out []sla.ShipmentRecord, ok []bool, err error) {
	err = m.w.io(ctx, "read parcels", func() {
		for _, r := range refs {
			rec, found := m.parcels[r.Key()]
			out, ok = append(out, rec), append(ok, found)
		}
	})
	return out, ok, err
}

func (m *memory) Reject(_ context.Context, rejects []sla.Rejected) error {
	m.rejects = append(m.rejects, rejects...)
	return nil
}

// The parcels' side of the store is not what these tests are about.
func (m *memory) CompareShipments(context.Context, sla.StoreID, []sla.Seen) ([]sla.ShipmentCompared, error) {
	return nil, nil
}

func (m *memory) PutShipments(context.Context, []sla.ShipmentWrite) ([]sla.PutResult, error) {
	return nil, nil
}

func (m *memory) ClaimShipments(context.Context, time.Time, time.Duration, int) ([]sla.ShipmentRecord, error) {
	return nil, nil
}

func (m *memory) RemoveShipments(context.Context, sla.StoreID, []sla.ShipmentRef) error { return nil }

// Reserve knows the budgets of the store and of the case only; the others are the store's own tests.
func (m *memory) Reserve(ctx context.Context, s sla.Spend, _ time.Time) (err error) {
	fault := m.w.io(ctx, "reserve", func() {
		total, ofCase := s.Amount.Minor, s.Amount.Minor
		for key, spent := range m.spent {
			if key != s.Key {
				total += spent.Amount.Minor
			}
			if key != s.Key && key.Dispute == s.Key.Dispute {
				ofCase += spent.Amount.Minor
			}
		}
		if limit := s.Budget.Case; m.capped && ofCase > limit.Minor {
			err = sla.ErrCap
			return
		}
		if m.spent[s.Key].Token > s.Token {
			err = sla.ErrFenced
			return
		}
		if limit := s.Budget.Store; !limit.IsZero() && total > limit.Minor {
			err = sla.ErrBudget
			return
		}
		m.spent[s.Key] = s
	})
	return cmp.Or(fault, err)
}

func (m *memory) Release(ctx context.Context, a sla.Attempt) error {
	return m.w.io(ctx, "release", func() {
		if m.spent[a.AttemptKey].Token <= a.Token {
			delete(m.spent, a.AttemptKey)
		}
	})
}

func (m *memory) Claims(ctx context.Context, b sla.BuyerKey, _ time.Time) (n int, err error) {
	err = m.w.io(ctx, "claims", func() { n = m.claimed[b] })
	return n, err
}

func (m *memory) Audit(ctx context.Context, _ sla.DisputeID, line []byte) error {
	return m.w.io(ctx, "audit", func() { m.audits = append(m.audits, string(line)) })
}

func (m *memory) NoteClaims(ctx context.Context, claims []sla.BuyerClaim) error {
	return m.w.io(ctx, "note claims", func() {
		for _, c := range claims {
			m.claimed[c.Buyer]++
		}
	})
}
