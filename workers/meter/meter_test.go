package meter_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
	"watchkeeper/workers/meter"
)

// bundle is a meter on a clock that only the test moves.
type bundle struct {
	*meter.Meter
	now   time.Time
	slots map[sla.StoreID]int
}

func setup() *bundle {
	b := &bundle{now: slatest.Epoch, slots: map[sla.StoreID]int{}}
	b.Meter = meter.New([]sla.Platform{"ebay", "paypal"}, func(s sla.StoreID) int { return b.slots[s] }, func() time.Time { return b.now })
	return b
}

func (b *bundle) due(store sla.StoreID, n int, in time.Duration) {
	for i := range n {
		c := sla.Case{DisputeRef: sla.DisputeRef{ID: dispute(store, b.now.Add(in), i)}}
		b.Due("ebay", c, b.now.Add(in))
	}
}

// dispute is the i-th of those that have their guard at an instant.
func dispute(store sla.StoreID, guard time.Time, i int) sla.DisputeID {
	return sla.DisputeID{Platform: "ebay", Store: store, Native: fmt.Sprintf("%d-%d", guard.Unix(), i)}
}

func (b *bundle) made() meter.View {
	b.Make()
	return b.View("ebay")
}

func TestAPlatformThatNobodyHasMeasuredCountsAsSlow(t *testing.T) {
	t.Parallel()
	b := setup()
	if got := b.View("ebay").Margin; got.Guard != 20*time.Second || got.Lead != 20*time.Second {
		t.Errorf("fresh: %+v", got)
	}
	b.Took("ebay", 300*time.Millisecond)
	if got := b.made().Margin.Guard; got != time.Second {
		t.Errorf("measured: %s", got)
	}
	if got := b.View("paypal").Margin.Guard; got != 20*time.Second {
		t.Errorf("another: %s", got)
	}
	b.now = b.now.Add(time.Hour + time.Second)
	if got := b.made().Margin.Guard; got != 20*time.Second {
		t.Errorf("measured long ago: %s", got)
	}
}

func TestWhatOthersHaveMeasuredCountsWhileTheyAreHeard(t *testing.T) {
	t.Parallel()
	b := setup()
	b.Hear(map[sla.Platform]sla.Measured{"ebay": {Known: true, Latency: time.Second}})
	if got := b.made().Margin.Guard; got != 2*time.Second {
		t.Errorf("want what they have measured where we have nothing, got %s", got)
	}
	b.Took("ebay", 4*time.Second)
	if got := b.made().Margin.Guard; got != 8*time.Second {
		t.Errorf("want the worse of both, got %s", got)
	}
	b.Hear(map[sla.Platform]sla.Measured{"ebay": {Known: true, Latency: time.Minute}})
	b.now = b.now.Add(2 * time.Minute)
	if got := b.made().Margin.Guard; got != 2*time.Minute {
		t.Errorf("want theirs, got %s", got)
	}
	b.now = b.now.Add(time.Second)
	if got := b.made().Margin.Guard; got != 8*time.Second {
		t.Errorf("want ours alone, got %s", got)
	}
}

func TestAReadingOfTheClockThatDiffersAddsToTheMargin(t *testing.T) {
	t.Parallel()
	b := setup()
	b.Took("ebay", 0)
	b.Clock("ebay", "E1", 10*time.Minute)
	if got := b.made().Margin.Guard; got != 0 {
		t.Errorf("a clock that is wrong by the same time is no doubt, got %s", got)
	}
	b.Clock("ebay", "E2", -time.Hour) // a host of its own
	if got := b.made().Margin.Guard; got != 0 {
		t.Errorf("another store's clock is no doubt, got %s", got)
	}
	b.Clock("ebay", "E1", 9*time.Minute+47*time.Second)
	b.Clock("ebay", "E2", -time.Hour+2*time.Second)
	if got := b.made().Margin.Guard; got != 13*time.Second {
		t.Errorf("want the farthest change, got %s", got)
	}
	b.Clock("ebay", "E2", -400*24*time.Hour)
	b.Waits("ebay", 400*24*time.Hour)
	if got := b.made().Margin.Guard; got != sla.MostGuard {
		t.Errorf("a lie: %s", got)
	}
	b.now = b.now.Add(3 * time.Hour)
	b.Took("ebay", 0)
	if got := b.made().Margin.Guard; got > time.Minute {
		t.Errorf("a lie of three hours ago still takes %s", got)
	}
}

