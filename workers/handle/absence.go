package handle

import (
	"sync"
	"time"

	"watchkeeper/sla"
)

// tryKey is one try at one slot.
type tryKey struct {
	slot sla.AttemptKey
	n    uint32
}

// absences remembers when this process first saw that the effect of a try is not there. Absence for a whole settle window on one and the same
// clock proves that it will never be; by the clocks of several processes, which the ledger has (sla.Attempt.Absent), it takes longer by what
// they may differ, and the platform's clock must have gone on as long. A restart forgets, and goes by the ledger. It is safe for concurrent use and
// bounded: two generations, the older of which is dropped when the younger is full.
type absences struct {
	mu         sync.Mutex
	young, old map[tryKey]time.Time
}

const absenceGeneration = 10_000

func newAbsences() *absences { return &absences{young: map[tryKey]time.Time{}} }

// since is when the try was first seen absent, now if it never was.
func (a *absences) since(attempt sla.Attempt, now time.Time) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := tryKey{slot: attempt.AttemptKey, n: attempt.N}
	first, ok := a.young[key]
	if ok {
		return first
	}
	if first, ok = a.old[key]; !ok {
		first = now
	}
	if len(a.young) >= absenceGeneration {
		a.young, a.old = map[tryKey]time.Time{}, a.young
	}
	a.young[key] = first
	return first
}
