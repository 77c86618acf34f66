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

// The flags of a packed parcel, beside its milestone in the low bits. Without parcelLane the record is of a version that knew no lanes: the
// milestone, the anomalies, the last event and the order, in full.
const (
	parcelMilestone = 0x1f
	parcelAnomalies = 0x20
	parcelOrder     = 0x40
	parcelLane      = 0x80
)

// packShipment writes what neither the header nor the id holds: usually 9 bytes. The last event counts in minutes, which is finer than any
// threshold, and the carrier is what is left at the end.
func packShipment(b []byte, r *sla.ShipmentRecord) []byte {
	b = append(b, byte(r.Milestone)|flag(r.Anomalies != 0, parcelAnomalies)|flag(r.Ref.Order != "", parcelOrder)|parcelLane)
	n := minutes(r.LastEvent)
	b = append(b, byte(n>>16), byte(n>>8), byte(n))
	if r.Anomalies != 0 {
		b = binary.AppendUvarint(b, uint64(r.Anomalies))
	}
	if r.Ref.Order != "" {
		b = appendString(b, r.Ref.Order)
	}
	return appendLane(b, r.Lane)
}

// minutes are those since packed times count, from 1 and until 2051; 0 is no instant.
func minutes(t time.Time) uint32 {
	if t.IsZero() {
		return 0
	}
	return uint32(min(max((t.Unix()-epoch2020)/60, 1), 1<<24-1))
}

// Where a parcel comes from, in two bits: nearly all come from one country.
const (
	originNone = iota
	originUsual
	originTold // its code follows in two bytes
)

const usualOrigin = "CN"

// appendLane packs the destination, the kind of origin and the packing of the carrier into two bytes, and the carrier behind them.
func appendLane(b []byte, l sla.Lane) []byte {
	head, origin, kind := len(b), countryCode(l.Origin), uint32(originTold)
	switch {
	case origin == 0:
		kind = originNone
	case l.Origin == usualOrigin:
		kind = originUsual
	}
	if b = append(b, 0, 0); kind == originTold {
		b = append(b, byte(origin>>8), byte(origin))
	}
	b, packing := appendText(b, l.Carrier)
	v := countryCode(l.Dest)<<6 | kind<<4 | uint32(packing)
	b[head], b[head+1] = byte(v>>8), byte(v)
	return b
}

// countryCode is two capital letters in ten bits; 0 is none.
func countryCode(s string) uint32 {
	if len(s) != 2 || s[0] < 'A' || s[0] > 'Z' || s[1] < 'A' || s[1] > 'Z' {
		return 0
	}
	return uint32(s[0]-'A')*26 + uint32(s[1]-'A') + 1
}

func country(code uint32) string {
	if code == 0 || code > 26*26 {
		return ""
	}
	return string([]byte{'A' + byte((code-1)/26), 'A' + byte((code-1)%26)})
}

func (p *packed) lane() sla.Lane {
	v := p.uint16()
	l := sla.Lane{Dest: country(v >> 6)}
	switch v >> 4 & 3 {
	case originUsual:
		l.Origin = usualOrigin
	case originTold:
		l.Origin = country(p.uint16())
	}
	if carrier := p.take(len(p.b)); len(carrier) > 0 {
		l.Carrier = readText(carrier, byte(v&3))
	}
	return l
}

func (p *packed) uint16() uint32 {
	if b := p.take(2); b != nil {
		return uint32(binary.BigEndian.Uint16(b))
	}
	return 0
}

func unpackShipment(r *sla.ShipmentRecord, id ident, _ sla.Platform, h header, p *packed) {
	r.Store, r.Version, r.Next, r.Fingerprint = id.store, h.version, h.next, h.fingerprint
	r.Ref.Number, r.Ref.Carrier, _ = strings.Cut(id.native, ":")
	head := p.byte()
	if head&parcelLane == 0 {
		p.bad = head > parcelMilestone // no version wrote such a milestone, and written anew it would be taken for flags
		r.Milestone, r.Anomalies, r.LastEvent, r.Ref.Order = sla.Milestone(head), sla.AnomalySet(p.uvarint()), p.time(), p.string()
		return
	}
	r.Milestone = sla.Milestone(head & parcelMilestone)
	if n := uint32(p.byte())<<16 | p.uint16(); n > 0 {
		r.LastEvent = time.Unix(epoch2020+60*int64(n), 0).UTC()
	}
	if head&parcelAnomalies != 0 {
		r.Anomalies = sla.AnomalySet(p.uvarint())
	}
	if head&parcelOrder != 0 {
		r.Ref.Order = p.string()
	}
	r.Lane = p.lane()
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
	return put(ctx, s, shipmentKind, len(writes), func(i int) change[sla.ShipmentRecord] {
		return change[sla.ShipmentRecord]{record: &writes[i].ShipmentRecord, expect: writes[i].Expect}
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
