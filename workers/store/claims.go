package store

import (
	"context"
	"encoding/binary"
	"errors"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
)

// Claims are kept by periods as long as a buyer is remembered, so that two periods hold the last BuyerSpan, and whole keys expire. Buyers
// share keys: a key of one's own costs ten times as much memory as what it holds.
const (
	claimSize = 8 // four bytes of the dispute's hash, four for the second it was opened in, since 2020
	claimKept = 2*sla.BuyerSpan + 24*time.Hour
)

// claimSecond is when a claim was opened, as it is kept. What is older than 2020 cannot be told from it, and is long forgotten.
func claimSecond(t time.Time) int64 { return max(t.Unix()-epoch2020, 0) }

func claimPeriod(second int64) int64 { return second / int64(sla.BuyerSpan/time.Second) }

func (s *Store) claimKey(buyer sla.BuyerKey, period int64) string {
	shard, bucket := uint64(buyer)%uint64(s.shards), uint64(buyer)>>32%uint64(s.buckets)
	return s.keys[shard].claims(period, uint16(bucket))
}

func buyerField(b sla.BuyerKey) []byte { return binary.BigEndian.AppendUint64(nil, uint64(b)) }

// NoteClaims remembers that buyers opened disputes, each once however often it is noted. What has no buyer or no time is left out.
func (s *Store) NoteClaims(ctx context.Context, claims []sla.BuyerClaim) error {
	calls := make([]call, 0, len(claims))
	for _, c := range claims {
		if c.Buyer == 0 || c.Opened.IsZero() {
			continue
		}
		second := claimSecond(c.Opened)
		calls = append(calls, call{script: claimsScript, keys: []string{s.claimKey(c.Buyer, claimPeriod(second))}, args: []any{buyerField(c.Buyer),
			binary.BigEndian.AppendUint32(nil, uint32(xxhash.Sum64String(c.Dispute.String()))), binary.BigEndian.AppendUint32(nil, uint32(second)),
			claimKept.Milliseconds()}})
	}
	if len(calls) == 0 {
		return nil
	}
	var first error
	for _, cmd := range s.run(ctx, calls) {
		if err := cmd.Err(); err != nil && first == nil {
			first = err
		}
	}
	return wrap("note "+strconv.Itoa(len(calls))+" claims", first)
}

// Claims tells how many disputes a buyer has opened within sla.BuyerSpan before now; none when the buyer is not known.
func (s *Store) Claims(ctx context.Context, buyer sla.BuyerKey, now time.Time) (int, error) {
	if buyer == 0 {
		return 0, nil
	}
	last := claimSecond(now)
	first := last - int64(sla.BuyerSpan/time.Second)
	pipe := s.rdb.Pipeline()
	var cmds []*redis.StringCmd
	for period := claimPeriod(max(first, 0)); period <= claimPeriod(last); period++ {
		cmds = append(cmds, pipe.HGet(ctx, s.claimKey(buyer, period), string(buyerField(buyer))))
	}
	_, _ = pipe.Exec(ctx) // each command carries its own error
	count := 0
	for _, cmd := range cmds {
		list, err := cmd.Bytes()
		if err != nil && !errors.Is(err, redis.Nil) {
			return 0, wrap("claims of a buyer", err)
		}
		for ; len(list) >= claimSize; list = list[claimSize:] {
			if second := int64(binary.BigEndian.Uint32(list[4:])); second > first && second <= last {
				count++
			}
		}
	}
	return count, nil
}
