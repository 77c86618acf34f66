package memstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
)

var caseKind = kind[sla.CaseRecord]{
	name:    "cases",
	table:   func(h *shard) table[sla.CaseRecord] { return h.cases },
	ident:   func(r *sla.CaseRecord) (sla.StoreID, string) { return r.ID.Store, r.ID.Native },
	next:    func(r *sla.CaseRecord) *time.Time { return &r.Next },
	version: func(r *sla.CaseRecord) *uint32 { return &r.Version },
	mark:    func(r *sla.CaseRecord) uint64 { return r.Fingerprint },
	clean: func(r *sla.CaseRecord, p sla.Platform) {
		r.ID.Platform = p
		r.Warned = max(r.Warned, 0)
		r.Claimed, r.Obligation.Cost = money3(r.Claimed), money3(r.Obligation.Cost)
		r.Obligation.Opened, r.Obligation.Deadline = millis(r.Obligation.Opened), millis(r.Obligation.Deadline)
	},
}

var shipmentKind = kind[sla.ShipmentRecord]{
	name:    "shipments",
	table:   func(h *shard) table[sla.ShipmentRecord] { return h.shipments },
	ident:   func(r *sla.ShipmentRecord) (sla.StoreID, string) { return r.Store, store.ShipmentID(r.Ref) },
	next:    func(r *sla.ShipmentRecord) *time.Time { return &r.Next },
	version: func(r *sla.ShipmentRecord) *uint32 { return &r.Version },
	mark:    func(r *sla.ShipmentRecord) uint64 { return r.Fingerprint },
	clean: func(r *sla.ShipmentRecord, _ sla.Platform) {
		if !r.LastEvent.IsZero() {
			minute := (r.LastEvent.Unix() - epoch2020) / 60
			r.LastEvent = time.Unix(epoch2020+60*min(max(minute, 1), 1<<24-1), 0).UTC()
		}
		r.Lane.Origin, r.Lane.Dest = country(r.Lane.Origin), country(r.Lane.Dest)
	},
}

var feedKind = kind[sla.FeedRecord]{
	name:    "feeds",
	table:   func(h *shard) table[sla.FeedRecord] { return h.feeds },
	ident:   func(r *sla.FeedRecord) (sla.StoreID, string) { return feedIdent(r.Store, r.ID) },
	next:    func(r *sla.FeedRecord) *time.Time { return &r.Next },
	version: func(r *sla.FeedRecord) *uint32 { return &r.Version },
	mark:    func(*sla.FeedRecord) uint64 { return 0 },
	clean: func(r *sla.FeedRecord, _ sla.Platform) {
		_, native := feedIdent(r.Store, r.ID)
		r.ID = string(r.Store) + "/" + native
		r.LastTry, r.LastSuccess, r.Began = millis(r.LastTry), millis(r.LastSuccess), millis(r.Began)
	},
}

const epoch2020 = 1577836800

// money3 is an amount as it is kept: one without a currency is none.
func money3(m sla.Money) sla.Money {
	if len(m.Currency) != 3 {
		return sla.Money{}
	}
	return m
}

// country keeps two capital letters.
func country(s string) string {
	if len(s) != 2 || s[0] < 'A' || s[0] > 'Z' || s[1] < 'A' || s[1] > 'Z' {
		return ""
	}
	return s
}

func feedIdent(id sla.StoreID, feed string) (sla.StoreID, string) {
	return id, strings.TrimPrefix(feed, string(id)+"/")
}

// CompareCases is store.Store.CompareCases.
func (s *Store) CompareCases(_ context.Context, id sla.StoreID, rows []sla.Seen) ([]sla.CaseCompared, error) {
	out := make([]sla.CaseCompared, len(rows))
	return out, compare(s, caseKind, id, rows, func(i int, v sla.Verdict, r sla.CaseRecord) { out[i] = sla.CaseCompared{Verdict: v, Record: r} })
}

// PutCases is store.Store.PutCases.
func (s *Store) PutCases(_ context.Context, writes []sla.CaseWrite) ([]sla.PutResult, error) {
	return put(s, caseKind, len(writes), func(i int) change[sla.CaseRecord] { return changeOf(&writes[i]) })
}

// Cases is store.Store.Cases.
func (s *Store) Cases(_ context.Context, ids []sla.DisputeID) ([]sla.CaseRecord, []bool, error) {
	return get(s, caseKind, len(ids), func(i int) (sla.StoreID, string) { return ids[i].Store, ids[i].Native })
}

// ClaimCases is store.Store.ClaimCases.
func (s *Store) ClaimCases(_ context.Context, now time.Time, lease time.Duration, limit int) ([]sla.CaseRecord, error) {
	return claim(s, caseKind, now, lease, limit)
}

// RearmCases is store.Store.RearmCases.
func (s *Store) RearmCases(_ context.Context, moves []sla.Rearm) ([]bool, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	out := make([]bool, len(moves))
	places, err := targets(s, "rearm cases", len(moves), func(i int) (sla.StoreID, string) { return moves[i].ID.Store, moves[i].ID.Native })
	if err != nil {
		return out, err
	}
	for i, p := range places {
		t := s.w.shards[p.shard].cases
		r, ok := t.records.Get(p.key)
		if out[i] = ok && r.Version == moves[i].Version; out[i] {
			r.Next = instant(dueMS(moves[i].Next))
			caseKind.set(t, p.key, r)
		}
	}
	return out, nil
}

