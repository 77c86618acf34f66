package store

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"watchkeeper/sla"
)

var feedKind = kind[sla.FeedRecord]{
	class: classFeed, name: "feeds",
	ident:  func(r *sla.FeedRecord) ident { return feedIdent(r.Store, r.ID) },
	header: func(r *sla.FeedRecord) header { return header{next: r.Next, lease: r.Held} },
	pack:   packFeed, unpack: unpackFeed,
}

// feedIdent keeps the store out of the native id, as it is part of every identity.
func feedIdent(store sla.StoreID, id string) ident {
	return ident{store: store, native: strings.TrimPrefix(id, string(store)+"/")}
}

func packFeed(b []byte, r *sla.FeedRecord) []byte {
	b = appendString(b, r.Cursor)
	b = appendTime(b, r.LastTry)
	b = appendTime(b, r.LastSuccess)
	return binary.AppendUvarint(b, uint64(min(r.Failures, 1<<strikesAt-1))|uint64(r.Strikes)<<strikesAt)
}

// strikesAt is where the strikes of a feed are packed, above its failures: a version that knows none takes them for many failures.
const strikesAt = 16

func unpackFeed(r *sla.FeedRecord, id ident, _ sla.Platform, h header, p *packed) {
	r.ID, r.Store, r.Version, r.Next = id.String(), id.store, h.version, h.next
	r.Cursor = p.string()
	r.LastTry, r.LastSuccess = p.time(), p.time()
	trouble := p.uvarint()
	r.Failures, r.Strikes = uint32(trouble&(1<<strikesAt-1)), uint32(trouble>>strikesAt)
}

// EnsureFeeds makes the feeds that are not there yet; the others keep their cursor and their timer.
func (s *Store) EnsureFeeds(ctx context.Context, feeds []sla.FeedRecord) error {
	_, err := put(ctx, s, feedKind, len(feeds), func(i int) (*sla.FeedRecord, uint32) { return &feeds[i], 0 })
	return err
}

// ClaimFeeds takes feeds that are due to be read. See ClaimCases.
func (s *Store) ClaimFeeds(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]sla.FeedRecord, error) {
	return claim(ctx, s, feedKind, now, lease, limit)
}

// PutFeed writes where the reading of a feed stands and arms its timer at Next, if the feed still has the version of the record. A stale
// write changed nothing: another process read the feed meanwhile. The timer of one that is Held is a lease, which EndFeedLeases ends.
func (s *Store) PutFeed(ctx context.Context, feed sla.FeedRecord) (stale bool, err error) {
	out, err := put(ctx, s, feedKind, 1, func(int) (*sla.FeedRecord, uint32) { return &feed, feed.Version })
	return err == nil && out[0].Stale, err
}

// Feeds lists all feeds by id.
func (s *Store) Feeds(ctx context.Context) ([]sla.FeedRecord, error) {
	if err := s.refresh(ctx, s.now()); err != nil {
		return nil, wrap("each of "+feedKind.name, err)
	}
	return s.knownFeeds(ctx)
}

// knownFeeds is Feeds under the numbers of stores that are known already.
func (s *Store) knownFeeds(ctx context.Context) ([]sla.FeedRecord, error) {
	var out []sla.FeedRecord
	err := eachKnown(ctx, s, feedKind, 1, func(r sla.FeedRecord) error {
		out = append(out, r)
		return nil
	})
	slices.SortFunc(out, func(a, b sla.FeedRecord) int { return strings.Compare(a.ID, b.ID) })
	return out, err
}

// RemoveFeeds forgets feeds of one store that are no longer configured.
func (s *Store) RemoveFeeds(ctx context.Context, store sla.StoreID, ids []string) error {
	return remove(ctx, s, classFeed, feedKind.name, len(ids), func(i int) ident { return feedIdent(store, ids[i]) })
}
