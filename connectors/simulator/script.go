package simulator

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"watchkeeper/sla"
)

// First ids; each is past 2^53, so that a float64 loses it.
const (
	firstIssue    int64 = 912345678901234500
	firstSolution int64 = 912400000000000000
	firstParent   int64 = 819000000000000000
)

// A complaint is one reason a buyer can give, in the platform's words.
type complaint struct {
	reason           sla.Reason
	id               int
	english, chinese string
	weight           int
	full             float64 // how often everything is asked for
	goods            float64 // how often the goods are to go back
}

var complaints = []complaint{
	{sla.ReasonNotReceived, 2001, "Package has not arrived", "物流途中", 40, 0.9, 0},
	{sla.ReasonNotAsDescribed, 3001, "Color/size not as described", "货不对版", 18, 0.4, 0.25},
	{sla.ReasonNotAsDescribed, 3002, "Quality Problem", "质量问题", 12, 0.4, 0.2},
	{sla.ReasonDamaged, 3003, "Product arrived damaged", "货物破损", 10, 0.5, 0.1},
	{sla.ReasonWrongItem, 3004, "Received wrong product", "发错货", 7, 0.6, 0.3},
	{sla.ReasonMissing, 3005, "Quantity shortage", "货物短装", 6, 0.2, 0},
	{sla.ReasonCounterfeit, 3006, "Suspected counterfeit", "销售假货", 3, 0.9, 0.2},
	{sla.ReasonChangedMind, 3007, "I no longer want this product", "无理由退货", 4, 0.8, 1},
}

// A market is where a buyer lives, with a made-up fixed rate: local minor units for 10,000 US cents.
type market struct {
	country string
	local   sla.Currency
	rate    int64
	offset  time.Duration
	post    carrier
	weight  int
}

var markets = []market{
	{"US", "USD", 10_000, -5 * time.Hour, carrier{21051, "USPS"}, 30},
	{"FR", "EUR", 9_200, time.Hour, carrier{6051, "La Poste"}, 18},
	{"DE", "EUR", 9_200, time.Hour, carrier{7041, "DHL Paket"}, 14},
	{"BR", "BRL", 54_000, -3 * time.Hour, carrier{2151, "Correios"}, 14},
	{"ES", "EUR", 9_200, time.Hour, carrier{19181, "Correos"}, 12},
	{"GB", "GBP", 7_900, 0, carrier{11031, "Royal Mail"}, 8},
	{"JP", "JPY", 15_000, 9 * time.Hour, carrier{10021, "Japan Post"}, 4},
}

func (m market) money(usd sla.Money) sla.Money {
	return sla.Money{Minor: usd.Minor * m.rate / 10_000, Currency: m.local}
}

// An order is what a dispute and a parcel are about.
type order struct {
	child, parent int64
	store         *store
	buyer         string
	market        market
	product       string
	amount        sla.Money
	created       time.Time
	extended      int // days of protection added
	issue         *issue
	parcel        *parcel
}

// A script is what a buyer will do, drawn before anything happens. An offset of zero means never.
type script struct {
	n      int
	id     int64
	order  *order
	why    complaint
	ask    sla.Money
	goods  bool // wants to send the goods back
	openAt time.Time
	edit   time.Duration
	editTo sla.Money
	quit   time.Duration
	call   time.Duration // for arbitration
	move   time.Duration // of the deadline, by the platform
	moveBy time.Duration
	quirks quirks
}

// quirks are the ways in which one dispute's records differ on the wire.
type quirks struct {
	textIDs   bool // identifiers come as JSON strings
	nul       bool // a stray NUL follows the status
	keepsID   bool // an edited proposal keeps its id and grows its version; else it is a new one
	plainNo   bool // a refusal is result_object=false; else an error with a sub_code
	yourWords bool // the seller's later turns are called wait_for_your_response
}

