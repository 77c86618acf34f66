package intake_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
	"watchkeeper/workers/intake"
	"watchkeeper/workers/job"
)

var errOut = errors.New("the store is out")

// records is the store in memory. A call whose name is in fails does not happen; puts counts what was written.
type records struct {
	cases     map[string]sla.CaseRecord
	parcels   map[string]sla.ShipmentRecord
	attempts  map[string][]sla.Attempt
	claims    []sla.BuyerClaim
	audits    []string
	rejects   []sla.Rejected
	fails     map[string]bool
	puts      int
	leased    bool   // the timer of the last write
	beforePut func() // runs once, as another worker would
}

func (r *records) fail(name string) error {
	if r.fails[name] {
		return errOut
	}
	return nil
}

func (r *records) CompareCases(_ context.Context, store sla.StoreID, rows []sla.Seen) ([]sla.CaseCompared, error) {
	out := make([]sla.CaseCompared, len(rows))
	for i, row := range rows {
		rec, ok := r.cases[string(store)+"/"+row.ID]
		switch {
		case !ok:
		case rec.Fingerprint == row.Fingerprint:
			out[i].Verdict = sla.VerdictUnchanged
		default:
			out[i] = sla.CaseCompared{Verdict: sla.VerdictChanged, Record: rec}
		}
	}
	return out, r.fail("compare")
}

func (r *records) PutCases(_ context.Context, writes []sla.CaseWrite) ([]sla.PutResult, error) {
	if err := r.fail("put"); err != nil {
		return nil, err
	}
	if do := r.beforePut; do != nil {
		r.beforePut = nil
		do()
	}
	out := make([]sla.PutResult, len(writes))
	for i, w := range writes {
		r.puts++
		if old, ok := r.cases[w.ID.String()]; ok && old.Version != w.Expect {
			out[i].Stale = true
			continue
		}
		w.Version = w.Expect + 1
		r.cases[w.ID.String()], r.leased = w.CaseRecord, w.Leased
		out[i].Version = w.Version
	}
	return out, nil
}

func (r *records) Cases(_ context.Context, ids []sla.DisputeID) (out []sla.CaseRecord, ok []bool, err error) {
	for _, id := range ids {
		rec, found := r.cases[id.String()]
		out, ok = append(out, rec), append(ok, found)
	}
	return out, ok, r.fail("read")
}

func (r *records) Attempts(_ context.Context, id sla.DisputeID) ([]sla.Attempt, error) {
	return r.attempts[id.String()], r.fail("attempts")
}

func (r *records) CompareShipments(_ context.Context, _ sla.StoreID, rows []sla.Seen) ([]sla.ShipmentCompared, error) {
	out := make([]sla.ShipmentCompared, len(rows))
	for i, row := range rows {
		rec, ok := r.parcels[row.ID]
		switch {
		case !ok:
		case rec.Fingerprint == row.Fingerprint:
			out[i].Verdict = sla.VerdictUnchanged
		default:
			out[i] = sla.ShipmentCompared{Verdict: sla.VerdictChanged, Record: rec}
		}
	}
	return out, r.fail("compare")
}

func (r *records) PutShipments(_ context.Context, writes []sla.ShipmentWrite) ([]sla.PutResult, error) {
	if err := r.fail("put"); err != nil {
		return nil, err
	}
	out := make([]sla.PutResult, len(writes))
	for i, w := range writes {
		r.puts++
		if old, ok := r.parcels[w.Ref.Key()]; ok && old.Version != w.Expect {
			out[i].Stale = true
			continue
		}
		w.Version = w.Expect + 1
		r.parcels[w.Ref.Key()] = w.ShipmentRecord
		out[i].Version = w.Version
	}
	return out, nil
}

func (r *records) Shipments(_ context.Context, _ sla.StoreID, refs []sla.ShipmentRef) (out []sla.ShipmentRecord, ok []bool, err error) {
	for _, ref := range refs {
		rec, found := r.parcels[ref.Key()]
		out, ok = append(out, rec), append(ok, found)
	}
	return out, ok, r.fail("parcels")
}

func (r *records) NoteClaims(_ context.Context, claims []sla.BuyerClaim) error {
	r.claims = append(r.claims, claims...)
	return r.fail("claims")
}

func (r *records) Audit(_ context.Context, _ sla.DisputeID, line []byte) error {
	r.audits = append(r.audits, string(line))
	return r.fail("audit")
}

func (r *records) Reject(_ context.Context, rejects []sla.Rejected) error {
	if err := r.fail("reject"); err != nil {
		return err
	}
	r.rejects = append(r.rejects, rejects...)
	return nil
}

