package slatest

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"watchkeeper/sla"
)

// DrawRule draws any rule that sla/rules accepts: settle < guard < act before ≤ window, each warn point < window.
func DrawRule(t *rapid.T) sla.Rule {
	minutes := func(name string, least, most time.Duration) time.Duration {
		return time.Duration(rapid.Int64Range(int64(least/time.Minute), int64(most/time.Minute)).Draw(t, name)) * time.Minute
	}
	r := Rule()
	r.Window.Value = minutes("window", 4*time.Hour, 60*day)
	r.ActBefore.Value = minutes("act before", 10*time.Minute, r.Window.Value)
	r.Guard.Value = minutes("guard", 2*time.Minute, r.ActBefore.Value-time.Minute)
	r.Settle.Value = minutes("settle", time.Minute, r.Guard.Value-time.Minute)
	r.Recheck.Value = minutes("recheck", time.Minute, day)
	r.Mode.Value = rapid.SampledFrom([]sla.Mode{sla.ModeShadow, sla.ModeHold, sla.ModeLive}).Draw(t, "mode")
	if rapid.Bool().Draw(t, "acts after") {
		r.ActAfter.Value = minutes("act after", 0, r.Window.Value)
	}
	r.Unanswered.Value = sla.Unanswered(rapid.Uint8Range(0, uint8(sla.UnansweredRefuse)).Draw(t, "unanswered"))
	r.Kill.Value = rapid.IntRange(0, 9).Draw(t, "kill") == 0
	r.Warn.Value = make([]sla.WarnPoint, rapid.IntRange(0, 4).Draw(t, "warn points"))
	for i := range r.Warn.Value {
		w := &r.Warn.Value[i]
		w.Channel = rapid.SampledFrom(sla.Channels()).Draw(t, "channel")
		if rapid.Bool().Draw(t, "share") {
			w.Share = rapid.IntRange(1, 9999).Draw(t, "of the window")
		} else {
			w.Before = minutes("warn", time.Minute, r.Window.Value-time.Minute)
		}
	}
	return r
}

// DrawObligation draws an obligation around Epoch; its opening and its deadline may be unknown, and the deadline may be anywhere.
func DrawObligation(t *rapid.T) sla.Obligation {
	o := Obligation()
	o.Turn = sla.Turn(rapid.Uint64Range(1, 9).Draw(t, "turn"))
	o.Opened = DrawInstant(t, "opened")
	o.Deadline = DrawInstant(t, "deadline")
	if rapid.IntRange(0, 4).Draw(t, "person only") == 0 {
		o.Kinds = 0
	}
	return o
}

// DrawInstant draws an instant of the 140 days around Epoch to the millisecond, sometimes the zero time.
func DrawInstant(t *rapid.T, name string) time.Time {
	const span = int64(70 * day / time.Millisecond)
	ms := rapid.Int64Range(-span, span).Draw(t, name)
	if ms%10 == 0 {
		return time.Time{}
	}
	return Epoch.Add(time.Duration(ms) * time.Millisecond)
}

// DrawCase draws a case in any condition.
func DrawCase(t *rapid.T) sla.Case {
	c := Case()
	c.Obligation = DrawObligation(t)
	c.State = sla.State(rapid.Uint8Range(uint8(sla.StateUnknown), uint8(sla.StateClosed)).Draw(t, "state"))
	c.Warned = rapid.IntRange(0, 4).Draw(t, "warned")
	c.Paged = rapid.SampledFrom(sla.Stages()).Draw(t, "paged")
	c.Answered = rapid.Bool().Draw(t, "answered")
	c.Unresolved = rapid.Bool().Draw(t, "unresolved")
	c.Shadowed = rapid.Bool().Draw(t, "shadowed")
	c.Waiting = rapid.Bool().Draw(t, "waiting")
	c.Approval = rapid.SampledFrom(sla.Approvals()).Draw(t, "approval")
	if rapid.IntRange(0, 9).Draw(t, "nothing owed") == 0 {
		c.Obligation = sla.Obligation{}
	}
	return c
}

// DrawShipment draws a parcel with up to eight events in order of time, some without an instant or a country.
func DrawShipment(t *rapid.T) sla.Shipment {
	s := Shipment()
	s.Registered = DrawInstant(t, "registered")
	s.Stopped = rapid.Bool().Draw(t, "stopped")
	s.Failure = sla.Failure(rapid.Uint8Range(0, uint8(sla.FailureOther)).Draw(t, "failure"))
	for range rapid.IntRange(0, 8).Draw(t, "events") {
		s.Events = append(s.Events, sla.Event{
			At:        DrawInstant(t, "at"),
			Milestone: rapid.SampledFrom(sla.Milestones()).Draw(t, "milestone"),
			Country:   rapid.SampledFrom([]string{"", "CN", "ES", "NL"}).Draw(t, "country"),
		})
	}
	slices.SortStableFunc(s.Events, func(a, b sla.Event) int { return a.At.Compare(b.At) })
	s.Milestone = rapid.SampledFrom(sla.Milestones()).Draw(t, "present milestone")
	return s
}
