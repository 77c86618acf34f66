package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/intake"
)

// shadowLineOf is what would have been done in a turn.
func shadowLineOf(id string, turn sla.Turn, ago time.Duration, answer, why string, amount sla.Money) handle.Line {
	return handle.Line{
		At: now.Add(-ago), Event: handle.EventShadow, Case: id, Turn: turn.String(), Answer: answer, Amount: amount, Why: why, Rules: "0123456789ab",
		Facts: handle.LineFacts{Reason: "damaged", Claimed: usd(2000), Kinds: sla.Answers(sla.AnswerOffer), Opened: now.Add(-ago - day), Cost: usd(2000)},
	}
}

// movedLine is how turn 1 ended.
func movedLine(id string, ago time.Duration, m intake.Moved) intake.Moved {
	m.At, m.Event, m.Case, m.Turn, m.Cost = now.Add(-ago), intake.EventMoved, id, sla.Turn(1).String(), usd(2000)
	return m
}

// shadowMonth is the audit of a month in shadow: two stores, one turn still open, one decision too old.
func shadowMonth() []any {
	return []any{
		shadowLineOf("AE01/900", 1, 40*day, "accept", "within_cap", usd(2000)),
		shadowLineOf("AE01/901", 1, 20*day, "offer", "negotiate", usd(600)),
		shadowLineOf("AE01/901", 1, 20*day, "offer", "negotiate", usd(600)), // told twice
		movedLine("AE01/901", 19*day, intake.Moved{State: "wait_buyer", By: "none", Offers: 1, Offered: usd(800)}),
		shadowLineOf("AE01/902", 1, 18*day, "refuse", "parcel_delivered", usd(0)),
		movedLine("AE01/902", 17*day, intake.Moved{State: "closed", By: "timeout", Paid: usd(2000)}),
		shadowLineOf("AE01/903", 1, 16*day, "none", "over_cap", sla.Money{}),
		movedLine("AE01/903", 15*day, intake.Moved{State: "closed", By: "seller", Paid: usd(2000)}),
		shadowLineOf("AE02/904", 1, 3*day, "offer", "negotiate", jpy(900)),
		shadowLineOf("AE02/904", 2, day, "none", "not_yet", sla.Money{}),
		movedLine("AE02/905", day, intake.Moved{State: "closed", By: "buyer"}), // no shadow decision of ours
	}
}

func TestShadowReportJoinsDecisionsWithTheEndsOfTheirTurns(t *testing.T) {
	t.Parallel()
	addr := stocked(t, shadowMonth()...)
	got := invoke(t, toys(), env(addr), "shadow", "report")
	got.want(t, exitOK)
	golden(t, "shadow_report.txt", got.out)
	asJSON := invoke(t, toys(), env(addr), "shadow", "report", "-o", "json")
	golden(t, "shadow_report_json.txt", asJSON.out)
	one := invoke(t, toys(), env(addr), "shadow", "report", "--store", "AE02", "--since", "2d")
	one.want(t, exitOK, "wait 1")
	if strings.Contains(one.out, "AE01") || strings.Contains(one.out, "offer") {
		t.Errorf("more than asked for:\n%s", one.out)
	}
}

func TestShadowReportOfNothingSaysSo(t *testing.T) {
	t.Parallel()
	addr := stocked(t, answered("AE01/900", 5*day, sla.AnswerOffer, usd(1000), usd(300)))
	got := invoke(t, toys(), env(addr), "shadow", "report")
	if got.want(t, exitOK); got.out != "no shadow decision is on record since 2026-02-02T12:00:00Z\n" {
		t.Errorf("got %q", got.out)
	}
	var v shadowCounted
	must(t, json.Unmarshal([]byte(invoke(t, toys(), env(addr), "shadow", "report", "-o", "json").out), &v))
	if v.Groups == nil || v.Total.Decisions != 0 {
		t.Errorf("got %+v", v)
	}
	invoke(t, toys(), env(addr), "shadow", "report", "--store", "ZZ9").want(t, exitNotFound, "store ZZ9")
	invoke(t, toys(), env(addr), "shadow", "report", "--store", "a b").want(t, exitUsage, "--store")
	invoke(t, toys(), env(addr), "shadow", "report", "--since", "-1d").want(t, exitUsage, "--since")
}

type shadowCounted struct {
	Groups []json.RawMessage `json:"groups"`
	Total  struct {
		Decisions int `json:"decisions"`
	} `json:"total"`
}
