package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

func alertsOf(t *testing.T, s set) monitoringv1.PrometheusRuleSpec {
	t.Helper()
	r, err := as[*monitoringv1.PrometheusRule](s, "PrometheusRule", ours)
	if err != nil {
		t.Fatal(err)
	}
	return r.Spec
}

// What is tested by promtool is what an installation loads: neither Helm nor kustomize reads the templates in it as its own.
func TestEveryInstallationLoadsTheAlertsThatAreTested(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join(deploy, "alerts", "rules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var want monitoringv1.PrometheusRuleSpec
	if err := yaml.UnmarshalStrict(raw, &want); err != nil || len(want.Groups) < 4 {
		t.Fatalf("%d groups read: %v", len(want.Groups), err)
	}
	all := installations(t)
	delete(all, "overlays/kind") // which has no operator
	for name, s := range all {
		if d := cmp.Diff(want, alertsOf(t, s)); d != "" {
			t.Errorf("%s: the tested rules (-) and those of the installation (+) differ:\n%s", name, d)
		}
	}
	without, err := charted(map[string]any{"monitoring": map[string]any{"prometheusRule": false}})
	if err != nil || without.find("PrometheusRule", ours) != nil {
		t.Errorf("the chart with prometheusRule off still has one (%v)", err)
	}
}

func TestAlertsLeadToTheRunbooksWhereTheyAreServed(t *testing.T) {
	t.Parallel()
	for _, served := range []string{"https://git.example.com/watchkeeper", "https://git.example.com/watchkeeper/"} {
		chart, err := charted(map[string]any{"monitoring": map[string]any{"runbooks": served}})
		if err != nil {
			t.Fatal(err)
		}
		wantLinks(t, "chart", chart)
	}
	if _, err := charted(map[string]any{"monitoring": map[string]any{"runbooks": "git.example.com"}}); err == nil {
		t.Error("an address without https:// was not refused")
	}
	for _, overlay := range []string{"overlays/shadow", "overlays/production"} {
		wantLinks(t, overlay, uncommented(t, overlay))
	}
}

func wantLinks(t *testing.T, name string, s set) {
	t.Helper()
	for _, g := range alertsOf(t, s).Groups {
		for _, r := range g.Rules {
			if want := "https://git.example.com/watchkeeper/deploy/runbooks/" + r.Alert + ".md"; r.Annotations["runbook_url"] != want {
				t.Errorf("%s: want %s, got %s", name, want, r.Annotations["runbook_url"])
			}
		}
	}
}

// uncommented renders an overlay with its components.
func uncommented(t *testing.T, overlay string) set {
	t.Helper()
	file := filepath.Join(deploy, filepath.FromSlash(overlay), "kustomization.yaml")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("# components:\n#   - ", "components:\n  - ").Replace(string(raw))
	if text == string(raw) {
		t.Fatalf("%s: no components to be uncommented", overlay)
	}
	fs := filesys.MakeFsOnDisk()
	k := krusty.MakeKustomizer(krusty.MakeDefaultOptions())
	resources, err := k.Run(instead{fs, file, []byte(text)}, filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	rendered, err := resources.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	s, err := parse(rendered)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// instead is the disk with other contents of one file.
type instead struct {
	filesys.FileSystem

	file string
	text []byte
}

func (i instead) ReadFile(path string) ([]byte, error) {
	if same, err := filepath.Abs(i.file); err == nil && same == path {
		return i.text, nil
	}
	return i.FileSystem.ReadFile(path)
}
