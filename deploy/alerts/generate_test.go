package alerts_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"watchkeeper/deploy/alerts"
)

// What an operator and the chart are given says what promtool has tested.
func TestTheObjectAndTheChartHaveTheRulesAndNothingElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	made := map[string]string{"../base/prometheusrule.yaml": filepath.Join(dir, "object"), "../chart/rules.yaml": filepath.Join(dir, "chart")}
	if err := alerts.Write(made["../base/prometheusrule.yaml"], made["../chart/rules.yaml"]); err != nil {
		t.Fatal(err)
	}
	for kept, fresh := range made {
		want, err := os.ReadFile(fresh)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(kept); err != nil || !bytes.Equal(want, got) {
			t.Errorf("%s is not what the rules make (%v): make generate", kept, err)
		}
	}
	var rules, chart any
	var object struct {
		Kind string
		Spec any
	}
	read(t, "rules.yaml", &rules)
	read(t, made["../chart/rules.yaml"], &chart)
	read(t, made["../base/prometheusrule.yaml"], &object)
	if d := cmp.Diff(rules, object.Spec); d != "" || object.Kind != "PrometheusRule" {
		t.Errorf("rules (-) and the spec of a %s (+) differ:\n%s", object.Kind, d)
	}
	if d := cmp.Diff(rules, chart); d != "" {
		t.Errorf("rules (-) and what the chart has (+) differ:\n%s", d)
	}
	if err := alerts.Write(filepath.Join(dir, "none", "object"), filepath.Join(dir, "chart")); err == nil {
		t.Error("a folder that is not there: want an error")
	}
}
