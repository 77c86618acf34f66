package alerts_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.yaml.in/yaml/v3"

	"watchkeeper/deploy/dashboards"
)

// filled puts values in the place of Grafana's variables, and such that a label must be there.
var filled = strings.NewReplacer("$__rate_interval", "5m", "$__interval", "5m", "$__range_s", "3600", "$__range", "1h", "$platform", ".+", "$store", ".+", "$instance", ".+")

// eachQuery calls do with each query of the dashboards.
func eachQuery(do func(where, expr, legend string)) {
	for _, d := range dashboards.All() {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				do(d.Title+": "+p.Title, q.Expr, q.Legend)
			}
		}
	}
}

func TestEveryMetricAndLabelInADashboardIsExported(t *testing.T) {
	t.Parallel()
	metrics, asked := exported(t), map[string]bool{}
	eachQuery(func(where, expr, _ string) {
		selects(t, where, expr, metrics)
		for _, name := range metricName.FindAllString(expr, -1) {
			asked[name] = true
		}
	})
	for _, d := range dashboards.All() {
		for _, v := range d.Templating.List {
			if q, is := v.Query.(dashboards.Query); is {
				m := regexp.MustCompile(`^label_values\((\w+), (\w+)\)$`).FindStringSubmatch(q.Query)
				if m == nil || m[2] != "instance" && !slices.Contains(metrics[m[1]], m[2]) {
					t.Errorf("%s: the variable %s asks %q, and that has no such label", d.Title, v.Name, q.Query)
				}
			}
		}
	}
	if len(asked) < 50 {
		t.Errorf("only %d metrics are asked for", len(asked))
	}
}

// A sample is what promtool is to find.
type sample struct {
	Labels string  `yaml:"labels"`
	Value  float64 `yaml:"value"`
}

// A check is one expression for promtool.
type check struct {
	Expr    string   `yaml:"expr"`
	At      string   `yaml:"eval_time"`
	Samples []sample `yaml:"exp_samples"`
}

// something wants an expression to have at least one value that is a number.
func something(expr string) check {
	return check{Expr: fmt.Sprintf("count((%s) == (%s)) > bool 0", expr, expr), At: "70m", Samples: []sample{{"{}", 1}}}
}

// labelled wants an expression to have a series with a label.
func labelled(expr, label string) check {
	return something(fmt.Sprintf("(%s) unless on (%s) vector(0)", expr, label))
}

// series are those of a scrape of the daemon, each growing by one a minute. What is endless has an end here: queries leave it out as nothing owed.
func series(t *testing.T) (out []map[string]string) {
	t.Helper()
	got := httptest.NewRecorder()
	promhttp.HandlerFor(daemon(t), promhttp.HandlerOpts{}).ServeHTTP(got, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	add := func(name, value string) {
		out = append(out, map[string]string{"series": name, "values": strings.Replace(value, "+Inf", "9000", 1) + "+1x90"})
	}
	add(`ALERTS{alertname="NoWorkers",alertstate="firing",severity="critical"}`, "1")
	for line := range strings.Lines(got.Body.String()) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndex(line, " ")
		name, labels, _ := strings.Cut(strings.TrimSuffix(line[:at], "}"), "{")
		add(name+`{instance="a:9090",`+labels+"}", strings.TrimSpace(line[at:]))
	}
	if len(out) < 500 {
		t.Fatalf("only %d series: %s", len(out), got.Body)
	}
	return out
}

// values want each word that an expression selects series by to be one that the label has.
func values(expr string) (out []check) {
	word := regexp.MustCompile(`(\w+)(?:=~|!~|!=|=)"([^"]*)"`)
	for _, found := range selector.FindAllStringSubmatch(expr, -1) {
		if found[1] == "ALERTS" { // its alerts are held against the rules
			continue
		}
		for _, m := range word.FindAllStringSubmatch(found[2], -1) {
			for value := range strings.SplitSeq(m[2], "|") {
				out = append(out, something(fmt.Sprintf("%s{%s=~%q}", found[1], m[1], value)))
			}
		}
	}
	return out
}

var by = regexp.MustCompile(`\bby \(([^)]*)\) \(`)

// operand is what stands in the parentheses that begin before a place.
func operand(expr string, at int) string {
	for open, i := 1, at; i < len(expr); i++ {
		switch expr[i] {
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				return expr[at:i]
			}
		}
	}
	return ""
}

func TestEveryQueryOfADashboardFindsSomethingInPrometheus(t *testing.T) {
	t.Parallel()
	var checks []check
	named := regexp.MustCompile(`\{\{(\w+)\}\}`)
	eachQuery(func(_, expr, legend string) {
		expr = filled.Replace(expr)
		checks = append(append(checks, something(expr)), values(expr)...)
		for _, m := range named.FindAllStringSubmatch(legend, -1) {
			checks = append(checks, labelled(expr, m[1]))
		}
		for _, at := range by.FindAllStringSubmatchIndex(expr, -1) {
			for label := range strings.SplitSeq(expr[at[2]:at[3]], ",") {
				checks = append(checks, labelled(operand(expr, at[1]), strings.TrimSpace(label)))
			}
		}
	})
	raw, err := yaml.Marshal(map[string]any{"evaluation_interval": "1m", "tests": []map[string]any{
		{"interval": "1m", "input_series": series(t), "promql_expr_test": checks},
	}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "queries.yaml")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	runs(t, true, "promtool", "test", "rules", file)
}

func TestEveryAlertHasAPanelAndItsRunbookLeadsThere(t *testing.T) {
	t.Parallel()
	want, fires := map[string][]string{}, ""
	for _, d := range dashboards.All() {
		panels := map[string][]string{}
		for _, p := range d.Panels {
			for _, alert := range p.Alerts {
				panels[alert] = append(panels[alert], "`"+p.Title+"`")
			}
			if p.Title == "Alerts that fire" {
				fires = p.Targets[0].Expr
			}
		}
		for alert, titles := range panels {
			want[alert] = append(want[alert], fmt.Sprintf("- Dashboard `%s`: %s.", d.Title, strings.Join(titles, ", ")))
		}
	}
	var alerts []string
	for _, r := range rules(t) {
		if r.Alert == "Watchdog" { // it always fires, and no panel could be red
			continue
		}
		if alerts = append(alerts, r.Alert); want[r.Alert] == nil {
			t.Errorf("%s has no panel", r.Alert)
		}
	}
	for _, p := range pages(t) {
		var got []string
		for line := range strings.Lines(string(p.text)) {
			if strings.HasPrefix(line, "- Dashboard ") {
				got = append(got, strings.TrimSpace(line))
			}
		}
		if diff := cmp.Diff(want[p.alert], got); diff != "" {
			t.Errorf("%s: the dashboards of its panels (-) and of its runbook (+):\n%s", p.alert, diff)
		}
		delete(want, p.alert)
	}
	if len(want) > 0 {
		t.Errorf("panels name alerts that there are not: %v", want)
	}
	slices.Sort(alerts)
	if list := `alertname=~"` + strings.Join(alerts, "|") + `"`; !strings.Contains(fires, list) {
		t.Errorf("want the panel of alerts to ask for %s, got %s", list, fires)
	}
}
