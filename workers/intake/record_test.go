package intake_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
	"watchkeeper/workers/intake"
	"watchkeeper/workers/job"
)

// known is a bundle whose dispute 1 is on record as changed by the test.
func known(t *testing.T, change func(*sla.CaseRecord)) (*bundle, connectors.Row) {
	t.Helper()
	b := setup(t)
	r := b.dispute(1)
	if _, err := b.accept(r); err != nil {
		t.Fatalf("accept: %v", err)
	}
	c := b.kase(1)
	change(&c)
	b.cases[c.ID.String()] = c
	b.jobs = nil
	r.Fingerprint++
	return b, r
}

func progressed(c *sla.CaseRecord) { c.Warned, c.Paged, c.Answered = 2, sla.StageAct, true }

func TestProgressIsKeptWithinATurnAndResetInANewOne(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*sla.Dispute)
		kept   bool
	}{
		"same turn":           {func(d *sla.Dispute) { d.Claimed = slatest.USD(1) }, true},
		"same turn, later":    {func(d *sla.Dispute) { d.Obligations[0].Deadline = slatest.Epoch.Add(100 * time.Hour) }, true},
		"new turn":            {func(d *sla.Dispute) { d.Obligations[0].Turn = 8 }, false},
		"nothing owed":        {func(d *sla.Dispute) { d.Obligations, d.State = nil, sla.StateBuyer }, false},
		"closed":              {func(d *sla.Dispute) { d.Obligations, d.State = nil, sla.StateClosed }, false},
		"another rules now":   {func(d *sla.Dispute) { d.Obligations = append(d.Obligations, sooner()) }, false},
		"another comes later": {func(d *sla.Dispute) { d.Obligations = append(d.Obligations, later()) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, r := known(t, progressed)
			b.dispute(1, c.change)
			if tally, err := b.accept(r); err != nil || tally != (intake.Tally{Updated: 1}) {
				t.Fatalf("want it updated, got %+v (%v)", tally, err)
			}
			got := b.kase(1)
			if kept := got.Warned == 2 && got.Paged == sla.StageAct && got.Answered; kept != c.kept || !c.kept && (got.Warned != 0 || got.Paged != 0 || got.Answered) {
				t.Errorf("want progress kept %v, got %+v", c.kept, got)
			}
			want := r.Fingerprint
			if name == "another comes later" {
				want-- // the record shows nothing new: the row is read again
			}
			if got.Next.IsZero() || got.Version != 2 || got.Fingerprint != want {
				t.Errorf("want a timer and the fingerprint %d, got %+v", want, got)
			}
		})
	}
}

func sooner() sla.Obligation {
	o := slatest.Obligation()
	o.Turn, o.Deadline = 9, slatest.Epoch.Add(50*time.Hour)
	return o
}

func later() sla.Obligation {
	o := slatest.Obligation()
	o.Turn, o.Deadline = 9, slatest.Epoch.Add(500*time.Hour)
	o.Opened = slatest.Epoch.Add(300 * time.Hour)
	return o
}

func TestAttemptOfAnOldTurnIsCarriedOver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		attempt sla.Attempt
		moved   bool
		want    bool
	}{
		"sent":                     {sla.Attempt{State: sla.AttemptSent}, true, true},
		"unknown":                  {sla.Attempt{State: sla.AttemptUnknown}, true, true},
		"claimed":                  {sla.Attempt{State: sla.AttemptClaimed}, true, false},
		"settled":                  {sla.Attempt{State: sla.AttemptSettled}, true, false},
		"refused":                  {sla.Attempt{State: sla.AttemptRefused}, true, false},
		"sent, and the turn stays": {sla.Attempt{State: sla.AttemptSent}, false, false},
		"beside":                   {sla.Attempt{AttemptKey: sla.AttemptKey{Side: sla.AnswerExtend}, State: sla.AttemptUnknown}, true, false},
	} {
		for _, state := range []sla.State{sla.StateSeller, sla.StateBuyer, sla.StateClosed} {
			b, r := known(t, func(*sla.CaseRecord) {})
			b.attempts[b.kase(1).ID.String()] = []sla.Attempt{{State: sla.AttemptSettled}, c.attempt}
			b.dispute(1, func(d *sla.Dispute) {
				switch {
				case !c.moved:
				case state == sla.StateSeller:
					d.Obligations[0].Turn = 8
				default:
					d.Obligations, d.State = nil, state
				}
			})
			if _, err := b.accept(r); err != nil {
				t.Fatalf("accept: %v", err)
			}
			got := b.kase(1)
			if got.Unresolved != c.want {
				t.Errorf("%s, %v: want unresolved %v, got %+v", name, state, c.want, got)
			}
			if c.want && got.Next.Sub(b.now) != 30*time.Second {
				t.Errorf("%s, %v: want it asked for soon, got %v", name, state, got.Next.Sub(b.now))
			}
		}
	}
}

