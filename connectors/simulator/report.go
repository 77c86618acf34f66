package simulator

import (
	"cmp"
	"maps"

	"watchkeeper/sla"
)

// Sums is money in minor units by currency: amounts of different currencies are never added.
type Sums map[sla.Currency]int64

func (s Sums) add(m sla.Money) {
	if m.Currency != "" {
		s[m.Currency] += m.Minor
	}
}

// A Tally is what the judge counted.
type Tally struct {
	Disputes       int `json:"disputes"`
	Obligations    int `json:"obligations"`      // turns in which the seller owed something
	AnsweredInTime int `json:"answered_in_time"` // met through the API
	ByPerson       int `json:"by_person"`        // met in the back office
	Superseded     int `json:"superseded"`       // ended by the buyer first: an edit, a withdrawal, a call for arbitration
	Breached       int `json:"breached"`         // the deadline fell in silence
	Open           int `json:"open"`             // still owed
	DoubleEffects  int `json:"double_effects"`   // effects through the API beyond the first of a turn; extensions count by themselves
	CrossedPerson  int `json:"crossed_person"`   // effects through the API in a turn that a person had answered
	Withdrawn      int `json:"withdrawn"`
	Arbitrated     int `json:"arbitrated"`
	Refused        int `json:"refused"` // writes that the platform did not carry out
	Paged          int `json:"paged"`

	// CostOfSilence is what silence would have paid: each dispute counts once, with the first obligation in it that was met or fell,
	// because silence there would have been the end of it. PaidBySilence is the part of it that really was paid that way.
	// CostOfAnswers is what answers paid instead, those of the person included. PaidByArbitration is what the platform decided.
	CostOfSilence     Sums `json:"cost_of_silence"`
	PaidBySilence     Sums `json:"paid_by_silence"`
	CostOfAnswers     Sums `json:"cost_of_answers"`
	PaidByArbitration Sums `json:"paid_by_arbitration"`

	Shipments int            `json:"shipments"`
	Anomalies map[string]int `json:"anomalies"` // planted so far, by kind
}

// A Report is the judge's word: everything, and each platform by itself.
type Report struct {
	Tally
	Platforms map[sla.Platform]Tally `json:"platforms"`
}

func newTally() *Tally {
	return &Tally{CostOfSilence: Sums{}, PaidBySilence: Sums{}, CostOfAnswers: Sums{}, PaidByArbitration: Sums{}, Anomalies: map[string]int{}}
}

// Judge counts what a log tells, and uses nothing else.
func Judge(log []Entry) Report {
	one := map[sla.Platform]*Tally{AliExpress: newTally(), Track17: newTally()}
	j := judge{tallies: one, cases: map[string]*trial{}, extensions: map[extension]bool{}}
	for _, e := range log {
		j.hear(e)
	}
	report := Report{Tally: *newTally(), Platforms: map[sla.Platform]Tally{}}
	for p, t := range one {
		t.Open = t.Obligations - t.AnsweredInTime - t.ByPerson - t.Superseded - t.Breached
		report.Platforms[p] = *t
		report.sum(t)
	}
	return report
}

// A trial is one dispute before the judge.
type trial struct {
	turn     int
	owed     sla.Money
	open     bool // something is owed
	effects  int  // through the API, in this turn
	byPerson bool // a person has answered in this turn
	costed   bool
}

type extension struct {
	order string
	turn  int
}

type judge struct {
	tallies    map[sla.Platform]*Tally
	cases      map[string]*trial
	extensions map[extension]bool
}

func (j *judge) hear(e Entry) {
	t := j.tallies[e.Platform]
	switch e.Kind {
	case KindShipped:
		t.Shipments++
	case KindPlanted:
		t.Anomalies[e.Detail]++
	case KindScan, KindRegistered:
	case KindExtended:
		key := extension{e.Order, e.Turn}
		if j.extensions[key] {
			t.DoubleEffects++
		}
		j.extensions[key] = true
	default:
		j.dispute(t, e)
	}
}

func (j *judge) dispute(t *Tally, e Entry) {
	c := j.cases[e.Subject]
	if c == nil {
		c = &trial{}
		j.cases[e.Subject] = c
	}
	if e.Turn > c.turn {
		c.turn, c.effects, c.byPerson = e.Turn, 0, false
	}
	switch e.Kind {
	case KindOpened:
		t.Disputes++
	case KindOwed:
		t.Obligations++
		c.open, c.owed = true, e.Amount
	case KindEdited, KindWithdrawn, KindArbitrated:
		c.supersede(t, e)
	case KindBreached:
		t.Breached++
		c.meet(t)
	case KindAgreed, KindProposed, KindEvidence, KindReceived:
		c.answer(t, e)
	case KindPaid:
		t.paid(e)
	case KindRefused:
		t.Refused++
	case KindPaged:
		t.Paged++
	}
}

func (c *trial) supersede(t *Tally, e Entry) {
	switch e.Kind {
	case KindWithdrawn:
		t.Withdrawn++
	case KindArbitrated:
		t.Arbitrated++
	}
	if c.open {
		t.Superseded++
		c.open = false
	}
}

// meet ends an obligation, and counts what silence would have paid.
func (c *trial) meet(t *Tally) {
	if !c.costed {
		t.CostOfSilence.add(c.owed)
	}
	c.open, c.costed = false, true
}

func (c *trial) answer(t *Tally, e Entry) {
	byAPI := e.Actor == ActorSeller
	if c.open {
		c.meet(t)
		if byAPI {
			t.AnsweredInTime++
		} else {
			t.ByPerson++
		}
	}
	if !byAPI {
		c.byPerson = true
		return
	}
	c.effects++
	if c.effects > 1 {
		t.DoubleEffects++
	}
	if c.byPerson {
		t.CrossedPerson++
	}
}

func (t *Tally) paid(e Entry) {
	switch e.Detail {
	case paidByAnswer:
		t.CostOfAnswers.add(e.Amount)
	case paidBySilence:
		t.PaidBySilence.add(e.Amount)
	case paidByArbitration:
		t.PaidByArbitration.add(e.Amount)
	}
}

// sum adds one platform's tally to the whole. Addition has no order, so that the order of platforms does not matter.
func (r *Report) sum(t *Tally) {
	r.Disputes += t.Disputes
	r.Obligations += t.Obligations
	r.AnsweredInTime += t.AnsweredInTime
	r.ByPerson += t.ByPerson
	r.Superseded += t.Superseded
	r.Breached += t.Breached
	r.Open += t.Open
	r.DoubleEffects += t.DoubleEffects
	r.CrossedPerson += t.CrossedPerson
	r.Withdrawn += t.Withdrawn
	r.Arbitrated += t.Arbitrated
	r.Refused += t.Refused
	r.Paged += t.Paged
	r.Shipments += t.Shipments
	addAll(r.CostOfSilence, t.CostOfSilence)
	addAll(r.PaidBySilence, t.PaidBySilence)
	addAll(r.CostOfAnswers, t.CostOfAnswers)
	addAll(r.PaidByArbitration, t.PaidByArbitration)
	addAll(r.Anomalies, t.Anomalies)
}

func addAll[K cmp.Ordered, N int | int64](to, from map[K]N) {
	for k := range maps.Keys(from) {
		to[k] += from[k]
	}
}
