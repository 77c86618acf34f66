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
	StageNone     StageKind = iota
	StageWarn               // tell people
	StageAct                // answer
	StageFallback           // the last moment for what becomes of an answer that waits for a person
	StageGuard              // the last safe moment: from here on only a person may act
	StageBreach             // the deadline itself
)

var stageNames = names{"none", "warn", "act", "fallback", "guard", "breach"}

func (k StageKind) String() string { return stageNames.of(int(k)) }

// Stages lists every kind, for labels.
func Stages() []StageKind { return all[StageKind](len(stageNames)) }

// A Stage is one point of a timeline.
type Stage struct {
	Kind    StageKind
	At      time.Time
	Channel Channel // of a warning
}

// EffectiveDeadline is when the platform acts: the feed's deadline, or the end of the rule's window where the feed is silent or
// later. An obligation without any known beginning has only the feed's word.
func EffectiveDeadline(o Obligation, r Rule) time.Time {
	if o.Opened.IsZero() {
		return o.Deadline
	}
	bound := window(o, r)
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
	return o.Deadline.Sub(window(o, r))
}

// window is the end of the rule's window, on the clock of the platform.
func window(o Obligation, r Rule) time.Time {
	return r.WindowClock.Value.Add(o.Opened, r.Window.Value)
}

// Timeline gives the stages of an obligation under a rule, ordered by time and then by weight, none before the obligation began
// and none after its deadline. It is empty when no deadline can be known.
func Timeline(o Obligation, r Rule) []Stage {
	deadline := EffectiveDeadline(o, r)
	if deadline.IsZero() {
		return nil
	}
	stages := make([]Stage, 0, len(r.Warn.Value)+4)
	add := func(kind StageKind, at time.Time, c Channel) {
		if at.Before(o.Opened) {
			at = o.Opened
		}
		if at.After(deadline) {
			at = deadline
		}
		stages = append(stages, Stage{Kind: kind, At: at, Channel: c})
	}
	guard := guardAt(o, deadline, r)
	for _, w := range r.Warn.Value {
		add(StageWarn, w.at(o, deadline, r), w.Channel)
	}
	add(StageAct, actAt(o, deadline, r), ChannelLog)
	add(StageFallback, fallbackAt(o, deadline, r), ChannelLog)
	add(StageGuard, guard, ChannelLog)
	add(StageBreach, deadline, ChannelLog)
	slices.SortStableFunc(stages, func(a, b Stage) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Kind, b.Kind))
	})
	return stages
}

// at is when a point is reached. Staff hears of it in working hours: at the last open moment before it, when it falls outside.
func (w WarnPoint) at(o Obligation, deadline time.Time, r Rule) time.Time {
	at := deadline.Add(-w.Before)
	if w.Share > 0 && !o.Opened.IsZero() {
		at = o.Opened.Add(deadline.Sub(o.Opened) / wholeShare * time.Duration(w.Share))
	}
	return r.Calendar.Value.Latest(at)
}

// actAt is when to answer: so long before the deadline, earlier by what the measured margin wants, or so long after the beginning where that is
// earlier.
func actAt(o Obligation, deadline time.Time, r Rule) time.Time {
	at := deadline.Add(-r.ActBefore.Value)
	at = at.Add(-spared(o, at, r.Margin.Lead))
	if r.ActAfter.Value == Never || o.Opened.IsZero() {
		return at
	}
	if soon := o.Opened.Add(r.ActAfter.Value); soon.Before(at) {
		return soon
	}
	return at
}

// fallbackAt leaves room before guard for an answer, the learning of its outcome and one more try; it is never before the answer is due.
func fallbackAt(o Obligation, deadline time.Time, r Rule) time.Time {
	at := guardAt(o, deadline, r).Add(-2*r.Settle.Value - fallbackMargin)
	if act := actAt(o, deadline, r); at.Before(act) {
		return act
	}
	return at
}

// wholeShare is all of something, in basis points.
const wholeShare = 10_000

// fallbackMargin is what sweeps and retries take besides the settle windows.
const fallbackMargin = 10 * time.Minute
