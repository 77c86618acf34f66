package check

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// byID is a set to be compared: hashes in names are covered up, and the one annotation that only Helm reads is left out, if it says what
// it must.
func byID(t *testing.T, s set) map[string]object {
	t.Helper()
	out := map[string]object{}
	for _, o := range s.clone(t) {
		if o.kind() == "ConfigMap" {
			meta, ok := o.at("metadata").(map[string]any)
			if !ok {
				t.Fatal("a ConfigMap without metadata")
			}
			if notes, ok := meta["annotations"].(map[string]any); ok && notes["helm.sh/resource-policy"] == "keep" {
				if delete(notes, "helm.sh/resource-policy"); len(notes) == 0 {
					delete(meta, "annotations")
				}
			}
			meta["name"] = unhashed(o.name())
		}
		if o.kind() == "Deployment" {
			from, ok := o.at("spec", "template", "spec", "containers", "0", "envFrom", "0", "configMapRef").(map[string]any)
			if !ok {
				t.Fatal("the Deployment takes no variables from a ConfigMap")
			}
			name, _ := from["name"].(string)
			from["name"] = unhashed(name)
		}
		if _, twice := out[o.id()]; twice {
			t.Errorf("%s is there twice", o.id())
		}
		out[o.id()] = o
	}
	return out
}

func TestTheChartRendersWhatTheOverlayOfProductionDoes(t *testing.T) {
	t.Parallel()
	chart, err := charted(nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(byID(t, rendered(t, "overlays/production")), byID(t, chart)); diff != "" {
		t.Errorf("overlay (-) and chart (+) differ:\n%s", diff)
	}
}

func TestAChangeOfARuleIsARollout(t *testing.T) {
	t.Parallel()
	before, err := charted(nil)
	if err != nil {
		t.Fatal(err)
	}
	after, err := charted(map[string]any{"rules": map[string]any{"WK_SLA__STORM": "21/1h"}})
	if err != nil {
		t.Fatal(err)
	}
	name := func(s set) string { return s.find("ConfigMap", "watchkeeper-rules-").name() }
	pods := func(s set) any { return s.find("Deployment", ours).at("spec", "template") }
	if name(before) == name(after) || cmp.Equal(pods(before), pods(after)) {
		t.Error("another rule left the pods of the chart as they were")
	}
	shadow, production := rendered(t, "overlays/shadow"), rendered(t, "overlays/production")
	if name(shadow) == name(production) || cmp.Equal(pods(shadow), pods(production)) {
		t.Error("other rules left the pods of the overlays as they were")
	}
}

func TestTheSchemaOfTheChartRefusesMistakes(t *testing.T) {
	t.Parallel()
	rules := func(name string, value any) map[string]any {
		return map[string]any{"rules": map[string]any{name: value}}
	}
	for name, values := range map[string]map[string]any{
		"a misspelt value":              {"replica": 3},
		"one replica":                   {"replicas": 1},
		"the tag latest":                {"image": map[string]any{"tag": "latest"}},
		"a digest that is none":         {"image": map[string]any{"digest": "sha256:abc"}},
		"a variable of others":          rules("SLA__MODE", "shadow"),
		"a variable with three scores":  rules("WK_SLA___MODE", "shadow"),
		"a number where a text belongs": rules("WK_REDIS__SHARDS", 8),
		"an empty value":                rules("WK_SLA__MODE", ""),
		"the time to stop as a rule":    rules("WK_WORKERS__SHUTDOWN", "5m"),
		"too little time to stop":       {"shutdownSeconds": 5},
	} {
		if _, err := charted(values); err == nil {
			t.Errorf("%s: was not refused", name)
		}
	}
	if _, err := charted(rules("WK_SLA__STORM", nil)); err != nil {
		t.Errorf("a rule was not taken away: %v", err)
	}
}
