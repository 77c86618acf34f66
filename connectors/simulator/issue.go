package simulator

import (
	"slices"
	"strconv"
	"time"

	"watchkeeper/sla"
)

// need is what the seller owes.
type need string

const (
	needNothing  need = ""
	needAnswer   need = "answer"
	needEvidence need = "evidence"
	needAddress  need = "return_address"
	needReceipt  need = "return_receipt"
)

// The clocks. Five days is confirmed by several sources [secondary, catalogue enum]; the others are marked unsure there.
const (
	answerWindow   = 5 * day
	evidenceWindow = 3 * day
	addressWindow  = 3 * day
	shipBackWindow = 10 * day
	receiptWindow  = 30 * day
)

// The timeout types of the catalogue.
const (
	waitSolution = "WAIT_SOLUTION_TIMEOUT"
	waitAddress  = "WAIT_SELLER_FILL_ADDRESS_TIMEOUT"
	waitReceipt  = "WAIT_RECEIVE_ITEM_TIMEOUT"
)

// silence is the reached_type that proves a missed deadline, spelled as the platform does.
const silence = "seller_reponse_timeout" //nolint:misspell // a wire value

// waitSellerAccept is the status of a proposal that the seller has not answered.
const waitSellerAccept = "wait_seller_accept"

// A solution is one proposal, in US dollars; the wire shows the buyer's currency too.
type solution struct {
	id                int64
	owner             string
	goods             bool
	status            string
	amount            sla.Money
	content           string
	version           int
	created, modified time.Time
	reached           string
	reachedAt         time.Time
}

// A process row is one line of a dispute's history as the platform shows it.
type process struct {
	action, member, content string
	at                      time.Time
}

// state is everything of a dispute that changes. A copy of it is what a stale read shows.
type state struct {
	issueStatus string // empty until it is opened
	status      string
	timeoutType string
	deadline    time.Time
	turn        int
	owes        need
	stake       sla.Money // what silence pays while something is owed
	modified    time.Time
	buyer       []solution
	seller      []solution
	platform    []solution
	history     []process
	lastAgree   int // the turn in which the API accepted, 0 when never
}

func (s state) clone() state {
	s.buyer, s.seller = slices.Clone(s.buyer), slices.Clone(s.seller)
	s.platform, s.history = slices.Clone(s.platform), slices.Clone(s.history)
	return s
}

type snapshot struct {
	state
	at time.Time
}

// An issue is one dispute as the platform keeps it.
type issue struct {
	*script
	state
	world    *World
	gen      int // grows with each turn, so that what was scheduled for an older one dies
	seq      int
	made     int64      // proposals so far, for their ids
	past     []snapshot // oldest first, as far back as a stale read may look
	personAt time.Time  // when the person will answer in this turn; zero when nobody was asked
}

// at schedules one of the dispute's own moves.
func (i *issue) at(t time.Time, do func(time.Time)) {
	i.seq++
	i.world.schedule(event{at: t, actor: i.n, seq: i.seq, do: do})
}

// inTurn schedules a move that only happens if the turn is still the same.
func (i *issue) inTurn(t time.Time, do func(time.Time)) {
	i.seq++
	gen := i.gen
	i.world.schedule(event{at: t, actor: i.n, seq: i.seq, live: func() bool { return i.gen == gen && i.processing() }, do: do})
}

func (i *issue) processing() bool { return i.issueStatus == "processing" }

// negotiating reports whether buyer and seller are still among themselves.
func (i *issue) negotiating() bool {
	return i.processing() && (i.owes == needAnswer || i.status == "wait_for_buyer_response")
}

func (i *issue) log(at time.Time, e Entry) {
	e.At, e.Platform, e.Store = at, AliExpress, i.order.store.id
	e.Subject, e.Order, e.Buyer = strconv.FormatInt(i.id, 10), strconv.FormatInt(i.order.child, 10), i.order.buyer
	if e.Turn == 0 {
		e.Turn = i.turn
	}
	i.world.record(e)
}

// changed notes a modification: what was true until now may still be shown for a while.
func (i *issue) changed(at time.Time) {
	i.modified = at
	keep := i.world.o.Faults.StaleRead
	if keep <= 0 {
		return
	}
	i.past = append(i.past, snapshot{at: at, state: i.clone()})
	for len(i.past) > 1 && !i.past[1].at.After(at.Add(-keep)) {
		i.past = i.past[1:]
	}
}

