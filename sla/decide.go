package sla

import (
	"time"
)

// Action is what a decision says to do.
type Action uint8

// The actions.
const (
	ActionWait    Action = iota // nothing now; look again at Decision.Next
	ActionWarn                  // tell people that time is running
	ActionAct                   // find an answer and send it
	ActionResolve               // learn from the platform what became of an attempt of unknown outcome; sends nothing
	ActionHold                  // an answer is due, and a person must approve it
	ActionPage                  // a person must act
	ActionLeave                 // nothing is to be done with this dispute (any more)
	ActionShadow                // find an answer and record it; sends nothing
)

var actionNames = names{"wait", "warn", "act", "resolve", "hold", "page", "leave", "shadow"}

func (a Action) String() string { return actionNames.of(int(a)) }

// Actions lists every action, for labels.
func Actions() []Action { return all[Action](len(actionNames)) }

// Why is the reason of a decision or of an answer, from a closed list.
type Why uint8

// The reasons of decisions, then the grounds of answers.
const (
	WhyNone Why = iota
	WhyClosed
	WhyNotOurTurn
	WhyEarly          // no stage reached yet
	WhyWarnPoint      // a warn point passed
	WhyDue            // the act stage is reached
	WhyUnresolved     // an earlier attempt has an unknown outcome
	WhyAnswered       // answered in this turn; waiting for the platform to show it
	WhyShadow         // due, and the mode only records
	WhyApproval       // due, and the mode wants a person's yes
	WhyPersonNeeded   // no answer that a machine can give would satisfy the obligation
	WhyGuardPassed    // too late for a safe answer
	WhyDeadlinePassed // the deadline is gone
	WhyNoDeadline     // something is owed and nobody knows until when
	WhyMoving         // ground: the parcel is on its way
	WhyDelivered      // ground: the parcel was delivered
	WhyLost           // ground: the parcel is lost or destroyed
	WhyReturned       // ground: the parcel came back or is on its way back
	WhySeized         // ground: customs keep the parcel
	WhyNegotiate      // ground: a first, smaller offer
	WhyWithinCap      // ground: after an offer, and not more than the cap
	WhyOverCap        // ground for a person: more than the cap
	WhyNoFacts        // ground for a person: nothing known to argue with
	WhyReturnGoods    // ground for a person: the buyer wants to send the goods back
	WhyUnshown        // answered, and the platform does not show it
	WhyPlatformSaysNo // the platform refuses our answer
	WhyNoAccess       // the platform does not let us in
	WhyKilled         // due, and a kill switch is on
	WhyRejected       // a person has said no to the answer of this turn
	WhyApproved       // due, and a person has said yes
	WhyUnanswered     // nobody has said yes or no in time, and the rule says what becomes of the answer then
	WhyAboveApproval  // ground for a person: the answer costs more than goes without a yes
	WhyManyClaims     // ground for a person: the buyer has opened many disputes
	WhyHeld           // ground for a person: an operator holds the case
	WhyOverBudget     // ground for a person: a budget has not enough left
	WhyStorm          // ground for a person: too many paying answers in a short time
	WhyRule           // ground: a step of the operator's own
	WhyNoStep         // ground for a person: none of the operator's steps fits
	WhyNotYet         // the first of the operator's steps is still to come
	WhyDearer         // why another answer lost: it costs more than the one chosen
	WhyEvidence       // why another answer lost: what it needs is not known of the parcel
	WhyTimeShort      // ground for a person: not all answers that are due can be sent in time
	WhyClockWrong     // ground for a person: a process takes no work because its clock is off
)

var whyNames = names{
	"none", "closed", "not_our_turn", "early", "warn_point", "due", "unresolved", "answered", "shadow", "approval", "person_needed",
	"guard_passed", "deadline_passed", "no_deadline", "parcel_moving", "parcel_delivered", "parcel_lost", "parcel_returned",
	"parcel_seized", "negotiate", "within_cap", "over_cap", "no_facts", "return_of_goods", "unshown",
	"platform_says_no", "no_access", "killed", "rejected", "approved", "unanswered", "above_approval", "many_claims", "held", "over_budget",
	"storm", "rule", "no_step", "not_yet", "dearer", "no_evidence", "time_short", "clock_wrong",
}

