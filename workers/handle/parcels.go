package handle

import (
	"context"
	"maps"
	"slices"

	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/job"
)

// refresh reads disputes of the platform again. Its failures are the platform's: the cases' timers bring them back.
func (h *Handlers) refresh(ctx context.Context, args job.Args) error {
	by := map[sla.StoreID][]sla.DisputeID{}
	for _, id := range args.Disputes() {
		by[id.Store] = append(by[id.Store], id)
	}
	for _, store := range slices.Sorted(maps.Keys(by)) {
		if src := h.source(store); src != nil {
			if err := h.platformOnly("refresh", store, h.Intake.Refresh(ctx, src, by[store])); err != nil {
				return err
			}
		}
	}
	return nil
}

// look reads parcels of one tracker again.
func (h *Handlers) look(ctx context.Context, args job.Args) error {
	store := sla.StoreID(args.Store)
	src := h.source(store)
	if src == nil || src.Tracker == nil {
		return nil
	}
	return h.platformOnly("look", store, h.Intake.Look(ctx, src, args.Parcels()))
}

// enrol asks a tracker to follow parcels. No timer stands behind this kind: a failure that may pass is the queue's to try again.
func (h *Handlers) enrol(ctx context.Context, args job.Args) error {
	store := sla.StoreID(args.Store)
	src := h.source(store)
	if src == nil || src.Tracker == nil {
		return nil
	}
	err := src.Tracker.Register(ctx, args.Parcels())
	dropped := h.platformOnly("register", store, err)
	if kind := connectors.KindOf(err); kind == connectors.Throttled || kind == connectors.Unavailable {
		return err
	}
	return dropped
}

// platformOnly drops a failure that a platform is to blame for: it is counted, and a timer brings the work back. A failure of ours is
// given to the queue.
func (h *Handlers) platformOnly(op string, store sla.StoreID, err error) error {
	if err == nil || !fromPlatform(err) {
		return err
	}
	kind := connectors.KindOf(err)
	h.metrics.platform.WithLabelValues(kind.String()).Inc()
	if kind != connectors.Throttled {
		h.log.Warn("platform call put off", zap.String("op", op), zap.String("store", string(store)), zap.Error(err))
	}
	return nil
}
