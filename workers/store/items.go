package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"watchkeeper/sla"
)

// A kind is what the one mechanism of records must know of one class of them.
type kind[R any] struct {
	class  class
	name   string // for errors
	ident  func(*R) ident
	header func(*R) header
	pack   func([]byte, *R) []byte
	unpack func(*R, ident, sla.Platform, header, *packed)
}

// appendMemberItem writes an item's member behind its length.
func (v *view) appendMemberItem(dst []byte, at place, id ident) ([]byte, error) {
	head := len(dst)
	dst, err := v.appendMember(append(dst, 0), at.bucket, id)
	if err != nil {
		return dst, err
	}
	dst[head] = byte(len(dst) - head - 1)
	return dst, nil
}

// A change is a record to be written.
type change[R any] struct {
	record *R
	expect uint32 // the version it was read at
	leased bool   // its timer is the end of a lease
}

// appendSized writes the value that a write script takes behind its length.
func (k kind[R]) appendSized(dst []byte, w change[R], g gauge) ([]byte, error) {
	head := len(dst)
	dst, err := k.appendValue(append(dst, 0, 0), w, g)
	size := len(dst) - head - 2
	binary.BigEndian.PutUint16(dst[head:], uint16(size))
	return dst, err
}

// appendValue writes the expected version and the record.
func (k kind[R]) appendValue(dst []byte, w change[R], g gauge) ([]byte, error) {
	head := len(dst)
	h := k.header(w.record)
	h.version = w.expect + 1
	due := g.timer(h.next)
	if w.leased && due.ms != 0 {
		due.code = exactCode // where a claim puts the ends of its leases, and unlease.lua looks for them
	}
	dst = binary.BigEndian.AppendUint32(dst, w.expect)
	dst = k.pack(appendHeader(dst, h, due), w.record)
	if len(dst)-head > maxValue {
		return dst, fmt.Errorf("record %s of %d bytes: %w", k.ident(w.record), len(dst)-head, ErrTooLong)
	}
	return dst, nil
}

func (k kind[R]) read(v *view, field, value []byte) (R, error) {
	var r R
	id, platform, err := v.readField(field)
	if err != nil {
		return r, err
	}
	h, body, err := readHeader(value)
	if err != nil {
		return r, fmt.Errorf("%s: %w", id, err)
	}
	p := packed{b: body}
	k.unpack(&r, id, platform, h, &p)
	if p.err() != nil {
		var none R
		return none, fmt.Errorf("%s: %w: %w", id, p.err(), ErrUnreadable)
	}
	return r, nil
}

// skip counts and reports a record that cannot be read; it stays where it is.
func (s *Store) skip(op string, err error) {
	s.unreadable.Add(1)
	s.log.Warn("record skipped", zap.String("op", op), zap.Error(err))
}

// put writes records.
func put[R any](ctx context.Context, s *Store, k kind[R], n int, at func(int) change[R]) ([]sla.PutResult, error) {
	out := make([]sla.PutResult, n)
	g := s.group(k.class, n, func(i int) ident { return k.ident(at(i).record) })
	p := s.overItems(putScript, k.class, g)
	p.args = func(shard int, v *view) ([]any, error) {
		items, gauge := g.in(shard), s.gauge(k.class, shard)
		blob := make([]byte, 0, 96*len(items))
		var err error
		for _, i := range items {
			w := at(i)
			s.prints.drop(rowKey(k.class, g.places[i]))
			if blob, err = v.appendMemberItem(blob, g.places[i], k.ident(w.record)); err != nil {
				return nil, err
			}
			if blob, err = k.appendSized(blob, w, gauge); err != nil {
				return nil, err
			}
		}
		return s.guarded(shard, v, blob), nil
	}
	p.done = func(shard int, _ *view, reply any) error {
		flags, count, err := flagsOf(reply, g.weight(shard))
		if count != "" {
			s.counts[shard][k.class.index()].Store(parseInt(count))
		}
		for j, flag := range flags {
			i := g.in(shard)[j]
			s.prints.drop(rowKey(k.class, g.places[i])) // once more: somebody may have compared in between
			if out[i].Stale = flag == '0'; !out[i].Stale {
				out[i].Version = at(i).expect + 1
			}
		}
		return err
	}
	return out, s.onShards(ctx, "put "+k.name, g.shards, p)
}

