package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"watchkeeper/sla"
)

// crossCheck holds the relations in every rule that can be used, in every era: those of the stores, of platforms that a variable speaks of,
// and without any store the general one.
func (l *loader) crossCheck(b *Book) {
	found := map[string]int{} // where in problems a breach was told first: one variable may break the rules of many stores
	told := map[string]map[string]bool{}
	for _, s := range l.inUse(b) {
		for _, era := range s.begins {
			for _, rule := range s.distinct(era) {
				for _, rel := range relations {
					if !rel.broken(*rule.rule) {
						continue
					}
					p := l.problem(rel, rule)
					key := p.Variable + p.Expected
					if _, before := found[key]; !before {
						found[key] = len(l.problems)
						told[key] = map[string]bool{}
						l.report(p)
					}
					told[key][rule.scope.String()] = true
				}
			}
		}
		l.warn(b, s)
	}
	for key, scopes := range told {
		if n := len(scopes) - 1; n > 0 {
			l.problems[found[key]].Detail += fmt.Sprintf(" and %d more", n)
		}
	}
}

func (l *loader) inUse(b *Book) []*shelf {
	var out []*shelf
	for _, id := range slices.Sorted(maps.Keys(b.stores)) {
		out = append(out, b.stores[id])
	}
	spoken := map[sla.Platform]bool{}
	for s := range l.entries {
		spoken[s.platform] = true
	}
	for _, name := range slices.Sorted(maps.Keys(b.platforms)) {
		if spoken[name] {
			out = append(out, b.platforms[name])
		}
	}
	if len(b.stores) == 0 {
		out = append(out, b.base)
	}
	return out
}

// problem names the variable to change: the culprit's if one set it, else the other's, else the scope whose defaults clash.
func (l *loader) problem(rel relation, in placed) Problem {
	l.rules.with(*in.rule)
	culprit, other := l.rules.setting(rel.culprit), l.rules.setting(rel.other)
	p := Problem{
		Variable: *culprit.from, Value: quoted(culprit.show()), Example: culprit.about.Example,
		Detail:   "in " + in.scope.String(),
		Expected: rel.culprit + " " + culprit.show() + " (" + *culprit.from + ") to be " + rel.want + ": " + rel.other + " is " + other.show() + " (" + *other.from + ")",
	}
	if in.era > 0 {
		p.Detail += " " + Span{From: l.eras[in.era-1]}.String()
	}
	if *culprit.from == sla.FromDefault {
		p.Variable, p.Value, p.Example = *other.from, quoted(other.show()), other.about.Example
	}
	if p.Variable == sla.FromDefault {
		p.Variable = in.scope.prefix() + rel.culprit
	}
	return p
}

// warn tells what a live store can hardly be meant to do: to be silent where money would be needed.
func (l *loader) warn(b *Book, s *shelf) {
	if p, _ := platformOf(l.options.Platforms, s.scope.platform); s.scope.store == "" || p.ParcelsOnly {
		return
	}
	told := map[string]bool{}
	for _, era := range s.begins {
		p := s.period(era)
		silent, barred := liveReasons(p, noAnswer), liveReasons(p, barredAnswer)
		for _, w := range []string{
			l.unkeyed(s, p),
			l.alwaysAsks(s, p),
			l.unheard(s, p),
			hasty(s, p),
			sentence(s, silent, "has no answer that may cost anything, and none is preferred: ACCEPT_CAP is never, and ANSWER is playbook"),
			sentence(s, barred, "prefers an answer that is never sent: ACCEPT_CAP is never, and ANSWER pays"),
		} {
			if w == "" || told[w] {
				continue
			}
			told[w] = true
			if era > 0 {
				w += " (" + Span{From: l.eras[era-1]}.String() + ")"
			}
			b.warnings = append(b.warnings, w)
		}
	}
}

const buyerKey = "BUYER_HASH_KEY"

