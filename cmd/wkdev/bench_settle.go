package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/hibiken/asynq"
	"github.com/sethvargo/go-envconfig"
	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/fleet"
)

// settle measures whole cases from due to settled: sweep, decision, answer and settlement, with a platform that answers at once, beside
// plain asynq's processing of no-op tasks. A whole case counts as one task, though it takes several pieces of work. An answer that pays
// is measured apart: its budgets are reserved besides, for which plain asynq has nothing.
func (b *bench) settle(ctx context.Context, r *rig) ([]benchRow, error) {
	n := min(b.cases, 60_000) // enough for the start of either server to weigh little
	answers := func(rule string) func() (float64, error) {
		return func() (float64, error) {
			if err := r.wipe(ctx); err != nil {
				return 0, err
			}
			return r.answerAll(ctx, n, rule)
		}
	}
	figures, err := inTurn(b.rounds, answers("refuse@0h"), answers("accept@0h"), func() (float64, error) {
		if err := r.wipe(ctx); err != nil {
			return 0, err
		}
		if err := r.enqueue(ctx, n, "s", nil); err != nil {
			return 0, err
		}
		took, err := r.serve(ctx, n, asynq.Config{}, nil)
		return float64(n) / took.Seconds(), err
	})
	if err != nil {
		return nil, err
	}
	ours, paying, theirs := figures[0], figures[1], figures[2]
	return []benchRow{
		rate("a case from due to settled, a case counted as one task", "cases/s", ours, theirs),
		rate("the same with an answer that pays, its budgets reserved", "cases/s", paying, theirs),
	}, nil
}

// answerAll runs a whole fleet on a platform that does nothing, and gives the cases it answered a second; rule says which answer is given.
func (r *rig) answerAll(ctx context.Context, n int, rule string) (float64, error) {
	answered := newCounter(n)
	registry := connectors.Registry{idlePlatform(answered)}
	config, book, err := fleet.Load(ctx, []string{
		"WK_REDIS__ADDRS=" + r.addr, "WK_HTTP__LISTEN=127.0.0.1:0", "WK_STORE__" + string(idleStore) + "__PLATFORM=" + string(idlePlatformName), "WK_SLA__MODE=live",
		"WK_SLA__ACCEPT_CAP=1000USD", "WK_SLA__ACT_BEFORE=4d", "WK_SLA__ANSWER=" + rule,
	}, registry)
	if err != nil {
		return 0, err
	}
	f, err := fleet.New(ctx, fleet.Options{Config: config, Book: book, Registry: registry, Now: time.Now, Log: zap.NewNop()})
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Stop(context.WithoutCancel(ctx)) }()
	now := time.Now()
	err = pages(ctx, n, fillPage, func(ctx context.Context, a, z int) error {
		writes := writesOf(a, z, func(i int) time.Time { return now.Add(-time.Duration(i%3600) * time.Second) }, 0) // as in the row of due entries
		for i := range writes {
			writes[i].ID.Platform, writes[i].ID.Store = idlePlatformName, idleStore
		}
		_, err := f.Store().PutCases(ctx, writes)
		return err
	})
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if err := f.Start(ctx); err != nil {
		return 0, err
	}
	select {
	case <-answered.done:
	case <-time.After(3 * time.Minute):
		return 0, fmt.Errorf("%d of %d cases were not answered in time", answered.left.Load(), n)
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	return float64(n) / time.Since(start).Seconds(), nil
}

// idlePlatform answers everything at once and does nothing.
func idlePlatform(answered *counter) connectors.Platform {
	return connectors.Platform{
		Name: idlePlatformName, Poll: time.Hour,
		New: func(context.Context, envconfig.Lookuper, connectors.Deps) (connectors.Built, error) {
			p := idle{answered}
			return connectors.Built{Connector: p, Responder: p}, nil
		},
	}
}

// opIdle names the idle platform's only operation.
const opIdle = "idle"

type idle struct{ answered *counter }

func (idle) Fetch(context.Context, connectors.Cursor) (connectors.Page, error) {
	return connectors.Page{Kind: connectors.Changes}, nil
}

func (p idle) Resolve(context.Context, connectors.Row) (sla.Dispute, error) {
	return sla.Dispute{}, &connectors.Error{Op: opIdle, Kind: connectors.NotFound}
}

// Lookup gives the dispute of benchCase with the same number.
func (p idle) Lookup(_ context.Context, ref sla.DisputeRef) (sla.Dispute, error) {
	id, err := strconv.Atoi(ref.ID.Native)
	if err != nil {
		return sla.Dispute{}, &connectors.Error{Op: opIdle, Kind: connectors.NotFound, Err: err}
	}
	i := (id - 9_123_456_700_000_000) / 37
	c := benchCase(i, time.Now())
	d := sla.Dispute{DisputeRef: ref, State: c.State, Reason: c.Reason, Claimed: c.Claimed, Proposal: "1", Obligations: []sla.Obligation{c.Obligation}}
	return d, nil
}

func (p idle) Respond(context.Context, sla.Dispute, sla.Answer) (connectors.Receipt, error) {
	p.answered.one()
	return connectors.Receipt{ID: "ok"}, nil
}

func (p idle) Confirm(context.Context, sla.Dispute, sla.Answer) (connectors.Outcome, error) {
	return connectors.OutcomePresent, nil
}
