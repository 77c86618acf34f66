package simulator

import (
	"math/rand/v2"
	"time"

	"watchkeeper/sla"
)

// noAnomaly marks a parcel that arrives as it should.
const noAnomaly = sla.AnomalyKind(255)

// A carrier is one of 17TRACK's keys.
type carrier struct {
	key  int
	name string
}

// A scan is one event of a parcel.
type scan struct {
	at      time.Time
	sub     string // 17TRACK's sub-status
	stage   string // the key stage, mostly none
	country string
	text    string
}

// A plan is one kind of journey, how often ordinary parcels and disputed "not received" ones take it, and how it goes.
type plan struct {
	kind              sla.AnomalyKind
	ordinary, claimed int
	drive             func(*trip)
}

var plans = []plan{
	{noAnomaly, 66, 22, (*trip).arrive},
	{sla.AnomalyStalledOrigin, 6, 16, func(t *trip) { t.origin(); t.stuck(16, 24, (*trip).fromExport) }},
	{sla.AnomalyStalled, 3, 12, func(t *trip) { t.origin(); t.export(); t.stuck(14, 22, (*trip).fromArrival) }},
	{sla.AnomalyCustomsStalled, 5, 12, func(t *trip) { t.toCustoms(); t.stuck(9, 16, (*trip).fromClearance) }},
	{sla.AnomalyCustomsHeld, 3, 8, (*trip).held},
	{sla.AnomalyDeliveryFailed, 3, 4, func(t *trip) { t.fail("DeliveryFailure_NoBody", "Delivery attempted, nobody at home") }},
	{sla.AnomalyAddress, 2, 3, func(t *trip) { t.fail("DeliveryFailure_InvalidAddress", "Adresse incorrecte, colis non distribué") }},
	{sla.AnomalyUnclaimed, 2, 3, (*trip).unclaimed},
	{sla.AnomalyReturnedBeforeExport, 2, 4, (*trip).turnedBack},
	{sla.AnomalyReturned, 2, 3, (*trip).sentBack},
	{sla.AnomalyLost, 1, 5, (*trip).lost},
	{sla.AnomalyDamaged, 1, 0, (*trip).damaged},
	{sla.AnomalyExpired, 1, 2, func(t *trip) { t.origin(); t.export(); t.after(30*day, 30*day); t.plant() }},
	{sla.AnomalyFalseDelivered, 1, 4, (*trip).falselyDelivered},
	{sla.AnomalyNoTracking, 2, 2, func(t *trip) { t.label(); t.plant() }},
}

// tripStart is any instant: a journey is drawn from it and then moved to its place in the month.
var tripStart = time.Unix(0, 0).UTC()

// A trip is a journey being drawn; its clock starts at the label.
type trip struct {
	r       *rand.Rand
	dest    string
	clock   time.Time
	scans   []scan
	planted time.Time
}

func (t *trip) after(lo, hi time.Duration) { t.clock = t.clock.Add(between(t.r, lo, hi)) }

func (t *trip) scan(sub, stage, country, text string) {
	t.scans = append(t.scans, scan{at: t.clock, sub: sub, stage: stage, country: country, text: text})
}

// plant notes that the anomaly begins here.
func (t *trip) plant() { t.planted = t.clock }

func (t *trip) label() { t.scan("InfoReceived", "InfoReceived", "CN", "Shipment information received") }

func (t *trip) origin() {
	t.label()
	t.after(6*time.Hour, 40*time.Hour)
	t.scan("InTransit_PickedUp", "PickedUp", "CN", "揽收成功")
	for range 1 + t.r.IntN(3) {
		t.after(8*time.Hour, 36*time.Hour)
		t.scan("InTransit_Other", "", "CN", "邮件到达【深圳国际处理中心】")
	}
}

func (t *trip) export() {
	if sometimes(t.r, 0.4) {
		t.after(4*time.Hour, 20*time.Hour)
		t.scan("InTransit_CustomsReleased", "", "CN", "Export clearance completed")
	}
	t.after(12*time.Hour, 60*time.Hour)
	t.scan("InTransit_Departure", "Departure", "CN", "Departed from origin airport")
}

func (t *trip) landing() {
	t.after(3*day, 9*day)
	t.scan("InTransit_Arrival", "Arrival", t.dest, "Arrived in destination country")
}

