package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"watchkeeper/sla"
)

var shipmentKind = kind[sla.ShipmentRecord]{
	class: classShipment, name: "shipments",
	ident:  func(r *sla.ShipmentRecord) ident { return shipmentIdent(r.Store, r.Ref) },
	header: func(r *sla.ShipmentRecord) header { return header{next: r.Next, fingerprint: r.Fingerprint} },
	pack:   packShipment, unpack: unpackShipment,
}

// ErrBadNumber means that a tracking number holds a colon, which separates it from its carrier.
var ErrBadNumber = errors.New("tracking number with a colon")

// ShipmentID is the id of a parcel within its store, as a tracker's rows carry it: its number, and its carrier behind a colon when known.
func ShipmentID(ref sla.ShipmentRef) string {
	if ref.Carrier == "" {
		return ref.Number
	}
	return ref.Number + ":" + ref.Carrier
}

func shipmentIdent(store sla.StoreID, ref sla.ShipmentRef) ident {
	return ident{store: store, native: ShipmentID(ref)}
}

// packShipment writes what neither the header nor the id holds: usually 14 bytes.
func packShipment(b []byte, r *sla.ShipmentRecord) []byte {
	b = append(b, byte(r.Milestone))
	b = binary.AppendUvarint(b, uint64(r.Anomalies))
	b = appendTime(b, r.LastEvent)
	return appendString(b, r.Ref.Order)
}

func unpackShipment(r *sla.ShipmentRecord, id ident, _ sla.Platform, h header, p *packed) {
	r.Store, r.Version, r.Next, r.Fingerprint = id.store, h.version, h.next, h.fingerprint
	r.Ref.Number, r.Ref.Carrier, _ = strings.Cut(id.native, ":")
	r.Milestone = sla.Milestone(p.byte())
	r.Anomalies = sla.AnomalySet(p.uvarint())
	r.LastEvent = p.time()
	r.Ref.Order = p.string()
}

// CompareShipments tells of each row of one store whether its parcel is new, unchanged or changed. See CompareCases.
func (s *Store) CompareShipments(ctx context.Context, store sla.StoreID, rows []sla.Seen) ([]sla.ShipmentCompared, error) {
	out := make([]sla.ShipmentCompared, len(rows))
	return out, compare(ctx, s, shipmentKind, store, rows, func(i int, verdict sla.Verdict, r *sla.ShipmentRecord) {
		out[i].Verdict = verdict
		if verdict == sla.VerdictChanged {
			out[i].Record = *r
		}
	})
}

// PutShipments writes parcels and arms their timers. See PutCases.
func (s *Store) PutShipments(ctx context.Context, writes []sla.ShipmentWrite) ([]sla.PutResult, error) {
	for i := range writes {
		if strings.Contains(writes[i].Ref.Number, ":") {
			return nil, fmt.Errorf("put shipments: store %s: %w", writes[i].Store, ErrBadNumber)
		}
	}
	return put(ctx, s, shipmentKind, len(writes), func(i int) (*sla.ShipmentRecord, uint32) {
		return &writes[i].ShipmentRecord, writes[i].Expect
	})
}

// Shipments reads parcels of one store by number and carrier. See Cases.
func (s *Store) Shipments(ctx context.Context, store sla.StoreID, refs []sla.ShipmentRef) ([]sla.ShipmentRecord, []bool, error) {
	return get(ctx, s, shipmentKind, len(refs), func(i int) ident { return shipmentIdent(store, refs[i]) })
}

// ClaimShipments takes parcels that are due for a look. See ClaimCases.
func (s *Store) ClaimShipments(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]sla.ShipmentRecord, error) {
	return claim(ctx, s, shipmentKind, now, lease, limit)
}

// RemoveShipments forgets parcels, with their timers.
func (s *Store) RemoveShipments(ctx context.Context, store sla.StoreID, refs []sla.ShipmentRef) error {
	return remove(ctx, s, classShipment, shipmentKind.name, len(refs), func(i int) ident { return shipmentIdent(store, refs[i]) })
}

// EachShipment gives every parcel to fn. See EachCase.
func (s *Store) EachShipment(ctx context.Context, fn func(sla.ShipmentRecord) error) error {
	return each(ctx, s, shipmentKind, s.buckets, fn)
}