// RemoveCases is store.Store.RemoveCases.
func (s *Store) RemoveCases(_ context.Context, ids []sla.DisputeID) error {
	return remove(s, caseKind, len(ids), func(i int) (sla.StoreID, string) { return ids[i].Store, ids[i].Native })
}

// EachCase is store.Store.EachCase, in a fixed order.
func (s *Store) EachCase(_ context.Context, fn func(sla.CaseRecord) error) error {
	return each(s, caseKind, fn)
}

// CompareShipments is store.Store.CompareShipments.
func (s *Store) CompareShipments(_ context.Context, id sla.StoreID, rows []sla.Seen) ([]sla.ShipmentCompared, error) {
	out := make([]sla.ShipmentCompared, len(rows))
	return out, compare(s, shipmentKind, id, rows, func(i int, v sla.Verdict, r sla.ShipmentRecord) {
		out[i] = sla.ShipmentCompared{Verdict: v, Record: r}
	})
}

// PutShipments is store.Store.PutShipments.
func (s *Store) PutShipments(_ context.Context, writes []sla.ShipmentWrite) ([]sla.PutResult, error) {
	for i := range writes {
		if strings.Contains(writes[i].Ref.Number, ":") {
			return nil, fmt.Errorf("put shipments: store %s: %w", writes[i].Store, store.ErrBadNumber)
		}
	}
	return put(s, shipmentKind, len(writes), func(i int) change[sla.ShipmentRecord] {
		return change[sla.ShipmentRecord]{record: &writes[i].ShipmentRecord, expect: writes[i].Expect}
	})
}

// Shipments is store.Store.Shipments.
func (s *Store) Shipments(_ context.Context, id sla.StoreID, refs []sla.ShipmentRef) ([]sla.ShipmentRecord, []bool, error) {
	return get(s, shipmentKind, len(refs), func(i int) (sla.StoreID, string) { return id, store.ShipmentID(refs[i]) })
}

// ClaimShipments is store.Store.ClaimShipments.
func (s *Store) ClaimShipments(_ context.Context, now time.Time, lease time.Duration, limit int) ([]sla.ShipmentRecord, error) {
	return claim(s, shipmentKind, now, lease, limit)
}

// RemoveShipments is store.Store.RemoveShipments.
func (s *Store) RemoveShipments(_ context.Context, id sla.StoreID, refs []sla.ShipmentRef) error {
	return remove(s, shipmentKind, len(refs), func(i int) (sla.StoreID, string) { return id, store.ShipmentID(refs[i]) })
}

// EachShipment is store.Store.EachShipment, in a fixed order.
func (s *Store) EachShipment(_ context.Context, fn func(sla.ShipmentRecord) error) error {
	return each(s, shipmentKind, fn)
}

// EnsureFeeds is store.Store.EnsureFeeds.
func (s *Store) EnsureFeeds(_ context.Context, feeds []sla.FeedRecord) error {
	_, err := put(s, feedKind, len(feeds), func(i int) change[sla.FeedRecord] { return change[sla.FeedRecord]{record: &feeds[i]} })
	return err
}

// ClaimFeeds is store.Store.ClaimFeeds.
func (s *Store) ClaimFeeds(_ context.Context, now time.Time, lease time.Duration, limit int) ([]sla.FeedRecord, error) {
	return claim(s, feedKind, now, lease, limit)
}

// BeginFeed is store.Store.BeginFeed.
func (s *Store) BeginFeed(_ context.Context, feed sla.FeedRecord) (stale bool, err error) {
	feed.Reader = s.process
	return s.putFeed(feed)
}

// PutFeed is store.Store.PutFeed.
func (s *Store) PutFeed(_ context.Context, feed sla.FeedRecord) (stale bool, err error) {
	feed.Reader = ""
	return s.putFeed(feed)
}

func (s *Store) putFeed(feed sla.FeedRecord) (stale bool, err error) {
	out, err := put(s, feedKind, 1, func(int) change[sla.FeedRecord] { return change[sla.FeedRecord]{record: &feed, expect: feed.Version} })
	return err == nil && out[0].Stale, err
}

// Feeds is store.Store.Feeds.
func (s *Store) Feeds(_ context.Context) ([]sla.FeedRecord, error) {
	var out []sla.FeedRecord
	err := each(s, feedKind, func(r sla.FeedRecord) error {
		out = append(out, r)
		return nil
	})
	slices.SortFunc(out, func(a, b sla.FeedRecord) int { return strings.Compare(a.ID, b.ID) })
	return out, err
}

// RemoveFeeds is store.Store.RemoveFeeds.
func (s *Store) RemoveFeeds(_ context.Context, id sla.StoreID, ids []string) error {
	return remove(s, feedKind, len(ids), func(i int) (sla.StoreID, string) { return feedIdent(id, ids[i]) })
}
