package simulation

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"watchkeeper/sla"
)

// The platforms of a world: a marketplace, and who follows its parcels.
const (
	marketplace = sla.Platform("market")
	tracking    = sla.Platform("track")
	trackerID   = sla.StoreID("TRACK")
)

// A market is the marketplace as it truly is. It takes every answer that it can: nothing in it keeps an answer from taking effect twice.
type market struct {
	w      *World
	stores []*seller
	all    []*dispute
	rest   time.Time // when everything is over
}

// A seller is one account on the marketplace.
type seller struct {
	id      sla.StoreID
	skew    time.Duration // the platform's clock there, minus the world's
	dark    time.Time     // nobody reaches the platform before
	expired time.Time     // the token is refused before
	open    []*dispute    // in order of their numbers; closed ones leave with the next list
}

// A dispute is one matter, with the truth about it.
type dispute struct {
	n       int
	name    string // its id in words, made once: it is asked for at every step
	store   *seller
	turn    int
	pages   bool      // only a person can answer in this turn
	silent  bool      // the feed tells no deadline
	closes  time.Time // the turn's real deadline, by the platform's clock
	now     sla.Dispute
	was     sla.Dispute // before the last change, for stale reads
	changed time.Time
	moved   time.Time // when the deadline was moved last
	effects []effect
	version uint64 // of the row
	judged  judged
}

// An effect is what the platform's log says of one answer that took effect.
type effect struct {
	turn sla.Turn
	kind sla.AnswerKind
	at   time.Time
}

func (d *dispute) id() sla.DisputeID { return d.now.ID }

func (d *dispute) String() string { return d.name }

// firstID is the number of a world's first dispute.
const firstID = 1_000_000_000

func turnOf(n, round int) sla.Turn { return sla.Turn(uint64(n+1)<<16 | uint64(round)) }

// open lets a buyer open a dispute.
func (m *market) open(n int) {
	w := m.w
	s := m.stores[w.rng.IntN(len(m.stores))]
	d := &dispute{n: n, store: s}
	reasons := []sla.Reason{sla.ReasonNotReceived, sla.ReasonNotReceived, sla.ReasonNotAsDescribed, sla.ReasonDamaged, sla.ReasonOther}
	d.now = sla.Dispute{
		DisputeRef: sla.DisputeRef{ID: sla.DisputeID{Platform: marketplace, Store: s.id, Native: strconv.Itoa(firstID + n)}, Order: strconv.Itoa(8_000_000 + n)},
		Reason:     reasons[w.rng.IntN(len(reasons))], Opened: m.theirs(s), Buyer: sla.BuyerKey(1 + w.rng.IntN(1+w.o.Cases/8)),
		Country: "BR", Claimed: dollars(500 + w.rng.Int64N(9500)), Proposal: "b0", Unpaid: true,
	}
	if d.now.Reason == sla.ReasonNotReceived {
		d.now.Shipments = []sla.ShipmentRef{{Number: parcelOf(n)}}
	}
	d.now.Modified, d.name = d.now.Opened, d.now.ID.String()
	m.all = append(m.all, d)
	s.open = append(s.open, d)
	m.turn(d)
}

func (m *market) theirs(s *seller) time.Time { return m.w.now.Add(s.skew).UTC().Truncate(time.Second) }

// change keeps what was there before, for stale reads, and counts a version.
func (m *market) change(d *dispute) {
	d.was, d.changed = d.now, m.w.now
	d.version++
	if at := m.theirs(d.store); at.After(d.now.Modified) {
		d.now.Modified = at
	} else { // the platform's clock was set back
		d.now.Modified = d.now.Modified.Add(time.Second)
	}
}

// turn makes it the seller's turn.
func (m *market) turn(d *dispute) {
	w := m.w
	if d.turn > 0 {
		m.change(d)
	}
	d.turn++
	d.version++
	d.pages, d.silent = w.rng.IntN(40) == 0, w.rng.IntN(20) == 0
	opened := m.theirs(d.store)
	d.closes = opened.Add(w.between(30*time.Hour, window)).Truncate(time.Second)
	if d.silent {
		d.closes = opened.Add(window)
	}
	d.now.State, d.now.Proposal = sla.StateSeller, fmt.Sprint("b", d.turn)
	m.owe(d, opened)
	w.tellf(d.String(), "turn %d until %s", d.turn, d.closes.Format(time.DateTime))
	m.expire(d)
	if w.may(Moves, 0.05) {
		turn := d.turn
		w.after(w.between(time.Hour, 20*time.Hour), func() { m.move(d, turn) })
	}
}

// owe writes what the seller owes into the dispute.
func (m *market) owe(d *dispute, opened time.Time) {
	o := sla.Obligation{Turn: turnOf(d.n, d.turn), Opened: opened, Deadline: d.closes, Cost: d.now.Claimed,
		Kinds: sla.Answers(sla.AnswerAccept, sla.AnswerOffer, sla.AnswerRefuse)}
	if d.silent {
		o.Deadline = time.Time{}
	}
	if d.pages {
		o.Kinds = 0
	}
	d.now.Obligations = []sla.Obligation{o}
}

// move moves the deadline within a turn, not so close that nobody could act.
func (m *market) move(d *dispute, turn int) {
	if d.turn != turn || d.now.State != sla.StateSeller || d.silent {
		return
	}
	left := d.closes.Sub(m.theirs(d.store))
	if left < 12*time.Hour {
		return
	}
	m.change(d)
	d.moved = m.w.now
	d.closes = d.closes.Add(-left / 4).Truncate(time.Second)
	m.owe(d, d.now.Obligations[0].Opened)
	m.w.tellf(d.String(), "deadline moved to %s", d.closes.Format(time.DateTime))
	m.expire(d)
}

