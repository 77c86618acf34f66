// Package redact takes secrets out of what is logged: the last line of defence behind packages that log none. It promises that no registered
// value, no value under a key that is named like a secret, and nothing that looks like a token, a password in an address or an e-mail address
// passes its Core, in whatever type of field it comes. It imports nothing of ours.
package redact

import (
	"regexp"
	"slices"
	"strings"
)

// Hidden stands in place of what was taken out.
const Hidden = "[redacted]"

// traceKey names the trace of a line, whose value has the form of a token and is none.
const traceKey = "trace_id"

var traceID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// shortest is the least length of a registered value: shorter ones would blot out innocent text.
const shortest = 4

// A Redactor knows the secrets of one process. It is safe for concurrent use.
type Redactor struct {
	known *strings.Replacer // nil: none
}

// New makes a redactor of the values that must never show.
func New(secrets ...string) *Redactor {
	secrets = slices.DeleteFunc(slices.Clone(secrets), func(s string) bool { return len(s) < shortest })
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) }) // of one inside another nothing is left
	pairs := make([]string, 0, 2*len(secrets))
	for _, s := range secrets {
		pairs = append(pairs, s, Hidden)
	}
	if len(pairs) == 0 {
		return &Redactor{}
	}
	return &Redactor{known: strings.NewReplacer(pairs...)}
}

// registered reports whether a text holds a registered value.
func (r *Redactor) registered(s string) bool { return r.known != nil && r.known.Replace(s) != s }

// keyWords in the name of a field mark its value as a secret or as a person's.
var keyWords = []string{"secret", "token", "password", "passwd", "authorization", "cookie", "apikey", "api_key", "api-key", "signature", "credential",
	"private_key", "email", "e-mail", "phone"}

// secretKey reports whether what stands under a name is not to be shown.
func secretKey(key string) bool {
	key = strings.ToLower(key)
	return slices.ContainsFunc(keyWords, func(word string) bool { return strings.Contains(key, word) })
}

// A pattern finds one form of secret; nothing is searched in a text that lacks the mark.
type pattern struct {
	mark string
	find *regexp.Regexp
	with string
}

var patterns = []pattern{
	{"@", regexp.MustCompile(`//[^/\s@]*@`), "//" + Hidden + "@"},
	{"@", regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+`), Hidden},
	{"-----BEGIN", regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)`), Hidden},
	{" ", regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}`), "$1 " + Hidden},
	{"=", regexp.MustCompile(`(?i)((?:secret|token|password|passwd|api_?-?key|sign(?:ature)?|session|app_key|code)=)[^&\s"',;]+`), "$1" + Hidden},
	{`"`, regexp.MustCompile(`(?i)("[a-z_-]*(?:secret|token|password|passwd|api_?-?key|signature|session|email|phone)[a-z_-]*\\?"\s*:\s*\\?")[^"\\]+`), "$1" + Hidden},
}

// String takes what must not show out of a text.
func (r *Redactor) String(s string) string {
	if s == "" {
		return s
	}
	if r.known != nil {
		s = r.known.Replace(s)
	}
	for _, p := range patterns {
		if strings.Contains(s, p.mark) {
			s = p.find.ReplaceAllString(s, p.with)
		}
	}
	return hideTokens(s)
}

// longest is the length from which a word may be a token.
const longest = 32

// hideTokens takes out long words without meaning: of digits and letters in both cases, or of hexadecimal digits alone. Identities of jobs
// have hyphens and one case, names of functions have no digits, paths have slashes; they stay.
func hideTokens(s string) string {
	if len(s) < longest {
		return s
	}
	var out strings.Builder
	kept, from := 0, -1
	for i := 0; i <= len(s); i++ {
		if i < len(s) && wordByte[s[i]] {
			if from < 0 {
				from = i
			}
			continue
		}
		if from >= 0 && i-from >= longest && looksLikeToken(s[from:i]) {
			out.WriteString(s[kept:from] + Hidden)
			kept = i
		}
		from = -1
	}
	if kept == 0 {
		return s
	}
	out.WriteString(s[kept:])
	return out.String()
}

var wordByte = func() (t [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=.") {
		t[c] = true
	}
	return t
}()

func looksLikeToken(word string) bool {
	var digits, upper, lower, hex int
	for _, c := range []byte(word) {
		switch {
		case c >= '0' && c <= '9':
			digits++
			hex++
		case c >= 'A' && c <= 'Z':
			upper++
			if c <= 'F' {
				hex++
			}
		case c >= 'a' && c <= 'z':
			lower++
			if c <= 'f' {
				hex++
			}
		}
	}
	return digits >= 3 && upper >= 3 && lower >= 3 || hex == len(word) && digits > 0 && upper+lower > 0
}
