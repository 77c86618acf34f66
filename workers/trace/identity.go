package trace

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"

	oteltrace "go.opentelemetry.io/otel/trace"

	"watchkeeper/sla"
)

// Of is the trace of a turn, the same in every process. Turn 0 is the time in which nothing is owed.
func Of(id sla.DisputeID, turn sla.Turn) oteltrace.TraceID {
	text := binary.BigEndian.AppendUint64([]byte("watchkeeper turn\x00"+id.String()+"\x00"), uint64(turn))
	sum := sha256.Sum256(text)
	return oteltrace.TraceID(sum[:len(oteltrace.TraceID{})]) // never zero, as far as anybody lives to see
}

type chosen struct{}

// identities gives a root the trace that was chosen for it, and everything else identities by chance. Chance has a source of its own, which no
// simulation draws from.
type identities struct{}

// NewIDs implements sdktrace.IDGenerator.
func (identities) NewIDs(ctx context.Context) (oteltrace.TraceID, oteltrace.SpanID) {
	id, ok := ctx.Value(chosen{}).(oteltrace.TraceID)
	if !ok {
		binary.BigEndian.PutUint64(id[:8], chance())
		binary.BigEndian.PutUint64(id[8:], chance())
	}
	return id, span()
}

// NewSpanID implements sdktrace.IDGenerator.
func (identities) NewSpanID(context.Context, oteltrace.TraceID) oteltrace.SpanID { return span() }

func span() (id oteltrace.SpanID) {
	binary.BigEndian.PutUint64(id[:], chance())
	return id
}

// chance is a number that is not 0, which would be no identity.
func chance() uint64 {
	return max(rand.Uint64(), 1) //nolint:gosec // to tell spans apart needs no secrecy
}
