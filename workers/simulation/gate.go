package simulation

import (
	"context"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/intake"
	"watchkeeper/workers/poll"
	"watchkeeper/workers/sweep"
)

// Memory is one process' handle on the state in Redis: what the fleet's parts need of it.
type Memory interface {
	orders
	intake.Store
	poll.Store
	sweep.Store
	sweep.Armed
	sweep.Living
	handle.Ledger
	handle.Money
	FrozenUntil(id sla.DisputeID) time.Time
}

// orders is what operators want: rules and kill switches.
type orders interface {
	NoteRules(ctx context.Context, process, hash string, now time.Time) error
	CheckKill(ctx context.Context, p sla.Platform, store sla.StoreID, r sla.Reason) error
	SetKill(ctx context.Context, scope sla.KillScope, on bool, note string, now time.Time) error
	Kills(ctx context.Context) ([]sla.KillSwitch, error)
}

// A Handle says how a process opens the store.
type Handle struct {
	Now    func() time.Time
	Stores map[sla.StoreID]sla.Platform
	Settle time.Duration
}

// A Server is what holds the state: it may lose all of it, or what was written since a point.
type Server interface {
	Open(h Handle) (Memory, error)
	Flush()
	Snapshot() any
	Restore(point any)
}

// A gate is a process' way to its memory. Each call may be the last that the process makes, and may fail before or after its effect.
type gate struct {
	p  *process
	of Memory
}

var _ Memory = (*gate)(nil)

// call asks for one result.
func call[T any](g *gate, do func() (T, error)) (T, error) {
	var out T
	var err error
	if failed := g.p.ask(func() { out, err = do() }); failed != nil {
		var none T
		return none, failed
	}
	return out, err
}

// tell asks for no result.
func (g *gate) tell(do func() error) error {
	var err error
	if failed := g.p.ask(func() { err = do() }); failed != nil {
		return failed
	}
	return err
}

func (g *gate) CompareCases(ctx context.Context, store sla.StoreID, rows []sla.Seen) ([]sla.CaseCompared, error) {
	return call(g, func() ([]sla.CaseCompared, error) { return g.of.CompareCases(ctx, store, rows) })
}

func (g *gate) FrozenUntil(id sla.DisputeID) time.Time { return g.of.FrozenUntil(id) }

func (g *gate) PutCases(ctx context.Context, writes []sla.CaseWrite) ([]sla.PutResult, error) {
	return call(g, func() ([]sla.PutResult, error) { return g.of.PutCases(ctx, writes) })
}

func (g *gate) Cases(ctx context.Context, ids []sla.DisputeID) (out []sla.CaseRecord, found []bool, err error) {
	out, err = call(g, func() (r []sla.CaseRecord, err error) {
		r, found, err = g.of.Cases(ctx, ids)
		return r, err
	})
	return out, found, err
}

func (g *gate) Attempts(ctx context.Context, id sla.DisputeID) ([]sla.Attempt, error) {
	return call(g, func() ([]sla.Attempt, error) { return g.of.Attempts(ctx, id) })
}

func (g *gate) CompareShipments(ctx context.Context, store sla.StoreID, rows []sla.Seen) ([]sla.ShipmentCompared, error) {
	return call(g, func() ([]sla.ShipmentCompared, error) { return g.of.CompareShipments(ctx, store, rows) })
}

func (g *gate) PutShipments(ctx context.Context, writes []sla.ShipmentWrite) ([]sla.PutResult, error) {
	return call(g, func() ([]sla.PutResult, error) { return g.of.PutShipments(ctx, writes) })
}

func (g *gate) Shipments(ctx context.Context, store sla.StoreID, refs []sla.ShipmentRef) (out []sla.ShipmentRecord, found []bool, err error) {
	out, err = call(g, func() (r []sla.ShipmentRecord, err error) {
		r, found, err = g.of.Shipments(ctx, store, refs)
		return r, err
	})
	return out, found, err
}

func (g *gate) Reject(ctx context.Context, rejects []sla.Rejected) error {
	return g.tell(func() error { return g.of.Reject(ctx, rejects) })
}

func (g *gate) NoteClaims(ctx context.Context, claims []sla.BuyerClaim) error {
	return g.tell(func() error { return g.of.NoteClaims(ctx, claims) })
}

func (g *gate) Audit(ctx context.Context, id sla.DisputeID, line []byte) error {
	return g.tell(func() error {
		g.p.w.judge.explained(line)
		return g.of.Audit(ctx, id, line)
	})
}

func (g *gate) EnsureFeeds(ctx context.Context, feeds []sla.FeedRecord) error {
	return g.tell(func() error { return g.of.EnsureFeeds(ctx, feeds) })
}

func (g *gate) ClaimFeeds(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]sla.FeedRecord, error) {
	return call(g, func() ([]sla.FeedRecord, error) { return g.of.ClaimFeeds(ctx, now, lease, limit) })
}

func (g *gate) BeginFeed(ctx context.Context, feed sla.FeedRecord) (bool, error) {
	return call(g, func() (bool, error) { return g.of.BeginFeed(ctx, feed) })
}

func (g *gate) PutFeed(ctx context.Context, feed sla.FeedRecord) (bool, error) {
	return call(g, func() (bool, error) {
		g.p.w.judge.read(feed, g.p.skew)
		return g.of.PutFeed(ctx, feed)
	})
}

func (g *gate) CheckEpoch(ctx context.Context, now time.Time) (sla.Epoch, error) {
	return call(g, func() (sla.Epoch, error) { return g.of.CheckEpoch(ctx, now) })
}

