package simulator

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"watchkeeper/sla"
)

// 17TRACK's own clocks [HC].
const (
	stopsAfterSilence  = 30 * day
	stopsAfterDelivery = 15 * day
	firstResultAfter   = 10 * time.Minute
)

// A parcel is one tracking number of the account, or one that waits to be registered.
type parcel struct {
	n       int
	number  string
	carrier carrier
	order   *order // nil: somebody registered a number that nobody shipped
	dest    market
	plan    sla.AnomalyKind
	planted time.Time
	shipped time.Time
	scans   []scan
	traps   traps

	registered time.Time // zero: 17TRACK has not been told
	orderNo    string    // as given when it was registered
	tag        string
	stoppedAt  time.Time // by request
	retracked  time.Time
}

// traps are the oddities of one parcel's record on the wire.
type traps struct {
	nullISO      bool // one event has only its raw time
	unknownSub   bool // one event has a sub-status of no list
	trailingKey  bool // one key ends with a blank
	twoProviders bool // both carriers report the scans of the destination
	allStages    bool // milestone lists all nine stages, those not reached with null times
}

var firstMile = []carrier{{3011, "China Post"}, {190271, "Cainiao"}, {190008, "YunExpress"}, {190012, "Yanwen"}}

// writeParcels draws every journey. The first parcels belong to disputed orders, those of "not received" before the others.
func (w *World) writeParcels() {
	disputed := w.disputedOrders()
	for n := range w.o.Shipments {
		r := draw(w.o.Seed, forParcel, uint64(n))
		var o *order
		if n < len(disputed) {
			o = disputed[n]
		} else {
			o = w.newOrder(w.o.Disputes+n, r)
		}
		p := &parcel{n: n, order: o, dest: o.market, carrier: firstMile[r.IntN(len(firstMile))]}
		p.number = trackingNumber(p.carrier, n, r)
		p.traps = traps{
			nullISO: sometimes(r, 0.15), unknownSub: sometimes(r, 0.1), trailingKey: sometimes(r, 0.2),
			twoProviders: sometimes(r, 0.3), allStages: sometimes(r, 0.5),
		}
		w.travel(p)
		o.parcel = p
		w.addParcel(p, n < len(disputed) && sometimes(r, 0.08))
	}
}

func (w *World) disputedOrders() []*order {
	var first, rest []*order
	for _, i := range w.issues {
		if i.why.reason == sla.ReasonNotReceived {
			first = append(first, i.order)
		} else {
			rest = append(rest, i.order)
		}
	}
	return append(first, rest...)
}

// travel draws the journey, and moves it in time to where the order's story needs it.
func (w *World) travel(p *parcel) {
	r := draw(w.o.Seed, forJourney, uint64(p.n))
	i := p.order.issue
	chosen := plans[0]
	switch {
	case i == nil:
		chosen = plans[pick(r, weightsOf(plans, func(x plan) int { return x.ordinary }))]
	case i.why.reason == sla.ReasonNotReceived:
		chosen = plans[pick(r, weightsOf(plans, func(x plan) int { return x.claimed }))]
	}
	t := &trip{r: r, dest: p.dest.country, clock: tripStart}
	chosen.drive(t)
	p.plan, p.scans, p.planted = chosen.kind, t.scans, t.planted
	p.shift(w.shippedAt(p, r).Sub(tripStart))
	if i == nil {
		p.order.created = p.shipped.Add(-between(r, day, 4*day))
	}
	p.order.created = earlier(p.order.created, p.shipped.Add(-12*time.Hour))
}

// shippedAt places the label: complaints about goods follow their delivery, complaints about silence follow the beginning of the
// trouble, and everything else is spread so that troubles fall into the month.
func (w *World) shippedAt(p *parcel, r *rand.Rand) time.Time {
	i := p.order.issue
	took := p.scans[len(p.scans)-1].at.Sub(tripStart)
	trouble := p.planted.Sub(tripStart)
	switch {
	case i == nil && p.plan == sla.AnomalyExpired:
		return w.o.Start.Add(-trouble + between(r, 0, w.o.length()))
	case i == nil:
		return w.o.Start.Add(-15*day + between(r, 0, 15*day+w.o.length()*8/10))
	case i.why.reason != sla.ReasonNotReceived:
		return i.openAt.Add(-took - between(r, day, 10*day))
	case p.plan == noAnomaly:
		return i.openAt.Add(-between(r, 12*day, 26*day))
	}
	return i.openAt.Add(-trouble - between(r, 2*day, 12*day))
}

