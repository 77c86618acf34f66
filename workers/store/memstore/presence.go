package memstore

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
)

// present is scripts/presence.lua.
func (s *Store) present(beats, gone []byte, now time.Time) map[string]string {
	alive := s.w.shards[0].alive
	for ; len(gone) > 0; gone = gone[12:] {
		if said, ok := alive.Get(string(gone[:4])); ok && said == string(gone[4:12]) {
			alive.Set(string(gone[:4]), "g"+s.process+strconv.FormatInt(now.UnixMilli(), 10))
		}
	}
	if len(beats) > 0 {
		alive.Set(s.process, string(beats))
	}
	out := map[string]string{}
	alive.Copy().Scan(func(who, said string) bool {
		if len(said) > 8 && parsed(said[5:]) < now.UnixMilli()-store.GoneKept.Milliseconds() {
			alive.Delete(who)
		} else {
			out[who] = said
		}
		return true
	})
	return out
}

func parsed(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

// Beat is store.Store.Beat.
func (s *Store) Beat(_ context.Context, now time.Time) (sla.Gone, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	return s.others.Beat(s.process, now, func(beats, gone []byte) (map[string]string, error) { return s.present(beats, gone, now), nil })
}

// Leave is store.Store.Leave.
func (s *Store) Leave(context.Context) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	s.w.shards[0].alive.Delete(s.process)
	return nil
}

// named gives a process' name, as long as those of Redis.
func named(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }

// EndCaseLeases is store.Store.EndCaseLeases.
func (s *Store) EndCaseLeases(_ context.Context, now, until time.Time) (int, error) {
	return endLeases(s, caseKind, now, until)
}

// EndShipmentLeases is store.Store.EndShipmentLeases.
func (s *Store) EndShipmentLeases(_ context.Context, now, until time.Time) (int, error) {
	return endLeases(s, shipmentKind, now, until)
}

// EndFeedLeases is store.Store.EndFeedLeases.
func (s *Store) EndFeedLeases(ctx context.Context, now, until time.Time) (int, error) {
	ended, err := endLeases(s, feedKind, now, until)
	if err != nil {
		return ended, err
	}
	feeds, err := s.Feeds(ctx)
	for _, f := range feeds {
		if !f.Next.After(now) || !s.others.IsGone(f.Reader) {
			continue
		}
		f.Next = now
		stale, err := s.PutFeed(ctx, f)
		if err != nil {
			return ended, err
		}
		if !stale {
			ended++
		}
	}
	return ended, err
}

// endLeases is scripts/unlease.lua.
func endLeases[R any](s *Store, k kind[R], now, until time.Time) (ended int, err error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	for shard := range s.views {
		if err := s.remember(shard); err != nil {
			return 0, fmt.Errorf("end leases of %s: %w", k.name, err)
		}
	}
	for _, h := range s.w.shards {
		t := k.table(h)
		var over []string
		t.due.Ascend(timer{ms: dueMS(now) + 1}, func(at timer) bool {
			if at.ms > dueMS(until) {
				return false
			}
			if lease, ok := t.leased.Get(at.id); ok && lease == at.ms {
				over = append(over, at.id)
			}
			return true
		})
		for _, id := range over {
			r, _ := t.records.Get(id)
			*k.next(&r) = instant(dueMS(now))
			k.set(t, id, r)
		}
		ended += len(over)
	}
	return ended, nil
}