func TestAClockThatWasRightAndJumpsAddsToTheMargin(t *testing.T) {
	t.Parallel()
	b := setup()
	b.Took("ebay", 0)
	b.Clock("ebay", "E1", 0)
	for _, skew := range []time.Duration{-30 * time.Minute, 0} {
		if b.Clock("ebay", "E1", skew); b.made().Margin.Guard != 30*time.Minute {
			t.Errorf("now %s off: want the change in the margin, got %s", skew, b.View("ebay").Margin.Guard)
		}
		b.now = b.now.Add(4 * time.Hour)
		b.Took("ebay", 0)
	}
}

func TestWhatIsDueIsTakenTogetherByAllowance(t *testing.T) {
	t.Parallel()
	b := setup()
	b.slots["E1"], b.slots["E2"] = 2, 3
	b.Allowed("ebay", "E1", "app", time.Second)
	b.Allowed("ebay", "E2", "app", time.Second)
	b.due("E1", 3, 30*time.Minute)
	b.due("E2", 2, 5*time.Hour)
	b.due("E3", 4, time.Hour)
	b.due("E1", 5, 0) // people's by now
	own := b.Own()["ebay"].Allowances
	if app := own["app"]; app.Every != time.Second || app.Slots != 5 || app.Backlog() != 5 || app.Owed[0].Seen != b.now.UnixMilli() {
		t.Errorf("got %+v", app)
	}
	b.slots["E2"] = 0
	if app := b.Own()["ebay"].Allowances["app"]; app.Slots != 0 {
		t.Errorf("want any number where one store has no limit, got %d", app.Slots)
	}
	if other := own["ebay/E3"]; other.Slots != 0 || other.Backlog() != 4 || !other.Due()[0].By.Equal(b.now.Add(time.Hour)) {
		t.Errorf("got %+v", other)
	}
	if len(own) != 2 {
		t.Errorf("got %+v", own)
	}
}

func TestReplicasCountACaseOnceWhoeverLookedAtItAndWhoeverAnsweredIt(t *testing.T) {
	t.Parallel()
	one, two := setup(), setup()
	one.due("E1", 10, time.Hour)
	two.now = one.now.Add(time.Second)
	two.due("E1", 4, time.Hour-time.Second) // the same guard
	told := func(b *bundle, want int) {
		t.Helper()
		other := map[*bundle]*bundle{one: two, two: one}[b]
		if got := b.Own()["ebay"].Worse(other.Note()["ebay"]).Allowances["ebay/E1"].Backlog(); got != want {
			t.Errorf("want %d due, got %d", want, got)
		}
	}
	told(one, 10)
	told(two, 10)
	two.now = two.now.Add(time.Second)
	two.Done("ebay", dispute("E1", one.now.Add(time.Hour), 7)) // one had called it due, two has answered it
	told(one, 9)
	told(two, 9)
}

func TestADutyThatIsDoneOrNotSaidAgainIsForgotten(t *testing.T) {
	t.Parallel()
	b := setup()
	guard := b.now.Add(time.Hour)
	backlog := func(want int) {
		t.Helper()
		if got := b.Own()["ebay"].Allowances["ebay/E1"].Backlog(); got != want {
			t.Errorf("want %d due, got %d", want, got)
		}
	}
	b.due("E1", 4, time.Hour)
	b.Done("ebay", dispute("E1", guard, 2))
	backlog(3)
	b.now = b.now.Add(2 * time.Minute)
	b.due("E1", 1, 58*time.Minute) // its guard is where it was
	backlog(3)
	b.now = b.now.Add(time.Minute)
	backlog(1) // the others were answered elsewhere, or they would have been looked at
	b.PutOff("ebay", dispute("E1", guard, 99), b.now.Add(time.Hour))
	b.PutOff("ebay", dispute("E1", guard, 0), b.now.Add(5*time.Minute))
	b.now = b.now.Add(7 * time.Minute)
	backlog(1) // nobody looks before
	b.now = b.now.Add(time.Minute)
	backlog(0)
}