func (w *World) writeScripts() {
	for n := range w.o.Disputes {
		r := draw(w.o.Seed, forScript, uint64(n))
		why := complaints[pick(r, weightsOf(complaints, func(c complaint) int { return c.weight }))]
		o := w.newOrder(n, r)
		s := &script{n: n, id: firstIssue + int64(n)*13, order: o, why: why, openAt: w.openAt(r)}
		s.ask = o.amount
		if !sometimes(r, why.full) {
			s.ask = o.amount.Share(2000 + r.IntN(7000))
		}
		s.goods = sometimes(r, why.goods)
		if w.o.Deadline != nil {
			s.openAt, s.goods = w.o.Deadline(n).UTC().Add(-answerWindow), false
		} else {
			s.plot(r, o)
			w.moves(s)
		}
		s.quirks = quirks{
			textIDs: sometimes(r, 0.2), nul: sometimes(r, 0.15), keepsID: sometimes(r, 0.5),
			plainNo: sometimes(r, 0.5), yourWords: sometimes(r, 0.3),
		}
		o.created = s.openAt.Add(-between(r, 18*day, 50*day))
		w.addIssue(s)
	}
	for _, st := range w.stores {
		slices.SortFunc(st.issues, func(a, b *issue) int {
			return cmp.Or(b.openAt.Compare(a.openAt), cmp.Compare(b.n, a.n)) // the platform lists the newest first
		})
	}
}

// plot draws what the buyer will do without being asked.
func (s *script) plot(r *rand.Rand, o *order) {
	if sometimes(r, 0.18) {
		s.edit, s.editTo = between(r, 6*time.Hour, 96*time.Hour), o.amount.Share(2000+r.IntN(8001))
	}
	if sometimes(r, 0.10) {
		s.quit = between(r, 4*time.Hour, 120*time.Hour)
	}
	if sometimes(r, 0.10) {
		s.call = between(r, time.Minute, 100*time.Hour)
	}
}

// moves draws whether the platform changes the first deadline. An earlier one still leaves half a day from the change.
func (w *World) moves(s *script) {
	r := draw(w.o.Seed, forMove, uint64(s.n))
	if !sometimes(r, w.o.Faults.MovedDeadline) {
		return
	}
	s.move = between(r, 2*time.Hour, 48*time.Hour)
	s.moveBy = between(r, 12*time.Hour, 48*time.Hour)
	if sometimes(r, 0.6) {
		s.moveBy = -s.moveBy
	}
}

// openAt spreads the disputes over the month; none opens in its last fifth. One in ten was open before it began. A month of a few
// days would see no deadline at all with that, so half of its disputes were, and the first of them are nearly due.
func (w *World) openAt(r *rand.Rand) time.Time {
	if short := w.o.Window; short < answerWindow {
		return w.o.Start.Add(between(r, -short/24, short/6)) // a fifth is open at the start, and all have most of their time left
	}
	share, before := 0.1, 3*day
	if w.o.length() < 2*answerWindow {
		share, before = 0.5, answerWindow-12*time.Hour
	}
	if sometimes(r, share) {
		return w.o.Start.Add(-between(r, time.Hour, before))
	}
	return w.o.Start.Add(between(r, time.Minute, w.o.length()*8/10))
}

func (w *World) newOrder(n int, r *rand.Rand) *order {
	o := &order{
		parent: firstParent + int64(n)*10, child: firstParent + int64(n)*10 + 2,
		store:   w.stores[n%len(w.stores)],
		market:  markets[pick(r, weightsOf(markets, func(m market) int { return m.weight }))],
		product: products[r.IntN(len(products))],
		amount:  sla.Money{Minor: 300 + r.Int64N(8700), Currency: "USD"},
	}
	o.buyer = login(o.market, n)
	if w.o.Buyers > 0 {
		b := draw(w.o.Seed, forBuyer, uint64(n)).IntN(w.o.Buyers)
		o.market = markets[pick(draw(w.o.Seed, forBuyer, uint64(b), 1), weightsOf(markets, func(m market) int { return m.weight }))]
		o.buyer = login(o.market, b)
	}
	w.orders[o.child], w.orders[o.parent] = o, o
	return o
}

// login is what the platform calls a buyer.
func login(m market, n int) string { return fmt.Sprintf("%s15%08dxyz", lower(m.country), n) }

var products = []string{"Desk lamp", "Phone case", "Bluetooth earbuds", "Hair dryer", "Yoga mat", "Кружка", "Vestido de verão"}

func lower(country string) string {
	return string([]byte{country[0] + 'a' - 'A', country[1] + 'a' - 'A'})
}

func (w *World) addIssue(s *script) {
	i := &issue{script: s, world: w}
	s.order.issue = i
	w.issues = append(w.issues, i)
	w.byID[s.id] = i
	s.order.store.issues = append(s.order.store.issues, i)
	i.at(s.openAt, i.open)
}

func weightsOf[T any](all []T, weight func(T) int) []int {
	out := make([]int, len(all))
	for i, x := range all {
		out[i] = weight(x)
	}
	return out
}
