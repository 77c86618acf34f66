package rules

import (
	"slices"
	"time"

	"watchkeeper/sla"
	"watchkeeper/sla/calendar"
)

// longest bounds every time within a turn.
const longest = 180 * day

// newRuleDesk declares the variables of a rule scope, with the calendars that their values may name.
func newRuleDesk(calendars map[string]*calendar.Calendar) *desk[sla.Rule] {
	return newDesk(sla.DefaultRule(), func(r *sla.Rule) []setting {
		return slices.Concat(timesOf(r), answersOf(r), limitsOf(r), clocksOf(r, calendars))
	})
}

func timesOf(r *sla.Rule) []setting {
	return []setting{
		bind("RESPONSE_WINDOW", &r.Window, duration(time.Hour, longest), "5d",
			"How long the platform waits for an answer, counted from the start of the turn; the platform's own deadline wins when it is earlier."),
		bind("WARN", &r.Warn, points(time.Minute, longest), "72h:chat,24h:chat,6h:page",
			"When people are told that time is running: so long before the deadline, or when so much of the window is over (`50%,80%:page`); "+
				"without a channel it is chat."),
		bind("ACT_BEFORE", &r.ActBefore, duration(time.Minute, longest), "36h",
			"The answer is sent when this much time is left."),
		bind("ACT_AFTER", &r.ActAfter, orNever(duration(0, longest), sla.Never), "0h",
			"The answer is sent when this much time has passed since the turn was opened, if that is earlier; 0h is at once."),
		bind("GUARD", &r.Guard, duration(time.Minute, 30*day), "2h",
			"With less time left than this nothing is sent any more, and a person is paged."),
		// Less than a minute is no window at all: slow replies and stale reads of platforms take that long.
		bind("SETTLE", &r.Settle, duration(time.Minute, day), "10m",
			"How long after a send its effect may still appear on the platform."),
		bind("RECHECK", &r.Recheck, duration(time.Minute, week), "6h",
			"How often an open dispute that waits for somebody else is looked at."),
	}
}

func answersOf(r *sla.Rule) []setting {
	return []setting{
		bind("MODE", &r.Mode, oneOf("mode", "shadow, hold or live", sla.ParseMode), "hold",
			"How far the fleet goes by itself: shadow records only, hold waits for a person's yes, live answers."),
		bind("ANSWER", &r.Answer, steps(longest), "refuse@0h,partial:30%@96h,accept@110h",
			"The preferred answer, step by step: of the steps whose time has come and whose evidence is there, one is taken "+
				"(`refuse?signed@0h,partial:30%@0h`); playbook leaves the choice to the program."),
		bind("OFFER_SHARE", &r.OfferShare, share(1, wholeShare), "30%",
			"Which part of the amount claimed a first offer is."),
		bind("EXTEND", &r.Extend, wholeDays(120*day), "10d",
			"By how much the buyer's protection is lengthened while the parcel moves; 0d never."),
		bind("UNANSWERED", &r.Unanswered, oneOf("choice", "page, hold, send or refuse", sla.ParseUnanswered), "refuse",
			"What becomes of an answer that waits for a person when nobody has spoken shortly before guard, which is twice SETTLE and 10m before it; "+
				"of a dispute that is first seen later a person is asked all the same and has until 10m before guard; refuse costs nothing."),
	}
}

func limitsOf(r *sla.Rule) []setting {
	return []setting{
		bind("ACCEPT_CAP", &r.AcceptCap, money(), "25USD",
			"The most that the answers to one dispute may cost; claims in another currency go to a person; with never, nothing that costs is sent."),
		bind("APPROVE_ABOVE", &r.ApproveAbove, money(), "15USD",
			"An answer that costs more waits for a person's yes."),
		bind("HOLD_CLAIMS", &r.HoldClaims, orNever(count(2, 99), 0), "3",
			"This claim of a buyer within 30 days, in all stores that hash buyers with the same BUYER_HASH_KEY, and each later one, waits for a person's yes. "+
				"Claims are counted from when this is set in their scope: those that were on record before are not among them."),
		bind("BUYER_BUDGET", &r.BuyerBudget, money(), "50USD",
			"The most that one buyer gets within 30 days, in all stores that hash buyers with the same key; never is no limit."),
		bind("STORE_BUDGET", &r.StoreBudget, money(), "300USD",
			"The most that a store pays in a day, UTC; never is no limit."),
		only(bind("TOTAL_BUDGET", &r.TotalBudget, money(), "1000USD",
			"The most that all stores pay in a day, UTC; never is no limit.")),
		only(bind("STORM", &r.Storm, rate(10_000, time.Minute, week), "20/1h",
			"How many paying answers all stores may send within a time; more of them wait for a person; never is no limit.")),
		bind("KILL", &r.Kill, onOff(), "on",
			"With on nothing is sent, while warnings and pages go on."),
	}
}

func clocksOf(r *sla.Rule, calendars map[string]*calendar.Calendar) []setting {
	return []setting{
		bind("CALENDAR", &r.Calendar, declaredCalendar(calendars), "CN",
			"The staff's working hours, into which warnings are moved; none is round the clock."),
		bind("WINDOW_CALENDAR", &r.WindowClock, declaredCalendar(calendars), "CN",
			"When the platform's clock runs while RESPONSE_WINDOW is counted; none is always."),
	}
}