func TestUnresolvedStaysUntilSomebodyLearnsTheOutcome(t *testing.T) {
	t.Parallel()
	b, r := known(t, func(c *sla.CaseRecord) { c.Unresolved = true })
	b.dispute(1, func(d *sla.Dispute) { d.Obligations[0].Turn = 8 })
	if _, err := b.accept(r); err != nil || !b.kase(1).Unresolved || b.kase(1).Next.Sub(b.now) != 10*time.Minute {
		t.Errorf("want it kept at the pace of settle, got %+v (%v)", b.kase(1), err)
	}
	rec := b.kase(1)
	rec.Unresolved = false
	if err := b.in.Record(context.Background(), b.src, b.disputes[r.ID], rec); err != nil || b.kase(1).Unresolved {
		t.Errorf("want the caller's word taken, got %+v (%v)", b.kase(1), err)
	}
}

func TestAnOutcomeIsAskedForWhenTheCallerSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		left       bool // unresolved
		look, want time.Duration
	}{
		"earlier than the pace of settle": {true, 2 * time.Minute, 2 * time.Minute},
		"later than the pace of settle":   {true, 20 * time.Minute, 10 * time.Minute},
		"past":                            {true, -time.Minute, 10 * time.Minute},
		"resolved":                        {false, 2 * time.Minute, time.Minute}, // the answer is due, and its timer is a lease
	} {
		b, r := known(t, func(rec *sla.CaseRecord) { rec.Unresolved = true })
		b.now = slatest.Epoch.Add(115 * time.Hour)
		rec := b.kase(1)
		rec.Unresolved = c.left
		err := b.in.Await(context.Background(), b.src, b.disputes[r.ID], rec, b.now.Add(c.look))
		if got := b.kase(1).Next.Sub(b.now); err != nil || got != c.want || b.leased == c.left {
			t.Errorf("%s: want the next look after %v, leased %v, got %v, %v (%v)", name, c.want, !c.left, got, b.leased, err)
		}
	}
}

// Asking for outcomes must not outlast guard: there a person hears of it.
func TestAskingForAnOutcomeStopsAtGuard(t *testing.T) {
	t.Parallel()
	b, r := known(t, func(c *sla.CaseRecord) { c.Unresolved = true })
	b.now = slatest.Epoch.Add(118*time.Hour - 4*time.Minute)
	if _, err := b.accept(r); err != nil || b.kase(1).Next.Sub(b.now) != 4*time.Minute {
		t.Errorf("want a look at guard, got %v (%v)", b.kase(1).Next.Sub(b.now), err)
	}
}

func TestEveryDeadlineGetsItsTimerAndItsWork(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		at     time.Duration // of the reading, from Epoch
		change func(*sla.Dispute)
		next   time.Duration
		asks   bool
	}{
		"far away":     {0, func(*sla.Dispute) {}, 72 * time.Hour, false},
		"warn point":   {72 * time.Hour, func(*sla.Dispute) {}, time.Minute, true},
		"act":          {90 * time.Hour, func(*sla.Dispute) {}, time.Minute, true},
		"guard":        {118 * time.Hour, func(*sla.Dispute) {}, time.Minute, true},
		"in the past":  {500 * time.Hour, func(*sla.Dispute) {}, time.Minute, true},
		"absent":       {0, func(d *sla.Dispute) { d.Obligations[0].Deadline = time.Time{} }, 72 * time.Hour, false},
		"nothing told": {0, func(d *sla.Dispute) { d.Obligations[0].Deadline, d.Obligations[0].Opened = time.Time{}, time.Time{} }, time.Minute, true},
		"year one":     {0, func(d *sla.Dispute) { d.Obligations[0].Deadline = time.Unix(0, 0) }, time.Minute, true},
		"nothing owed": {0, func(d *sla.Dispute) { d.Obligations, d.State = nil, sla.StatePlatform }, 6 * time.Hour, false},
		"unknown":      {0, func(d *sla.Dispute) { d.Obligations, d.State = nil, sla.StateUnknown }, 6 * time.Hour, false},
		"closed":       {0, func(d *sla.Dispute) { d.Obligations, d.State = nil, sla.StateClosed }, intake.KeepClosed, false},
	} {
		for _, skew := range []time.Duration{0, 8 * time.Hour, -8 * time.Hour} {
			b := setup(t)
			b.src.Observe(skew)
			b.now = slatest.Epoch.Add(c.at - skew)
			_, err := b.accept(b.dispute(1, c.change))
			if got := b.kase(1).Next.Sub(b.now); err != nil || got != c.next {
				t.Errorf("%s, skew %v: want a look in %v, got %v (%v)", name, skew, c.next, got, err)
			}
			if asks := len(b.asked(t, job.Assess)) == 1; asks != c.asks || b.leased != c.asks {
				t.Errorf("%s, skew %v: want a decision asked for and its timer leased %v, got %v and %v", name, skew, c.asks, b.jobs, b.leased)
			}
		}
	}
}

