package dashboards_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"watchkeeper/deploy/dashboards"
)

func TestTheFilesAreWhatIsDeclared(t *testing.T) {
	t.Parallel()
	want := map[string][]byte{}
	for _, d := range dashboards.All() {
		raw, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		want[d.File()] = raw
	}
	if len(want) != 4 {
		t.Fatalf("want four dashboards, got %d", len(want))
	}
	for _, folder := range []string{".", filepath.Join("..", "chart", "dashboards")} {
		there, err := filepath.Glob(filepath.Join(folder, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range there {
			if want[filepath.Base(name)] == nil {
				t.Errorf("%s is of no dashboard: delete it", name)
			}
		}
		for name, raw := range want {
			got, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil || !bytes.Equal(got, raw) {
				t.Errorf("%s in %s is stale: run make generate (%v)", name, folder, err)
			}
		}
	}
}

func TestTheFilesAreWrittenWhereTheyAreWanted(t *testing.T) {
	t.Parallel()
	one, two := t.TempDir(), t.TempDir()
	if err := dashboards.Write(one, two); err != nil {
		t.Fatal(err)
	}
	for _, d := range dashboards.All() {
		for _, folder := range []string{one, two} {
			raw, err := os.ReadFile(filepath.Join(folder, d.File()))
			if err != nil || !json.Valid(raw) {
				t.Errorf("%s: no JSON: %v", d.File(), err)
			}
		}
	}
	if err := dashboards.Write(filepath.Join(one, "nowhere")); err == nil {
		t.Error("a folder that is not there was taken")
	}
}

func TestDashboardsAreFoundUnderStableNames(t *testing.T) {
	t.Parallel()
	var uids, titles []string
	for _, d := range dashboards.All() {
		uids, titles = append(uids, d.UID), append(titles, d.Title)
		if d.SchemaVersion < 39 {
			t.Errorf("%s: schema %d is older than Grafana 11", d.UID, d.SchemaVersion)
		}
		if !slices.Equal(d.Tags, []string{"watchkeeper"}) || len(d.Links) != 1 || !slices.Equal(d.Links[0].Tags, d.Tags) {
			t.Errorf("%s: tags %v do not lead to the others: %v", d.UID, d.Tags, d.Links)
		}
		if d.Refresh == "" || d.Time.From == "" || d.Time.To != "now" || d.Description == "" {
			t.Errorf("%s: refresh %q, time %v, description %q", d.UID, d.Refresh, d.Time, d.Description)
		}
	}
	if want := []string{"watchkeeper-today", "watchkeeper-platforms", "watchkeeper-parcels", "watchkeeper-engine"}; !slices.Equal(uids, want) {
		t.Errorf("links of others lead to %v, and there are %v", want, uids)
	}
	if want := []string{"Today", "Platforms and feeds", "Parcels", "Engine"}; !slices.Equal(titles, want) {
		t.Errorf("want %v, got %v", want, titles)
	}
}

func TestPanelsLieBesideEachOtherOnTheGrid(t *testing.T) {
	t.Parallel()
	for _, d := range dashboards.All() {
		taken := map[[2]int]string{}
		ids, titles := map[int]bool{}, map[string]bool{}
		bottom, cells := 0, 0
		for _, p := range d.Panels {
			if ids[p.ID] || titles[p.Title] {
				t.Errorf("%s: %q: its number %d or its title is another's", d.UID, p.Title, p.ID)
			}
			ids[p.ID], titles[p.Title] = true, true
			at := p.GridPos
			if at.W < 1 || at.H < 1 || at.X < 0 || at.Y < 0 || at.X+at.W > 24 {
				t.Errorf("%s: %q is not on the grid: %v", d.UID, p.Title, at)
			}
			for x := at.X; x < at.X+at.W; x++ {
				for y := at.Y; y < at.Y+at.H; y++ {
					if other, is := taken[[2]int{x, y}]; is {
						t.Fatalf("%s: %q lies on %q", d.UID, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
					cells++
				}
			}
			bottom = max(bottom, at.Y+at.H)
		}
		if cells != 24*bottom {
			t.Errorf("%s: %d of %d cells are empty", d.UID, 24*bottom-cells, 24*bottom)
		}
	}
}

// panels are all but the headings of rows.
func panels(d dashboards.Dashboard) []dashboards.Panel {
	return slices.DeleteFunc(slices.Clone(d.Panels), func(p dashboards.Panel) bool { return p.Type == "row" })
}

var sentence = regexp.MustCompile(`^(Red|When [^:.]*): [^.:]+\.( Runbook: [A-Za-z, ]+\.)?$`)

func TestEveryPanelSaysWhatItIsInWhatUnitAndWhatToDo(t *testing.T) {
	t.Parallel()
	for _, d := range dashboards.All() {
		for _, p := range panels(d) {
			if p.Title == "" || p.FieldConfig.Defaults.Unit == "" || p.Description == "" || len(p.Targets) == 0 {
				t.Errorf("%s: %q: want a title, a unit, a description and a query: %+v", d.UID, p.Title, p)
			}
			if plain := strings.ReplaceAll(p.Description, "`wkctl ", "`"); !sentence.MatchString(plain) {
				t.Errorf("%s: %q: want one sentence that begins with Red: or When …:, and the runbooks, got %q", d.UID, p.Title, p.Description)
			}
			reds := slices.ContainsFunc(p.FieldConfig.Defaults.Thresholds.Steps, func(s dashboards.Step) bool { return s.Color == "red" })
			if says := strings.HasPrefix(p.Description, "Red: "); says != reds {
				t.Errorf("%s: %q: is red at times %t, says what to do then %t", d.UID, p.Title, reds, says)
			}
			if len(p.Alerts) > 0 && !reds {
				t.Errorf("%s: %q is never red, and the runbooks of %v lead to it", d.UID, p.Title, p.Alerts)
			}
		}
	}
}

func TestLevelsRise(t *testing.T) {
	t.Parallel()
	for _, d := range dashboards.All() {
		for _, p := range panels(d) {
			steps := p.FieldConfig.Defaults.Thresholds.Steps
			if len(steps) == 0 || steps[0].Value != nil {
				t.Errorf("%s: %q: the first level has no value of its own: %v", d.UID, p.Title, steps)
				continue
			}
			for i := 2; i < len(steps); i++ {
				if *steps[i].Value <= *steps[i-1].Value {
					t.Errorf("%s: %q: levels do not rise", d.UID, p.Title)
				}
			}
		}
	}
}

var variable = regexp.MustCompile(`\$\{?([a-z_]+)`)

func TestVariablesAreDeclaredAndUsed(t *testing.T) {
	t.Parallel()
	for _, d := range dashboards.All() {
		declared, used := map[string]bool{}, map[string]bool{"datasource": false}
		for _, v := range d.Templating.List {
			declared[v.Name] = true
		}
		for _, p := range panels(d) {
			for _, q := range p.Targets {
				if p.Datasource.UID != "${datasource}" || q.Datasource.UID != "${datasource}" {
					t.Errorf("%s: %q asks another than the source that was chosen", d.UID, p.Title)
				}
				used["datasource"] = true
				for _, m := range variable.FindAllStringSubmatch(q.Expr, -1) {
					if m[1] == "" || strings.HasPrefix(m[1], "__") {
						continue // Grafana's own
					}
					if used[m[1]] = true; !declared[m[1]] {
						t.Errorf("%s: %q uses the variable %s, which there is not", d.UID, p.Title, m[1])
					}
				}
			}
		}
		for name := range declared {
			if !used[name] {
				t.Errorf("%s: nothing depends on the variable %s", d.UID, name)
			}
		}
	}
}

// What happens within the shortest interval is counted once only where the query takes the interval that the panel was given.
func TestEventsAreCountedOnce(t *testing.T) {
	t.Parallel()
	for _, d := range dashboards.All() {
		for _, p := range panels(d) {
			for _, q := range p.Targets {
				if strings.Contains(q.Expr, "[$__interval]") != (p.Interval != "") {
					t.Errorf("%s: %q: the interval is %q and the query %s", d.UID, p.Title, p.Interval, q.Expr)
				}
				if strings.Contains(q.Expr, "[$__range]") && !q.Instant {
					t.Errorf("%s: %q: asks for the whole range at each of its moments", d.UID, p.Title)
				}
				if q.Instant == q.Range {
					t.Errorf("%s: %q: instant %t, range %t", d.UID, p.Title, q.Instant, q.Range)
				}
			}
		}
	}
}
