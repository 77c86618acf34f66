package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"watchkeeper/connectors/all"
	"watchkeeper/connectors/simulator"
	"watchkeeper/sla"
	"watchkeeper/workers/embedded"
	"watchkeeper/workers/fleet"
	"watchkeeper/workers/store/storetest"
)

// demonstrate plays the demonstration on a real Redis.
func demonstrate(t *testing.T, o embedded.Options, days int) *embedded.House {
	t.Helper()
	o.Redis, o.Step = storetest.Start(t), demoStep
	o.Env = map[string]string{"WK_STORE__AE01__RATE": "200"} // the clock hardly moves while a step is worked through
	h, err := embedded.New(t.Context(), o)
	must(t, err)
	t.Cleanup(h.Close)
	must(t, h.Until(t.Context(), h.Now().AddDate(0, 0, days), nil))
	return h
}

// within runs the program in the demonstration, and reads what it prints.
func within(t *testing.T, h *embedded.House, out any, args ...string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	tool := &tool{environ: h.Environ(), in: strings.NewReader(""), out: &stdout, err: &stderr, now: h.Now, registry: all.Platforms()}
	if code := tool.run(t.Context(), append(args, "-o", "json")); code != exitOK {
		t.Fatalf("%v: exit code %d\n%s%s", args, code, &stdout, &stderr)
	}
	must(t, json.Unmarshal(stdout.Bytes(), out))
}

// A deed is the seller's first deed in one turn: an answer through the API, or nothing.
type deed struct {
	kind, order string
	amount      sla.Money
	at, begun   time.Time // of the answer; of the turn
	paged       time.Time
}

// A turnKey is one turn of one dispute in the platform's own log.
type turnKey struct {
	issue string
	turn  int
}

// deeds reads the platform's own log.
func deeds(log []simulator.Entry) map[turnKey]*deed {
	out := map[turnKey]*deed{}
	for _, e := range log {
		key := turnKey{e.Subject, e.Turn}
		d := out[key]
		switch {
		case e.Kind == simulator.KindOwed:
			out[key] = &deed{begun: e.At, order: e.Order}
		case d == nil:
		case e.Kind == simulator.KindPaged && d.paged.IsZero():
			d.paged = e.At
		case e.Actor == simulator.ActorSeller && d.kind == "":
			switch {
			case e.Kind == simulator.KindAgreed:
				d.kind = sla.AnswerAccept.String()
			case e.Kind == simulator.KindProposed && e.Amount.Minor > 0:
				d.kind = sla.AnswerOffer.String()
			case e.Kind == simulator.KindProposed:
				d.kind = sla.AnswerRefuse.String()
			default:
				continue
			}
			d.at, d.amount = e.At, e.Amount
		}
	}
	return out
}

// disturbed reports whether the facts of a dispute changed within a time: buyer, platform or person did something in it, or its parcel was scanned.
// A rule cannot foresee that.
func disturbed(log []simulator.Entry, issue, order string, after, until time.Time) bool {
	return slices.ContainsFunc(log, func(e simulator.Entry) bool {
		if !e.At.After(after) || e.At.After(until) {
			return false
		}
		ours := e.Actor == simulator.ActorSeller || e.Kind == simulator.KindPaged
		return e.Subject == issue && !ours || e.Order == order && e.Actor == simulator.ActorCarrier
	})
}

// A foreseen is one case in the announcement of rules try.
type foreseen struct {
	Case     string         `json:"case"`
	Recorded bool           `json:"recorded"`
	Before   foreseenAnswer `json:"before"`
	After    foreseenAnswer `json:"after"`
}

type foreseenAnswer struct {
	Action string    `json:"action"`
	At     time.Time `json:"at"`
	Answer string    `json:"answer"`
	Amount *amount   `json:"amount"`
}

func (f foreseenAnswer) pays(t *testing.T) int64 {
	t.Helper()
	if f.Action != "act" || f.Amount == nil {
		return 0
	}
	m, err := sla.ParseMoney(f.Amount.Amount, f.Amount.Currency)
	must(t, err)
	return m.Minor
}

// demoStep is how far the clock of these worlds jumps.
const demoStep = 30 * time.Minute

// late is how long after the instant that rules try names the fleet may answer: a step of the clock, one more for who finds no call left in the
// first, because no call is free before the clock goes on, and the work of one.
const late = 2*demoStep + 15*time.Minute

// early is how long before it the fleet may: what it has measured of the platform makes answers due earlier, and rules try knows the rules alone.
const early = time.Minute

// came checks that what was foreseen is what happened: the answer, its amount and its time, or a page and no answer.
func (f foreseenAnswer) came(t *testing.T, name string, d *deed) {
	t.Helper()
	at, kind := d.at, f.Answer
	if f.Action != "act" {
		at, kind = d.paged, ""
	}
	if d.kind != kind || d.amount.Minor != f.pays(t) || at.Before(f.At.Add(-early)) || at.After(f.At.Add(late)) {
		t.Errorf("%s: foreseen %s %s of %d at %s, but came %q of %d at %s, paged at %s", name, f.Action, f.Answer, f.pays(t), f.At, d.kind, d.amount.Minor,
			d.at, d.paged)
	}
}

// A comparison is an announcement held against two worlds of one seed.
type comparison struct {
	t             *testing.T
	before, after map[turnKey]*deed
	was, is       []simulator.Entry
	end           time.Time

	same, left      int   // cases whose facts stayed as they were, and others
	more, less      int64 // announced, of the first
	paidMore, saved int64 // what happened
}

