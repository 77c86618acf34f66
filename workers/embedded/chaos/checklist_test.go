package chaos_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is its root, and checklist the page with the lists.
var (
	module    = filepath.Join("..", "..", "..")
	checklist = filepath.Join(module, "deploy", "FAILURES.md")
)

// lists are the sections of the page, each with the letter of its rows and how many there are.
var lists = map[string]struct {
	letter string
	rows   int
}{"Rules": {"R", 19}, "Invariants": {"I", 13}, "Chaos cases": {"C", 13}}

// A listed row: id, what must hold, how it is kept, and the tests that show it.
type listed struct {
	id, rule, kept string
	tests          []string
}

var (
	cited   = regexp.MustCompile("`([a-z0-9/]+)\\.((?:Test|Fuzz)[A-Za-z0-9_]*)(?:/([^`]+))?`")
	quoting = regexp.MustCompile("`[^`]+`")
)

// rowsOf reads the table of a section; what is wrong with it is an error for each.
func rowsOf(page, section string) (rows []listed, wrong []string) {
	_, text, ok := strings.Cut(page, "\n## "+section+"\n")
	if !ok {
		return nil, []string{"there is no section " + section}
	}
	text, _, _ = strings.Cut(text, "\n## ")
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		id := strings.TrimPrefix(cells[0], "| ")
		if !strings.HasPrefix(line, "|") || id == "id" || strings.HasPrefix(id, "---") {
			continue
		}
		if len(cells) != 4 {
			wrong = append(wrong, fmt.Sprintf("%s: %d cells, want 4", id, len(cells)))
			continue
		}
		r := listed{id: id, rule: cells[1], kept: cells[2]}
		for _, m := range cited.FindAllString(cells[3], -1) {
			r.tests = append(r.tests, strings.Trim(m, "`"))
		}
		if n := len(quoting.FindAllString(cells[3], -1)); n != len(r.tests) {
			wrong = append(wrong, fmt.Sprintf("%s: %d of %d names are no package and test", id, n-len(r.tests), n))
		}
		rows = append(rows, r)
	}
	return rows, wrong
}

// check holds the rows of a section against what it should have, and their tests against those that there are.
func check(rows []listed, letter string, n int, exists func(test string) error) (wrong []string) {
	seen := map[string]int{}
	for _, r := range rows {
		seen[r.id]++
		if strings.TrimSpace(r.rule) == "" || strings.TrimSpace(r.kept) == "" {
			wrong = append(wrong, r.id+": says too little")
		}
		if len(r.tests) == 0 && !strings.Contains(r.kept, "**Not kept**") {
			wrong = append(wrong, r.id+": names no test, and does not say that it is not kept")
		}
		for i, test := range r.tests {
			if slices.Contains(r.tests[:i], test) {
				wrong = append(wrong, r.id+": names "+test+" twice")
			} else if err := exists(test); err != nil {
				wrong = append(wrong, r.id+": "+err.Error())
			}
		}
	}
	for i := range n {
		id := letter + strconv.Itoa(i+1)
		if seen[id] != 1 {
			wrong = append(wrong, fmt.Sprintf("%s: want one row, got %d", id, seen[id]))
		}
		delete(seen, id)
	}
	for id := range seen {
		wrong = append(wrong, id+": what is this?")
	}
	return wrong
}

// A written package: its tests, and the texts in it, of which the names of subtests are made.
type written struct{ tests, texts map[string]bool }

// sources reads packages, each once, whatever their files are built for.
type sources map[string]written

func (s sources) read(dir string) (written, error) {
	if w, ok := s[dir]; ok {
		return w, nil
	}
	files, err := filepath.Glob(filepath.Join(module, filepath.FromSlash(dir), "*.go"))
	if err != nil || len(files) == 0 {
		return written{}, fmt.Errorf("there is no package %s", dir)
	}
	w := written{map[string]bool{}, map[string]bool{}}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return written{}, err
		}
		if strings.HasSuffix(name, "_test.go") {
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
					w.tests[f.Name.Name] = true
				}
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil {
					w.texts[strings.ReplaceAll(text, " ", "_")] = true
				}
			}
			return true
		})
	}
	s[dir] = w
	return w, nil
}

