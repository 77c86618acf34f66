package fleet

import (
	"context"

	"go.uber.org/zap"

	"watchkeeper/workers/handle"
)

// notifier tells people through the log, which alerting reads together with the metrics, and whoever else is listening.
type notifier struct {
	log  *zap.Logger
	next handle.Notifier
}

func (n notifier) Warn(ctx context.Context, notice handle.Notice) {
	n.log.Warn("deadline is coming", fields(notice)...)
	if n.next != nil {
		n.next.Warn(ctx, notice)
	}
}

func (n notifier) Page(ctx context.Context, notice handle.Notice) {
	n.log.Error("a person must act", fields(notice)...)
	if n.next != nil {
		n.next.Page(ctx, notice)
	}
}

func fields(n handle.Notice) []zap.Field {
	return []zap.Field{
		zap.String("case", n.Case.ID.String()), zap.Stringer("why", n.Why), zap.Stringer("stage", n.Decision.Stage),
		zap.Time("deadline", n.Decision.Deadline), zap.Stringer("cost_of_silence", n.Decision.Cost),
	}
}
