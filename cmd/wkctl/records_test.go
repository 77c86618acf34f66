package main

import (
	"encoding/json"
	"strings"
	"testing"

	"watchkeeper/workers/store/storetest"
)

func TestRecordsArePrintedAsInTheGoldenFiles(t *testing.T) {
	t.Parallel()
	addr := filled(t)
	for name, args := range map[string]string{
		"cases_ls":            "cases ls",
		"cases_ls_all_json":   "cases ls --state all -o json",
		"cases_ls_due":        "cases ls --due-within 1d",
		"cases_show":          "cases show AE01/1002",
		"cases_show_json":     "cases show AE01/1002 -o json",
		"cases_show_closed":   "cases show 1004",
		"explain":             "explain AE01/1001",
		"explain_json":        "explain 1001 -o json",
		"explain_later":       "explain AE01/1002 --at 2026-03-06",
		"explain_window":      "explain AE02/1003",
		"explain_not_ours":    "explain 1005",
		"shipments_ls":        "shipments ls",
		"shipments_ls_json":   "shipments ls --anomaly customs_held -o json",
		"config_print_reason": "config print --effective --origin --store AE01 --reason not_received",
		"config_print_env":    "config print -o env",
		"config_print_set":    "config print --effective=false --origin --platform bazaar",
		"kill_switch_none":    "kill-switch ls",
		"platforms":           "platforms",
		"platforms_json":      "platforms -o json",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := invoke(t, toys(), env(addr), strings.Fields(args)...)
			got.want(t, exitOK)
			golden(t, name+".txt", got.out)
		})
	}
}

func TestCasesAreListedAsOfAnotherTime(t *testing.T) {
	t.Parallel()
	addr := filled(t)
	listed := func(args ...string) string {
		got := invoke(t, toys(), env(addr), append([]string{"cases", "ls", "--store", "AE01"}, args...)...)
		got.want(t, exitOK)
		return got.out
	}
	if early := listed("--at", "2026-03-03", "--due-within", "1d"); strings.Contains(early, "AE01/") {
		t.Errorf("want nothing due within a day of then, got:\n%s", early)
	}
	if later := listed("--at", "2026-03-05T07:00:00Z", "--due-within", "1h"); !lineWith(later, "AE01/1001", "1h", "guard") {
		t.Errorf("want the case past guard with an hour left, got:\n%s", later)
	}
	invoke(t, toys(), env(addr), "cases", "ls", "--at", "soon").want(t, exitUsage, "--at")
}

func TestCasesAreListedByDeadlineWithTheUnknownLast(t *testing.T) {
	t.Parallel()
	got := invoke(t, toys(), env(filled(t)), "cases", "ls", "--state", "all", "-o", "json")
	var lines []struct {
		Case     string  `json:"case"`
		Deadline *string `json:"deadline"`
	}
	must(t, json.Unmarshal([]byte(got.out), &lines))
	before, unknown := "", false
	for _, l := range lines {
		switch {
		case l.Deadline == nil:
			unknown = true
		case unknown || *l.Deadline < before:
			t.Errorf("%s is out of order: %v", l.Case, lines)
		default:
			before = *l.Deadline
		}
	}
	if len(lines) != 7 || !unknown {
		t.Errorf("want 7 cases, some without a deadline, got %v", lines)
	}
}

func TestALimitedListingSaysSo(t *testing.T) {
	t.Parallel()
	addr := filled(t)
	got := invoke(t, toys(), env(addr), "cases", "ls", "--limit", "2", "--state", "all")
	got.want(t, exitOK, "2 of 7 cases")
	if n := strings.Count(got.out, "\n"); n != 3 || !strings.Contains(got.out, "AE02/1002") {
		t.Errorf("want a head and the two most urgent, got:\n%s", got.out)
	}
	invoke(t, toys(), env(addr), "shipments", "ls", "--limit", "1").want(t, exitOK, "1 of 4 parcels", "LX2CN")
}

func TestABareIDMustBeUnambiguous(t *testing.T) {
	t.Parallel()
	addr := filled(t)
	invoke(t, toys(), env(addr), "cases", "show", "1002").want(t, exitUsage, "AE01", "AE02", "say STORE/ID")
	invoke(t, toys(), env(addr), "cases", "show", "1006").want(t, exitOK, "OLD/1006")
}

