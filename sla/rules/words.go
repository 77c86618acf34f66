package rules

import (
	"cmp"
	"strings"

	"golang.org/x/text/language"

	"watchkeeper/sla"
)

// isEnd reports whether a word may be one end of a lane: a country of ISO 3166-1 alpha-2, or any.
func isEnd(word string) bool {
	if word == anyWord {
		return true
	}
	if len(word) != 2 {
		return false
	}
	r, err := language.ParseRegion(word)
	return err == nil && r.IsCountry() && r.String() == word
}

// isCarrier reports whether a word is a carrier's code in its folded form.
func isCarrier(word string) bool {
	var buffer [longestCarrier]byte
	folded, ok := fold(&buffer, word)
	return ok && string(folded) == word && !strings.HasPrefix(word, "_") && !strings.HasSuffix(word, "_")
}

func isCalendarName(word string) bool {
	return sla.StoreID(word).Valid() && word != strings.ToUpper(noneWord)
}

// longestCarrier is more than any provider's code has.
const longestCarrier = 48

// fold writes a carrier's code as the names of variables have it: capital letters and digits, everything else an underscore.
func fold(buffer *[longestCarrier]byte, code string) ([]byte, bool) {
	if code == "" || len(code) > len(buffer) {
		return nil, false
	}
	for i := range len(code) {
		c := code[i]
		switch {
		case c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		case c >= 'A' && c <= 'Z' || isDigit(c):
		default:
			c = '_'
		}
		buffer[i] = c
	}
	return buffer[:len(code)], true
}

// isReserved reports whether a store's id would be read as a level of a scope or as a platform.
func (l *loader) isReserved(id sla.StoreID) bool {
	switch string(id) {
	case storeWord, reasonWord, carrierWord, laneWord, anyWord:
		return true
	}
	_, platform := l.platforms[string(id)]
	return platform
}

// diagnose says which part of an unknown name is not known. It only words the report; what is legal is for parse to say.
func (l *loader) diagnose(name string) string {
	parts := strings.Split(name, separator)
	if parts[0]+separator == prefixCalendar && len(parts) == 3 && !isCalendarName(parts[1]) {
		return "the name of a calendar is capital letters and digits, and not " + strings.ToUpper(noneWord)
	}
	head := parts[0] + separator
	if len(parts) < 3 || head != prefixRule && head != prefixShipment {
		return "no such variable"
	}
	parts = parts[1:]
	if parts[0] == storeWord && len(parts) > 2 {
		if l.stores[sla.StoreID(parts[1])] == nil {
			return "store " + printable(parts[1]) + " is not declared: " + prefixStore + "<ID>__PLATFORM declares a store"
		}
		parts = parts[2:]
	} else if head == prefixRule {
		if _, known := l.platforms[parts[0]]; !known && !isDated(parts) {
			return "no platform " + printable(parts[0])
		}
		parts = parts[1:]
	}
	if head == prefixRule && len(parts) > 2 && parts[0] == reasonWord {
		if _, known := l.reasons[parts[1]]; !known {
			return "no reason " + printable(parts[1])
		}
	}
	if head == prefixShipment {
		if wrong := diagnoseLane(parts); wrong != "" {
			return wrong
		}
	}
	return "no such variable in this scope"
}

// isDated reports whether the parts are a variable of the default scope and when it holds, not a platform and its variable.
func isDated(parts []string) bool {
	_, rest := dated(parts)
	return len(parts) > 1 && len(rest) == 1
}

func diagnoseLane(parts []string) string {
	if len(parts) > 2 && parts[0] == carrierWord {
		if !isCarrier(parts[1]) {
			return "carrier " + printable(parts[1]) + " is not capital letters, digits and single underscores between them"
		}
		parts = parts[2:]
	}
	if len(parts) < 3 || parts[0] != laneWord {
		return ""
	}
	origin, dest, two := strings.Cut(parts[1], "_")
	if !two || !isEnd(origin) || !isEnd(dest) {
		return "lane " + printable(parts[1]) + " is not two countries of ISO 3166-1, such as CN_BR, or " + anyWord + " for one of them"
	}
	if origin == anyWord && dest == anyWord {
		return "lane " + anyWord + "_" + anyWord + " is every lane: leave the level out"
	}
	return ""
}

