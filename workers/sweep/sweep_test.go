package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
	"watchkeeper/workers/job"
	"watchkeeper/workers/sweep"
)

var errOut = errors.New("the store is out")

// records are timers in memory: a claim gives what is due and looks away from it until the lease ends.
type records struct {
	cases    map[string]sla.CaseRecord
	parcels  map[string]sla.ShipmentRecord
	lost     []int // told once
	frozen   time.Time
	fails    map[string]bool
	unmended int // words on kill switches that shards have lost
	order    []string
}

func (r *records) note(name string) error {
	r.order = append(r.order, name)
	if r.fails[name] {
		return errOut
	}
	return nil
}

func (r *records) CheckEpoch(context.Context, time.Time) (sla.Epoch, error) {
	e := sla.Epoch{Lost: r.lost, FrozenUntil: r.frozen}
	r.lost = nil
	return e, r.note("epoch")
}

func (r *records) MendKills(context.Context) (int, error) {
	n := r.unmended
	if err := r.note("mend"); err != nil {
		return 0, err
	}
	r.unmended = 0
	return n, nil
}

func (r *records) ClaimCases(_ context.Context, now time.Time, lease time.Duration, limit int) (out []sla.CaseRecord, err error) {
	if err := r.note("claim cases"); err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(r.cases)) {
		if c := r.cases[key]; len(out) < limit && !c.Next.IsZero() && !c.Next.After(now) {
			out = append(out, c)
			c.Next = now.Add(lease)
			r.cases[key] = c
		}
	}
	return out, nil
}

func (r *records) RemoveCases(_ context.Context, ids []sla.DisputeID) error {
	if err := r.note("remove cases"); err != nil {
		return err
	}
	for _, id := range ids {
		delete(r.cases, id.String())
	}
	return nil
}

func (r *records) ClaimShipments(_ context.Context, now time.Time, lease time.Duration, limit int) (out []sla.ShipmentRecord, err error) {
	if err := r.note("claim parcels"); err != nil {
		return nil, err
	}
	for key, p := range r.parcels {
		if len(out) < limit && !p.Next.After(now) {
			out = append(out, p)
			p.Next = now.Add(lease)
			r.parcels[key] = p
		}
	}
	return out, nil
}

func (r *records) RemoveShipments(_ context.Context, _ sla.StoreID, refs []sla.ShipmentRef) error {
	if err := r.note("remove parcels"); err != nil {
		return err
	}
	for _, ref := range refs {
		delete(r.parcels, ref.Key())
	}
	return nil
}

// bundle is a sweeper with everything around it; its queue can be lost or refuse.
type bundle struct {
	*records
	sweeper *sweep.Sweeper
	now     time.Time
	jobs    []job.Job
	queue   error
	relearn int
	deaf    error // what arming everything again says
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{
		records: &records{cases: map[string]sla.CaseRecord{}, parcels: map[string]sla.ShipmentRecord{}, fails: map[string]bool{}}, now: slatest.Epoch,
	}
	sources := connectors.Sources{"AE01": {Store: "AE01"}, "AE02": {Store: "AE02"}, "T17": {Store: "T17"}}
	b.sweeper = sweep.New(b.records, b, sources, func() time.Time { return b.now }, zap.NewNop(), sweep.NewMetrics(prometheus.NewRegistry()),
		func(context.Context) error {
			b.relearn++
			b.order = append(b.order, "relearn")
			return b.deaf
		})
	return b
}

func (b *bundle) Enqueue(_ context.Context, jobs ...job.Job) error {
	if b.queue != nil {
		return b.queue
	}
	b.jobs = append(b.jobs, jobs...)
	return nil
}

// add puts a case on record that is due now.
func (b *bundle) add(store sla.StoreID, native string, change func(*sla.CaseRecord)) {
	rec := sla.CaseRecord{Case: slatest.Case()}
	rec.ID.Store, rec.ID.Native, rec.Next = store, native, b.now
	change(&rec)
	b.cases[rec.ID.String()] = rec
}

func (b *bundle) run(t *testing.T) int {
	t.Helper()
	n, err := b.sweeper.RunOnce(context.Background())
	if err != nil {
		t.Fatalf("sweep: %v", err)
	}
	return n
}

// asked lists what was asked for, in order of the ids.
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
	slices.Sort(out)
	return out
}

