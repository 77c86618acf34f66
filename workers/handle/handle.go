// Package handle does the work of each kind of job. A handler may run twice, late or never: it reads the record, asks the pure functions
// what to do now, reads the platform again before any effect, and writes what it did. It promises that an effect is sent at most once
// for a turn, and that every case it touches has a timer again. It imports sla, sla/playbook, connectors, workers/job and workers/trace;
// verdict.go alone knows the queue's words.
package handle

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/job"
	"watchkeeper/workers/trace"
)

// Store is what handlers need of the records.
type Store interface {
	Cases(ctx context.Context, ids []sla.DisputeID) ([]sla.CaseRecord, []bool, error)
	PutCases(ctx context.Context, writes []sla.CaseWrite) ([]sla.PutResult, error)
	Shipments(ctx context.Context, store sla.StoreID, refs []sla.ShipmentRef) ([]sla.ShipmentRecord, []bool, error)
}

// Ledger is the memory of what was sent. A claim gives the slot as it stands: claimed, when the caller now holds it and nothing of this
// slot is out; unknown, when the caller holds it and must first learn what became of the last try; settled, when there is nothing left
// to do. It answers sla.ErrHeld while another holds the slot, and sla.ErrUnresolved while the answer of another turn may be out. An intent
// makes the coming send durable; it is refused with sla.ErrFrozen when memory was lost after since or the server is new (sla.ErrTakenOver, which
// is one), with sla.ErrAmnesia, sla.ErrFenced or sla.ErrKilled, else it gives the attempt as sent; a send without an intent does not exist.
type Ledger interface {
	Attempts(ctx context.Context, id sla.DisputeID) ([]sla.Attempt, error)
	ClaimAttempts(ctx context.Context, keys []sla.AttemptKey, now time.Time, lease time.Duration) []sla.Claim
	RecordIntent(ctx context.Context, in sla.Intent) (sla.Attempt, error)
	Settle(ctx context.Context, a sla.Attempt, s sla.Settlement) error
	ReleaseAttempt(ctx context.Context, a sla.Attempt) error
}

// Money keeps the budgets. A reservation counts once for its attempt, however often it is made; what is not released stays spent.
type Money interface {
	Reserve(ctx context.Context, s sla.Spend, now time.Time) error
	Release(ctx context.Context, a sla.Attempt) error
	Claims(ctx context.Context, buyer sla.BuyerKey, now time.Time) (int, error)
}

// Audit keeps lines for people.
type Audit interface {
	Audit(ctx context.Context, id sla.DisputeID, line []byte) error
}

// Intake records what was read from a platform.
type Intake interface {
	Record(ctx context.Context, src *connectors.Source, d sla.Dispute, prev sla.CaseRecord) error
	Await(ctx context.Context, src *connectors.Source, d sla.Dispute, prev sla.CaseRecord, look time.Time) error
	Refresh(ctx context.Context, src *connectors.Source, ids []sla.DisputeID) error
	Look(ctx context.Context, src *connectors.Source, refs []sla.ShipmentRef) error
}

// Rules gives the operator's rules.
type Rules interface {
	For(p sla.Platform, s sla.StoreID, r sla.Reason) sla.Rule
	// Sold is what holds of a parcel that a tracker follows, for a dispute of the store that sold it.
	Sold(seller, tracker sla.StoreID, l sla.Lane) sla.ShipmentRule
	Hash() string
}

// Jobs takes work for now.
type Jobs interface {
	Enqueue(ctx context.Context, jobs ...job.Job) error
}

// A Notice is what people are told about a case.
type Notice struct {
	Case     sla.Case
	Decision sla.Decision
	Why      sla.Why // the most telling reason: the playbook's where there is one
}

// A Notifier tells people. Page must return only when the page is on its way; it may be called twice for one stage.
type Notifier interface {
	Warn(ctx context.Context, n Notice)
	Page(ctx context.Context, n Notice)
}

