package simulator

import (
	"math/rand/v2"
	"time"

	"watchkeeper/sla"
)

// Texts of buyers carry a canary: none of it may ever turn up in our logs, metrics or errors.
const buyerText = "CANARY-BUYER-TEXT je n'ai rien reçu / 没有收到货"

// open is the buyer's first proposal. What the script holds for later is scheduled here.
func (i *issue) open(at time.Time) {
	s := i.newSolution("buyer", i.ask, at)
	s.status, s.content = waitSellerAccept, buyerText
	i.buyer = append(i.buyer, s)
	i.issueStatus = "processing"
	i.wrote("initiate", "buyer", buyerText, at)
	i.log(at, Entry{Actor: ActorBuyer, Kind: KindOpened, Turn: 1, Amount: i.ask, Detail: i.why.reason.String()})
	i.oweAnswer(at)
	for _, later := range []struct {
		after time.Duration
		do    func(time.Time)
	}{{i.edit, i.editOnce}, {i.quit, i.withdraw}, {i.call, i.arbitrate}, {i.move, i.moveDeadline}} {
		if later.after > 0 {
			i.at(at.Add(later.after), later.do)
		}
	}
}

func (i *issue) editOnce(at time.Time) { i.revise(at, i.editTo) }

// revise is a new proposal of the buyer: a new turn with a fresh clock, whoever was to move.
func (i *issue) revise(at time.Time, amount sla.Money) {
	if !i.negotiating() {
		return
	}
	old := i.claim()
	if i.quirks.keepsID {
		old.version, old.amount, old.modified, old.status = old.version+1, amount, at, waitSellerAccept
		i.wrote("buyer_modify_solution", "buyer", buyerText, at)
	} else {
		old.status, old.modified = "reach_cancle", at
		s := i.newSolution("buyer", amount, at)
		s.status, s.version, s.content = waitSellerAccept, old.version+1, buyerText
		i.buyer = append(i.buyer, s)
		i.wrote("buyer_create_solution", "buyer", buyerText, at)
	}
	i.log(at, Entry{Actor: ActorBuyer, Kind: KindEdited, Turn: i.turn + 1, Amount: amount})
	i.oweAnswer(at)
}

func (i *issue) withdraw(at time.Time) {
	if !i.negotiating() {
		return
	}
	i.wrote("cancel", "buyer", "", at)
	i.log(at, Entry{Actor: ActorBuyer, Kind: KindWithdrawn})
	// What the fine status says after a withdrawal is not documented: nothing was refunded, so refund_reject (unsure).
	i.end(at, ActorBuyer, "canceled_issue", "refund_reject")
}

// arbitrate calls the platform. One time in four it wants evidence first, which no API takes.
func (i *issue) arbitrate(at time.Time) {
	if !i.negotiating() {
		return
	}
	r := draw(i.world.o.Seed, forArbitration, uint64(i.n))
	i.wrote("buyer_initiate_arbitration", "buyer", "", at)
	i.log(at, Entry{Actor: ActorBuyer, Kind: KindArbitrated, Turn: i.turn + 1})
	if sometimes(r, 0.25) {
		i.owe(at, duty{needEvidence, "wait_for_your_evidence", waitSolution, evidenceWindow, i.claim().amount})
		return
	}
	i.nextTurn()
	i.awaitDecision(at, "wait_for_AE_feedback", r)
}

// awaitDecision leaves the dispute with the platform for some hours.
func (i *issue) awaitDecision(at time.Time, status string, r *rand.Rand) {
	i.wait(at, status, "", time.Time{})
	i.inTurn(at.Add(between(r, 4*time.Hour, 40*time.Hour)), func(t time.Time) { i.decide(t, r) })
}

// decide is the platform's judgement: everything, half or nothing; a return has to be prepared by the seller first.
func (i *issue) decide(at time.Time, r *rand.Rand) {
	amount := i.claim().amount
	switch pick(r, []int{60, 20, 20}) {
	case 1:
		amount = amount.Share(5000)
	case 2:
		amount.Minor = 0
	}
	s := solution{
		id: -2, owner: "platform", amount: amount, version: 1, created: at, modified: at, // the pseudo id was seen live
		goods: i.goods && amount.Minor > 0, status: waitSellerAccept,
	}
	i.platform = append(i.platform, s)
	if s.goods {
		i.owe(at, duty{needAddress, "wait_for_seller_set_return_address", waitAddress, addressWindow, amount})
		return
	}
	i.reach(&i.platform[len(i.platform)-1], "platform_arbitrate", at)
	i.wrote("platform_force_reach", "platform", "", at)
	i.pay(at, ActorPlatform, amount, paidByArbitration)
	if amount.Minor > 0 {
		i.finish(at, ActorPlatform, "refund_success")
	} else {
		i.finish(at, ActorPlatform, "refund_reject")
	}
}

// answered hands the dispute to the buyer, who reacts some hours later.
func (i *issue) answered(at time.Time) {
	i.wait(at, "wait_for_buyer_response", waitSolution, at.Add(answerWindow))
	r := draw(i.world.o.Seed, forReaction, uint64(i.n), uint64(i.turn))
	i.inTurn(at.Add(between(r, 3*time.Hour, 60*time.Hour)), func(t time.Time) { i.react(t, r) })
}

// react is the buyer's word on the seller's latest proposal: the better the offer, the likelier a yes. From the third turn on a
// buyer who does not agree calls the platform, so that no dispute goes round for ever.
func (i *issue) react(at time.Time, r *rand.Rand) {
	offer, claim := &i.seller[len(i.seller)-1], i.claim()
	ratio := float64(offer.amount.Minor) / float64(max(claim.amount.Minor, 1))
	likely := 0.25 + 0.7*ratio
	if offer.amount.Minor == 0 {
		likely = 0.15
	}
	if sometimes(r, likely) {
		i.takeOffer(at, offer)
		return
	}
	offer.status, offer.modified = "buyer_refused", at
	i.wrote("buyer_refuse", "buyer", "", at)
	weights := []int{30, 45, 15, 10} // edit, refuse, arbitrate, withdraw
	if i.turn >= 3 {
		weights = []int{0, 0, 80, 20}
	}
	switch pick(r, weights) {
	case 0:
		i.revise(at, claim.amount.Share(6000+r.IntN(4001)))
	case 1:
		i.log(at, Entry{Actor: ActorBuyer, Kind: KindDeclined, Turn: i.turn + 1})
		claim.status = waitSellerAccept
		i.oweAnswer(at)
	case 2:
		i.arbitrate(at)
	default:
		i.withdraw(at)
	}
}

func (i *issue) takeOffer(at time.Time, offer *solution) {
	i.reach(offer, "negotiation_consensus", at)
	i.wrote("buyer_accept", "buyer", "", at)
	if offer.goods {
		i.awaitReturn(at, offer.amount)
		return
	}
	i.pay(at, ActorBuyer, offer.amount, paidByAnswer)
	if offer.amount.Minor == 0 {
		i.finish(at, ActorBuyer, "refund_reject")
		return
	}
	i.finish(at, ActorBuyer, "refund_success")
}

// moveDeadline is the platform changing its mind about the clock of the first turn, in either direction.
func (i *issue) moveDeadline(at time.Time) {
	if i.turn != 1 || i.owes != needAnswer {
		return
	}
	i.deadline = later(i.deadline.Add(i.moveBy), at.Add(12*time.Hour))
	i.log(at, Entry{Actor: ActorPlatform, Kind: KindMoved, Deadline: i.deadline})
	i.inTurn(i.deadline, i.fall)
	i.changed(at)
	i.hurryPerson(at)
}
