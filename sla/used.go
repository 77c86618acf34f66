package sla

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Used value is one input of a decision, in words, with its origin.
type Used struct {
	Name, Value, From string
}

// Used lists the rule's values that a decision was made with.
func (d *Decision) Used() []Used {
	r := d.Rule
	out := []Used{
		{"response window", r.Window.Value.String(), r.Window.From},
		{"platform's clock", clockName(r.WindowClock.Value.Name()), r.WindowClock.From},
		{"warn", formatEach(r.Warn.Value), r.Warn.From},
		{"staff's hours", clockName(r.Calendar.Value.Name()), r.Calendar.From},
		{"act before", r.ActBefore.Value.String(), r.ActBefore.From},
		{"act after", never(r.ActAfter.Value), r.ActAfter.From},
		{"guard", r.Guard.Value.String(), r.Guard.From},
		{"mode", r.Mode.Value.String(), r.Mode.From},
		{"settle", r.Settle.Value.String(), r.Settle.From},
		{"recheck", r.Recheck.Value.String(), r.Recheck.From},
		{"answer", cmp.Or(formatEach(r.Answer.Value), "playbook"), r.Answer.From},
		{"offer share", percent(r.OfferShare.Value), r.OfferShare.From},
		{"accept cap", limit(r.AcceptCap.Value), r.AcceptCap.From},
		{"extend protection", r.Extend.Value.String(), r.Extend.From},
		{"approve above", limit(r.ApproveAbove.Value), r.ApproveAbove.From},
		{"hold claims from", claims(r.HoldClaims.Value), r.HoldClaims.From},
		{"unanswered", r.Unanswered.Value.String(), r.Unanswered.From},
		{"buyer budget", limit(r.BuyerBudget.Value), r.BuyerBudget.From},
		{"store budget", limit(r.StoreBudget.Value), r.StoreBudget.From},
		{"total budget", limit(r.TotalBudget.Value), r.TotalBudget.From},
		{"storm", r.Storm.Value.String(), r.Storm.From},
		{"kill", onOff(r.Kill.Value), r.Kill.From},
	}
	if m := r.Margin; m.From != "" {
		out = append(out, Used{"guard, measured", "+" + m.Guard.String(), m.From}, Used{"act before, measured", "+" + m.Lead.String(), m.From})
	}
	return out
}

func percent(basisPoints int) string { return fmt.Sprintf("%g%%", float64(basisPoints)/100) }

func never(d time.Duration) string {
	if d == Never {
		return "never"
	}
	return d.String()
}

func limit(m Money) string {
	if m.IsZero() {
		return "none"
	}
	return m.String()
}

func claims(from int) string {
	if from == 0 {
		return "none"
	}
	return "claim " + strconv.Itoa(from)
}

// String is "20 in 1h0m0s".
func (r Rate) String() string {
	if r == (Rate{}) {
		return "none"
	}
	return fmt.Sprintf("%d in %s", r.Count, r.Per)
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func clockName(name string) string {
	if name == "" {
		return "always"
	}
	return name
}

func formatEach[T fmt.Stringer](all []T) string {
	out := make([]string, len(all))
	for i, v := range all {
		out[i] = v.String()
	}
	return strings.Join(out, ",")
}

// String is "24h0m0s:chat" or "50%:page".
func (w WarnPoint) String() string {
	if w.Share > 0 {
		return percent(w.Share) + ":" + w.Channel.String()
	}
	return w.Before.String() + ":" + w.Channel.String()
}

// String is "refuse?signed@0s" or "offer:30%@96h0m0s".
func (s Step) String() string {
	out := s.Kind.String()
	switch {
	case s.Kind == AnswerNone:
		out = "playbook"
	case s.Kind == AnswerOffer:
		out += ":" + percent(s.Share)
	case !s.Limit.IsZero():
		out += ":" + s.Limit.String()
	}
	if s.If != EvidenceAny {
		out += "?" + s.If.String()
	}
	return out + "@" + s.After.String()
}
