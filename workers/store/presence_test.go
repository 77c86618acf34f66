package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
)

const beatEach = 400 * time.Millisecond

// beats lets the clock run, with the given processes beating, and gives how many were found gone.
func beats(t *testing.T, c *clock, span time.Duration, living ...*store.Store) (found int) {
	t.Helper()
	return allGone(t, c, span, living...).Processes
}

// allGone is beats, and tells of how many had come back.
func allGone(t *testing.T, c *clock, span time.Duration, living ...*store.Store) (found sla.Gone) {
	t.Helper()
	for end := c.now().Add(span); c.now().Before(end); c.advance(beatEach) {
		for _, s := range living {
			n, err := s.Beat(context.Background(), c.now())
			must(t, err)
			found.Processes, found.Again = found.Processes+n.Processes, found.Again+n.Again
		}
	}
	return found
}

func second(t *testing.T, rdb redis.UniversalClient, c *clock) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), rdb, store.Options{Now: c.now, Stores: testStores})
	must(t, err)
	return s
}

func TestAProcessThatStopsBeatingIsFoundGoneByOneOther(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *store.Store, c *clock, rdb redis.UniversalClient) {
		b, d := second(t, rdb, c), second(t, rdb, c)
		if n := beats(t, c, 5*time.Second, a, b, d); n != 0 {
			t.Fatalf("%d gone while all beat", n)
		}
		if n := beats(t, c, store.GoneAfter-beatEach, b, d); n != 0 {
			t.Fatalf("%d gone before %s", n, store.GoneAfter)
		}
		if n := beats(t, c, 3*beatEach, b, d); n != 1 {
			t.Fatalf("want it found gone once, got %d", n)
		}
		if n := beats(t, c, 5*time.Second, a, b, d); n != 0 {
			t.Fatalf("%d gone after it came back", n)
		}
		e := second(t, rdb, c)
		beats(t, c, beatEach, a, b, d, e)
		if n := allGone(t, c, 5*time.Second, b); n.Processes != 3 || n.Again > 1 {
			t.Fatalf("want three gone, one of them again if b found it the first time, got %+v", n)
		}
		beats(t, c, 2*beatEach, a, b, d, e)
		if n := allGone(t, c, 5*time.Second, b); n.Processes != 3 || n.Again != 3 {
			t.Fatalf("want all three gone again, got %+v", n)
		}
		beats(t, c, 2*beatEach, a, b, d)
		must(t, d.Leave(t.Context()))
		if n := beats(t, c, 5*time.Second, a, b); n != 0 {
			t.Fatalf("%d gone: who leaves is not gone", n)
		}
	})
}

func TestWhoWasAwayItselfTakesNobodyForGone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *store.Store, c *clock, rdb redis.UniversalClient) {
		b := second(t, rdb, c)
		beats(t, c, 2*time.Second, a, b)
		for range 5 { // both frozen, or Redis away, again and again
			c.advance(time.Minute)
			if n := beats(t, c, 2*beatEach, b, a); n != 0 {
				t.Fatalf("%d gone after a common absence", n)
			}
		}
	})
}

func TestAClockThatGoesBackDoesNotHideWhoStops(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *store.Store, c *clock, rdb redis.UniversalClient) {
		b := second(t, rdb, c)
		beats(t, c, 2*time.Second, b, a) // what b said last is known before the step
		c.advance(-time.Hour)
		if n := beats(t, c, store.GoneAfter+2*beatEach, a); n != 1 {
			t.Fatalf("want the silent one found gone, got %d", n)
		}
	})
}

