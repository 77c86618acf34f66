package fleet_test

import (
	"cmp"
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
	"watchkeeper/workers/fleet"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

// market is a platform whose calls take time on the fleet's clock, and which allows a number of them in ten seconds.
type market struct {
	b       *bundle
	answers time.Duration // a call that answers takes so long
	allowed int           // calls in ten seconds; 0: any number
	limiter connectors.Limiter

	mu      sync.Mutex
	polls   int
	until   map[string]time.Time // the deadlines
	arrived map[string]time.Time // when answers took effect
	notices []handle.Notice
}

func (m *market) call(ctx context.Context, takes time.Duration) error {
	if m.allowed > 0 {
		wait, err := m.limiter.Take(ctx, "the app", m.allowed, 10*time.Second)
		if err != nil || wait > 0 {
			return &connectors.Error{Op: "call", Kind: connectors.Throttled, RetryAfter: wait, Err: cmp.Or(err, connectors.ErrOwnLimit)}
		}
	}
	m.b.clock.Add(takes.Milliseconds())
	return nil
}

func (m *market) Fetch(ctx context.Context, _ connectors.Cursor) (connectors.Page, error) {
	m.mu.Lock()
	m.polls++
	m.mu.Unlock()
	return connectors.Page{Next: connectors.Cursor{Token: "on"}}, m.call(ctx, 0)
}

func (m *market) Resolve(context.Context, connectors.Row) (sla.Dispute, error) {
	return sla.Dispute{}, &connectors.Error{Op: "resolve", Kind: connectors.NotFound}
}

func (m *market) Lookup(ctx context.Context, ref sla.DisputeRef) (sla.Dispute, error) {
	m.mu.Lock()
	until := m.until[ref.ID.Native]
	m.mu.Unlock()
	d := slatest.Dispute()
	d.DisputeRef, d.Reason = ref, sla.ReasonDamaged
	d.Obligations = []sla.Obligation{owed(until.Add(-4*24*time.Hour), until)}
	return d, m.call(ctx, 0)
}

func (m *market) Respond(ctx context.Context, d sla.Dispute, _ sla.Answer) (connectors.Receipt, error) {
	if err := m.call(ctx, m.answers); err != nil {
		return connectors.Receipt{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.arrived[d.ID.Native] = m.b.now()
	return connectors.Receipt{ID: d.ID.Native}, nil
}

func (m *market) Confirm(context.Context, sla.Dispute, sla.Answer) (connectors.Outcome, error) {
	return connectors.OutcomePresent, nil
}

// Warn and Page keep what people were told.
func (m *market) Warn(context.Context, handle.Notice) {}

func (m *market) Page(_ context.Context, n handle.Notice) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.notices = append(m.notices, n)
}

// opens is a fleet on the market, in a store that may send; each call makes a replica.
func (m *market) opens(t *testing.T, addr string) *bundle {
	t.Helper()
	registry := connectors.Registry{{
		Name: "quiet", Poll: 10 * time.Second, Defaults: func(r sla.Rule) sla.Rule { return r },
		New: func(_ context.Context, _ envconfig.Lookuper, d connectors.Deps) (connectors.Built, error) {
			m.limiter = d.Limiter
			return connectors.Built{Connector: m, Responder: m}, nil
		},
	}}
	environ := []string{
		"WK_REDIS__ADDRS=" + addr, "WK_STORE__Q01__PLATFORM=quiet", "WK_HTTP__LISTEN=127.0.0.1:0", "WK_SLA__MODE=live", "WK_SLA__ANSWER=refuse@0h",
		"WK_SLA__ACT_BEFORE=4d", "WK_SLA__GUARD=90m",
	}
	config, book, err := fleet.Load(t.Context(), environ, registry)
	if err != nil {
		t.Fatal(err)
	}
	rdb := storetest.Connect(t, addr)
	core, logs := observer.New(zap.InfoLevel)
	b := &bundle{t: t, redis: rdb, logs: logs}
	if m.b == nil {
		m.b, m.until, m.arrived = b, map[string]time.Time{}, map[string]time.Time{}
		b.clock.Store(time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC).UnixMilli())
	}
	b.o = fleet.Options{Config: config, Book: book, Registry: registry, Now: m.b.now, Log: zap.New(core), Idle: time.Millisecond, Notify: m}
	if b.fleet, err = fleet.New(t.Context(), b.o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.must(b.fleet.Stop(context.Background())) })
	b.must(b.fleet.Begin(t.Context()))
	return b
}

