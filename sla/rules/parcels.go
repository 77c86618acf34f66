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
	scopes   []scope // in order, for printing
}

type laneKey struct {
	carrier      uint16
	origin, dest [2]byte
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

// over writes what the level says over the rule, the least specific first.
func (s *parcelSet) over(r *sla.ShipmentRule, era int, k laneKey) {
	put(r, era, s.plain)
	if len(s.narrowed) == 0 {
		return
	}
	var none [2]byte
	if k.carrier != 0 {
		put(r, era, s.narrowed[laneKey{carrier: k.carrier}])
	}
	for _, carrier := range [2]uint16{0, k.carrier} {
		if k.origin != none {
			put(r, era, s.narrowed[laneKey{carrier, k.origin, none}])
		}
		if k.dest != none {
			put(r, era, s.narrowed[laneKey{carrier, none, k.dest}])
		}
		if k.origin != none && k.dest != none {
			put(r, era, s.narrowed[laneKey{carrier, k.origin, k.dest}])
		}
		if k.carrier == 0 {
			return
		}
	}
}

func (b *parcelBook) rule(era int, store sla.StoreID, lane sla.Lane) sla.ShipmentRule {
	k := b.key(lane)
	out := b.standard
	b.general.over(&out, era, k)
	if own, ok := b.stores[store]; ok {
		own.over(&out, era, k)
	}
	return out
}

// key is the lane as the maps have it: a carrier that no variable names is as good as none.
func (b *parcelBook) key(lane sla.Lane) laneKey {
	k := laneKey{origin: letters(lane.Origin), dest: letters(lane.Dest)}
	if len(b.carriers) > 0 {
		var buffer [longestCarrier]byte
		if folded, ok := fold(&buffer, lane.Carrier); ok {
			k.carrier = b.carriers[string(folded)]
		}
	}
	return k
}

func letters(country string) (out [2]byte) {
	if len(country) == len(out) {
		copy(out[:], country)
	}
	return out
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
		level.narrowed[laneKey{b.carriers[s.carrier], letters(s.origin), letters(s.dest)}] = values
		level.scopes = append(level.scopes, s)
	}
	return b
}
