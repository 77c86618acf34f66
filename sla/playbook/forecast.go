package playbook

import (
	"time"

	"watchkeeper/sla"
)

// A Forecast is what the rules would make of a case if nothing of its facts changed: the answer by itself, or a person, or nothing.
type Forecast struct {
	Action sla.Action // ActionAct: the answer goes out; ActionHold: it waits for a yes; ActionPage: a person must act; ActionShadow, ActionLeave, ActionWait
	Why    sla.Why
	At     time.Time // when; zero when never
	Answer sla.Answer
	Cost   sla.Money // what the answer pays, or, when nothing goes out by itself, what silence costs
	Late   bool      // it would come after the platform's own deadline, whatever the rules believe
}

// Look follows a case from an instant along its stages until something is sent, or until nothing more can be. It is a pure function; the
// parcel and the claims stay as they are in the facts.
func Look(now time.Time, c sla.Case, f Facts, r sla.Rule) Forecast {
	first := Forecast{Action: sla.ActionLeave, Why: sla.WhyNotOurTurn}
	const most = 1000 // looks at one case: more is a loop
	for range most {
		d := sla.Decide(now, c, r)
		if d.Action == sla.ActionLeave && !c.Open() || c.Obligation.Turn == 0 || c.Answered {
			return first
		}
		out, next, done := f.at(now, c, d, r)
		if done {
			return out.judged(c)
		}
		if next.After(now) && next.Before(d.Next) {
			d.Next = next
		}
		if out.Action == sla.ActionHold || out.Action == sla.ActionPage && first.Action != sla.ActionHold {
			if first.At.IsZero() {
				first = out // people are asked; what becomes of it without them may come later
			}
			c.Waiting = c.Waiting || out.Action == sla.ActionHold
		}
		c.Warned, c.Paged = max(c.Warned, d.Warned), max(c.Paged, d.Stage)
		if d.Stage >= sla.StageGuard || !d.Next.After(now) {
			break
		}
		now = d.Next
	}
	if first.At.IsZero() {
		first = Forecast{Action: sla.ActionPage, Why: sla.WhyGuardPassed, At: now, Cost: c.Obligation.Cost}
	}
	return first.judged(c)
}

// at is what happens at one instant, and when the next step counts; done when nothing can follow.
func (f Facts) at(now time.Time, c sla.Case, d sla.Decision, r sla.Rule) (out Forecast, next time.Time, done bool) {
	out = Forecast{Action: d.Action, Why: d.Why, At: now, Cost: c.Obligation.Cost}
	if d.Action != sla.ActionAct && d.Action != sla.ActionShadow {
		return out, next, false
	}
	f.Now = now
	plan, why, gated := Decided(d, f, r)
	switch {
	case plan.Page:
		out.Action, out.Why = sla.ActionPage, plan.Why
		return out, next, false
	case !plan.Wait.IsZero():
		out.Action, out.Why = sla.ActionWait, plan.Why
		return out, plan.Wait, false
	case gated && d.Action == sla.ActionAct:
		out.Action, out.Why = sla.ActionHold, why
		out.Answer = plan.Answer
		return out, next, false
	}
	out.Answer, out.Why = plan.Answer, plan.Why
	if d.Action == sla.ActionAct {
		out.Cost = plan.Answer.Amount
		if !plan.Answer.Kind.Pays() {
			out.Cost.Minor = 0
		}
	}
	return out, next, true
}

// judged says whether it would be too late for the platform.
func (o Forecast) judged(c sla.Case) Forecast {
	end := c.Obligation.Deadline
	o.Late = !end.IsZero() && !o.At.IsZero() && !o.At.Before(end)
	return o
}
