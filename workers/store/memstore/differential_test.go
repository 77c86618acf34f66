package memstore_test

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"watchkeeper/sla"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/intake"
	"watchkeeper/workers/poll"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/memstore"
	"watchkeeper/workers/sweep"
)

// What the workers ask of a store.
var _ interface {
	intake.Store
	poll.Store
	sweep.Store
	sweep.Armed
	handle.Store
	handle.Ledger
	handle.Money
	handle.Audit
} = (*memstore.Store)(nil)

// timed is what has a timer.
type timed interface {
	intake.Store
	poll.Store
	sweep.Store
	sweep.Armed
	sweep.Living
}

// both is what is asked of each of the two.
type both interface {
	timed
	handle.Ledger
	handle.Money
	CheckKill(ctx context.Context, p sla.Platform, id sla.StoreID, r sla.Reason) error
	SetKill(ctx context.Context, scope sla.KillScope, on bool, note string, now time.Time) error
	Kills(ctx context.Context) ([]sla.KillSwitch, error)
	Spent(ctx context.Context, now time.Time, per time.Duration) (sla.Spent, error)
}

const (
	nCases = 4
	lease  = time.Minute
)

// pair is one world in Redis and one in memory, and two processes on each.
type pair struct {
	now      time.Time
	rdb      redis.UniversalClient
	world    *memstore.World
	procs    [2][2]both // by process; Redis first
	attempts []sla.Attempt
	feed     sla.FeedRecord // as last claimed or written
	dump     map[string]string
	snapshot memstore.Snapshot
}

var kinds = []error{sla.ErrHeld, sla.ErrUnresolved, sla.ErrFenced, sla.ErrTakenOver, sla.ErrFrozen, sla.ErrKilled, sla.ErrAmnesia, sla.ErrCap, sla.ErrBudget, sla.ErrStorm,
	sla.ErrStaleCase, store.ErrIllegalMove, store.ErrUnknownStore}

// kindOf is what callers branch on.
func kindOf(err error) string {
	for _, kind := range kinds {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// same does one call on both stores and compares what they say.
func (p *pair) same(t *rapid.T, what string, do func(both) (any, error)) {
	t.Helper()
	p.sameIn(t, rapid.IntRange(0, 1).Draw(t, "process"), what, do)
}

// sameIn is same in one process.
func (p *pair) sameIn(t *rapid.T, process int, what string, do func(both) (any, error)) {
	t.Helper()
	of := p.procs[process]
	want, wantErr := do(of[0])
	got, gotErr := do(of[1])
	if kindOf(wantErr) != kindOf(gotErr) {
		t.Fatalf("%s: Redis says %v, memory %v", what, wantErr, gotErr)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("%s: Redis (-) and memory (+) differ: %s", what, d)
	}
}

func id(i int) sla.DisputeID {
	return sla.DisputeID{Platform: "aliexpress", Store: "AE01", Native: strconv.Itoa(9_000_000 + i)}
}

func anyID(t *rapid.T) sla.DisputeID { return id(rapid.IntRange(0, nCases-1).Draw(t, "case")) }

func (p *pair) write(t *rapid.T) sla.CaseWrite {
	usd := sla.Money{Minor: 1234, Currency: "USD"}
	w := sla.CaseWrite{Expect: uint32(rapid.IntRange(0, 3).Draw(t, "expect")), Leased: rapid.Bool().Draw(t, "leased")}
	w.ID, w.Claimed, w.State = anyID(t), usd, sla.StateSeller
	w.Fingerprint = uint64(rapid.IntRange(1, 2).Draw(t, "fingerprint"))
	w.Obligation = sla.Obligation{Turn: 7, Opened: p.now, Deadline: p.now.Add(time.Hour), Cost: usd}
	if ahead := rapid.IntRange(-1, 9).Draw(t, "ahead"); ahead >= 0 {
		w.Next = p.now.Add(time.Duration(ahead) * 20 * time.Second)
	}
	return w
}

func (p *pair) some(t *rapid.T) sla.Attempt {
	a := rapid.SampledFrom(p.attempts).Draw(t, "attempt")
	if rapid.IntRange(0, 9).Draw(t, "foreign") == 0 {
		a.Token++
	}
	return a
}
