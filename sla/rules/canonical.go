package rules

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"maps"
	"slices"
	"strconv"
	"strings"

	"watchkeeper/sla"
)

// canonical writes the accepted variables in canonical form.
func (l *loader) canonical() []string {
	var out []string
	for s, all := range l.entries {
		if s.noun == NounCalendar {
			continue
		}
		for _, e := range all {
			out = append(out, e.name+"="+e.text)
			if !e.when.From.IsZero() {
				out = append(out, e.name+separator+fromWord+"="+formatDate(e.when.From))
			}
			if !e.when.Until.IsZero() {
				out = append(out, e.name+separator+untilWord+"="+formatDate(e.when.Until))
			}
		}
	}
	for name, c := range l.calendars {
		for _, item := range calendarTexts(c.Spec()) {
			out = append(out, scope{noun: NounCalendar, calendar: name}.prefix()+item[0]+"="+item[1])
		}
	}
	slices.Sort(out)
	return out
}

// sum hashes what is effective, not what was written: a variable that repeats what holds anyway changes nothing, and neither does a date at
// which nothing changes.
func (b *library) sum() string {
	h := &digest{sum: sha256.New()}
	p := newPrinter(&Book{library: b})
	for _, c := range b.calendars {
		h.rows(p.rows(scope{noun: NounCalendar, calendar: c.Name()}))
	}
	b.sumShelf(h, p, b.base)
	for _, name := range slices.Sorted(maps.Keys(b.platforms)) {
		b.sumShelf(h, p, b.platforms[name])
	}
	for _, s := range b.declared() {
		b.sumPaces(h, s)
		b.sumShelf(h, p, b.stores[s.ID])
	}
	b.parcels.sum(h, p, b.eras)
	return hex.EncodeToString(h.sum.Sum(nil))[:12]
}

func (b *library) sumShelf(h *digest, p *printer, s *shelf) {
	rows, last := h.spare[0], h.spare[1][:0]
	for _, era := range s.begins {
		rows = rows[:0]
		for _, in := range s.distinct(era) {
			rows = appendRows(rows, in.scope, "", p.rule.with(*in.rule))
		}
		if slices.EqualFunc(rows, last, Row.says) {
			continue
		}
		if era > 0 {
			h.texts("from", formatDate(b.eras[era-1]))
		}
		h.rows(rows)
		last, rows = rows, last
	}
	h.spare = [2][]Row{rows, last}
}

// says reports whether two rows say the same, wherever it comes from.
func (r Row) says(o Row) bool {
	return r.Scope == o.Scope && r.Variable == o.Variable && r.Value == o.Value
}

// sum hashes what variables say of parcels, because the lanes on which it can take effect are too many.
func (b *parcelBook) sum(h *digest, p *printer, e eras) {
	h.rows(rowsOf(scope{noun: NounShipment}, "", p.parcels.with(b.standard)))
	level := func(s *parcelSet, store sla.StoreID) {
		for _, at := range append([]scope{{noun: NounShipment, store: store}}, s.scopes...) {
			values := s.plain
			if at.carrier != "" || at.hasLane() {
				values = s.narrowed[keyOf(b.carriers[at.carrier], at.origin, at.dest)]
			}
			for _, v := range values {
				when := Span{}
				if v.span.from > 0 {
					when.From = e[v.span.from-1]
				}
				if v.span.until <= len(e) {
					when.Until = e[v.span.until-1]
				}
				h.texts(at.String(), p.parcels.settings[v.field].about.Name, FormatDuration(v.value.Value), when.String())
			}
		}
	}
	level(b.general, "")
	for _, id := range slices.Sorted(maps.Keys(b.stores)) {
		level(b.stores[id], id)
	}
}

// A digest hashes texts, each with its length so that none can be taken for two.
type digest struct {
	sum   hash.Hash
	line  []byte
	spare [2][]Row // to write rows into
}

func (h *digest) rows(all []Row) {
	for i := range all {
		h.texts(all[i].Scope, all[i].Variable, all[i].Value)
	}
}

func (h *digest) texts(all ...string) {
	h.line = h.line[:0]
	for _, s := range all {
		h.line = append(strconv.AppendInt(h.line, int64(len(s)), 10), ' ')
		h.line = append(h.line, s...)
	}
	_, _ = h.sum.Write(append(h.line, '\n')) // a hash cannot fail
}

// compareScopes is an order of scopes, the less specific first within a store.
func compareScopes(a, b scope) int {
	return cmp.Or(
		strings.Compare(a.noun, b.noun), cmp.Compare(a.store, b.store), cmp.Compare(a.platform, b.platform), cmp.Compare(a.reason, b.reason),
		strings.Compare(a.carrier, b.carrier), strings.Compare(a.origin, b.origin), strings.Compare(a.dest, b.dest), strings.Compare(a.calendar, b.calendar),
	)
}