// suggest finds the declared name that was probably meant. What is right of the scope and of the date is kept.
func (l *loader) suggest(name string) string {
	if a, ok := l.parse(name); ok {
		var own []string
		for _, s := range l.declaredIn(a.scope) {
			own = append(own, a.scope.prefix()+s)
		}
		plain := a.scope.prefix() + a.variable
		if near := cmp.Or(ending(a.variable, own), Nearest(plain, own)); near != "" {
			return near + name[len(plain):]
		}
	}
	if cut := strings.LastIndex(name, separator); cut > 0 {
		if a, ok := l.parse(name[:cut]); ok && l.takesDates(a) {
			if word := Nearest(name[cut+len(separator):], []string{fromWord, untilWord, seasonWord}); word != "" {
				return name[:cut+len(separator)] + word
			}
		}
	}
	upper := strings.ToUpper(name)
	return cmp.Or(Nearest(upper, l.names()), ending(strings.TrimPrefix(upper, prefixAll), l.names()))
}

// ending finds the one candidate that ends in these words of its name: WINDOW is short for RESPONSE_WINDOW. Of several none was meant more than
// the others.
func ending(words string, candidates []string) string {
	found := ""
	for _, c := range candidates {
		if !strings.HasSuffix(c, "_"+words) {
			continue
		}
		if found != "" {
			return ""
		}
		found = c
	}
	return found
}

// takesDates reports whether a variable, if there is one of that name, may hold for a time only.
func (l *loader) takesDates(a address) bool {
	switch a.scope.noun {
	case NounCalendar:
		return false
	case NounStore:
		s, _, legal := l.declared(a)
		return legal && s != nil && !s.fixed
	}
	return true
}

// declaredIn lists the variables of a scope, without it.
func (l *loader) declaredIn(s scope) []string {
	var out []string
	add := func(all []setting) {
		for _, v := range all {
			if (!v.alone || s == (scope{})) && (!v.fixed || s.store != "") {
				out = append(out, v.about.Name)
			}
		}
	}
	switch s.noun {
	case NounStore:
		add(l.heads.settings)
		for _, p := range l.options.Platforms {
			if s.store != "" && l.reads(s.store, p) {
				out = append(out, p.StoreVariables...)
			}
		}
	case NounCalendar:
		add(l.texts.settings)
	case NounShipment:
		add(l.parcels.settings)
	default:
		add(l.rules.settings)
	}
	return out
}

// names lists what could have been meant: every variable of every scope that exists without being named. It is made once, for the first
// name that is not known.
func (l *loader) names() []string {
	if l.known != nil {
		return l.known
	}
	scopes := []scope{{}, {noun: NounShipment}}
	for _, p := range l.options.Platforms {
		scopes = append(scopes, scope{platform: p.Name}.withReasons()...)
		scopes = append(scopes, scope{noun: NounStore, platform: p.Name})
	}
	for _, id := range l.storeIDs() {
		scopes = append(scopes, scope{store: id}.withReasons()...)
		scopes = append(scopes, scope{noun: NounShipment, store: id}, scope{noun: NounStore, store: id})
	}
	for _, name := range l.calendarNames() {
		scopes = append(scopes, scope{noun: NounCalendar, calendar: name})
	}
	for _, name := range l.options.Also {
		if !strings.HasSuffix(name, "*") {
			l.known = append(l.known, name)
		}
	}
	for _, s := range scopes {
		prefix := s.prefix()
		for _, v := range l.declaredIn(s) {
			l.known = append(l.known, prefix+v)
		}
	}
	return l.known
}
