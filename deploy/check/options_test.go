package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// What an operator may set of the chart leaves everything as it must be.
func TestTheChartHoldsEveryCheckWithEveryValueChanged(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("0a", 32)
	s, err := charted(map[string]any{
		"image":            map[string]any{"repository": "registry.example.com/watchkeeper", "digest": digest, "pullPolicy": "Always"},
		"imagePullSecrets": []any{map[string]any{"name": "registry"}},
		"replicas":         8,
		"shutdownSeconds":  300,
		"rules":            map[string]any{"WK_REDIS__ADDRS": "redis.example.com:6380", "WK_SLA__STORM": nil, "WK_SLA__GUARD": "2h", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"},
		"resources": map[string]any{
			"requests": map[string]any{"cpu": "1", "memory": "900Mi"}, "limits": map[string]any{"cpu": "2", "memory": "1Gi"},
		},
		"nodeSelector":  map[string]any{"kubernetes.io/arch": "amd64"},
		"tolerations":   []any{map[string]any{"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"}},
		"autoscaling":   map[string]any{"pendingJobs": "50"},
		"monitoring":    map[string]any{"namespace": "observability"},
		"networkPolicy": map[string]any{"redisPorts": []any{6380}, "collectorPorts": []any{4318}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range checks {
		for _, problem := range c(s) {
			t.Errorf("%s: %s", what, problem)
		}
	}
	d := s.find("Deployment", ours)
	pod := object{"pod": d.at("spec", "template", "spec")}
	if got, want := pod.text("pod", "containers", "0", "image"), "registry.example.com/watchkeeper@"+digest; got != want {
		t.Errorf("want the image %s, got %s", want, got)
	}
	if got := pod.text("pod", "imagePullSecrets", "0", "name"); got != "registry" {
		t.Errorf("the image is pulled with %q", got)
	}
	env := environment(s)
	if _, there := env["WK_SLA__STORM"]; there || env["WK_SLA__GUARD"] != "2h" || env["WK_WORKERS__SHUTDOWN"] != "300s" {
		t.Errorf("the rules are not what was given: %v", env)
	}
	if env["OTEL_EXPORTER_OTLP_ENDPOINT"] == "" || !opens(s, 4318) {
		t.Errorf("want the collector of traces named and within reach, got %v", env)
	}
}

// opens tells whether the pods may reach a port.
func opens(s set, port float64) bool {
	rules, _ := s.find("NetworkPolicy", ours).at("spec", "egress").([]any)
	for i := range rules {
		ports, _ := object{"egress": rules}.at("egress", strconv.Itoa(i), "ports").([]any)
		for _, p := range ports {
			if of, ok := p.(map[string]any); ok && of["port"] == port {
				return true
			}
		}
	}
	return false
}

// What lets us in at a collector is a secret, and no value of the chart.
func TestTheChartTakesNoHeadersOfACollector(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"} {
		if _, err := charted(map[string]any{"rules": map[string]any{name: "Authorization=x"}}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want %s refused, got %v", name, err)
		}
	}
}

func TestWhatIsSwitchedOffInTheChartIsNotThere(t *testing.T) {
	t.Parallel()
	off := map[string]any{"enabled": false}
	s, err := charted(map[string]any{"autoscaling": off, "networkPolicy": off, "monitoring": map[string]any{"podMonitor": false, "prometheusRule": false, "dashboards": false}})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, o := range s {
		kinds = append(kinds, o.kind())
	}
	slices.Sort(kinds)
	if want := []string{"ConfigMap", "Deployment", "PodDisruptionBudget", "ServiceAccount"}; !slices.Equal(kinds, want) {
		t.Errorf("want %v, got %v", want, kinds)
	}
}

func TestTheScriptsOfRedisCanBeRead(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob(filepath.Join(deploy, "examples", "redis", "*.sh"))
	if err != nil || len(scripts) != 3 {
		t.Fatalf("want three scripts, got %v: %v", scripts, err)
	}
	for _, script := range scripts {
		if said, err := exec.CommandContext(t.Context(), "sh", "-n", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", script, err, said)
		}
	}
}

// Prometheus of the compose file asks each daemon at the port that it listens on, tells Alertmanager, and reads the rules where they are mounted.
func TestPrometheusOfTheHostIsWiredUp(t *testing.T) {
	t.Parallel()
	known, err := readPage()
	if err != nil {
		t.Fatal(err)
	}
	port, err := number(known.defaults["WK_HTTP__LISTEN"])
	if err != nil {
		t.Fatal(err)
	}
	project, prometheus, alertmanager := composed(t), settings(t, "prometheus.yml"), settings(t, "alertmanager.yml")
	if got := prometheus.at("scrape_configs", "0", "dns_sd_configs", "0", "port"); got != float64(port) {
		t.Errorf("the daemons listen on %d, and are asked at %v", port, got)
	}
	if got := prometheus.text("scrape_configs", "0", "dns_sd_configs", "0", "names", "0"); got != ours {
		t.Errorf("asks %q", got)
	}
	host, _, _ := strings.Cut(prometheus.text("alerting", "alertmanagers", "0", "static_configs", "0", "targets", "0"), ":")
	if _, ok := project.Services[host]; !ok {
		t.Errorf("alerts go to %q, which is no service", host)
	}
	var mounts []string
	for _, v := range project.Services["prometheus"].Volumes {
		mounts = append(mounts, v.Target)
	}
	if rules := prometheus.text("rule_files", "0"); !slices.Contains(mounts, filepath.Dir(rules)) {
		t.Errorf("the rules are at %q, and mounted are %v", rules, mounts)
	}
	receivers := map[string]string{} // the file of the webhook, by name
	for i := range 3 {
		receivers[alertmanager.text("receivers", strconv.Itoa(i), "name")] = alertmanager.text("receivers", strconv.Itoa(i), "webhook_configs", "0", "url_file")
	}
	for name, file := range receivers {
		if _, ok := project.Secrets[filepath.Base(file)]; !ok && name != "dead-man" { // which goes nowhere at first
			t.Errorf("the address of the webhook of %q is in %q, which is no secret", name, file)
		}
	}
	to := []string{alertmanager.text("route", "receiver"), alertmanager.text("route", "routes", "0", "receiver"), alertmanager.text("route", "routes", "1", "receiver")}
	if want := []string{"tickets", "dead-man", "pager"}; !slices.Equal(to, want) || len(receivers) != 3 {
		t.Errorf("want alerts routed to %v, and these be there, got %v of %v", want, to, receivers)
	}
}

func settings(t *testing.T, file string) object {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(deploy, "compose", file))
	if err != nil {
		t.Fatal(err)
	}
	var out object
	if err := yaml.UnmarshalStrict(raw, &out); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return out
}
