package handle

import "watchkeeper/sla"

// tryKey is one try at one slot.
type tryKey struct {
	slot sla.AttemptKey
	n    uint32
}

// tryOf names the last try at a slot.
func tryOf(a sla.Attempt) tryKey { return tryKey{slot: a.AttemptKey, n: a.N} }

// absencesAtOnce is how many absences are remembered, twice as many at the most.
const absencesAtOnce = 10_000

// newAbsences makes the memory of when this process first saw that the effect of a try is not there. Absence for a whole settle window on one and
// the same clock proves that it will never be; by the clocks of several processes, which the ledger has (sla.Attempt.Absent), it takes longer by
// what they may differ, and the platform's clock must have gone on as long. A restart forgets, and goes by the ledger.
func newAbsences() *instants[tryKey] { return newInstants[tryKey](absencesAtOnce) }
