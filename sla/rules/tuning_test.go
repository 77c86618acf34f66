package rules_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/sla/playbook"
	"watchkeeper/sla/rules"
	"watchkeeper/sla/slatest"
	"watchkeeper/workers/store"
)

// declared is what each recipe is added to: two live stores that may spend.
var declared = []string{"WK_STORE__AE01__PLATFORM=aliexpress", "WK_STORE__AE02__PLATFORM=aliexpress", "WK_SLA__MODE=live", "WK_SLA__ACCEPT_CAP=25USD"}

func usd(n int64) sla.Money { return sla.Money{Minor: n * 100, Currency: "USD"} }

// A scene is one dispute that began at an instant, under a rulebook.
type scene struct {
	*testing.T
	book *rules.Book // of that instant
	at   time.Time
}

func (s scene) rule(id sla.StoreID, r sla.Reason) sla.Rule { return s.book.For("aliexpress", id, r) }

// owed is the obligation of the scene, with or without a deadline of the feed.
func (s scene) owed(deadline time.Duration) sla.Obligation {
	o := slatest.Obligation()
	o.Opened, o.Deadline = s.at, time.Time{}
	if deadline > 0 {
		o.Deadline = s.at.Add(deadline)
	}
	return o
}

// decides is what is decided so long after the beginning about a claim whose five days the feed tells.
func (s scene) decides(id sla.StoreID, after time.Duration, change func(*sla.Case)) string {
	c := slatest.Case()
	c.Reason, c.Obligation, c.Warned = sla.ReasonOther, s.owed(5*day), 2
	if change != nil {
		change(&c)
	}
	d := sla.Decide(s.at.Add(after), c, s.rule(id, c.Reason))
	out := d.Action.String() + " " + d.Why.String()
	if d.Action == sla.ActionWarn {
		out += " by " + d.Channel.String()
	}
	return out
}

// chooses is what the playbook answers at the beginning, and whether it waits for a person.
func (s scene) chooses(reason sla.Reason, claimed sla.Money, change func(*playbook.Facts)) string {
	d := slatest.Dispute()
	d.Reason, d.Claimed, d.Obligations = reason, claimed, []sla.Obligation{s.owed(5 * day)}
	f := playbook.Facts{Now: s.at, Dispute: d, Obligation: d.Obligations[0], Parcels: s.book.Shipments("AE01", sla.Lane{})}
	if change != nil {
		change(&f)
	}
	r := s.rule("AE01", reason)
	plan := playbook.Choose(f, r)
	out := plan.Answer.Kind.String() + " " + plan.Answer.Amount.String()
	if why, gated := playbook.Gate(plan, f, r); gated {
		out += ", waits: " + why.String()
	}
	return out
}

// parcel puts the order's parcel at a milestone, scanned a day ago.
func parcel(m sla.Milestone) func(*playbook.Facts) {
	return func(f *playbook.Facts) { f.Parcel = &playbook.Parcel{Milestone: m, LastEvent: f.Now.Add(-day)} }
}

// comesTo follows a claim for missing items from its beginning until something is sent.
func (s scene) comesTo(claimed sla.Money) string {
	c, d := slatest.Case(), slatest.Dispute()
	c.Reason, c.Claimed, c.Obligation = sla.ReasonMissing, claimed, s.owed(5*day)
	d.Reason, d.Claimed, d.Obligations = sla.ReasonMissing, claimed, []sla.Obligation{c.Obligation}
	f := playbook.Look(s.at, c, playbook.Facts{Now: s.at, Dispute: d, Obligation: c.Obligation}, s.rule("AE01", c.Reason))
	return fmt.Sprintf("%s %s after %s", f.Answer.Kind, f.Answer.Amount, rules.FormatDuration(f.At.Sub(s.at)))
}

// detects is what is wrong with a parcel that left its country and is silent since.
func (s scene) detects(silent time.Duration, lane sla.Lane) string {
	p := slatest.Shipment(sla.MilestoneAccepted, sla.MilestoneExported, sla.MilestoneArrived)
	p.Ref.Carrier, p.Dest = lane.Carrier, lane.Dest
	out := "none"
	for _, a := range sla.Detect(p.LastEvent().Add(silent), p, s.book.Shipments("AE01", lane)) {
		out = a.Kind.String()
	}
	return out
}