// Recording what did not change, again and again at one instant, must ask for work only while a decision is open.
func TestRecordingIsNoLoop(t *testing.T) {
	t.Parallel()
	for _, mode := range []sla.Mode{sla.ModeShadow, sla.ModeHold, sla.ModeLive} {
		b := setup(t)
		b.rule.Mode.Value, b.now = mode, slatest.Epoch.Add(90*time.Hour)
		_, _ = b.accept(b.dispute(1))
		for range 3 {
			b.jobs = nil
			if err := b.in.Record(context.Background(), b.src, b.disputes["9000000001"], b.kase(1)); err != nil {
				t.Fatalf("record: %v", err)
			}
			if n := len(b.asked(t, job.Assess)); n > 1 || !b.kase(1).Next.After(b.now) {
				t.Errorf("%v: want at most one decision and a timer in the future, got %d, %v", mode, n, b.kase(1).Next)
			}
		}
		c := b.kase(1)
		c.Shadowed, c.Warned = true, 2
		if err := b.in.Record(context.Background(), b.src, b.disputes["9000000001"], c); err != nil {
			t.Fatalf("record: %v", err)
		}
		b.jobs = nil
		if _ = b.in.Record(context.Background(), b.src, b.disputes["9000000001"], b.kase(1)); mode == sla.ModeShadow && len(b.asked(t, job.Assess)) > 0 {
			t.Errorf("want no decision about a case whose shadow is recorded, got %v", b.jobs)
		}
	}
}

func TestRefreshReadsTheTruthAndKeepsTheRowsFingerprint(t *testing.T) {
	t.Parallel()
	b, r := known(t, progressed)
	b.dispute(1, func(d *sla.Dispute) { d.Obligations, d.State = nil, sla.StateClosed })
	unknown := sla.DisputeID{Platform: "aliexpress", Store: "AE01", Native: "1"}
	if err := b.in.Refresh(context.Background(), b.src, []sla.DisputeID{unknown, b.kase(1).ID}); err != nil {
		t.Fatalf("refresh: %v", err)
	}
	if got := b.kase(1); got.Open() || got.Fingerprint != r.Fingerprint-1 || len(b.looked) != 1 {
		t.Errorf("want the case closed and the unknown one left, got %+v, %v", got, b.looked)
	}
	for _, name := range []string{"read", "put"} {
		b.fails = map[string]bool{name: true}
		if err := b.in.Refresh(context.Background(), b.src, []sla.DisputeID{b.kase(1).ID}); !errors.Is(err, errOut) {
			t.Errorf("%s: want the store's failure, got %v", name, err)
		}
	}
}

func TestCaseThatCannotBeReadIsNotForgotten(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind connectors.Kind
		at   time.Duration
		err  bool
		next time.Duration // 0: as it was
		asks bool
	}{
		"gone, early":        {connectors.NotFound, 0, false, 72 * time.Hour, false},
		"gone, due":          {connectors.NotFound, 118 * time.Hour, false, 0, true},
		"unreadable, early":  {connectors.Malformed, 0, false, 72 * time.Hour, false},
		"throttled, early":   {connectors.Throttled, 0, true, 0, false},
		"throttled, due":     {connectors.Throttled, 118 * time.Hour, true, 0, true},
		"unavailable, early": {connectors.Unavailable, 0, true, 0, false},
		"unavailable, due":   {connectors.Unavailable, 118 * time.Hour, true, 0, true},
	} {
		b, r := known(t, func(c *sla.CaseRecord) { c.Next = slatest.Epoch.Add(time.Second) })
		b.now = slatest.Epoch.Add(c.at)
		b.errs[r.ID] = failure(c.kind)
		err := b.in.Refresh(context.Background(), b.src, []sla.DisputeID{b.kase(1).ID})
		if (err != nil) != c.err {
			t.Errorf("%s: want an error %v, got %v", name, c.err, err)
		}
		want := slatest.Epoch.Add(time.Second)
		if c.next > 0 {
			want = b.now.Add(c.next)
		}
		if got := b.kase(1).Next; !got.Equal(want) || slices.Contains(b.asked(t, job.Assess), "AE01/"+r.ID) != c.asks {
			t.Errorf("%s: want a look at %v and a decision %v, got %v and %v", name, want, c.asks, got, b.jobs)
		}
	}
}
