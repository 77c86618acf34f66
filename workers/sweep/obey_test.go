package sweep_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
	"watchkeeper/workers/sweep"
)

// armed holds one open case, and how many rulebooks the processes obey.
type armed struct {
	record   sla.CaseRecord
	obeyed   string
	behind   map[sla.StoreID]time.Duration
	versions int
}

func (a *armed) EachCase(_ context.Context, fn func(sla.CaseRecord) error) error { return fn(a.record) }

func (a *armed) RearmCases(_ context.Context, moves []sla.Rearm) ([]bool, error) {
	for _, m := range moves {
		a.record.Next = m.Next
	}
	return make([]bool, len(moves)), nil
}

func (a *armed) Obeyed(context.Context) (string, error) { return a.obeyed, nil }

func (a *armed) SetObeyed(_ context.Context, name string) error {
	a.obeyed = name
	return nil
}

func (a *armed) RulesVersions(context.Context, time.Time, time.Duration) (int, error) {
	return a.versions, nil
}

func (a *armed) Behind(context.Context) (map[sla.StoreID]time.Duration, error) {
	behind := map[sla.StoreID]time.Duration{}
	maps.Copy(behind, a.behind)
	return behind, nil
}

func (a *armed) SetBehind(_ context.Context, behind map[sla.StoreID]time.Duration) error {
	if a.behind == nil {
		a.behind = map[sla.StoreID]time.Duration{}
	}
	maps.Copy(a.behind, behind)
	return nil
}

type oneRule struct{ sla.Rule }

func (r oneRule) For(sla.Platform, sla.StoreID, sla.Reason) sla.Rule { return r.Rule }

// In a rollout a replica with the old rules looks at a case after one with the new rules has armed it, and arms it as late as the old ones want.
func TestCasesAreArmedOnceMoreWhenReplicasHaveComeToAgree(t *testing.T) {
	t.Parallel()
	now, d := slatest.Epoch, slatest.Dispute()
	rule := slatest.Rule()
	o, _ := d.Ruling(rule)
	late := sla.EffectiveDeadline(o, rule)
	store := &armed{versions: 2, record: sla.CaseRecord{Case: sla.Case{DisputeRef: d.DisputeRef, State: d.State, Reason: d.Reason, Obligation: o, Next: late}}}
	src := &connectors.Source{Store: d.ID.Store, Platform: d.ID.Platform}
	obeyer := &sweep.Obeyer{
		Store: store, Sources: connectors.Sources{d.ID.Store: src}, Rules: oneRule{rule}, Name: func(time.Time) string { return "new" },
		Now: func() time.Time { return now }, Log: zap.NewNop(),
	}
	obey := func(after time.Duration, versions int) time.Time {
		now, store.versions = now.Add(after), versions
		if err := obeyer.Obey(t.Context()); err != nil {
			t.Fatal(err)
		}
		return store.record.Next
	}
	if next := obey(0, 2); !next.Before(late) {
		t.Fatalf("want the case armed under the new rules, got %s", next)
	}
	store.record.Next = late // by the replica with the old rules
	if next := obey(time.Minute, 2); !next.Equal(late) {
		t.Errorf("want nothing armed as long as the other replica is there, got %s", next)
	}
	if next := obey(time.Minute, 1); !next.Before(late) {
		t.Errorf("want the case armed once more when it has gone, got %s", next)
	}
	store.record.Next = late
	if next := obey(time.Minute, 1); !next.Equal(late) {
		t.Errorf("want it armed once and not with every look, got %s", next)
	}
}

// A platform that tells the time of three days ago has its cases armed three days late. When its clock is right again nothing else looks at them:
// its list shows no change.
func TestCasesAreArmedAnewWhenAPlatformsClockGoesAhead(t *testing.T) {
	t.Parallel()
	now, d := slatest.Epoch, slatest.Dispute()
	rule := slatest.Rule()
	o, _ := d.Ruling(rule)
	deadline := sla.EffectiveDeadline(o, rule)
	late := deadline.Add(2 * 24 * time.Hour)
	store := &armed{obeyed: "same", versions: 1, record: sla.CaseRecord{Case: sla.Case{DisputeRef: d.DisputeRef, State: d.State, Reason: d.Reason, Obligation: o, Next: late}}}
	src := &connectors.Source{Store: d.ID.Store, Platform: d.ID.Platform}
	obeyer := &sweep.Obeyer{
		Store: store, Sources: connectors.Sources{d.ID.Store: src}, Rules: oneRule{rule}, Name: func(time.Time) string { return "same" },
		Now: func() time.Time { return now }, Log: zap.NewNop(),
	}
	for i, c := range []struct {
		skew, after time.Duration
		moved       bool
	}{
		{-72 * time.Hour, 0, false},
		{-72 * time.Hour, time.Minute, false},
		{-72*time.Hour + 5*time.Minute, time.Minute, false},
		{0, time.Minute, true},
		{0, time.Minute, false},
		{-time.Hour, time.Minute, false},
		{0, time.Minute, false}, // to and fro: once in a while is enough
		{0, 5 * time.Minute, true},
		{0, 5 * time.Minute, false},
	} {
		src.Observe(c.skew)
		now, store.record.Next = now.Add(c.after), late
		if err := obeyer.Obey(t.Context()); err != nil {
			t.Fatal(err)
		}
		if moved := store.record.Next.Before(deadline); moved != c.moved {
			t.Errorf("part %d: want the case armed anew: %t, got it armed %s after the deadline", i, c.moved, store.record.Next.Sub(deadline))
		}
	}
}

// All clocks of ours are a day ahead, that of Redis, too. Somebody stops every process, sets the clocks right and starts others: what was armed before
// is a day late, and none of them has armed it.
func TestCasesAreArmedAnewByProcessesThatStartAfterTheClocksWereSetRight(t *testing.T) {
	t.Parallel()
	now, d := slatest.Epoch, slatest.Dispute()
	rule := slatest.Rule()
	o, _ := d.Ruling(rule)
	deadline := sla.EffectiveDeadline(o, rule)
	late := deadline.Add(12 * time.Hour)
	store := &armed{obeyed: "same", versions: 1, record: sla.CaseRecord{Case: sla.Case{DisputeRef: d.DisputeRef, State: d.State, Reason: d.Reason, Obligation: o, Next: late}}}
	for i, c := range []struct {
		ahead  time.Duration
		unread bool // the platform was not asked for its time yet
		moved  bool
	}{
		{ahead: 24 * time.Hour}, {ahead: 24 * time.Hour}, {unread: true}, {moved: true}, {}, {ahead: -time.Hour, moved: true}, {},
	} {
		src := &connectors.Source{Store: d.ID.Store, Platform: d.ID.Platform}
		if !c.unread {
			src.Observe(-c.ahead)
		}
		obeyer := &sweep.Obeyer{
			Store: store, Sources: connectors.Sources{d.ID.Store: src}, Rules: oneRule{rule}, Name: func(time.Time) string { return "same" },
			Now: func() time.Time { return now.Add(c.ahead) }, Log: zap.NewNop(),
		}
		store.record.Next = late
		for range 2 { // the first look compares the rules
			if err := obeyer.Obey(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if moved := store.record.Next.Before(deadline); moved != c.moved {
			t.Errorf("process %d: want the cases armed anew: %t, got one armed %s after the deadline", i, c.moved, store.record.Next.Sub(deadline))
		}
	}
}