// owe records a case of the market that was opened days ago and has so much time left before its guard.
func (m *market) owe(native string, beforeGuard time.Duration) {
	until := m.b.now().Add(90*time.Minute + beforeGuard)
	m.mu.Lock()
	m.until[native] = until
	m.mu.Unlock()
	c := slatest.Case()
	c.DisputeRef = sla.DisputeRef{ID: sla.DisputeID{Platform: "quiet", Store: "Q01", Native: native}, Order: "8000001"}
	c.State, c.Reason, c.Next, c.Obligation = sla.StateSeller, sla.ReasonDamaged, m.b.now(), owed(until.Add(-4*24*time.Hour), until)
	_, err := m.b.fleet.Store().PutCases(m.b.t.Context(), []sla.CaseWrite{{CaseRecord: sla.CaseRecord{Case: c, Fingerprint: 1}}})
	m.b.must(err)
}

func (m *market) pagesFor(why sla.Why) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, notice := range m.notices {
		if notice.Why == why {
			n++
		}
	}
	return n
}

// An answer that takes 50 seconds and leaves half a minute before the guard takes effect after it. A fleet that knows the platform does not
// send it: it pages at once, with the whole guard left for a person.
func TestAnAnswerThatWouldTakeEffectAfterGuardIsNotSent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		taught, late bool
		guard        float64
	}{
		"a platform that nobody knows": {taught: false, late: true, guard: 5420},
		"one that was measured":        {taught: true, late: false, guard: 5500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &market{answers: 50 * time.Second}
			b := m.opens(t, storetest.Start(t))
			b.step(store.DefaultSettle + 2*time.Hour)
			if c.taught {
				m.owe("early", 10*time.Hour)
				b.step(time.Second)
				b.step(time.Second) // the margins are made anew
			}
			b.has("watchkeeper_effective_guard_seconds", map[string]float64{" quiet": c.guard})
			b.has("watchkeeper_act_lead_seconds", map[string]float64{" quiet": c.guard - 5400})
			m.owe("near", 30*time.Second)
			guard := m.until["near"].Add(-90 * time.Minute)
			for range 10 {
				b.step(time.Second)
			}
			at, sent := m.arrived["near"]
			if sent != c.late || sent && !at.After(guard) {
				t.Errorf("sent: %t, in effect %s after guard", sent, at.Sub(guard))
			}
			if pages := m.pagesFor(sla.WhyGuardPassed); pages == 1 == c.late {
				t.Errorf("%d pages", pages)
			}
			if _, sent := m.arrived["early"]; sent != c.taught {
				t.Errorf("the other answer: %t", sent)
			}
		})
	}
}

func TestAReplicaThatHasMeasuredNothingUsesWhatTheOthersHave(t *testing.T) {
	t.Parallel()
	addr := storetest.Start(t)
	m := &market{answers: 50 * time.Second}
	first := m.opens(t, addr)
	first.step(store.DefaultSettle + 2*time.Hour)
	m.owe("early", 10*time.Hour)
	first.step(time.Second)
	first.step(time.Second)
	second := m.opens(t, addr) // from its first moment
	second.has("watchkeeper_effective_guard_seconds", map[string]float64{" quiet": 5500})
}

