package rules

import (
	"slices"
	"strconv"
	"time"

	"watchkeeper/sla"
)

// A Pace is how much is asked of a store's platform.
type Pace struct {
	Poll        sla.Sourced[time.Duration] // how often its lists are read; 0: as the platform's are
	Concurrency sla.Sourced[int]           // disputes on their way to an answer at once in one process; 0: any number
	Rate        sla.Sourced[int]           // calls a second; 0: what the connector assumes
}

// paces are those of one store, or of a platform's stores, by the time in which they hold.
type paces struct {
	begins []int // the era in which each begins; the first is 0
	list   []Pace
}

func (p *paces) at(era int) int {
	n, found := slices.BinarySearch(p.begins, era)
	if !found {
		n--
	}
	return n
}

// Pace is how much may be asked of a declared store in the book's era. It allocates nothing.
func (b *Book) Pace(id sla.StoreID) Pace {
	if p, declared := b.paces[id]; declared {
		return p.list[p.at(b.era)]
	}
	return Pace{}
}

// Pace is how much may be asked of a store as of now, and the next date at which that changes by itself; zero when it never does.
func (c Current) Pace(id sla.StoreID) (Pace, time.Time) {
	b := c.Book.At(c.Now())
	p, declared := b.paces[id]
	if !declared {
		return Pace{}, time.Time{}
	}
	n := p.at(b.era)
	if n+1 == len(p.begins) {
		return p.list[n], time.Time{}
	}
	return p.list[n], b.eras[p.begins[n+1]-1]
}

// pacesOf resolves the pace of a store, or of a platform without one.
func (l *loader) pacesOf(p sla.Platform, id sla.StoreID) *paces {
	chain := []scope{{noun: NounStore, platform: p}}
	if id != "" {
		chain = append(chain, scope{noun: NounStore, store: id})
	}
	begins := []int{0}
	for _, in := range chain {
		for _, e := range l.entries[in] {
			begins = append(begins, e.span.from, e.span.until)
		}
	}
	slices.Sort(begins)
	out := &paces{}
	for _, era := range slices.Compact(begins) {
		if era > len(l.eras) {
			break // the end of all time begins nothing
		}
		l.heads.with(storeHead{})
		for _, in := range chain {
			for _, e := range l.entries[in] {
				if e.span.holds(era) {
					e.put()
				}
			}
		}
		if pace := l.heads.work.pace; era == 0 || pace != out.list[len(out.list)-1] {
			out.begins, out.list = append(out.begins, era), append(out.list, pace)
		}
	}
	return out
}

// rows are what variables say of a pace; nothing is said of what is the platform's.
func (p Pace) rows(at string) []Row {
	var out []Row
	if v := p.Poll; v.From != "" {
		out = append(out, Row{at, "POLL", FormatDuration(v.Value), v.From})
	}
	if v := p.Concurrency; v.From != "" {
		text := neverWord
		if v.Value > 0 {
			text = strconv.Itoa(v.Value)
		}
		out = append(out, Row{at, "CONCURRENCY", text, v.From})
	}
	if v := p.Rate; v.From != "" {
		out = append(out, Row{at, "RATE", strconv.Itoa(v.Value), v.From})
	}
	return out
}

// sumPaces hashes a store and its paces in all eras.
func (b *library) sumPaces(h *digest, s Store) {
	at := scope{store: s.ID}.String()
	h.texts(at, platformVariable, string(s.Platform))
	p := b.paces[s.ID]
	var last []Row
	for i, era := range p.begins {
		rows := p.list[i].rows(at)
		if slices.EqualFunc(rows, last, Row.says) {
			continue
		}
		if era > 0 {
			h.texts("from", formatDate(b.eras[era-1]))
		}
		h.rows(rows)
		last = rows
	}
}
