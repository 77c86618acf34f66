package intake_test

import (
	"context"
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/intake"
	"watchkeeper/workers/job"
	"watchkeeper/workers/trace/tracetest"
)

// One dispute of several cannot be read: its span says why, and that of the other does not.
func TestTheSpanOfADisputeThatCannotBeReadAgainSaysWhy(t *testing.T) {
	t.Parallel()
	b, r := known(t, func(*sla.CaseRecord) {})
	if _, err := b.accept(b.dispute(2)); err != nil {
		t.Fatal(err)
	}
	c := tracetest.New(t)
	tracer, flush := c.Tracer(func() time.Time { return b.now }, nil)
	b.deps.Trace = tracer
	in := intake.New(b.deps)
	b.errs[r.ID] = failure(connectors.Unavailable)
	if err := in.Refresh(context.Background(), b.src, []sla.DisputeID{b.kase(1).ID, b.kase(2).ID}); connectors.KindOf(err) != connectors.Unavailable {
		t.Fatalf("want the failure told, got %v", err)
	}
	flush()
	failed := map[string]int{}
	for _, s := range c.Named(string(job.Refresh)) {
		failed[s.Error]++
	}
	if failed["unavailable"] != 1 || failed[""] != 1 || len(failed) != 2 {
		t.Errorf("want one span failed as unavailable, and one not, got %v", failed)
	}
}
