package fleet_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"
	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/fleet"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

// mute is a connector that only has its parts.
type mute struct{ connectors.Connector }

// watched is a registry whose connectors hand out what they are given.
func watched(deps map[sla.StoreID]connectors.Deps) connectors.Registry {
	return connectors.Registry{{
		Name: "mute", Poll: 7 * time.Minute, Variables: []string{"API_KEY"},
		New: func(_ context.Context, env envconfig.Lookuper, d connectors.Deps) (connectors.Built, error) {
			if key, _ := env.Lookup("API_KEY"); key == "" {
				return connectors.Built{}, errors.New("API_KEY: required")
			}
			deps[d.Store] = d
			return connectors.Built{Connector: mute{}}, nil
		},
	}}
}

func survey(t *testing.T, addr string, deps map[sla.StoreID]connectors.Deps) *fleet.Survey {
	t.Helper()
	environ := []string{
		"WK_REDIS__ADDRS=" + addr, "WK_STORE__M01__PLATFORM=mute", "WK_STORE__M01__API_KEY=x", "WK_STORE__M02__PLATFORM=mute", "WK_STORE__M01__POLL=9m",
		"WK_STORE__M03__PLATFORM=mute", "WK_STORE__M03__API_KEY=x", "WK_SLA__SETTLE=15m",
	}
	config, book, err := fleet.Load(t.Context(), environ, watched(deps))
	if err != nil {
		t.Fatal(err)
	}
	s, done, err := fleet.NewSurvey(t.Context(), fleet.Options{Config: config, Book: book, Registry: watched(deps), Now: time.Now, Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = done(context.Background()) })
	return s
}

func TestASurveyGoesOnWithoutWhatCannotBeBuilt(t *testing.T) {
	t.Parallel()
	s := survey(t, storetest.Start(t), map[sla.StoreID]connectors.Deps{})
	if s.Unbuilt == nil || len(s.Sources) != 2 || s.Settle() != 15*time.Minute {
		t.Errorf("want one store not built, got %v, %v", s.Unbuilt, s.Sources)
	}
	want := []fleet.SurveyedFeed{{ID: "M01/disputes", Store: "M01", Every: 9 * time.Minute}, {ID: "M03/disputes", Store: "M03", Every: 7 * time.Minute}}
	if got := s.Feeds(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("want %v, got %v", want, got)
	}
	if !errors.Is(s.Unread, store.ErrNoRecords) || s.Records != nil {
		t.Errorf("want an empty Redis told of, got %v", s.Unread)
	}
}

func TestASurveyRenewsNothingAndSendsNothing(t *testing.T) {
	t.Parallel()
	ctx, addr := t.Context(), storetest.Start(t)
	rdb := storetest.Connect(t, addr)
	deps := map[sla.StoreID]connectors.Deps{}
	survey(t, addr, deps)
	if _, err := deps["M01"].Limiter.Take(ctx, "app", 1, time.Second); !errors.Is(err, store.ErrNoRecords) {
		t.Errorf("without records no allowance is known, got %v", err)
	}
	if _, _, err := deps["M01"].Tokens.Load(ctx, "M01"); !errors.Is(err, store.ErrNoRecords) {
		t.Errorf("without records no credential is known, got %v", err)
	}
	records, err := store.Open(ctx, rdb, store.Options{Now: time.Now, Stores: map[sla.StoreID]sla.Platform{"M01": "mute"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, saved, err := records.Save(ctx, "M01", []byte("sealed"), 0); err != nil || !saved {
		t.Fatalf("got %v, %v", saved, err)
	}
	survey(t, addr, deps)
	d := deps["M01"]
	if blob, version, err := d.Tokens.Load(ctx, "M01"); err != nil || string(blob) != "sealed" || version != 1 {
		t.Errorf("want the credential read, got %q, %d (%v)", blob, version, err)
	}
	if mine, err := d.Tokens.Lock(ctx, "M01", "me", time.Minute); err == nil || mine {
		t.Error("the credential may be renewed")
	}
	if _, saved, err := d.Tokens.Save(ctx, "M01", []byte("other"), 1); err == nil || saved {
		t.Error("the credential is written over")
	}
	if mine, err := records.Lock(ctx, "M01", "the fleet", time.Minute); err != nil || !mine || d.Tokens.Unlock(ctx, "M01", "me") != nil {
		t.Errorf("the fleet may not renew: %v, %v", mine, err)
	}
	if err := d.Brake.CheckKill(ctx, "mute", "M01", sla.ReasonOther); !errors.Is(err, sla.ErrKilled) {
		t.Errorf("an answer may leave: %v", err)
	}
	if wait, err := d.Limiter.Take(ctx, "app", 1, time.Hour); err != nil || wait != 0 {
		t.Errorf("want the first call allowed, got %s (%v)", wait, err)
	}
	if wait, err := records.Take(ctx, "app", 1, time.Hour); err != nil || wait == 0 {
		t.Errorf("want the call counted in the fleet's allowance, got %s (%v)", wait, err)
	}
}
