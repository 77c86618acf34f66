package fleet

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sethvargo/go-envconfig"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

func TestOnlyWhatIsSurelyApartCounts(t *testing.T) {
	t.Parallel()
	asked := time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)
	answered := asked.Add(10 * time.Second) // a reply that is late proves nothing
	for theirs, want := range map[time.Duration]time.Duration{
		-25 * time.Second: 25 * time.Second, -time.Second: time.Second, 0: 0, 5 * time.Second: 0, 10 * time.Second: 0,
		11 * time.Second: -time.Second, time.Hour: 10*time.Second - time.Hour,
	} {
		if got := apart(asked, answered, asked.Add(theirs)); got != want {
			t.Errorf("%s after the question: want %s, got %s", theirs, want, got)
		}
	}
}

// hand is a clock that a test sets.
type hand struct{ at time.Time }

func (h *hand) now() time.Time { return h.at }

func newHand() *hand { return &hand{time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)} }

func TestAClockIsBelievedWhileItAgreesWithRedisAndDoesNotJump(t *testing.T) {
	t.Parallel()
	h := newHand()
	k := newTimekeeper(h.now, prometheus.NewRegistry())
	if h.at = h.at.Add(time.Hour); !k.believed() {
		t.Error("want a clock that was never compared believed")
	}
	for _, c := range []struct {
		ahead, jump time.Duration
		want        bool
	}{
		{0, 0, true},
		{20 * time.Second, 0, true},
		{-20 * time.Second, 0, true},
		{20*time.Second + 1, 0, false},
		{20 * time.Second, 0, false},
		{15*time.Second + 1, 0, false},
		{15 * time.Second, 0, true},
		{-20*time.Second - 1, 0, false},
		{0, 20 * time.Second, true},
		{0, 20*time.Second + 1, false},
		{0, -20*time.Second - 1, false},
		{0, -time.Hour, false},
	} {
		k.compare(h.at, h.at, h.at.Add(-c.ahead))
		h.at = h.at.Add(c.jump)
		if got := k.believed(); got != c.want {
			t.Errorf("%s ahead, and then %s on: want believed %v, got %v", c.ahead, c.jump, c.want, got)
		}
	}
	k.compare(h.at, h.at, h.at.Add(time.Hour))
	if k.compare(h.at, h.at, time.Time{}); k.believed() {
		t.Error("want a server that does not tell the time to change no verdict")
	}
	asked := h.at
	h.at = h.at.Add(time.Hour)
	if k.compare(asked, h.at, asked); k.believed() {
		t.Error("want a clock that jumped while Redis was asked not believed")
	}
}

// thawed is a store in which answers may be sent.
func thawed(t *testing.T, h *hand) *store.Store {
	t.Helper()
	rdb := storetest.Connect(t, storetest.StartEmbedded(t))
	s, err := store.Open(t.Context(), rdb, store.Options{Now: h.now, Stores: map[sla.StoreID]sla.Platform{"Q01": "quiet"}, Settle: time.Minute, Log: zap.NewNop()})
	if err == nil {
		_, err = s.CheckEpoch(t.Context(), h.at)
	}
	if err != nil {
		t.Fatal(err)
	}
	h.at = h.at.Add(2 * time.Minute)
	return s
}

