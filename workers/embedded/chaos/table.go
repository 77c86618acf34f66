package chaos

import (
	"fmt"
	"strings"
	"time"
)

// The table stands between these two lines of deploy/FAILURES.md.
const (
	TableBegin = "<!-- chaos table: begin, made by make chaos-table -->"
	TableEnd   = "<!-- chaos table: end -->"
)

// A Measured is what one scenario took when it was last measured.
type Measured struct {
	// Recovery is how many seconds passed from the beginning of the fault until no answer waited any more.
	Recovery float64 `json:"recovery_seconds"`
	Answers  int     `json:"answers"`
}

// Table renders the rows of scenarios. One that has not passed on record says so: its promise is not shown.
func Table(scenarios []Scenario, measured map[string]Measured) string {
	var b strings.Builder
	b.WriteString("| fault | what the user sees | recovered after | at most | test |\n| --- | --- | --- | --- | --- |\n")
	for _, s := range scenarios {
		took := "not passed yet"
		if m, ok := measured[s.Name]; ok {
			took = time.Duration(m.Recovery * float64(time.Second)).Round(time.Second).String()
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | `TestChaos/%s` |\n", s.Fault, s.Sees, took, s.Within, strings.ReplaceAll(s.Name, " ", "_"))
	}
	return b.String()
}

// Insert puts a table between the two marks of a page.
func Insert(page, table string) (string, error) {
	before, rest, ok := strings.Cut(page, TableBegin)
	_, after, ok2 := strings.Cut(rest, TableEnd)
	if !ok || !ok2 {
		return "", fmt.Errorf("no table between %q and %q", TableBegin, TableEnd)
	}
	return before + TableBegin + "\n\n" + table + "\n" + TableEnd + after, nil
}
