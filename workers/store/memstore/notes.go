package memstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/tidwall/btree"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
)

const maxLines = 1000 // kept of each stream in each shard

// audit keeps one line; the oldest go first.
func (s *Store) audit(shard int, line AuditLine) {
	h := s.w.shards[shard]
	line.Line = slices.Clone(line.Line)
	keepLine(h, h.audits, line)
	if s.w.observe != nil {
		s.w.observe(line)
	}
}

func keepLine[T any](h *shard, stream *btree.Map[int64, T], line T) {
	h.lines++
	stream.Set(h.lines, line)
	if stream.Len() > maxLines {
		stream.PopMin()
	}
}

// Audit is store.Store.Audit.
func (s *Store) Audit(_ context.Context, id sla.DisputeID, line []byte) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	_, shard := s.locate(id.Store, id.Native)
	s.audit(shard, AuditLine{At: time.UnixMilli(s.now().UnixMilli()).UTC(), ID: id.String(), Line: line})
	return nil
}

// Audits gives the newest n lines of all disputes, newest first.
func (s *Store) Audits(_ context.Context, n int) ([]AuditLine, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	var all []AuditLine
	for _, h := range s.w.shards {
		h.audits.Reverse(func(_ int64, line AuditLine) bool {
			all = append(all, line)
			return true
		})
	}
	slices.SortStableFunc(all, func(a, b AuditLine) int { return b.At.Compare(a.At) })
	return all[:min(n, len(all))], nil
}

// Reject is store.Store.Reject.
func (s *Store) Reject(_ context.Context, rejects []sla.Rejected) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	for _, r := range rejects {
		h := s.w.shards[s.shardOf(string(r.Store)+"/"+r.ID)]
		r.Raw = slices.Clone(r.Raw[:min(len(r.Raw), 4096)])
		keepLine(h, h.rejects, r)
	}
	return nil
}

// Approve is store.Store.Approve; its audit line is the note.
func (s *Store) Approve(_ context.Context, id sla.DisputeID, turn sla.Turn, said store.Said) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	op := "approve " + id.String()
	key, shard, err := s.member(id.Store, id.Native)
	if err == nil {
		err = s.remember(shard)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	r, found := s.w.shards[shard].cases.records.Get(key)
	switch {
	case !found:
		return fmt.Errorf("%s: %w", op, store.ErrUnknownCase)
	case !r.Open():
		return fmt.Errorf("%s: %w", op, store.ErrCaseClosed)
	case r.Obligation.Turn == 0 || r.Obligation.Turn != turn:
		return fmt.Errorf("%s: %w", op, store.ErrTurnChanged)
	}
	expect := r.Version
	r.Approval, r.Next = said.Approval, said.At
	write(s, caseKind, shard, key, change[sla.CaseRecord]{record: &r, expect: expect})
	s.audit(shard, AuditLine{At: time.UnixMilli(said.At.UnixMilli()).UTC(), ID: id.String(), Line: []byte(said.Note)})
	return nil
}

// claimed is one dispute that a buyer has opened.
type claimed struct {
	dispute uint32 // of its hash
	second  int64  // since 2020
}

func claimSecond(t time.Time) int64 { return max(t.Unix()-epoch2020, 0) }

func (c claimed) period() int64 { return c.second / int64(sla.BuyerSpan/time.Second) }

// NoteClaims is store.Store.NoteClaims.
func (s *Store) NoteClaims(_ context.Context, claims []sla.BuyerClaim) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	for _, c := range claims {
		if c.Buyer == 0 || c.Opened.IsZero() {
			continue
		}
		mine := claimed{dispute: uint32(xxhash.Sum64String(c.Dispute.String())), second: claimSecond(c.Opened)}
		tree := s.w.shards[uint64(c.Buyer)%uint64(len(s.views))].claims
		list, _ := tree.Get(uint64(c.Buyer))
		if !slices.ContainsFunc(list, func(old claimed) bool { return old.dispute == mine.dispute && old.period() == mine.period() }) {
			tree.Set(uint64(c.Buyer), append(slices.Clone(list), mine))
		}
	}
	return nil
}

// Claims is store.Store.Claims.
func (s *Store) Claims(_ context.Context, buyer sla.BuyerKey, now time.Time) (int, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	list, _ := s.w.shards[uint64(buyer)%uint64(len(s.views))].claims.Get(uint64(buyer))
	last, n := claimSecond(now), 0
	for _, c := range list {
		if c.second > last-int64(sla.BuyerSpan/time.Second) && c.second <= last {
			n++
		}
	}
	return n, nil
}

const rulesShard = 0

// NoteRules is store.Store.NoteRules.
func (s *Store) NoteRules(_ context.Context, process, hash string, now time.Time) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	tree := s.w.shards[rulesShard].rules
	var silent []string
	tree.Scan(func(name string, n note) bool {
		if n.at < now.Add(-store.RulesKept).UnixMilli() {
			silent = append(silent, name)
		}
		return true
	})
	for _, name := range silent {
		tree.Delete(name)
	}
	tree.Set(process, note{hash: hash, at: now.UnixMilli()})
	return nil
}

// RulesVersions is store.Store.RulesVersions.
func (s *Store) RulesVersions(_ context.Context, now time.Time, within time.Duration) (int, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	seen := map[string]struct{}{}
	s.w.shards[rulesShard].rules.Scan(func(_ string, n note) bool {
		if n.at >= now.Add(-within).UnixMilli() {
			seen[n.hash] = struct{}{}
		}
		return true
	})
	return len(seen), nil
}

// Obeyed is store.Store.Obeyed.
func (s *Store) Obeyed(_ context.Context) (string, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	return s.w.shards[rulesShard].obeyed, nil
}

// SetObeyed is store.Store.SetObeyed.
func (s *Store) SetObeyed(_ context.Context, name string) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	s.w.shards[rulesShard].obeyed = name
	return nil
}

// Behind is store.Store.Behind.
func (s *Store) Behind(_ context.Context) (map[sla.StoreID]time.Duration, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	behind := map[sla.StoreID]time.Duration{}
	maps.Copy(behind, s.w.shards[rulesShard].behind)
	return behind, nil
}

// SetBehind is store.Store.SetBehind.
func (s *Store) SetBehind(_ context.Context, behind map[sla.StoreID]time.Duration) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	all := map[sla.StoreID]time.Duration{} // another one, for a snapshot may have the one before
	maps.Copy(all, s.w.shards[rulesShard].behind)
	for id, d := range behind {
		all[id] = d.Truncate(time.Millisecond)
	}
	s.w.shards[rulesShard].behind = all
	return nil
}
