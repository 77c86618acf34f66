package memstore

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
)

// A print is a row that was unchanged a while ago.
type print struct {
	fingerprint uint64
	epoch       int64
	until       int64
}

// compare tells of each row what it is; changed gets those that are.
func compare[R any](s *Store, class string, t *table[R], of sla.StoreID, rows []sla.Seen, tell func(i int, v sla.Verdict, r row[R])) {
	now := s.now().UnixMilli()
	for i, seen := range rows {
		key := class + string(of) + "/" + seen.ID
		p := s.prints[key]
		if now < p.until && p.until-now <= s.trust.Milliseconds() && p.fingerprint == seen.Fingerprint && p.epoch == s.epoch {
			tell(i, sla.VerdictUnchanged, row[R]{})
			continue
		}
		r, there := t.rows[name{of, seen.ID}]
		switch {
		case !there:
			tell(i, sla.VerdictNew, r)
		case r.fingerprint == seen.Fingerprint:
			tell(i, sla.VerdictUnchanged, r)
			if s.trust > 0 {
				s.prints[key] = print{fingerprint: seen.Fingerprint, epoch: s.epoch, until: now + s.trust.Milliseconds()}
			}
		default:
			tell(i, sla.VerdictChanged, r)
		}
	}
}

func caseName(id sla.DisputeID) name { return name{id.Store, id.Native} }

// caseOf is a record as it is given out.
func (s *Store) caseOf(of name, r row[sla.CaseRecord]) sla.CaseRecord {
	c := r.record
	c.ID = sla.DisputeID{Platform: s.w.m.stores[of.store], Store: of.store, Native: of.native}
	c.Version, c.Fingerprint, c.Next = r.version, r.fingerprint, instant(r.due)
	return c
}

func caseRow(c sla.CaseRecord) row[sla.CaseRecord] {
	c.Obligation.Opened, c.Obligation.Deadline = kept(c.Obligation.Opened), kept(c.Obligation.Deadline)
	return row[sla.CaseRecord]{record: c, fingerprint: c.Fingerprint, due: dueMS(c.Next)}
}

// CompareCases is store.Store.CompareCases.
func (s *Store) CompareCases(_ context.Context, of sla.StoreID, rows []sla.Seen) ([]sla.CaseCompared, error) {
	out := make([]sla.CaseCompared, len(rows))
	compare(s, "c", &s.w.m.cases, of, rows, func(i int, v sla.Verdict, r row[sla.CaseRecord]) {
		if out[i].Verdict = v; v == sla.VerdictChanged {
			out[i].Record = s.caseOf(name{of, rows[i].ID}, r)
		}
	})
	return out, nil
}

// putCase writes one case.
func (s *Store) putCase(w *sla.CaseWrite) sla.PutResult {
	of := caseName(w.ID)
	delete(s.prints, "c"+string(of.store)+"/"+of.native)
	if !s.w.m.cases.write(of, caseRow(w.CaseRecord), w.Expect) {
		return sla.PutResult{Stale: true}
	}
	return sla.PutResult{Version: w.Expect + 1}
}

// PutCases is store.Store.PutCases.
func (s *Store) PutCases(_ context.Context, writes []sla.CaseWrite) ([]sla.PutResult, error) {
	out := make([]sla.PutResult, len(writes))
	if err := s.remember(); err != nil {
		return out, err
	}
	for i := range writes {
		if _, known := s.w.m.stores[writes[i].ID.Store]; !known {
			return out, fmt.Errorf("put cases: store %q: %w", writes[i].ID.Store, store.ErrUnknownStore)
		}
		out[i] = s.putCase(&writes[i])
	}
	return out, nil
}

// Cases is store.Store.Cases.
func (s *Store) Cases(_ context.Context, ids []sla.DisputeID) ([]sla.CaseRecord, []bool, error) {
	out, found := make([]sla.CaseRecord, len(ids)), make([]bool, len(ids))
	for i, id := range ids {
		if r, there := s.w.m.cases.rows[caseName(id)]; there {
			out[i], found[i] = s.caseOf(caseName(id), r), true
		}
	}
	return out, found, nil
}

// errLease is a lease that would end at once.
func errLease(of string, lease time.Duration) error {
	return fmt.Errorf("claim %s: a lease of %s would end at once", of, lease)
}