func (w Why) String() string { return whyNames.of(int(w)) }

// Whys lists every reason, for labels.
func Whys() []Why { return all[Why](len(whyNames)) }

// A Case is our record of a dispute: what was last seen, and what we did about the present turn.
type Case struct {
	DisputeRef
	Version    uint32 // grows with each change seen on the platform
	State      State
	Reason     Reason
	Claimed    Money
	Buyer      BuyerKey   // 0 when unknown
	Obligation Obligation // the ruling one; Turn 0 when nothing is owed
	Next       time.Time  // when to look again
	Warned     int        // warn points announced in this turn
	Paged      StageKind  // the highest stage a person was paged for in this turn
	Answered   bool       // an answer of this turn was accepted by the platform
	Unresolved bool       // an attempt of this turn has an unknown outcome
	Shadowed   bool       // what would have been sent in this turn was recorded
	Waiting    bool       // the answer of this turn waits for a person's yes
	Approval   Approval   // what a person has said about this turn
}

// Open reports whether anything can still happen.
func (c Case) Open() bool { return c.State != StateClosed }

// A Decision is what to do with a case, and everything needed to explain it.
type Decision struct {
	Action   Action
	Why      Why
	Stage    StageKind // the highest stage reached
	Warned   int       // warn points passed so far
	Channel  Channel   // of a warning: the loudest of the points that people were not told of
	Next     time.Time // when to look again; zero when never
	Deadline time.Time // as used: feed or window; zero when nothing is owed
	Drift    time.Duration
	Cost     Money // what silence would cost
	Rule     Rule
}

// Decide says what to do with a case at an instant of the platform's clock. It is a pure function of its arguments, and never says
// ActionAct at or after guard.
func Decide(now time.Time, c Case, r Rule) Decision {
	d := Decision{Rule: r}
	owes := c.Open() && c.Obligation.Turn != 0
	switch {
	case !owes && c.Unresolved:
		d.Action, d.Why, d.Next = ActionResolve, WhyUnresolved, now.Add(r.Settle.Value)
		return d
	case !c.Open():
		d.Action, d.Why = ActionLeave, WhyClosed
		return d
	case !owes:
		d.Why, d.Next = WhyNotOurTurn, now.Add(r.Recheck.Value)
		return d
	}
	d.Cost = c.Obligation.Cost
	d.Deadline, d.Drift = EffectiveDeadline(c.Obligation, r), Drift(c.Obligation, r)
	if d.Deadline.IsZero() && !c.Unresolved {
		d.Action, d.Why, d.Stage, d.Next = ActionPage, WhyNoDeadline, StageGuard, now.Add(r.Recheck.Value)
		return *pagedOnce(&d, &c)
	}
	return *d.reach(now, Timeline(c.Obligation, r), c.Warned).choose(now, &c, &r)
}

// reach finds the highest stage reached and the next one to come.
func (d *Decision) reach(now time.Time, stages []Stage, told int) *Decision {
	for _, s := range stages {
		if s.At.After(now) {
			d.Next = s.At
			return d
		}
		d.Stage = max(d.Stage, s.Kind)
		if s.Kind == StageWarn {
			if d.Warned++; d.Warned > told {
				d.Channel = max(d.Channel, s.Channel)
			}
		}
	}
	return d
}