func TestTheClaimsOfAProcessThatIsGoneAreOver(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, dead *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		b, d := second(t, rdb, c), second(t, rdb, c)
		beats(t, c, time.Second, dead, b, d)
		warmUp, err := b.ClaimAttempt(ctx, key(2), c.now(), time.Minute)
		must(t, err)
		claimed, err := dead.ClaimAttempt(ctx, key(0), c.now(), time.Minute)
		must(t, err)
		sent, err := dead.ClaimAttempt(ctx, key(1), c.now(), time.Minute)
		must(t, err)
		sent, err = dead.RecordIntent(ctx, intent(sent, c.now(), c.now()))
		must(t, err)
		if _, err := b.ClaimAttempt(ctx, key(0), c.now(), time.Minute); !errors.Is(err, sla.ErrHeld) {
			t.Fatalf("of the living: want %v, got %v", sla.ErrHeld, err)
		}
		if n := beats(t, c, store.GoneAfter-beatEach, b, d) + beats(t, c, 3*beatEach, b); n != 1 {
			t.Fatalf("want one gone, got %d", n)
		}
		// d has not looked since: it hears of it when it meets what is held.
		got := d.ClaimAttempts(ctx, []sla.AttemptKey{key(0), key(1), key(2)}, c.now(), time.Minute)
		if got[0].Err != nil || got[0].State != sla.AttemptClaimed || got[0].Token <= claimed.Token {
			t.Errorf("a claim: %+v", got[0])
		}
		if got[1].Err != nil || got[1].State != sla.AttemptUnknown || got[1].N != 1 || !got[1].SentAt.Equal(sent.Lease) {
			t.Errorf("what was sent must be unknown, not free: %+v", got[1])
		}
		if !errors.Is(got[2].Err, sla.ErrHeld) {
			t.Errorf("the claim of a living process: want %v, got %+v", sla.ErrHeld, got[2])
		}
		must(t, b.ReleaseAttempt(ctx, warmUp))
		// Whoever was taken for gone comes back: it can neither send nor settle.
		if _, err := dead.RecordIntent(ctx, intent(claimed, c.now(), c.now())); !errors.Is(err, sla.ErrFenced) {
			t.Errorf("an intent of the dead: want %v, got %v", sla.ErrFenced, err)
		}
		if err := dead.Settle(ctx, sent, sla.Settlement{State: sla.AttemptRefused, At: c.now()}); !errors.Is(err, sla.ErrFenced) {
			t.Errorf("an outcome of the dead: want %v, got %v", sla.ErrFenced, err)
		}
		beats(t, c, time.Second, dead, b, d)
		if _, err := dead.ClaimAttempt(ctx, key(5), c.now(), time.Minute); err != nil {
			t.Fatal(err)
		}
		if _, err := b.ClaimAttempt(ctx, key(5), c.now(), time.Minute); !errors.Is(err, sla.ErrHeld) {
			t.Errorf("a claim of one that came back: want %v, got %v", sla.ErrHeld, err)
		}
	})
}

func TestEndedLeasesAreDueAtOnceAndLaterTimersAreNot(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx := context.Background()
		const leased, ahead = 300, 40
		base := c.now()
		// Some timers lie close together and are leased as a whole, others alone.
		putAll(t, s, cases(leased+ahead, func(i int) time.Time {
			if i < leased {
				return base.Add(time.Duration(i) * time.Millisecond)
			}
			return base.Add(time.Duration(i) * time.Second / 6) // within the lease, and not leased
		}))
		c.advance(20 * time.Second)
		claimed, err := s.ClaimCases(ctx, c.now(), time.Minute, 1000)
		must(t, err)
		if len(claimed) != leased {
			t.Fatalf("want %d claimed, got %d", leased, len(claimed))
		}
		c.advance(3 * time.Second)
		later, err := s.ClaimCases(ctx, c.now(), 2*time.Minute, 1000)
		must(t, err)
		if len(later) != 0 {
			t.Fatalf("%d claimed before they are due", len(later))
		}
		ended, err := s.EndCaseLeases(ctx, c.now(), c.now().Add(time.Minute))
		must(t, err)
		if ended != leased {
			t.Errorf("want %d leases ended, got %d", leased, ended)
		}
		if again, err := s.EndCaseLeases(ctx, c.now(), c.now().Add(time.Minute)); err != nil || again != 0 {
			t.Errorf("ended again: %d, %v", again, err)
		}
		back, err := s.ClaimCases(ctx, c.now(), time.Minute, 1000)
		must(t, err)
		versions := map[string]uint32{}
		for _, r := range back {
			versions[r.ID.String()] = r.Version
		}
		if len(back) != leased || len(versions) != leased {
			t.Fatalf("want %d due again, got %d of %d cases", leased, len(back), len(versions))
		}
		for _, r := range claimed {
			if versions[r.ID.String()] != r.Version {
				t.Fatalf("case %s: a lease that ends must not make the writes of its holder stale", r.ID)
			}
		}
		// Leases given after the caller looked stay.
		if kept, err := s.EndCaseLeases(ctx, c.now(), c.now().Add(time.Minute-time.Millisecond)); err != nil || kept != 0 {
			t.Errorf("%d later leases ended, %v", kept, err)
		}
		c.advance(time.Minute)
		rest, err := s.ClaimCases(ctx, c.now(), time.Minute, 1000)
		must(t, err)
		if len(rest) != leased+ahead {
			t.Errorf("want all %d due after their time, got %d", leased+ahead, len(rest))
		}
	})
}

