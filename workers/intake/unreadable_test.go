package intake_test

import (
	"testing"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

func TestListedDisputeThatNobodyCanReadIsACaseForAPerson(t *testing.T) {
	t.Parallel()
	b := setup(t)
	row := b.dispute(1)
	b.errs[row.ID] = failure(connectors.Malformed)
	for range 2 {
		if tally, err := b.accept(row); err != nil || tally.Rejected != 1 {
			t.Fatalf("want a reject and no failure, got %+v (%v)", tally, err)
		}
	}
	c := b.kase(1)
	if !c.Open() || c.Obligation.Turn == 0 || c.Obligation.Kinds != 0 || c.Next.IsZero() {
		t.Fatalf("want an open case that only a person can answer, with a timer, got %+v", c)
	}
	if d := sla.Decide(c.Obligation.Opened, c.Case, sla.DefaultRule()); d.Action != sla.ActionPage {
		t.Errorf("want a page, got %s", d.Action)
	}
	delete(b.errs, row.ID)
	if tally, err := b.accept(row); err != nil || tally.Updated != 1 || b.kase(1).Obligation.Turn == c.Obligation.Turn {
		t.Errorf("want the dispute read as soon as it can be, got %+v (%v)", tally, err)
	}
}
