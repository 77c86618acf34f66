package check

import (
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	corev1 "k8s.io/api/core/v1"
)

// mostAnnotated is how large all annotations of an object may be; "kubectl apply" keeps the whole object in one.
const mostAnnotated = 256 << 10

// boards are the names of the dashboards.
var boards = []string{"today", "platforms", "parcels", "engine"}

// dashboards looks whether Grafana's sidecar finds the four of them, and whether Grafana takes them.
func dashboards(s set) []string {
	var out, found []string
	for _, o := range s {
		labels, _ := o.at("metadata", "labels").(map[string]any)
		if o.kind() != "ConfigMap" || labels["grafana_dashboard"] != "1" {
			continue
		}
		name := strings.TrimPrefix(o.name(), "watchkeeper-dashboard-")
		found = append(found, name)
		m, err := as[*corev1.ConfigMap](s, "ConfigMap", o.name())
		if err != nil {
			return []string{err.Error()}
		}
		raw, ok := m.Data[name+".json"]
		whole, err := json.Marshal(o)
		switch {
		case err != nil:
			out = append(out, err.Error())
		case !ok || len(m.Data) != 1:
			out = append(out, fmt.Sprintf("%s has not %s.json alone", o.id(), name))
		case len(whole) >= mostAnnotated:
			out = append(out, o.id()+" is too large to be applied")
		default:
			out = append(out, drawn(name, raw)...)
		}
	}
	want := slices.Sorted(slices.Values(boards))
	if slices.Sort(found); !slices.Equal(found, want) {
		out = append(out, fmt.Sprintf("want the four dashboards %v, the sidecar finds %v", want, found))
	}
	return out
}

// registered knows the types of Grafana's own plugins.
var registered = sync.OnceValue(func() *cog.Runtime {
	plugins.RegisterDefaultPlugins()
	return cog.NewRuntime()
})

// drawn says what Grafana's own types do not know of a dashboard.
func drawn(name, raw string) []string {
	known := registered()
	var strict, d dashboard.Dashboard //nolint:staticcheck // its successor is of an API that Grafana 11 does not have
	// What this gives is never nil, and says nothing without a mistake; of panels it keeps none.
	if says := strict.UnmarshalJSONStrict([]byte(raw)).Error(); says != "" {
		return []string{name + ": " + says}
	}
	if err := json.Unmarshal([]byte(raw), &d); err != nil {
		return []string{name + ": " + err.Error()}
	}
	var out []string
	if d.Uid == nil || *d.Uid != "watchkeeper-"+name {
		out = append(out, name+": it has another uid")
	}
	panels := 0
	for _, p := range d.Panels {
		if p.Panel == nil {
			continue // the heading of a row
		}
		if _, is := known.ConfigForPanelcfgVariant(p.Panel.Type); !is {
			out = append(out, name+": nobody draws a "+p.Panel.Type)
		}
		panels++
	}
	if panels == 0 {
		out = append(out, name+": nothing is shown")
	}
	return out
}

// Grafana of the compose file asks the Prometheus beside it, shows the dashboards of this repository, and begins with the first of them.
func TestGrafanaOfTheHostShowsTheDashboards(t *testing.T) {
	t.Parallel()
	project := composed(t)
	grafana := project.Services["grafana"]
	sources, provider := settings(t, "grafana/datasources.yml"), settings(t, "grafana/dashboards.yml")
	if url := sources.text("datasources", "0", "url"); url != "http://prometheus:9090" || sources.text("datasources", "0", "type") != "prometheus" ||
		sources.at("datasources", "0", "isDefault") != true {
		t.Errorf("it asks %q, and not Prometheus unless told otherwise", url)
	}
	if _, is := project.Services["prometheus"]; !is {
		t.Error("there is no service prometheus")
	}
	folder := provider.text("providers", "0", "options", "path")
	mounted := slices.ContainsFunc(grafana.Volumes, func(v types.ServiceVolumeConfig) bool {
		return v.Target == folder && filepath.Base(v.Source) == "dashboards" && v.ReadOnly
	})
	if !mounted || folder == "" {
		t.Errorf("the dashboards are looked for in %q, and mounted are %v", folder, grafana.Volumes)
	}
	if home := grafana.Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]; home == nil || *home != path.Join(folder, boards[0]+".json") {
		t.Error("it begins with another dashboard")
	}
	for _, c := range grafana.Configs {
		if _, is := project.Configs[c.Source]; !is || !strings.HasPrefix(c.Target, "/etc/grafana/provisioning/") {
			t.Errorf("%s is at %s, where Grafana does not look", c.Source, c.Target)
		}
	}
	password := grafana.Environment["GF_SECURITY_ADMIN_PASSWORD__FILE"]
	if len(grafana.Configs) != 2 || len(grafana.Secrets) != 1 || password == nil || *password != "/run/secrets/"+grafana.Secrets[0].Source {
		t.Errorf("want two files of settings and the password's, got %v and %v", grafana.Configs, grafana.Secrets)
	}
}
