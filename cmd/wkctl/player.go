package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/playbook"
	"watchkeeper/sla/rules"
)

// A player reads recorded replies as the fleet would, and notes what it would have seen and done.
type player struct {
	registry connectors.Registry
	book     *rules.Book
	platform *connectors.Platform // nil: guess
	store    sla.StoreID          // whose rules hold; empty: the platform's
	at       time.Time            // zero: when the reply was recorded
	now      time.Time
	scrub    func(string) string

	out     replayView
	parcels map[string]playbook.Parcel // by number, as met so far: what a plan can argue with
	lanes   map[string]sla.Lane        // of them
}

// An origin says where something was read.
type origin struct {
	Source      string `json:"source"`
	Interaction int    `json:"interaction"` // 0 of a bare body
	Platform    words  `json:"platform"`
}

func (o origin) String() string {
	if o.Interaction == 0 {
		return o.Source
	}
	return fmt.Sprintf("%s#%d", o.Source, o.Interaction)
}

// What makes a reply unreadable.
var (
	errNoBody  = errors.New("empty body")
	errNotJSON = errors.New("not JSON")
)

// play takes one recording.
func (p *player) play(rec recording) {
	p.out.Summary.Replies++
	at := origin{Source: rec.source, Interaction: rec.n}
	r, err := p.read(rec)
	at.Platform = words(r.platform)
	if err != nil {
		p.unreadable(at, "", err)
		return
	}
	moment, from := p.moment(rec, r)
	for i := range r.shipments {
		p.shipment(at, &r.shipments[i], moment, from)
	}
	for i := range r.disputes {
		p.dispute(at, &r.disputes[i], moment, from)
	}
	for _, bad := range r.rejects {
		p.unreadable(at, bad.ID, bad.Err)
	}
	if r.found()+len(r.rejects) == 0 {
		p.out.Empty = append(p.out.Empty, at)
		p.out.Summary.Empty++
	}
}

func (p *player) read(rec recording) (reading, error) {
	platform, named := p.platform, reading{}
	if platform == nil {
		platform = asked(p.registry, rec.url)
	}
	if platform != nil {
		named.platform = platform.Name
	}
	switch {
	case rec.err != nil:
		return named, rec.err
	case rec.status >= http.StatusBadRequest:
		return named, fmt.Errorf("error reply: status %d", rec.status)
	case len(strings.TrimSpace(string(rec.body))) == 0:
		return named, errNoBody
	case !json.Valid(rec.body):
		return named, errNotJSON
	case platform != nil:
		return read(*platform, rec.body)
	}
	return guess(p.registry, rec.url, rec.body)
}

func (p *player) unreadable(at origin, id string, err error) {
	reason := "no reason is given"
	if err != nil {
		reason = clean(p.scrub(strings.ReplaceAll(err.Error(), "\n", "; ")))
	}
	p.out.Unreadable = append(p.out.Unreadable, unreadableView{origin: at, ID: words(id), Reason: reason})
	p.out.Summary.Unreadable++
}

func (p *player) shipment(at origin, s *sla.Shipment, moment time.Time, from string) {
	v := shipmentView{
		origin: at, At: instant{moment}, AtFrom: from, Number: s.Ref.Number, Carrier: words(s.Lane().Carrier), Order: words(s.Ref.Order), Status: s.Status,
		Milestone: s.Milestone.String(), Origin: words(s.Origin), Destination: words(s.Dest), Events: len(s.Events), LastEvent: instant{s.LastEvent()},
		Anomalies: []anomalyView{},
	}
	parcel := playbook.Parcel{Ref: s.Ref, Milestone: s.Milestone, LastEvent: s.LastEvent()}
	thresholds := p.book.At(moment).Shipments(p.store, s.Lane())
	for _, a := range sla.Detect(moment, *s, thresholds) {
		v.Anomalies = append(v.Anomalies, anomalyView{a.Kind.String(), instant{a.Since}, a.Origin})
		parcel.Anomalies = parcel.Anomalies.With(a.Kind)
	}
	p.parcels[s.Ref.Number], p.lanes[s.Ref.Number] = parcel, s.Lane()
	p.out.Shipments = append(p.out.Shipments, v)
	p.out.Summary.Shipments++
}

func (p *player) dispute(at origin, d *sla.Dispute, moment time.Time, from string) {
	platform := d.ID.Platform
	if platform == "" {
		platform = sla.Platform(at.Platform)
	}
	rule := p.book.At(moment).For(platform, p.store, d.Reason)
	c := sla.Case{DisputeRef: d.DisputeRef, State: d.State, Reason: d.Reason, Claimed: d.Claimed}
	obligation, owes := d.Ruling(rule)
	c.Obligation = obligation
	decision := sla.Decide(moment, c, rule)
	v := disputeView{
		origin: at, At: instant{moment}, AtFrom: from, Dispute: d.ID.Native, State: d.State.String(), Reason: d.Reason.String(), Claimed: money(d.Claimed),
		Deadline: instant{decision.Deadline}, Stage: decision.Stage.String(), Action: decision.Action.String(), Why: decision.Why.String(),
		Cost: money(decision.Cost), Next: instant{decision.Next},
	}
	if owes && d.State != sla.StateClosed {
		v.Plan = p.plan(d, obligation, rule, moment)
	}
	p.out.Disputes = append(p.out.Disputes, v)
	p.out.Summary.Disputes++
}

// plan is what would be answered when the time to answer comes.
func (p *player) plan(d *sla.Dispute, o sla.Obligation, rule sla.Rule, moment time.Time) *planView {
	facts := playbook.Facts{Now: moment, Dispute: *d, Obligation: o}
	lane := sla.Lane{Dest: d.Country}
	for _, ref := range d.Shipments {
		if parcel, ok := p.parcels[ref.Number]; ok && (facts.Parcel == nil || parcel.LastEvent.After(facts.Parcel.LastEvent)) {
			facts.Parcel, lane = &parcel, p.lanes[ref.Number]
			lane.Dest = cmp.Or(d.Country, lane.Dest)
		}
	}
	facts.Parcels = p.book.At(moment).Shipments(p.store, lane)
	return planViewOf(playbook.Choose(facts, rule), facts.Parcel)
}