func (d *Decision) choose(now time.Time, c *Case, r *Rule) *Decision {
	soon := now.Add(r.Recheck.Value)
	if d.Next.IsZero() || soon.Before(d.Next) && d.Stage >= StageAct {
		d.Next = soon
	}
	switch {
	case c.Unresolved && (d.Stage < StageGuard || c.Paged >= d.Stage):
		// Resolving only reads, so it goes on after guard; from there on a person is told first.
		d.Action, d.Why, d.Next = ActionResolve, WhyUnresolved, now.Add(min(r.Settle.Value, r.Recheck.Value))
		return d
	case c.Unresolved:
		d.Action, d.Why, d.Next = ActionPage, WhyUnresolved, now.Add(time.Minute)
		return d
	case d.Stage == StageBreach:
		d.Action, d.Why = ActionPage, WhyDeadlinePassed
	case c.Answered && d.Stage < StageGuard:
		d.Action, d.Why = ActionWait, WhyAnswered
		return d
	case c.Answered:
		d.Action, d.Why = ActionPage, WhyUnshown
	case d.Stage == StageGuard:
		d.Action, d.Why = ActionPage, WhyGuardPassed
	case c.Obligation.Kinds == 0:
		d.Action, d.Why, d.Stage = ActionPage, WhyPersonNeeded, StageAct
		return pagedOnce(d, c).tell(c)
	case d.Stage >= StageAct:
		return d.due(now, c, r).tell(c)
	default:
		d.Action, d.Why = ActionWait, WhyEarly
		return d.tell(c)
	}
	return pagedOnce(d, c)
}

// tell turns a decision that does nothing into a warning when a warn point has passed that people were not told of.
func (d *Decision) tell(c *Case) *Decision {
	quiet := d.Action == ActionWait || d.Action == ActionLeave || d.Action == ActionHold && c.Paged >= StageAct
	if quiet && d.Warned > c.Warned {
		d.Action, d.Why = ActionWarn, WhyWarnPoint
	}
	return d
}

// due says what becomes of an answer whose time has come, between the act stage and guard.
func (d *Decision) due(now time.Time, c *Case, r *Rule) *Decision {
	switch {
	case r.Kill.Value:
		d.Action, d.Why = ActionWait, WhyKilled
		if soon := now.Add(r.Settle.Value); soon.Before(d.Next) {
			d.Next = soon
		}
	case c.Approval == ApprovalRejected:
		d.Action, d.Why = ActionWait, WhyRejected
	case r.Mode.Value != ModeLive && r.Mode.Value != ModeHold: // also a mode that does not exist
		d.Action, d.Why = ActionShadow, WhyShadow
		if c.Shadowed {
			d.Action = ActionLeave
		}
	case c.Approval == ApprovalApproved:
		d.Action, d.Why = ActionAct, WhyApproved
	case c.Approval == ApprovalHeld:
		return d.wait(now, c, r, WhyHeld)
	case r.Mode.Value == ModeHold || c.Waiting:
		return d.wait(now, c, r, WhyApproval)
	default:
		d.Action, d.Why = ActionAct, WhyDue
	}
	return d
}

// wait is for an answer that waits for a person's yes. What a person holds by command, no rule sends. Where nobody was asked before the
// fallback stage (the dispute was first seen later, or its window is short), a person is asked now and has until shortly before guard; what
// is left then is time for one answer.
func (d *Decision) wait(now time.Time, c *Case, r *Rule, why Why) *Decision {
	d.Action, d.Why = ActionHold, why
	if d.Stage < StageFallback || why == WhyHeld && r.Unanswered.Value != UnansweredPage {
		return d
	}
	switch r.Unanswered.Value {
	case UnansweredSend, UnansweredRefuse:
		asked := c.Paged >= StageAct && c.Paged != StageFallback
		if last := guardAt(c.Obligation, d.Deadline, *r).Add(-fallbackMargin); !asked && now.Before(last) {
			if last.Before(d.Next) {
				d.Next = last
			}
			return d
		}
		d.Action, d.Why = ActionAct, WhyUnanswered
	case UnansweredPage:
		d.Action, d.Why = ActionPage, WhyUnanswered
		return pagedOnce(d, c)
	}
	return d
}

// pagedOnce turns a page that a person already got for this stage into waiting.
func pagedOnce(d *Decision, c *Case) *Decision {
	if c.Paged >= d.Stage {
		d.Action = ActionWait
	}
	return d
}
