package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
)

// maxNote is how many bytes of an operator's words are kept.
const maxNote = 500

// clipNote cuts between characters.
func clipNote(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxNote)], "") }

// scopeField names a kill switch within its hash: platform/store/reason, each empty when it holds for all.
func scopeField(k sla.KillScope) string {
	reason := ""
	if k.Reason != sla.ReasonUnknown {
		reason = k.Reason.String()
	}
	return string(k.Platform) + "/" + string(k.Store) + "/" + reason
}

// scopesOver are the names of all switches that would stop an answer.
func scopesOver(p sla.Platform, store sla.StoreID, r sla.Reason) []string {
	out := make([]string, 0, 8)
	for _, p := range []sla.Platform{"", p} {
		for _, store := range []sla.StoreID{"", store} {
			for _, r := range []sla.Reason{sla.ReasonUnknown, r} {
				out = append(out, scopeField(sla.KillScope{Platform: p, Store: store, Reason: r}))
			}
		}
	}
	return out
}

// stops is the scope that a switch stops as far as this version can tell: one that a newer version wrote and this one cannot read stops all
// that it may mean, as scripts/attempt_intent.lua has it.
func stops(field string) string {
	scope, err := parseScope(field)
	if err == nil {
		return field
	}
	scope.Reason = sla.ReasonUnknown
	return scopeField(scope)
}

// CheckKill tells whether a switch stops answers of a store to disputes of a reason: it gives sla.ErrKilled when one is on. What this process
// has seen of the switches counts with what a shard says, so that one that was just emptied frees nothing.
func (s *Store) CheckKill(ctx context.Context, p sla.Platform, store sla.StoreID, r sla.Reason) error {
	op := "kill switches over " + string(store)
	scopes := scopesOver(p, store, r)
	words, err := s.rdb.HGetAll(ctx, s.keys[s.shardOf(string(store))].kill).Result() // all: what one cannot read has any name
	if err != nil {
		return wrap(op, err)
	}
	for field, said := range s.heard(words) {
		if parseWord(said).on && slices.Contains(scopes, stops(field)) {
			return fmt.Errorf("%s: %s: %w", op, field, sla.ErrKilled)
		}
	}
	return nil
}

// A word is what was said last of one scope, as scripts/kill.lua keeps it.
type word struct {
	on   bool
	at   int64 // ms; grows with each word on the scope
	note string
}

func parseWord(s string) word {
	on, rest, _ := strings.Cut(s, " ")
	at, note, _ := strings.Cut(rest, " ")
	return word{on: on == "1", at: parseInt(at), note: note}
}

// newer reports whether w replaces old. Of two words of one instant, the one that stops wins.
func (w word) newer(old word) bool { return w.at > old.at || w.at == old.at && w.on && !old.on }

// SetKill throws a kill switch, or takes it back, in every shard. After it returns without an error, the switch holds for every intent of
// every replica. After an error it may hold in some shards: call it again. The note says who and why.
func (s *Store) SetKill(ctx context.Context, scope sla.KillScope, on bool, note string, now time.Time) error {
	field, state := scopeField(scope), "0"
	if on {
		state = "1"
	}
	op := "set kill switch " + field
	s.killMu.Lock()
	at := max(now.UnixMilli(), parseWord(s.kills[field]).at+1) // newer than what this process brings back to a shard that lost it
	s.killMu.Unlock()
	calls := make([]call, s.shards)
	for i, k := range s.keys {
		calls[i] = call{script: killScript, keys: []string{k.kill}, args: []any{field, state, at, clipNote(note)}}
	}
	var first error
	for i, cmd := range s.run(ctx, calls) {
		kept, err := cmd.Text()
		if err != nil && first == nil {
			first = fmt.Errorf("shard %d: %w", i, err)
		}
		if err == nil {
			s.heard(map[string]string{field: kept})
		}
	}
	return wrap(op, first)
}

// heard remembers the newest word on each scope, and gives all that this process knows.
func (s *Store) heard(words map[string]string) map[string]string {
	s.killMu.Lock()
	defer s.killMu.Unlock()
	for field, said := range words {
		if old, known := s.kills[field]; !known || parseWord(said).newer(parseWord(old)) {
			s.kills[field] = said
		}
	}
	return maps.Clone(s.kills)
}

func (s *Store) readKills(ctx context.Context) ([]map[string]string, error) {
	pipe := s.rdb.Pipeline()
	cmds := make([]*redis.MapStringStringCmd, s.shards)
	for i, k := range s.keys {
		cmds[i] = pipe.HGetAll(ctx, k.kill)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	out := make([]map[string]string, s.shards)
	for i, cmd := range cmds {
		out[i] = cmd.Val()
	}
	return out, nil
}

// Kills lists the switches that are on in any shard, by their scope. An error that Is ErrUnreadable concerns single
// ones that a newer version wrote: they are counted and logged, and stop answers all the same; the others are given.
func (s *Store) Kills(ctx context.Context) ([]sla.KillSwitch, error) {
	const op = "kill switches"
	shards, err := s.readKills(ctx)
	if err != nil {
		return nil, wrap(op, err)
	}
	newest := map[string]word{}
	for _, words := range shards {
		s.heard(words)
		for field, said := range words {
			w := parseWord(said)
			if old, known := newest[field]; w.on && (!known || w.newer(old)) {
				newest[field] = w
			}
		}
	}
	var bad error
	out := make([]sla.KillSwitch, 0, len(newest))
	for _, field := range slices.Sorted(maps.Keys(newest)) {
		scope, err := parseScope(field)
		if err != nil {
			s.skip(op, err)
			bad = err
			continue
		}
		out = append(out, sla.KillSwitch{KillScope: scope, Since: time.UnixMilli(newest[field].at).UTC(), Note: newest[field].note})
	}
	return out, wrap(op, bad)
}

func parseScope(field string) (sla.KillScope, error) {
	parts := strings.Split(field, "/")
	if len(parts) != 3 {
		return sla.KillScope{}, fmt.Errorf("scope %q: %w", field, ErrUnreadable)
	}
	scope := sla.KillScope{Platform: sla.Platform(parts[0]), Store: sla.StoreID(parts[1])}
	if parts[2] == "" {
		return scope, nil
	}
	reason, err := sla.ParseReason(parts[2])
	if err != nil {
		return scope, fmt.Errorf("scope %q: %w: %w", field, err, ErrUnreadable)
	}
	scope.Reason = reason
	return scope, nil
}

// MendKills brings the newest word on each switch to the shards that have lost or missed it, and tells how many it brought. A process also
// remembers the words that it has seen, so that switches outlive a loss of every shard. After a loss no intent is recorded until the freeze
// is over, so a sweep in time keeps every switch in force.
func (s *Store) MendKills(ctx context.Context) (int, error) {
	const op = "mend kill switches"
	shards, err := s.readKills(ctx)
	if err != nil {
		return 0, wrap(op, err)
	}
	known := s.heard(nil)
	for _, words := range shards {
		known = s.heard(words)
	}
	var calls []call
	for i, words := range shards {
		var args []any
		for field, said := range known {
			if words[field] == "" || parseWord(said).newer(parseWord(words[field])) {
				args = append(args, field, said)
			}
		}
		if len(args) > 0 {
			calls = append(calls, call{script: mendScript, keys: []string{s.keys[i].kill}, args: args})
		}
	}
	mended := 0
	var first error
	for _, cmd := range s.run(ctx, calls) {
		n, err := cmd.Int()
		first = cmp.Or(first, err)
		mended += n
	}
	return mended, wrap(op, first)
}
