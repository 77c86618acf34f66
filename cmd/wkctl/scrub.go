package main

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"watchkeeper/sla/rules"
	"watchkeeper/workers/fleet"
)

const hidden = "[redacted]"

// userinfo is what stands between "//" and "@" of an address.
var userinfo = regexp.MustCompile(`//[^/\s@]*@`)

// scrub takes every secret of the environment out of a text that came from elsewhere: the last line of defence behind packages that
// print none.
func (t *tool) scrub(text string) string {
	for _, secret := range secrets(t.environ) {
		text = strings.ReplaceAll(text, secret, hidden)
	}
	return userinfo.ReplaceAllString(text, "//"+hidden+"@")
}

// secrets lists the values of secret variables, the longest first, so that one inside another leaves no rest. The path of a file is none,
// and shorter values than four bytes would blot out innocent text.
func secrets(environ []string) []string {
	var out []string
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		name = strings.ToUpper(name)
		if strings.HasPrefix(name, fleet.Prefix) && rules.IsSecret(name) && !strings.HasSuffix(name, "_FILE") && len(value) >= 4 {
			out = append(out, value)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

// clean makes foreign text fit for a line of a terminal: no control characters, no broken UTF-8, no letters that turn the line around.
func clean(s string) string {
	const most = 200
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}
