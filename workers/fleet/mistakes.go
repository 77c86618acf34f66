package fleet

import (
	"errors"
	"strings"

	"watchkeeper/sla/rules"
)

// A Mistake is one of those that an error of Load, Check or CheckStores tells of.
type Mistake struct {
	Text    string
	Problem *rules.Problem // of the rulebook; nil of the machinery and of connectors
}

// Mistakes takes such an error apart. An error that joins others tells each on a line of its own; one that wraps a joined one lends its words to
// each of them.
func Mistakes(err error) []Mistake { return mistakes("", err) }

func mistakes(lead string, err error) []Mistake {
	if err == nil {
		return nil
	}
	var report *rules.Report
	if !errors.As(err, &report) && !strings.Contains(err.Error(), "\n") {
		return []Mistake{{Text: lead + err.Error()}}
	}
	var out []Mistake
	switch e := err.(type) { //nolint:errorlint // the errors are taken apart one layer at a time
	case *rules.Report:
		for _, p := range e.Problems {
			out = append(out, Mistake{Text: p.String(), Problem: &p})
		}
		return out
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			out = append(out, mistakes(lead, inner)...)
		}
		return out
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return mistakes(lead+strings.TrimSuffix(err.Error(), inner.Error()), inner)
		}
	}
	return []Mistake{{Text: lead + err.Error()}}
}
