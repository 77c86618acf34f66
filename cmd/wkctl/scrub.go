package main

import (
	"strings"
	"unicode"

	"watchkeeper/workers/fleet"
)

// scrub takes every secret of the environment out of a text that came from elsewhere: the last line of defence behind packages that
// print none.
func (t *tool) scrub(text string) string { return fleet.Redactor(t.environ).String(text) }

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
