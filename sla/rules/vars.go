package rules

import "watchkeeper/sla"

// A Variable describes one declared variable.
type Variable struct {
	Name     string // without its scope: "ACT_BEFORE"
	Noun     string // what it speaks of: one of the Noun constants
	Scopes   []string
	Type     string // what a value looks like, in a few words
	Unit     string
	Bounds   string // empty when there are none
	Default  string // empty when there is none
	Sentence string // what it does
	Example  string
}

// What variables speak of.
const (
	NounRule     = "rule"
	NounShipment = "shipment"
	NounStore    = "store"
	NounCalendar = "calendar"
	NounDate     = "date" // when another variable holds
)

// A setting is a declaration that is bound to the place where its value goes.
type setting struct {
	about Variable
	alone bool // it exists in the least specific scope only
	fixed bool // it holds at all times: it has no dates
	// parse reads a value; put writes it to its place, and is safe to call again later.
	parse func(text, from string) (v accepted, err error)
	show  func() string
	from  *string
}

// accepted is a value that its declaration takes.
type accepted struct {
	put  func()
	text string // in canonical form
}

// A kind is a type of value: how it reads, is bounded and prints.
type kind[T any] struct {
	name, unit, bounds string
	parse              func(string) (T, error)
	check              func(T) error
	format             func(T) string
}

// bind declares a variable whose value goes to dst; what dst holds is the default.
func bind[T any](name string, dst *sla.Sourced[T], k kind[T], example, sentence string) setting {
	return setting{
		about: Variable{
			Name: name, Type: k.name, Unit: k.unit, Bounds: k.bounds, Default: k.format(dst.Value), Sentence: sentence, Example: example,
		},
		parse: func(text, from string) (accepted, error) {
			v, err := k.parse(text)
			if err != nil {
				return accepted{}, err
			}
			if err := k.check(v); err != nil {
				return accepted{}, err
			}
			return accepted{func() { *dst = sla.By(from, v) }, k.format(v)}, nil
		},
		show: func() string { return k.format(dst.Value) },
		from: &dst.From,
	}
}

// only marks a variable that exists in the default scope alone.
func only(s setting) setting {
	s.alone = true
	return s
}

// A desk is where values of one struct are put together and read: settings bound to the fields of one value.
type desk[R any] struct {
	work     R
	settings []setting
	byName   map[string]int
}

func newDesk[R any](standard R, declare func(*R) []setting) *desk[R] {
	d := &desk[R]{work: standard, byName: map[string]int{}}
	d.settings = declare(&d.work)
	for i, s := range d.settings {
		d.byName[s.about.Name] = i
	}
	return d
}

func (d *desk[R]) setting(name string) *setting {
	i, ok := d.byName[name]
	if !ok {
		return nil
	}
	return &d.settings[i]
}

// with lays a value on the desk, to be read through the settings.
func (d *desk[R]) with(r R) []setting {
	d.work = r
	return d.settings
}
