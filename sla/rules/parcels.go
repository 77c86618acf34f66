package rules

import (
	"maps"
	"slices"
	"time"

	"watchkeeper/sla"
)

// parcelBook holds what variables say of parcels. Only the carriers and lanes that a variable names are in it.
//
// Of the variables that apply to a parcel the most specific one wins, for each threshold by itself: what is said of the store wins over
// what is said in general; then, from the most specific, carrier and both countries, carrier and destination, carrier and origin, both
// countries, destination, origin, carrier, and nothing of these.
type parcelBook struct {
	standard sla.ShipmentRule
	carriers map[string]uint16 // by folded code, from 1
	general  *parcelSet
	stores   map[sla.StoreID]*parcelSet
}

// A parcelSet is what one level, a store or all of them, says.
type parcelSet struct {
	plain    []parcelValue
	narrowed map[laneKey][]parcelValue
	shapes   uint8   // which kinds of narrowed there are: a lookup asks for no other
	scopes   []scope // in order, for printing
}

// A laneKey is a carrier's number, an origin and a destination, 16 bits each, in one word that a map finds fast; 0 is any.
type laneKey uint64

// The parts of a key.
const (
	anyOrigin  laneKey = 0xffff_0000_ffff
	anyDest    laneKey = 0xffff_ffff_0000
	anyCarrier laneKey = 0x0000_ffff_ffff
)

func keyOf(carrier uint16, origin, dest string) laneKey {
	return laneKey(carrier)<<32 | laneKey(letters(origin))<<16 | laneKey(letters(dest))
}

// shape numbers the kinds of key by the parts that they name: 1 the destination, 2 the origin, 4 the carrier.
func (k laneKey) shape() int {
	n := 0
	if k&^anyDest != 0 {
		n++
	}
	if k&^anyOrigin != 0 {
		n += 2
	}
	if k&^anyCarrier != 0 {
		n += 4
	}
	return n
}

// A parcelValue is one threshold and the time in which it holds.
type parcelValue struct {
	field int
	span  span
	value sla.Sourced[time.Duration]
}

func put(r *sla.ShipmentRule, era int, values []parcelValue) {
	fields := parcelFields(r)
	for i := range values {
		if v := &values[i]; v.span.holds(era) {
			*fields[v.field] = v.value
		}
	}
}

// masks are what of a parcel's key each kind of scope names, the least specific first: the carrier, origin, destination, both, and the same
// three with the carrier.
var masks = [...]laneKey{
	anyOrigin & anyDest, anyCarrier & anyDest, anyCarrier & anyOrigin, anyCarrier, anyDest, anyOrigin, anyCarrier | anyOrigin | anyDest,
}

// over writes what the level says over the rule, the least specific first.
func (s *parcelSet) over(r *sla.ShipmentRule, era int, k laneKey) {
	put(r, era, s.plain)
	if s.shapes == 0 {
		return
	}
	full := k.shape()
	for _, mask := range masks {
		shape := mask.shape()
		if s.shapes>>shape&1 != 0 && shape&^full == 0 {
			put(r, era, s.narrowed[k&mask])
		}
	}
}

// rule lays what is said of the stores over what is said in general, the last one on top.
func (b *parcelBook) rule(era int, lane sla.Lane, stores ...sla.StoreID) sla.ShipmentRule {
	k := b.key(lane)
	out := b.standard
	b.general.over(&out, era, k)
	for _, id := range stores {
		if own, ok := b.stores[id]; ok {
			own.over(&out, era, k)
		}
	}
	return out
}

// key is the lane as the maps have it: a carrier that no variable names is as good as none.
func (b *parcelBook) key(lane sla.Lane) laneKey {
	carrier := uint16(0)
	if len(b.carriers) > 0 {
		var buffer [longestCarrier]byte
		if folded, ok := fold(&buffer, lane.Carrier); ok {
			carrier = b.carriers[string(folded)]
		}
	}
	return keyOf(carrier, lane.Origin, lane.Dest)
}

func letters(country string) uint16 {
	if len(country) != 2 {
		return 0
	}
	return uint16(country[0])<<8 | uint16(country[1])
}

// parcelBook collects what variables say of parcels.
func (l *loader) parcelBook() *parcelBook {
	b := &parcelBook{
		standard: sla.DefaultShipmentRule(), carriers: map[string]uint16{}, general: &parcelSet{}, stores: map[sla.StoreID]*parcelSet{},
	}
	for _, s := range slices.SortedFunc(maps.Keys(l.entries), compareScopes) {
		if s.noun != NounShipment {
			continue
		}
		level := b.general
		if s.store != "" {
			if level = b.stores[s.store]; level == nil {
				level = &parcelSet{}
				b.stores[s.store] = level
			}
		}
		var values []parcelValue
		for _, e := range l.entries[s] {
			e.put()
			values = append(values, parcelValue{e.field, e.span, *parcelFields(&l.parcels.work)[e.field]})
		}
		if s.carrier == "" && !s.hasLane() {
			level.plain = values
			continue
		}
		if s.carrier != "" && b.carriers[s.carrier] == 0 {
			b.carriers[s.carrier] = uint16(len(b.carriers) + 1)
		}
		if level.narrowed == nil {
			level.narrowed = map[laneKey][]parcelValue{}
		}
		k := keyOf(b.carriers[s.carrier], s.origin, s.dest)
		level.narrowed[k] = values
		level.shapes |= 1 << k.shape()
		level.scopes = append(level.scopes, s)
	}
	return b
}
