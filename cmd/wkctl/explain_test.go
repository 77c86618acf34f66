package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

// with opens the records of a test, to change them.
func with(t *testing.T, addr string, do func(context.Context, *store.Store) error) {
	t.Helper()
	rdb := storetest.Connect(t, addr)
	s, err := store.Open(t.Context(), rdb, store.Options{
		Now: func() time.Time { return now }, Stores: map[sla.StoreID]sla.Platform{"AE01": "bazaar", "AE02": "bazaar", "T17": "track99", "OLD": "bazaar"},
	})
	must(t, err)
	must(t, do(t.Context(), s))
}

func TestExplainUnderOtherRulesTellsWhatTheyChange(t *testing.T) {
	t.Parallel()
	addr := filled(t)
	other := written(t, "WK_SLA__MODE=live", "WK_SLA__ACCEPT_CAP=25USD", "WK_SLA__OFFER_SHARE=50%", "WK_SLA__STORE__AE02__ACT_BEFORE=2d")
	got := invoke(t, toys(), env(addr), "explain", "AE02/1003", "--env", other)
	got.want(t, exitOK, "other time, amount", "offer 6.00 USD", "offer 10.00 USD", "30% -> 50%", "default -> WK_SLA__STORE__AE02__ACT_BEFORE", "3d -> 2d")
	same := written(t, sameRules...)
	invoke(t, toys(), env(addr), "explain", "AE02/1003", "--env", same).want(t, exitOK, "the same comes of it")
	var v struct {
		Rules    usedRules `json:"rules"`
		Compared struct {
			Rules   string         `json:"rules"`
			Changes []string       `json:"changes"`
			Values  []changedValue `json:"values"`
		} `json:"compared"`
	}
	must(t, json.Unmarshal([]byte(invoke(t, toys(), env(addr), "explain", "AE02/1003", "--env", other, "-o", "json").out), &v))
	if v.Rules.Hash == v.Compared.Rules || v.Rules.File != other || len(v.Compared.Changes) != 2 || len(v.Compared.Values) != 2 {
		t.Errorf("got %+v", v)
	}
}

type usedRules struct {
	Hash string `json:"hash"`
	File string `json:"file"`
}

func TestExplainTellsThatTheRulesHaveChanged(t *testing.T) {
	t.Parallel()
	line := answered("AE01/1001", 3*day, sla.AnswerOffer, usd(2000), usd(600))
	invoke(t, toys(), env(stocked(t, line)), "explain", "AE01/1001").want(t, exitOK, "rules changed", "since 2026-03-01T12:00:00Z", "0123456789ab")
	var v struct {
		Rules usedRules `json:"rules"`
	}
	must(t, json.Unmarshal([]byte(invoke(t, toys(), env(stocked(t)), "explain", "AE01/1001", "-o", "json").out), &v))
	line.Rules = v.Rules.Hash
	if got := invoke(t, toys(), env(stocked(t, line)), "explain", "AE01/1001"); strings.Contains(got.out, "rules changed") {
		t.Errorf("the rules have not changed:\n%s", got.out)
	}
	dated := append(env(stocked(t)), "WK_SLA__GUARD=2h", "WK_SLA__GUARD__FROM=2026-03-01")
	invoke(t, toys(), dated, "explain", "AE01/1001").want(t, exitOK, "as they are by their dates since 2026-03-01T00:00:00Z", "WK_SLA__GUARD")
}

func TestExplainTellsWhatStopsACase(t *testing.T) {
	t.Parallel()
	addr := filled(t)
	with(t, addr, func(ctx context.Context, s *store.Store) error {
		for _, k := range []sla.KillScope{{}, {Store: "AE01", Reason: sla.ReasonNotReceived}, {Store: "AE02"}, {Platform: "track99"}} {
			if err := s.SetKill(ctx, k, true, "maintenance\x1b[2J", now.Add(-time.Hour)); err != nil {
				return err
			}
		}
		return s.Approve(ctx, sla.DisputeID{Platform: "bazaar", Store: "AE01", Native: "1001"}, 7, store.Said{Approval: sla.ApprovalHeld, Note: "wait", At: now})
	})
	got := invoke(t, toys(), append(env(addr), "WK_SLA__BAZAAR__KILL=on"), "explain", "AE01/1001")
	got.want(t, exitOK, "all since 2026-03-04T11:00:00Z: maintenance?[2J (nothing is sent)", "AE01/not_received since", "held: whatever the rules say",
		"WK_SLA__BAZAAR__KILL (nothing is sent)", "comes to       page 2026-03-05T06:30:00Z")
	if strings.Contains(got.out, "AE02") || strings.Contains(got.out, "track99") {
		t.Errorf("switches of others:\n%s", got.out)
	}
}

