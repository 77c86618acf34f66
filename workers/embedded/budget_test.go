package embedded_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"watchkeeper/connectors/simulator"
	"watchkeeper/sla"
	"watchkeeper/workers/embedded"
	"watchkeeper/workers/store/storetest"
)

// The limits of the month, in cents. The storm's time ends ten minutes after an instant at which the fleet works, so that answers of one
// instant are all within it or all without.
const (
	mostCase, mostBuyer, mostStore, mostTotal = 6000, 12000, 40000, 100000
	mostStorm                                 = 30
	stormSpan                                 = 170 * time.Minute
	budgetStep                                = time.Hour
	budgetPoll                                = 8 * time.Hour
)

var budgetRules = map[string]string{
	"WK_SLA__ACCEPT_CAP": "60USD", "WK_SLA__BUYER_BUDGET": "120USD", "WK_SLA__STORE_BUDGET": "400USD", "WK_SLA__TOTAL_BUDGET": "1000USD",
	"WK_SLA__STORM": "30/170m", "WK_SLA__ACT_AFTER": "0h", "WK_SLA__RECHECK": "2d", "WK_SHIPMENT__RECHECK": "7d",
	"WK_STORE__AE01__BUYER_HASH_KEY": "one key for all", "WK_STORE__AE02__BUYER_HASH_KEY": "one key for all", "WK_STORE__AE03__BUYER_HASH_KEY": "one key for all",
	"WK_STORE__AE01__POLL": budgetPoll.String(), "WK_STORE__AE02__POLL": budgetPoll.String(), "WK_STORE__AE03__POLL": budgetPoll.String(), "WK_STORE__T17__POLL": "1d",
}

// A judge adds up what answers through the API have cost, from the platform's own log and nothing else.
//
// What an answer costs is what it commits us to: all of a claim that is accepted, and all of an offer, whether the buyer takes it or not. It is
// spent at the instant at which the platform has taken it. The fleet reserves it a moment before; the test moves the clock in such a way that
// both instants are within one day, UTC, and on the same side of the storm's bounds, and fails when they might not be. So nothing is
// forgiven at midnight, and an answer whose reply was lost counts like any other: the platform has taken it.
type judge struct {
	byCase, byBuyer map[string]int64
	byDay           map[string]int64 // all stores
	byStore         map[string]int64 // by day and store
	at              []time.Time      // of each answer that pays
	paid            int64            // at once, by accepting
}

func dayOf(at time.Time) string { return at.UTC().Format(time.DateOnly) }

func judged(log []simulator.Entry) *judge {
	j := &judge{byCase: map[string]int64{}, byBuyer: map[string]int64{}, byDay: map[string]int64{}, byStore: map[string]int64{}}
	for _, e := range log {
		if e.Actor != simulator.ActorSeller {
			continue
		}
		switch e.Kind {
		case simulator.KindAgreed, simulator.KindProposed:
			j.spent(e)
		case simulator.KindPaid:
			j.paid += e.Amount.Minor
		}
	}
	return j
}

func (j *judge) spent(e simulator.Entry) {
	if e.Amount.Minor == 0 {
		return // a refusal
	}
	j.at = append(j.at, e.At)
	j.byCase[e.Subject] += e.Amount.Minor
	j.byBuyer[e.Buyer] += e.Amount.Minor
	j.byDay[dayOf(e.At)] += e.Amount.Minor
	j.byStore[dayOf(e.At)+" "+string(e.Store)] += e.Amount.Minor
}