func (p *parcel) shift(by time.Duration) {
	for k := range p.scans {
		p.scans[k].at = p.scans[k].at.Add(by)
	}
	if p.plan != noAnomaly {
		p.planted = p.planted.Add(by)
	}
	p.shipped = p.scans[0].at
}

func (w *World) addParcel(p *parcel, forgotten bool) {
	w.parcels = append(w.parcels, p)
	w.numbers[p.number] = p
	seq := 0
	at := func(t time.Time, e Entry, do func()) {
		seq++
		w.schedule(event{at: t, actor: w.o.Disputes + p.n, seq: seq, do: func(t time.Time) {
			if do != nil {
				do()
			}
			w.logParcel(t, p, e)
		}})
	}
	at(p.shipped, Entry{Actor: ActorPlatform, Kind: KindShipped}, nil)
	if !forgotten {
		at(p.shipped, Entry{Actor: ActorPlatform, Kind: KindRegistered}, func() {
			p.registered, p.orderNo = p.shipped, strconv.FormatInt(p.order.child, 10)
		})
	}
	for _, s := range p.scans {
		at(s.at, Entry{Actor: ActorCarrier, Kind: KindScan, Detail: s.sub}, nil)
	}
	if p.plan != noAnomaly {
		at(p.planted, Entry{Actor: ActorCarrier, Kind: KindPlanted, Detail: p.plan.String()}, nil)
	}
}

func (w *World) logParcel(at time.Time, p *parcel, e Entry) {
	e.At, e.Platform, e.Store, e.Subject = at, Track17, trackStore, p.number
	if p.order != nil {
		e.Order = strconv.FormatInt(p.order.child, 10)
	}
	w.record(e)
}

// visible are the scans made so far.
func (p *parcel) visible(t time.Time) []scan {
	for k, s := range p.scans {
		if s.at.After(t) {
			return p.scans[:k]
		}
	}
	return p.scans
}

// stopped tells since when 17TRACK no longer follows the number, and why; zero while it does.
func (p *parcel) stopped(t time.Time) (time.Time, string) {
	if !p.stoppedAt.IsZero() {
		return p.stoppedAt, "ByRequest"
	}
	since, limit := later(p.registered, p.retracked), stopsAfterSilence
	if seen := p.visible(t); len(seen) > 0 {
		last := seen[len(seen)-1]
		since = later(since, last.at)
		if last.sub == "Delivered_Other" {
			limit = stopsAfterDelivery
		}
	}
	if at := since.Add(limit); !at.After(t) {
		return at, "Expired"
	}
	return time.Time{}, ""
}

// status is the main status and sub-status as 17TRACK sees them.
func (p *parcel) status(t time.Time) (main, sub string) {
	seen := p.visible(t)
	if len(seen) == 0 {
		return "NotFound", "NotFound_Other"
	}
	sub = seen[len(seen)-1].sub
	main, _, _ = strings.Cut(sub, "_")
	if _, why := p.stopped(t); why == "Expired" && (main == "InTransit" || main == "InfoReceived") {
		return "Expired", "Expired_Other"
	}
	return main, sub
}

// trackingNumber makes a number in the form of its carrier; postal ones carry the S10 check digit.
func trackingNumber(c carrier, n int, r *rand.Rand) string {
	serial := 10_000_000 + (n*9+r.IntN(9))%90_000_000
	switch c.key {
	case 190008:
		return fmt.Sprintf("YT26%014d", n*1000+r.IntN(1000))
	case 190271:
		return fmt.Sprintf("CNFR%012d", n*1000+r.IntN(1000))
	}
	prefix := "LX"
	if c.key == 190012 {
		prefix = "UJ"
	}
	return fmt.Sprintf("%s%08d%dCN", prefix, serial, s10Check(serial))
}

func s10Check(serial int) int {
	weights := [8]int{7, 9, 5, 3, 2, 4, 6, 8} // from the last digit to the first
	sum := 0
	for _, w := range weights {
		sum += serial % 10 * w
		serial /= 10
	}
	switch c := 11 - sum%11; c {
	case 10:
		return 0
	case 11:
		return 5
	default:
		return c
	}
}
