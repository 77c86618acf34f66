package rules

import (
	"slices"
	"time"

	"watchkeeper/sla"
	"watchkeeper/sla/calendar"
)

// sweeps is the time of three sweeps, in which an attempt of unknown outcome is confirmed.
const sweeps = 3 * 2 * time.Minute

// A relation is something that two values of one rule must not break.
type relation struct {
	culprit, other string // names of settings; the culprit is the one to change when both were set
	broken         func(sla.Rule) bool
	want           string // of the culprit
}

// windowName is the variable that most others are held against.
const windowName = "RESPONSE_WINDOW"

var relations = slices.Concat(timeRelations, moneyRelations)

var timeRelations = []relation{
	{"GUARD", "ACT_BEFORE", func(r sla.Rule) bool { return r.Guard.Value >= r.ActBefore.Value }, "less than ACT_BEFORE, or no answer is ever sent"},
	{
		"ACT_BEFORE", windowName, func(r sla.Rule) bool { return r.ActBefore.Value > r.Window.Value },
		"at most RESPONSE_WINDOW, or the time to answer is over before it begins",
	},
	{
		"ACT_AFTER", windowName, func(r sla.Rule) bool {
			return r.ActAfter.Value != sla.Never && r.ActAfter.Value >= r.Window.Value-r.Guard.Value
		},
		"over before GUARD begins, or it never counts",
	},
	{
		"WINDOW_CALENDAR", windowName, hardlyRuns,
		"open more often, or the time to answer lasts longer than ten times RESPONSE_WINDOW or 180 days",
	},
	{
		"WARN", windowName, func(r sla.Rule) bool {
			return slices.ContainsFunc(r.Warn.Value, func(p sla.WarnPoint) bool { return p.Before >= r.Window.Value })
		},
		"each point less than RESPONSE_WINDOW, or the warning comes before the dispute",
	},
	{
		"ANSWER", windowName, func(r sla.Rule) bool {
			return anyStep(r, func(s sla.Step) bool { return s.After >= r.Window.Value-r.Guard.Value })
		},
		"each step before GUARD begins, or it is never taken",
	},
	{
		"GUARD", "SETTLE", func(r sla.Rule) bool { return r.Guard.Value <= r.Settle.Value },
		"more than SETTLE, or the outcome of the last answer is not known before the deadline",
	},
	{
		"ACT_BEFORE", "SETTLE", func(r sla.Rule) bool { return r.ActBefore.Value < 2*r.Settle.Value+sweeps },
		"at least twice SETTLE and " + FormatDuration(sweeps) + ", or a lost answer cannot be tried again in time",
	},
	{
		"ACT_BEFORE", "GUARD", func(r sla.Rule) bool { return r.Guard.Value < r.ActBefore.Value && waits(r) && !leavesTime(r) },
		"longer: between it and GUARD a person must have time to say yes, and twice SETTLE must be left for UNANSWERED",
	},
}

// hardlyRuns reports whether the platform's clock is closed for most of the time while the window is counted, from the beginning of a
// shift in a week that no date of the calendar changes.
func hardlyRuns(r sla.Rule) bool {
	clock := r.WindowClock.Value
	if clock == nil {
		return false
	}
	opened := clock.Next(time.Date(2000, 1, 3, 0, 0, 0, 0, time.UTC))
	return clock.Between(opened, opened.Add(min(10*r.Window.Value, longest))) < r.Window.Value
}

var moneyRelations = []relation{
	{
		"ANSWER", acceptCap, func(r sla.Rule) bool {
			return anyStep(r, func(s sla.Step) bool { return mixed(s.Limit, r.AcceptCap.Value) })
		},
		"in the currency of ACCEPT_CAP, or nothing is ever accepted",
	},
	{
		"ANSWER", acceptCap, func(r sla.Rule) bool {
			return anyStep(r, func(s sla.Step) bool { return above(s.Limit, r.AcceptCap.Value) })
		},
		"within ACCEPT_CAP",
	},
	sameCurrency("BUYER_BUDGET", func(r sla.Rule) sla.Money { return r.BuyerBudget.Value }),
	sameCurrency("STORE_BUDGET", func(r sla.Rule) sla.Money { return r.StoreBudget.Value }),
	sameCurrency("TOTAL_BUDGET", func(r sla.Rule) sla.Money { return r.TotalBudget.Value }),
}

const acceptCap = "ACCEPT_CAP"

func sameCurrency(name string, of func(sla.Rule) sla.Money) relation {
	return relation{
		name, acceptCap, func(r sla.Rule) bool { return mixed(of(r), r.AcceptCap.Value) },
		"in the currency of ACCEPT_CAP, or nothing that costs is ever sent",
	}
}

// foreignApproval reports whether no answer under the rule can be compared with what may go without a yes: each that pays waits for one.
func foreignApproval(r *sla.Rule) bool { return mixed(r.ApproveAbove.Value, r.AcceptCap.Value) }

func anyStep(r sla.Rule, is func(sla.Step) bool) bool { return slices.ContainsFunc(r.Answer.Value, is) }

// mixed reports whether both amounts are set, in two currencies.
func mixed(a, b sla.Money) bool { return !a.IsZero() && !b.IsZero() && a.Currency != b.Currency }

func above(a, limit sla.Money) bool {
	return !a.IsZero() && a.Currency == limit.Currency && !a.AtMost(limit)
}

// waits reports whether an answer under the rule can wait for a person and is then sent or refused without one.
func waits(r sla.Rule) bool {
	asks := r.Mode.Value == sla.ModeHold || !r.ApproveAbove.Value.IsZero() || r.HoldClaims.Value > 0
	return asks && (r.Unanswered.Value == sla.UnansweredSend || r.Unanswered.Value == sla.UnansweredRefuse)
}

// leavesTime reports whether the last moment for what becomes of an unanswered question comes after the question.
func leavesTime(r sla.Rule) bool {
	r.WindowClock = sla.By[*calendar.Calendar](sla.FromDefault, nil) // a clock that stops only makes the window longer
	var act, last time.Time
	opened := time.Unix(0, 0).UTC()
	for _, s := range sla.Timeline(sla.Obligation{Opened: opened, Deadline: opened.Add(r.Window.Value)}, r) {
		switch s.Kind {
		case sla.StageAct:
			act = s.At
		case sla.StageFallback:
			last = s.At
		}
	}
	return last.After(act)
}
