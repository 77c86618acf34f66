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
	header: func(r *sla.FeedRecord) header { return header{next: r.Next} },
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
	b = binary.AppendUvarint(b, uint64(min(r.Failures, 1<<strikesAt-1))|uint64(r.Strikes)<<strikesAt)
	if r.Began.IsZero() && r.Reader == "" {
		return b // as it mostly is
	}
	return append(appendTime(b, r.Began), r.Reader...)
}

// strikesAt is where the strikes of a feed are packed, above its failures: a version that knows none takes them for many failures.
const strikesAt = 16

func unpackFeed(r *sla.FeedRecord, id ident, _ sla.Platform, h header, p *packed) {
	r.ID, r.Store, r.Version, r.Next = id.String(), id.store, h.version, h.next
	r.Cursor = p.string()
	r.LastTry, r.LastSuccess = p.time(), p.time()
	trouble := p.uvarint()
	r.Failures, r.Strikes = uint32(trouble&(1<<strikesAt-1)), uint32(trouble>>strikesAt)
	if len(p.b) == 0 {
		return
	}
	if r.Began = p.time(); len(p.b) > 0 {
		r.Reader = string(p.take(processSize))
	}
}

// EnsureFeeds makes the feeds that are not there yet; the others keep their cursor and their timer.
func (s *Store) EnsureFeeds(ctx context.Context, feeds []sla.FeedRecord) error {
	_, err := put(ctx, s, feedKind, len(feeds), func(i int) change[sla.FeedRecord] { return change[sla.FeedRecord]{record: &feeds[i]} })
	return err
}

// ClaimFeeds takes feeds that are due to be read. See ClaimCases.
func (s *Store) ClaimFeeds(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]sla.FeedRecord, error) {
	return claim(ctx, s, feedKind, now, lease, limit)
}

// BeginFeed is PutFeed for a feed that this process is about to read: when it is found gone before it has written where the reading stands,
// EndFeedLeases has the feed read again at once.
func (s *Store) BeginFeed(ctx context.Context, feed sla.FeedRecord) (stale bool, err error) {
	feed.Reader = s.process
	return s.putFeed(ctx, feed)
}

// PutFeed writes where the reading of a feed stands and arms its timer at Next, if the feed still has the version of the record. A stale
// write changed nothing: another process read the feed meanwhile.
func (s *Store) PutFeed(ctx context.Context, feed sla.FeedRecord) (stale bool, err error) {
	feed.Reader = ""
	return s.putFeed(ctx, feed)
}

func (s *Store) putFeed(ctx context.Context, feed sla.FeedRecord) (stale bool, err error) {
	stales, err := s.putFeeds(ctx, []sla.FeedRecord{feed})
	return err == nil && stales == 1, err
}

// putFeeds writes feeds that have the versions of their records, and tells how many had not.
func (s *Store) putFeeds(ctx context.Context, feeds []sla.FeedRecord) (stale int, err error) {
	out, err := put(ctx, s, feedKind, len(feeds), func(i int) change[sla.FeedRecord] {
		return change[sla.FeedRecord]{record: &feeds[i], expect: feeds[i].Version}
	})
	for _, r := range out {
		if r.Stale {
			stale++
		}
	}
	return stale, err
}

// endReadings makes feeds due now whose readers are gone: their timers are those of readings and not of claims, and say whose they are. It
// answers how many.
func (s *Store) endReadings(ctx context.Context, now time.Time) (int, error) {
	feeds, err := s.Feeds(ctx)
	if err != nil {
		return 0, err
	}
	feeds = slices.DeleteFunc(feeds, func(f sla.FeedRecord) bool { return !f.Next.After(now) || !s.others.IsGone(f.Reader) })
	for i := range feeds {
		feeds[i].Next, feeds[i].Reader = now, ""
	}
	stale, err := s.putFeeds(ctx, feeds)
	if err != nil {
		return 0, err
	}
	return len(feeds) - stale, nil
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