// What a jump of the clock meets halfway: no timer is written by it, nothing is claimed and nothing is about to be sent, but what was sent is remembered.
func TestAClockThatJumpedWritesNoTimerAndForgetsNoOutcome(t *testing.T) {
	t.Parallel()
	ctx, h := t.Context(), newHand()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s := thawed(t, h)
	k := newTimekeeper(h.now, prometheus.NewRegistry())
	f := timed{s, k}
	id := sla.DisputeID{Platform: "quiet", Store: "Q01", Native: "1"}
	write := sla.CaseWrite{CaseRecord: sla.CaseRecord{Case: sla.Case{DisputeRef: sla.DisputeRef{ID: id}, State: sla.StateSeller, Next: h.at.Add(time.Hour)}}}
	keys := []sla.AttemptKey{{Dispute: id, Turn: 7}}
	ship := []sla.ShipmentWrite{{ShipmentRecord: sla.ShipmentRecord{Store: "Q01", Next: h.at.Add(time.Hour)}}}
	ship[0].Ref.Number = "LX1"
	feed := sla.FeedRecord{ID: "Q01/disputes", Store: "Q01", Next: h.at.Add(time.Hour)}
	all := func() (errs []error) {
		_, err := f.PutCases(ctx, []sla.CaseWrite{write})
		errs = append(errs, err)
		_, err = f.PutShipments(ctx, ship)
		errs = append(errs, err)
		_, err = f.PutFeed(ctx, feed)
		errs = append(errs, err)
		_, err = f.BeginFeed(ctx, feed)
		return append(errs, err)
	}
	k.compare(h.at, h.at, h.at)
	must(errors.Join(all()...))
	write.Expect = 1
	claim := f.ClaimAttempts(ctx, keys, h.at, time.Minute)[0]
	must(claim.Err)
	intent := sla.Intent{Attempt: claim.Attempt, Now: h.at, Since: h.at}
	intent.Kind = sla.AnswerRefuse
	h.at = h.at.Add(time.Hour)
	for i, err := range all() {
		if !errors.Is(err, errClock) {
			t.Errorf("write %d after the jump: want it refused, got %v", i, err)
		}
	}
	if c := f.ClaimAttempts(ctx, append(keys, keys...), h.at, time.Minute); len(c) != 2 || !errors.Is(c[0].Err, errClock) || !errors.Is(c[1].Err, errClock) {
		t.Errorf("want no claim after the jump, got %+v", c)
	}
	if _, err := f.RecordIntent(ctx, intent); !errors.Is(err, errClock) {
		t.Errorf("want no intent after the jump, got %v", err)
	}
	h.at = h.at.Add(-time.Hour)
	sent, err := f.RecordIntent(ctx, intent)
	must(err)
	h.at = h.at.Add(time.Hour)
	write.Next = h.at.Add(time.Hour)
	must(f.Settle(ctx, sent, sla.Settlement{State: sla.AttemptSettled, At: h.at, Case: &write}))
	attempts, err := s.Attempts(ctx, id)
	must(err)
	records, _, err := s.Cases(ctx, []sla.DisputeID{id})
	must(err)
	if len(attempts) != 1 || attempts[0].State != sla.AttemptSettled || records[0].Next.After(h.at) {
		t.Errorf("want the outcome on record and the timer as it was, got %+v and %s", attempts, records[0].Next)
	}
}

func TestOnePlatformWithAWrongDateAccusesNobodyAndMostOfThemAreOnlyAWarning(t *testing.T) {
	t.Parallel()
	sources := connectors.Sources{}
	for id, platform := range map[sla.StoreID]sla.Platform{"A01": "a", "A02": "a", "A03": "a", "B01": "b"} {
		sources[id] = &connectors.Source{Store: id, Platform: platform}
	}
	core, logs := observer.New(zap.DebugLevel)
	h := newHand()
	f := &Fleet{sources: sources, log: zap.New(core), clock: newTimekeeper(h.now, prometheus.NewRegistry())}
	warned := func() int { return logs.FilterMessage("most platforms tell another time").Len() }
	for id := range sources {
		if sources[id].Platform == "a" {
			sources[id].Observe(-time.Hour)
		}
	}
	if f.askPlatforms(); warned() != 0 {
		t.Error("one platform of two was believed against the other")
	}
	sources["B01"].Observe(-30 * time.Second)
	f.askPlatforms()
	f.askPlatforms()
	if warned() != 1 || !f.clock.believed() {
		t.Errorf("want one warning and the clock believed, got %d, %v", warned(), f.clock.believed())
	}
	sources["B01"].Observe(0)
	f.askPlatforms()
	sources["B01"].Observe(30 * time.Second)
	for _, id := range []sla.StoreID{"A01", "A02", "A03"} {
		sources[id].Observe(30 * time.Second)
	}
	if f.askPlatforms(); warned() != 2 {
		t.Errorf("want a second warning when it is so again, got %d", warned())
	}
}

