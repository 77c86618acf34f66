package handle_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/intake"
	"watchkeeper/workers/job"
	"watchkeeper/workers/sweep"
)

// Instants of slatest's dispute under slatest's rule.
var (
	actAt    = slatest.Epoch.Add(84 * time.Hour)
	guardAt  = slatest.Epoch.Add(118 * time.Hour)
	deadline = slatest.Epoch.Add(120 * time.Hour)
)

// reporter is what testing.T and rapid.T have in common.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// point is a place where a fault can happen: before or after the n-th input or output.
type point struct {
	n    int
	name string
	when string
}

func (p point) String() string { return fmt.Sprintf("%d: %s %s", p.n, p.when, p.name) }

// crash is what the process dies of.
type crash struct{ at point }

var errOut = errors.New("the store is out")

// world is one store with its one dispute, the whole road from intake to answer, and a clock that only the test moves. Jobs run one
// after the other; what they would lose in a crash is lost.
type world struct {
	t        reporter
	now      time.Time
	skew     time.Duration
	rule     sla.Rule
	byReason map[sla.Reason]sla.Rule
	memory   *memory
	platform *platform
	source   *connectors.Source
	sources  connectors.Sources
	intake   *intake.Intake
	handlers *handle.Handlers
	sweeper  *sweep.Sweeper
	queue    []job.Job
	ran      []job.Kind
	failed   []error
	pages    []handle.Notice
	warnings []handle.Notice
	sold     func(seller, tracker sla.StoreID, l sla.Lane) sla.ShipmentRule // nil: slatest's
	points   int
	fault    func(point) bool // true: the call fails, or its reply is lost
}

// counters are the metrics of every world: making them costs more than a test.
var counters = sync.OnceValue(func() (c struct {
	reg    *prometheus.Registry
	intake *intake.Metrics
	handle *handle.Metrics
	sweep  *sweep.Metrics
},
) {
	names := []sla.Platform{"aliexpress", "track17"}
	c.reg = prometheus.NewRegistry()
	c.intake, c.handle, c.sweep = intake.NewMetrics(c.reg, names), handle.NewMetrics(c.reg, names), sweep.NewMetrics(c.reg)
	return c
})

// newWorld makes a world at slatest.Epoch, with the dispute known to the platform only.
func newWorld(t reporter) *world {
	w := &world{t: t, now: slatest.Epoch, rule: slatest.Rule(), byReason: map[sla.Reason]sla.Rule{}}
	w.memory, w.platform = newMemory(w), &platform{w: w, dispute: slatest.Dispute()}
	w.source = &connectors.Source{Store: "AE01", Platform: "aliexpress", Built: connectors.Built{Connector: w.platform, Responder: w.platform}}
	w.sources = connectors.Sources{"AE01": w.source}
	clock := func() time.Time { return w.now }
	c := counters()
	w.intake = intake.New(intake.Deps{Store: w.memory, Rules: w, Jobs: w, Now: clock, Log: zap.NewNop(), Metrics: c.intake})
	w.handlers = handle.New(handle.Deps{Store: w.memory, Ledger: w.memory, Money: w.memory, Audit: w.memory, Intake: w.intake, Rules: w, Jobs: w,
		Sources: w.sources, Notify: w, Brake: w.memory, Now: clock, Log: zap.NewNop(), Metrics: c.handle})
	w.sweeper = sweep.New(w.memory, w, w.sources, clock, zap.NewNop(), c.sweep, func(context.Context) error { return nil })
	return w
}

// opened is a world whose case is on record.
func opened(t *testing.T, change ...func(*world)) *world {
	t.Helper()
	w := newWorld(t)
	for _, c := range change {
		c(w)
	}
	w.poll()
	w.drain()
	return w
}

// poll is one reading of the feed.
func (w *world) poll() {
	w.t.Helper()
	w.source.Observe(w.skew)
	turn := uint64(1)
	for _, o := range w.platform.view().Obligations {
		turn = turn*31 + uint64(o.Turn) + uint64(o.Deadline.Unix())
	}
	row := connectors.Row{ID: w.platform.dispute.ID.Native, Raw: []byte("{}"), Fingerprint: turn + uint64(w.platform.dispute.State)}
	w.survive(func() error {
		_, err := w.intake.Accept(context.Background(), w.source, connectors.Page{Rows: []connectors.Row{row}})
		return err
	})
}

// The world's rules, queue and people.

func (w *world) For(_ sla.Platform, _ sla.StoreID, r sla.Reason) sla.Rule {
	if rule, ok := w.byReason[r]; ok {
		return rule
	}
	return w.rule
}

func (w *world) Hash() string { return "0123456789ab" }

func (w *world) Shipments(sla.StoreID, sla.Lane) sla.ShipmentRule { return slatest.ShipmentRule() }

func (w *world) Sold(seller, tracker sla.StoreID, l sla.Lane) sla.ShipmentRule {
	if w.sold != nil {
		return w.sold(seller, tracker, l)
	}
	return slatest.ShipmentRule()
}

func (w *world) Warn(_ context.Context, n handle.Notice) { w.warnings = append(w.warnings, n) }