// spends reserves 20 USD for each of so many disputes of a store on one day, in the ledger's own budgets, and tells how many it takes.
func (s scene) spends(disputes int) string {
	rdb := redis.NewClient(&redis.Options{Addr: miniredis.RunT(s.T).Addr()})
	s.Cleanup(func() { _ = rdb.Close() })
	clock := s.at.Add(-day) // a first start freezes the day's budgets
	ledger, err := store.Open(s.Context(), rdb, store.Options{Now: func() time.Time { return clock }, Stores: map[sla.StoreID]sla.Platform{"AE01": "aliexpress"}})
	if err != nil {
		s.Fatal(err)
	}
	clock = s.at
	paid := 0
	for i := range disputes {
		key := sla.AttemptKey{Dispute: sla.DisputeID{Platform: "aliexpress", Store: "AE01", Native: strconv.Itoa(900 + i)}, Turn: 7}
		err := ledger.Reserve(s.Context(), sla.Spend{Key: key, Token: 1, Opened: s.at, Amount: usd(20), Budget: s.rule("AE01", sla.ReasonOther).Budget()}, s.at)
		switch {
		case errors.Is(err, sla.ErrBudget):
		case err != nil:
			s.Fatal(err)
		default:
			paid++
		}
	}
	return fmt.Sprintf("%d of %d paid", paid, disputes)
}

// asks is how much is asked of a store's platform; what is not limited, or left to the connector, is 0.
func (s scene) asks() string {
	p := s.book.Pace("AE01")
	return fmt.Sprintf("%d at once, %d calls a second", p.Concurrency.Value, p.Rate.Value)
}

// window is when a claim of which the feed tells no deadline ends, and what is decided so long after its beginning.
func (s scene) window(id sla.StoreID, after time.Duration) string {
	c := slatest.Case()
	c.Reason, c.Obligation, c.Warned = sla.ReasonOther, s.owed(0), 2
	d := sla.Decide(s.at.Add(after), c, s.rule(id, c.Reason))
	return d.Action.String() + " " + d.Why.String() + " until " + d.Deadline.Format("Mon 15:04")
}

