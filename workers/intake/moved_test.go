package intake_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
	"watchkeeper/workers/intake"
)

func TestTurnThatEndsWithoutUsIsAudited(t *testing.T) {
	t.Parallel()
	closed := func(d *sla.Dispute) {
		d.Obligations, d.State = nil, sla.StateClosed
		d.Closed = sla.Closing{At: slatest.Epoch, By: sla.PartyTimeout, Paid: slatest.USD(1999)}
	}
	for name, c := range map[string]struct {
		before func(*sla.CaseRecord)
		change func(*sla.Dispute)
		lines  int
	}{
		"by the platform":  {func(*sla.CaseRecord) {}, closed, 1},
		"same turn":        {func(*sla.CaseRecord) {}, func(d *sla.Dispute) { d.Claimed = slatest.USD(1) }, 0},
		"answered by us":   {func(c *sla.CaseRecord) { c.Answered = true }, closed, 0},
		"perhaps by us":    {func(c *sla.CaseRecord) { c.Unresolved = true }, closed, 0},
		"nothing was owed": {func(c *sla.CaseRecord) { c.Obligation = sla.Obligation{} }, closed, 0},
		"the buyer's edit": {func(*sla.CaseRecord) {}, func(d *sla.Dispute) { d.Obligations[0].Turn = 8 }, 1},
		"a person's answer": {func(*sla.CaseRecord) {}, func(d *sla.Dispute) {
			d.Obligations, d.State, d.Offers, d.Offered = nil, sla.StateBuyer, 1, slatest.USD(5)
		}, 1},
	} {
		b, r := known(t, c.before)
		b.dispute(1, c.change)
		if _, err := b.accept(r); err != nil || len(b.audits) != c.lines {
			t.Errorf("%s: want %d lines, got %v (%v)", name, c.lines, b.audits, err)
			continue
		}
		if name != "by the platform" {
			continue
		}
		var got intake.Moved
		if err := json.Unmarshal([]byte(b.audits[0]), &got); err != nil {
			t.Fatal(err)
		}
		want := intake.Moved{
			At: b.now, Event: intake.EventMoved, Case: "AE01/9000000001", Turn: "0000000000000007", State: "closed", By: "timeout",
			Paid: slatest.USD(1999), Offered: sla.Money{}, Cost: slatest.USD(1999),
		}
		if got != want {
			t.Errorf("want %+v, got %+v", want, got)
		}
	}
}

// The rows are on record when the lines are written: nothing would ask again for the work of a batch that ended there.
func TestALineOfTheAuditThatFailsKeepsBackNeitherTheWorkNorTheOtherLines(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows := []connectors.Row{b.dispute(1), b.dispute(2), b.dispute(3)}
	if _, err := b.accept(rows...); err != nil {
		t.Fatal(err)
	}
	b.jobs = nil
	for n := range rows {
		rows[n].Fingerprint++
		b.dispute(n+1, func(d *sla.Dispute) { d.Obligations[0].Turn, d.Obligations[0].Deadline = 8, b.now.Add(time.Hour) })
	}
	b.fails["audit"] = true
	if _, err := b.accept(rows...); !errors.Is(err, errOut) {
		t.Errorf("want the failure told, got %v", err)
	}
	if len(b.jobs) != len(rows) || len(b.audits) != len(rows) {
		t.Errorf("want %d jobs and lines, got %d and %d", len(rows), len(b.jobs), len(b.audits))
	}
}

func TestYesAndNoEndWithTheTurnAndAHoldStays(t *testing.T) {
	t.Parallel()
	for a, want := range map[sla.Approval]sla.Approval{
		sla.ApprovalApproved: sla.ApprovalNone, sla.ApprovalRejected: sla.ApprovalNone, sla.ApprovalHeld: sla.ApprovalHeld,
	} {
		b, r := known(t, func(c *sla.CaseRecord) { c.Approval, c.Waiting, c.Shadowed = a, true, true })
		b.dispute(1, func(d *sla.Dispute) { d.Obligations[0].Turn = 8 })
		if _, err := b.accept(r); err != nil {
			t.Fatal(err)
		}
		if got := b.kase(1); got.Approval != want || got.Waiting || got.Shadowed {
			t.Errorf("%v: want %v in the next turn, got %+v", a, want, got)
		}
	}
}

func TestNewDisputesAreCountedForTheirBuyersWhereARuleAsks(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]int{0: 0, 3: 1} {
		b := setup(t)
		b.rule.HoldClaims.Value = limit
		row := b.dispute(1)
		for range 2 {
			if _, err := b.accept(row); err != nil {
				t.Fatal(err)
			}
			row.Fingerprint++
		}
		if len(b.claims) != want {
			t.Errorf("limit %d: want %d claims, got %v", limit, want, b.claims)
		}
		if want > 0 && (b.claims[0] != sla.BuyerClaim{Buyer: 42, Dispute: b.kase(1).ID, Opened: slatest.Epoch}) {
			t.Errorf("want the buyer's claim, got %+v", b.claims[0])
		}
		b.fails = map[string]bool{"claims": true}
		if _, err := b.accept(b.dispute(2)); (err != nil) != (want > 0) {
			t.Errorf("limit %d: want a failure to count to keep the cursor, got %v", limit, err)
		}
	}
}