func TestExplainTellsWhatDecidedEachStage(t *testing.T) {
	t.Parallel()
	vars := append(env(filled(t)), "WK_SLA__WARN=72h:log,50%:chat,6h:page", "WK_SLA__STORE__AE02__ACT_AFTER=3h", "WK_SLA__STORE__AE01__GUARD=2h")
	for _, c := range []struct {
		id   string
		want [][]string
	}{
		{"AE01/1001", [][]string{
			{"warn (page)", "warn", "WK_SLA__WARN"}, {"warn (chat)", "WK_SLA__WARN"}, {"warn (log)"},
			{"  act", "act before", "WK_SLA__STORE__AE01__REASON__NOT_RECEIVED__ACT_BEFORE"}, {"guard", "WK_SLA__STORE__AE01__GUARD"},
			{"fallback", "guard and settle", "WK_SLA__STORE__AE01__GUARD, default"}, {"breach", "deadline", "feed"},
		}},
		{"AE02/1003", [][]string{{"  act", "act after", "WK_SLA__STORE__AE02__ACT_AFTER"}, {"breach", "response window", "default"}}},
	} {
		got := invoke(t, toys(), vars, "explain", c.id)
		got.want(t, exitOK, "not taken, the next best first")
		for _, w := range c.want {
			if !lineWith(got.out, w...) {
				t.Errorf("%s: no line has all of %v in:\n%s", c.id, w, got.out)
			}
		}
	}
}

func TestExplainTellsTheMarginAndThatTimeIsShort(t *testing.T) {
	t.Parallel()
	addr := filled(t)
	if got := invoke(t, toys(), env(addr), "explain", "AE02/1003"); strings.Contains(got.out, "margin") || strings.Contains(got.out, "time short") {
		t.Errorf("nobody has measured anything:\n%s", got.out)
	}
	before := invoke(t, toys(), env(addr), "explain", "AE02/1003")
	note := func(n int) {
		owed := make([]sla.Owed, n)
		for i := range owed {
			owed[i] = sla.Owed{Case: uint32(i), By: now.Add(2 * time.Hour).Unix()}
		}
		m := sla.Measured{Known: true, Latency: 30 * time.Second, Allowances: map[string]sla.Allowance{
			"the app": {Every: 12 * time.Second, Owed: owed},
		}}
		with(t, addr, func(ctx context.Context, s *store.Store) error {
			return s.NoteMeasured(ctx, "one", map[sla.Platform]sla.Measured{"bazaar": m}, now)
		})
	}
	note(3)
	got := invoke(t, toys(), env(addr), "explain", "AE02/1003")
	got.want(t, exitOK, "guard 1m earlier, act 4m earlier than the rule (measured: latency 30s twice", "guard, measured", "guard and margin", "act before and margin", "3 due at 1m each")
	if strings.Contains(got.out, "time short") || got.out == before.out {
		t.Errorf("time is not short:\n%s", got.out)
	}
	note(240)
	invoke(t, toys(), env(addr), "explain", "AE02/1003").want(t, exitOK, "answers_only: 240 answers are due, 240 of them until", "60.0 an hour go out, 120.0 are wanted (time_short: ")
	var v struct {
		Margin marginView `json:"margin"`
		Short  shortView  `json:"time_short"`
		Stages []struct {
			Stage string    `json:"stage"`
			At    time.Time `json:"at"`
		} `json:"timeline"`
		Deadline time.Time `json:"deadline"`
	}
	must(t, json.Unmarshal([]byte(invoke(t, toys(), env(addr), "explain", "AE02/1003", "-o", "json").out), &v))
	if v.Margin.Guard != 60 || v.Margin.Lead != 60+240*60 || v.Short.Due != 240 || v.Short.Why != "time_short" {
		t.Errorf("got %+v", v)
	}
	for _, s := range v.Stages {
		if want := v.Deadline.Add(-91 * time.Minute); s.Stage == "guard" && !s.At.Equal(want) {
			t.Errorf("guard at %s, want %s", s.At, want)
		}
	}
	guard := v.Deadline.Add(-91 * time.Minute).Format(time.RFC3339)
	invoke(t, toys(), env(addr), "cases", "show", "AE02/1003").want(t, exitOK, "guard    "+guard)
	invoke(t, toys(), env(addr), "cases", "hold", "AE02/1003", "--note", "wait").want(t, exitOK, guard+" (guard)")
}
