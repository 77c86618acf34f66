package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"watchkeeper/connectors/simulator"
	"watchkeeper/sla"
)

// A count is one column of the ledger.
type count struct {
	Disputes        int               `json:"disputes"`
	AnsweredInTime  int               `json:"answered_in_time"` // by the fleet; the person's are in by_person
	ByPerson        int               `json:"by_person"`
	Breached        int               `json:"breached"`
	DoubleEffects   int               `json:"double_effects"`
	Paged           int               `json:"paged"` // cases for which a person was paged
	Open            int               `json:"open"`
	CostOfSilence   map[string]string `json:"cost_of_silence"` // by currency, in major units
	PaidBySilence   map[string]string `json:"paid_by_silence"`
	CostOfAnswers   map[string]string `json:"cost_of_answers"`
	Shipments       int               `json:"shipments"`
	Anomalies       map[string]int    `json:"anomalies"` // planted in the world, by kind
	anomaliesNumber int
}

// A ledger is what the platforms' own log says at the end.
type ledger struct {
	count
	Platforms map[string]count `json:"platforms"`
	Changed   []outcome        `json:"open_at_change,omitempty"` // with --change-at
}

func newLedger(r simulator.Report, paged map[string]bool) ledger {
	l := ledger{count: newCount(r.Tally), Platforms: map[string]count{}}
	l.Paged = len(paged)
	for name, t := range r.Platforms {
		c := newCount(t)
		c.Paged = 0
		if name == simulator.AliExpress {
			c.Paged = len(paged)
		}
		l.Platforms[string(name)] = c
	}
	return l
}

func newCount(t simulator.Tally) count {
	c := count{
		Disputes: t.Disputes, AnsweredInTime: t.AnsweredInTime, ByPerson: t.ByPerson, Breached: t.Breached, DoubleEffects: t.DoubleEffects, Open: t.Open,
		CostOfSilence: major(t.CostOfSilence), PaidBySilence: major(t.PaidBySilence), CostOfAnswers: major(t.CostOfAnswers),
		Shipments: t.Shipments, Anomalies: t.Anomalies,
	}
	for _, n := range t.Anomalies {
		c.anomaliesNumber += n
	}
	return c
}

func major(s simulator.Sums) map[string]string {
	out := map[string]string{}
	for currency, minor := range s {
		out[string(currency)] = sla.Money{Minor: minor, Currency: currency}.Major()
	}
	return out
}

func (l ledger) print(out io.Writer, alone bool) {
	fmt.Fprintln(out, "\nClosing ledger, from the platforms' own log")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name string, value any) { fmt.Fprintf(w, "  %s\t%v\n", name, value) }
	row("disputes", l.Disputes)
	row("answered in time by the fleet", l.AnsweredInTime)
	row("answered by a person who was paged", l.ByPerson)
	row("still open, with time left", l.Open)
	row("breached deadlines", l.Breached)
	row("double effects", l.DoubleEffects)
	row("cases paged", l.Paged)
	row("what silence would have cost, turn by turn", sums(l.CostOfSilence))
	row("what silence did cost", sums(l.PaidBySilence))
	row("what the answers cost", sums(l.CostOfAnswers))
	row("parcels", l.Shipments)
	row("anomalies in the world", l.anomaliesNumber)
	_ = w.Flush() // to the same writer as above
	for _, name := range sortedKeys(l.Platforms) {
		c := l.Platforms[name]
		fmt.Fprintf(out, "  %s: %d disputes, %d answered, %d breached, %d double effects, %d parcels, %d anomalies\n", name, c.Disputes, c.AnsweredInTime+c.ByPerson,
			c.Breached, c.DoubleEffects, c.Shipments, c.anomaliesNumber)
	}
	if alone {
		fmt.Fprintln(out, "\nNobody was on watch. Run the same seed without --without-fleet to see the difference.")
	}
}

func sums(m map[string]string) string {
	var parts []string
	for _, c := range sortedKeys(m) {
		parts = append(parts, m[c]+" "+c)
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
