package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/workers/store"
)

// allowance finds the state of an allowance, in whichever shard it is.
func allowance(t *testing.T, rdb redis.UniversalClient, name string) string {
	t.Helper()
	for shard := range 256 {
		key := fmt.Sprintf("wk:{%02x}:g:%s", shard, name)
		n, err := rdb.Exists(context.Background(), key).Result()
		if must(t, err); n == 1 {
			return key
		}
	}
	t.Fatalf("there is no allowance %s", name)
	return ""
}

// Replicas of the version before know no share. They read "at turn", and fail at anything else: then they make no call at all.
func TestReplicasBeforeAndAfterTheShareReadEachOthersAllowance(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, _ *clock, rdb redis.UniversalClient) {
		ctx := context.Background()
		for range 3 {
			_, err := s.TakeInBulk(ctx, "app", 2, time.Second, true)
			must(t, err)
			_, err = s.Take(ctx, "app", 2, time.Second)
			must(t, err)
		}
		key := allowance(t, rdb, "app")
		value, err := rdb.Get(ctx, key).Result()
		must(t, err)
		before := redis.NewScript(`local at, turn = string.match(redis.call('GET', KEYS[1]) or '0 0', '^(%S+) ?(%S*)$')
			return string.format('%.3f %.3f', math.max(tonumber(at), 0), tonumber(turn) or 0)`)
		if read, err := before.Run(ctx, rdb, []string{key}).Text(); err != nil || read != value {
			t.Errorf("want %q read as it is by the version before, got %q (%v)", value, read, err)
		}
		for _, other := range []string{value, strings.Fields(value)[0], value + " " + strings.Fields(value)[1]} {
			must(t, rdb.Set(ctx, key, other, 0).Err())
			if wait, err := s.Take(ctx, "app", 2, time.Second); err != nil || wait <= 0 {
				t.Errorf("want a wait for what %q has, got %s (%v)", other, wait, err)
			}
		}
	})
}

// A clock that was hours ahead for a moment, and took calls, must not shut out everybody else for hours.
func TestACallThatWasTakenByAClockFarAheadShutsNobodyOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx := context.Background()
		take := func(share bool) time.Duration {
			t.Helper()
			wait, err := s.TakeInBulk(ctx, "app", 2, time.Second, share)
			must(t, err)
			return wait
		}
		for _, ahead := range []time.Duration{5 * time.Hour, 40 * time.Second} {
			c.advance(ahead)
			take(true)
			c.advance(-ahead)
			wait, err := s.Take(ctx, "app", 2, time.Second)
			if must(t, err); wait > time.Minute {
				t.Errorf("after a call by a clock %s ahead: want to come within a minute, got a wait of %s", ahead, wait)
			}
			if ahead < time.Minute && wait < ahead-time.Second {
				t.Errorf("want a call counted that was taken by a clock %s ahead, as clocks may be, got a wait of %s", ahead, wait)
			}
			c.advance(wait)
			if wait := take(true); wait > 2*time.Second {
				t.Errorf("after a call by a clock %s ahead: want a share of the next calls, got a wait of %s", ahead, wait)
			}
			c.advance(time.Hour)
		}
	})
}

// While others take all that is free, a list has its share although a clock that was hours ahead took a call of it.
func TestAShareIsHadAfterAClockFarAheadTookOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx := context.Background()
		c.advance(5 * time.Hour)
		_, err := s.TakeInBulk(ctx, "app", 6, time.Second, true)
		must(t, err)
		c.advance(-5 * time.Hour)
		had, come := 0, c.now()
		for start := c.now(); c.now().Sub(start) < 20*time.Second; c.advance(50 * time.Millisecond) {
			for !c.now().Before(come) {
				wait, err := s.TakeInBulk(ctx, "app", 6, time.Second, true)
				if must(t, err); wait == 0 {
					had++
				}
				come = c.now().Add(wait)
			}
			for wait := time.Duration(0); wait == 0; {
				wait, err = s.Take(ctx, "app", 6, time.Second)
				must(t, err)
			}
		}
		if had < 30 {
			t.Errorf("want about a third of 120 calls for the list, got %d", had)
		}
	})
}