// ClaimCases is store.Store.ClaimCases.
func (s *Store) ClaimCases(_ context.Context, now time.Time, lease time.Duration, limit int) ([]sla.CaseRecord, error) {
	if lease < time.Millisecond {
		return nil, errLease("cases", lease)
	}
	if err := s.remember(); err != nil {
		return nil, err
	}
	var out []sla.CaseRecord
	s.w.m.cases.claim(now.UnixMilli(), dueMS(now.Add(lease)), limit, func(of name, r row[sla.CaseRecord]) { out = append(out, s.caseOf(of, r)) })
	return out, nil
}

// RearmCases is store.Store.RearmCases.
func (s *Store) RearmCases(_ context.Context, moves []sla.Rearm) ([]bool, error) {
	out := make([]bool, len(moves))
	if err := s.remember(); err != nil {
		return out, err
	}
	for i, m := range moves {
		out[i] = s.w.m.cases.rearm(caseName(m.ID), m.Version, dueMS(m.Next))
	}
	return out, nil
}

// RemoveCases is store.Store.RemoveCases.
func (s *Store) RemoveCases(_ context.Context, ids []sla.DisputeID) error {
	if err := s.remember(); err != nil {
		return err
	}
	for _, id := range ids {
		of := caseName(id)
		delete(s.prints, "c"+string(of.store)+"/"+of.native)
		delete(s.w.m.cases.rows, of)
		delete(s.w.m.ledger, of)
	}
	return nil
}

// EachCase is store.Store.EachCase, in the order of the ids.
func (s *Store) EachCase(_ context.Context, fn func(sla.CaseRecord) error) error {
	if err := s.refresh(s.now()); err != nil {
		return err
	}
	names := slices.SortedFunc(maps.Keys(s.w.m.cases.rows), func(a, b name) int {
		return cmp.Or(strings.Compare(string(a.store), string(b.store)), strings.Compare(a.native, b.native))
	})
	for _, of := range names {
		if r, there := s.w.m.cases.rows[of]; there {
			if err := fn(s.caseOf(of, r)); err != nil {
				return err
			}
		}
	}
	return nil
}

func shipmentName(of sla.StoreID, ref sla.ShipmentRef) name { return name{of, store.ShipmentID(ref)} }

func shipmentOf(of name, r row[sla.ShipmentRecord]) sla.ShipmentRecord {
	out := r.record
	out.Store, out.Version, out.Fingerprint, out.Next = of.store, r.version, r.fingerprint, instant(r.due)
	return out
}

// CompareShipments is store.Store.CompareShipments.
func (s *Store) CompareShipments(_ context.Context, of sla.StoreID, rows []sla.Seen) ([]sla.ShipmentCompared, error) {
	out := make([]sla.ShipmentCompared, len(rows))
	compare(s, "s", &s.w.m.shipments, of, rows, func(i int, v sla.Verdict, r row[sla.ShipmentRecord]) {
		if out[i].Verdict = v; v == sla.VerdictChanged {
			out[i].Record = shipmentOf(name{of, rows[i].ID}, r)
		}
	})
	return out, nil
}

// PutShipments is store.Store.PutShipments.
func (s *Store) PutShipments(_ context.Context, writes []sla.ShipmentWrite) ([]sla.PutResult, error) {
	out := make([]sla.PutResult, len(writes))
	if err := s.remember(); err != nil {
		return out, err
	}
	for i, w := range writes {
		of := shipmentName(w.Store, w.Ref)
		delete(s.prints, "s"+string(of.store)+"/"+of.native)
		w.LastEvent = w.LastEvent.UTC().Truncate(time.Minute)
		if !s.w.m.shipments.write(of, row[sla.ShipmentRecord]{record: w.ShipmentRecord, fingerprint: w.Fingerprint, due: dueMS(w.Next)}, w.Expect) {
			out[i].Stale = true
			continue
		}
		out[i].Version = w.Expect + 1
	}
	return out, nil
}

// Shipments is store.Store.Shipments.
func (s *Store) Shipments(_ context.Context, of sla.StoreID, refs []sla.ShipmentRef) ([]sla.ShipmentRecord, []bool, error) {
	out, found := make([]sla.ShipmentRecord, len(refs)), make([]bool, len(refs))
	for i, ref := range refs {
		if r, there := s.w.m.shipments.rows[shipmentName(of, ref)]; there {
			out[i], found[i] = shipmentOf(shipmentName(of, ref), r), true
		}
	}
	return out, found, nil
}

