package simulator

import (
	"strconv"
	"time"

	"watchkeeper/sla"
)

// extendInDispute says whether buyer protection can be lengthened while a dispute is open. The present documents do not restrict it;
// the retired gateway's page for the same method did (unsure).
const extendInDispute = true

// mostExtended is how many days of protection an order can get in all (unsure: no figure is published).
const mostExtended = 90

// A refusal is why the platform does not do what the seller asks.
type refusal string

// The refusals, as they appear in sub_code.
const (
	accepted       refusal = ""
	noSuchIssue    refusal = "isv.issue-not-exist"
	wrongState     refusal = "isv.issue-status-illegal"
	noSuchSolution refusal = "isv.solution-not-exist"
	overCap        refusal = "isv.refund-amount-exceeded"
	badAmount      refusal = "isv.refund-amount-invalid"
	badType        refusal = "isv.solution-type-not-allowed"
	noAddress      refusal = "isv.return-address-missing"
	noText         refusal = "isv.solution-context-missing"
)

// refused logs an attempt without effect.
func (i *issue) refused(at time.Time, by Actor, why refusal) refusal {
	i.log(at, Entry{Actor: by, Kind: KindRefused, Detail: string(why)})
	return why
}

// open to the seller: buyer and seller negotiate, or the platform has not decided yet.
func (i *issue) sellerMayAct() bool {
	return i.negotiating() || i.processing() && (i.owes != needNothing && i.owes != needReceipt || i.status == "wait_for_AE_feedback")
}

// agree accepts a proposal of the buyer or the platform as it stands now.
func (i *issue) agree(at time.Time, by Actor, solutionID, addressID int64) refusal {
	s := i.standing()
	switch {
	case by == ActorSeller && i.lastAgree != 0 && i.lastAgree == i.turn:
		// Nothing is paid twice, but the seller tried: the judge counts it.
		i.log(at, Entry{Actor: by, Kind: KindAgreed, Detail: agreedAgain})
		return wrongState
	case !i.sellerMayAct():
		return i.refused(at, by, wrongState)
	case s.id != solutionID:
		return i.refused(at, by, noSuchSolution)
	case s.goods && addressID == 0:
		return i.refused(at, by, noAddress)
	}
	i.log(at, Entry{Actor: by, Kind: KindAgreed, Amount: s.amount})
	if by == ActorSeller {
		i.lastAgree = i.turn
	}
	how := "negotiation_consensus"
	if s.owner == "platform" {
		how = "platform_arbitrate"
	}
	i.reach(s, how, at)
	i.wrote("seller_accept", "seller", "", at)
	if s.goods {
		i.awaitReturn(at, s.amount)
		return accepted
	}
	i.pay(at, by, s.amount, paidByAnswer)
	i.finish(at, by, "refund_success")
	return accepted
}

// A proposal is what the seller puts against the buyer's.
type proposal struct {
	add      bool   // a new one; false changes the seller's own latest
	kind     string // empty: the same as the buyer's
	answers  int64  // the buyer's proposal, for a new one
	modifies int64  // the seller's own, for a changed one
	amount   sla.Money
	text     string
	address  int64
}

// check finds what is wrong with a proposal.
func (i *issue) check(p proposal) refusal {
	goods := p.kind == "return_and_refund" || p.kind == "" && i.goods
	switch {
	case !i.sellerMayAct() || i.owes == needEvidence || i.owes == needAddress:
		return wrongState
	case p.add && p.answers != i.claim().id:
		return noSuchSolution
	case !p.add && (len(i.seller) == 0 || p.modifies != i.seller[len(i.seller)-1].id):
		return noSuchSolution
	case p.amount.Minor < 0 || p.amount.Currency != i.order.amount.Currency:
		return badAmount
	case !p.amount.AtMost(i.order.amount):
		return overCap
	case p.text == "":
		return noText
	case goods != i.goods && i.why.reason != sla.ReasonNotAsDescribed:
		return badType
	case goods && p.address == 0:
		return noAddress
	}
	return accepted
}

// propose puts a counter-proposal before the buyer; an amount of 0 is a refusal. A second one in the same turn is taken as well:
// what the platform does then is not documented (unsure), and this way the judge can see it.
func (i *issue) propose(at time.Time, by Actor, p proposal) refusal {
	if why := i.check(p); why != accepted {
		return i.refused(at, by, why)
	}
	if p.add {
		s := i.newSolution("seller", p.amount, at)
		s.status, s.content = "wait_buyer_accept", p.text
		s.goods = p.kind == "return_and_refund" || p.kind == "" && i.goods
		i.seller = append(i.seller, s)
		i.wrote("seller_create_solution", "seller", p.text, at)
	} else {
		s := &i.seller[len(i.seller)-1]
		s.amount, s.content, s.modified, s.status = p.amount, p.text, at, "wait_buyer_accept"
		s.version++
		i.wrote("seller_modify_solution", "seller", p.text, at)
	}
	i.log(at, Entry{Actor: by, Kind: KindProposed, Amount: p.amount})
	if i.owes == needAnswer {
		i.answered(at)
	} else {
		i.changed(at)
	}
	return accepted
}

// awaitReturn gives the buyer ten days to send the goods; one in seven never does.
func (i *issue) awaitReturn(at time.Time, amount sla.Money) {
	i.wait(at, "wait_for_buyer_return", "", at.Add(shipBackWindow))
	r := draw(i.world.o.Seed, forReturn, uint64(i.n))
	if sometimes(r, 0.15) {
		i.inTurn(i.deadline, func(t time.Time) { i.finish(t, ActorPlatform, "refund_reject") })
		return
	}
	i.inTurn(at.Add(between(r, day, 9*day)), func(t time.Time) {
		i.wait(t, "wait_for_service_provider_response", "", time.Time{})
		i.inTurn(t.Add(between(r, 5*day, 14*day)), func(t time.Time) {
			i.owe(t, duty{needReceipt, "wait_for_seller_confirmation", waitReceipt, receiptWindow, amount})
		})
	})
}

// extend lengthens the buyer's protection; the codes are the method's own.
func (w *World) extend(at time.Time, o *order, days int64) (code int) {
	switch {
	case days < 1 || int64(o.extended)+days > mostExtended:
		return 201
	case !extendInDispute && o.issue != nil && o.issue.processing():
		return 210
	}
	o.extended += int(days)
	e := Entry{Actor: ActorSeller, Kind: KindExtended, Detail: strconv.FormatInt(days, 10)}
	if o.issue != nil {
		o.issue.log(at, e)
		return 0
	}
	e.At, e.Platform, e.Store, e.Order = at, AliExpress, o.store.id, strconv.FormatInt(o.child, 10)
	w.record(e)
	return 0
}
