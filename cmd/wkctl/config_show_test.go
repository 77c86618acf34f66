package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sethvargo/go-envconfig"
	"pgregory.net/rapid"

	"watchkeeper/connectors"
	"watchkeeper/connectors/all"
	"watchkeeper/sla/rules"
	"watchkeeper/workers/fleet"
)

// buildable are the toys with connectors that can be built, out of nothing.
func buildable() connectors.Registry {
	out := toys()
	for i := range out {
		out[i].New = func(context.Context, envconfig.Lookuper, connectors.Deps) (connectors.Built, error) {
			return connectors.Built{}, nil
		}
	}
	return out
}

func TestPrintShowsTheRulesInForce(t *testing.T) {
	t.Parallel()
	vars := append(env("x:1"), "WK_SLA__BAZAAR__GUARD=3h", "WK_SLA__BAZAAR__GUARD__FROM=2026-03-05..2026-03-06", "WK_SLA__GUARD=2h")
	for args, want := range map[string][]string{
		"--origin GUARD": {"store AE01", "2h", "WK_SLA__GUARD"},
		"--origin GUARD --at 2026-03-05T12:00:00Z":   {"store AE01", "3h", "WK_SLA__BAZAAR__GUARD"},
		"--origin GUARD --at 2026-03-07":             {"store AE01", "2h", "WK_SLA__GUARD"},
		"--platform bazaar --at 2026-03-06 --origin": {"platform bazaar", "GUARD", "3h", "WK_SLA__BAZAAR__GUARD"},
		"--platform track99 --origin API_KEY POLL":   nil,
	} {
		got := invoke(t, toys(), vars, strings.Fields("config print "+args)...)
		got.want(t, exitOK)
		if want != nil && !lineWith(got.out, want...) {
			t.Errorf("%s: no line has all of %v in:\n%s", args, want, got.out)
		}
	}
	plain := invoke(t, toys(), vars, "config", "print", "GUARD")
	if strings.Contains(plain.out, "WK_") || strings.Contains(plain.out, "ACT_BEFORE") || !lineWith(plain.out, "store AE01", "GUARD", "2h") {
		t.Errorf("want values of GUARD without their origin:\n%s", plain.out)
	}
	one := invoke(t, toys(), vars, "config", "print", "--platform", "track99").out
	if !strings.Contains(one, "store T17") || strings.Contains(one, "AE01") || strings.Contains(one, "bazaar,") || strings.Contains(one, "machinery") {
		t.Errorf("more than track99:\n%s", one)
	}
}

// TestWhatIsPrintedAsAnEnvironmentGivesTheSameRulebook goes through the command, a file and its reader.
func TestWhatIsPrintedAsAnEnvironmentGivesTheSameRulebook(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		before := drawn(rt)
		_, book, err := fleet.Load(t.Context(), before, all.Platforms())
		if err != nil {
			rt.Skip("the values contradict each other")
		}
		printed := invoke(t, nil, before, "config", "print", "-o", "env")
		if printed.code != exitOK || strings.Contains(printed.out, "hunter2") {
			rt.Fatalf("exit code %d, or a secret:\n%s%s", printed.code, printed.out, printed.err)
		}
		path := filepath.Join(dir, "printed.env")
		must(t, os.WriteFile(path, []byte(printed.out), 0o600))
		entries, err := fleet.ReadEnvFile(path)
		must(t, err)
		_, again, err := fleet.Load(t.Context(), entries, all.Platforms())
		if err != nil || again.Hash() != book.Hash() {
			rt.Fatalf("gives %v, want %v; %v\n%s", again, book, err, printed.out)
		}
		var v diffView
		must(t, json.Unmarshal([]byte(strings.ReplaceAll(invoke(t, nil, before, "config", "diff", path, "-o", "json").out, "null", `""`)), &v))
		if !v.Same || len(v.Values) != 0 || v.Before != book.Hash() {
			rt.Fatalf("config diff: %+v", v)
		}
	})
}

