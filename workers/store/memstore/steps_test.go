package memstore_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/memstore"
	"watchkeeper/workers/store/storetest"
)

var ctx = context.Background()

func (p *pair) records() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"put": func(t *rapid.T) {
			w := []sla.CaseWrite{p.write(t)}
			p.same(t, "put", func(s both) (any, error) { return s.PutCases(ctx, w) })
		},
		"compare": func(t *rapid.T) {
			rows := []sla.Seen{{ID: anyID(t).Native, Fingerprint: uint64(rapid.IntRange(1, 2).Draw(t, "fingerprint"))}}
			p.same(t, "compare", func(s both) (any, error) {
				out, err := s.CompareCases(ctx, "AE01", rows)
				out[0].Record.Next = time.Time{} // a claim may leave it
				return out, err
			})
		},
		"claim": func(t *rapid.T) {
			p.same(t, "claim", func(s both) (any, error) {
				out, err := s.ClaimCases(ctx, p.now, lease, 10*nCases)
				for i := range out {
					out[i].Next = time.Time{}
				}
				slices.SortFunc(out, func(a, b sla.CaseRecord) int { return strings.Compare(a.ID.Native, b.ID.Native) })
				return fmt.Sprint(out), err
			})
		},
		"beat": func(t *rapid.T) {
			of := rapid.IntRange(0, 1).Draw(t, "process")
			for range rapid.IntRange(1, 6).Draw(t, "times") { // the other one may be gone then
				p.sameIn(t, of, "beat", func(s both) (any, error) { return s.Beat(ctx, p.now) })
				p.now = p.now.Add(time.Duration(rapid.IntRange(300, 1100).Draw(t, "ms")) * time.Millisecond)
			}
		},
		"unlease": func(t *rapid.T) {
			p.same(t, "unlease", func(s both) (any, error) {
				_, err := s.EndCaseLeases(ctx, p.now, p.now.Add(lease)) // of a leaf leased as a whole Redis counts what has left it, too
				return nil, err
			})
		},
		"rearm": func(t *rapid.T) {
			moves := []sla.Rearm{{ID: anyID(t), Version: uint32(rapid.IntRange(1, 3).Draw(t, "version")), Next: p.now.Add(time.Second)}}
			p.same(t, "rearm", func(s both) (any, error) { return s.RearmCases(ctx, moves) })
		},
		"remove": func(t *rapid.T) {
			ids := []sla.DisputeID{anyID(t)}
			p.same(t, "remove", func(s both) (any, error) { return nil, s.RemoveCases(ctx, ids) })
		},
		"wait": func(t *rapid.T) {
			p.now = p.now.Add(time.Duration(rapid.IntRange(1, 300_000).Draw(t, "ms")) * time.Millisecond)
		},
	}
}

func (p *pair) feeds() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"ensure the feed": func(t *rapid.T) {
			feeds := []sla.FeedRecord{{ID: "AE01/disputes", Store: "AE01", Next: p.now}}
			p.same(t, "ensure the feed", func(s both) (any, error) { return nil, s.EnsureFeeds(ctx, feeds) })
		},
		"claim the feed": func(t *rapid.T) {
			p.same(t, "claim the feed", func(s both) (any, error) {
				out, err := s.ClaimFeeds(ctx, p.now, 2*lease, 3)
				if len(out) == 1 {
					p.feed = out[0]
					out[0].Reader = strconv.Itoa(len(out[0].Reader)) // each world has names of its own
				}
				return out, err
			})
		},
		"write the feed": func(t *rapid.T) {
			p.feed.ID, p.feed.Store = "AE01/disputes", "AE01"
			begins := rapid.Bool().Draw(t, "begins")
			p.feed.Next = p.now.Add(time.Duration(rapid.IntRange(1, 300).Draw(t, "seconds")) * time.Second)
			at := p.feed
			p.same(t, "write the feed", func(s both) (any, error) {
				put := s.PutFeed
				if begins {
					put = s.BeginFeed
				}
				stale, err := put(ctx, at)
				if err == nil && !stale {
					p.feed.Version = at.Version + 1
				}
				return stale, err
			})
		},
		"end the feed's lease": func(t *rapid.T) {
			p.same(t, "end the feed's lease", func(s both) (any, error) { return s.EndFeedLeases(ctx, p.now, p.now.Add(2*lease)) })
		},
	}
}

