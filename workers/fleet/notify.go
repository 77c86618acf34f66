package fleet

import (
	"context"
	"time"

	"go.uber.org/zap"

	"watchkeeper/connectors/transport"
	"watchkeeper/sla"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/notify"
	"watchkeeper/workers/trace"
)

// notifyDrain is how long messages that wait may still be posted when the process stops: more than one try, and less than what Run leaves
// for the parts after the queue.
const notifyDrain = 7 * time.Second

// notifier tells people through the log, which alerting reads together with the metrics, by webhook, and whoever else is listening. None of
// them is waited for.
type notifier struct {
	log   *zap.Logger
	rules string // hash of the rulebook
	hooks *notify.Poster
	next  handle.Notifier
}

func (n notifier) Warn(ctx context.Context, notice handle.Notice) {
	trace.Log(ctx, n.log).Warn("deadline is coming", n.fields(notice)...)
	n.hooks.Post(ctx, message(notice.Decision.Channel, notice))
	if n.next != nil {
		n.next.Warn(ctx, notice)
	}
}

func (n notifier) Page(ctx context.Context, notice handle.Notice) {
	trace.Log(ctx, n.log).Error("a person must act", n.fields(notice)...)
	n.hooks.Post(ctx, message(sla.ChannelPage, notice))
	if n.next != nil {
		n.next.Page(ctx, notice)
	}
}

func (n notifier) fields(notice handle.Notice) []zap.Field {
	return []zap.Field{
		zap.String("case", notice.Case.ID.String()), zap.Stringer("why", notice.Why), zap.Stringer("stage", notice.Decision.Stage),
		zap.Time("deadline", notice.Decision.Deadline), zap.Stringer("cost_of_silence", notice.Decision.Cost), zap.String("rules", n.rules),
	}
}

// notifier is how people are told of cases, and of a platform that is short of time.
func (f *Fleet) notifier() notifier {
	return notifier{log: f.o.Log.Named("oncall"), rules: f.o.Book.Hash(), hooks: f.hooks, next: f.o.Notify}
}

// short pages people because not all answers that are due on a platform can be sent in time.
func (n notifier) short(ctx context.Context, p sla.Platform, s sla.Shortage, now time.Time) {
	lack := &notify.Lack{Due: s.Due, First: s.First, By: s.By, Goes: s.Goes(), Wants: s.Wants(now)}
	id := sla.DisputeID{Platform: p}
	n.log.Error("time is short", zap.String("platform", string(p)), zap.Int("due", lack.Due), zap.Int("first", lack.First), zap.Time("by", lack.By),
		zap.Float64("an_hour", lack.Goes), zap.Float64("wanted_an_hour", lack.Wants))
	n.hooks.Post(ctx, notify.Message{Channel: sla.ChannelPage, Case: id, Why: sla.WhyTimeShort, Lack: lack})
	if n.next != nil {
		n.next.Page(ctx, handle.Notice{Case: sla.Case{DisputeRef: sla.DisputeRef{ID: id}}, Why: sla.WhyTimeShort})
	}
}

// clock pages people because this process takes no work: its clock is off, or that of Redis, and then no process takes any.
func (n notifier) clock(ctx context.Context, ahead time.Duration) {
	n.hooks.Post(ctx, notify.Message{Channel: sla.ChannelPage, Why: sla.WhyClockWrong, Clock: side(ahead)})
	if n.next != nil {
		n.next.Page(ctx, handle.Notice{Why: sla.WhyClockWrong})
	}
}

// message is a notice as a hook is told of it; a warning that is for the log goes to none.
func message(c sla.Channel, n handle.Notice) notify.Message {
	return notify.Message{
		Channel: c, Case: n.Case.ID, Turn: n.Case.Obligation.Turn, Reason: n.Case.Reason, Why: n.Why, Stage: n.Decision.Stage,
		Point: n.Decision.Warned, Deadline: n.Decision.Deadline, Cost: n.Decision.Cost,
	}
}

// openHooks makes the poster; nothing is posted before tell.
func (f *Fleet) openHooks(context.Context) error {
	o, err := f.o.Config.Notify.Apply(notify.Options{Now: f.o.Now, Log: f.o.Log, Reg: f.reg}, transport.SecretFile)
	if err != nil {
		return err
	}
	f.hooks = notify.New(o)
	return nil
}

// tell delivers what is posted until the fleet stops. It stops after the jobs, which may post to their end. What could not be delivered by
// then is logged and no failure of the fleet: a dead hook must not look like a dead process.
func (f *Fleet) tell(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.hooks.Run(context.WithoutCancel(ctx))
	}()
	f.onStop("notify", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, min(notifyDrain, f.o.Config.Workers.Shutdown))
		defer cancel()
		if err := f.hooks.Close(ctx); err != nil {
			f.log.Warn("stopped before everything was posted", zap.Error(err))
		}
		<-done
		return nil
	})
}
