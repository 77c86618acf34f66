package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"watchkeeper/sla"
)

// CheckEpoch compares what the shards remember with the highest this process has seen. A shard whose memory is missing, or older than
// that (a flush, a restore, a failover to a replica that lagged), opens a new epoch: no answer to its disputes can be sent until Options.Settle after
// now, in any replica. What was forgotten shows although others have written as much since: a shard remembers what each process was told.
// Each loss is reported once to each process, also one that another replica found, or that was met by another call.
// The first start on an empty Redis counts as a loss: nobody knows what was sent before.
func (s *Store) CheckEpoch(ctx context.Context, now time.Time) (sla.Epoch, error) {
	if err := s.refresh(ctx, now); err != nil {
		return sla.Epoch{}, wrap("check epoch", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := sla.Epoch{Lost: slices.Sorted(maps.Keys(s.lost))}
	clear(s.lost)
	var frozen int64
	for i := range s.views {
		frozen = max(frozen, s.views[i].Load().frozen)
	}
	out.FrozenUntil = instantMS(frozen)
	return out, nil
}

// FrozenUntil is until when nothing may be sent for a dispute, as far as this process has heard; zero when its shard was never frozen. The ledger has
// the last word.
func (s *Store) FrozenUntil(id sla.DisputeID) time.Time {
	return instantMS(s.views[s.locate(classCase, caseIdent(id)).shard].Load().frozen)
}

// refresh learns the present epoch of every shard and the numbers of the stores, and gives numbers to the configured ones.
func (s *Store) refresh(ctx context.Context, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.layout(ctx); err != nil {
		return err
	}
	calls := make([]call, s.shards)
	for i := range calls {
		v := s.views[i].Load()
		args := make([]any, 0, 4+2*len(s.configured))
		args = append(args, v.epoch, v.seen(s.process), now.Add(s.settle).UnixMilli(), now.UnixMilli())
		for _, e := range s.configured {
			args = append(args, string(e.id), string(e.platform))
		}
		calls[i] = call{script: epochScript, keys: []string{s.keys[i].epoch, s.keys[i].stores, s.keys[i].counts}, args: args}
	}
	for i, cmd := range s.run(ctx, calls) {
		reply, err := cmd.Slice()
		if err == nil {
			err = s.adopt(i, reply)
		}
		if err != nil {
			return fmt.Errorf("shard %d: %w", i, err)
		}
	}
	return nil
}

// adopt replaces the view of a shard by what the script answered.
func (s *Store) adopt(shard int, reply []any) error {
	old := s.views[shard].Load()
	next := &view{sequence: &atomic.Int64{}}
	if len(reply) != 6 {
		return fmt.Errorf("epoch of %d parts: %w", len(reply), ErrUnreadable)
	}
	epoch, sequence, frozen := parseInt(reply[0]), parseInt(reply[1]), parseInt(reply[2])
	next.epoch, next.frozen = epoch, frozen
	pairs, _ := reply[4].([]any)
	if err := next.learn(pairs); err != nil {
		return err
	}
	if counts, _ := reply[5].([]any); len(counts) == len(classes) {
		for i := range classes {
			s.counts[shard][i].Store(parseInt(counts[i]))
		}
	}
	for _, e := range s.configured {
		if n, ok := next.numbers[e.id]; !ok || next.stores[n].platform != e.platform {
			return fmt.Errorf("store %s is recorded with platform %q, configured with %q", e.id, next.stores[n].platform, e.platform)
		}
	}
	if epoch == old.epoch {
		next.sequence = old.sequence
	}
	next.saw(sequence)
	if reply[3] == "1" || (old.epoch > 0 && epoch != old.epoch) {
		s.lost[shard] = struct{}{}
	}
	s.views[shard].Store(next)
	return nil
}

func parseInt(v any) int64 {
	text, _ := v.(string)
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}
