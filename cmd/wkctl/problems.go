package main

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"watchkeeper/sla/rules"
	"watchkeeper/workers/fleet"
)

// A problemView is one mistake in the configuration.
type problemView struct {
	Variable   words  `json:"variable"` // null when the mistake is not one variable's
	Value      words  `json:"value"`    // quoted; never of a secret
	Detail     string `json:"detail"`
	Expected   words  `json:"expected"`
	Example    words  `json:"example"`
	Suggestion words  `json:"suggestion"`
}

func (p problemView) text() string {
	if p.Variable == "" {
		return p.Detail
	}
	return rules.Problem{
		Variable: string(p.Variable), Value: string(p.Value), Detail: p.Detail, Expected: string(p.Expected), Example: string(p.Example),
		Suggestion: string(p.Suggestion),
	}.String()
}

// problemsOf takes an error of loading apart into its mistakes.
func problemsOf(err error) []problemView {
	out := []problemView{}
	for _, leaf := range leaves("", err) {
		var report *rules.Report
		if !errors.As(leaf.err, &report) {
			out = append(out, named(leaf.text))
			continue
		}
		for _, p := range report.Problems {
			out = append(out, problemView{
				Variable: words(p.Variable), Value: words(p.Value), Detail: p.Detail, Expected: words(p.Expected), Example: words(p.Example),
				Suggestion: words(p.Suggestion),
			})
		}
	}
	return out
}

// storeProblems takes an error of building connectors apart. A connector knows its variables without the store's prefix; here they get it.
func (t *tool) storeProblems(book *rules.Book, err error) []problemView {
	var out []problemView
	for _, leaf := range leaves("", err) {
		text := leaf.text
		for _, s := range book.Stores() {
			lead := "store " + string(s.ID) + ": "
			rest, ours := strings.CutPrefix(text, lead)
			if p, err := t.registry.Get(s.Platform); ours && err == nil {
				rest = strings.TrimPrefix(rest, lead) // the fleet and some connectors both say the store
				text = inFull(rest, "WK_STORE__"+string(s.ID)+"__", p.Variables)
			}
		}
		out = append(out, named(text))
	}
	return out
}

// variableName is a word that may be a variable's name.
var variableName = regexp.MustCompile(`\b[A-Z][A-Z0-9_]*\b`)

// inFull writes the prefix before each of the given names in a text.
func inFull(text, prefix string, names []string) string {
	return variableName.ReplaceAllStringFunc(text, func(word string) string {
		if slices.Contains(names, word) {
			return prefix + word
		}
		return word
	})
}

// named splits "NAME: what is wrong".
func named(text string) problemView {
	name, detail, ok := strings.Cut(text, ": ")
	if ok && strings.HasPrefix(name, "WK_") && !strings.Contains(name, " ") {
		return problemView{Variable: words(name), Detail: detail}
	}
	return problemView{Detail: text}
}

// without takes the variables of problems out of an environment, so that the rest can be looked at. A store without a platform goes as a
// whole: its variables cannot be judged.
func without(environ []string, problems []problemView) []string {
	var out []string
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if !slices.ContainsFunc(problems, func(p problemView) bool {
			store, whole := strings.CutSuffix(string(p.Variable), "PLATFORM")
			return name == string(p.Variable) || whole && strings.HasPrefix(name, store)
		}) {
			out = append(out, entry)
		}
	}
	return out
}

// bare is an environment without its rules and without the variables of problems: what is left may be looked at whatever the rules say.
func bare(environ []string, problems []problemView) []string {
	return slices.DeleteFunc(without(environ, problems), func(entry string) bool {
		return slices.ContainsFunc(fleet.RuleNouns, func(noun string) bool { return strings.HasPrefix(strings.ToUpper(entry), noun) })
	})
}

// A leaf is one of several errors that were joined, with the words of those around it.
type leaf struct {
	text string
	err  error
}

// leaves finds the single mistakes in an error. An error that joins others tells each on a line of its own; one that wraps a joined one
// lends its words to each of them.
func leaves(lead string, err error) []leaf {
	if err == nil {
		return nil
	}
	var report *rules.Report
	if !errors.As(err, &report) && !strings.Contains(err.Error(), "\n") {
		return []leaf{{lead + err.Error(), err}}
	}
	switch e := err.(type) { //nolint:errorlint // the errors are taken apart one layer at a time
	case *rules.Report:
		return []leaf{{lead + e.Error(), e}}
	case interface{ Unwrap() []error }:
		var out []leaf
		for _, inner := range e.Unwrap() {
			out = append(out, leaves(lead, inner)...)
		}
		return out
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return leaves(lead+strings.TrimSuffix(err.Error(), inner.Error()), inner)
		}
	}
	return []leaf{{lead + err.Error(), err}}
}