func TestLoopsStandStillByAClockThatIsNotBelieved(t *testing.T) {
	t.Parallel()
	h := newHand()
	f := &Fleet{clock: newTimekeeper(h.now, prometheus.NewRegistry())}
	turns := 0
	once := f.onTime(func(context.Context) error { turns++; return nil })
	f.clock.compare(h.at, h.at, h.at)
	_ = once(t.Context())
	h.at = h.at.Add(time.Minute)
	if err := once(t.Context()); err != nil || turns != 1 {
		t.Errorf("want one turn, got %d (%v)", turns, err)
	}
}

// bare is a platform that offers nothing.
func bare() connectors.Registry {
	return connectors.Registry{{
		Name: "bare", New: func(context.Context, envconfig.Lookuper, connectors.Deps) (connectors.Built, error) {
			return connectors.Built{}, nil
		},
	}}
}

// ruledBy is a fleet with one bare store, whose clock a hand moves.
func ruledBy(t *testing.T, h *hand, log *zap.Logger) *Fleet {
	t.Helper()
	environ := []string{"WK_REDIS__ADDRS=" + storetest.StartEmbedded(t), "WK_STORE__B01__PLATFORM=bare", "WK_HTTP__LISTEN=127.0.0.1:0"}
	config, book, err := Load(t.Context(), environ, bare())
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(t.Context(), Options{Config: config, Book: book, Registry: bare(), Now: h.now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Stop(context.Background()) })
	return f
}

func TestTheHandlersOfAFleetWriteByABelievedClockOnly(t *testing.T) {
	t.Parallel()
	h := newHand()
	f := ruledBy(t, h, zap.NewNop())
	f.meter.Due("bare", sla.Case{DisputeRef: sla.DisputeRef{ID: sla.DisputeID{Platform: "bare", Store: "B01", Native: "1"}}}, h.at.Add(time.Hour))
	f.clock.compare(h.at, h.at, h.at.Add(time.Hour))
	if err := f.measure(t.Context()); err != nil {
		t.Errorf("want what is measured here to count, got %v", err)
	}
	if all, err := f.store.Measured(t.Context(), "", h.at); err != nil || len(all) != 0 {
		t.Errorf("want no measurements told by a wrong clock, got %v (%v)", all, err)
	}
	if _, err := f.handlers.Store.PutCases(t.Context(), nil); !errors.Is(err, errClock) {
		t.Errorf("want the records closed, got %v", err)
	}
	if _, err := f.handlers.Ledger.RecordIntent(t.Context(), sla.Intent{}); !errors.Is(err, errClock) {
		t.Errorf("want the ledger closed, got %v", err)
	}
	f.leaveMeasures(t.Context())
	if all, err := f.store.Measured(t.Context(), "", h.at); err != nil || len(all) != 1 || len(all["bare"].Allowances) != 0 {
		t.Errorf("want what was measured left to the others, and nothing due, got %v (%v)", all, err)
	}
}

func TestOfTwoInTheMiddleTheSmallerOneCounts(t *testing.T) {
	t.Parallel()
	const far = time.Minute
	for name, c := range map[string]struct {
		of   []time.Duration
		want time.Duration
	}{
		"nothing": {nil, 0}, "one": {[]time.Duration{far}, far}, "one of two ahead": {[]time.Duration{far, 1}, 1}, "one of two behind": {[]time.Duration{1, -far}, 1},
		"two of three": {[]time.Duration{far, 0, far}, far}, "two of four": {[]time.Duration{far, 0, far, 0}, 0},
	} {
		if got := median(c.of); got != c.want {
			t.Errorf("%s: want %s, got %s", name, c.want, got)
		}
	}
}