func TestUnderPressureListsAreReadLessOftenAnswersGoOnAndPeopleArePagedOnce(t *testing.T) {
	t.Parallel()
	addr := storetest.Start(t)
	m := &market{answers: 200 * time.Millisecond, allowed: 10} // five seconds an answer
	b := m.opens(t, addr)
	b.step(store.DefaultSettle + 2*time.Hour)
	second := m.opens(t, addr)
	step := func(d time.Duration) {
		b.step(d)
		b.must(second.fleet.Step(t.Context()))
	}
	play := func() (polls int) {
		m.polls = 0
		for range 60 {
			step(5 * time.Second)
		}
		return m.polls
	}
	calm := play()
	b.has("watchkeeper_pressure_level", map[string]float64{" quiet": 0})
	b.has("watchkeeper_left_undone_total", map[string]float64{" parcel": 0})
	const cases = 80
	for i := range cases {
		m.owe(strconv.Itoa(9000+i), 6*time.Minute)
	}
	step(time.Second)
	step(time.Second)
	step(time.Second)
	b.has("watchkeeper_pressure_level", map[string]float64{" quiet": 3})
	if pressed := play(); pressed > calm/2 || pressed == 0 {
		t.Errorf("%d readings under pressure, %d without", pressed, calm)
	}
	if b.series("watchkeeper_left_undone_total")[" parcel"] == 0 {
		t.Error("want parcels left alone")
	}
	if len(m.arrived) < cases/2 {
		t.Errorf("%d answers of %d", len(m.arrived), cases)
	}
	play() // until after the last guard
	if told := m.pagesFor(sla.WhyGuardPassed); len(m.arrived)+told != cases {
		t.Errorf("%d answers and %d pages for %d cases", len(m.arrived), told, cases)
	}
	for native, at := range m.arrived {
		if guard := m.until[native].Add(-90 * time.Minute); at.After(guard) {
			t.Errorf("%s took effect %s after guard", native, at.Sub(guard))
		}
	}
	lines := append(b.logged("time is short"), second.logged("time is short")...)
	if len(lines) != 1 || m.pagesFor(sla.WhyTimeShort) != 1 {
		t.Fatalf("want one page of both replicas, got %d", len(lines))
	}
	said := lines[0].ContextMap()
	due, _ := said["due"].(int64)
	wanted, _ := said["wanted_an_hour"].(float64)
	if said["platform"] != "quiet" || due > cases || due < cases*3/4 || said["an_hour"] != 720.0 || wanted <= 720 {
		t.Errorf("got %v", said)
	}
}

// hears lets another replica say for some minutes how many answers are due.
func (b *bundle) hears(minutes, due int) {
	b.t.Helper()
	for range minutes {
		owed := make([]sla.Owed, due)
		for i := range owed {
			owed[i] = sla.Owed{Case: uint32(i), By: b.now().Add(3 * time.Hour).Unix()}
		}
		of := sla.Measured{Known: true, Allowances: map[string]sla.Allowance{"the app": {Every: 12 * time.Second, Owed: owed}}}
		b.must(b.fleet.Store().NoteMeasured(b.t.Context(), "another", map[sla.Platform]sla.Measured{"quiet": of}, b.now()))
		b.step(time.Minute)
	}
}

func TestAShortageThatGoesOnIsPagedOnceAndTheNextOneAgain(t *testing.T) {
	t.Parallel()
	m := &market{}
	b := m.opens(t, storetest.Start(t))
	for i, c := range []struct{ minutes, due, pages int }{
		{120, 200, 1}, {60, 0, 1}, {10, 200, 2},
		{20, 0, 2}, {20, 200, 2}, // within the hour
		{20, 200, 3}, // after it
	} {
		if b.hears(c.minutes, c.due); m.pagesFor(sla.WhyTimeShort) != c.pages {
			t.Errorf("after part %d: want %d pages, got %d", i, c.pages, m.pagesFor(sla.WhyTimeShort))
		}
	}
}

func TestAShortageThatFollowsSoonIsPagedAnHourAfterTheOneBefore(t *testing.T) {
	t.Parallel()
	m := &market{}
	b := m.opens(t, storetest.Start(t))
	for i, c := range []struct{ minutes, due, pages int }{{20, 200, 1}, {20, 0, 1}, {15, 200, 1}, {120, 200, 2}} {
		if b.hears(c.minutes, c.due); m.pagesFor(sla.WhyTimeShort) != c.pages {
			t.Errorf("after part %d: want %d pages, got %d", i, c.pages, m.pagesFor(sla.WhyTimeShort))
		}
	}
}
