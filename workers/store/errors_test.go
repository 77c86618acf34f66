package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"testing"

	"watchkeeper/sla"
)

// Who reads that Redis is unreachable looks at the network, and not at what was refused.
func TestARefusalIsNoOutage(t *testing.T) {
	t.Parallel()
	said := append(slices.Collect(maps.Values(refusals)), sla.ErrAmnesia, ErrUnfit, ErrUnreadable, ErrTurnChanged, ErrUnknownCase, context.Canceled)
	for _, err := range said {
		if got := wrap("record intent", fmt.Errorf("shard 3: %w", err)); errors.Is(got, sla.ErrStoreOut) || !errors.Is(got, err) {
			t.Errorf("%v: want it told as it is, got %v", err, got)
		}
	}
	for _, err := range []error{io.EOF, context.DeadlineExceeded, &net.OpError{Op: "dial", Err: errors.New("refused")}} {
		if got := wrap("record intent", err); !errors.Is(got, sla.ErrStoreOut) || !errors.Is(got, err) {
			t.Errorf("%v: want an outage, got %v", err, got)
		}
	}
}
