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
// those that have gone are removed, and one from the future is of a wrong clock and does not count; what cannot be read is a newer version's and is left out.
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
		case age.Abs() <= MeasuredKept && process != except:
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
// that ask at the same moment after that time may both have it. told means that people know of this shortage; if they do not, because PagedApart
// is not over since the last one, the right may be asked for again.
func (s *Store) ClaimPage(ctx context.Context, p sla.Platform, now time.Time) (ours, told bool, err error) {
	op := "page about " + string(p)
	key := s.keys[rulesShard].paged
	first, err := s.rdb.HSetNX(ctx, key, string(p), now.UnixMilli()).Result()
	if err != nil || first {
		return first, first, wrap(op, err)
	}
	last, err := s.lastPage(ctx, p)
	if err != nil {
		return false, false, wrap(op, err)
	}
	if now.Sub(time.UnixMilli(max(last, -last))).Abs() < PagedApart {
		return false, last > 0, nil
	}
	err = s.rdb.HSet(ctx, key, string(p), now.UnixMilli()).Err()
	return err == nil, err == nil, wrap(op, err)
}

// EndPage says that the shortage is over which people were last paged about: the next one is another.
func (s *Store) EndPage(ctx context.Context, p sla.Platform) error {
	last, err := s.lastPage(ctx, p)
	if err == nil && last > 0 {
		err = s.rdb.HSet(ctx, s.keys[rulesShard].paged, string(p), -last).Err()
	}
	return wrap("end of the shortage of "+string(p), err)
}

// lastPage is when people were last paged about a platform, in ms: below 0 when that shortage is over, 0 when nobody knows.
func (s *Store) lastPage(ctx context.Context, p sla.Platform) (int64, error) {
	last, err := s.rdb.HGet(ctx, s.keys[rulesShard].paged, string(p)).Result()
	if errors.Is(err, redis.Nil) {
		err = nil
	}
	return parseInt(last), err
}

func readMeasured(text []byte) (measuredNote, error) {
	var note measuredNote
	if err := json.Unmarshal(text, &note); err != nil {
		return measuredNote{}, fmt.Errorf("%d bytes of measurements: %w", len(text), ErrUnreadable)
	}
	return note, nil
}
