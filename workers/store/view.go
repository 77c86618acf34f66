package store

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"watchkeeper/sla"
)

// An ident is the identity of an item of any class.
type ident struct {
	store  sla.StoreID
	native string
}

func (id ident) String() string { return string(id.store) + "/" + id.native }

// A view is what this process knows of one shard: the epoch, the highest sequence seen in it, and the numbers of the stores. It is
// replaced as a whole when the epoch moves, so that members made from one view are never written under another.
type view struct {
	epoch    int64
	sequence *atomic.Int64 // shared with the view before, within one epoch
	frozen   int64         // ms; money is frozen until then
	numbers  map[sla.StoreID]uint64
	stores   []storeEntry // by number
}

type storeEntry struct {
	id       sla.StoreID
	platform sla.Platform
}

// saw remembers a sequence that a script answered.
func (v *view) saw(sequence int64) {
	for {
		old := v.sequence.Load()
		if sequence <= old || v.sequence.CompareAndSwap(old, sequence) {
			return
		}
	}
}

// seen is what scripts take for the highest sequence that this process was told, with its name.
func (v *view) seen(process string) string { return process + strconv.FormatInt(v.sequence.Load(), 10) }

// learn reads the pairs store, "number platform".
func (v *view) learn(pairs []any) error {
	v.numbers = make(map[sla.StoreID]uint64, len(pairs)/2)
	v.stores = make([]storeEntry, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		id, _ := pairs[i].(string)
		text, _ := pairs[i+1].(string)
		digits, platform, _ := strings.Cut(text, " ")
		n, err := strconv.ParseUint(digits, 10, 16)
		if err != nil {
			return fmt.Errorf("number of store %s: %w", id, ErrUnreadable)
		}
		if grow := int(n) + 1 - len(v.stores); grow > 0 {
			v.stores = slices.Grow(v.stores, grow)[:n+1]
		}
		v.stores[n] = storeEntry{id: sla.StoreID(id), platform: sla.Platform(platform)}
		v.numbers[sla.StoreID(id)] = n
	}
	return nil
}

// Stores are the stores that any process has ever written for, with their platforms.
func (s *Store) Stores() map[sla.StoreID]sla.Platform {
	out := map[sla.StoreID]sla.Platform{}
	for i := range s.views {
		for _, e := range s.views[i].Load().stores {
			if e.id != "" {
				out[e.id] = e.platform
			}
		}
	}
	return out
}

// platformOf is the platform of the store's number: an id that a person typed has none.
func (v *view) platformOf(id sla.DisputeID) sla.Platform {
	if n, ok := v.numbers[id.Store]; ok {
		return v.stores[n].platform
	}
	return id.Platform
}

// storeEscape in the six high bits of a member's first byte says that the number of the store follows.
const (
	storeEscape = 63
	maxMember   = 120
)

// appendMember packs an item: its bucket, then its field: the number of its store and its native id.
func (v *view) appendMember(dst []byte, bucket uint16, id ident) ([]byte, error) {
	n, ok := v.numbers[id.store]
	if !ok {
		return dst, fmt.Errorf("store %q: %w", id.store, ErrUnknownStore)
	}
	if id.native == "" || len(id.native) > maxMember-8 {
		return dst, fmt.Errorf("id of %d bytes in store %s: %w", len(id.native), id.store, ErrTooLong)
	}
	dst = binary.BigEndian.AppendUint16(dst, bucket)
	head := len(dst)
	if n < storeEscape {
		dst = append(dst, byte(n)<<2)
	} else {
		dst = binary.AppendUvarint(append(dst, storeEscape<<2), n-storeEscape)
	}
	dst, packing := appendText(dst, id.native)
	dst[head] |= packing
	return dst, nil
}

// readField is the inverse of appendMember, without the bucket.
func (v *view) readField(field []byte) (ident, sla.Platform, error) {
	p := packed{b: field}
	head := p.byte()
	n := uint64(head >> 2)
	if n == storeEscape {
		n += p.uvarint()
	}
	if p.bad || len(p.b) == 0 || n >= uint64(len(v.stores)) || v.stores[n].id == "" {
		return ident{}, "", fmt.Errorf("id %x: %w", field, ErrUnreadable)
	}
	return ident{store: v.stores[n].id, native: readText(p.b, head&3)}, v.stores[n].platform, nil
}