// unkeyed tells of a store that counts by the buyer without a key of the operator's to know buyers by.
func (l *loader) unkeyed(s *shelf, p *period) string {
	platform, known := platformOf(l.options.Platforms, s.scope.platform)
	if !known || !slices.Contains(platform.StoreVariables, buyerKey) {
		return ""
	}
	for _, set := range []string{buyerKey, buyerKey + "_FILE"} {
		if _, is := l.values[storePrefix(s.scope.store)+set]; is {
			return ""
		}
	}
	if !slices.ContainsFunc(p.byReason, func(r *sla.Rule) bool { return r.HoldClaims.Value > 0 || !r.BuyerBudget.Value.IsZero() }) {
		return ""
	}
	return s.scope.String() + " counts by the buyer (HOLD_CLAIMS or BUYER_BUDGET), and " + storePrefix(s.scope.store) + buyerKey +
		" is not set: a buyer is not known again in another store, nor after a change of the store's secrets"
}

const prefixNotify = "WK_NOTIFY__"

// hooks are the variables of which one must be set for what goes to a channel to be posted; pages go to the chat without an address of
// their own.
var hooks = map[sla.Channel][]string{
	sla.ChannelChat: {"CHAT_URL", "CHAT_URL_FILE"},
	sla.ChannelPage: {"PAGE_URL", "PAGE_URL_FILE", "CHAT_URL", "CHAT_URL_FILE"},
}

// unheard tells of a live store that an operator wants to hear of through a hook, where there is none.
func (l *loader) unheard(s *shelf, p *period) string {
	for _, r := range p.byReason {
		if r.Mode.Value != sla.ModeLive || r.Warn.From == sla.FromDefault {
			continue
		}
		for _, point := range r.Warn.Value {
			names := hooks[point.Channel]
			isSet := func(name string) bool { _, set := l.values[prefixNotify+name]; return set }
			if len(names) > 0 && !slices.ContainsFunc(names, isSet) {
				return s.scope.String() + " is live and is to warn by " + point.Channel.String() + " (" + r.Warn.From + "), and no hook for that is set (" +
					prefixNotify + names[1] + "): its warnings are lines of the log only"
			}
		}
	}
	return ""
}

// hasty tells of a live store that believes sooner than is known to be safe that an answer will never take effect: calls arrive minutes late.
func hasty(s *shelf, p *period) string {
	safe := sla.DefaultRule().Settle.Value
	for _, r := range p.byReason {
		if r.Mode.Value == sla.ModeLive && r.Settle.Value < safe {
			return s.scope.String() + " is live, and after " + FormatDuration(r.Settle.Value) + " (" + r.Settle.From +
				") an answer of unknown outcome counts as lost and is sent again: what arrives later than that happens twice; " + FormatDuration(safe) + " is the default"
		}
	}
	return ""
}

// alwaysAsks tells of a store whose answers are in another currency than what may go without a yes: a general APPROVE_ABOVE may well be.
func (l *loader) alwaysAsks(s *shelf, p *period) string {
	for _, r := range p.byReason {
		if foreignApproval(r) {
			pays, limit := string(r.AcceptCap.Value.Currency), string(r.ApproveAbove.Value.Currency)
			return s.scope.String() + " has ACCEPT_CAP in " + pays + " (" + r.AcceptCap.From + ") and APPROVE_ABOVE in " + limit + " (" + r.ApproveAbove.From +
				"): every answer in " + pays + " that pays waits for a yes"
		}
	}
	return ""
}

func noAnswer(r *sla.Rule) bool { return r.AcceptCap.Value.IsZero() && len(r.Answer.Value) == 0 }

func barredAnswer(r *sla.Rule) bool {
	return r.AcceptCap.Value.IsZero() && anyStep(*r, func(s sla.Step) bool { return s.Kind.Pays() })
}

// liveReasons lists the reasons of which a live rule is so.
func liveReasons(p *period, is func(*sla.Rule) bool) []string {
	var out []string
	for i, r := range p.byReason {
		if r.Mode.Value == sla.ModeLive && is(r) {
			out = append(out, sla.Reason(i).String())
		}
	}
	return out
}

func sentence(s *shelf, reasons []string, what string) string {
	switch len(reasons) {
	case 0:
		return ""
	case len(sla.Reasons()):
		return s.scope.String() + " is live and " + what
	}
	return s.scope.String() + " is live and for " + strings.Join(reasons, ", ") + " " + what
}
