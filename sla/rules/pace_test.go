package rules_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
)

func TestPaceOfAStoreIsItsOwnThenItsPlatformsThenNone(t *testing.T) {
	t.Parallel()
	b := load(t, "WK_STORE__A1__PLATFORM=aliexpress", "WK_STORE__A2__PLATFORM=aliexpress", "WK_STORE__B1__PLATFORM=ebay",
		"WK_STORE__ALIEXPRESS__CONCURRENCY=4", "WK_STORE__ALIEXPRESS__RATE=7", "WK_STORE__A2__CONCURRENCY=never", "WK_STORE__A2__POLL=90s")
	const general = "WK_STORE__ALIEXPRESS__"
	for id, want := range map[sla.StoreID]rules.Pace{
		"A1": {Concurrency: sla.By(general+"CONCURRENCY", 4), Rate: sla.By(general+"RATE", 7)},
		"A2": {
			Poll: sla.By("WK_STORE__A2__POLL", 90*time.Second), Concurrency: sla.By("WK_STORE__A2__CONCURRENCY", 0),
			Rate: sla.By(general+"RATE", 7),
		},
		"B1": {}, "C1": {},
	} {
		if got := b.Pace(id); got != want {
			t.Errorf("%s: %+v, want %+v", id, got, want)
		}
	}
	var said []string
	for _, r := range b.Rows(rules.Filter{}) {
		if r.Variable == "CONCURRENCY" || r.Variable == "RATE" {
			said = append(said, fmt.Sprint(r.Scope, " ", r.Variable, " ", r.Value))
		}
	}
	want := []string{
		"platform aliexpress CONCURRENCY 4", "platform aliexpress RATE 7", "store A1 CONCURRENCY 4", "store A1 RATE 7",
		"store A2 CONCURRENCY never", "store A2 RATE 7",
	}
	if !slices.Equal(said, want) {
		t.Errorf("rows %q, want %q", said, want)
	}
}

func TestPaceChangesAtItsDates(t *testing.T) {
	t.Parallel()
	b := load(t, storeA1, "WK_STORE__A1__POLL=1h", "WK_STORE__A1__POLL__SEASON=5m", "WK_STORE__A1__POLL__SEASON__FROM=2026-11-01..2026-11-30",
		"WK_STORE__ALIEXPRESS__RATE=9", "WK_STORE__ALIEXPRESS__RATE__UNTIL=2026-12-01", "WK_SLA__RECHECK=1h", "WK_SLA__RECHECK__FROM=2026-10-01")
	for _, test := range []struct {
		at    string
		poll  time.Duration
		rate  int
		until string
	}{
		{"2026-09-01T00:00:00Z", time.Hour, 9, "2026-11-01T00:00:00Z"}, // what changes before is no pace
		{"2026-10-31T23:59:59Z", time.Hour, 9, "2026-11-01T00:00:00Z"},
		{"2026-11-01T00:00:00Z", 5 * time.Minute, 9, "2026-12-01T00:00:00Z"},
		{"2026-12-01T00:00:00Z", time.Hour, 0, ""},
	} {
		p, until := rules.Current{Book: b, Now: func() time.Time { return date(test.at) }}.Pace("A1")
		if p.Poll.Value != test.poll || p.Rate.Value != test.rate {
			t.Errorf("at %s: %+v", test.at, p)
		}
		if want := (time.Time{}); test.until != "" && !until.Equal(date(test.until)) || test.until == "" && !until.Equal(want) {
			t.Errorf("at %s: until %s, want %q", test.at, until, test.until)
		}
		if got := b.At(date(test.at)).Stores()[0].Poll.Value; got != test.poll {
			t.Errorf("at %s: the store says %s", test.at, got)
		}
	}
	if _, until := (rules.Current{Book: b, Now: time.Now}).Pace("A9"); !until.IsZero() {
		t.Error("a store that nobody declared changes its pace")
	}
}

