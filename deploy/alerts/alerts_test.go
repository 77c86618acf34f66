// Package alerts_test joins the alerts, their runbooks, the example for Alertmanager and the metrics of a real daemon by name.
package alerts_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.yaml.in/yaml/v3"

	"watchkeeper/connectors/all"
	"watchkeeper/sla"
	"watchkeeper/workers/fleet"
	"watchkeeper/workers/store/storetest"
)

type rule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func read(t *testing.T, name string, into any) {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err == nil {
		err = yaml.Unmarshal(raw, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func rules(t *testing.T) (out []rule) {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []rule }
	}
	read(t, "rules.yaml", &file)
	for _, g := range file.Groups {
		out = append(out, g.Rules...)
	}
	if len(out) < 20 {
		t.Fatalf("%d rules read", len(out))
	}
	return out
}

// noPlatform is a network on which nobody answers.
type noPlatform struct{}

func (noPlatform) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusServiceUnavailable, Status: "503 out", Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// daemon gives the metrics of a daemon with a tracker, every kind of budget and an obligation, which has read its lists once.
func daemon(t *testing.T) *prometheus.Registry {
	t.Helper()
	config, book, err := fleet.Load(t.Context(), []string{
		"WK_REDIS__ADDRS=" + storetest.StartRedis(t), "WK_HTTP__LISTEN=127.0.0.1:0", "WK_SLA__STORE_BUDGET=300USD", "WK_SLA__TOTAL_BUDGET=900USD", "WK_SLA__STORM=20/2h",
		"WK_SLA__ACT_BEFORE=40h", "WK_SLA__ACT_BEFORE__FROM=2026-03-03",
		"WK_STORE__AE01__PLATFORM=aliexpress", "WK_STORE__AE01__APP_KEY=500123", "WK_STORE__AE01__APP_SECRET=a-secret-of-the-demonstration",
		"WK_STORE__AE01__ACCESS_TOKEN=access", "WK_STORE__AE01__REFRESH_TOKEN=refresh", "WK_STORE__T17__PLATFORM=track17", "WK_STORE__T17__API_KEY=key",
	}, all.Platforms())
	if err != nil {
		t.Fatal(err)
	}
	f, err := fleet.New(t.Context(), fleet.Options{Config: config, Book: book, Registry: all.Platforms(), Now: time.Now, Log: zap.NewNop(), HTTP: noPlatform{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Stop(context.Background()) })
	owed := sla.Obligation{Turn: 7, Opened: time.Now(), Deadline: time.Now().Add(80 * time.Hour), Cost: sla.Money{Minor: 1200, Currency: "USD"}}
	_, err = f.Store().PutCases(t.Context(), []sla.CaseWrite{{CaseRecord: sla.CaseRecord{Fingerprint: 1, Case: sla.Case{
		DisputeRef: sla.DisputeRef{ID: sla.DisputeID{Platform: "aliexpress", Store: "AE01", Native: "9000000001"}}, State: sla.StateSeller,
		Next: time.Now().Add(time.Hour), Obligation: owed,
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, do := range []func(context.Context) error{f.Begin, f.Step, f.Count, f.LookAround} {
		if err := do(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return f.Registry()
}

// exported are the labels of each metric.
func exported(t *testing.T) map[string][]string {
	t.Helper()
	families, err := daemon(t).Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, family := range families {
		out[family.GetName()] = []string{}
		for _, l := range family.GetMetric()[0].GetLabel() {
			out[family.GetName()] = append(out[family.GetName()], l.GetName())
		}
	}
	return out
}

var (
	metricName = regexp.MustCompile(`\b(?:(?:watchkeeper|process)_[a-z0-9_]+|go_goroutines)\b`)
	selector   = regexp.MustCompile(`([a-z][a-z0-9_]+)\{([^}]*)\}`)
	matcher    = regexp.MustCompile(`([a-z_]+)(?:=~|!~|!=|=)"`)
	grouping   = regexp.MustCompile(`\bby \(([^)]*)\) \((?:[a-z_]*\(|\s)*(watchkeeper_[a-z0-9_]+)`)
)

// selects fails unless an expression selects metrics that are exported, by labels that they have. It gives what wants a label of one.
func selects(t *testing.T, where, expr string, metrics map[string][]string) (wants func(metric, label string)) {
	t.Helper()
	family := func(name string) string {
		for _, part := range []string{"_bucket", "_sum", "_count"} {
			if of, is := strings.CutSuffix(name, part); is && metrics[name] == nil {
				return of
			}
		}
		return name
	}
	wants = func(metric, label string) {
		if label != "instance" && !slices.Contains(metrics[family(metric)], label) {
			t.Errorf("%s: %s has no label %s, only %v", where, metric, label, metrics[family(metric)])
		}
	}
	for _, name := range metricName.FindAllString(expr, -1) {
		if metrics[family(name)] == nil {
			t.Errorf("%s: nobody exports %s", where, name)
		}
	}
	for _, found := range selector.FindAllStringSubmatch(expr, -1) {
		for _, m := range matcher.FindAllStringSubmatch(found[2], -1) {
			if found[1] != "ALERTS" {
				wants(found[1], m[1])
			}
		}
	}
	return wants
}

func TestEveryMetricAndLabelInTheRulesIsExported(t *testing.T) {
	t.Parallel()
	metrics := exported(t)
	for _, r := range rules(t) {
		wants := selects(t, r.Alert, r.Expr, metrics)
		for _, found := range grouping.FindAllStringSubmatch(r.Expr, -1) {
			for label := range strings.SplitSeq(found[1], ",") {
				wants(found[2], strings.TrimSpace(label))
			}
		}
		if by := strings.Count(r.Expr, " by ("); by != len(grouping.FindAllString(r.Expr, -1)) {
			t.Errorf("%s: not each of %d groupings is understood by this test", r.Alert, by)
		}
	}
}

func TestEveryAlertIsTestedToFireAndToStayQuiet(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("rules_test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Tests []struct {
			Checks []struct {
				Expr    string
				Samples []struct{ Value float64 } `yaml:"exp_samples"`
			} `yaml:"promql_expr_test"`
		}
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	fires, quiet := map[string]bool{}, map[string]bool{"Watchdog": true}
	name := regexp.MustCompile(`alertname="(\w+)"`)
	for _, test := range file.Tests {
		for _, c := range test.Checks {
			if m := name.FindStringSubmatch(c.Expr); m != nil && len(c.Samples) > 0 {
				fires[m[1]] = true
			} else if m != nil {
				quiet[m[1]] = true
			}
		}
	}
	for _, r := range rules(t) {
		if !fires[r.Alert] || !quiet[r.Alert] {
			t.Errorf("%s: tested to fire %t, to stay quiet %t", r.Alert, fires[r.Alert], quiet[r.Alert])
		}
	}
}

// deadlines are the alerts that nothing may hold back.
var deadlines = []string{"DisputeDeadlineImminent", "DisputeBreached", "TimeIsShort"}

func TestNothingHoldsBackADeadline(t *testing.T) {
	t.Parallel()
	for _, file := range alertmanagers {
		holdsBackNoDeadline(t, file)
	}
}

// alertmanagers are the configurations of Alertmanager: the example, and that of a single host.
var alertmanagers = []string{"alertmanager.yaml", "../compose/alertmanager.yml"}

func holdsBackNoDeadline(t *testing.T, file string) {
	t.Helper()
	type route struct {
		Matchers []string
		Mute     []string `yaml:"mute_time_intervals"`
		Active   []string `yaml:"active_time_intervals"`
		Routes   []route
	}
	var config struct {
		Route   route
		Inhibit []struct {
			Target []string `yaml:"target_matchers"`
		} `yaml:"inhibit_rules"`
	}
	read(t, file, &config)
	if len(config.Inhibit) == 0 || len(config.Route.Routes) == 0 {
		t.Fatalf("%s: nothing was read", file)
	}
	for _, r := range append(config.Route.Routes, config.Route) {
		if len(r.Mute)+len(r.Active) > 0 || len(r.Routes) > 0 && len(r.Matchers) > 0 {
			t.Errorf("%s: a route of %v has times, or routes of its own that this test does not read", file, r.Matchers)
		}
	}
	for _, alert := range rules(t) {
		if !slices.Contains(deadlines, alert.Alert) {
			continue
		}
		if alert.Labels["severity"] != "critical" {
			t.Errorf("%s is %s", alert.Alert, alert.Labels["severity"])
		}
		for _, i := range config.Inhibit {
			if mutes(t, i.Target, alert) {
				t.Errorf("%s: %s is held back by an inhibition of %v", file, alert.Alert, i.Target)
			}
		}
	}
}

// mutes reports whether matchers may fit an alert. Of labels that only its series have, nothing is known: they may.
func mutes(t *testing.T, matchers []string, r rule) bool {
	t.Helper()
	form := regexp.MustCompile(`^(\w+)(=~|!~|!=|=)"(.*)"$`)
	for _, m := range matchers {
		parts := form.FindStringSubmatch(m)
		if parts == nil {
			t.Fatalf("matcher %q is not understood", m)
		}
		value, known := r.Labels[parts[1]]
		if parts[1] == "alertname" {
			value, known = r.Alert, true
		}
		pattern := parts[3]
		if len(parts[2]) == 1 || parts[2] == "!=" {
			pattern = regexp.QuoteMeta(pattern)
		}
		if fits := regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(value); known && fits == strings.HasPrefix(parts[2], "!") {
			return false
		}
	}
	return true
}

func TestTheRulesDoInPrometheusWhatTheirTestsSay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tool string
		args []string
		must bool
	}{
		{"promtool", []string{"check", "rules", "rules.yaml"}, true},
		{"promtool", []string{"test", "rules", "rules_test.yaml"}, true},
		{"amtool", []string{"check-config", "alertmanager.yaml"}, false}, // that of compose wants 0.26
	} {
		t.Run(c.tool+" "+c.args[0], func(t *testing.T) {
			t.Parallel()
			runs(t, c.must, c.tool, c.args...)
		})
	}
}

// runs fails unless a program of Prometheus is content. Where there is none the test is skipped, unless it must be there.
func runs(t *testing.T, must bool, tool string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(tool)
	switch {
	case err != nil && must && os.Getenv("PROMTOOL") == "required": // .ci/run says so where it could be installed
		t.Fatalf("no %s on the PATH (Debian: apt-get install prometheus)", tool)
	case err != nil:
		t.Skipf("no %s on the PATH (Debian: apt-get install prometheus)", tool)
	}
	if out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
