// Package intake accepts what was read from the platforms: it compares rows with what is recorded, resolves only what changed, records
// it and arms its timer in one step, and asks for work. It promises that a row is never both acknowledged and lost: when a row cannot
// be resolved for a reason that may pass, Accept answers an error and the cursor must stay. It imports sla, connectors, workers/job and
// workers/trace; it does not know where records live or how a platform speaks.
package intake

import (
	"cmp"
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/job"
	"watchkeeper/workers/trace"
)

// Store is what intake needs of the records.
type Store interface {
	CompareCases(ctx context.Context, store sla.StoreID, rows []sla.Seen) ([]sla.CaseCompared, error)
	PutCases(ctx context.Context, writes []sla.CaseWrite) ([]sla.PutResult, error)
	Cases(ctx context.Context, ids []sla.DisputeID) ([]sla.CaseRecord, []bool, error)
	Attempts(ctx context.Context, id sla.DisputeID) ([]sla.Attempt, error)
	CompareShipments(ctx context.Context, store sla.StoreID, rows []sla.Seen) ([]sla.ShipmentCompared, error)
	PutShipments(ctx context.Context, writes []sla.ShipmentWrite) ([]sla.PutResult, error)
	Shipments(ctx context.Context, store sla.StoreID, refs []sla.ShipmentRef) ([]sla.ShipmentRecord, []bool, error)
	Reject(ctx context.Context, rejects []sla.Rejected) error
	NoteClaims(ctx context.Context, claims []sla.BuyerClaim) error
	Audit(ctx context.Context, id sla.DisputeID, line []byte) error
}

// Rules gives the operator's rules.
type Rules interface {
	For(p sla.Platform, s sla.StoreID, r sla.Reason) sla.Rule
	Shipments(s sla.StoreID, l sla.Lane) sla.ShipmentRule
}

// Jobs takes work for now.
type Jobs interface {
	Enqueue(ctx context.Context, jobs ...job.Job) error
}

// grace is how long a job has before the sweep looks for the case itself.
const grace = time.Minute

// KeepClosed is how long a closed case stays on record.
const KeepClosed = 30 * 24 * time.Hour

// resolvers is how many rows of a page are resolved at once; the platform's allowance is kept by its transport.
const resolvers = 4

// An Intake accepts pages.
type Intake struct {
	store   Store
	rules   Rules
	jobs    Jobs
	now     func() time.Time
	log     *zap.Logger
	metrics *metrics
	trace   *trace.Tracer
	rejects *recent
	doubts  *recent // rows whose detail showed nothing new, by their fingerprints
	tracker sla.StoreID
	atOnce  int
}

// Deps is what an intake works with.
type Deps struct {
	Store   Store
	Rules   Rules
	Jobs    Jobs
	Tracker sla.StoreID // the tracker that is asked to follow parcels of disputes; empty: none
	Now     func() time.Time
	Log     *zap.Logger
	Metrics *Metrics
	Trace   *trace.Tracer // nil: nothing is traced
	AtOnce  int           // rows of a page that are resolved at once, 0: a few; 1: one after the other, in the caller's goroutine
}

// New makes an intake.
func New(d Deps) *Intake {
	return &Intake{
		store: d.Store, rules: d.Rules, jobs: d.Jobs, tracker: d.Tracker, now: d.Now, log: d.Log.Named("intake"), metrics: d.Metrics.metrics, trace: d.Trace,
		rejects: newRecent(), doubts: newRecent(), atOnce: cmp.Or(d.AtOnce, resolvers),
	}
}

// A Tally counts what became of a page.
type Tally struct {
	New, Updated, Unchanged, Stale, Rejected int
	overtaken                                int // of Stale: somebody else wrote a record between our reading and writing it
}

// stale counts a write that came too late. One that expected no record is not overtaken: another replica was first with the same news, or
// the record is one that we cannot read, and no reading again would help.
func (t *Tally) stale(expected uint32) {
	t.Stale++
	if expected != 0 {
		t.overtaken++
	}
}

// Changed is how many rows were not on record as they are.
func (t *Tally) Changed() int { return t.New + t.Updated + t.Stale + t.Rejected }

// errOvertaken means that what was read of a row could not be written on top of what somebody else wrote meanwhile.
var errOvertaken = errors.New("records were written by another worker meanwhile")

// missed is the failure of a page that was otherwise accepted: a row that was overtaken is not on record, and must be read again.
func (t *Tally) missed(src *connectors.Source, failed error) error {
	if failed == nil && t.overtaken > 0 {
		return &connectors.Error{Op: "record rows", Subject: string(src.Store), Kind: connectors.Conflict, Err: errOvertaken}
	}
	return failed
}