// Whatever a backlog does, a meter keeps a bounded part of it, and tells the others of less; and what it has kept goes on.
func TestWhatIsKeptAndToldOfABacklogIsBounded(t *testing.T) {
	t.Parallel()
	const most, told = 100_000, sla.MostOwed
	b := setup()
	guard := b.now.Add(time.Hour)
	b.due("E1", most+most/10, time.Hour)
	of := func(m map[sla.Platform]sla.Measured) sla.Allowance { return m["ebay"].Allowances["ebay/E1"] }
	if got := len(of(b.Own()).Owed); got != most {
		t.Errorf("want %d kept, got %d", most, got)
	}
	note := of(b.Note())
	if got := len(note.Owed); got > told || got < told/4 {
		t.Errorf("want a sample of at most %d told, got %d", told, got)
	}
	if got := note.Backlog(); got < most*9/10 || got > most*11/10 {
		t.Errorf("want the sample to stand for about %d, got %d", most, got)
	}
	b.Done("ebay", dispute("E1", guard, 0))
	if got := of(b.Own()).Backlog(); got != most-1 {
		t.Errorf("want the end of one of them heard, got %d", got)
	}
}

func TestPressureRisesWithWhatIsDueAndFallsSlowly(t *testing.T) {
	t.Parallel()
	b := setup()
	b.Took("ebay", time.Second)
	b.Allowed("ebay", "E1", "app", 12*time.Second) // a minute for an answer
	b.due("E1", 20, time.Hour)
	if got := b.made(); got.Level != sla.PressurePoll || b.Worst() != sla.PressurePoll || b.Level("paypal") != sla.PressureNone {
		t.Errorf("got %+v", got)
	}
	others := make([]sla.Owed, 45)
	for i := range others {
		others[i] = sla.Owed{Case: uint32(i), By: b.now.Add(time.Hour).Unix()}
	}
	b.Hear(map[sla.Platform]sla.Measured{"ebay": {Known: true, Allowances: map[string]sla.Allowance{
		"app": {Every: 12 * time.Second, Owed: others},
	}}})
	if got := b.made(); got.Level != sla.PressureAnswers || got.Shortage.Due != 65 {
		t.Errorf("want what waits with all replicas counted, got %+v", got)
	}
	b.Hear(nil)
	if got := b.made(); got.Level != sla.PressureAnswers || got.Shortage.Level != sla.PressurePoll {
		t.Errorf("want the level kept, got %+v", got)
	}
}

// Whatever is measured, the margin is within its bounds, and what is slower or later never makes it smaller.
func TestAMarginNeverShrinksByWhatIsWorse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b, worse := setup(), setup()
		for range rapid.IntRange(0, 20).Draw(t, "n") {
			d := time.Duration(rapid.Int64Range(-1, int64(2*time.Hour)).Draw(t, "took"))
			more := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "more"))
			b.Took("ebay", d)
			worse.Took("ebay", max(d, 0)+more)
			b.Waits("ebay", d/10)
			worse.Waits("ebay", max(d, 0)/10+more)
		}
		n := rapid.IntRange(0, 50).Draw(t, "due")
		b.due("E1", n, time.Hour)
		worse.due("E1", n+rapid.IntRange(0, 50).Draw(t, "more due"), time.Hour)
		small, big := b.made(), worse.made()
		if small.Margin.Guard < 0 || big.Margin.Guard > sla.MostGuard || big.Margin.Lead > sla.MostLead {
			t.Fatalf("%+v and %+v", small, big)
		}
		if big.Margin.Guard < small.Margin.Guard || big.Margin.Lead < small.Margin.Lead || big.Level < small.Level {
			t.Fatalf("%+v of the worse, %+v of the better", big, small)
		}
	})
}

//nolint:paralleltest // allocations are counted for the whole process
func TestAViewAllocatesNothingAndWaitsForNobody(t *testing.T) {
	b := setup()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 200 {
				b.Took("ebay", time.Second)
				b.Due("ebay", slatest.Case(), b.now.Add(time.Hour))
				b.Make()
				_ = b.View("ebay")
			}
		})
	}
	all.Wait()
	b.Took("nobody's", time.Second)
	if got := b.View("nobody's"); got != (meter.View{}) {
		t.Errorf("got %+v", got)
	}
	if n := testing.AllocsPerRun(100, func() { _ = b.View("ebay") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