// drawn draws the variables of two stores, dates among them.
func drawn(t *rapid.T) []string {
	out := []string{
		"WK_STORE__AE01__PLATFORM=aliexpress", "WK_STORE__AE01__APP_SECRET=hunter2", "WK_STORE__T17__PLATFORM=track17", "WK_STORE__T17__POLL=90s",
		"WK_CALENDAR__CN__ZONE=Asia/Shanghai", "WK_CALENDAR__CN__HOURS=Sat 9:00-12:00,Mon-fri 9:00-12:00 13:00-18:00", "WK_CALENDAR__CN__CLOSED=2027-05-01",
	}
	values := map[string][]string{
		"RESPONSE_WINDOW": {"2w", "120h"}, "WARN": {"6h, 24h:page", "50%,80%:log"}, "ACT_BEFORE": {"72h", "1d12h"}, "GUARD": {"90m", "2h"},
		"ANSWER": {"playbook", "refuse?signed@0h, partial:30%@0h"}, "ACCEPT_CAP": {"25 usd", "never"}, "HOLD_CLAIMS": {"3", "never"}, "KILL": {"on", "off"},
		"CALENDAR": {"CN", "none"}, "APPROVE_ABOVE": {"15.5USD"}, "MODE": {"live", "hold"}, "ACT_AFTER": {"0h"},
	}
	set := func(name string, of []string) {
		if rapid.IntRange(0, 2).Draw(t, name) > 0 {
			return
		}
		out = append(out, name+"="+rapid.SampledFrom(of).Draw(t, "value"))
		if first := rapid.IntRange(-28, 28).Draw(t, "day"); first > 0 {
			out = append(out, fmt.Sprintf("%s__FROM=2027-02-%02d..2027-03-01", name, first))
		}
	}
	for _, scope := range []string{"", "ALIEXPRESS__", "ALIEXPRESS__REASON__DAMAGED__", "STORE__AE01__", "STORE__AE01__REASON__NOT_RECEIVED__"} {
		for name, of := range values {
			set("WK_SLA__"+scope+name, of)
		}
	}
	for _, scope := range []string{"", "CARRIER__YANWEN__", "LANE__ANY_BR__", "STORE__T17__CARRIER__YANWEN__LANE__CN_BR__"} {
		set("WK_SHIPMENT__"+scope+"STALL", []string{"9d", "12d", "2w"})
	}
	return out
}

func TestDiffShowsWhichRulesAFileChanges(t *testing.T) {
	t.Parallel()
	other := written(t, append(slices.Clone(sameRules), "WK_SLA__STORE__AE02__GUARD=3h", "WK_SLA__BAZAAR__OFFER_SHARE=50%",
		"WK_SLA__BAZAAR__OFFER_SHARE__FROM=2026-11-01..2026-12-31", "WK_SHIPMENT__LANE__ANY_BR__STALL=15d")...)
	piped, err := os.ReadFile(other)
	must(t, err)
	fromPipe := invokeWith(t, toys(), string(piped), env("x:1"), "config", "diff", "-")
	if fromFile := invoke(t, toys(), env("x:1"), "config", "diff", other); fromPipe != fromFile {
		t.Errorf("standard input gives\n%s%s\nand the file\n%s%s", fromPipe.out, fromPipe.err, fromFile.out, fromFile.err)
	}
	invokeWith(t, toys(), "nonsense", env("x:1"), "config", "diff", "-").want(t, exitUsage, "standard input: line 1: want NAME=value")
	invokeWith(t, toys(), "WK_SLA__GUARD=soon", env("x:1"), "config", "diff", "-").want(t, exitUsage, "WK_SLA__GUARD", "standard input: 1 problem(s)")
	for name, args := range map[string][]string{"config_diff": {"config", "diff", other}, "config_diff_json": {"config", "diff", other, "-o", "json"}} {
		got := invoke(t, toys(), env("x:1"), args...)
		got.want(t, exitOK)
		golden(t, name+".txt", got.out)
	}
	invoke(t, toys(), env("x:1"), "config", "diff", written(t, sameRules...)).want(t, exitOK, "no value differs")
	invoke(t, toys(), env("x:1"), "config", "diff", written(t, "WK_SLA__GURAD=2h")).want(t, exitUsage, "did you mean WK_SLA__GUARD?", "1 problem(s)")
}

