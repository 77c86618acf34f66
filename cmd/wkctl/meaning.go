package main

import "watchkeeper/sla"

// meanings say in a sentence what the reason of a decision or of an answer means.
var meanings = map[sla.Why]string{
	sla.WhyNone:           "no reason is given",
	sla.WhyClosed:         "the dispute is closed",
	sla.WhyNotOurTurn:     "nothing is owed by the seller now",
	sla.WhyEarly:          "no stage is reached yet",
	sla.WhyWarnPoint:      "a warn point passed that people were not told of",
	sla.WhyDue:            "the time to answer is reached, and the mode is live",
	sla.WhyUnresolved:     "an earlier attempt has an unknown outcome; it is learnt from the platform before anything else",
	sla.WhyAnswered:       "answered in this turn; the platform does not show it yet",
	sla.WhyShadow:         "an answer is due, and the mode only records",
	sla.WhyApproval:       "an answer is due, and the mode wants a person's yes",
	sla.WhyPersonNeeded:   "no answer that a machine can give would satisfy the platform",
	sla.WhyGuardPassed:    "too little time is left for a safe answer; only a person may act",
	sla.WhyDeadlinePassed: "the deadline is gone",
	sla.WhyNoDeadline:     "something is owed, and nobody knows until when",
	sla.WhyMoving:         "the parcel is on its way",
	sla.WhyDelivered:      "the parcel was delivered",
	sla.WhyLost:           "the parcel is lost, destroyed or cancelled",
	sla.WhyReturned:       "the parcel came back or is on its way back",
	sla.WhySeized:         "customs keep the parcel",
	sla.WhyNegotiate:      "a first, smaller offer is made",
	sla.WhyWithinCap:      "the claim is within the cap",
	sla.WhyOverCap:        "what answers to the dispute may cost is not enough: the cap",
	sla.WhyNoFacts:        "nothing is known to argue with",
	sla.WhyReturnGoods:    "the buyer wants to send the goods back",
	sla.WhyUnshown:        "answered, and the platform does not show it although guard is passed",
	sla.WhyPlatformSaysNo: "the platform refuses our answer",
	sla.WhyNoAccess:       "the platform does not let us in",
	sla.WhyKilled:         "an answer is due, and a kill switch is on",
	sla.WhyRejected:       "a person has said no to the answer of this turn",
	sla.WhyApproved:       "an answer is due, and a person has said yes",
	sla.WhyUnanswered:     "nobody has said yes or no in time, and a rule says what becomes of the answer then",
	sla.WhyAboveApproval:  "the answer costs more than goes without a person's yes",
	sla.WhyManyClaims:     "the buyer has opened many disputes of late",
	sla.WhyHeld:           "an operator holds the case",
	sla.WhyOverBudget:     "a budget has not enough left",
	sla.WhyStorm:          "too many answers that pay went out in a short time",
	sla.WhyRule:           "a rule prefers this answer",
	sla.WhyNoStep:         "none of the preferred answers fits",
	sla.WhyNotYet:         "the first of the preferred answers is still to come",
	sla.WhyDearer:         "it costs more than the answer that was chosen",
	sla.WhyEvidence:       "what it needs is not known of the parcel",
	sla.WhyClockWrong:     "a process takes no work because its clock is off that of Redis",
	sla.WhyTimeShort:      "not all answers that are due on the platform may go out in time",
}

func meaning(w sla.Why) string {
	if text, ok := meanings[w]; ok {
		return text
	}
	return w.String()
}
