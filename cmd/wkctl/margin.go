package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
)

// A marginView is what the measured pace of a platform adds to the rule of a case.
type marginView struct {
	Guard    int64  `json:"guard_seconds"`    // nothing is sent with less time left than the rule's guard and this
	Lead     int64  `json:"act_lead_seconds"` // the answer is due so much earlier than by the rule
	Measured string `json:"measured"`
}

// A shortView is what makes time short on a platform.
type shortView struct {
	Level   string  `json:"level"`
	Why     string  `json:"why"`
	Meaning string  `json:"meaning"`
	Due     int     `json:"answers_due"`
	First   int     `json:"of_them_by"` // so many must go before By
	By      instant `json:"by"`
	Goes    float64 `json:"answers_an_hour"`
	Wants   float64 `json:"answers_an_hour_wanted"`
}

// measured is what the fleet has measured of a platform; false when no process says anything: then nobody knows what the next one will find.
func (d *desk) measured(ctx context.Context, p sla.Platform) (sla.Measured, bool, error) {
	all, err := d.Measured(ctx, "", d.now)
	m, known := all[p]
	return m, known, err
}

// pacedRule is the rule of a case as of now, with what the fleet has measured of its platform.
func (d *desk) pacedRule(ctx context.Context, c sla.CaseRecord) (sla.Rule, error) {
	rule := d.rule(c)
	pace, known, err := d.measured(ctx, c.ID.Platform)
	if known {
		rule.Margin = sla.MarginOf(pace)
	}
	return rule, err
}

func marginViewOf(m sla.Margin) *marginView {
	return &marginView{Guard: int64(m.Guard / time.Second), Lead: int64(m.Lead / time.Second), Measured: asTyped(m.From)}
}

// shortViewOf is nil when time is not short.
func shortViewOf(s sla.Shortage, now time.Time) *shortView {
	if s.Level == sla.PressureNone {
		return nil
	}
	tenth := func(n float64) float64 { return math.Round(n*10) / 10 }
	return &shortView{
		Level: s.Level.String(), Why: sla.WhyTimeShort.String(), Meaning: meaning(sla.WhyTimeShort), Due: s.Due, First: s.First, By: instant{s.By},
		Goes: tenth(s.Goes()), Wants: tenth(s.Wants(now)),
	}
}

func (m *marginView) text() string {
	long := func(seconds int64) string { return rules.FormatDuration(time.Duration(seconds) * time.Second) }
	return fmt.Sprintf("guard %s earlier, act %s earlier than the rule (%s)", long(m.Guard), long(m.Lead), m.Measured)
}

func (s *shortView) text() string {
	return fmt.Sprintf("%s: %d answers are due, %d of them until %s; %.1f an hour go out, %.1f are wanted (%s: %s)",
		s.Level, s.Due, s.First, s.By, s.Goes, s.Wants, s.Why, s.Meaning)
}