// platform reads what a test put there; the answers of one row or dispute are by its id.
type platform struct {
	mu       sync.Mutex
	disputes map[string]sla.Dispute
	errs     map[string]error
	hook     func(id string)
	resolved []string
	looked   []string
}

func (p *platform) read(id string) (sla.Dispute, error) {
	if p.hook != nil {
		p.hook(id)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.disputes[id], p.errs[id]
}

func (p *platform) Fetch(context.Context, connectors.Cursor) (connectors.Page, error) {
	return connectors.Page{}, nil
}

func (p *platform) Resolve(ctx context.Context, row connectors.Row) (sla.Dispute, error) {
	if err := ctx.Err(); err != nil {
		return sla.Dispute{}, err
	}
	p.mu.Lock()
	p.resolved = append(p.resolved, row.ID+string(row.Raw))
	p.mu.Unlock()
	return p.read(row.ID)
}

func (p *platform) Lookup(_ context.Context, ref sla.DisputeRef) (sla.Dispute, error) {
	p.mu.Lock()
	p.looked = append(p.looked, ref.ID.Native)
	p.mu.Unlock()
	return p.read(ref.ID.Native)
}

// bundle is an intake with everything around it.
type bundle struct {
	*records
	*platform
	in   *intake.Intake
	deps intake.Deps // of it
	src  *connectors.Source
	now  time.Time
	rule sla.Rule
	jobs []job.Job
	lost error // what the queue says
	reg  *prometheus.Registry
	logs *observer.ObservedLogs

	lanes []sla.Lane // whose rules were asked for
}

func (b *bundle) For(sla.Platform, sla.StoreID, sla.Reason) sla.Rule { return b.rule }

func (b *bundle) Shipments(_ sla.StoreID, l sla.Lane) sla.ShipmentRule {
	b.lanes = append(b.lanes, l)
	return slatest.ShipmentRule()
}

func (b *bundle) Enqueue(_ context.Context, jobs ...job.Job) error {
	if b.lost != nil && len(jobs) > 0 {
		return b.lost
	}
	b.jobs = append(b.jobs, jobs...)
	return nil
}

// rules keeps the two methods named Shipments apart.
type rules struct{ *bundle }

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{
		records: &records{
			cases: map[string]sla.CaseRecord{}, parcels: map[string]sla.ShipmentRecord{}, attempts: map[string][]sla.Attempt{}, fails: map[string]bool{},
		},
		platform: &platform{disputes: map[string]sla.Dispute{}, errs: map[string]error{}},
		now:      slatest.Epoch, rule: slatest.Rule(), reg: prometheus.NewRegistry(),
	}
	core, logs := observer.New(zap.DebugLevel)
	b.logs = logs
	b.src = &connectors.Source{Store: "AE01", Platform: "aliexpress", Built: connectors.Built{Connector: b.platform}}
	b.deps = intake.Deps{
		Store: b.records, Rules: rules{b}, Jobs: b, Tracker: "T17", Now: func() time.Time { return b.now }, Log: zap.New(core),
		Metrics: intake.NewMetrics(b.reg, []sla.Platform{"aliexpress", "track17"}),
	}
	b.in = intake.New(b.deps)
	return b
}

// dispute makes the i-th dispute known to the platform, and gives its row.
func (b *bundle) dispute(i int, change ...func(*sla.Dispute)) connectors.Row {
	d := slatest.Dispute()
	d.ID.Native = strconv.Itoa(9000000000 + i)
	for _, c := range change {
		c(&d)
	}
	b.disputes[d.ID.Native] = d
	return row(d.ID.Native, uint64(i)+1000)
}

func row(id string, fingerprint uint64) connectors.Row {
	return connectors.Row{ID: id, Raw: fmt.Appendf(nil, `{"id":%q,"f":%d}`, id, fingerprint), Fingerprint: fingerprint}
}

func (b *bundle) accept(rows ...connectors.Row) (intake.Tally, error) {
	return b.in.Accept(context.Background(), b.src, connectors.Page{Rows: rows})
}

func (b *bundle) kase(i int) sla.CaseRecord { return b.cases[fmt.Sprintf("AE01/%d", 9000000000+i)] }

// asked lists the cases that a decision was asked for.
func (b *bundle) asked(t *testing.T, kind job.Kind) (out []string) {
	t.Helper()
	for _, j := range b.jobs {
		a, err := job.Decode(j.Payload)
		if err != nil {
			t.Fatalf("decode: %v", err)
		}
		if j.Kind == kind {
			out = append(out, a.IDs...)
		}
	}
	return out
}

func failure(kind connectors.Kind) error {
	return &connectors.Error{Op: "fake", Subject: "AE01", Kind: kind}
}