func (g *gate) MendKills(ctx context.Context) (int, error) {
	return call(g, func() (int, error) { return g.of.MendKills(ctx) })
}

func (g *gate) ClaimCases(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]sla.CaseRecord, error) {
	return call(g, func() ([]sla.CaseRecord, error) { return g.of.ClaimCases(ctx, now, lease, limit) })
}

func (g *gate) RemoveCases(ctx context.Context, ids []sla.DisputeID) error {
	return g.tell(func() error { return g.of.RemoveCases(ctx, ids) })
}

func (g *gate) ClaimShipments(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]sla.ShipmentRecord, error) {
	return call(g, func() ([]sla.ShipmentRecord, error) { return g.of.ClaimShipments(ctx, now, lease, limit) })
}

func (g *gate) RemoveShipments(ctx context.Context, store sla.StoreID, refs []sla.ShipmentRef) error {
	return g.tell(func() error { return g.of.RemoveShipments(ctx, store, refs) })
}

func (g *gate) ClaimAttempts(ctx context.Context, keys []sla.AttemptKey, now time.Time, lease time.Duration) []sla.Claim {
	var out []sla.Claim
	if failed := g.p.ask(func() { out = g.of.ClaimAttempts(ctx, keys, now, lease) }); failed != nil {
		out = make([]sla.Claim, len(keys))
		for i := range out {
			out[i].Err = failed
		}
	}
	return out
}

func (g *gate) RecordIntent(ctx context.Context, in sla.Intent) (sla.Attempt, error) {
	return call(g, func() (sla.Attempt, error) { return g.of.RecordIntent(ctx, in) })
}

func (g *gate) Settle(ctx context.Context, a sla.Attempt, s sla.Settlement) error {
	return g.tell(func() error {
		if len(s.Audit) > 0 {
			g.p.w.judge.explained(s.Audit)
		}
		return g.of.Settle(ctx, a, s)
	})
}

func (g *gate) ReleaseAttempt(ctx context.Context, a sla.Attempt) error {
	return g.tell(func() error { return g.of.ReleaseAttempt(ctx, a) })
}

func (g *gate) Reserve(ctx context.Context, s sla.Spend, now time.Time) error {
	return g.tell(func() error { return g.of.Reserve(ctx, s, now) })
}

func (g *gate) Release(ctx context.Context, a sla.Attempt) error {
	return g.tell(func() error { return g.of.Release(ctx, a) })
}

func (g *gate) Claims(ctx context.Context, buyer sla.BuyerKey, now time.Time) (int, error) {
	return call(g, func() (int, error) { return g.of.Claims(ctx, buyer, now) })
}

func (g *gate) CheckKill(ctx context.Context, p sla.Platform, store sla.StoreID, r sla.Reason) error {
	return g.tell(func() error { return g.of.CheckKill(ctx, p, store, r) })
}

func (g *gate) SetKill(ctx context.Context, scope sla.KillScope, on bool, note string, now time.Time) error {
	return g.of.SetKill(ctx, scope, on, note, now) // an operator's hand, not a process'
}

func (g *gate) Kills(ctx context.Context) ([]sla.KillSwitch, error) {
	return g.of.Kills(ctx) // an operator's eye
}

func (g *gate) EachCase(ctx context.Context, fn func(sla.CaseRecord) error) error {
	var all []sla.CaseRecord
	if err := g.tell(func() error {
		return g.of.EachCase(ctx, func(c sla.CaseRecord) error {
			all = append(all, c)
			return nil
		})
	}); err != nil {
		return err
	}
	for _, c := range all {
		if err := fn(c); err != nil {
			return err
		}
	}
	return nil
}

func (g *gate) RearmCases(ctx context.Context, moves []sla.Rearm) ([]bool, error) {
	return call(g, func() ([]bool, error) { return g.of.RearmCases(ctx, moves) })
}

func (g *gate) Obeyed(ctx context.Context) (string, error) {
	return call(g, func() (string, error) { return g.of.Obeyed(ctx) })
}

func (g *gate) SetObeyed(ctx context.Context, name string) error {
	return g.tell(func() error { return g.of.SetObeyed(ctx, name) })
}

func (g *gate) Behind(ctx context.Context) (map[sla.StoreID]time.Duration, error) {
	return call(g, func() (map[sla.StoreID]time.Duration, error) { return g.of.Behind(ctx) })
}

func (g *gate) SetBehind(ctx context.Context, behind map[sla.StoreID]time.Duration) error {
	return g.tell(func() error { return g.of.SetBehind(ctx, behind) })
}

func (g *gate) NoteRules(ctx context.Context, process, hash string, now time.Time) error {
	return g.tell(func() error { return g.of.NoteRules(ctx, process, hash, now) })
}

func (g *gate) RulesVersions(ctx context.Context, now time.Time, within time.Duration) (int, error) {
	return call(g, func() (int, error) { return g.of.RulesVersions(ctx, now, within) })
}

func (g *gate) Beat(ctx context.Context, now time.Time) (sla.Gone, error) {
	return call(g, func() (sla.Gone, error) { return g.of.Beat(ctx, now) })
}

func (g *gate) EndCaseLeases(ctx context.Context, now, until time.Time) (int, error) {
	return call(g, func() (int, error) { return g.of.EndCaseLeases(ctx, now, until) })
}

func (g *gate) EndShipmentLeases(ctx context.Context, now, until time.Time) (int, error) {
	return call(g, func() (int, error) { return g.of.EndShipmentLeases(ctx, now, until) })
}

func (g *gate) EndFeedLeases(ctx context.Context, now, until time.Time) (int, error) {
	return call(g, func() (int, error) { return g.of.EndFeedLeases(ctx, now, until) })
}
