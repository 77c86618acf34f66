package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"watchkeeper/sla"
	"watchkeeper/sla/playbook"
	"watchkeeper/sla/rules"
	"watchkeeper/workers/fleet"
)

func TestSilenceIsFoundAnewUnderOtherThresholds(t *testing.T) {
	t.Parallel()
	narrow, wide := sla.DefaultShipmentRule(), sla.DefaultShipmentRule()
	wide.Stall.Value, wide.StallOrigin.Value, wide.Customs.Value = 20*day, 20*day, 20*day
	for name, c := range map[string]struct {
		milestone sla.Milestone
		silence   time.Duration
		had       sla.AnomalyKind
		rule      sla.ShipmentRule
		want      string
	}{
		"still stalled":      {sla.MilestoneInTransit, 15 * day, sla.AnomalyStalled, narrow, "[stalled_in_transit]"},
		"no longer stalled":  {sla.MilestoneInTransit, 15 * day, sla.AnomalyStalled, wide, "[]"},
		"not in customs yet": {sla.MilestoneCustoms, 8 * day, sla.AnomalyCustomsStalled, wide, "[]"},
		"now in customs":     {sla.MilestoneCustoms, 8 * day, sla.AnomalyDelayed, narrow, "[delayed customs_stalled]"},
		"now at the origin":  {sla.MilestoneAccepted, 15 * day, sla.AnomalyDelayed, narrow, "[delayed stalled_in_origin]"},
		"what is stated":     {sla.MilestoneCustomsHeld, day, sla.AnomalyCustomsHeld, wide, "[customs_held]"},
	} {
		p := playbook.Parcel{Milestone: c.milestone, LastEvent: now.Add(-c.silence), Anomalies: sla.AnomalySet(0).With(c.had)}
		got := map[string]bool{}
		for _, n := range anomalyNames(sla.SilenceAnew(now, p.Milestone, p.LastEvent, p.Anomalies, c.rule)) {
			got[n] = true
		}
		want := map[string]bool{}
		for n := range strings.FieldsSeq(strings.Trim(c.want, "[]")) {
			want[n] = true
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: want %v, got %v", name, want, got)
		}
	}
}

func TestAForecastCrossesTheDatesOfARule(t *testing.T) {
	t.Parallel()
	load := func(vars ...string) rulebook {
		env := append([]string{"WK_REDIS__ADDRS=x:1", "WK_STORE__AE01__PLATFORM=bazaar", "WK_SLA__MODE=live", "WK_SLA__ACCEPT_CAP=25USD"}, vars...)
		b, err := rules.Load(t.Context(), env, fleet.RuleOptions(toys()))
		must(t, err)
		return rulebookOf(b)
	}
	c := testCases()[2].Case // an hour old; the answer is due three days before the window's end
	c.ID.Store = "AE01"
	due, lifted := now.Add(2*day-time.Hour).Format(time.RFC3339), now.Add(2*day+4*time.Hour).Format(time.RFC3339)
	for name, test := range map[string]struct {
		book rulebook
		want time.Duration
	}{
		"no date":           {load(), 2*day - time.Hour},
		"earlier from then": {load("WK_SLA__STORE__AE01__ACT_BEFORE=100h", "WK_SLA__STORE__AE01__ACT_BEFORE__FROM=2026-03-06"), 36 * time.Hour},
		"frozen until":      {load("WK_SLA__KILL=on", "WK_SLA__KILL__UNTIL=2026-03-08"), 3*day + 12*time.Hour},
		"a date too late":   {load("WK_SLA__STORE__AE01__ACT_BEFORE=100h", "WK_SLA__STORE__AE01__ACT_BEFORE__FROM=2026-04-06"), 2*day - time.Hour},
		"at the very date":  {load("WK_SLA__KILL=on", "WK_SLA__KILL__FROM="+due, "WK_SLA__KILL__UNTIL="+lifted), 2*day - time.Hour + 5*time.Hour},
	} {
		f := subjectOf(c, nil).forecast(test.book.Book, test.book.eras, now)
		if f.Action != sla.ActionAct || f.At.Sub(now) != test.want {
			t.Errorf("%s: want an answer in %s, got %v in %s", name, test.want, f.Action, f.At.Sub(now))
		}
	}
}