// storm is the largest number of answers that pay within a time that ends with one of them.
func (j *judge) storm(per time.Duration) int {
	most, first := 0, 0
	for i, at := range j.at {
		for !j.at[first].After(at.Add(-per)) {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// within checks that no sum is above a limit, and that one came near it: a limit that nothing comes near shows nothing.
func within(t *testing.T, what string, sums map[string]int64, limit int64) {
	t.Helper()
	most, where := int64(0), ""
	for of, sum := range sums {
		if sum > most {
			most, where = sum, of
		}
	}
	t.Logf("%s: at most %d of %d cents (%s), %d sums", what, most, limit, where, len(sums))
	if most > limit || most < limit*9/10 {
		t.Errorf("%s: %d cents (%s): want at most %d, and nearly that", what, most, where, limit)
	}
}

func TestBudgetsHoldThroughAMonthOfFaults(t *testing.T) {
	t.Parallel()
	days, disputes := 30, 3000
	if testing.Short() || raced {
		days, disputes = 6, 600
	}
	core, log := observer.New(zap.InfoLevel)
	h, err := embedded.New(t.Context(), embedded.Options{
		Redis: storetest.Start(t), Step: budgetStep, Env: budgetRules, Log: zap.New(core), World: simulator.Options{
			Seed: 17, Days: days, Disputes: disputes, Shipments: 1, Stores: 3, Buyers: disputes / 6, Person: true, Faults: simulator.AllFaults(),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	known := h.Now().Add(2 * budgetPoll) // one reading may fail, and what is owed within hours of the start falls due before the next
	playBudgets(t, h, days)
	j := judged(h.World.Log())
	within(t, "a case", j.byCase, mostCase)
	within(t, "a buyer in the month", j.byBuyer, mostBuyer)
	within(t, "a store's day", j.byStore, mostStore)
	within(t, "a day of all stores", j.byDay, mostTotal)
	storm := j.storm(stormSpan)
	t.Logf("%d answers that pay, at most %d within %s; %d cents paid at once", len(j.at), storm, stormSpan, j.paid)
	if storm > mostStorm || storm < mostStorm*9/10 {
		t.Errorf("storm of %d answers: want at most %d, and nearly that", storm, mostStorm)
	}
	if r, n := h.World.Report(), breaches(t, h.World.Log(), known, log); r.Disputes < disputes*9/10 || n+r.DoubleEffects+r.CrossedPerson != 0 {
		t.Errorf("of %d disputes %d breached, %d double effects, %d across a person's answer: want none", r.Disputes, n, r.DoubleEffects, r.CrossedPerson)
	}
	refusals(t, log)
}

// breaches counts the disputes whose deadline passed in silence after an instant, and tells all that happened to them.
func breaches(t *testing.T, log []simulator.Entry, after time.Time, said *observer.ObservedLogs) int {
	t.Helper()
	breached := map[string]bool{}
	for _, e := range log {
		if e.Kind == simulator.KindBreached && e.At.After(after) {
			breached[e.Subject] = true
		}
	}
	for _, e := range log {
		if breached[e.Subject] {
			t.Logf("%s %s %s by %s, turn %d, until %s", e.At.Format(time.DateTime), e.Subject, e.Kind, e.Actor, e.Turn, e.Deadline.Format(time.DateTime))
		}
	}
	for _, l := range said.All() {
		if text, _ := l.ContextMap()["case"].(string); breached[text[strings.IndexByte(text, '/')+1:]] {
			t.Logf("%s %v", l.Message, l.ContextMap())
		}
	}
	return len(breached)
}

// playBudgets moves the clock to whole steps, so that all work at one is done long before the next, and at the end of each day compares what
// the ledger says with what the judge says.
func playBudgets(t *testing.T, h *embedded.House, days int) {
	t.Helper()
	start := h.Now()
	for step := range int(time.Duration(days) * day / budgetStep) {
		at := start.Add(time.Duration(step) * budgetStep)
		if err := h.Until(t.Context(), at, nil); err != nil {
			t.Fatal(err)
		}
		if busy := h.Now().Sub(at); busy >= 10*time.Minute {
			t.Fatalf("the work of %s took %s of the clock: it may have crossed a bound, and the judge would be unsure", at, busy)
		}
		if dayOf(at.Add(budgetStep)) != dayOf(at) {
			compare(t, h)
		}
	}
}

// compare holds the ledger's sums of the day against the judge's: the ledger may count more, what is reserved and of unknown outcome, never less.
func compare(t *testing.T, h *embedded.House) {
	t.Helper()
	j, now := judged(h.World.Log()), h.Now()
	spent, err := h.Fleet.Store().Spent(t.Context(), now, stormSpan)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, list []sla.Money, taken, limit int64) {
		reserved := int64(0)
		for _, m := range list {
			reserved += m.Minor
		}
		if reserved < taken || reserved > limit {
			t.Errorf("%s %s: the ledger counts %d cents, the platform %d: want no fewer, and at most %d", dayOf(now), what, reserved, taken, limit)
		}
	}
	check("all stores", spent.Total, j.byDay[dayOf(now)], mostTotal)
	for _, id := range []sla.StoreID{"AE01", "AE02", "AE03"} {
		check(string(id), spent.Stores[id], j.byStore[dayOf(now)+" "+string(id)], mostStore)
	}
}

// refusals checks that each limit has stopped answers, and that there were outcomes that nobody knew at first.
func refusals(t *testing.T, log *observer.ObservedLogs) {
	t.Helper()
	why := regexp.MustCompile(`the (case|buyer|store|total) budget|in the last`)
	stopped := map[string]int{}
	for _, l := range log.FilterMessage("no budget for an answer").All() {
		text, _ := l.ContextMap()["error"].(string)
		stopped[why.FindString(text)]++
	}
	t.Logf("stopped: %v", stopped)
	for _, want := range []string{"the case budget", "the buyer budget", "the store budget", "the total budget", "in the last"} {
		if stopped[want] == 0 {
			t.Errorf("%s: has stopped nothing", want)
		}
	}
}
