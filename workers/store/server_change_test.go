package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

// A server that was started anew or took over may have lost the last that was written. Who alone knows of it must have time to notice.
func TestAServerThatTookOverSendsNothingAtFirst(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx, hand := context.Background(), storetest.Hand(rdb)
		info, err := hand.Info(ctx, "server").Result()
		tells := err == nil && strings.Contains(info, "run_id:") // miniredis does not
		epochs, err := hand.Keys(ctx, "wk:{*}:epoch").Result()
		if must(t, err); len(epochs) != s.Shards() {
			t.Fatalf("want an epoch of each of %d shards, got %q", s.Shards(), epochs)
		}
		set := func(field, value string) {
			t.Helper()
			for _, key := range epochs {
				must(t, hand.HSet(ctx, key, field, value).Err())
			}
		}
		held, err := s.ClaimAttempt(ctx, slot(), c.now(), time.Hour)
		must(t, err)
		send := func(what string, want bool) {
			t.Helper()
			sent, err := s.RecordIntent(ctx, intent(held, c.now(), c.now()))
			if (err == nil) != want || err != nil && !errors.Is(err, sla.ErrTakenOver) {
				t.Fatalf("%s: want it sent: %t, got %v", what, want, err)
			}
			if err == nil {
				must(t, s.Settle(ctx, sent, sla.Settlement{State: sla.AttemptRefused, At: c.now()}))
				held, err = s.ClaimAttempt(ctx, slot(), c.now(), time.Hour)
				must(t, err)
			}
		}
		send("the server it was on", true)
		set("r", "another")
		send("another server, met by an intent", !tells)
		send("and a moment later", !tells)
		set("w", "1")
		send("when the time is over", true)

		set("w", "9e15")
		send("when its clock was put back", true)

		set("r", "another")
		_, err = s.CheckEpoch(ctx, c.now())
		must(t, err)
		send("another server, met by a comparison", !tells)
		set("w", "1")
		send("when that time is over", true)

		for _, key := range epochs {
			must(t, hand.HDel(ctx, key, "r", "w").Err())
		}
		send("nobody has noted the server, as before an upgrade", true)
		_, err = s.CheckEpoch(ctx, c.now())
		must(t, err)
		if noted, err := hand.HExists(ctx, epochs[0], "r").Result(); err != nil || noted != tells {
			t.Errorf("want the server noted: %t, got %t (%v)", tells, noted, err)
		}
	})
}
