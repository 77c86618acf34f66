package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

// yes is an approval by alice.
func yes(note string, at time.Time) store.Said {
	return store.Said{Approval: sla.ApprovalApproved, By: "alice", Note: note, At: at}
}

func TestAnApprovalIsOfOneTurnAndLookedAtAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx := context.Background()
		writes := cases(3, at(c.now().Add(24*time.Hour)))
		writes[1].State, writes[2].Obligation = sla.StateClosed, sla.Obligation{}
		putAll(t, s, writes)
		turn, typed := writes[0].Obligation.Turn, disputeID(0)
		typed.Platform = "" // as a person types it
		for _, tt := range []struct {
			id   sla.DisputeID
			turn sla.Turn
			want error
		}{
			{disputeID(9), turn, store.ErrUnknownCase}, {typed, turn + 1, store.ErrTurnChanged}, {typed, 0, store.ErrTurnChanged},
			{disputeID(1), writes[1].Obligation.Turn, store.ErrCaseClosed}, {disputeID(2), 0, store.ErrTurnChanged},
		} {
			wantErr(t, s.Approve(ctx, tt.id, tt.turn, yes("", c.now())), tt.want)
		}
		if due := claimAll(t, s, c.now()); len(due) != 0 {
			t.Fatalf("a refused approval armed %d timers", len(due))
		}
		must(t, s.Approve(ctx, typed, turn, yes("ok, "+strings.Repeat("x", 600), c.now())))
		due := claimAll(t, s, c.now())
		want := writes[0].CaseRecord
		want.Version, want.Approval, want.Next = 2, sla.ApprovalApproved, c.now()
		if diff := cmp.Diff([]sla.CaseRecord{want}, due); diff != "" {
			t.Fatal(diff)
		}
		lines, err := s.AuditsOf(ctx, disputeID(0), 5)
		must(t, err)
		var line struct {
			Kind     string    `json:"kind"`
			Approval string    `json:"approval"`
			By       string    `json:"by"`
			Note     string    `json:"note"`
			Turn     string    `json:"turn"`
			At       time.Time `json:"at"`
		}
		must(t, json.Unmarshal(lines[0].Line, &line))
		if len(lines) != 1 || line.Kind != "approval" || line.Approval != "approved" || line.By != "alice" || len(line.Note) != 500 || line.Turn != turn.String() || !line.At.Equal(c.now()) {
			t.Fatalf("want one line with the note clipped, got %+v of %d", line, len(lines))
		}
	})
}

func TestAnApprovalSurvivesOtherWriters(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx, w := context.Background(), newCase(1, c.now())
		putAll(t, s, []sla.CaseWrite{w})
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				if err := s.Approve(ctx, w.ID, w.Obligation.Turn, store.Said{Approval: sla.ApprovalHeld, By: fmt.Sprint("person ", i), At: c.now()}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		got, _, err := s.Cases(ctx, []sla.DisputeID{w.ID})
		must(t, err)
		lines, err := s.AuditsOf(ctx, w.ID, 10)
		must(t, err)
		if got[0].Version != 4 || got[0].Approval != sla.ApprovalHeld || len(lines) != 3 {
			t.Fatalf("want three words, each with its line, got version %d and %d lines", got[0].Version, len(lines))
		}
	})
}

func TestAnApprovalOfWhatWasForgottenIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx, w := context.Background(), newCase(1, c.now())
		putAll(t, s, []sla.CaseWrite{w})
		must(t, storetest.Hand(rdb).FlushAll(ctx).Err())
		wantErr(t, s.Approve(ctx, w.ID, w.Obligation.Turn, yes("", c.now())), store.ErrUnknownCase)
	})
}

func TestClaimsOfABuyerAreCountedOnceAndForAWhile(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, rdb redis.UniversalClient) {
		ctx, now := context.Background(), c.now()
		var claims []sla.BuyerClaim
		for i := range 40 { // one each day, over two buyers
			claims = append(claims, sla.BuyerClaim{Buyer: sla.BuyerKey(0x1234_5678_9abc_0000 + i%2), Dispute: disputeID(i), Opened: now.Add(-time.Duration(i) * 24 * time.Hour)})
		}
		claims = append(claims, sla.BuyerClaim{Dispute: disputeID(50), Opened: now}, sla.BuyerClaim{Buyer: 7, Dispute: disputeID(51)})
		for range 2 {
			must(t, s.NoteClaims(ctx, claims))
		}
		for _, tt := range []struct {
			buyer sla.BuyerKey
			at    time.Time
			want  int
		}{
			{claims[0].Buyer, now, 15}, {claims[1].Buyer, now, 15}, {claims[0].Buyer, now.Add(-time.Second), 15}, // the 30th day is over a second later
			{claims[0].Buyer, now.Add(29 * 24 * time.Hour), 1}, {claims[0].Buyer, now.Add(sla.BuyerSpan), 0},
			{claims[0].Buyer, now.Add(-10 * 24 * time.Hour), 15}, {0, now, 0}, {7, now, 0}, {8, now, 0},
		} {
			if got, err := s.Claims(ctx, tt.buyer, tt.at); err != nil || got != tt.want {
				t.Errorf("buyer %x at %s: want %d, got %d %v", tt.buyer, tt.at, tt.want, got, err)
			}
		}
		keys, err := storetest.Hand(rdb).Keys(ctx, "wk:{*}:b:*").Result()
		must(t, err)
		for _, key := range keys {
			if ttl, err := storetest.Hand(rdb).TTL(ctx, key).Result(); err != nil || ttl < sla.BuyerSpan {
				t.Errorf("%q stays for %s, %v", key, ttl, err)
			}
		}
		must(t, s.NoteClaims(ctx, nil))
	})
}

func TestEveryAuditLineIsWalkedOldestFirst(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store, c *clock, _ redis.UniversalClient) {
		ctx, start := context.Background(), c.now()
		const n = 2600 // of one dispute, so that its shard has more than one page
		for i := range n {
			must(t, s.Audit(ctx, disputeID(1), fmt.Append(nil, i)))
			if i%100 == 99 {
				must(t, s.Audit(ctx, disputeID(i), []byte("other")))
			}
			c.advance(time.Second)
		}
		next, others := 100, 0
		must(t, s.EachAudit(ctx, start.Add(100*time.Second), func(l store.AuditLine) error {
			switch {
			case string(l.Line) == "other":
				others++
			case string(l.Line) != strconv.Itoa(next) || l.ID != disputeID(1).String():
				return fmt.Errorf("want line %d, got %s of %s", next, l.Line, l.ID)
			default:
				next++
			}
			return nil
		}))
		if next != n || others != 25 {
			t.Fatalf("want every line since then, got up to %d and %d others", next, others)
		}
		stop := errors.New("enough")
		wantErr(t, s.EachAudit(ctx, start, func(store.AuditLine) error { return stop }), stop)
	})
}
