package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"watchkeeper/sla"
)

// Timings of presence, by the clock of who watches.
const (
	// GoneAfter is how long the beats of a process stand still until it is gone.
	GoneAfter = 2 * time.Second
	// mostUnseen is the longest time between two looks of who watches; after a longer one it was away itself, or Redis was.
	mostUnseen = time.Second
	// GoneKept is how long it is remembered who is gone: longer than any claim of an attempt.
	GoneKept = 10 * time.Minute
)

// presentShard has who lives.
const presentShard = 0

// Others are the other processes as one process sees them. The zero value knows nobody. It is safe for concurrent use.
type Others struct {
	beating sync.Mutex // over the next three: one beat at a time. It is held over calls, and nobody else waits for it
	beats   uint64
	last    time.Time       // when it was last looked
	seen    map[string]beat // those that may live

	mu   sync.Mutex      // over what follows, and never over a call: claims of every shard ask who is gone
	gone string          // those that are gone, processSize bytes each
	mine map[string]bool // of them, those that this process found, and has told
	back map[string]bool // those that were among them once, whether they live again or not
}

// A beat is how often a process has beaten, and since when that is so.
type beat struct {
	count string
	since time.Time
}

// Present notes that a process lives (beats) and which others it found gone, each with its beats; it gives what each process says (presence.lua).
type Present func(beats, gone []byte) (map[string]string, error)