func TestASeasonsValueStandsBesideTheOneThatHoldsOtherwise(t *testing.T) {
	t.Parallel()
	b := load(t, storeA1, "WK_SLA__TOTAL_BUDGET=1000USD", "WK_SLA__TOTAL_BUDGET__SEASON=2000USD", "WK_SLA__TOTAL_BUDGET__SEASON__FROM=2026-11-01..2026-12-31",
		"WK_SLA__STORM=20/1h", "WK_SLA__STORM__SEASON=50/1h", "WK_SLA__STORM__SEASON__FROM=2026-11-01", "WK_SLA__STORM__SEASON__UNTIL=2027-01-01",
		"WK_SLA__GUARD=2h", "WK_SLA__GUARD__FROM=2027-02-01..2027-02-20", "WK_SLA__GUARD__SEASON=3h", "WK_SLA__GUARD__SEASON__FROM=2027-02-10..2027-02-11",
		"WK_SHIPMENT__STALL=10d", "WK_SHIPMENT__STALL__SEASON=20d", "WK_SHIPMENT__STALL__SEASON__FROM=2026-11-01..2026-12-31")
	for at, want := range map[string]string{
		"2026-10-31T00:00:00Z": "1000.00 20 1h30m0s 240h0m0s", "2026-11-01T00:00:00Z": "2000.00 50 1h30m0s 480h0m0s",
		"2027-01-01T00:00:00Z": "1000.00 20 1h30m0s 240h0m0s", "2027-02-09T00:00:00Z": "1000.00 20 2h0m0s 240h0m0s",
		"2027-02-10T00:00:00Z": "1000.00 20 3h0m0s 240h0m0s", "2027-02-12T00:00:00Z": "1000.00 20 2h0m0s 240h0m0s",
	} {
		r := b.At(date(at)).For("aliexpress", "A1", sla.ReasonOther)
		stall := b.At(date(at)).Shipments("A1", brazil).Stall.Value
		if got := fmt.Sprint(r.TotalBudget.Value.Major(), " ", r.Storm.Value.Count, " ", r.Guard.Value, " ", stall); got != want {
			t.Errorf("at %s: %s, want %s", at, got, want)
		}
	}
	if from := b.At(date("2026-11-11T00:00:00Z")).For("", "", sla.ReasonUnknown).TotalBudget.From; from != "WK_SLA__TOTAL_BUDGET__SEASON" {
		t.Errorf("from %s", from)
	}
}

func TestTheSellingStoresThresholdsWinOverTheTrackers(t *testing.T) {
	t.Parallel()
	b := load(t, storeA1, "WK_STORE__T1__PLATFORM=ebay", "WK_SHIPMENT__STALL=10d", "WK_SHIPMENT__STORE__T1__STALL=11d", "WK_SHIPMENT__STORE__T1__CUSTOMS=8d",
		"WK_SHIPMENT__STORE__A1__STALL=20d", "WK_SHIPMENT__STORE__A1__CARRIER__YANWEN__STALL=25d")
	now := rules.Current{Book: b, Now: time.Now}
	for carrier, want := range map[string]time.Duration{"": 20 * day, "yanwen": 25 * day} {
		r := now.Sold("A1", "T1", sla.Lane{Carrier: carrier})
		if r.Stall.Value != want || r.Customs.Value != 8*day {
			t.Errorf("carrier %q: stall %s, customs %s", carrier, r.Stall.Value, r.Customs.Value)
		}
	}
	if got := now.Sold("A2", "T1", sla.Lane{}).Stall.Value; got != 11*day {
		t.Errorf("of a store that says nothing: %s", got)
	}
}

func TestWhoCountsBuyersWithoutAKeyIsWarned(t *testing.T) {
	t.Parallel()
	o := options()
	o.Platforms[0].StoreVariables = append(slices.Clone(o.Platforms[0].StoreVariables), "BUYER_HASH_KEY", "BUYER_HASH_KEY_FILE")
	for env, want := range map[string]int{
		"": 0, "WK_SLA__HOLD_CLAIMS=3": 1, "WK_SLA__BUYER_BUDGET=5USD": 1, "WK_SLA__STORE__A1__REASON__DAMAGED__HOLD_CLAIMS=2": 1,
		"WK_SLA__HOLD_CLAIMS=3 WK_STORE__A1__BUYER_HASH_KEY=k": 0, "WK_SLA__HOLD_CLAIMS=3 WK_STORE__A1__BUYER_HASH_KEY_FILE=/k": 0,
	} {
		b, err := rules.Load(t.Context(), append(entries(env), storeA1), o)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Warnings(); len(got) != want {
			t.Errorf("%q: %q, want %d", env, got, want)
		}
	}
}