func (w *world) Page(_ context.Context, n handle.Notice) { w.pages = append(w.pages, n) }

func (w *world) Enqueue(ctx context.Context, jobs ...job.Job) error {
	if len(jobs) == 0 {
		return nil
	}
	return w.io(ctx, "enqueue", func() {
		for _, j := range jobs {
			if !slices.ContainsFunc(w.queue, func(q job.Job) bool { return q.ID == j.ID }) {
				w.queue = append(w.queue, j)
			}
		}
	})
}

// io is one call of the store or the queue, call one of the platform: the places where faults happen.
func (w *world) io(ctx context.Context, name string, do func()) error {
	return w.through(ctx, name, errOut, do)
}

func (w *world) call(ctx context.Context, name string, do func()) error {
	lost := platformError(connectors.Unavailable)
	if name == "respond" {
		lost = platformError(connectors.OutcomeUnknown)
	}
	return w.through(ctx, name, lost, do)
}

func (w *world) through(ctx context.Context, name string, lost error, do func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.hit(name, "before") {
		return lost
	}
	do()
	if w.hit(name, "after") {
		return lost
	}
	return nil
}

func (w *world) hit(name, when string) bool {
	if w.fault == nil {
		return false
	}
	w.points++
	return w.fault(point{w.points, name, when})
}

// do runs one job as the queue does.
func (w *world) do(j job.Job) {
	w.ran = append(w.ran, j.Kind)
	w.survive(func() error { return w.handlers.Do(context.Background(), j.Kind, j.Payload) })
}

// survive runs a piece of work: what it panics with is recovered from, and a crash loses everything that waits.
func (w *world) survive(work func() error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case crash:
			w.queue = nil
		default:
			w.failed = append(w.failed, fmt.Errorf("panic: %v", p))
		}
	}()
	if err := work(); err != nil {
		w.failed = append(w.failed, err)
	}
}

// drain runs jobs until none waits. Jobs without end at one instant are a loop.
func (w *world) drain() {
	w.t.Helper()
	for n := 0; len(w.queue) > 0; n++ {
		if n > 50 {
			w.t.Fatalf("work without end at %v: %v", w.now, w.ran[len(w.ran)-8:])
		}
		j := w.queue[0]
		w.queue = w.queue[1:]
		w.do(j)
	}
}

// sweep is one turn of the sweeper, and the work it finds.
func (w *world) sweep() {
	w.t.Helper()
	w.survive(func() error {
		_, err := w.sweeper.Cases(context.Background())
		return err
	})
	w.drain()
}

// until lets time pass, from timer to timer.
func (w *world) until(end time.Time) {
	w.t.Helper()
	for n := 0; ; n++ {
		if n > 3000 {
			w.t.Fatalf("no end of timers at %v: %+v", w.now, w.kase())
		}
		w.sweep()
		next := end
		for _, c := range w.memory.cases {
			at := c.Next
			if !at.After(w.now) {
				at = w.now.Add(5 * time.Second) // that sweep failed; another one comes soon
			}
			if !c.Next.IsZero() && at.Before(next) {
				next = at
			}
		}
		if !w.now.Before(end) {
			return
		}
		w.now = next
	}
}

// kase is the case as it is on record.
func (w *world) kase() sla.CaseRecord { return w.memory.cases[w.platform.dispute.ID.String()] }

// slot is the ledger's word on the first turn.
func (w *world) slot() sla.Attempt {
	return w.memory.slots[sla.AttemptKey{Dispute: w.platform.dispute.ID, Turn: 7}]
}

// respond is a job for the case, as a late or repeated one would be.
func (w *world) job(kind job.Kind) job.Job {
	return job.ForCases(kind, []sla.DisputeID{w.platform.dispute.ID}, "again")[0]
}

// count is how many effects that end a turn the platform carried out in it.
func (w *world) count(turn sla.Turn) (n int) {
	for _, e := range w.platform.effects {
		if e.turn == turn && e.kind.EndsTurn() {
			n++
		}
	}
	return n
}

// holds checks what must be true at any time.
func (w *world) holds(where string) {
	w.t.Helper()
	seen := map[string]int{}
	for _, e := range w.platform.effects {
		key := fmt.Sprint(e.turn)
		if !e.kind.EndsTurn() {
			key += e.kind.String()
		}
		if seen[key]++; seen[key] > 1 {
			w.t.Fatalf("%s: want at most one effect in a turn, got %+v", where, w.platform.effects)
		}
		if e.kind.Pays() && !e.amount.AtMost(w.rule.AcceptCap.Value) {
			w.t.Fatalf("%s: paid %v, above the cap", where, e.amount)
		}
	}
	for _, at := range w.platform.sentAt {
		if !at.Before(guardAt) {
			w.t.Fatalf("%s: sent at %v, after guard", where, at)
		}
	}
	if len(w.memory.illegal) > 0 {
		w.t.Fatalf("%s: illegal moves of the ledger: %v", where, w.memory.illegal)
	}
	for id, c := range w.memory.cases {
		if c.Next.IsZero() {
			w.t.Fatalf("%s: case %s has no timer: %+v", where, id, c)
		}
	}
}
