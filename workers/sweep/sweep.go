// Package sweep finds what is due, lost or of unknown outcome: it claims cases and parcels whose timer has run out and asks for their
// work under ids of its own, so that losing every job in the queue costs one sweep. It watches the store's memory (its epoch) and the
// backlog. It imports sla, connectors and workers/job; it decides nothing about a case, and sends nothing to a platform.
package sweep

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/job"
)

// Store is what sweeping needs of the records.
type Store interface {
	CheckEpoch(ctx context.Context, now time.Time) (sla.Epoch, error)
	MendKills(ctx context.Context) (int, error)
	ClaimCases(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]sla.CaseRecord, error)
	RemoveCases(ctx context.Context, ids []sla.DisputeID) error
	ClaimShipments(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]sla.ShipmentRecord, error)
	RemoveShipments(ctx context.Context, store sla.StoreID, refs []sla.ShipmentRef) error
}

// Jobs takes work for now.
type Jobs interface {
	Enqueue(ctx context.Context, jobs ...job.Job) error
}

// Timings of sweeping.
const (
	Lease      = time.Minute      // a claimed case is looked for again after it
	LookLease  = 10 * time.Minute // a claimed parcel
	Batch      = 4096             // entries claimed at once: more would hold Redis for too long, fewer cost a round trip each
	maxBatches = 64               // of one sweep
)

// A Sweeper finds due work.
type Sweeper struct {
	store   Store
	jobs    Jobs
	sources connectors.Sources
	now     func() time.Time
	log     *zap.Logger
	metrics *metrics
	// amnesia is called when the store has lost its memory: feeds must be armed again and running walks forgotten.
	amnesia  func(ctx context.Context) error
	pressure func(*connectors.Source) sla.Pressure // nil source: of the whole fleet
	relearn  atomic.Bool                           // a loss was told, and amnesia has not gone through since
	unmended atomic.Bool                           // the kill switches could not be mended the last time
}

// New makes a sweeper. amnesia is called when the store has lost its memory, before anything else is swept.
//
//nolint:revive // seven arguments: each is one thing that it works with, and there is one caller
func New(store Store, jobs Jobs, sources connectors.Sources, now func() time.Time, log *zap.Logger, m *Metrics, amnesia func(context.Context) error) *Sweeper {
	return &Sweeper{store: store, jobs: jobs, sources: sources, now: now, log: log.Named("sweep"), metrics: m.metrics, amnesia: amnesia,
		pressure: func(*connectors.Source) sla.Pressure { return sla.PressureNone }}
}

// Under makes the sweeper leave undone what the pressure says, of a store's platform or, for nil, of the whole fleet. What is left undone keeps
// its timer. It must be called before the first RunOnce.
func (s *Sweeper) Under(pressure func(*connectors.Source) sla.Pressure) { s.pressure = pressure }

// RunOnce checks the store's memory, then claims everything that is due and asks for its work. It answers how many entries it claimed.
func (s *Sweeper) RunOnce(ctx context.Context) (int, error) {
	if err := s.Epoch(ctx); err != nil {
		return 0, err
	}
	cases, err := s.Cases(ctx)
	if err != nil {
		return cases, err
	}
	parcels, err := s.Parcels(ctx)
	return cases + parcels, err
}

// Epoch checks the store's memory. A lost one is answered by arming everything again from the platforms.
func (s *Sweeper) Epoch(ctx context.Context) error {
	now := s.now()
	epoch, err := s.store.CheckEpoch(ctx, now)
	if err != nil {
		return fmt.Errorf("check epoch: %w", err)
	}
	s.metrics.frozen.Set(max(epoch.FrozenUntil.Sub(now).Seconds(), 0))
	if len(epoch.Lost) > 0 {
		s.metrics.amnesia.Add(float64(len(epoch.Lost)))
		s.log.Warn("store without memory: reading everything again, no answers until then", zap.Ints("shards", epoch.Lost), zap.Time("frozen_until", epoch.FrozenUntil))
		s.relearn.Store(true) // the store tells of a loss once
	}
	s.mend(ctx)
	if !s.relearn.Load() {
		return nil
	}
	if err := s.amnesia(ctx); err != nil {
		return fmt.Errorf("arm again after a loss of memory: %w", err)
	}
	s.relearn.Store(false)
	return nil
}

