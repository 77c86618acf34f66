package rules

import (
	"cmp"
	"strings"

	"watchkeeper/sla"
)

const (
	prefixAll      = "WK_"
	prefixRule     = "WK_SLA__"
	prefixShipment = "WK_SHIPMENT__"
	prefixStore    = "WK_STORE__"
	prefixCalendar = "WK_CALENDAR__"
	separator      = "__"
	// The levels of a scope, so that no platform or store may be called like one.
	storeWord   = "STORE"
	reasonWord  = "REASON"
	carrierWord = "CARRIER"
	laneWord    = "LANE"
	anyWord     = "ANY"
	// The ends of a name that says when another variable holds.
	fromWord  = "FROM"
	untilWord = "UNTIL"
	// seasonWord ends the name of a value that holds at its dates only, beside the one that holds otherwise.
	seasonWord = "SEASON"
)

// A scope says where values apply. The zero value is everywhere, for rules of disputes.
type scope struct {
	noun     string // NounRule when empty
	platform sla.Platform
	store    sla.StoreID
	reasoned bool
	reason   sla.Reason
	carrier  string // folded
	origin   string // of a lane, empty for any
	dest     string
	calendar string
}

// String names a scope for people.
func (s scope) String() string {
	out := "default"
	switch {
	case s.noun == NounCalendar:
		out = "calendar " + s.calendar
	case s.store != "":
		out = "store " + string(s.store)
	case s.platform != "":
		out = "platform " + string(s.platform)
	}
	if s.reasoned {
		out += ", reason " + s.reason.String()
	}
	if s.carrier != "" {
		out += ", carrier " + s.carrier
	}
	if s.hasLane() {
		out += ", lane " + s.lane()
	}
	return out
}

func (s scope) hasLane() bool { return s.origin != "" || s.dest != "" }

func (s scope) lane() string {
	end := func(country string) string {
		if country == "" {
			return anyWord
		}
		return country
	}
	return end(s.origin) + "_" + end(s.dest)
}

// prefix is what the names of the variables of this scope begin with.
func (s scope) prefix() string {
	var out strings.Builder
	level := func(words ...string) {
		for _, w := range words {
			out.WriteString(w + separator)
		}
	}
	switch s.noun {
	case NounStore:
		return prefixStore + cmp.Or(string(s.store), strings.ToUpper(string(s.platform))) + separator
	case NounCalendar:
		return prefixCalendar + s.calendar + separator
	case NounShipment:
		out.WriteString(prefixShipment)
	default:
		out.WriteString(prefixRule)
	}
	switch {
	case s.store != "":
		level(storeWord, string(s.store))
	case s.platform != "":
		level(strings.ToUpper(string(s.platform)))
	}
	if s.reasoned {
		level(reasonWord, strings.ToUpper(s.reason.String()))
	}
	if s.carrier != "" {
		level(carrierWord, s.carrier)
	}
	if s.hasLane() {
		level(laneWord, s.lane())
	}
	return out.String()
}

// withReasons lists a scope and the scopes of each reason in it.
func (s scope) withReasons() []scope {
	reasons := sla.Reasons()
	out := make([]scope, 1, 1+len(reasons))
	out[0] = s
	for _, r := range reasons {
		s.reasoned, s.reason = true, r
		out = append(out, s)
	}
	return out
}

func storePrefix(store sla.StoreID) string { return prefixStore + string(store) + separator }

// An address is the name of a variable, taken apart.
type address struct {
	scope    scope
	variable string
	season   bool   // it is the value at the variable's dates, and not the one that holds otherwise
	dating   string // fromWord or untilWord when it says when the variable holds
}

// undated is the full name of the variable itself.
func (a address) undated() string {
	name := a.scope.prefix() + a.variable
	if a.season {
		name += separator + seasonWord
	}
	return name
}

// dated takes what concerns dates off the end of a name's parts.
func dated(rest []string) (a address, _ []string) {
	if end := rest[len(rest)-1]; len(rest) > 1 && (end == fromWord || end == untilWord) {
		a.dating, rest = end, rest[:len(rest)-1]
	}
	if len(rest) > 1 && rest[len(rest)-1] == seasonWord {
		a.season, rest = true, rest[:len(rest)-1]
	}
	return a, rest
}

// parse takes a name apart. The scope exists when it is legal; whether the variable does is for the declarations to say.
func (l *loader) parse(name string) (address, bool) {
	parts := strings.Split(name, separator)
	if len(parts) < 2 {
		return address{}, false
	}
	a, rest := dated(parts[1:])
	switch parts[0] + separator {
	case prefixStore:
		a.scope.noun = NounStore
	case prefixCalendar:
		if len(parts) != 3 || !isCalendarName(parts[1]) {
			return a, false
		}
		return address{scope: scope{noun: NounCalendar, calendar: parts[1]}, variable: parts[2]}, true
	case prefixRule:
	case prefixShipment:
		a.scope.noun = NounShipment
	default:
		return a, false
	}
	rest, ok := l.parseScope(&a.scope, rest)
	if !ok || len(rest) != 1 {
		return a, false
	}
	a.variable = rest[0]
	return a, true
}

// parseScope takes the levels of a scope off the front of a name's parts; what is left is the variable.
func (l *loader) parseScope(s *scope, rest []string) ([]string, bool) {
	take := func(word string) (string, bool) {
		if len(rest) < 3 || rest[0] != word {
			return "", false
		}
		value := rest[1]
		rest = rest[2:]
		return value, true
	}
	if s.noun == NounStore {
		return l.parseOwner(s, rest)
	}
	if id, is := take(storeWord); is {
		s.store = sla.StoreID(id)
		if l.stores[s.store] == nil {
			return rest, false
		}
	} else if len(rest) > 1 && s.noun == "" {
		p, known := l.platforms[rest[0]]
		if !known {
			return rest, false
		}
		s.platform, rest = p, rest[1:]
	}
	if s.noun == "" {
		word, is := take(reasonWord)
		if !is {
			return rest, true
		}
		s.reason, s.reasoned = l.reasons[word]
		return rest, s.reasoned
	}
	if code, is := take(carrierWord); is {
		s.carrier = code
		if !isCarrier(code) {
			return rest, false
		}
	}
	if lane, is := take(laneWord); is {
		origin, dest, two := strings.Cut(lane, "_")
		if !two || !isEnd(origin) || !isEnd(dest) || origin == anyWord && dest == anyWord {
			return rest, false
		}
		s.origin, s.dest = country(origin), country(dest)
	}
	return rest, true
}

// parseOwner takes the store off the front, or the platform that speaks for all of its stores. No store is called like a platform.
func (l *loader) parseOwner(s *scope, rest []string) ([]string, bool) {
	if len(rest) < 2 {
		return rest, false
	}
	if id := sla.StoreID(rest[0]); l.stores[id] != nil {
		s.store = id
		return rest[1:], true
	}
	p, known := l.platforms[rest[0]]
	s.platform = p
	return rest[1:], known
}

func country(end string) string {
	if end == anyWord {
		return ""
	}
	return end
}