// overItems is a script over items of one class, grouped by shard.
func (s *Store) overItems(script luaScript, c class, g grouping) spread {
	return spread{script: script, common: []any{string(c)}, weight: g.weight, done: func(int, *view, any) error { return nil }}
}

// guarded are a shard's arguments for a script that writes.
func (s *Store) guarded(shard int, v *view, last any) []any {
	return []any{v.epoch, v.seen(s.process), s.keys[shard].prefix, last}
}

// flagsOf splits a reply into one byte for each item and the rest.
func flagsOf(reply any, want int) (flags, rest string, err error) {
	text, _ := reply.(string)
	if len(text) < want {
		return "", "", fmt.Errorf("%d answers for %d items: %w", len(text), want, ErrUnreadable)
	}
	return text[:want], text[want:], nil
}

// get reads records by their identity.
func get[R any](ctx context.Context, s *Store, k kind[R], n int, id func(int) ident) ([]R, []bool, error) {
	out, found := make([]R, n), make([]bool, n)
	if n == 0 {
		return out, found, nil
	}
	pipe := s.rdb.Pipeline()
	cmds := make([]*redis.StringCmd, n)
	views, members := make([]*view, n), make([][]byte, n)
	for i := range n {
		at := s.locate(k.class, id(i))
		views[i] = s.views[at.shard].Load()
		member, err := views[i].appendMember(nil, at.bucket, id(i))
		if err != nil {
			return nil, nil, wrap("get "+k.name, err)
		}
		members[i] = member
		cmds[i] = pipe.HGet(ctx, s.keys[at.shard].bucket(k.class, at.bucket), string(member[2:]))
	}
	_, _ = pipe.Exec(ctx)
	var first error
	for i, cmd := range cmds {
		value, err := cmd.Bytes()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err == nil {
			out[i], err = k.read(views[i], members[i][2:], value)
			if err != nil {
				s.skip("get "+k.name, err)
			}
			found[i] = err == nil
		}
		if err != nil && first == nil {
			first = err
		}
	}
	return out, found, wrap("get "+k.name, first)
}

// remove forgets records.
func remove(ctx context.Context, s *Store, c class, name string, n int, id func(int) ident) error {
	g := s.group(c, n, id)
	p := s.overItems(removeScript, c, g)
	p.args = func(shard int, v *view) ([]any, error) {
		var blob []byte
		var err error
		for _, i := range g.in(shard) {
			s.prints.drop(rowKey(c, g.places[i]))
			if blob, err = v.appendMemberItem(blob, g.places[i], id(i)); err != nil {
				return nil, err
			}
		}
		return s.guarded(shard, v, blob), nil
	}
	p.done = func(shard int, _ *view, _ any) error {
		for _, i := range g.in(shard) {
			s.prints.drop(rowKey(c, g.places[i]))
		}
		return nil
	}
	return s.onShards(ctx, "remove "+name, g.shards, p)
}

// A moved timer of an unchanged record.
type rearmed struct {
	id      ident
	version uint32
	next    time.Time
}

// rearm moves timers of records that did not change. It answers which were moved.
func rearm(ctx context.Context, s *Store, c class, name string, n int, at func(int) rearmed) ([]bool, error) {
	out := make([]bool, n)
	g := s.group(c, n, func(i int) ident { return at(i).id })
	p := s.overItems(rearmScript, c, g)
	p.args = func(shard int, v *view) ([]any, error) {
		items, gauge := g.in(shard), s.gauge(c, shard)
		blob := make([]byte, 0, 32*len(items))
		var err error
		for _, i := range items {
			r := at(i)
			if blob, err = v.appendMemberItem(blob, g.places[i], r.id); err != nil {
				return nil, err
			}
			due := gauge.timer(r.next)
			blob = binary.BigEndian.AppendUint32(blob, r.version)
			blob = due.append(blob)
		}
		return s.guarded(shard, v, blob), nil
	}
	p.done = func(shard int, _ *view, reply any) error {
		flags, _, err := flagsOf(reply, g.weight(shard))
		for j, flag := range flags {
			out[g.in(shard)[j]] = flag == '1'
		}
		return err
	}
	return out, s.onShards(ctx, "rearm "+name, g.shards, p)
}