// A feed that is being read is written down before its first page, with who reads it.
func TestTheFeedsThatAProcessWasReadingAreDueWhenItIsGone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, dead *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		const lease = 2 * time.Minute
		b := second(t, rdb, c)
		beats(t, c, time.Second, dead, b)
		var feeds []sla.FeedRecord
		for _, id := range []string{"claimed", "read", "read by another", "put off", "done", "idle"} {
			feeds = append(feeds, sla.FeedRecord{ID: "AE01/" + id, Store: "AE01", Next: c.now()})
		}
		must(t, b.EnsureFeeds(ctx, feeds))
		claimed, err := dead.ClaimFeeds(ctx, c.now(), lease, 10)
		must(t, err)
		for _, f := range claimed {
			put := dead.PutFeed
			f.Next, f.Strikes = c.now().Add(lease), 1
			switch f.ID {
			case "AE01/claimed", "AE01/idle":
				continue
			case "AE01/read":
				put = dead.BeginFeed
			case "AE01/read by another":
				put = b.BeginFeed
			case "AE01/done":
				must(t, begun(ctx, dead, &f))
			}
			stale, err := put(ctx, f)
			if must(t, err); stale {
				t.Fatalf("%s is stale", f.ID)
			}
		}
		beats(t, c, store.GoneAfter+2*beatEach, b)
		for _, want := range []int{3, 0} { // and not again
			if n, err := b.EndFeedLeases(ctx, c.now(), c.now().Add(lease)); err != nil || n != want {
				t.Errorf("want the leases of %d ended, got %d (%v)", want, n, err)
			}
		}
		back, err := b.ClaimFeeds(ctx, c.now(), lease, 10)
		must(t, err)
		got := map[string]sla.FeedRecord{}
		for _, f := range back {
			got[f.ID] = f
		}
		if _, ok := got["AE01/claimed"]; len(got) != 3 || !ok || got["AE01/idle"].ID == "" || got["AE01/read"].Strikes != 1 || got["AE01/read"].Reader != "" {
			t.Errorf("want what was claimed or read by the dead due, with its strike, and nothing that waits for its time or is read by the living, got %v", got)
		}
		// Whoever was taken for gone comes back: what it has read is not on record.
		for _, f := range claimed {
			if f.ID == "AE01/read" {
				f.Version++
				if stale, err := dead.PutFeed(ctx, f); err != nil || !stale {
					t.Errorf("the end of a reading by one that was gone: want it stale, got %v (%v)", stale, err)
				}
			}
		}
	})
}

// begun has a process begin to read a feed, and gives the record as it is then.
func begun(ctx context.Context, by *store.Store, f *sla.FeedRecord) error {
	_, err := by.BeginFeed(ctx, *f)
	f.Version++
	return err
}

// Work that was asked for when its case was written down may have been in the hands of a process that is gone.
func TestALeaseThatAWriteGaveEndsAsThatOfAClaimDoes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx := context.Background()
		const each = 20
		writes := cases(2*each, func(int) time.Time { return c.now().Add(time.Minute) })
		for i := range each {
			writes[i].Leased = true
		}
		putAll(t, s, writes)
		c.advance(3 * time.Second)
		if n, err := s.EndCaseLeases(ctx, c.now(), c.now().Add(time.Minute)); err != nil || n != each {
			t.Errorf("want the leases of %d ended, got %d (%v)", each, n, err)
		}
		back, err := s.ClaimCases(ctx, c.now(), time.Minute, 1000)
		must(t, err)
		due := map[sla.DisputeID]bool{}
		for _, r := range back {
			due[r.ID] = true
		}
		for i, w := range writes {
			if due[w.ID] != (i < each) {
				t.Errorf("case %d: due %v", i, due[w.ID])
			}
		}
	})
}

// stuck keeps each call on who lives from being sent until it is let go.
type stuck struct {
	entered, release chan struct{}
}

func (stuck) DialHook(next redis.DialHook) redis.DialHook { return next }

func (stuck) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (s stuck) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		for _, arg := range cmds[0].Args() {
			if arg == "wk:{00}:alive" {
				s.entered <- struct{}{}
				<-s.release
			}
		}
		return next(ctx, cmds)
	}
}

// Who lives is kept on one node of a Cluster: while that node hangs, the claims of all others must go on.
func TestABeatThatHangsHoldsUpNoClaim(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		hook := stuck{make(chan struct{}, 8), make(chan struct{})}
		rdb.AddHook(hook)
		beaten := make(chan error, 1)
		go func() {
			_, err := s.Beat(context.Background(), c.now())
			beaten <- err
		}()
		<-hook.entered
		claimed := make(chan error, 1)
		go func() {
			_, err := s.ClaimAttempt(context.Background(), key(0), c.now(), time.Minute)
			claimed <- err
		}()
		select {
		case err := <-claimed:
			must(t, err)
		case <-time.After(10 * time.Second):
			t.Error("the claim waits for the beat")
		}
		close(hook.release)
		must(t, <-beaten)
	})
}