// exists tells what is wrong with the name of a test; of a part of one, the package must have its text.
func (s sources) exists(test string) error {
	m := cited.FindStringSubmatch("`" + test + "`")
	if m == nil {
		return fmt.Errorf("%s is no name of a test", test)
	}
	w, err := s.read(m[1])
	switch {
	case err != nil:
		return err
	case !w.tests[m[2]]:
		return fmt.Errorf("there is no test %s in %s", m[2], m[1])
	case m[3] != "" && !w.texts[m[3]]:
		return fmt.Errorf("%s in %s has no part %s", m[2], m[1], m[3])
	}
	return nil
}

func TestEveryRuleInvariantAndChaosCaseNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(checklist)
	if err != nil {
		t.Fatal(err)
	}
	all := sources{}
	for section, want := range lists {
		rows, wrong := rowsOf(string(page), section)
		for _, w := range append(wrong, check(rows, want.letter, want.rows, all.exists)...) {
			t.Errorf("%s: %s", section, w)
		}
	}
}

func TestAWrongRowOfTheListsIsNoticed(t *testing.T) {
	t.Parallel()
	const good = "| X1 | a | b | `workers/job.TestNoKindIsAPrefixOfAnother` |\n"
	for name, c := range map[string]struct {
		table string
		want  string // part of the one complaint; empty: none
	}{
		"all is well":            {good, ""},
		"a part of a test":       {"| X1 | a | b | `workers/embedded/chaos.TestChaos/killed_daemon`, `workers/job.FuzzDecode` |\n", ""},
		"not kept":               {"| X1 | a | **Not kept**: c | nothing |\n", ""},
		"nothing":                {"", "X1: want one row, got 0"},
		"twice":                  {good + good, "X1: want one row, got 2"},
		"one too many":           {good + strings.Replace(good, "X1", "X2", 1), "X2: what is this?"},
		"no such test":           {"| X1 | a | b | `workers/job.TestOfNothing` |\n", "no test TestOfNothing"},
		"no such package":        {"| X1 | a | b | `workers/jobs.TestNoKindIsAPrefixOfAnother` |\n", "no package workers/jobs"},
		"no such part":           {"| X1 | a | b | `workers/embedded/chaos.TestChaos/made_daemon` |\n", "no part made_daemon"},
		"of another package":     {"| X1 | a | b | `workers/store.TestNoKindIsAPrefixOfAnother` |\n", "no test"},
		"no package":             {"| X1 | a | b | `workers/job.FuzzDecode`, `TestNoKindIsAPrefixOfAnother` |\n", "1 of 2 names are no package and test"},
		"named twice":            {"| X1 | a | b | `workers/job.FuzzDecode`, `workers/job.FuzzDecode` |\n", "twice"},
		"no test":                {"| X1 | a | b | nothing |\n", "names no test"},
		"nothing said":           {"| X1 | a |  | `workers/job.FuzzDecode` |\n", "says too little"},
		"a cell is missing":      {"| X1 | a | b |\n" + good, "cells, want 4"},
		"a method is no test":    {"| X1 | a | b | `workers/job.TestMethod` |\n", "no test TestMethod"},
		"another section's rows": {"\n## Y\n" + good, "X1: want one row, got 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, wrong := rowsOf("\n## X\n\n| id | a | b | c |\n| --- | --- | --- | --- |\n"+c.table+"\n## Z\n", "X")
			wrong = append(wrong, check(rows, "X", 1, sources{}.exists)...)
			if text := strings.Join(wrong, "\n"); len(wrong) > 1 || (c.want == "") != (text == "") || !strings.Contains(text, c.want) {
				t.Errorf("want %q, got %q", c.want, text)
			}
		})
	}
	if _, wrong := rowsOf("## Other\n", "X"); len(wrong) != 1 {
		t.Errorf("want a missing section noticed, got %q", wrong)
	}
}