// promises are the decisions of each recipe, with and without its variables.
var promises = map[string]struct {
	at            string // when the dispute began
	off           string // when the recipe does not hold any more; empty: it always does
	decide        func(scene) string
	with, without string
}{
	"1": {
		"2027-02-10T00:00:00Z", "2027-02-22T00:00:00Z", func(s scene) string { return s.decides("AE01", 30*time.Hour, nil) },
		"act due", "wait early",
	},
	"2": {
		"2027-01-10T00:00:00Z", "", func(s scene) string {
			return s.detects(13*day, sla.Lane{Origin: "CN", Dest: "BR"}) + ", " + s.detects(15*day, sla.Lane{Origin: "CN", Dest: "BR"}) + ", " + s.detects(13*day, sla.Lane{Origin: "CN", Dest: "FR"})
		},
		"none, stalled_in_transit, stalled_in_transit", "stalled_in_transit, stalled_in_transit, stalled_in_transit",
	},
	"3": {
		"2027-01-10T00:00:00Z", "", func(s scene) string {
			return s.chooses(sla.ReasonNotReceived, usd(20), parcel(sla.MilestoneDelivered)) + ", " + s.chooses(sla.ReasonNotReceived, usd(20), parcel(sla.MilestoneInTransit))
		},
		"refuse 0.00 USD, offer 6.00 USD", "refuse 0.00 USD, refuse 0.00 USD",
	},
	"4": {
		"2027-01-10T00:00:00Z", "", func(s scene) string {
			return s.chooses(sla.ReasonNotReceived, usd(16), parcel(sla.MilestoneLost)) + "; " + s.chooses(sla.ReasonNotReceived, usd(15), parcel(sla.MilestoneLost))
		},
		"accept 16.00 USD, waits: above_approval; accept 15.00 USD", "accept 16.00 USD; accept 15.00 USD",
	},
	"5": {
		"2027-01-10T10:00:00Z", "", func(s scene) string { return s.spends(20) },
		"15 of 20 paid", "20 of 20 paid",
	},
	"6": {
		"2027-01-10T00:00:00Z", "", func(s scene) string {
			return s.decides("AE01", 3*day, nil) + ", " + s.decides("AE02", 3*day, nil)
		},
		"act due, shadow shadow", "act due, act due",
	},
	"7": {
		"2027-01-10T00:00:00Z", "", func(s scene) string { return s.comesTo(usd(3)) + ", " + s.comesTo(usd(4)) },
		"accept 3.00 USD after 0d, offer 1.20 USD after 0d", "offer 0.90 USD after 2d, offer 1.20 USD after 2d",
	},
	"8": {
		"2027-01-10T00:00:00Z", "", func(s scene) string {
			claim := func(n int) string {
				return s.chooses(sla.ReasonDamaged, usd(10), func(f *playbook.Facts) { f.Claims = n })
			}
			return claim(2) + "; " + claim(3)
		},
		"offer 3.00 USD; offer 3.00 USD, waits: many_claims", "offer 3.00 USD; offer 3.00 USD",
	},
	"9": {
		"2027-01-10T00:00:00Z", "", func(s scene) string {
			told := func(left time.Duration, before int) string { // of a claim that a person has refused to answer, so that nothing is sent
				return s.decides("AE01", 5*day-left, func(c *sla.Case) { c.Warned, c.Approval = before, sla.ApprovalRejected })
			}
			return told(20*time.Hour, 0) + ", " + told(5*time.Hour, 1)
		},
		"warn warn_point by chat, warn warn_point by page", "warn warn_point by chat, warn warn_point by chat",
	},
	"10": {
		"2027-01-10T00:00:00Z", "", func(s scene) string {
			return s.detects(16*day, sla.Lane{Carrier: "yanwen"}) + ", " + s.detects(17*day, sla.Lane{Carrier: "yanwen"}) + ", " + s.detects(16*day, sla.Lane{Carrier: "4px"})
		},
		"none, stalled_in_transit, stalled_in_transit", "stalled_in_transit, stalled_in_transit, stalled_in_transit",
	},
	"11a": {
		"2026-11-11T10:00:00Z", "2027-01-01T10:00:00Z", func(s scene) string { return s.asks() },
		"16 at once, 0 calls a second", "4 at once, 0 calls a second",
	},
	"11b": {
		"2026-11-11T10:00:00Z", "2027-01-01T10:00:00Z", func(s scene) string { return s.asks() },
		"0 at once, 20 calls a second", "0 at once, 0 calls a second",
	},
	"11c": {
		"2026-11-11T10:00:00Z", "2027-01-01T10:00:00Z", func(s scene) string { return s.spends(35) },
		"30 of 35 paid", "15 of 35 paid",
	},
	"11d": {
		"2026-11-11T10:00:00Z", "2027-01-01T10:00:00Z", func(s scene) string { return s.spends(35) },
		"30 of 35 paid", "15 of 35 paid",
	},
	"12": {
		"2027-01-10T00:00:00Z", "", func(s scene) string {
			return s.decides("AE01", 3*day, nil) + ", " + s.decides("AE01", 5*day-20*time.Hour, func(c *sla.Case) { c.Warned = 0 })
		},
		"wait killed, warn warn_point by chat", "act due, act due",
	},
	"13a": {
		"2027-02-19T15:00:00Z", "", func(s scene) string { return s.window("AE01", 30*time.Hour) },
		"act due until Sun 15:00", "wait early until Wed 15:00",
	},
	"13b": { // noon of a Friday in São Paulo, and nine o'clock of the Monday
		"2027-02-19T15:00:00Z", "", func(s scene) string { return s.window("AE02", 2*day+21*time.Hour) },
		"act due until Mon 15:00", "wait early until Wed 15:00",
	},
}

// TestEachRecipeChangesTheDecisionItPromises holds every recipe to its decision, and that nothing but its variables makes it.
func TestEachRecipeChangesTheDecisionItPromises(t *testing.T) {
	t.Parallel()
	for _, r := range rules.Recipes() {
		t.Run(r.Number, func(t *testing.T) {
			t.Parallel()
			p, promised := promises[r.Number]
			if n := len(r.Env); !promised || n < 1 || n > 2 {
				t.Fatalf("%d variables, promised: %v; want a promise, and one or two", n, promised)
			}
			without := load(t, slices.Concat(declared, r.Beside)...)
			with := load(t, slices.Concat(declared, r.Beside, r.Env)...)
			decide := func(b *rules.Book, at string) string { return p.decide(scene{t, b.At(date(at)), date(at)}) }
			if got := decide(with, p.at); got != p.with {
				t.Errorf("with it: %s, want %s", got, p.with)
			}
			if got := decide(without, p.at); got != p.without {
				t.Errorf("without it: %s, want %s", got, p.without)
			}
			if p.off == "" {
				return
			}
			if got := decide(with, p.off); got != p.without {
				t.Errorf("outside its dates: %s, want %s", got, p.without)
			}
		})
	}
	if len(rules.Recipes()) != len(promises) {
		t.Errorf("%d recipes, %d promises", len(rules.Recipes()), len(promises))
	}
}
