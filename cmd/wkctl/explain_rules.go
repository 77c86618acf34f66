package main

import (
	"context"
	"encoding/json"
	"time"

	"watchkeeper/sla"
	"watchkeeper/sla/playbook"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/store"
)

// A rulesView says which rules decide, and whether they are those of the case's last line in the audit.
type rulesView struct {
	Hash    string       `json:"hash"`
	File    words        `json:"file"`    // that the rules are from; null for those of the environment
	Since   instant      `json:"since"`   // since when a date has them as they are; null for ever
	Changed *changedView `json:"changed"` // null when nothing tells of other rules
}

// A changedView is the last line that was written under other rules.
type changedView struct {
	Hash string  `json:"hash"`
	At   instant `json:"at"`
}

// auditDepth is how many of a case's newest lines are looked through for a decision.
const auditDepth = 20

// otherRules finds the last decision of the case in the audit, when other rules made it.
func (d *desk) otherRules(ctx context.Context, id sla.DisputeID, hash string) (out *changedView, _ error) {
	lines, err := d.AuditsOf(ctx, id, auditDepth)
	if err != nil {
		return nil, err
	}
	for _, kept := range lines {
		l, ok := decisionIn(kept)
		switch {
		case !ok || l.Rules == "":
			continue
		case l.Rules != hash:
			out = &changedView{l.Rules, instant{kept.At}}
		}
		break
	}
	return out, nil
}

// decisionIn reads a line about an answer, sent or in shadow; false when it is about something else or another version wrote it.
func decisionIn(kept store.AuditLine) (handle.Line, bool) {
	var l handle.Line
	err := json.Unmarshal(kept.Line, &l)
	return l, err == nil && (l.Event == handle.EventAnswer || l.Event == handle.EventShadow)
}

// begun is the last date before an instant at which rules changed by themselves; zero when there was none.
func (b rulebook) begun(at time.Time) time.Time {
	var out time.Time
	for _, era := range b.eras {
		if !era.After(at) {
			out = era
		}
	}
	return out
}

// A decidedStage is one point of a timeline with what put it there.
type decidedStage struct {
	stageView
	Channel words  `json:"channel"` // of a warning
	Setting string `json:"setting"` // that decided when it is
	From    string `json:"from"`    // its variable, "default", or "feed" where the platform says it
}

// feed is the origin of a deadline that the platform told.
const feed = "feed"

func decidedStages(c sla.Case, r sla.Rule, now time.Time) []decidedStage {
	out := []decidedStage{}
	if !c.Open() || c.Obligation.Turn == 0 {
		return out
	}
	for _, s := range sla.Timeline(c.Obligation, r) {
		v := decidedStage{stageView: stageView{Stage: s.Kind.String(), At: instant{s.At}, Reached: !s.At.After(now)}}
		v.Setting, v.From = decider(s, c.Obligation, r)
		if s.Kind == sla.StageWarn {
			v.Channel = words(s.Channel.String())
		}
		out = append(out, v)
	}
	return out
}

// decider is the setting that put a stage where it is, and where the setting came from. Each is measured from the deadline, whose own setting
// stands with it.
func decider(s sla.Stage, o sla.Obligation, r sla.Rule) (setting, from string) {
	deadline := sla.EffectiveDeadline(o, r)
	act, actFrom := "act before", r.ActBefore.From
	guard := "guard"
	if r.Margin.From != "" {
		act, guard = "act before and margin", "guard and margin"
	}
	soon := o.Opened.Add(r.ActAfter.Value)
	if r.ActAfter.Value != sla.Never && !o.Opened.IsZero() && soon.Before(deadline.Add(-r.ActBefore.Value)) && !soon.After(s.At) {
		act, actFrom = "act after", r.ActAfter.From
	}
	switch s.Kind {
	case sla.StageWarn:
		return "warn", r.Warn.From
	case sla.StageAct:
		return act, actFrom
	case sla.StageFallback:
		if at := sla.GuardAt(o, r); s.At.Before(at.Add(-2 * r.Settle.Value)) {
			return guard + " and settle", joinOrigins(r.Guard.From, r.Settle.From)
		}
		return act, actFrom
	case sla.StageGuard:
		return guard, r.Guard.From
	}
	if deadline.Equal(o.Deadline) {
		return "deadline", feed
	}
	return "response window", r.Window.From
}

func joinOrigins(a, b string) string {
	if a == b {
		return a
	}
	return a + ", " + b
}

// A coverView is a kill switch that stops the answers of a case.
type coverView struct {
	Scope string  `json:"scope"` // or the variable that says so
	Since instant `json:"since"`
	Note  words   `json:"note"`
}

// kills lists what stops the answers of a case: the switches that were thrown, and the variable.
func (d *desk) kills(ctx context.Context, c sla.CaseRecord, r sla.Rule) ([]coverView, error) {
	all, err := d.switches(ctx)
	if err != nil {
		return nil, err
	}
	out := []coverView{}
	if r.Kill.Value {
		out = append(out, coverView{Scope: r.Kill.From})
	}
	for _, k := range all {
		if k.Covers(c.ID.Platform, c.ID.Store, c.Reason) {
			out = append(out, coverView{scopeText(k.KillScope), instant{k.Since}, words(k.Note)})
		}
	}
	return out, nil
}

// An otherView is an answer that was not chosen.
type otherView struct {
	Answer  string `json:"answer"`
	Amount  money  `json:"amount"`
	Why     string `json:"why"` // why it lost
	Meaning string `json:"meaning"`
}

func othersOf(all []playbook.Other) []otherView {
	out := []otherView{}
	for _, o := range all {
		out = append(out, otherView{o.Kind.String(), money(o.Amount), o.Why.String(), meaning(o.Why)})
	}
	return out
}

// A comparedView is what the present rules make of a case that was explained under others.
type comparedView struct {
	Rules   string         `json:"rules"` // the present ones
	Was     forecastView   `json:"was"`
	Is      forecastView   `json:"is"`
	Changes []string       `json:"changes"`
	Values  []changedValue `json:"values"`
}

// A changedValue is an input of the decision that differs.
type changedValue struct {
	Name    string `json:"name"`
	Was     string `json:"was"`
	WasFrom string `json:"was_from"`
	Is      string `json:"is"`
	IsFrom  string `json:"is_from"`
}

// compared tells what another rulebook changes in a case.
func (s *subject) compared(was, is rulebook, at time.Time) *comparedView {
	before, after := s.forecast(was.Book, was.eras, at), s.forecast(is.Book, is.eras, at)
	_, oldRule := s.under(was.Book, at)
	_, newRule := s.under(is.Book, at)
	return &comparedView{
		Rules: was.Hash(), Was: forecastViewOf(before), Is: forecastViewOf(after), Changes: compare(before, after).names(),
		Values: changedValues(sla.Decide(at, s.Case, oldRule), sla.Decide(at, s.Case, newRule)),
	}
}

// changedValues lists the values that differ; both decisions use the same ones.
func changedValues(was, is sla.Decision) []changedValue {
	out := []changedValue{}
	before, after := valuesOf(was), valuesOf(is)
	for i, b := range before {
		if a := after[i]; a.Value != b.Value {
			out = append(out, changedValue{b.Name, b.Value, b.From, a.Value, a.From})
		}
	}
	return out
}