func TestListingsNarrow(t *testing.T) {
	t.Parallel()
	addr := filled(t)
	for args, want := range map[string][]string{
		"cases ls --store AE02":                    {"AE02/1002", "AE02/1003"},
		"cases ls --state closed":                  {"AE01/1004"},
		"cases ls --due-within 1h --store AE02":    {"AE02/1002"},
		"shipments ls --milestone delivered":       {"T17/LX3CN"},
		"shipments ls --anomaly no_tracking_info":  {"T17/LX4CN"},
		"shipments ls --store AE01":                nil,
		"shipments ls --store T17 --anomaly lost":  nil,
		"cases ls --store OLD --due-within 2h":     nil,
		"cases ls --store OLD --state all":         {"OLD/1006"},
		"shipments ls --store T17 --limit 1":       {"T17/LX2CN"},
		"cases ls --store AE01 --due-within 20h1m": {"AE01/1001"},
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			got := invoke(t, toys(), env(addr), append(strings.Fields(args), "-o", "json")...)
			got.want(t, exitOK)
			var lines []struct {
				Case   string `json:"case"`
				Parcel string `json:"parcel"`
			}
			must(t, json.Unmarshal([]byte(got.out), &lines))
			var ids []string
			for _, l := range lines {
				ids = append(ids, l.Case+l.Parcel)
			}
			if strings.Join(ids, " ") != strings.Join(want, " ") {
				t.Errorf("want %v, got %v", want, ids)
			}
		})
	}
}

func TestAnEmptyStoreListsNothing(t *testing.T) {
	t.Parallel()
	addr := emptyRedis(t)
	got := invoke(t, toys(), []string{"WK_REDIS__ADDRS=" + addr}, "cases", "ls", "-o", "json")
	got.want(t, exitOK)
	if got.out != "[]\n" {
		t.Errorf("want an empty list, got %q", got.out)
	}
}

func TestExplainSaysThatMoneyIsFrozenAfterALossOfMemory(t *testing.T) {
	t.Parallel()
	addr := filled(t)
	explained := func() result { return invoke(t, toys(), env(addr), "explain", "AE01/1001") }
	if got := explained(); strings.Contains(got.out, "frozen") {
		t.Errorf("frozen without a loss:\n%s", got.out)
	}
	loseEpoch(t, addr)
	explained().want(t, exitOK, "frozen", "nothing is sent before 2026-03-04T12:10:00Z")
}

// spoil gives records under the pattern a schema that this version does not know, at most so many, and tells how many.
func spoil(t *testing.T, addr, pattern string, most int) int {
	t.Helper()
	rdb := storetest.Hand(storetest.Connect(t, addr))
	keys, err := rdb.Keys(t.Context(), pattern).Result()
	must(t, err)
	n := 0
	for _, key := range keys {
		fields, err := rdb.HGetAll(t.Context(), key).Result()
		must(t, err)
		for field, value := range fields {
			if n == most {
				return n
			}
			must(t, rdb.HSet(t.Context(), key, field, "\xff"+value[1:]).Err())
			n++
		}
	}
	return n
}

func TestWhatAnotherVersionWroteIsLeftOutWithAWarning(t *testing.T) {
	t.Parallel()
	addr := filled(t)
	if n := spoil(t, addr, "wk:{*}:l:*", 100); n != 1 {
		t.Fatalf("%d attempts spoiled, want the one", n)
	}
	got := invoke(t, toys(), env(addr), "cases", "show", "AE01/1002")
	got.want(t, exitOK, "some attempts cannot be read by this version", "attempts\n  none")
	spoil(t, addr, "wk:{*}:c:*", 1)
	invoke(t, toys(), env(addr), "cases", "ls", "--state", "all").want(t, exitOK, "1 records cannot be read by this version")
	spoil(t, addr, "wk:{*}:c:*", 100)
	invoke(t, toys(), env(addr), "cases", "show", "AE01/1002").want(t, exitFailed, "AE01/1002")
}
