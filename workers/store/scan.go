package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
)

// compare tells of each row whether it is new, unchanged or changed; report gets the record of a changed one. Redis is asked about those
// that this process has not seen unchanged a short while ago.
func compare[R any](ctx context.Context, s *Store, k kind[R], store sla.StoreID, rows []sla.Seen, report func(int, sla.Verdict, *R)) error {
	now, asked, writes := s.now(), make([]int, 0, len(rows)), make([]uint32, 0, len(rows))
	id := func(i int) ident { return ident{store: store, native: rows[i].ID} }
	for i, row := range rows {
		at := s.locate(k.class, id(i))
		if known, n := s.prints.has(rowKey(k.class, at), row.Fingerprint, s.views[at.shard].Load().epoch, now); known {
			report(i, sla.VerdictUnchanged, nil)
		} else {
			asked, writes = append(asked, i), append(writes, n)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	g := s.group(k.class, len(asked), func(j int) ident { return id(asked[j]) })
	op := "compare " + k.name
	p := s.overItems(compareScript, k.class, g)
	p.args = func(shard int, v *view) ([]any, error) {
		items := g.in(shard)
		blob := make([]byte, 0, 24*len(items))
		var err error
		for _, j := range items {
			if blob, err = v.appendMemberItem(blob, g.places[j], id(asked[j])); err != nil {
				return nil, err
			}
			blob = binary.BigEndian.AppendUint64(blob, rows[asked[j]].Fingerprint)
		}
		return []any{s.keys[shard].prefix, blob}, nil
	}
	p.done = func(shard int, v *view, reply any) error {
		p := packed{b: bytesOf(reply)}
		var scratch [maxMember + 8]byte
		for _, j := range g.in(shard) {
			switch p.byte() {
			case '0':
				report(asked[j], sla.VerdictNew, nil)
			case '1':
				report(asked[j], sla.VerdictUnchanged, nil)
				s.prints.add(seenRow{key: rowKey(k.class, g.places[j]), fingerprint: rows[asked[j]].Fingerprint, epoch: v.epoch}, writes[j], now)
			default:
				member, err := v.appendMember(scratch[:0], g.places[j].bucket, id(asked[j]))
				if err != nil {
					return err
				}
				r, err := k.read(v, member[2:], p.sized())
				if err != nil {
					s.skip(op, err)
				}
				report(asked[j], sla.VerdictChanged, &r)
			}
		}
		return p.err()
	}
	return s.onShards(ctx, op, g.shards, p)
}

// sized reads bytes behind their length of two bytes.
func (p *packed) sized() []byte {
	if b := p.take(2); b != nil {
		return p.take(int(binary.BigEndian.Uint16(b)))
	}
	return nil
}

func bytesOf(reply any) []byte {
	text, _ := reply.(string)
	return []byte(text)
}

// claim takes what is due, each shard its fair part; a little more than the limit where leaves are taken whole, but never of feeds. Where some
// shards have less than their part, the others get what is left over, so that fewer entries than the limit mean that nothing more is due.
func claim[R any](ctx context.Context, s *Store, k kind[R], now time.Time, lease time.Duration, limit int) ([]R, error) {
	op := "claim " + k.name
	if lease < time.Millisecond {
		return nil, fmt.Errorf("%s: a lease of %s would end at once", op, lease)
	}
	var out []R
	until := timer{ms: dueMS(now.Add(lease)), code: exactCode}.append(nil)
	shards := s.rotated()
	for len(shards) > 0 && len(out) < limit {
		var full []int
		parts := share(limit-len(out), shards)
		waiting := shards[min(len(shards), limit-len(out)):]
		shards = shards[:len(shards)-len(waiting)]
		p := spread{script: claimScript, common: []any{string(k.class), now.UnixMilli(), until}}
		p.weight = func(shard int) int { return parts[shard] }
		p.args = func(shard int, v *view) ([]any, error) { return s.guarded(shard, v, parts[shard]), nil }
		p.done = func(shard int, v *view, reply any) error {
			entries, _ := reply.([]any)
			for i := 0; i+1 < len(entries); i += 2 {
				member := bytesOf(entries[i])
				r, err := k.read(v, member[min(2, len(member)):], bytesOf(entries[i+1]))
				if err != nil {
					s.skip(op, err)
					continue
				}
				out = append(out, r)
			}
			if len(entries) >= 2*parts[shard] {
				full = append(full, shard)
			}
			return nil
		}
		err := s.onShards(ctx, op, shards, p)
		if err != nil {
			return out, err
		}
		shards = slices.Concat(full, waiting)
	}
	return out, nil
}

// rotated lists the shards from another one each time, so that a small limit reaches all of them.
func (s *Store) rotated() []int {
	first := int(s.turn.Add(1) % uint64(s.shards))
	out := make([]int, s.shards)
	for i := range out {
		out[i] = (first + i) % s.shards
	}
	return out
}

// share divides a limit evenly among shards, the first ones getting the remainder.
func share(limit int, shards []int) map[int]int {
	out := make(map[int]int, len(shards))
	for i, shard := range shards {
		out[shard] = limit / len(shards)
		if i < limit%len(shards) {
			out[shard]++
		}
	}
	return out
}

// scanWidth is how many buckets are read in one round trip; at ten million cases that is some 5 MB.
const scanWidth = 256

// each gives every record of a class to fn, bucket by bucket: what is there from beginning to end is given exactly once, and memory stays
// bounded. The names of the buckets are known, so that nothing else in Redis is walked. An error of fn ends the walk.
func each[R any](ctx context.Context, s *Store, k kind[R], buckets int, fn func(R) error) error {
	if err := s.refresh(ctx, s.now()); err != nil {
		return wrap("each of "+k.name, err)
	}
	return eachKnown(ctx, s, k, buckets, fn)
}

// eachKnown is each under the numbers of stores that are known already.
func eachKnown[R any](ctx context.Context, s *Store, k kind[R], buckets int, fn func(R) error) error {
	for shard := range s.shards {
		for first := 0; first < buckets; first += scanWidth {
			if err := eachPage(ctx, s, k, shard, span{first, min(first+scanWidth, buckets)}, fn); err != nil {
				return err
			}
		}
	}
	return nil
}

// span is some buckets of a shard, the end not among them.
type span struct{ first, end int }

func eachPage[R any](ctx context.Context, s *Store, k kind[R], shard int, at span, fn func(R) error) error {
	op := "each of " + k.name
	v := s.views[shard].Load()
	cmds, err := s.readBuckets(ctx, k.class, shard, at)
	if err != nil {
		return wrap(op, err)
	}
	for _, cmd := range cmds {
		for field, value := range cmd.Val() {
			r, err := k.read(v, []byte(field), []byte(value))
			if err != nil {
				s.skip(op, err)
				continue
			}
			if err := fn(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// readBuckets reads some buckets of a shard whole, in one round trip.
func (s *Store) readBuckets(ctx context.Context, c class, shard int, at span) ([]*redis.MapStringStringCmd, error) {
	pipe := s.rdb.Pipeline()
	cmds := make([]*redis.MapStringStringCmd, 0, at.end-at.first)
	for b := at.first; b < at.end; b++ {
		cmds = append(cmds, pipe.HGetAll(ctx, s.keys[shard].bucket(c, uint16(b))))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("shard %d: %w", shard, err)
	}
	return cmds, nil
}
