package fleet_test

import (
	"math"
	"testing"
	"time"

	"watchkeeper/sla"
)

// owes records an obligation that has so much time left, as it was changed.
func (b *bundle) owes(native string, left time.Duration, change func(*sla.Case)) sla.Case {
	b.t.Helper()
	c := sla.Case{
		DisputeRef: sla.DisputeRef{ID: sla.DisputeID{Platform: "quiet", Store: "Q01", Native: native}}, State: sla.StateSeller, Reason: sla.ReasonDamaged,
		Claimed: sla.Money{Minor: 1200, Currency: "USD"}, Next: b.now().Add(time.Hour),
		Obligation: sla.Obligation{Turn: 7, Kinds: sla.Answers(sla.AnswerRefuse), Opened: b.now().Add(left - 5*24*time.Hour), Deadline: b.now().Add(left),
			Cost: sla.Money{Minor: 1200, Currency: "USD"}},
	}
	change(&c)
	_, err := b.fleet.Store().PutCases(b.t.Context(), []sla.CaseWrite{{CaseRecord: sla.CaseRecord{Case: c, Fingerprint: 1}}})
	b.must(err)
	return c
}

func same(*sla.Case) {}

func TestWhatIsOwedIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	never := math.Inf(1)
	b.has("watchkeeper_", map[string]float64{
		"earliest_deadline_timestamp_seconds quiet": never, "unknown_answers_oldest_timestamp_seconds quiet": never, "cases_counted_timestamp_seconds": 0,
		"open_obligations quiet breach": 0, "open_obligations quiet none": 0, "unknown_answers quiet": 0, "unknown_answers_late quiet": 0, "cases": 0,
	})
	first := b.owes("1", 80*time.Hour, same)
	b.owes("2", 100*time.Hour, same)
	b.owes("3", 30*time.Minute, func(c *sla.Case) { c.Answered = true })
	b.owes("4", 20*time.Minute, func(c *sla.Case) { c.State, c.Obligation = sla.StateBuyer, sla.Obligation{} })
	b.owes("5", 10*time.Minute, func(c *sla.Case) { c.State = sla.StateClosed })
	b.must(b.fleet.Count(t.Context()))
	b.has("watchkeeper_", map[string]float64{
		"earliest_deadline_timestamp_seconds quiet": float64(first.Obligation.Deadline.Unix()), "cases_counted_timestamp_seconds": float64(b.now().Unix()),
		"open_obligations quiet none": 2, "open_obligations quiet guard": 0, "value_at_risk USD quiet": 24, "cases": 5, "cases_without_timer": 0,
	})
	near := b.owes("6", time.Hour, func(c *sla.Case) { c.Obligation.Cost = sla.Money{Minor: 900, Currency: "JPY"} })
	b.owes("7", -time.Minute, func(c *sla.Case) { c.Obligation.Opened = b.now().Add(-5 * 24 * time.Hour) })
	b.has("watchkeeper_open_obligations", map[string]float64{" quiet guard": 0}) // nothing is read for a scrape
	b.must(b.fleet.Count(t.Context()))
	b.has("watchkeeper_", map[string]float64{
		"earliest_deadline_timestamp_seconds quiet": float64(near.Obligation.Deadline.Add(-time.Hour - time.Minute).Unix()),
		"open_obligations quiet none":               2, "open_obligations quiet guard": 1, "open_obligations quiet breach": 1,
		"value_at_risk USD quiet": 36, "value_at_risk JPY quiet": 900,
	})
	if got := b.series("watchkeeper_value_at_risk"); len(got) != 2 {
		t.Errorf("want two currencies, got %v", got)
	}
}

func TestADeadlineIsToldByOurClock(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fleet.Skew("Q01", 10*time.Minute)
	c := b.owes("1", 80*time.Hour, same)
	b.must(b.fleet.Count(t.Context()))
	b.has("watchkeeper_earliest_deadline_timestamp_seconds", map[string]float64{" quiet": float64(c.Obligation.Deadline.Add(-10 * time.Minute).Unix())})
}

func TestAnswersOfUnknownOutcomeAreTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.must(b.fleet.Step(t.Context()))
	b.clock.Add(time.Hour.Milliseconds()) // the first start is frozen
	b.must(b.fleet.Step(t.Context()))
	begun := b.now()
	for _, native := range []string{"1", "2"} {
		c := b.owes(native, 80*time.Hour, same)
		a, err := b.fleet.Store().ClaimAttempt(t.Context(), sla.AttemptKey{Dispute: c.ID, Turn: 7}, b.now(), time.Minute)
		b.must(err)
		a.Kind = sla.AnswerRefuse
		_, err = b.fleet.Store().RecordIntent(t.Context(), sla.Intent{Attempt: a, Reason: c.Reason, Now: b.now(), Since: b.now()})
		b.must(err)
		b.clock.Add((30 * time.Second).Milliseconds())
	}
	for _, step := range []struct {
		at            time.Duration
		unknown, late float64
		oldest        float64
	}{
		{40 * time.Second, 0, 0, math.Inf(1)}, {61 * time.Second, 1, 0, float64(begun.Unix())}, {5 * time.Minute, 2, 0, float64(begun.Unix())},
		{12*time.Minute + time.Second, 2, 1, float64(begun.Unix())}, {time.Hour, 2, 2, float64(begun.Unix())},
	} {
		b.clock.Store(begun.Add(step.at).UnixMilli())
		b.must(b.fleet.Count(t.Context()))
		b.has("watchkeeper_unknown_answers", map[string]float64{" quiet": step.unknown, "_late quiet": step.late, "_oldest_timestamp_seconds quiet": step.oldest})
	}
}

func TestAFleetCountsByItself(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.clock.Store(time.Now().UnixMilli())
	b.must(b.fleet.Start(t.Context()))
	eventually(t, func() bool { return b.series("watchkeeper_cases_counted_timestamp_seconds")[""] > 0 })
	eventually(t, func() bool { return b.series("watchkeeper_feed_interval_seconds")[" disputes Q01"] == 60 })
	b.has("watchkeeper_", map[string]float64{"processes": 1})
}

func TestAnswersThatWaitForAPersonAreTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.has("watchkeeper_", map[string]float64{"held_answers quiet": 0})
	for native, change := range map[string]func(*sla.Case){
		"asked":    func(c *sla.Case) { c.Waiting = true },
		"held":     func(c *sla.Case) { c.Approval = sla.ApprovalHeld },
		"both":     func(c *sla.Case) { c.Waiting, c.Approval = true, sla.ApprovalHeld },
		"yes":      func(c *sla.Case) { c.Waiting, c.Approval = true, sla.ApprovalApproved },
		"no":       func(c *sla.Case) { c.Waiting, c.Approval = true, sla.ApprovalRejected },
		"answered": func(c *sla.Case) { c.Waiting, c.Answered = true, true },
		"plain":    same,
	} {
		b.owes(native, 80*time.Hour, change)
	}
	b.must(b.fleet.Count(t.Context()))
	b.has("watchkeeper_", map[string]float64{"held_answers quiet": 3})
}
