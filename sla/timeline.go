package sla

import (
	"cmp"
	"slices"
	"time"
)

// StageKind is a kind of point before a deadline, in the order in which they matter.
type StageKind uint8

// The stages.
const (
	StageNone   StageKind = iota
	StageWarn             // tell people
	StageAct              // answer
	StageGuard            // the last safe moment: from here on only a person may act
	StageBreach           // the deadline itself
)

var stageNames = names{"none", "warn", "act", "guard", "breach"}

func (k StageKind) String() string { return stageNames.of(int(k)) }

// Stages lists every kind, for labels.
func Stages() []StageKind { return all[StageKind](len(stageNames)) }

// A Stage is one point of a timeline.
type Stage struct {
	Kind StageKind
	At   time.Time
}

// EffectiveDeadline is when the platform acts: the feed's deadline, or the end of the rule's window where the feed is silent or
// later. An obligation without any known beginning has only the feed's word.
func EffectiveDeadline(o Obligation, r Rule) time.Time {
	if o.Opened.IsZero() {
		return o.Deadline
	}
	bound := o.Opened.Add(r.Window.Value)
	if o.Deadline.IsZero() || bound.Before(o.Deadline) {
		return bound
	}
	return o.Deadline
}

// Drift is by how much the feed's deadline differs from the rule's window: positive when the feed allows more time than the rule
// believes, negative when it allows less; zero when either is unknown. A standing drift means that the rule or the platform's
// policy has changed.
func Drift(o Obligation, r Rule) time.Duration {
	if o.Deadline.IsZero() || o.Opened.IsZero() {
		return 0
	}
	return o.Deadline.Sub(o.Opened.Add(r.Window.Value))
}

// Timeline gives the stages of an obligation under a rule, ordered by time and then by weight, none before the obligation began
// and none after its deadline. It is empty when no deadline can be known.
func Timeline(o Obligation, r Rule) []Stage {
	deadline := EffectiveDeadline(o, r)
	if deadline.IsZero() {
		return nil
	}
	stages := make([]Stage, 0, len(r.Warn.Value)+3)
	add := func(kind StageKind, before time.Duration) {
		at := deadline.Add(-before)
		if at.Before(o.Opened) {
			at = o.Opened
		}
		if at.After(deadline) {
			at = deadline
		}
		stages = append(stages, Stage{Kind: kind, At: at})
	}
	for _, w := range r.Warn.Value {
		add(StageWarn, w)
	}
	add(StageAct, r.ActBefore.Value)
	add(StageGuard, r.Guard.Value)
	add(StageBreach, 0)
	slices.SortStableFunc(stages, func(a, b Stage) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Kind, b.Kind))
	})
	return stages
}
