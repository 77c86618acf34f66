package alerts_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestEveryMetricInARunbookIsExported(t *testing.T) {
	t.Parallel()
	metrics := exported(t)
	for _, page := range pages(t) {
		for _, name := range metricName.FindAllString(string(page.text), -1) {
			if metrics[name] == nil {
				t.Errorf("%s: nobody exports %s", page.alert, name)
			}
		}
	}
}

func TestEveryVariableInARunbookIsThere(t *testing.T) {
	t.Parallel()
	variables, err := os.ReadFile(filepath.Join("..", "env.md"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, page := range pages(t) {
		for _, name := range regexp.MustCompile(`\bWK_[A-Z0-9_]+\b`).FindAllString(string(page.text), -1) {
			if seen++; !bytes.Contains(variables, []byte(name)) {
				t.Errorf("%s: deploy/env.md has no %s", page.alert, name)
			}
		}
	}
	if seen == 0 {
		t.Error("no variable was read")
	}
}

type page struct {
	alert string
	text  []byte
}

func pages(t *testing.T) (out []page) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", "runbooks", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, page{strings.TrimSuffix(filepath.Base(name), ".md"), text})
	}
	return out
}

func TestEveryAlertHasItsRunbookOfOneScreenAndEveryRunbookItsAlert(t *testing.T) {
	t.Parallel()
	const screen = 45
	alerts := map[string]bool{}
	for _, r := range rules(t) {
		alerts[r.Alert] = true
		if r.Annotations["runbook_url"] != "deploy/runbooks/"+r.Alert+".md" {
			t.Errorf("%s: its runbook is %q", r.Alert, r.Annotations["runbook_url"])
		}
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s: want a summary and a description", r.Alert)
		}
		if !slices.Contains([]string{"critical", "warning", "none"}, r.Labels["severity"]) {
			t.Errorf("%s: severity %q", r.Alert, r.Labels["severity"])
		}
	}
	seen := map[string]bool{}
	for _, p := range pages(t) {
		seen[p.alert] = true
		if !alerts[p.alert] {
			t.Errorf("the runbook %s has no alert", p.alert)
		}
		var heads []string
		for line := range bytes.Lines(p.text) {
			if bytes.HasPrefix(line, []byte("#")) {
				heads = append(heads, strings.TrimSpace(string(line)))
			}
		}
		if want := []string{"# " + p.alert, "## Meaning", "## Impact", "## Look here", "## Do this", "## Roll back"}; !slices.Equal(heads, want) {
			t.Errorf("%s: want the headings %q, got %q", p.alert, want, heads)
		}
		if n := bytes.Count(p.text, []byte("\n")); n > screen {
			t.Errorf("%s: %d lines are more than a screen", p.alert, n)
		}
	}
	for alert := range alerts {
		if !seen[alert] {
			t.Errorf("%s has no runbook", alert)
		}
	}
}