// Deps is what handlers work with.
type Deps struct {
	Store   Store
	Ledger  Ledger
	Money   Money
	Audit   Audit
	Intake  Intake
	Rules   Rules
	Jobs    Jobs
	Sources connectors.Sources
	Notify  Notifier
	Now     func() time.Time
	Log     *zap.Logger
	Metrics *Metrics
	AtOnce  bool // the cases of an answering job go at once, not one after the other
	// Limit is how many cases of a store may be under way to an answer at once in this process, as of now; 0, or a nil function: any number.
	Limit func(sla.StoreID) int
	Meter Meter            // nil: nobody measures
	Brake connectors.Brake // knows the kill switches
	Trace *trace.Tracer    // nil: nothing is traced
	// Compared tells whether what other processes wrote down about time counts by this process' clock; nil: it does.
	Compared func() bool
	// Frozen is until when no answer to a dispute may be sent, as far as this process has heard; zero, or a nil function: any time.
	Frozen func(sla.DisputeID) time.Time
}

// Handlers do the work.
type Handlers struct {
	Deps
	log      *zap.Logger
	metrics  *metrics
	kinds    map[job.Kind]func(context.Context, job.Args) error
	absent   *instants[tryKey]
	killedAt *instants[sla.AttemptKey] // when the platform was last read for an answer that a kill switch then stopped
	slots    *slots
	end      atomic.Pointer[time.Time] // of this process; nil: not in sight
}

// New makes the handlers.
func New(d Deps) *Handlers {
	if d.Meter == nil {
		d.Meter = unmetered{}
	}
	h := &Handlers{Deps: d, log: d.Log.Named("handle"), metrics: d.Metrics.metrics, absent: newAbsences(), killedAt: newInstants[sla.AttemptKey](killedAtOnce),
		slots: newSlots()}
	h.kinds = map[job.Kind]func(context.Context, job.Args) error{
		job.Assess:  h.assess,
		job.Refresh: h.refresh,
		job.Respond: h.respond,
		job.Look:    h.look,
		job.Enrol:   h.enrol,
	}
	return h
}

// Do runs one job within its budget. An error means that the store or the queue failed; everything else has its answer in the records.
func (h *Handlers) Do(ctx context.Context, kind job.Kind, payload []byte) error {
	work, ok := h.kinds[kind]
	if !ok {
		return fmt.Errorf("job %s: %w", kind, errUnknownKind)
	}
	args, err := job.Decode(payload)
	if err != nil {
		return fmt.Errorf("job %s: %w", kind, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, job.Budget, errBudget)
	defer cancel()
	start := h.Now()
	ctx, span := h.begin(ctx, kind, args)
	defer span.End()
	err = work(ctx, args)
	span.Fail(err)
	h.metrics.job(kind, err, h.Now().Sub(start))
	if err != nil {
		return fmt.Errorf("job %s: %w", kind, err)
	}
	return nil
}

// begin begins the span of a job that is about no case: those of cases are in the traces of their turns.
func (h *Handlers) begin(ctx context.Context, kind job.Kind, args job.Args) (context.Context, trace.Span) {
	if args.Store == "" {
		return ctx, trace.Span{}
	}
	return h.Trace.Job(ctx, string(kind), sla.StoreID(args.Store))
}

// source finds a store's connector; a store that is not configured here is another replica's.
func (h *Handlers) source(store sla.StoreID) *connectors.Source { return h.Sources[store] }

// put writes cases back, each with its timer. A stale one was changed meanwhile by somebody who armed it.
func (h *Handlers) put(ctx context.Context, writes ...sla.CaseWrite) ([]sla.PutResult, error) {
	if len(writes) == 0 {
		return nil, nil
	}
	return h.Store.PutCases(ctx, writes)
}

// rewrite makes a write of a record that was just read.
func rewrite(rec sla.CaseRecord, next time.Time) sla.CaseWrite {
	rec.Next = next
	return sla.CaseWrite{CaseRecord: rec, Expect: rec.Version}
}
