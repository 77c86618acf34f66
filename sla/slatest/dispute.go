package slatest

import (
	"time"

	"watchkeeper/sla"
)

const day = 24 * time.Hour

// Rule is a live rule with every value set by a variable: a window of five days, warnings at 48 h and 40 h, act at 36 h, guard at 2 h.
func Rule() sla.Rule {
	return sla.Rule{
		Window:     sla.By("WK_SLA__RESPONSE_WINDOW", 5*day),
		Warn:       sla.By("WK_SLA__WARN", []sla.WarnPoint{{Before: 48 * time.Hour, Channel: sla.ChannelChat}, {Before: 40 * time.Hour, Channel: sla.ChannelChat}}),
		ActBefore:  sla.By("WK_SLA__ACT_BEFORE", 36*time.Hour),
		ActAfter:   sla.By("WK_SLA__ACT_AFTER", sla.Never),
		Guard:      sla.By("WK_SLA__GUARD", 2*time.Hour),
		Mode:       sla.By("WK_SLA__MODE", sla.ModeLive),
		Settle:     sla.By("WK_SLA__SETTLE", 10*time.Minute),
		Recheck:    sla.By("WK_SLA__RECHECK", 6*time.Hour),
		OfferShare: sla.By("WK_SLA__OFFER_SHARE", 3000),
		AcceptCap:  sla.By("WK_SLA__ACCEPT_CAP", USD(2500)),
		Extend:     sla.By("WK_SLA__EXTEND", 10*day),
	}
}

// USD is an amount of cents.
func USD(cents int64) sla.Money { return sla.Money{Minor: cents, Currency: "USD"} }

// Ref is the dispute AE01/9000000001 of AliExpress.
func Ref() sla.DisputeRef {
	return sla.DisputeRef{ID: sla.DisputeID{Platform: "aliexpress", Store: "AE01", Native: "9000000001"}, Order: "8100000001"}
}

// Obligation was opened at Epoch, is due five days later and takes an acceptance, an offer or a refusal.
func Obligation() sla.Obligation {
	return sla.Obligation{
		Turn:     7,
		Kinds:    sla.Answers(sla.AnswerAccept, sla.AnswerOffer, sla.AnswerRefuse),
		Opened:   Epoch,
		Deadline: Epoch.Add(5 * day),
		Cost:     USD(1999),
	}
}

// Dispute waits for the seller with the one obligation of Obligation: a parcel not received, 19.99 USD.
func Dispute() sla.Dispute {
	return sla.Dispute{
		DisputeRef:  Ref(),
		State:       sla.StateSeller,
		Reason:      sla.ReasonNotReceived,
		Opened:      Epoch,
		Modified:    Epoch,
		Buyer:       42,
		Country:     "ES",
		Claimed:     USD(1999),
		Obligations: []sla.Obligation{Obligation()},
		Proposal:    "70001",
	}
}

// Case is the record of Dispute as it was first seen.
func Case() sla.Case {
	d := Dispute()
	return sla.Case{
		DisputeRef: d.DisputeRef,
		Version:    1,
		State:      d.State,
		Reason:     d.Reason,
		Claimed:    d.Claimed,
		Obligation: d.Obligations[0],
		Next:       Epoch.Add(3 * day),
	}
}
