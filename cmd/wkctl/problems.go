package main

import (
	"regexp"
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
	for _, m := range fleet.Mistakes(err) {
		if m.Problem == nil {
			out = append(out, named(m.Text))
			continue
		}
		p := m.Problem
		out = append(out, problemView{
			Variable: words(p.Variable), Value: words(p.Value), Detail: p.Detail, Expected: words(p.Expected), Example: words(p.Example),
			Suggestion: words(p.Suggestion),
		})
	}
	return out
}

// storeProblems takes an error of building connectors apart. Where a mistake is one variable's, its name says the store.
func storeProblems(book *rules.Book, err error) []problemView {
	var out []problemView
	for _, m := range fleet.Mistakes(err) {
		text := m.Text
		for _, s := range book.Stores() {
			if rest, ours := strings.CutPrefix(text, "store "+string(s.ID)+": "); ours {
				text = rest
			}
		}
		out = append(out, named(text))
	}
	return out
}

// variableName is a word that may be a variable's name.
var variableName = regexp.MustCompile(`\b[A-Z][A-Z0-9_]*\b`)

// named splits "NAME: what is wrong".
func named(text string) problemView {
	name, detail, ok := strings.Cut(text, ": ")
	if ok && strings.HasPrefix(name, "WK_") && !strings.Contains(name, " ") {
		return problemView{Variable: words(name), Detail: detail}
	}
	return problemView{Detail: text}
}

// bare is an environment without its rules and without the variables of problems.
func bare(environ []string, problems []problemView) []string {
	return fleet.Bare(environ, variablesOf(problems))
}

func variablesOf(problems []problemView) []string {
	out := make([]string, len(problems))
	for i, p := range problems {
		out[i] = string(p.Variable)
	}
	return out
}
