package rules

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/sethvargo/go-envconfig"

	"watchkeeper/sla"
)

// A Variable describes one declared variable.
type Variable struct {
	Name     string // without its scope: "ACT_BEFORE"
	Scopes   []string
	Type     string // what a value looks like, in a few words
	Unit     string
	Bounds   string // empty when there are none
	Default  string // empty when there is none
	Sentence string // what it does
	Example  string
}

// originMark separates the name of the variable from its value on their way through go-envconfig, which hands a decoder the value
// only. No accepted value holds a NUL.
const originMark = "\x00"

// A setting is one field of a struct that go-envconfig fills: a declaration bound to the place where its value goes.
type setting struct {
	about Variable
	set   func(text, from string) error
	show  func() string
	from  *string
}

// EnvDecode takes a value with its origin, as the loader's lookuper gives it.
func (s setting) EnvDecode(v string) error {
	from, text, _ := strings.Cut(v, originMark)
	return s.set(text, from)
}

// A kind is a type of value: how it reads, is bounded and prints.
type kind[T any] struct {
	name, unit, bounds string
	parse              func(string) (T, error)
	check              func(T) error
	format             func(T) string
}

// bind declares a variable whose value goes to dst; what dst holds is the default.
func bind[T any](dst *sla.Sourced[T], k kind[T], example, sentence string) setting {
	return setting{
		about: Variable{
			Type: k.name, Unit: k.unit, Bounds: k.bounds, Default: k.format(dst.Value), Sentence: sentence, Example: example,
		},
		set: func(text, from string) error {
			v, err := k.parse(text)
			if err != nil {
				return err
			}
			if err := k.check(v); err != nil {
				return err
			}
			*dst = sla.By(from, v)
			return nil
		},
		show: func() string { return k.format(dst.Value) },
		from: &dst.From,
	}
}

func within[T int | time.Duration](least, most T, format func(T) string) (string, func(T) error) {
	bounds := format(least) + " to " + format(most)
	return bounds, func(v T) error {
		if v < least || v > most {
			return fmt.Errorf("outside %s", bounds)
		}
		return nil
	}
}

func duration(least, most time.Duration) kind[time.Duration] {
	bounds, check := within(least, most, FormatDuration)
	return kind[time.Duration]{"duration", "m, h, d, w", bounds, ParseDuration, check, FormatDuration}
}

func wholeDays(most time.Duration) kind[time.Duration] {
	bounds, check := within(0, most, FormatDuration)
	return kind[time.Duration]{"whole days", "d, w", bounds, parseDays, check, FormatDuration}
}

func points(least, most time.Duration) kind[[]time.Duration] {
	bounds, check := within(least, most, FormatDuration)
	return kind[[]time.Duration]{
		"list of durations", "m, h, d, w", fmt.Sprintf("each %s, at most %d", bounds, maxWarnPoints), parsePoints,
		func(ds []time.Duration) error {
			for _, d := range ds {
				if err := check(d); err != nil {
					return err
				}
			}
			return nil
		}, formatPoints,
	}
}

func share(least, most int) kind[int] {
	bounds, check := within(least, most, formatShare)
	return kind[int]{"percentage", "%", bounds, parseShare, check, formatShare}
}

func moneyCap() kind[sla.Money] {
	return kind[sla.Money]{
		"amount and currency", "major units of an ISO 4217 currency", "not negative",
		parseCap, func(sla.Money) error { return nil }, formatCap,
	}
}

func oneOf[T fmt.Stringer](name, bounds string, parse func(string) (T, error)) kind[T] {
	return kind[T]{
		name, "", bounds, func(s string) (T, error) {
			v, err := parse(strings.TrimSpace(s))
			if err != nil {
				err = errChoice // the report names the choices and the value
			}
			return v, err
		}, func(T) error { return nil }, T.String,
	}
}

// ruleVars are the variables of a rule scope.
type ruleVars struct {
	Window     setting `env:"RESPONSE_WINDOW"`
	Warn       setting `env:"WARN"`
	ActBefore  setting `env:"ACT_BEFORE"`
	Guard      setting `env:"GUARD"`
	Mode       setting `env:"MODE"`
	Settle     setting `env:"SETTLE"`
	Recheck    setting `env:"RECHECK"`
	OfferShare setting `env:"OFFER_SHARE"`
	AcceptCap  setting `env:"ACCEPT_CAP"`
	Extend     setting `env:"EXTEND"`
}

