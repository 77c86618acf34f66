package intake_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
)

func TestADeadlineThatPassedInSilenceIsCountedOnceByWhatKeptTheAnswer(t *testing.T) {
	t.Parallel()
	over := func(by sla.Party, at time.Time) func(*sla.Dispute) {
		return func(d *sla.Dispute) {
			d.Obligations, d.State, d.Closed = nil, sla.StateClosed, sla.Closing{At: at, By: by}
		}
	}
	for name, c := range map[string]struct {
		before func(*sla.CaseRecord) // nil: the dispute is new
		by     sla.Party
		ago    time.Duration
		want   string
	}{
		"nobody was told":             {func(*sla.CaseRecord) {}, sla.PartyTimeout, 0, "silent"},
		"a person was told":           {func(c *sla.CaseRecord) { c.Paged = sla.StageGuard }, sla.PartyTimeout, 0, "paged"},
		"only recorded":               {func(c *sla.CaseRecord) { c.Shadowed, c.Paged = true, sla.StageGuard }, sla.PartyTimeout, 0, "shadow"},
		"waited for a yes":            {func(c *sla.CaseRecord) { c.Waiting = true }, sla.PartyTimeout, 0, "unsaid"},
		"held":                        {func(c *sla.CaseRecord) { c.Approval, c.Waiting = sla.ApprovalHeld, true }, sla.PartyTimeout, 0, "held"},
		"a person said no":            {func(c *sla.CaseRecord) { c.Approval = sla.ApprovalRejected }, sla.PartyTimeout, 0, "held"},
		"answered":                    {func(c *sla.CaseRecord) { c.Answered = true }, sla.PartyTimeout, 0, "unshown"},
		"of unknown outcome":          {func(c *sla.CaseRecord) { c.Unresolved = true }, sla.PartyTimeout, 0, "unknown"},
		"owed without our knowledge":  {func(c *sla.CaseRecord) { c.Obligation = sla.Obligation{} }, sla.PartyTimeout, 0, "unseen"},
		"new, of today":               {nil, sla.PartyTimeout, time.Hour, "unseen"},
		"new, of long ago":            {nil, sla.PartyTimeout, 25 * time.Hour, ""},
		"closed by the seller":        {func(*sla.CaseRecord) {}, sla.PartySeller, 0, ""},
		"closed by the buyer":         {func(*sla.CaseRecord) {}, sla.PartyBuyer, 0, ""},
		"known as closed before this": {func(c *sla.CaseRecord) { c.State = sla.StateClosed }, sla.PartyTimeout, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			if c.before != nil {
				if _, err := b.accept(b.dispute(1)); err != nil {
					t.Fatal(err)
				}
				record := b.kase(1)
				c.before(&record)
				b.cases["AE01/9000000001"] = record
			}
			row := b.dispute(1, over(c.by, slatest.Epoch.Add(-c.ago)))
			for range 3 { // the platform shows it again and again
				row.Fingerprint++
				if _, err := b.accept(row); err != nil {
					t.Fatal(err)
				}
			}
			got := b.breaches(t)
			if len(got) != 8 {
				t.Errorf("want a series for each cause from the start, got %v", got)
			}
			for cause, n := range got {
				if want := map[bool]float64{true: 1}[cause == c.want]; n != want {
					t.Errorf("%s: want %v, got %v", cause, want, n)
				}
			}
		})
	}
}

// breaches are the counters of the one marketplace by cause.
func (b *bundle) breaches(t *testing.T) map[string]float64 {
	t.Helper()
	families, err := b.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "watchkeeper_breaches_total" && m.GetLabel()[1].GetValue() == "aliexpress" {
				out[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
			}
		}
	}
	return out
}

func TestTheMetricsOfIntakeAreWellFormed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	problems, err := testutil.GatherAndLint(b.reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, strings.TrimSpace(p.Text))
	}
}
