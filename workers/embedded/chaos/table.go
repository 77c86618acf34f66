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

// Table renders the rows of scenarios; each must have been measured.
func Table(scenarios []Scenario, measured map[string]Measured) (string, error) {
	var b strings.Builder
	b.WriteString("| fault | what the user sees | recovered after | at most | test |\n| --- | --- | --- | --- | --- |\n")
	for _, s := range scenarios {
		m, ok := measured[s.Name]
		if !ok {
			return "", fmt.Errorf("scenario %q was never measured", s.Name)
		}
		took := time.Duration(m.Recovery * float64(time.Second)).Round(time.Second)
		fmt.Fprintf(&b, "| %s | %s | %s | %s | `TestChaos/%s` |\n", s.Fault, s.Sees, took, s.Within, strings.ReplaceAll(s.Name, " ", "_"))
	}
	return b.String(), nil
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
