//go:build planted

// Twelve bugs that a simulation must find: each is a change of the product's own source, laid over it when the program is built. Run it with
//
//	go test -tags planted -timeout 60m -run Planted ./workers/simulation
package simulation_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"watchkeeper/workers/simulation"
)

// A planted bug replaces one place of a file.
type planted struct {
	file, right, wrong string
	finds              simulation.Invariant
}

var bugs = map[string]planted{
	"an unknown outcome is taken for a refusal": {"workers/handle/answer.go",
		"r.state = sla.AttemptUnknown // of a failure", "r.state = sla.AttemptRefused // of a failure", simulation.Once},
	"absence counts at once": {"workers/handle/outcome.go",
		"t.Now().Before(proof) {", "false && t.Now().Before(proof) {", simulation.Once},
	"a send without a reply is repeated": {"workers/handle/answer.go",
		"receipt, err := t.src.Responder.Respond(ctx, t.dispute, a)",
		"receipt, err := t.src.Responder.Respond(ctx, t.dispute, a)\n\tif connectors.KindOf(err) == connectors.OutcomeUnknown {\n\t\treceipt, err = " +
			"t.src.Responder.Respond(ctx, t.dispute, a)\n\t}", simulation.Once},
	"the lease of a claim is for ever": {"workers/store/memstore/items.go",
		"*k.next(&r) = till", "_ = till; *k.next(&r) = instant(0)", simulation.Armed},
	"a case is recorded and not armed": {"workers/intake/record.go",
		"	w.Next = ours.Add(wait)", "	w.Next = ours.Add(wait + 300*time.Hour)", simulation.Armed},
	"nobody is paged": {"workers/handle/assess.go",
		"	h.Notify.Page(ctx, n)", "	_ = n", simulation.InTime},
	"a kill switch is not asked for": {"workers/store/memstore/kill.go",
		"return w.on && w.scope", "return false && w.on && w.scope", simulation.Allowed},
	"mode shadow sends": {"sla/decide.go",
		"case r.Mode.Value != ModeLive && r.Mode.Value != ModeHold:", "case false:", simulation.Allowed},
	"budgets refuse nothing": {"workers/store/memstore/money.go",
		"spent+q.amount.Minor > most {", "spent+q.amount.Minor > maxMinor {", simulation.Within},
	"a page that was not recorded counts as read": {"workers/intake/intake.go",
		"return tally, tally.missed(src, failed)", "_ = failed\n\treturn tally, tally.missed(src, nil)", simulation.Seen},
	"a detail that lags is believed": {"workers/intake/doubt.go",
		"if !f.row.Modified.After(f.dispute.Modified) &&", "if true || !f.row.Modified.After(f.dispute.Modified) &&", simulation.Seen},
	"replicas that agree again arm nothing": {"workers/sweep/obey.go",
		"return o.mixed && versions <= 1, nil", "return false, nil", simulation.Converges},
}

// root is the module's folder.
const root = "../.."

// lay builds the program with a bug in it.
func lay(t *testing.T, b planted) string {
	t.Helper()
	dir := t.TempDir()
	path, err := filepath.Abs(filepath.Join(root, b.file))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), b.right); n != 1 {
		t.Fatalf("%s has %d places of %q: the list of bugs is out of date", b.file, n, b.right)
	}
	wrong, overlay, program := filepath.Join(dir, "wrong.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "wkdev")
	if err := os.WriteFile(wrong, []byte(strings.Replace(string(text), b.right, b.wrong, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {path: wrong}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, list, 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-overlay", overlay, "-o", program, "./cmd/wkdev")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return program
}

// TestPlantedBugsAreFound holds that each is found within 50 seeds, by the invariant that it breaks.
func TestPlantedBugsAreFound(t *testing.T) {
	for name, b := range bugs {
		t.Run(name, func(t *testing.T) {
			program := lay(t, b)
			const seeds, step = 50, 2
			for first := 1; first <= seeds; first += step {
				out, _ := exec.Command(program, "simulate", "--first", strconv.Itoa(first), "--seeds", strconv.Itoa(step), "--cases", "400", "--story=false",
					"-o", "json").Output() // it exits with 3 when it finds something
				var s simulation.Summary
				if err := json.Unmarshal(out, &s); err != nil {
					t.Fatalf("seed %d: %v: %s", first, err, out)
				}
				for _, r := range s.Failed {
					for _, v := range r.Violations {
						if v.Invariant == b.finds {
							t.Logf("found by seed %d: %s", r.Seed, v.What)
							return
						}
					}
				}
			}
			t.Errorf("not found within %d seeds", seeds)
		})
	}
}