// Accept records a page of disputes. On an error the rows that could be resolved are recorded all the same, and the cursor must stay.
func (in *Intake) Accept(ctx context.Context, src *connectors.Source, page connectors.Page) (Tally, error) {
	tally := Tally{}
	rows := unique(page.Rows)
	compared, err := in.store.CompareCases(ctx, src.Store, seen(rows))
	if err != nil {
		return tally, err
	}
	var changed []found
	for i, c := range compared {
		if c.Verdict == sla.VerdictUnchanged {
			tally.Unchanged++
			continue
		}
		f := found{row: rows[i]}
		if c.Verdict == sla.VerdictChanged {
			f.prev = &c.Record
		}
		changed = append(changed, f)
	}
	rejects := page.Rejects
	failed := in.resolve(ctx, src, changed)
	var watched []observed
	for _, f := range changed {
		switch {
		case f.err == nil && f.done:
			watched = append(watched, observed{dispute: f.dispute, fingerprint: in.print(src, f), prev: f.prev, began: f.began})
		case f.done && onlyThis(f.err):
			rejects = append(rejects, connectors.Reject{ID: f.row.ID, Raw: f.row.Raw, Err: f.err})
			if o, ok := in.unreadable(src, f); ok {
				watched = append(watched, o)
			}
		}
	}
	tally.Rejected = in.reject(ctx, src, rejects)
	if err := in.record(ctx, src, watched, &tally); err != nil {
		return tally, err
	}
	in.metrics.count(src.Platform, tally)
	return tally, tally.missed(src, failed)
}

// Refresh reads disputes of the platform again and records what it says. A dispute that cannot be read now is not forgotten: what is due
// by the record is asked for, and one that the platform no longer knows is looked at again at the rule's pace. The first failure that may
// pass is returned, after everything else was done.
func (in *Intake) Refresh(ctx context.Context, src *connectors.Source, ids []sla.DisputeID) error {
	records, ok, err := in.store.Cases(ctx, ids)
	if err != nil {
		return err
	}
	var known []found
	for i, rec := range records {
		if ok[i] {
			f := found{row: connectors.Row{ID: rec.ID.Native}, prev: &rec}
			_, f.span = in.trace.Case(ctx, string(job.Refresh), src.Platform, rec.Case)
			known = append(known, f)
		}
	}
	defer func() {
		for _, f := range known {
			f.span.End()
		}
	}()
	failed := in.lookup(ctx, src, known)
	var watched []observed
	var unread []found
	for _, f := range known {
		if f.done && f.err == nil {
			watched = append(watched, observed{dispute: f.dispute, fingerprint: in.kept(src, f.dispute, f.prev), prev: f.prev, span: f.span})
		} else {
			f.span.Fail(f.err)
			unread = append(unread, f)
		}
	}
	tally := Tally{}
	if err := in.record(ctx, src, watched, &tally); err != nil {
		return err
	}
	if err := in.keep(ctx, src, unread); err != nil {
		return err
	}
	in.metrics.count(src.Platform, tally)
	return failed
}

// Record writes down one dispute as it was just read, on top of the given record.
func (in *Intake) Record(ctx context.Context, src *connectors.Source, d sla.Dispute, prev sla.CaseRecord) error {
	return in.Await(ctx, src, d, prev, time.Time{})
}

// Await is Record for a dispute with an answer of unknown outcome, which is looked at again at look, by our own clock, if that is
// earlier than the pace of settle. A zero look is none.
func (in *Intake) Await(ctx context.Context, src *connectors.Source, d sla.Dispute, prev sla.CaseRecord, look time.Time) error {
	tally := Tally{}
	if err := in.record(ctx, src, []observed{{dispute: d, fingerprint: in.kept(src, d, &prev), prev: &prev, look: look}}, &tally); err != nil {
		return err
	}
	in.metrics.count(src.Platform, tally)
	return nil
}

// unique keeps the last row of each id: a platform whose pages shift lists one twice, and the later is never the older.
func unique(rows []connectors.Row) []connectors.Row {
	at := make(map[string]int, len(rows))
	out := make([]connectors.Row, 0, len(rows))
	for _, r := range rows {
		if i, twice := at[r.ID]; twice {
			out[i] = r
			continue
		}
		at[r.ID] = len(out)
		out = append(out, r)
	}
	return out
}

func seen(rows []connectors.Row) []sla.Seen {
	out := make([]sla.Seen, len(rows))
	for i, r := range rows {
		out[i] = sla.Seen{ID: r.ID, Fingerprint: r.Fingerprint}
	}
	return out
}
