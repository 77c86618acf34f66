package memstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"watchkeeper/sla"
)

// A word is what was said last of one scope. Lists of words are immutable.
type word struct {
	scope sla.KillScope
	on    bool
	at    int64 // ms; grows with each word on the scope
	note  string
}

// newer reports whether w replaces old. Of two words of one instant, the one that stops wins.
func (w word) newer(old word) bool { return w.at > old.at || w.at == old.at && w.on && !old.on }

// on gives the word on a scope.
func on(words []word, scope sla.KillScope) (word, bool) {
	i := slices.IndexFunc(words, func(w word) bool { return w.scope == scope })
	if i < 0 {
		return word{}, false
	}
	return words[i], true
}

// with is the words and a new one, in order of their scopes.
func with(words []word, w word) []word {
	out := slices.DeleteFunc(slices.Clone(words), func(old word) bool { return old.scope == w.scope })
	out = append(out, w)
	slices.SortFunc(out, func(a, b word) int { return strings.Compare(scopeName(a.scope), scopeName(b.scope)) })
	return out
}

func scopeName(k sla.KillScope) string {
	reason := ""
	if k.Reason != sla.ReasonUnknown {
		reason = k.Reason.String()
	}
	return string(k.Platform) + "/" + string(k.Store) + "/" + reason
}

// newest is words, and those of others that are newer or not known.
func newest(words, others []word) (out []word, brought int) {
	out = words
	for _, w := range others {
		if old, known := on(out, w.scope); !known || w.newer(old) {
			out = with(out, w)
			brought++
		}
	}
	return out, brought
}

func stopped(words []word, p sla.Platform, id sla.StoreID, r sla.Reason) bool {
	return slices.ContainsFunc(words, func(w word) bool { return w.on && w.scope.Covers(p, id, r) })
}

// CheckKill is store.Store.CheckKill.
func (s *Store) CheckKill(_ context.Context, p sla.Platform, id sla.StoreID, r sla.Reason) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	s.kills, _ = newest(s.kills, s.w.shards[s.shardOf(string(id))].kills)
	if stopped(s.kills, p, id, r) {
		return fmt.Errorf("kill switches over %s: %w", id, sla.ErrKilled)
	}
	return nil
}

const maxNote = 500

// SetKill is store.Store.SetKill.
func (s *Store) SetKill(_ context.Context, scope sla.KillScope, set bool, note string, now time.Time) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	known, _ := on(s.kills, scope)
	said := word{scope: scope, on: set, at: max(now.UnixMilli(), known.at+1), note: strings.ToValidUTF8(note[:min(len(note), maxNote)], "")}
	for _, h := range s.w.shards {
		kept := said
		if old, ok := on(h.kills, scope); ok {
			kept.at = max(said.at, old.at+1)
		}
		h.kills = with(h.kills, kept)
		s.kills, _ = newest(s.kills, []word{kept})
	}
	return nil
}

// Kills is store.Store.Kills.
func (s *Store) Kills(_ context.Context) ([]sla.KillSwitch, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	var all []word
	for _, h := range s.w.shards {
		s.kills, _ = newest(s.kills, h.kills)
		for _, w := range h.kills {
			if w.on {
				all, _ = newest(all, []word{w})
			}
		}
	}
	out := make([]sla.KillSwitch, len(all))
	for i, w := range all {
		out[i] = sla.KillSwitch{KillScope: w.scope, Since: time.UnixMilli(w.at).UTC(), Note: w.note}
	}
	return out, nil
}

// MendKills is store.Store.MendKills.
func (s *Store) MendKills(_ context.Context) (int, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	for _, h := range s.w.shards {
		s.kills, _ = newest(s.kills, h.kills)
	}
	mended := 0
	for _, h := range s.w.shards {
		var brought int
		h.kills, brought = newest(h.kills, s.kills)
		mended += brought
	}
	return mended, nil
}
