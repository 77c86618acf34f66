package store

import (
	"context"
	"fmt"

	"watchkeeper/sla"
)

// lostMemory is what every script that writes answers for a shard that has another epoch than the caller thinks, or an older sequence.
const lostMemory = int64(0)

// A spread is one script over several shards.
type spread struct {
	script luaScript
	common []any               // arguments in front of those of the shards
	weight func(shard int) int // how many items it works on in a shard
	// args gives a shard's arguments under its present view; done reads its reply.
	args func(shard int, v *view) ([]any, error)
	done func(shard int, v *view, reply any) error
}

// most is how many items one run of a script works on, when it has several shards. Fewer runs are cheaper, long ones keep other clients
// waiting.
const most = 64

// onShards runs a script over shards, in one round trip. A shard that has lost its memory gets a new epoch first and then the call again,
// made anew because the numbers of stores may have changed. A shard that fails does not stop the others; the first error is given.
func (s *Store) onShards(ctx context.Context, op string, shards []int, p spread) error {
	return s.remembering(ctx, op, shards, func(shards []int) ([]int, error) { return s.spread(ctx, shards, p) })
}

// remembering runs once, and again for the shards whose memory was found lost.
func (s *Store) remembering(ctx context.Context, op string, shards []int, once func([]int) (lost []int, err error)) error {
	var first error
	for range 2 {
		lost, err := once(shards)
		if first == nil {
			first = err
		}
		if len(lost) == 0 {
			return wrap(op, first)
		}
		if err := s.refresh(ctx, s.now()); err != nil {
			return wrap(op, fmt.Errorf("after a loss of memory: %w", err))
		}
		shards = lost
	}
	return wrap(op, fmt.Errorf("shard %d: %w", shards[0], sla.ErrAmnesia))
}

func (s *Store) spread(ctx context.Context, shards []int, p spread) (lost []int, first error) {
	calls, views, err := s.calls(shards, p)
	if err != nil {
		return nil, err
	}
	i := 0
	for n, cmd := range s.run(ctx, calls) {
		replies, err := cmd.Slice()
		for k := range calls[n].keys {
			shard, view, shardErr := shards[i], views[i], err
			i++
			switch {
			case err == nil && len(replies) != len(calls[n].keys):
				shardErr = fmt.Errorf("%d replies: %w", len(replies), ErrUnreadable)
			case err == nil && replies[k] == lostMemory:
				lost = append(lost, shard)
				continue
			case err == nil:
				if failed, ok := replies[k].(error); ok {
					shardErr = failed
				} else {
					shardErr = p.done(shard, view, replies[k])
				}
			}
			if shardErr != nil && first == nil {
				first = fmt.Errorf("shard %d: %w", shard, shardErr)
			}
		}
	}
	return lost, first
}

// calls shares the shards out among runs of the script. On Cluster each run has one, because a run lives on one node.
func (s *Store) calls(shards []int, p spread) ([]call, []*view, error) {
	calls, views := make([]call, 0, len(shards)), make([]*view, len(shards))
	weight := most
	for i, shard := range shards {
		views[i] = s.views[shard].Load()
		args, err := p.args(shard, views[i])
		if err != nil {
			return nil, nil, err
		}
		w := p.weight(shard)
		if s.cluster || weight+w > most {
			calls = append(calls, call{script: p.script, args: append(make([]any, 0, len(p.common)+4*len(shards)), p.common...)})
			weight = 0
		}
		weight += w
		c := &calls[len(calls)-1]
		c.keys = append(c.keys, s.keys[shard].epoch)
		c.args = append(c.args, args...)
	}
	return calls, views, nil
}

// A grouping sorts items by their shard.
type grouping struct {
	places []place
	shards []int // those with items
	order  []int // items, shard after shard
	starts []int // of each shard in order, and the end
}

func (s *Store) group(c class, n int, id func(int) ident) grouping {
	g := grouping{places: make([]place, n), order: make([]int, n), starts: make([]int, s.shards+1)}
	for i := range n {
		g.places[i] = s.locate(c, id(i))
		g.starts[g.places[i].shard+1]++
	}
	for shard := range s.shards {
		if g.starts[shard+1] > 0 {
			g.shards = append(g.shards, shard)
		}
		g.starts[shard+1] += g.starts[shard]
	}
	next := append([]int(nil), g.starts...)
	for i := range n {
		shard := g.places[i].shard
		g.order[next[shard]] = i
		next[shard]++
	}
	return g
}

// in are the items of a shard, weight how many they are.
func (g grouping) in(shard int) []int   { return g.order[g.starts[shard]:g.starts[shard+1]] }
func (g grouping) weight(shard int) int { return g.starts[shard+1] - g.starts[shard] }