func (p *pair) ledger() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"hold": func(t *rapid.T) {
			keys := []sla.AttemptKey{{Dispute: anyID(t), Turn: sla.Turn(rapid.IntRange(1, 2).Draw(t, "turn"))}}
			p.same(t, "hold", func(s both) (any, error) {
				c := s.ClaimAttempts(ctx, keys, p.now, lease)[0]
				p.attempts = append(p.attempts, c.Attempt)
				return c.Attempt, c.Err
			})
		},
		"intent": func(t *rapid.T) {
			in := sla.Intent{Attempt: p.some(t), Reason: sla.ReasonNotReceived, Now: p.now, Since: p.now}
			p.same(t, "intent", func(s both) (any, error) {
				a, err := s.RecordIntent(ctx, in)
				if err == nil {
					p.attempts = append(p.attempts, a)
				}
				return a, err
			})
		},
		"settle": func(t *rapid.T) {
			a, st := p.some(t), sla.Settlement{At: p.now, Receipt: "r"}
			st.State = rapid.SampledFrom([]sla.AttemptState{sla.AttemptSettled, sla.AttemptRefused, sla.AttemptUnknown}).Draw(t, "state")
			if w := p.write(t); w.ID == a.Dispute {
				st.Case = &w
			}
			if rapid.Bool().Draw(t, "absent") {
				a.Absent, st.Receipt = p.now, rapid.SampledFrom([]string{"", "r"}).Draw(t, "receipt")
			}
			p.same(t, "settle", func(s both) (any, error) { return nil, s.Settle(ctx, a, st) })
		},
		"give": func(t *rapid.T) {
			a := p.some(t)
			p.same(t, "give", func(s both) (any, error) { return nil, s.ReleaseAttempt(ctx, a) })
		},
		"reserve": func(t *rapid.T) {
			a, usd := p.some(t), func(n int64) sla.Money { return sla.Money{Minor: n, Currency: "USD"} }
			sp := sla.Spend{Key: a.AttemptKey, Token: a.Token, Buyer: 9, Opened: p.now, Unpaid: rapid.Bool().Draw(t, "unpaid"), Amount: usd(int64(rapid.IntRange(1, 90).Draw(t, "minor")))}
			sp.Budget = sla.Budget{Case: usd(100), Buyer: usd(150), Store: usd(200), Storm: sla.Rate{Count: 3, Per: time.Hour}}
			p.same(t, "reserve", func(s both) (any, error) { return nil, s.Reserve(ctx, sp, p.now) })
		},
		"unspend": func(t *rapid.T) {
			a := p.some(t)
			p.same(t, "unspend", func(s both) (any, error) { return nil, s.Release(ctx, a) })
		},
	}
}

func (p *pair) memory() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"epoch": func(t *rapid.T) {
			p.same(t, "epoch", func(s both) (any, error) { return s.CheckEpoch(ctx, p.now) })
		},
		"kill": func(t *rapid.T) {
			set := rapid.Bool().Draw(t, "on")
			p.same(t, "kill", func(s both) (any, error) { return nil, s.SetKill(ctx, sla.KillScope{Store: "AE01"}, set, "n", p.now) })
		},
		"mend": func(t *rapid.T) { p.same(t, "mend", func(s both) (any, error) { return s.MendKills(ctx) }) },
		"flush": func(t *rapid.T) {
			if rapid.IntRange(0, 4).Draw(t, "rare") == 0 {
				must(t, p.rdb.FlushAll(ctx).Err())
				p.world.Flush()
			}
		},
		"snapshot": func(t *rapid.T) { p.dump, p.snapshot = dump(t, p.rdb), p.world.Snapshot() },
		"restore": func(t *rapid.T) {
			if p.dump != nil {
				must(t, p.rdb.FlushAll(ctx).Err())
				for key, value := range p.dump {
					must(t, p.rdb.Restore(ctx, key, 0, value).Err())
				}
				p.world.Restore(p.snapshot)
			}
		},
		"": func(t *rapid.T) {
			p.same(t, "state", func(s both) (any, error) {
				var out []any
				for i := range nCases {
					as, err := s.Attempts(ctx, id(i))
					if err != nil {
						return nil, err
					}
					slices.SortFunc(as, func(a, b sla.Attempt) int { return int(a.Turn) - int(b.Turn) })
					out = append(out, fmt.Sprint(as))
				}
				spent, err := s.Spent(ctx, p.now, time.Hour)
				kills, _ := s.Kills(ctx)
				return append(out, spent, kills, kindOf(s.CheckKill(ctx, "aliexpress", "AE01", sla.ReasonNotReceived))), err
			})
		},
	}
}

type fataler interface{ Fatal(args ...any) }

func must(t fataler, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

func dump(t fataler, rdb redis.UniversalClient) map[string]string {
	keys, err := rdb.Keys(ctx, "*").Result()
	must(t, err)
	out := map[string]string{}
	for _, key := range keys {
		out[key], err = rdb.Dump(ctx, key).Result()
		must(t, err)
	}
	return out
}

// It runs on a real server only, whose keys can be dumped and restored.
func TestMemoryAnswersAsRedisDoes(t *testing.T) {
	t.Parallel()
	rdb := storetest.Connect(t, storetest.Start(t))
	rapid.Check(t, func(t *rapid.T) {
		must(t, storetest.Hand(rdb).FlushAll(ctx).Err())
		p := &pair{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), rdb: storetest.Hand(rdb), world: memstore.NewWorld(2), attempts: []sla.Attempt{
			{AttemptKey: sla.AttemptKey{Dispute: id(0), Turn: 1}, Token: 1}}}
		o := store.Options{Shards: 2, Now: func() time.Time { return p.now }, Stores: map[sla.StoreID]sla.Platform{"AE01": "aliexpress"}}
		for i := range p.procs {
			r, err := store.Open(ctx, rdb, o)
			must(t, err)
			m, err := memstore.Open(p.world, o)
			must(t, err)
			p.procs[i] = [2]both{r, m}
		}
		p.now = p.now.Add(store.DefaultSettle)
		steps := p.records()
		for _, more := range []map[string]func(*rapid.T){p.feeds(), p.ledger(), p.memory()} {
			maps.Copy(steps, more)
		}
		t.Repeat(steps)
	})
}
