package fleet

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/rules"
	"watchkeeper/workers/store"
)

// The first start on an empty Redis is frozen.
func TestTheHandlersOfAFleetHearOfAFreeze(t *testing.T) {
	t.Parallel()
	h := newHand()
	f := ruledBy(t, h, zap.NewNop())
	if f.handlers.Frozen == nil {
		t.Fatal("want the handlers told")
	}
	got := f.handlers.Frozen(sla.DisputeID{Platform: "bare", Store: "B01", Native: "1"})
	if got.Before(h.at.Add(store.DefaultSettle)) {
		t.Errorf("want answers frozen for a settle window, got %s", got.Sub(h.at))
	}
}

// A step of the wall clock shows against the monotonic reading alone, which only an instant as the system gave it has.
func TestATimekeeperKeepsTheMonotonicReadingOfItsBeginning(t *testing.T) {
	t.Parallel()
	k := newTimekeeper(time.Now, prometheus.NewRegistry())
	if has := func(at time.Time) bool { return strings.Contains(at.String(), " m=") }; !has(k.steady) || has(k.wall) {
		t.Errorf("want one instant with a monotonic reading and one without, got %s and %s", k.steady, k.wall)
	}
}

// asked is how a call was asked for.
type asked string

func (a *asked) Take(context.Context, string, int, time.Duration) (time.Duration, error) {
	*a = "in line"
	return 0, nil
}

func (a *asked) TakeInBulk(_ context.Context, _ string, _ int, _ time.Duration, share bool) (time.Duration, error) {
	*a = "in bulk"
	if share {
		*a = "in bulk, with a share"
	}
	return 0, nil
}

func TestACallIsAskedForAsItIsMarked(t *testing.T) {
	t.Parallel()
	var got asked
	l := limiter{&got, "B01", rules.Current{Book: ruledBy(t, newHand(), zap.NewNop()).o.Book, Now: newHand().now}, func(string, time.Duration) {}}
	for want, ctx := range map[asked]context.Context{
		"in line": t.Context(), "in bulk": connectors.Bulk(t.Context(), false), "in bulk, with a share": connectors.Bulk(t.Context(), true),
	} {
		if _, err := l.Take(ctx, "app", 6, time.Second); err != nil || got != want {
			t.Errorf("want the call %s, got %s (%v)", want, got, err)
		}
	}
}
