package store

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
)

// How many entries of each stream are kept, over all shards; a little more, because Redis cuts in blocks.
const (
	maxRejects = 10_000
	maxAudits  = 50_000
	// maxRejectBytes is how much of an unreadable record is kept.
	maxRejectBytes = 4096
)

func (s *Store) perShard(n int) int { return max(n/s.shards, 1) }

// Reject keeps records that could not be read, with their bytes (cut to 4096), for people. The oldest go first.
func (s *Store) Reject(ctx context.Context, rejects []sla.Rejected) error {
	if len(rejects) == 0 {
		return nil
	}
	pipe := s.rdb.Pipeline()
	at := strconv.FormatInt(s.now().UnixMilli(), 10)
	for _, r := range rejects {
		shard := s.shardOf(string(r.Store) + "/" + r.ID)
		pipe.XAdd(ctx, &redis.XAddArgs{Stream: s.keys[shard].rejects, MaxLen: int64(s.perShard(maxRejects)), Approx: true,
			Values: []any{"at", at, "store", string(r.Store), "feed", r.Feed, "id", r.ID, "raw", r.Raw[:min(len(r.Raw), maxRejectBytes)], "reason", r.Reason}})
	}
	_, err := pipe.Exec(ctx)
	return wrap("reject "+strconv.Itoa(len(rejects))+" records", err)
}

// A RejectedAt is a kept reject.
type RejectedAt struct {
	sla.Rejected
	At time.Time
}

// Rejects gives the newest n rejects, newest first.
func (s *Store) Rejects(ctx context.Context, n int) ([]RejectedAt, error) {
	return newest(ctx, s, "rejects", n, func(k shardKeys) string { return k.rejects }, func(m redis.XMessage) RejectedAt {
		return RejectedAt{At: atOf(m), Rejected: sla.Rejected{Store: sla.StoreID(text(m, "store")), Feed: text(m, "feed"),
			ID: text(m, "id"), Raw: []byte(text(m, "raw")), Reason: text(m, "reason")}}
	})
}

// Audit keeps one line about a dispute. The oldest lines go first; the complete record is the log.
func (s *Store) Audit(ctx context.Context, id sla.DisputeID, line []byte) error {
	shard := s.locate(classCase, caseIdent(id)).shard
	return wrap("audit "+id.String(), s.rdb.XAdd(ctx, &redis.XAddArgs{Stream: s.keys[shard].audit, MaxLen: int64(s.perShard(maxAudits)), Approx: true,
		Values: []any{"at", s.now().UnixMilli(), "id", id.String(), "line", line}}).Err())
}

// An AuditLine is one kept line.
type AuditLine struct {
	At   time.Time
	ID   string // "AE01/9123456789012345"
	Line []byte
}

func readAudit(m redis.XMessage) AuditLine {
	return AuditLine{At: atOf(m), ID: text(m, "id"), Line: []byte(text(m, "line"))}
}

// Audits gives the newest n lines of all disputes, newest first.
func (s *Store) Audits(ctx context.Context, n int) ([]AuditLine, error) {
	return newest(ctx, s, "audits", n, func(k shardKeys) string { return k.audit }, readAudit)
}

// auditPage is how many lines are read at once when one dispute's are looked for.
const auditPage = 1000

// AuditsOf gives the newest n lines of one dispute, newest first.
func (s *Store) AuditsOf(ctx context.Context, id sla.DisputeID, n int) ([]AuditLine, error) {
	stream := s.keys[s.locate(classCase, caseIdent(id)).shard].audit
	var out []AuditLine
	for end := "+"; ; {
		page, err := s.rdb.XRevRangeN(ctx, stream, end, "-", auditPage).Result()
		if err != nil {
			return nil, wrap("audits of "+id.String(), err)
		}
		for _, m := range page {
			if text(m, "id") == id.String() && m.ID != end {
				out = append(out, readAudit(m))
			}
			if len(out) == n {
				return out, nil
			}
		}
		if len(page) < auditPage {
			return out, nil
		}
		end = page[len(page)-1].ID
	}
}

// EachAudit gives to fn every kept line since then, oldest first within each shard, in bounded memory. The lines of one dispute are in one
// shard. An error of fn ends the walk.
func (s *Store) EachAudit(ctx context.Context, since time.Time, fn func(AuditLine) error) error {
	for shard, k := range s.keys {
		for start := "-"; ; {
			page, err := s.rdb.XRangeN(ctx, k.audit, start, "+", auditPage).Result()
			if err != nil {
				return wrap("each audit of shard "+strconv.Itoa(shard), err)
			}
			for _, m := range page {
				if line := readAudit(m); !line.At.Before(since) { // by our clock: the server's, which numbers the lines, may differ
					if err := fn(line); err != nil {
						return err
					}
				}
			}
			if len(page) < auditPage {
				break
			}
			start = "(" + page[len(page)-1].ID
		}
	}
	return nil
}

// newest reads the ends of one stream of every shard and merges them by our clock. Entries of one instant are in order only within their
// shard: the server counts each stream for itself.
func newest[T any](ctx context.Context, s *Store, op string, n int, key func(shardKeys) string, read func(redis.XMessage) T) ([]T, error) {
	pipe := s.rdb.Pipeline()
	cmds := make([]*redis.XMessageSliceCmd, s.shards)
	for i, k := range s.keys {
		cmds[i] = pipe.XRevRangeN(ctx, key(k), "+", "-", int64(n))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, wrap(op, err)
	}
	var all []redis.XMessage
	for _, cmd := range cmds {
		all = append(all, cmd.Val()...)
	}
	slices.SortStableFunc(all, func(a, b redis.XMessage) int { return atOf(b).Compare(atOf(a)) })
	out := make([]T, min(n, len(all)))
	for i := range out {
		out[i] = read(all[i])
	}
	return out, nil
}

func text(m redis.XMessage, field string) string {
	v, _ := m.Values[field].(string)
	return v
}

func atOf(m redis.XMessage) time.Time { return time.UnixMilli(parseInt(text(m, "at"))).UTC() }