// asOf is the state at an instant that a stale read may look back to. False before the dispute was opened.
func (i *issue) asOf(t time.Time) (state, bool) {
	for _, s := range slices.Backward(i.past) {
		if !s.at.After(t) {
			return s.state, true
		}
	}
	if len(i.past) > 0 {
		return state{}, false
	}
	return i.state, i.issueStatus != ""
}

// claim is the buyer's proposal in force.
func (i *issue) claim() *solution { return &i.buyer[len(i.buyer)-1] }

// standing is the proposal that a deadline carries out: the platform's decision when there is one, else the buyer's.
func (i *issue) standing() *solution {
	if len(i.platform) > 0 {
		return &i.platform[len(i.platform)-1]
	}
	return i.claim()
}

// newSolution makes a proposal with the next id; the caller puts it where it belongs.
func (i *issue) newSolution(owner string, amount sla.Money, at time.Time) solution {
	i.made++
	return solution{
		id: firstSolution + int64(i.n)*100 + i.made, owner: owner, amount: amount, version: 1, created: at, modified: at,
		goods: i.goods && owner == "buyer",
	}
}

func (i *issue) wrote(action, member, content string, at time.Time) {
	i.history = append(i.history, process{action: action, member: member, content: content, at: at})
}

// A duty describes a turn in which the seller owes something.
type duty struct {
	need        need
	status      string
	timeoutType string
	window      time.Duration
	stake       sla.Money
}

// owe begins a new turn of the seller, with a fresh clock.
func (i *issue) owe(at time.Time, d duty) {
	i.nextTurn()
	i.owes, i.status, i.timeoutType, i.deadline, i.stake = d.need, d.status, d.timeoutType, at.Add(d.window), d.stake
	i.log(at, Entry{Actor: ActorPlatform, Kind: KindOwed, Amount: d.stake, Deadline: i.deadline, Detail: string(d.need)})
	i.inTurn(i.deadline, i.fall)
	i.changed(at)
}

func (i *issue) nextTurn() {
	i.turn++
	i.gen++
	i.personAt = time.Time{}
}

// wait begins a turn of somebody else.
func (i *issue) wait(at time.Time, status, timeoutType string, until time.Time) {
	i.gen++
	i.owes, i.status, i.timeoutType, i.deadline = needNothing, status, timeoutType, until
	i.changed(at)
}

func (i *issue) oweAnswer(at time.Time) {
	status := "wait_for_seller_response"
	if i.turn > 0 && i.quirks.yourWords {
		status = "wait_for_your_response"
	}
	i.owe(at, duty{needAnswer, status, waitSolution, i.world.o.Window, i.claim().amount})
}

// fall is the deadline passing in silence: the standing proposal is carried out, and counts against the shop.
func (i *issue) fall(at time.Time) {
	if i.owes == needNothing || at.Before(i.deadline) {
		return // the deadline was moved: another event stands for it
	}
	i.log(at, Entry{Actor: ActorTimeout, Kind: KindBreached, Amount: i.stake, Deadline: i.deadline, Detail: string(i.owes)})
	i.reach(i.standing(), silence, at)
	i.wrote("platform_force_reach", "system", "", at)
	i.pay(at, ActorTimeout, i.stake, paidBySilence)
	i.finish(at, ActorTimeout, "refund_success")
}

func (i *issue) reach(s *solution, how string, at time.Time) {
	s.status, s.reached, s.reachedAt, s.modified = "reached", how, at, at
}

func (i *issue) pay(at time.Time, who Actor, amount sla.Money, why string) {
	if amount.Minor > 0 {
		i.log(at, Entry{Actor: who, Kind: KindPaid, Amount: amount, Detail: why})
	}
}

// finish closes the dispute.
func (i *issue) finish(at time.Time, who Actor, status string) {
	i.end(at, who, "finish", status)
}

func (i *issue) end(at time.Time, who Actor, issueStatus, status string) {
	i.gen++
	i.issueStatus, i.status, i.timeoutType, i.deadline, i.owes = issueStatus, status, "", time.Time{}, needNothing
	i.log(at, Entry{Actor: who, Kind: KindClosed, Detail: status})
	i.changed(at)
}
