package store

import (
	"sync/atomic"
	"testing"
)

// An item waits while a trip that left before it is told a higher sequence. With the older one a failover in between would not show.
func TestATripTakesTheSequenceOfItsDeparture(t *testing.T) {
	t.Parallel()
	v := &view{epoch: 3, sequence: &atomic.Int64{}}
	v.saw(90)
	s := &Store{process: "abcd", keys: []shardKeys{newShardKeys(0)}}
	waiting := []seat{{item: item{script: attemptClaim, under: v, args: []any{"member"}}}}
	v.saw(100)
	got := s.together(waiting).args
	if len(got) != 4 || got[0] != 3 || got[1] != int64(3) || got[2] != "abcd100" || got[3] != "member" {
		t.Errorf("want the width, the epoch, the process with its sequence, and the rest, got %v", got)
	}
}
