package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
)

// MeasuredKept is for how long what a process has measured counts after it was last heard of.
const MeasuredKept = 2 * time.Minute

// A measuredNote is what one process says of the platforms.
type measuredNote struct {
	At        int64                         `json:"at"` // ms
	Platforms map[sla.Platform]sla.Measured `json:"platforms"`
}

// NoteMeasured writes down what a process has measured of the platforms, for the other replicas and for people.
func (s *Store) NoteMeasured(ctx context.Context, process string, of map[sla.Platform]sla.Measured, now time.Time) error {
	op := "note the measurements of " + process
	text, err := json.Marshal(measuredNote{At: now.UnixMilli(), Platforms: of})
	if err != nil {
		return wrap(op, err)
	}
	pipe := s.rdb.Pipeline()
	pipe.HSet(ctx, s.keys[rulesShard].measured, process, text)
	pipe.PExpire(ctx, s.keys[rulesShard].measured, RulesKept) // the notes go when the last process has gone
	_, err = pipe.Exec(ctx)
	return wrap(op, err)
}

// Measured gives what the processes that live have measured, but not except's: of each platform the worst, and the backlogs together. Notes of
// those that have gone are removed; what cannot be read is a newer version's and is left out.
func (s *Store) Measured(ctx context.Context, except string, now time.Time) (map[sla.Platform]sla.Measured, error) {
	const op = "measurements"
	notes, err := s.rdb.HGetAll(ctx, s.keys[rulesShard].measured).Result()
	if err != nil {
		return nil, wrap(op, err)
	}
	out := map[sla.Platform]sla.Measured{}
	var gone []string
	for process, text := range notes {
		note, err := readMeasured([]byte(text))
		if err != nil {
			s.skip(op, err)
			continue
		}
		switch age := now.Sub(time.UnixMilli(note.At)); {
		case age > RulesKept:
			gone = append(gone, process)
		case age <= MeasuredKept && process != except:
			for p, m := range note.Platforms {
				out[p] = out[p].Worse(m)
			}
		}
	}
	if len(gone) > 0 {
		err = s.rdb.HDel(ctx, s.keys[rulesShard].measured, gone...).Err()
	}
	return out, wrap(op, err)
}

// PagedApart is the least time between two pages about one platform that is short of time.
const PagedApart = time.Hour

// ClaimPage asks for the right to page people about a platform that is short of time: of all replicas that ask within PagedApart one has it. Two
// that ask at the same moment after that time may both have it. It also tells when the right was last given.
func (s *Store) ClaimPage(ctx context.Context, p sla.Platform, now time.Time) (last time.Time, ours bool, err error) {
	op := "page about " + string(p)
	key := s.keys[rulesShard].paged
	first, err := s.rdb.HSetNX(ctx, key, string(p), now.UnixMilli()).Result()
	if err != nil || first {
		return now, first, wrap(op, err)
	}
	said, err := s.rdb.HGet(ctx, key, string(p)).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return time.Time{}, false, wrap(op, err)
	}
	if last = time.UnixMilli(parseInt(said)); now.Sub(last).Abs() < PagedApart {
		return last, false, nil
	}
	err = s.rdb.HSet(ctx, key, string(p), now.UnixMilli()).Err()
	return now, err == nil, wrap(op, err)
}

func readMeasured(text []byte) (measuredNote, error) {
	var note measuredNote
	if err := json.Unmarshal(text, &note); err != nil {
		return measuredNote{}, fmt.Errorf("%d bytes of measurements: %w", len(text), ErrUnreadable)
	}
	return note, nil
}