// ClaimShipments is store.Store.ClaimShipments.
func (s *Store) ClaimShipments(_ context.Context, now time.Time, lease time.Duration, limit int) ([]sla.ShipmentRecord, error) {
	if lease < time.Millisecond {
		return nil, errLease("shipments", lease)
	}
	if err := s.remember(); err != nil {
		return nil, err
	}
	var out []sla.ShipmentRecord
	s.w.m.shipments.claim(now.UnixMilli(), dueMS(now.Add(lease)), limit, func(of name, r row[sla.ShipmentRecord]) { out = append(out, shipmentOf(of, r)) })
	return out, nil
}

// RemoveShipments is store.Store.RemoveShipments.
func (s *Store) RemoveShipments(_ context.Context, of sla.StoreID, refs []sla.ShipmentRef) error {
	if err := s.remember(); err != nil {
		return err
	}
	for _, ref := range refs {
		n := shipmentName(of, ref)
		delete(s.prints, "s"+string(n.store)+"/"+n.native)
		delete(s.w.m.shipments.rows, n)
	}
	return nil
}

func feedName(r sla.FeedRecord) name {
	return name{r.Store, strings.TrimPrefix(r.ID, string(r.Store)+"/")}
}

func (s *Store) putFeed(r sla.FeedRecord, expect uint32) bool {
	r.LastTry, r.LastSuccess = kept(r.LastTry), kept(r.LastSuccess)
	return s.w.m.feeds.write(feedName(r), row[sla.FeedRecord]{record: r, due: dueMS(r.Next)}, expect)
}

// EnsureFeeds is store.Store.EnsureFeeds.
func (s *Store) EnsureFeeds(_ context.Context, feeds []sla.FeedRecord) error {
	if err := s.remember(); err != nil {
		return err
	}
	for _, f := range feeds {
		s.putFeed(f, 0)
	}
	return nil
}

// ClaimFeeds is store.Store.ClaimFeeds.
func (s *Store) ClaimFeeds(_ context.Context, now time.Time, lease time.Duration, limit int) ([]sla.FeedRecord, error) {
	if lease < time.Millisecond {
		return nil, errLease("feeds", lease)
	}
	if err := s.remember(); err != nil {
		return nil, err
	}
	var out []sla.FeedRecord
	s.w.m.feeds.claim(now.UnixMilli(), dueMS(now.Add(lease)), limit, func(of name, r row[sla.FeedRecord]) {
		f := r.record
		f.ID, f.Version, f.Next = string(of.store)+"/"+of.native, r.version, instant(r.due)
		out = append(out, f)
	})
	return out, nil
}

// PutFeed is store.Store.PutFeed.
func (s *Store) PutFeed(_ context.Context, feed sla.FeedRecord) (stale bool, err error) {
	if err := s.remember(); err != nil {
		return false, err
	}
	return !s.putFeed(feed, feed.Version), nil
}

// Reject keeps nothing.
func (s *Store) Reject(context.Context, []sla.Rejected) error { return nil }

// Audit keeps nothing.
func (s *Store) Audit(context.Context, sla.DisputeID, []byte) error { return nil }

// NoteClaims is store.Store.NoteClaims.
func (s *Store) NoteClaims(_ context.Context, claims []sla.BuyerClaim) error {
	for _, c := range claims {
		list := s.w.m.claims[c.Buyer]
		if c.Buyer == 0 || c.Opened.IsZero() || slices.ContainsFunc(list, func(o sla.BuyerClaim) bool { return o.Dispute.String() == c.Dispute.String() }) {
			continue
		}
		s.w.m.claims[c.Buyer] = append(list, c)
	}
	return nil
}

// Claims is store.Store.Claims.
func (s *Store) Claims(_ context.Context, buyer sla.BuyerKey, now time.Time) (int, error) {
	n := 0
	for _, c := range s.w.m.claims[buyer] {
		if at := c.Opened.Unix(); at > now.Unix()-int64(sla.BuyerSpan/time.Second) && at <= now.Unix() {
			n++
		}
	}
	return n, nil
}
