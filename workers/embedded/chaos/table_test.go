//go:build linux

package chaos_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"watchkeeper/workers/embedded/chaos"
)

var update = flag.Bool("update", false, "write what is measured, and the table of deploy/FAILURES.md")

var (
	results = filepath.Join("testdata", "measured.json")
	page    = filepath.Join("..", "..", "..", "deploy", "FAILURES.md")
)

var memo sync.Mutex // over the file of results

func measured(t *testing.T) map[string]chaos.Measured {
	t.Helper()
	raw, err := os.ReadFile(results)
	must(t, err)
	out := map[string]chaos.Measured{}
	must(t, json.Unmarshal(raw, &out))
	return out
}

// remember keeps what one scenario took.
func remember(t *testing.T, name string, m chaos.Measured) {
	t.Helper()
	memo.Lock()
	defer memo.Unlock()
	all := measured(t)
	all[name] = m
	raw, err := json.MarshalIndent(all, "", "\t")
	must(t, err)
	must(t, os.WriteFile(results, append(raw, '\n'), 0o600))
}

func TestEveryScenarioHasARowAndEveryRowATest(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, c := range chaos.Scenarios() {
		if names[c.Name] || c.Fault == "" || c.Sees == "" || c.Within <= 0 {
			t.Errorf("scenario %q is there twice, or says too little", c.Name)
		}
		names[c.Name] = true
		if faults[c.Name].strike == nil {
			t.Errorf("scenario %q has no fault", c.Name)
		}
	}
	for name := range faults {
		if !names[name] {
			t.Errorf("fault %q has no row", name)
		}
	}
	for name := range measured(t) {
		if !names[name] {
			t.Errorf("%q was measured and is no scenario", name)
		}
	}
}

func TestTheTableOfFailuresIsFresh(t *testing.T) {
	t.Parallel()
	memo.Lock()
	table := chaos.Table(chaos.Scenarios(), measured(t))
	memo.Unlock()
	had, err := os.ReadFile(page)
	must(t, err)
	want, err := chaos.Insert(string(had), table)
	must(t, err)
	if *update {
		must(t, os.WriteFile(page, []byte(want), 0o600))
		return
	}
	if diff := cmp.Diff(want, string(had)); diff != "" {
		t.Errorf("deploy/FAILURES.md is stale, run make chaos-table (-want +got):\n%s", diff)
	}
}

func TestATableNeedsMarksAndSaysWhatHasNotPassed(t *testing.T) {
	t.Parallel()
	if _, err := chaos.Insert("no marks here", "x"); err == nil {
		t.Error("a page without marks was taken")
	}
	if rows := strings.Count(chaos.Table(chaos.Scenarios(), nil), "not passed yet"); rows != len(chaos.Scenarios()) {
		t.Errorf("want every row to say that it was not passed, got %d of %d", rows, len(chaos.Scenarios()))
	}
}
