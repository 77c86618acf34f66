package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
)

// rulesShard has what every process says of its rules: one small hash, process → hash of the rulebook and instant in ms.
const rulesShard = 0

// RulesKept is for how long a process is remembered that says nothing any more.
const RulesKept = time.Hour

// NoteRules writes down which rules a process obeys, so that replicas that differ are seen. Whoever was silent for an hour is forgotten.
func (s *Store) NoteRules(ctx context.Context, process, hash string, now time.Time) error {
	_, err := s.runOne(ctx, call{script: rulesScript, keys: []string{s.keys[rulesShard].rules},
		args: []any{process, hash, now.UnixMilli(), RulesKept.Milliseconds()}})
	return wrap("note the rules of "+process, err)
}

// RulesVersions counts the different rulebooks of the processes that were heard of within a time.
func (s *Store) RulesVersions(ctx context.Context, now time.Time, within time.Duration) (int, error) {
	books, err := s.Rulebooks(ctx, now, within)
	return len(books), err
}

// Rulebooks tells how many processes obey each rulebook, by its hash, of those that were heard of within a time.
func (s *Store) Rulebooks(ctx context.Context, now time.Time, within time.Duration) (map[string]int, error) {
	notes, err := s.rdb.HVals(ctx, s.keys[rulesShard].rules).Result()
	if err != nil {
		return nil, wrap("versions of the rules", err)
	}
	since, books := now.Add(-within).UnixMilli(), map[string]int{}
	for _, note := range notes {
		if hash, at, ok := strings.Cut(note, " "); ok && parseInt(at) >= since {
			books[hash]++
		}
	}
	return books, nil
}

// Obeyed names the rules under which the open cases were last armed; empty when nobody has said so.
func (s *Store) Obeyed(ctx context.Context) (string, error) {
	name, err := s.rdb.Get(ctx, s.keys[rulesShard].obeyed).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return name, wrap("rules the cases are armed under", err)
}

// SetObeyed writes down that every open case is armed under the rules of that name.
func (s *Store) SetObeyed(ctx context.Context, name string) error {
	return wrap("rules the cases are armed under", s.rdb.Set(ctx, s.keys[rulesShard].obeyed, name, 0).Err())
}

// Behind tells the least that each store's platform was ahead of us since the open cases were last armed, as somebody has noted it. The map is never
// nil.
func (s *Store) Behind(ctx context.Context) (map[sla.StoreID]time.Duration, error) {
	all, err := s.rdb.HGetAll(ctx, s.keys[rulesShard].behind).Result()
	if err != nil {
		return nil, wrap("clocks the cases are armed by", err)
	}
	behind := make(map[sla.StoreID]time.Duration, len(all))
	for id, ms := range all {
		behind[sla.StoreID(id)] = time.Duration(parseInt(ms)) * time.Millisecond
	}
	return behind, nil
}

// SetBehind notes it for some stores.
func (s *Store) SetBehind(ctx context.Context, behind map[sla.StoreID]time.Duration) error {
	args := make([]any, 0, 2*len(behind))
	for id, d := range behind {
		args = append(args, string(id), d.Milliseconds())
	}
	return wrap("clocks the cases are armed by", s.rdb.HSet(ctx, s.keys[rulesShard].behind, args...).Err())
}
