package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Problem is one mistake in the environment, told so that it can be mended without reading code.
type Problem struct {
	Variable   string // the variable to change
	Value      string // what it holds, quoted; "[redacted]" for secrets and for names we do not know, empty when it is not set
	Detail     string // what is wrong
	Expected   string // what would be accepted
	Example    string // an accepted value
	Suggestion string // the declared name that was probably meant
}

// String is one line.
func (p Problem) String() string {
	var out strings.Builder
	out.WriteString(p.Variable)
	if p.Value != "" && p.Value != redacted {
		out.WriteString("=" + p.Value)
	}
	out.WriteString(": " + p.Detail)
	for _, part := range []struct{ lead, text, tail string }{
		{"; want ", p.Expected, ""}, {", for example ", p.Example, ""}, {"; did you mean ", p.Suggestion, "?"},
	} {
		if part.text != "" {
			out.WriteString(part.lead + part.text + part.tail)
		}
	}
	return out.String()
}

// A Report is every problem that was found, in the order of their variables.
type Report struct {
	Problems []Problem
}

// Error lists the problems, one a line.
func (r *Report) Error() string {
	var out strings.Builder
	fmt.Fprintf(&out, "environment: %d problem(s)", len(r.Problems))
	for _, p := range r.Problems {
		out.WriteString("\n  " + p.String())
	}
	return out.String()
}

const redacted = "[redacted]"

// secretWords in a name mark its value as a secret. The address of a chat's or a pager's hook is one: it takes whatever is posted there.
var secretWords = []string{"SECRET", "TOKEN", "KEY", "PASSWORD", "CHAT_URL", "PAGE_URL"}

// ruleNouns begin the names of variables that hold no secret, whatever a store or a calendar in them is called.
var ruleNouns = []string{prefixRule, prefixShipment, prefixCalendar}

// IsSecret reports whether the value of a variable of this name must not be shown. The id of a store says nothing of that.
func IsSecret(name string) bool {
	begins := func(noun string) bool { return strings.HasPrefix(name, noun) }
	if slices.ContainsFunc(ruleNouns, begins) {
		return false
	}
	if rest, of := strings.CutPrefix(name, prefixStore); of {
		if _, variable, level := strings.Cut(rest, separator); level {
			name = variable // all that follows the id: a level too many makes no secret public
		}
	}
	return slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(name, word) })
}

// shown is a value as a report may print it: quoted, so that invisible characters are seen, and short.
func shown(name, value string) string {
	if IsSecret(name) {
		return redacted
	}
	return quoted(value)
}

func quoted(s string) string {
	const most = 60
	if len(s) > most {
		return strconv.QuoteToASCII(s[:most]) + "…"
	}
	return strconv.QuoteToASCII(s)
}

// printable is a variable's name as a report may print it: names are foreign text, too.
func printable(name string) string {
	q := quoted(name)
	if q == `"`+name+`"` {
		return name
	}
	return q
}