func TestEveryConditionOfACaseGoesItsWay(t *testing.T) {
	t.Parallel()
	none := func(c *sla.CaseRecord) { c.Obligation, c.State = sla.Obligation{}, sla.StateBuyer }
	closed := func(c *sla.CaseRecord) { c.Obligation, c.State = sla.Obligation{}, sla.StateClosed }
	for name, c := range map[string]struct {
		change func(*sla.CaseRecord)
		kind   job.Kind // empty: removed
	}{
		"owes":                     {func(*sla.CaseRecord) {}, job.Assess},
		"unresolved":               {func(c *sla.CaseRecord) { c.Unresolved = true }, job.Assess},
		"answered":                 {func(c *sla.CaseRecord) { c.Answered = true }, job.Refresh},
		"answered and unresolved":  {func(c *sla.CaseRecord) { c.Answered, c.Unresolved = true, true }, job.Assess},
		"owes nothing":             {none, job.Refresh},
		"owes nothing, unresolved": {func(c *sla.CaseRecord) { none(c); c.Unresolved = true }, job.Assess},
		"closed":                   {closed, ""},
		"closed, unresolved":       {func(c *sla.CaseRecord) { closed(c); c.Unresolved = true }, job.Assess},
		"never seen state":         {func(c *sla.CaseRecord) { none(c); c.State = sla.StateUnknown }, job.Refresh},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.add("AE01", "1", c.change)
			if n := b.run(t); n != 1 {
				t.Fatalf("want one claimed, got %d", n)
			}
			for _, kind := range job.Kinds() {
				if asked := slices.Equal(b.asked(t, kind), []string{"AE01/1"}); asked != (kind == c.kind) {
					t.Errorf("want %s asked for, got %v", c.kind, b.jobs)
				}
			}
			if _, there := b.cases["AE01/1"]; there != (c.kind != "") {
				t.Errorf("want it on record %v, got %v", c.kind != "", there)
			}
		})
	}
}

func TestLosingEveryJobCostsOneSweep(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 100 {
		b.add("AE01", strconv.Itoa(i), func(*sla.CaseRecord) {})
	}
	b.run(t)
	first := b.asked(t, job.Assess)
	ids := map[string]bool{}
	for _, j := range b.jobs {
		ids[j.ID] = true
	}
	b.jobs = nil // the queue is lost
	b.now = b.now.Add(sweep.Lease - time.Second)
	if n := b.run(t); n != 0 {
		t.Errorf("want nothing claimed twice within the lease, got %d", n)
	}
	b.now = b.now.Add(time.Second)
	b.run(t)
	if got := b.asked(t, job.Assess); len(got) != 100 || !slices.Equal(got, first) {
		t.Errorf("want all asked for again, got %d", len(got))
	}
	for _, j := range b.jobs {
		if ids[j.ID] {
			t.Errorf("want an id of its own for each claim, got %s again", j.ID)
		}
	}
}

func TestMoreThanABatchIsClaimedInOneSweep(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 5000 {
		b.add("AE01", strconv.Itoa(i), func(*sla.CaseRecord) {})
	}
	if n := b.run(t); n != 5000 || len(b.asked(t, job.Assess)) != 5000 {
		t.Errorf("want all of them, got %d and %d", n, len(b.asked(t, job.Assess)))
	}
	if n := b.run(t); n != 0 {
		t.Errorf("want nothing left, got %d", n)
	}
}

func TestStoresThatAreNotConfiguredAreLeftAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.add("XX01", "1", func(c *sla.CaseRecord) { c.State = sla.StateClosed })
	b.add("XX01", "2", func(*sla.CaseRecord) {})
	b.parcels["LX1"] = sla.ShipmentRecord{Store: "XX02", Ref: sla.ShipmentRef{Number: "LX1"}, Next: b.now}
	b.run(t)
	if len(b.jobs) != 0 || len(b.cases) != 2 || len(b.parcels) != 1 {
		t.Errorf("want nothing asked for and nothing removed, got %v, %v", b.jobs, b.cases)
	}
}

func TestRefreshJobsAreAboutOneStoreEach(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 6 {
		b.add(sla.StoreID(fmt.Sprintf("AE0%d", 1+i%2)), strconv.Itoa(i), func(c *sla.CaseRecord) { c.Answered = true })
	}
	b.run(t)
	if len(b.jobs) != 2 {
		t.Fatalf("want two jobs, got %d", len(b.jobs))
	}
	for _, j := range b.jobs {
		a, _ := job.Decode(j.Payload)
		for _, id := range a.Disputes() {
			if id.Store != a.Disputes()[0].Store {
				t.Errorf("want one store, got %v", a.IDs)
			}
		}
	}
}