func TestThePageHasEveryRecipeAndEachLoads(t *testing.T) {
	t.Parallel()
	page := invoke(t, nil, nil, "config", "docs").out
	numbers := map[string]bool{}
	for _, r := range rules.Recipes() {
		numbers[strings.TrimRight(r.Number, "abcd")] = true
		if !strings.Contains(page, "\n"+r.Number+". "+r.Title+":\n\n```env\n"+strings.Join(r.Env, "\n")+"\n") {
			t.Errorf("recipe %s is missing", r.Number)
		}
		stores := []string{"WK_STORE__AE01__PLATFORM=aliexpress", "WK_STORE__AE02__PLATFORM=aliexpress"}
		if _, _, err := fleet.Load(t.Context(), slices.Concat(stores, r.Env, r.Beside), all.Platforms()); err != nil {
			t.Errorf("recipe %s: %v", r.Number, err)
		}
	}
	if len(numbers) != 13 {
		t.Errorf("%d recipes, want 13", len(numbers))
	}
}

func TestThePageIsWrittenInPlaceOfTheOldOne(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "env.md")
	must(t, os.WriteFile(path, []byte("old"), 0o600))
	if got := invoke(t, nil, nil, "config", "docs", "-w", path); got.code != exitOK || got.out != "" {
		t.Errorf("exit code %d, %d bytes printed", got.code, len(got.out))
	}
	page, err := os.ReadFile(path)
	must(t, err)
	if string(page) != invoke(t, nil, nil, "config", "docs").out {
		t.Error("the file is not the page")
	}
	left, err := os.ReadDir(filepath.Dir(path))
	must(t, err)
	if len(left) != 1 {
		t.Errorf("%d files are left behind", len(left)-1)
	}
}

func TestTheShellCompletesValuesFromTheConfiguration(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"cases ls --store ":                 "AE01 AE02 T17",
		"cases ls --state ":                 "open closed all",
		"config print --reason not":         "not_received not_as_described",
		"config print --platform ":          "bazaar track99",
		"config print --output ":            "table json env",
		"cases ls -o ":                      "table json",
		"config print --origin ACT_":        "ACT_AFTER ACT_BEFORE",
		"config print SHIPMENT__STA":        "SHIPMENT__STALL SHIPMENT__STALL_ORIGIN",
		"kill-switch on --scope A":          "AE01 AE02 AE01/unknown",
		"kill-switch on --scope bazaar/dam": "bazaar/damaged",
		"shipments ls --anomaly customs":    "customs_held",
		"cases approve ":                    "",
	} {
		for _, vars := range [][]string{env("nowhere.invalid:1"), append(env("nowhere.invalid:1"), "WK_SLA__GURAD=2h", "WK_SLA__ACT_BEFORE=5")} {
			cut := strings.LastIndex(args, " ") + 1
			got := invoke(t, toys(), vars, append(append([]string{"__complete"}, strings.Fields(args[:cut])...), args[cut:])...)
			got.want(t, exitOK)
			for word := range strings.FieldsSeq(want) {
				if listed := slices.Contains(strings.Split(got.out, "\n"), word); listed == strings.HasSuffix(word, "/unknown") {
					t.Errorf("%s: %s is listed: %v in:\n%s", args, word, listed, got.out)
				}
			}
			if strings.Contains(args, "approve") && !strings.HasPrefix(got.out, ":4\n") {
				t.Errorf("%s: want nothing, no files either, got:\n%s", args, got.out)
			}
		}
	}
}
