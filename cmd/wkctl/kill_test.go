package main

import (
	"encoding/json"
	"strings"
	"testing"

	"watchkeeper/sla"
	"watchkeeper/workers/store/storetest"
)

func TestAKillSwitchIsThrownListedAndTakenBack(t *testing.T) {
	t.Parallel()
	addr := filled(t)
	vars := append(env(addr), "WK_SLA__STORE__AE01__REASON__DAMAGED__KILL=on", "WK_SLA__STORE__AE02__MODE=hold")
	step := func(name, args string, note ...string) {
		t.Helper()
		words := strings.Fields("kill-switch " + args)
		if len(note) > 0 {
			words = append(words, "--by", "alice", "--note", note[0])
		}
		got := invoke(t, toys(), vars, words...)
		got.want(t, exitOK)
		golden(t, name+".txt", got.out)
	}
	step("kill_switch_on", "on --scope AE01/not_received", "carrier is on strike")
	step("kill_switch_on_again", "on --scope bazaar -o json", "wrong prices\x1b[2J")
	step("kill_switch_ls", "ls")
	step("kill_switch_ls_json", "ls -o json")
	invoke(t, toys(), vars, "explain", "AE01/1001").want(t, exitOK, "AE01/not_received since 2026-03-04T12:00:00Z: alice: carrier is on strike (nothing is sent)")
	invoke(t, toys(), vars, "kill-switch", "on", "--scope", "BAZAAR", "--note", "x").want(t, exitOK, "bazaar is on, as it was before")
	step("kill_switch_off", "off --scope BAZAAR", "prices are right")
	step("kill_switch_off_json", "off --scope AE01/NOT_RECEIVED -o json", "strike is over")
	invoke(t, toys(), vars, "kill-switch", "off", "--scope", "all", "--note", "x").want(t, exitOK, "all is off, as it was before", "mode hold", "WK_SLA__STORE__AE02__MODE",
		"it stopped no answer, and lets none go")
	if got := invoke(t, toys(), vars, "kill-switch", "off", "--scope", "AE02/damaged", "--note", "x"); strings.Contains(got.out, "answers that are due") {
		t.Errorf("answers are said to go out that a switch did not stop:\n%s", got.out)
	}
}

func TestAKillSwitchNeedsNothingButRedis(t *testing.T) {
	t.Parallel()
	addr := filled(t)
	bare := []string{"WK_REDIS__ADDRS=" + addr}
	for _, scope := range []string{"all", "AE01", "ae02/damaged", "bazaar/other", "OLD"} {
		invoke(t, toys(), bare, "kill-switch", "on", "--scope", scope, "--note", "x").want(t, exitOK, "in force now, in every process")
	}
	invoke(t, toys(), bare, "kill-switch", "on", "--scope", "AE09", "--note", "x").want(t, exitUsage, "did you mean AE01?", "OLD")
	wrong := append(env(addr), "WK_SLA__GUARDD=2h", "WK_WORKERS__CONCURRENCY=many", "WK_SLA__ACT_BEFORE=5")
	invoke(t, toys(), wrong, "kill-switch", "on", "--scope", "all", "--note", "x").want(t, exitOK, "in force now", "the configuration has 3 problem(s)")
	invoke(t, toys(), []string{"WK_REDIS__ADDRS=nowhere"}, "kill-switch", "on", "--scope", "all", "--note", "x").want(t, exitUsage, "WK_REDIS__ADDRS")
	var lines []killLine
	must(t, json.Unmarshal([]byte(strings.ReplaceAll(invoke(t, toys(), bare, "kill-switch", "ls", "-o", "json").out, `"since"`, `"-"`)), &lines))
	if len(lines) != 5 {
		t.Errorf("want five switches, got %+v", lines)
	}
}

func TestWhatCannotBeListedKeepsNobodyFromStopping(t *testing.T) {
	t.Parallel()
	addr := filled(t)
	rdb := storetest.Connect(t, addr)
	invoke(t, toys(), env(addr), "kill-switch", "on", "--scope", "AE02", "--note", "x").want(t, exitOK)
	keys, err := storetest.Hand(rdb).Keys(t.Context(), "wk:{*}:kill").Result()
	must(t, err)
	for _, key := range keys { // as a later version may write it
		must(t, rdb.HSet(t.Context(), key, "//mood", "1 1 x").Err())
	}
	if len(keys) == 0 {
		t.Fatal("no switches to spoil")
	}
	invoke(t, toys(), env(addr), "kill-switch", "on", "--scope", "all", "--note", "x").want(t, exitOK, "in force now", "//mood")
	invoke(t, toys(), env(addr), "kill-switch", "ls").want(t, exitOK, "AE02", "//mood", "cannot be read by this version")
}

func TestScopesMeetWhereOneAnswerCanBeStoppedByBoth(t *testing.T) {
	t.Parallel()
	land := territory{stores: map[sla.StoreID]sla.Platform{"AE01": "bazaar", "AE02": "bazaar", "T17": "track99"}}
	scope := func(text string) sla.KillScope {
		land.platforms = []sla.Platform{"bazaar", "track99"}
		k, err := land.scope(text)
		must(t, err)
		return k
	}
	for pair, want := range map[string]bool{
		"all AE01": true, "AE01 bazaar": true, "AE01 track99": false, "AE01 AE02": false, "bazaar/other AE01/other": true, "bazaar/other AE01/damaged": false,
		"all/other AE01": true, "T17 bazaar": false, "T17 track99/other": true, "all all": true,
	} {
		a, b, _ := strings.Cut(pair, " ")
		if land.meets(scope(a), scope(b)) != want || land.meets(scope(b), scope(a)) != want {
			t.Errorf("%s: want %v", pair, want)
		}
	}
	if _, err := land.scope("AE01/" + strings.Repeat("x", 10_000)); err == nil || len(err.Error()) > 1000 {
		t.Error("a long word is told in full, or taken")
	}
}