// hold checks one case: in the world without a change what was foreseen before it, in the other what was foreseen after it.
func (c *comparison) hold(f foreseen, key turnKey, from time.Time) {
	c.t.Helper()
	before, after := c.before[key], c.after[key]
	until := f.Before.At.Add(late)
	if last := f.After.At.Add(late); last.After(until) {
		until = last
	}
	if before == nil || after == nil || until.After(c.end) || disturbed(c.was, key.issue, before.order, from, f.Before.At.Add(late)) ||
		disturbed(c.is, key.issue, before.order, from, f.After.At.Add(late)) {
		c.left++
		return
	}
	c.same++
	f.Before.came(c.t, f.Case+" under the present rules", before)
	f.After.came(c.t, f.Case+" under the other rules", after)
	announced, happened := f.After.pays(c.t)-f.Before.pays(c.t), after.amount.Minor-before.amount.Minor
	c.more, c.less = c.more+max(announced, 0), c.less+max(-announced, 0)
	c.paidMore, c.saved = c.paidMore+max(happened, 0), c.saved+max(-happened, 0)
}

func (c *comparison) tell(what string, least int) {
	c.t.Helper()
	c.t.Logf("%s: %d cases as announced, %d whose facts changed or that lie beyond the end; %d cents more and %d less announced, %d and %d happened", what,
		c.same, c.left, c.more, c.less, c.paidMore, c.saved)
	if c.more != c.paidMore || c.less != c.saved || c.same < least || c.more == 0 || c.less == 0 {
		c.t.Errorf("%s: want the announced money in both directions, of at least %d cases", what, least)
	}
}

// TestWhatOtherRulesWouldChangeIsWhatTheyChange plays a month to a day under the rules of the demonstration, asks what others would change, and
// then plays the same month on under both, and once from its beginning under the others.
func TestWhatOtherRulesWouldChangeIsWhatTheyChange(t *testing.T) {
	t.Parallel()
	const asked, played = 6, 9
	world := simulator.Options{Seed: 1, Days: 10, Disputes: 120, Shipments: 100, Person: true}
	others := written(t, "WK_SLA__MODE=live", "WK_SLA__OFFER_SHARE=50%", "WK_SLA__ACCEPT_CAP=40USD", "WK_SLA__ALIEXPRESS__REASON__NOT_RECEIVED__ACT_BEFORE=60h")
	file, err := fleet.ReadEnvFile(others)
	must(t, err)
	changed := demonstrate(t, embedded.Options{World: world}, asked)
	var v struct {
		Open        int        `json:"open"`
		Recorded    int        `json:"recorded"`
		Differences []foreseen `json:"differences"`
	}
	within(t, changed, &v, "rules", "try", others)
	t.Logf("of %d open and %d recorded cases %d differ", v.Open, v.Recorded, len(v.Differences))
	now, turns := changed.Now(), map[string]int{}
	for key := range deeds(changed.World.Log()) {
		turns[key.issue] = max(turns[key.issue], key.turn)
	}
	must(t, changed.Change(t.Context(), file))
	must(t, changed.Until(t.Context(), now.AddDate(0, 0, played-asked), nil))
	kept := demonstrate(t, embedded.Options{World: world}, played)
	fresh := demonstrate(t, embedded.Options{World: world, File: file}, asked)

	open := &comparison{t: t, was: kept.World.Log(), is: changed.World.Log(), end: changed.Now()}
	past := &comparison{t: t, was: kept.World.Log(), is: fresh.World.Log(), end: fresh.Now()}
	for _, c := range []*comparison{open, past} {
		c.before, c.after = deeds(c.was), deeds(c.is)
	}
	told := map[string]bool{}
	for _, f := range v.Differences {
		_, issue, _ := strings.Cut(f.Case, "/")
		switch {
		case !f.Recorded:
			open.hold(f, turnKey{issue, turns[issue]}, now)
			told[issue] = true
		case past.first(issue, f):
			past.hold(f, turnKey{issue, 1}, past.before[turnKey{issue, 1}].begun)
		}
	}
	open.tell("open cases", 10)
	past.tell("recorded cases, from the beginning", 10)
	open.others(told, turns, now)
}

// first reports whether what was foreseen is about the first turn: later ones follow from other answers.
func (c *comparison) first(issue string, f foreseen) bool {
	d := c.before[turnKey{issue, 1}]
	return d != nil && d.kind != "" && !f.Before.At.Before(d.begun) && !d.at.Before(f.Before.At.Add(-early)) && d.at.Before(f.Before.At.Add(late))
}

// others checks that nothing else differs: an open case that rules try does not name is answered alike.
func (c *comparison) others(told map[string]bool, turns map[string]int, from time.Time) {
	c.t.Helper()
	alike := 0
	for _, issue := range slices.Sorted(maps.Keys(turns)) {
		key := turnKey{issue, turns[issue]}
		before, after := c.before[key], c.after[key]
		if told[issue] || before == nil || after == nil || before.at.Before(from) || before.begun.After(from.Add(-time.Hour)) { // or not on record yet
			continue
		}
		alike++
		if before.kind != after.kind || before.amount != after.amount || before.at.Sub(after.at).Abs() > late {
			c.t.Errorf("%s: %s of %d at %s, and under the other rules %s of %d at %s, which was not announced", issue, before.kind, before.amount.Minor, before.at,
				after.kind, after.amount.Minor, after.at)
		}
	}
	c.t.Logf("%d open cases that were not named were answered alike", alike)
}