// mend teaches shards that lost their kill switches again, and learns those of others. Nothing can be sent before the freeze of a loss is
// over, which is many sweeps later. A failure stops nothing else, is told once, and is mended by the next sweep.
func (s *Sweeper) mend(ctx context.Context) {
	n, err := s.store.MendKills(ctx)
	s.metrics.mended.Add(float64(n))
	switch {
	case err != nil && !s.unmended.Swap(true):
		s.log.Error("kill switches not mended, trying again with each sweep", zap.Error(err))
	case err == nil && s.unmended.Swap(false):
		s.log.Info("kill switches mended after all")
	}
	if n > 0 {
		s.log.Warn("kill switches brought back to shards that had lost or missed them", zap.Int("words", n))
	}
}

// Cases claims the cases that are due and asks for their work.
func (s *Sweeper) Cases(ctx context.Context) (int, error) {
	total := 0
	for range maxBatches {
		now := s.now()
		due, err := s.store.ClaimCases(ctx, now, Lease, Batch)
		if err != nil {
			return total, fmt.Errorf("claim cases: %w", err)
		}
		total += len(due)
		if err := s.hand(ctx, due, strconv.FormatInt(now.UnixMilli(), 36)); err != nil {
			return total, err
		}
		s.metrics.claimed.WithLabelValues("case").Add(float64(len(due)))
		if len(due) < Batch {
			break
		}
	}
	s.metrics.lastRun.Set(float64(s.now().UnixMilli()) / 1000)
	return total, nil
}

// hand sorts claimed cases by what they need and asks for it.
func (s *Sweeper) hand(ctx context.Context, due []sla.CaseRecord, tag string) error {
	var assess, refresh, closed []sla.DisputeID
	for _, c := range due {
		switch {
		case s.sources[c.ID.Store] == nil:
			// A store that is not configured here: its timer comes back after the lease, for a replica that knows it.
		case !c.Open() && !c.Unresolved:
			closed = append(closed, c.ID)
		case c.Obligation.Turn == 0 && !c.Unresolved && !s.pressure(s.sources[c.ID.Store]).Rereads():
			s.metrics.leftUndone.WithLabelValues("case").Inc() // its timer comes back after the lease
		case (c.Obligation.Turn == 0 || c.Answered) && !c.Unresolved:
			refresh = append(refresh, c.ID)
		default:
			assess = append(assess, c.ID)
		}
	}
	jobs := job.ForCases(job.Assess, assess, tag)
	jobs = append(jobs, job.ForCases(job.Refresh, refresh, tag)...)
	if err := s.jobs.Enqueue(ctx, jobs...); err != nil {
		return err
	}
	if len(closed) == 0 {
		return nil
	}
	if err := s.store.RemoveCases(ctx, closed); err != nil {
		return fmt.Errorf("remove closed cases: %w", err)
	}
	return nil
}

// Parcels claims the parcels that are due and asks for their work.
func (s *Sweeper) Parcels(ctx context.Context) (int, error) {
	if !s.pressure(nil).Parcels() {
		s.metrics.leftUndone.WithLabelValues("parcel").Inc()
		return 0, nil
	}
	total := 0
	for range maxBatches {
		now := s.now()
		due, err := s.store.ClaimShipments(ctx, now, LookLease, Batch)
		if err != nil {
			return total, fmt.Errorf("claim parcels: %w", err)
		}
		total += len(due)
		look, over := map[sla.StoreID][]sla.ShipmentRef{}, map[sla.StoreID][]sla.ShipmentRef{}
		for _, r := range due {
			if r.Milestone.Final() {
				over[r.Store] = append(over[r.Store], r.Ref)
			} else if s.sources[r.Store] != nil {
				look[r.Store] = append(look[r.Store], r.Ref)
			}
		}
		var jobs []job.Job
		for _, store := range slices.Sorted(maps.Keys(look)) {
			jobs = append(jobs, job.ForParcels(job.Look, store, look[store], strconv.FormatInt(now.UnixMilli(), 36))...)
		}
		if err := s.jobs.Enqueue(ctx, jobs...); err != nil {
			return total, err
		}
		for _, store := range slices.Sorted(maps.Keys(over)) {
			if err := s.store.RemoveShipments(ctx, store, over[store]); err != nil {
				return total, fmt.Errorf("remove parcels: %w", err)
			}
		}
		s.metrics.claimed.WithLabelValues("parcel").Add(float64(len(due)))
		if len(due) < Batch {
			break
		}
	}
	return total, nil
}