func bindRule(r *sla.Rule) *ruleVars {
	const longest = 180 * day
	return &ruleVars{
		Window: bind(&r.Window, duration(time.Hour, longest), "5d",
			"How long the platform waits for an answer, counted from the start of the turn; the platform's own deadline wins when it is earlier."),
		Warn: bind(&r.Warn, points(time.Minute, longest), "24h,6h",
			"How long before the deadline people are warned."),
		ActBefore: bind(&r.ActBefore, duration(time.Minute, longest), "36h",
			"The answer is sent when this much time is left."),
		Guard: bind(&r.Guard, duration(time.Minute, 30*day), "2h",
			"With less time left than this nothing is sent any more, and a person is paged."),
		Mode: bind(&r.Mode, oneOf("mode", "shadow, hold or live", sla.ParseMode), "hold",
			"How far the fleet goes by itself: shadow records only, hold waits for a person's yes, live answers."),
		// Less than a minute is no window at all: slow replies and stale reads of platforms take that long.
		Settle: bind(&r.Settle, duration(time.Minute, day), "10m",
			"How long after a send its effect may still appear on the platform."),
		Recheck: bind(&r.Recheck, duration(time.Minute, week), "6h",
			"How often an open dispute that waits for somebody else is looked at."),
		OfferShare: bind(&r.OfferShare, share(1, wholeShare), "30%",
			"Which part of the amount claimed a first offer is."),
		AcceptCap: bind(&r.AcceptCap, moneyCap(), "25USD",
			"The most that is accepted without a person; claims in another currency go to a person."),
		Extend: bind(&r.Extend, wholeDays(120*day), "10d",
			"By how much the buyer's protection is lengthened while the parcel moves; 0d never."),
	}
}

// shipmentVars are the variables of a shipment scope.
type shipmentVars struct {
	NoScan      setting `env:"NO_SCAN"`
	StallOrigin setting `env:"STALL_ORIGIN"`
	Stall       setting `env:"STALL"`
	Customs     setting `env:"CUSTOMS"`
	Pickup      setting `env:"PICKUP"`
	Recheck     setting `env:"RECHECK"`
}

func bindShipment(r *sla.ShipmentRule) *shipmentVars {
	silence := duration(time.Hour, 120*day)
	return &shipmentVars{
		NoScan:      bind(&r.NoScan, silence, "5d", "A parcel announced this long ago without any scan is an anomaly."),
		StallOrigin: bind(&r.StallOrigin, silence, "14d", "No scan for this long while still in the sender's country is an anomaly."),
		Stall:       bind(&r.Stall, silence, "12d", "No scan for this long after leaving the sender's country is an anomaly."),
		Customs:     bind(&r.Customs, silence, "7d", "In clearance without a scan for this long is an anomaly."),
		Pickup:      bind(&r.Pickup, silence, "3d", "Waiting for the buyer to fetch it for this long is an anomaly."),
		Recheck: bind(&r.Recheck, duration(time.Minute, week), "12h",
			"How often a parcel is looked at when its provider says nothing new."),
	}
}

// storeVars are the variables of a store that are not its connector's.
type storeVars struct {
	Platform setting `env:"PLATFORM"`
	Poll     setting `env:"POLL"`
}

// A storeHead is what the rulebook itself reads of a store.
type storeHead struct {
	platform sla.Sourced[platformName]
	poll     sla.Sourced[time.Duration]
}

type platformName sla.Platform

func (p platformName) String() string { return string(p) }

func bindStore(s *storeHead, platforms []Platform) *storeVars {
	names := make([]string, 0, len(platforms))
	for _, p := range platforms {
		names = append(names, string(p.Name))
	}
	known := "one of " + strings.Join(names, ", ")
	parse := func(text string) (platformName, error) {
		if _, ok := platformOf(platforms, sla.Platform(text)); !ok {
			return "", errChoice
		}
		return platformName(text), nil
	}
	poll := duration(5*time.Second, day)
	v := &storeVars{
		Platform: bind(&s.platform, oneOf("platform", known, parse), "aliexpress", "Which platform the store is on; declares the store."),
		Poll:     bind(&s.poll, poll, "5m", "How often the store's lists are read."),
	}
	v.Platform.about.Default, v.Poll.about.Default = "", "the platform's"
	return v
}

// fill lets go-envconfig set what the chain of scopes says.
func fill(ctx context.Context, vars any, chain envconfig.Lookuper) error {
	return envconfig.ProcessWith(ctx, &envconfig.Config{Target: vars, Lookuper: chain})
}

// settings lists the fields of a struct of settings with their names, in order.
func settings(vars any) []setting {
	v := reflect.ValueOf(vars).Elem()
	out := make([]setting, 0, v.NumField())
	for i := range v.NumField() {
		if s, ok := reflect.TypeAssert[setting](v.Field(i)); ok {
			s.about.Name = v.Type().Field(i).Tag.Get("env")
			out = append(out, s)
		}
	}
	return out
}

func ruleSettings(r *sla.Rule) []setting { return settings(bindRule(r)) }

func shipmentSettings(r *sla.ShipmentRule) []setting { return settings(bindShipment(r)) }