// Beat notes that this process lives, and looks whether the others do. See Store.Beat.
func (o *Others) Beat(me string, now time.Time, present Present) (sla.Gone, error) {
	o.beating.Lock()
	defer o.beating.Unlock()
	o.beats++
	said, err := present(binary.BigEndian.AppendUint64(nil, o.beats), nil)
	if err != nil {
		return sla.Gone{}, err
	}
	if silent := o.watch(said, me, now); len(silent) > 0 {
		if said, err = present(nil, silent); err != nil {
			return sla.Gone{}, err
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.hear(said, me), nil
}

// Gone are the processes known to be gone, processSize bytes each.
func (o *Others) Gone() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.gone
}

// IsGone tells whether a process is known to be gone.
func (o *Others) IsGone(process string) bool {
	for gone := o.Gone(); len(gone) >= processSize; gone = gone[processSize:] {
		if gone[:processSize] == process {
			return true
		}
	}
	return false
}

// Learn hears what the processes say, and tells whether others are gone than before. Who was found gone is told by Beat, and not here.
func (o *Others) Learn(said map[string]string, me, before string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	told := o.mine
	o.hear(said, me)
	o.mine = told
	return len(o.gone) > 0 && o.gone != before
}

// markedGone tells the word that a process is gone from its beats, which are eight bytes.
func markedGone(said string) bool { return len(said) > 8 }

// watch takes in what processes say, and gives those that have been silent for long, each with its beats. After an absence of ours nobody has
// been silent yet.
func (o *Others) watch(said map[string]string, me string, now time.Time) (silent []byte) {
	gap := now.Sub(o.last)
	away := gap < 0 || gap > mostUnseen
	seen := make(map[string]beat, len(said))
	for process, count := range said {
		if process == me || markedGone(count) {
			continue
		}
		b, known := o.seen[process]
		if !known || away || b.count != count {
			b = beat{count: count, since: now}
		}
		if seen[process] = b; now.Sub(b.since) >= GoneAfter {
			silent = append(append(silent, process...), count...)
		}
	}
	o.seen, o.last = seen, now
	return silent
}

// hear learns who is gone, and counts those that this process has found and not told yet.
func (o *Others) hear(said map[string]string, me string) (found sla.Gone) {
	gone, mine, back := make([]string, 0, len(said)), map[string]bool{}, map[string]bool{}
	for process, count := range said {
		if o.mine[process] || o.back[process] {
			back[process] = true // as long as anything is heard of it
		}
		if process == me || !markedGone(count) {
			continue
		}
		gone = append(gone, process)
		if count[1:1+processSize] != me {
			continue
		}
		if mine[process] = true; o.mine[process] {
			continue
		}
		found.Processes++
		if o.back[process] {
			found.Again++
		}
	}
	slices.Sort(gone)
	o.gone, o.mine, o.back = strings.Join(gone, ""), mine, back
	return found
}

// Beat notes that this process lives, and looks whether the others do. It answers how many are newly known to be gone that this process was
// the first to find: whoever is told of one ends the leases. It must be called several times within GoneAfter.
func (s *Store) Beat(ctx context.Context, now time.Time) (sla.Gone, error) {
	found, err := s.others.Beat(s.process, now, func(beats, gone []byte) (map[string]string, error) { return s.present(ctx, beats, gone, now) })
	return found, wrap("beat", err)
}

// Leave forgets this process among the living: it stops, and holds nothing.
func (s *Store) Leave(ctx context.Context) error {
	return wrap("leave", s.rdb.HDel(ctx, s.keys[presentShard].alive, s.process).Err())
}

// present asks who lives, and notes what is given.
func (s *Store) present(ctx context.Context, beats, gone []byte, now time.Time) (map[string]string, error) {
	reply, err := s.runOne(ctx, call{script: presentScript, keys: []string{s.keys[presentShard].alive},
		args: []any{s.process, beats, gone, now.UnixMilli(), GoneKept.Milliseconds()}})
	if err != nil {
		return nil, err
	}
	pairs, ok := reply.([]any)
	if !ok || len(pairs)%2 != 0 {
		return nil, fmt.Errorf("who lives: %w", ErrUnreadable)
	}
	said := make(map[string]string, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		if process := string(bytesOf(pairs[i])); len(process) == processSize {
			said[process] = string(bytesOf(pairs[i+1]))
		}
	}
	return said, nil
}

// deserters are the processes known to be gone.
func (s *Store) deserters() string { return s.others.Gone() }

// heardOfMore looks who is gone, and tells whether that is somebody else than before. Without an answer it is not.
func (s *Store) heardOfMore(ctx context.Context, before string, now time.Time) bool {
	said, err := s.present(ctx, nil, nil, now)
	return err == nil && s.others.Learn(said, s.process, before)
}

// endBatch is about how many leases one run of a script ends, in all shards together, and endRuns how often it runs.
const (
	endBatch = 4096
	endRuns  = 64
)

// EndCaseLeases makes cases due now that a claim looks away from, if its lease ends until then at the latest: later ones were given since.
// It answers how many.
func (s *Store) EndCaseLeases(ctx context.Context, now, until time.Time) (int, error) {
	return s.endLeases(ctx, classCase, caseKind.name, now, until)
}

// EndShipmentLeases is EndCaseLeases for shipments.
func (s *Store) EndShipmentLeases(ctx context.Context, now, until time.Time) (int, error) {
	return s.endLeases(ctx, classShipment, shipmentKind.name, now, until)
}

// EndFeedLeases is EndCaseLeases for feeds. Those that are being read (BeginFeed) are due when their readers are gone, and others are left to theirs.
func (s *Store) EndFeedLeases(ctx context.Context, now, until time.Time) (int, error) {
	ended, err := s.endLeases(ctx, classFeed, feedKind.name, now, until)
	if err != nil {
		return ended, err
	}
	read, err := s.endReadings(ctx, now)
	return ended + read, err
}

func (s *Store) endLeases(ctx context.Context, c class, name string, now, until time.Time) (total int, err error) {
	shards := s.rotated()
	at := appendInstant(nil, dueMS(now))
	for range endRuns {
		ended := 0
		p := spread{script: unleaseScript, common: []any{string(c), at, dueMS(until)}}
		p.weight = func(int) int { return endBatch / s.shards }
		p.args = func(shard int, v *view) ([]any, error) { return s.guarded(shard, v, p.weight(shard)), nil }
		p.done = func(_ int, _ *view, reply any) error {
			text, _ := reply.(string)
			ended += int(parseInt(text))
			return nil
		}
		err = s.onShards(ctx, "end leases of "+name, shards, p)
		if total += ended; err != nil || ended == 0 {
			break
		}
	}
	return total, err
}

// held lists the claims that another has.
func held(claims []sla.Claim) (out []int) {
	for i, c := range claims {
		if c.Err == sla.ErrHeld { //nolint:errorlint // as a script's answer was read, before it is wrapped
			out = append(out, i)
		}
	}
	return out
}
