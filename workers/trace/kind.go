package trace

import (
	"context"
	"errors"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// kinds are the failures that have a name; the first that fits counts.
var kinds = []struct {
	err  error
	name string
}{
	{sla.ErrKilled, "killed"},
	{sla.ErrHeld, "held"},
	{sla.ErrUnresolved, "unresolved"},
	{sla.ErrFenced, "fenced"},
	{sla.ErrStaleCase, "stale"},
	{sla.ErrFrozen, "frozen"},
	{sla.ErrAmnesia, "amnesia"},
	{sla.ErrStorm, "storm"},
	{sla.ErrBudget, "budget"},
	{sla.ErrStoreFull, "store_full"},
	{sla.ErrStoreReadOnly, "store_read_only"},
	{sla.ErrStoreOut, "store_out"},
}

// kindOf names an error without a word of it.
func kindOf(err error) string {
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k.name
		}
	}
	if e, ok := errors.AsType[*connectors.Error](err); ok {
		return e.Kind.String()
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	}
	return "other"
}
