package check

import (
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// deploy is the folder of the manifests.
const deploy = ".."

// overlays are the installations by kustomize; examples are what an operator may add, in part of kinds that are not known here.
var (
	overlays = []string{"overlays/shadow", "overlays/production", "overlays/kind"}
	examples = []string{"examples/keda", "examples/external-secret", "examples/redis"}
)

// kustomized renders each folder once.
var kustomized = func() func(folder string) (set, error) {
	var mu sync.Mutex
	done := map[string]func() (set, error){}
	return func(folder string) (set, error) {
		mu.Lock()
		once, ok := done[folder]
		if !ok {
			once = sync.OnceValues(func() (set, error) { return kustomize(folder) })
			done[folder] = once
		}
		mu.Unlock()
		return once()
	}
}()

func kustomize(folder string) (set, error) {
	k := krusty.MakeKustomizer(krusty.MakeDefaultOptions())
	resources, err := k.Run(filesys.MakeFsOnDisk(), filepath.Join(deploy, filepath.FromSlash(folder)))
	if err != nil {
		return nil, fmt.Errorf("kustomize %s: %w", folder, err)
	}
	raw, err := resources.AsYaml()
	if err != nil {
		return nil, fmt.Errorf("kustomize %s: %w", folder, err)
	}
	return parse(raw)
}

// charted renders the chart as "helm template watchkeeper --namespace watchkeeper" does, and checks the values against the schema.
func charted(values map[string]any) (set, error) {
	chart, err := loader.Load(filepath.Join(deploy, "chart"))
	if err != nil {
		return nil, fmt.Errorf("load the chart: %w", err)
	}
	release := chartutil.ReleaseOptions{Name: ours, Namespace: ours, Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(chart, values, release, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, fmt.Errorf("values of the chart: %w", err)
	}
	files, err := engine.Engine{Strict: true}.Render(chart, all)
	if err != nil {
		return nil, fmt.Errorf("render the chart: %w", err)
	}
	var out set
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if path.Ext(name) != ".yaml" {
			continue
		}
		some, err := parse([]byte(files[name]))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, some...)
	}
	return out, nil
}

// installations are all ways to install on Kubernetes, by name.
func installations(t *testing.T) map[string]set {
	t.Helper()
	out := map[string]set{}
	for _, folder := range append(slices.Clone(overlays), "examples/keda") {
		out[folder] = rendered(t, folder)
	}
	chart, err := charted(nil)
	if err != nil {
		t.Fatal(err)
	}
	out["chart"] = chart
	return out
}

func rendered(t *testing.T, folder string) set {
	t.Helper()
	s, err := kustomized(folder)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// unhashed is the name of a ConfigMap or a Secret without the hash of its contents, which kustomize and Helm reckon differently.
func unhashed(name string) string {
	for _, begins := range []string{"watchkeeper-rules-", "watchkeeper-secrets-"} {
		if strings.HasPrefix(name, begins) {
			return begins + "HASH"
		}
	}
	return name
}
