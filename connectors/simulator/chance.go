package simulator

import (
	"math/rand/v2"
	"time"

	"github.com/cespare/xxhash/v2"
)

// purpose keeps the draws of one seed apart: a draw for one purpose never moves another, so that the month does not depend on who
// asks first.
type purpose uint64

const (
	forScript purpose = iota + 1
	forReaction
	forArbitration
	forReturn
	forPerson
	forParcel
	forJourney
	forStore
	forDark
	forMove
	forThrottle
	forServerError
	forLostReply
	forDuplicate
	forShift
	forMalformed
	forToken
	forStale
	forBuyer
)

// draw gives the stream of one purpose and its numbers.
func draw(seed uint64, p purpose, n ...uint64) *rand.Rand {
	h := uint64(p) * 0x9e3779b97f4a7c15
	for _, x := range n {
		h = scramble(h ^ x)
	}
	return rand.New(rand.NewPCG(seed, scramble(h))) //nolint:gosec // a month must be repeatable; nothing here is secret
}

// scramble is the finaliser of splitmix64.
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// number makes a draw's number of words.
func number(words string) uint64 {
	return xxhash.Sum64String(words)
}

// between draws a duration in whole seconds.
func between(r *rand.Rand, lo, hi time.Duration) time.Duration {
	return (lo + time.Duration(r.Float64()*float64(hi-lo))).Truncate(time.Second)
}

// sometimes is true with probability p.
func sometimes(r *rand.Rand, p float64) bool { return r.Float64() < p }

// pick draws one of several by weight.
func pick(r *rand.Rand, weights []int) int {
	total := 0
	for _, w := range weights {
		total += w
	}
	n := r.IntN(total)
	for i, w := range weights {
		if n < w {
			return i
		}
		n -= w
	}
	return len(weights) - 1
}
