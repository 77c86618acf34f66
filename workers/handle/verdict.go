package handle

import (
	"context"
	"errors"
	"fmt"

	"github.com/hibiken/asynq"

	"watchkeeper/workers/job"
)

var (
	errUnknownKind = errors.New("unknown kind")
	errBudget      = errors.New("the job's budget is used up")
)

// ProcessTask makes the handlers asynq's, and is the one place that speaks its words: a job that nobody here can read goes to the
// archive at once, where an alert finds it; one of a newer program waits for a newer worker; everything else that fails is tried again,
// and found by the sweep when the tries are used up.
func (h *Handlers) ProcessTask(ctx context.Context, t *asynq.Task) error {
	retried, _ := asynq.GetRetryCount(ctx)
	ctx = h.Trace.Receive(ctx, job.Parents(t.Headers()), retried+1)
	err := h.Do(ctx, job.Kind(t.Type()), t.Payload())
	if errors.Is(err, job.ErrPayload) || errors.Is(err, errUnknownKind) {
		return fmt.Errorf("%w: %w", err, asynq.SkipRetry)
	}
	return err
}

// Mux routes every kind of the one table to the handlers. asynq matches by prefix, so the kind is looked up again by its whole name.
func (h *Handlers) Mux() *asynq.ServeMux {
	mux := asynq.NewServeMux()
	for _, k := range job.Kinds() {
		mux.Handle(string(k), h)
	}
	return mux
}