func TestFailuresComeBackAfterTheLease(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"epoch", "claim cases", "remove cases", "claim parcels", "remove parcels", "queue"} {
		b := setup(t)
		b.add("AE01", "1", func(*sla.CaseRecord) {})
		b.add("AE01", "2", func(c *sla.CaseRecord) { c.State = sla.StateClosed })
		b.parcels["LX1"] = sla.ShipmentRecord{Store: "T17", Ref: sla.ShipmentRef{Number: "LX1"}, Next: b.now}
		b.parcels["LX2"] = sla.ShipmentRecord{Store: "T17", Ref: sla.ShipmentRef{Number: "LX2"}, Milestone: sla.MilestoneDelivered, Next: b.now}
		b.fails[name] = true
		if name == "queue" {
			b.queue = errOut
		}
		if _, err := b.sweeper.RunOnce(context.Background()); !errors.Is(err, errOut) {
			t.Errorf("%s: want the failure, got %v", name, err)
		}
		b.fails, b.queue, b.jobs = map[string]bool{}, nil, nil
		b.now = b.now.Add(time.Hour)
		b.run(t)
		if len(b.asked(t, job.Assess)) != 1 || len(b.asked(t, job.Look)) != 1 || len(b.cases) != 1 || len(b.parcels) != 1 {
			t.Errorf("%s: want everything done after the lease, got %v, %v, %v", name, b.jobs, b.cases, b.parcels)
		}
	}
}

func TestAmnesiaArmsEverythingAgainBeforeAnythingIsSwept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.lost, b.frozen = []int{0, 3}, b.now.Add(10*time.Minute)
	b.run(t)
	if b.relearn != 1 || !slices.Equal(b.order[:4], []string{"epoch", "mend", "relearn", "claim cases"}) {
		t.Errorf("want it armed again first, got %v", b.order)
	}
	b.run(t)
	if b.relearn != 1 {
		t.Errorf("want it once for a loss, got %d", b.relearn)
	}
}

func TestKillSwitchesAreMendedWithEachSweepAndAFailureStopsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	core, logs := observer.New(zap.InfoLevel)
	b.sweeper = sweep.New(b.records, b, nil, func() time.Time { return b.now }, zap.New(core), sweep.NewMetrics(prometheus.NewRegistry()),
		func(context.Context) error { return nil })
	b.unmended, b.fails["mend"] = 8, true
	for range 3 {
		b.run(t)
	}
	b.fails["mend"] = false
	for range 2 {
		b.run(t)
	}
	var told []string
	for _, l := range logs.All() {
		told = append(told, l.Message)
	}
	want := []string{
		"kill switches not mended, trying again with each sweep", "kill switches mended after all",
		"kill switches brought back to shards that had lost or missed them",
	}
	if !slices.Equal(told, want) || b.unmended != 0 {
		t.Errorf("want each told once and nothing left, got %q and %d", told, b.unmended)
	}
}

// The store tells of a loss once: when arming again fails it must be tried until it succeeds.
func TestAmnesiaIsNotForgottenWhenArmingAgainFails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.lost, b.deaf = []int{0}, errOut
	for range 3 {
		if err := b.sweeper.Epoch(context.Background()); !errors.Is(err, errOut) {
			t.Errorf("want the failure, got %v", err)
		}
	}
	b.deaf = nil
	b.run(t)
	b.run(t)
	if b.relearn != 4 {
		t.Errorf("want it tried until it went through, and no more, got %d", b.relearn)
	}
}

func TestParcelsAreLookedAtAndRemovedAtTheEndOfTheirJourney(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, m := range sla.Milestones() {
		ref := sla.ShipmentRef{Number: "LX" + m.String()}
		b.parcels[ref.Key()] = sla.ShipmentRecord{Store: "T17", Ref: ref, Milestone: m, Next: b.now}
	}
	b.run(t)
	looked := b.asked(t, job.Look)
	for _, m := range sla.Milestones() {
		number := "LX" + m.String()
		if _, there := b.parcels[number]; there == m.Final() || slices.Contains(looked, number) == m.Final() {
			t.Errorf("%v: want it looked at %v, got %v and on record %v", m, !m.Final(), slices.Contains(looked, number), there)
		}
	}
}