// expire lets the platform decide for the buyer when the deadline passes in silence.
func (m *market) expire(d *dispute) {
	turn, until := d.turn, d.closes
	m.w.at(until.Add(-d.store.skew), func() {
		if d.turn != turn || d.now.State != sla.StateSeller || !d.closes.Equal(until) {
			return
		}
		if left := until.Sub(m.w.now.Add(d.store.skew)); left > 0 { // the platform's clock was set back
			m.w.after(left, func() { m.expire(d) })
			return
		}
		m.w.judge.breached(d)
		m.close(d, sla.PartyTimeout, d.now.Claimed)
	})
}

func (m *market) close(d *dispute, by sla.Party, paid sla.Money) {
	m.change(d)
	d.now.State, d.now.Obligations = sla.StateClosed, nil
	d.now.Closed = sla.Closing{At: m.theirs(d.store), By: by, Paid: paid}
	m.w.judge.closed++
	m.w.tellf(d.String(), "closed by %s, %s paid", by, paid)
}

// take lets an answer arrive at the platform. It tells whether the platform takes it.
func (m *market) take(d *dispute, a sla.Answer, sent departure) bool {
	if d.now.State == sla.StateClosed || turnOf(d.n, d.turn) != a.Turn {
		m.w.tellf(d.String(), "the platform refuses %s of attempt %d: the dispute has moved", a.Kind, a.Attempt)
		return false // the proposal that it refers to is no longer there
	}
	d.effects = append(d.effects, effect{turn: a.Turn, kind: a.Kind, at: m.w.now})
	m.w.tellf(d.String(), "%s of attempt %d takes effect, %s, sent by process %d", a.Kind, a.Attempt, a.Amount, sent.by)
	m.w.judge.effect(d, a, sent)
	switch {
	case a.Kind == sla.AnswerAccept:
		m.close(d, sla.PartySeller, d.now.Claimed)
		return true
	case !a.Kind.EndsTurn():
		return true
	}
	m.change(d)
	if a.Kind == sla.AnswerOffer {
		d.now.Offers, d.now.Offered, d.now.Own = d.now.Offers+1, a.Amount, fmt.Sprint("s", d.turn)
	}
	if d.now.State == sla.StateSeller {
		d.now.State, d.now.Obligations = sla.StateBuyer, nil
		m.w.after(m.w.between(20*time.Minute, 40*time.Hour), m.buyer(d))
	}
	return true
}

// buyer is what a buyer does about an answer.
func (m *market) buyer(d *dispute) func() {
	turn := d.turn
	return func() {
		if d.turn != turn || d.now.State != sla.StateBuyer {
			return
		}
		switch n := m.w.rng.IntN(100); {
		case n < 40 && d.turn < 4:
			m.turn(d)
		case n < 60:
			m.close(d, sla.PartyBuyer, sla.Money{})
		case n < 70:
			m.change(d)
			d.now.State = sla.StatePlatform
			m.w.after(m.w.between(10*time.Hour, 40*time.Hour), func() { m.close(d, sla.PartyPlatform, sla.Money{}) })
		default:
			m.close(d, sla.PartyBuyer, d.now.Offered)
		}
	}
}

// person lets somebody act on the platform's own pages, some time after a page.
func (m *market) person(d *dispute, turn sla.Turn) {
	m.w.after(m.w.between(10*time.Minute, 4*time.Hour), func() {
		if d.now.State != sla.StateSeller || turnOf(d.n, d.turn) != turn {
			return
		}
		m.w.tellf(d.String(), "a person answers")
		m.change(d)
		d.now.State, d.now.Obligations = sla.StateBuyer, nil
		m.w.after(m.w.between(time.Hour, 30*time.Hour), m.buyer(d))
	})
}

// listed are the disputes that the list shows.
func (s *seller) listed() []*dispute {
	s.open = slices.DeleteFunc(s.open, func(d *dispute) bool { return d.now.State == sla.StateClosed })
	return s.open
}

func parcelOf(n int) string { return fmt.Sprintf("LP%09dCN", n) }

// parcel is a parcel as the tracker knows it: its way follows from its number.
func (w *World) parcel(n int) sla.Shipment {
	s := sla.Shipment{Ref: sla.ShipmentRef{Number: parcelOf(n)}, Store: trackerID, Origin: "CN", Dest: "BR", Registered: began.Add(-20 * 24 * time.Hour)}
	at, milestone := began.Add(-time.Duration(n%5)*24*time.Hour), sla.MilestoneInTransit
	switch n % 10 {
	case 0, 1:
		milestone = sla.MilestoneDelivered
	case 2:
		milestone = sla.MilestoneLost
	case 3:
		at = began.Add(-19 * 24 * time.Hour) // stalled
	default:
		at = w.now.Truncate(24 * time.Hour) // a scan a day
	}
	s.Milestone, s.Events = milestone, []sla.Event{{At: at, Milestone: milestone, Country: "BR"}}
	return s
}

func dollars(minor int64) sla.Money { return sla.Money{Minor: minor, Currency: usd} }

// usd is the currency of every claim.
var usd = func() sla.Currency {
	c, err := sla.ParseCurrency("USD")
	if err != nil {
		panic(err) // the table of currencies is broken: every test fails
	}
	return c
}()
