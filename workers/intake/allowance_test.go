package intake_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// allowance is a platform that is some way off and allows so many calls; the others are refused on the spot, without a call.
type allowance struct {
	*platform
	left atomic.Int64
}

func (a *allowance) Resolve(ctx context.Context, row connectors.Row) (sla.Dispute, error) {
	if a.left.Add(-1) < 0 {
		return sla.Dispute{}, failure(connectors.Throttled)
	}
	select {
	case <-time.After(100 * time.Millisecond):
		return a.platform.Resolve(ctx, row)
	case <-ctx.Done():
		return sla.Dispute{}, context.Cause(ctx)
	}
}

// An allowance of fewer calls than are made at once is spent on disputes that are read and not on ones that are cut off: else the same few
// calls are spent at each reading, and nothing is ever recorded.
func TestARefusedReadingCutsOffNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		a := &allowance{platform: b.platform}
		b.src.Connector = a
		var rows []connectors.Row
		for i := range 9 {
			rows = append(rows, b.dispute(i))
		}
		for reading := 1; len(b.cases) < len(rows); reading++ {
			a.left.Store(2)
			_, err := b.accept(rows...)
			if want := min(2*reading, len(rows)); len(b.cases) != want {
				t.Fatalf("want %d disputes on record after %d readings of two calls each, got %d (%v)", want, reading, len(b.cases), err)
			}
			if err != nil && connectors.KindOf(err) != connectors.Throttled {
				t.Errorf("want the cursor to wait for the allowance, got %v", err)
			}
		}
	})
}

func TestACancelledReadingIsCutOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		a := &allowance{platform: b.platform}
		a.left.Store(9)
		b.src.Connector = a
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		from := time.Now()
		_, err := b.in.Accept(ctx, b.src, connectors.Page{Rows: []connectors.Row{b.dispute(1), b.dispute(2), b.dispute(3)}})
		if took := time.Since(from); !errors.Is(err, context.DeadlineExceeded) || took > 50*time.Millisecond {
			t.Errorf("want an end with the caller's, got %v after %s", err, took)
		}
	})
}
