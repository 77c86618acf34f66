package sla

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxEventText is how much of a carrier's text is read: the statement comes first, and the work must stay bounded.
const maxEventText = 400

// MilestoneFromText says what a carrier's event text states about a parcel, in English, Chinese and the commonest phrases of some
// other languages. False means that nothing is sure: the text names no state, hedges it, or honest readers would disagree. A wrong
// "delivered" or "returned" costs money and a missed one only a look, so a text in doubt stays unsure.
//
// The rules are tried in the order of the table and the first that fits decides: silences, then the way back, the ends, customs,
// failed deliveries, delivery, and last plain movement. A special statement therefore always comes before the general one that
// it contains ("delivered to sender" before "delivered").
func MilestoneFromText(text string) (Milestone, bool) {
	t := foldText(text)
	if t.words == "  " {
		return MilestoneUnknown, false
	}
	for _, r := range compiledTextRules() {
		if r.when.in(t) && !r.unless.in(t) {
			return r.milestone, r.milestone != MilestoneUnknown
		}
	}
	return MilestoneUnknown, false
}

// A textRule says which milestone a text states when any of the phrases is in it and none of the exceptions. Phrases are separated
// by "|"; the parts of one phrase, joined by "&", may stand anywhere and in any order. A part is whole words, or the beginning of one
// when it ends in "*"; in scripts without blanks it is any substring. Case, accents and punctuation do not count. MilestoneUnknown
// makes a silence: the text is understood, and nothing is sure.
type textRule struct {
	milestone    Milestone
	when, unless string
}

type compiledTextRule struct {
	milestone    Milestone
	when, unless phrases
}

// phrases are alternatives of parts that must all occur.
type phrases [][]textPart

type textPart struct {
	s      string
	script textScript
	probe  uint32 // where the bit of its first three bytes is in foldedText.seen
}

// textScript is a set of writing systems; a phrase is only searched for in a text that has its script.
type textScript uint8

const (
	scriptAlphabetic textScript = 1 << iota // with blanks between words
	scriptCyrillic
	scriptIdeographic // without blanks
)

// foldedText is a text made comparable: lower case, no accents, one blank for everything that is no letter or digit, and one at
// either end.
type foldedText struct {
	words   string
	scripts textScript
	seen    [32]uint64 // a bit for each three bytes that occur: nearly every part is ruled out by one look at it
}

// probe says which bit stands for the first three bytes of s; a shorter part has bit 0, which every text has.
func probe(s string) uint32 {
	if len(s) < 3 {
		return 0
	}
	h := (uint32(s[0])<<16 | uint32(s[1])<<8 | uint32(s[2])) * 0x9e3779b1
	return h >> 21
}

func (t *foldedText) has(p textPart) bool {
	return t.scripts&p.script != 0 && t.seen[p.probe/64]&(1<<(p.probe%64)) != 0 && strings.Contains(t.words, p.s)
}

func foldText(s string) *foldedText {
	if len(s) > maxEventText {
		cut := maxEventText
		for cut > maxEventText-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte(' ')
	out, blank := &foldedText{}, true
	for _, r := range norm.NFKD.String(strings.ToValidUTF8(s, " ")) {
		switch {
		case r >= utf8.RuneSelf && unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(unicode.ToLower(r))
			out.scripts |= scriptOf(r)
			blank = false
		case !blank:
			b.WriteByte(' ')
			blank = true
		}
	}
	if !blank || b.Len() == 1 {
		b.WriteByte(' ')
	}
	out.words = b.String()
	out.seen[0] = 1
	for i := range len(out.words) - 2 {
		bit := probe(out.words[i:])
		out.seen[bit/64] |= 1 << (bit % 64)
	}
	return out
}

func scriptOf(r rune) textScript {
	switch {
	case r < 0x400:
		return scriptAlphabetic
	case unicode.Is(unicode.Cyrillic, r):
		return scriptCyrillic
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
		return scriptIdeographic
	}
	return scriptAlphabetic
}

func (p phrases) in(t *foldedText) bool {
	for _, parts := range p {
		if allIn(parts, t) {
			return true
		}
	}
	return false
}

func allIn(parts []textPart, t *foldedText) bool {
	for _, part := range parts {
		if !t.has(part) {
			return false
		}
	}
	return true
}

// compiledTextRules folds the table once, with the same function as the texts.
var compiledTextRules = sync.OnceValue(func() []compiledTextRule {
	out := make([]compiledTextRule, 0, len(textRules))
	for _, r := range textRules {
		out = append(out, compiledTextRule{milestone: r.milestone, when: compilePhrases(r.when), unless: compilePhrases(r.unless)})
	}
	return out
})

func compilePhrases(list string) phrases {
	var out phrases
	for alternative := range strings.SplitSeq(list, "|") {
		var parts []textPart
		for part := range strings.SplitSeq(alternative, "&") {
			if p, ok := compilePart(part); ok {
				parts = append(parts, p)
			}
		}
		if len(parts) > 0 {
			out = append(out, parts)
		}
	}
	return out
}

func compilePart(part string) (textPart, bool) {
	part = strings.TrimSpace(part)
	stem, prefix := strings.CutSuffix(part, "*")
	t := foldText(stem)
	s := strings.TrimSpace(t.words)
	switch {
	case s == "":
		return textPart{}, false
	case t.scripts == scriptIdeographic:
	case prefix:
		s = " " + s
	default:
		s = " " + s + " "
	}
	return textPart{s: s, script: t.scripts, probe: probe(s)}, true
}
