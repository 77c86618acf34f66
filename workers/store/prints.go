package store

import (
	"sync"
	"time"
)

// DefaultTrust is how long a row that Redis called unchanged is taken for unchanged without asking again, when Options do not say.
const DefaultTrust = 10 * time.Minute

const (
	printStripes = 64
	printSlots   = 4096 // of a stripe: a quarter of a million rows in all, in 8 MB at most
)

// prints remembers for a while which rows this process has seen unchanged, so that most rows of most polls need no round trip. It is a hint of
// bounded age and size, and what it says can only be too old: a write of this process drops its row, another epoch drops everything
// (memory was lost), and what other processes wrote shows when the trust ends. Rows that share a slot push each other out.
type prints struct {
	trust   time.Duration // 0: nothing is remembered
	stripes [printStripes]stripe
}

type stripe struct {
	mu     sync.Mutex
	slots  []seenRow // made when first needed
	writes uint32    // of this process to rows of the stripe
}

// A seenRow is one row that was unchanged.
type seenRow struct {
	key         uint64 // of class and identity
	fingerprint uint64
	epoch       int64
	until       int64 // ms
}

// rowKey is the identity of a row of a class by the hash that places it.
func rowKey(c class, at place) uint64 { return at.hash ^ uint64(c)<<56 }

func (p *prints) stripe(key uint64) (*stripe, int) {
	return &p.stripes[key%printStripes], int(key / printStripes % printSlots)
}

// has reports whether a row was unchanged a while ago, in the same epoch. For add it tells how many writes there were so far.
func (p *prints) has(key, fingerprint uint64, epoch int64, now time.Time) (known bool, writes uint32) {
	s, i := p.stripe(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.slots == nil {
		return false, s.writes
	}
	row := &s.slots[i]
	ms := now.UnixMilli()
	// A clock that went back does not make trust longer than it is.
	fresh := ms < row.until && row.until-ms <= p.trust.Milliseconds()
	return fresh && row.key == key && row.fingerprint == fingerprint && row.epoch == epoch, s.writes
}

// add remembers a row that Redis called unchanged, unless there was a write since has: Redis may have been asked before it.
func (p *prints) add(row seenRow, writes uint32, now time.Time) {
	if p.trust <= 0 {
		return
	}
	s, i := p.stripe(row.key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writes != writes {
		return
	}
	if s.slots == nil {
		s.slots = make([]seenRow, printSlots)
	}
	row.until = now.Add(p.trust).UnixMilli()
	s.slots[i] = row
}

// drop forgets a row that is being written.
func (p *prints) drop(key uint64) {
	s, i := p.stripe(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	if s.slots != nil && s.slots[i].key == key {
		s.slots[i] = seenRow{}
	}
}