// What is due in two days is due in an hour by a clock that is 47 hours ahead.
func TestAProcessWhoseClockIsWrongPagesNobodyForAShortageThatItSeesAlone(t *testing.T) {
	t.Parallel()
	h := newHand()
	core, logs := observer.New(zap.ErrorLevel)
	f := ruledBy(t, h, zap.New(core))
	owed := make([]sla.Owed, 120)
	for i := range owed {
		owed[i] = sla.Owed{Case: uint32(i), By: h.at.Add(48 * time.Hour).Unix()}
	}
	of := sla.Measured{Known: true, Allowances: map[string]sla.Allowance{"the app": {Every: 12 * time.Second, Owed: owed}}}
	for _, believed := range []bool{true, false} {
		if !believed {
			h.at = h.at.Add(47 * time.Hour)
			f.clock.compare(h.at, h.at, h.at.Add(-47*time.Hour))
		}
		if err := f.store.NoteMeasured(t.Context(), "another", map[sla.Platform]sla.Measured{"bare": of}, h.at); err != nil {
			t.Fatal(err)
		}
		if err := f.measure(t.Context()); err != nil || logs.FilterMessage("time is short").Len() != 0 {
			t.Errorf("believed %t: want nobody paged, got %d pages (%v)", believed, logs.Len(), err)
		}
	}
}

// The first reading of a clock that is hours off is no change, although nothing was known before.
func TestAStoreThatWasNotReadYetHasNoClockThatCouldChange(t *testing.T) {
	t.Parallel()
	h := newHand()
	f := ruledBy(t, h, zap.NewNop())
	measures := func(want time.Duration) {
		t.Helper()
		if err := f.measure(t.Context()); err != nil || f.meter.View("bare").Margin.Guard != want {
			t.Errorf("want a margin of %s, got %s (%v)", want, f.meter.View("bare").Margin.Guard, err)
		}
	}
	measures(20 * time.Second)
	f.sources["B01"].Observe(8 * time.Hour)
	measures(20 * time.Second)
	f.sources["B01"].Observe(0)
	measures(sla.MostGuard)
}

func TestAClockThatIsHeldAgainstNoneIsNotCompared(t *testing.T) {
	t.Parallel()
	h := newHand()
	f := ruledBy(t, h, zap.NewNop())
	f.clock.compare(h.at, h.at, h.at)
	if !f.handlers.Compared() {
		t.Error("want it compared with what Redis told")
	}
	f.clock.compare(h.at, h.at, time.Time{})
	if f.handlers.Compared() {
		t.Error("want it alone where Redis does not tell its time")
	}
	f.clock.compare(h.at, h.at, h.at.Add(-30*time.Second))
	if f.handlers.Compared() {
		t.Error("want nothing held against a clock that is wrong: work that has begun goes on by it")
	}
	f.clock.compare(h.at, h.at, h.at)
	h.at = h.at.Add(21 * time.Second)
	if f.handlers.Compared() {
		t.Error("want nothing held against a clock that was compared long ago")
	}
	f.clock.compare(h.at, h.at, h.at)
	for step, want := range map[time.Duration]bool{19 * time.Second: true, -19 * time.Second: true, 21 * time.Second: false, -12 * time.Minute: false} {
		f.clock.wall = f.clock.steady.Round(0).Add(-step) // as if the wall clock had gone on by so much without the monotonic one
		if f.handlers.Compared() != want {
			t.Errorf("want it comparable %t after a step of %s of all clocks alike", want, step)
		}
	}
	f.clock.wall = f.clock.steady.Round(0).Add(-time.Hour)
	f.o.VirtualTime = true
	if !f.handlers.Compared() {
		t.Error("want one clock for all where a hand moves it")
	}
}

// A call of an allowance that is taken by a clock far ahead is missed by all others for as long.
func TestByAClockThatIsNotBelievedNoCallIsTakenAndNothingReserved(t *testing.T) {
	t.Parallel()
	h := newHand()
	f := ruledBy(t, h, zap.NewNop())
	for _, believed := range []bool{true, false} {
		if !believed {
			f.clock.compare(h.at, h.at, h.at)
			h.at = h.at.Add(time.Hour)
		}
		_, one := f.shared.Take(t.Context(), "app", 5, time.Second)
		_, many := f.shared.TakeInBulk(t.Context(), "app", 5, time.Second, true)
		if (one == nil) != believed || (many == nil) != believed {
			t.Errorf("believed %t: want calls as much, got %v and %v", believed, one, many)
		}
		if err := f.handlers.Money.Reserve(t.Context(), sla.Spend{}, h.at); errors.Is(err, errClock) == believed {
			t.Errorf("believed %t: want money as much, got %v", believed, err)
		}
	}
}