func TestPlansThatDoNotSendSayWhatTheyWaitFor(t *testing.T) {
	t.Parallel()
	load := func(vars ...string) *rules.Book {
		env := append([]string{"WK_STORE__AE02__PLATFORM=bazaar", "WK_SLA__MODE=live", "WK_SLA__ACCEPT_CAP=25USD"}, vars...)
		b, err := rules.Load(t.Context(), env, fleet.RuleOptions(toys()))
		must(t, err)
		return b
	}
	for name, test := range map[string]struct {
		vars   []string
		change func(*subject)
		want   string
	}{
		"an answer":            {nil, func(*subject) {}, "offer 6.00 USD: negotiate"},
		"for a yes":            {[]string{"WK_SLA__APPROVE_ABOVE=5USD"}, func(*subject) {}, "offer 6.00 USD: negotiate; it waits for a person's yes: above_approval"},
		"a yes was said":       {[]string{"WK_SLA__APPROVE_ABOVE=5USD"}, func(s *subject) { s.Approval = sla.ApprovalApproved }, "offer 6.00 USD: negotiate"},
		"for the step":         {[]string{"WK_SLA__ANSWER=partial:30%@96h"}, func(*subject) {}, "wait for the first step until 2026-03-08T11:00:00Z"},
		"for a person":         {nil, func(s *subject) { s.facts.Dispute.Claimed = usd(900000) }, "page a person: over_cap"},
		"a claimant of many":   {[]string{"WK_SLA__HOLD_CLAIMS=3"}, func(s *subject) { s.facts.Claims = 3 }, "offer 6.00 USD: negotiate; it waits for a person's yes: many_claims"},
		"after an offer of it": {nil, func(s *subject) { s.offered([]sla.Attempt{settledOffer}) }, "accept 20.00 USD: within_cap"},
	} {
		s := subjectOf(testCases()[2].Case, nil)
		test.change(s)
		if v, _ := s.plan(load(test.vars...), now); v.summary() != test.want {
			t.Errorf("%s: want %q, got %q", name, test.want, v.summary())
		}
	}
}

// What explain and cases approve show is what the daemon would do with its decision of that instant.
func TestThePlanOfAnAnswerThatNobodyHasApprovedIsTheRules(t *testing.T) {
	t.Parallel()
	vars := map[string]string{"UNANSWERED=refuse": "refuse: rule", "UNANSWERED=send": "offer 6.00 USD: negotiate"}
	for unanswered, want := range vars {
		b, err := rules.Load(t.Context(), []string{
			"WK_STORE__AE02__PLATFORM=bazaar", "WK_SLA__MODE=live", "WK_SLA__ACCEPT_CAP=25USD", "WK_SLA__APPROVE_ABOVE=5USD", "WK_SLA__" + unanswered,
		}, fleet.RuleOptions(toys()))
		must(t, err)
		c := testCases()[2].Case
		c.Waiting, c.Paged = true, sla.StageAct
		s := subjectOf(c, nil)
		rule := b.For(c.ID.Platform, c.ID.Store, c.Reason)
		last := sla.EffectiveDeadline(c.Obligation, rule).Add(-rule.Guard.Value - time.Minute)
		if d := sla.Decide(last, c, rule); d.Why != sla.WhyUnanswered || d.Action != sla.ActionAct {
			t.Fatalf("the test needs a question that nobody has answered, got %v %v", d.Action, d.Why)
		}
		v, _ := s.plan(b, last)
		f := s.forecast(b, nil, last)
		if v.summary() != want || f.Action != sla.ActionAct || string(v.Answer) != f.Answer.Kind.String() {
			t.Errorf("%s: want %q, got %q, and the forecast %v %v", unanswered, want, v.summary(), f.Action, f.Answer.Kind)
		}
		s.Approval = sla.ApprovalApproved
		if v, _ := s.plan(b, last); v.summary() != "offer 6.00 USD: negotiate" {
			t.Errorf("%s, with a yes: got %q", unanswered, v.summary())
		}
	}
}

func TestWhatEarlierAnswersHaveCostCountsForTheCap(t *testing.T) {
	t.Parallel()
	_, book, err := fleet.Load(t.Context(), append(env("127.0.0.1:1"), "WK_SLA__STORE__AE02__ACT_AFTER=0h"), toys())
	must(t, err)
	for spent, want := range map[int64]string{1900: "act offer", 1901: "page none over_cap"} { // the offer is of 6 USD, the cap of 25
		s := subjectOf(testCases()[2].Case, nil)
		s.spent = usd(spent)
		f := s.forecast(book, nil, now)
		if got := f.Action.String() + " " + f.Answer.Kind.String() + " " + f.Why.String(); !strings.HasPrefix(got, want) {
			t.Errorf("after %d: want %s, got %s", spent, want, got)
		}
	}
}

var settledOffer = sla.Attempt{Kind: sla.AnswerOffer, Amount: usd(600), State: sla.AttemptSettled}

func TestScopesOfKillSwitchesReadAsTheyAreThrown(t *testing.T) {
	t.Parallel()
	for want, k := range map[string]sla.KillScope{
		"all": {}, "bazaar": {Platform: "bazaar"}, "AE01/damaged": {Store: "AE01", Reason: sla.ReasonDamaged}, "all/other": {Reason: sla.ReasonOther},
	} {
		if got := scopeText(k); got != want {
			t.Errorf("want %s, got %s", want, got)
		}
	}
}