func (t *trip) customs() {
	t.after(4*time.Hour, 24*time.Hour)
	t.scan("InTransit_CustomsProcessing", "", t.dest, "Presented to import customs")
}

func (t *trip) toCustoms() { t.origin(); t.export(); t.landing(); t.customs() }

func (t *trip) cleared() {
	t.after(12*time.Hour, 60*time.Hour)
	t.scan("InTransit_CustomsReleased", "", t.dest, "Released by customs")
}

func (t *trip) toDoor() {
	for range 1 + t.r.IntN(2) {
		t.after(8*time.Hour, 36*time.Hour)
		t.scan("InTransit_Other", "", t.dest, "Arrived at local sorting facility")
	}
	t.after(8*time.Hour, 24*time.Hour)
	t.scan("OutForDelivery_Other", "OutForDelivery", t.dest, "Out for delivery")
}

func (t *trip) delivered() {
	t.after(3*time.Hour, 9*time.Hour)
	t.scan("Delivered_Other", "Delivered", t.dest, "Delivered")
}

func (t *trip) fromClearance() { t.cleared(); t.toDoor(); t.delivered() }
func (t *trip) fromArrival()   { t.landing(); t.customs(); t.fromClearance() }
func (t *trip) fromExport()    { t.export(); t.fromArrival() }
func (t *trip) arrive()        { t.origin(); t.fromExport() }

// stuck is a silence; one parcel in three goes on after that many days.
func (t *trip) stuck(lo, hi int, rest func(*trip)) {
	t.plant()
	if sometimes(t.r, 0.35) {
		t.after(time.Duration(lo)*day, time.Duration(hi)*day)
		rest(t)
	}
}

func (t *trip) held() {
	t.toCustoms()
	t.after(12*time.Hour, 2*day)
	if sometimes(t.r, 0.3) {
		t.scan("Exception_Security", "", t.dest, "Held by customs, documents required")
	} else {
		t.scan("InTransit_CustomsRequiringInformation", "", t.dest, "Customs: information required from recipient")
	}
	t.stuck(3, 10, (*trip).fromClearance)
}

func (t *trip) fail(sub, text string) {
	t.toCustoms()
	t.cleared()
	t.toDoor()
	t.after(3*time.Hour, 9*time.Hour)
	t.scan(sub, "", t.dest, text)
	t.plant()
	if sometimes(t.r, 0.6) {
		t.after(day, 4*day)
		t.delivered()
	}
}

func (t *trip) unclaimed() {
	t.toCustoms()
	t.cleared()
	t.after(day, 3*day)
	t.scan("AvailableForPickup_Other", "AvailableForPickup", t.dest, "Objeto aguardando retirada")
	t.plant()
	t.after(5*day, 12*day)
	if sometimes(t.r, 0.5) {
		t.delivered()
		return
	}
	t.backFrom(t.dest)
}

func (t *trip) backFrom(country string) {
	t.scan("Exception_Returning", "Returning", country, "Returning to sender")
}

func (t *trip) turnedBack() {
	t.origin()
	t.after(day, 3*day)
	t.backFrom("CN")
	t.plant()
	t.after(2*day, 6*day)
	t.scan("Exception_Returned", "Returned", "CN", "退回妥投")
}

func (t *trip) sentBack() {
	t.toCustoms()
	t.cleared()
	t.toDoor()
	t.after(4*time.Hour, day)
	t.scan("DeliveryFailure_Rejected", "", t.dest, "Refused by recipient")
	t.after(day, 3*day)
	t.backFrom(t.dest)
	t.plant()
	t.after(10*day, 20*day)
	t.scan("Exception_Returned", "Returned", "CN", "退回妥投")
}

func (t *trip) lost() {
	t.origin()
	t.export()
	t.landing()
	t.after(10*day, 18*day)
	t.scan("Exception_Lost", "", t.dest, "Item declared lost after investigation")
	t.plant()
}

func (t *trip) damaged() {
	t.toCustoms()
	t.cleared()
	t.after(8*time.Hour, 2*day)
	t.scan("Exception_Damage", "", t.dest, "Parcel damaged in handling")
	t.plant()
}

func (t *trip) falselyDelivered() {
	t.origin()
	t.export()
	t.after(2*day, 5*day)
	t.scan("Delivered_Other", "Delivered", "CN", "Delivered")
	t.plant()
}
