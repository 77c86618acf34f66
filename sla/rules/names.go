package rules

import (
	"maps"
	"slices"
	"strings"

	"watchkeeper/sla"
)

const (
	prefixAll      = "WK_"
	prefixRule     = "WK_SLA__"
	prefixShipment = "WK_SHIPMENT__"
	prefixStore    = "WK_STORE__"
	separator      = "__"
	// storeWord and reasonWord are levels of a scope, so that no platform may be called like one.
	storeWord  = "STORE"
	reasonWord = "REASON"
)

// A scope says where values apply. The zero value is everywhere.
type scope struct {
	platform sla.Platform
	store    sla.StoreID
	reason   *sla.Reason
}

// String names a scope for people.
func (s scope) String() string {
	out := "default"
	switch {
	case s.store != "":
		out = "store " + string(s.store)
	case s.platform != "":
		out = "platform " + string(s.platform)
	}
	if s.reason != nil {
		out += ", reason " + s.reason.String()
	}
	return out
}

// prefix is what the names of a rule's variables begin with in this scope.
func (s scope) prefix() string {
	p := prefixRule
	switch {
	case s.store != "":
		p += storeWord + separator + string(s.store) + separator
	case s.platform != "":
		p += strings.ToUpper(string(s.platform)) + separator
	}
	if s.reason != nil {
		p += reasonWord + separator + strings.ToUpper(s.reason.String()) + separator
	}
	return p
}

// withReasons lists a scope and the scopes of each reason in it.
func (s scope) withReasons() []scope {
	reasons := sla.Reasons()
	out := make([]scope, 1, 1+len(reasons))
	out[0] = s
	for _, r := range reasons {
		out = append(out, scope{s.platform, s.store, &r})
	}
	return out
}

func shipmentPrefix(store sla.StoreID) string {
	if store == "" {
		return prefixShipment
	}
	return prefixShipment + storeWord + separator + string(store) + separator
}

func storePrefix(store sla.StoreID) string { return prefixStore + string(store) + separator }

// A vocabulary is every legal name with its declaration; a connector's own variable and those of other parts of the program are
// declared elsewhere and have none here.
type vocabulary struct {
	declared map[string]*setting
	foreign  []string // beginnings of names that other parts of the program read
}

func (v *vocabulary) add(prefix string, all []setting) {
	for i := range all {
		v.declared[prefix+all[i].about.Name] = &all[i]
	}
}

func (v *vocabulary) legal(name string) (*setting, bool) {
	s, ok := v.declared[name]
	if !ok {
		ok = slices.ContainsFunc(v.foreign, func(begin string) bool { return strings.HasPrefix(name, begin) })
	}
	return s, ok
}

func (v *vocabulary) names() []string { return slices.Sorted(maps.Keys(v.declared)) }

// newVocabulary makes the names that are legal with these platforms and stores. A store whose platform is not known may hold the
// variables of any, so that one mistake is not told as ten.
func newVocabulary(o Options, stores map[sla.StoreID]sla.Platform) *vocabulary {
	v := &vocabulary{declared: map[string]*setting{}}
	for _, name := range o.Also {
		if begin, open := strings.CutSuffix(name, "*"); open {
			v.foreign = append(v.foreign, begin)
		} else {
			v.declared[name] = nil
		}
	}
	var rule sla.Rule
	var parcel sla.ShipmentRule
	var head storeHead
	rules, parcels, heads := ruleSettings(&rule), shipmentSettings(&parcel), settings(bindStore(&head, o.Platforms))
	scopes := []scope{{}}
	for _, p := range o.Platforms {
		scopes = append(scopes, scope{platform: p.Name}.withReasons()...)
	}
	v.add(prefixShipment, parcels)
	for id, name := range stores {
		scopes = append(scopes, scope{store: id}.withReasons()...)
		v.add(shipmentPrefix(id), parcels)
		for _, p := range o.Platforms {
			if _, known := platformOf(o.Platforms, name); p.Name == name || !known {
				for _, n := range p.StoreVariables {
					v.declared[storePrefix(id)+n] = nil
				}
			}
		}
		v.add(storePrefix(id), heads)
	}
	for _, s := range scopes {
		v.add(s.prefix(), rules)
	}
	return v
}

func platformOf(platforms []Platform, name sla.Platform) (Platform, bool) {
	for _, p := range platforms {
		if p.Name == name {
			return p, true
		}
	}
	return Platform{}, false
}

// diagnose says which part of an unknown name is not known. It only words the report; what is legal is the vocabulary's to say.
func diagnose(name string, o Options, stores map[sla.StoreID]sla.Platform) string {
	parts := strings.Split(name, separator)
	if len(parts) < 3 || parts[0]+separator != prefixRule && parts[0]+separator != prefixShipment {
		return "no such variable"
	}
	if parts[1] == storeWord {
		if _, ok := stores[sla.StoreID(parts[2])]; !ok {
			return "store " + printable(parts[2]) + " is not declared: " + prefixStore + "<ID>__PLATFORM declares a store"
		}
		parts = parts[1:]
	} else if _, ok := platformOf(o.Platforms, sla.Platform(strings.ToLower(parts[1]))); !ok && parts[0]+separator == prefixRule {
		return "no platform " + printable(parts[1])
	}
	if len(parts) > 3 && parts[2] == reasonWord && !isReason(parts[3]) {
		return "no reason " + printable(parts[3])
	}
	return "no such variable in this scope"
}

func isReason(word string) bool {
	_, err := sla.ParseReason(strings.ToLower(word))
	return err == nil && word == strings.ToUpper(word)
}
