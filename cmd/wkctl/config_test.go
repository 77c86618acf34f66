package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"watchkeeper/connectors/all"
	"watchkeeper/workers/fleet"
)

func TestTheCommittedPageOfVariablesIsFresh(t *testing.T) {
	t.Parallel()
	const path = "../../deploy/env.md"
	got := invoke(t, nil, []string{"WK_NONSENSE=1"}, "config", "docs")
	got.want(t, exitOK)
	if *update {
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(got.out), 0o644))
	}
	committed, err := os.ReadFile(path)
	must(t, err)
	if string(committed) != got.out {
		t.Error("deploy/env.md is stale: run go generate ./cmd/wkctl")
	}
}

func TestThePageHasEveryVariable(t *testing.T) {
	t.Parallel()
	page := invoke(t, nil, nil, "config", "docs").out
	want := fleet.Variables()
	for _, p := range all.Platforms() {
		for _, v := range p.Variables {
			want = append(want, "WK_STORE__<STORE>__"+v)
		}
	}
	want = append(want, "WK_SLA__ACT_BEFORE", "WK_SLA__STORE__<STORE>__REASON__<REASON>__", "WK_SHIPMENT__STALL", "WK_SHIPMENT__STORE__<STORE>__", "WK_STORE__<STORE>__POLL")
	for _, name := range want {
		if !strings.Contains(page, "`"+name) {
			t.Errorf("%s is missing", name)
		}
	}
	for _, p := range all.Platforms() {
		for _, v := range p.Variables {
			if !strings.HasSuffix(v, "_FILE") && p.Means[v] == "" {
				t.Errorf("%s: nobody says what %s is", p.Name, v)
			}
		}
		for v, sentence := range p.Means {
			if !slices.Contains(p.Variables, v) || !strings.HasSuffix(sentence, ".") || !strings.Contains(page, sentence) {
				t.Errorf("%s: %s: want a sentence of a variable that is on the page, got %q", p.Name, v, sentence)
			}
		}
	}
	var asJSON struct {
		Machinery []variableView `json:"machinery"`
	}
	must(t, json.Unmarshal([]byte(invoke(t, nil, nil, "config", "docs", "-o", "json").out), &asJSON))
	if len(asJSON.Machinery) != len(fleet.Variables()) {
		t.Errorf("%d variables of the machinery in JSON, want %d", len(asJSON.Machinery), len(fleet.Variables()))
	}
}

func TestCheckFindsEveryMistakeAtOnce(t *testing.T) {
	t.Parallel()
	wrong := []string{
		"WK_REDIS__SHARDS=many", "WK_WORKERS__CONCURRENCY=0", "WK_SLA__GUARDD=2h", "WK_SLA__ACT_BEFORE=5", "WK_STORE__E1__API_KEY=abcdef",
		"WK_STORE__T17__PLATFORM=track17", "WK_STORE__EP__PLATFORM=easypost", "WK_STORE__EP__API_KEY=EZTKabcdef", "WK_STORE__EP__BASE_URL=::not a url::",
	}
	got := invoke(t, nil, wrong, "config", "check")
	got.want(t, exitUsage,
		"WK_REDIS__SHARDS: not readable as whole number", "WK_WORKERS__CONCURRENCY: want 1 to 1000", "did you mean WK_SLA__GUARD?", "WK_SLA__ACT_BEFORE",
		"WK_STORE__E1__PLATFORM: is not set", "WK_STORE__T17__API_KEY", "WK_STORE__EP__BASE_URL",
	)
	asJSON := invoke(t, nil, wrong, "config", "check", "-o", "json")
	asJSON.want(t, exitUsage)
	var v struct {
		OK       bool              `json:"ok"`
		Problems []json.RawMessage `json:"problems"`
	}
	must(t, json.Unmarshal([]byte(asJSON.out), &v))
	if v.OK || len(v.Problems) != strings.Count(got.out, "\n") {
		t.Errorf("JSON has %d problems, the text %d lines:\n%s", len(v.Problems), strings.Count(got.out, "\n"), asJSON.out)
	}
}

func TestCheckAcceptsAUsableConfiguration(t *testing.T) {
	t.Parallel()
	good := []string{
		"WK_REDIS__ADDRS=nowhere.invalid:1", "WK_STORE__T17__PLATFORM=track17", "WK_STORE__T17__API_KEY=0123456789ABCDEF0123456789ABCDEF",
	}
	invoke(t, nil, good, "config", "check").want(t, exitOK, "all is well: 1 store(s), rules ")
	invoke(t, nil, nil, "config", "check").want(t, exitUsage, "no store is configured")
}

func TestPrintTellsOriginsOfTheMachineryToo(t *testing.T) {
	t.Parallel()
	got := invoke(t, toys(), env("redis:6379"), "config", "print", "--effective", "--origin")
	got.want(t, exitOK)
	for _, want := range [][]string{
		{"machinery", "REDIS__ADDRS", "redis:6379", "WK_REDIS__ADDRS"},
		{"machinery", "REDIS__SHARDS", "8", "default"},
		{"store AE01, reason not_received", "ACT_BEFORE", "1d12h", "WK_SLA__STORE__AE01__REASON__NOT_RECEIVED__ACT_BEFORE"},
		{"store AE02", "MODE", "live", "WK_SLA__MODE"},
	} {
		if !lineWith(got.out, want...) {
			t.Errorf("no line has all of %v in:\n%s", want, got.out)
		}
	}
	if other := invoke(t, toys(), env("x:1"), "config", "print", "--store", "AE01").out; strings.Contains(other, "AE02") || strings.Contains(other, "machinery") {
		t.Errorf("more than store AE01:\n%s", other)
	}
	damaged := invoke(t, toys(), env("x:1"), "config", "print", "--origin", "--store", "AE01", "--reason", "damaged")
	if !lineWith(damaged.out, "store AE01", "ACT_BEFORE", "3d", "default") || strings.Contains(damaged.out, "not_received") {
		t.Errorf("rules of another reason:\n%s", damaged.out)
	}
}
