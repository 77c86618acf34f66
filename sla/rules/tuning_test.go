package rules_test

import (
	"testing"
	"time"

	"watchkeeper/sla"
)

const festival, before = "2027-02-10T00:00:00Z", "2027-01-10T00:00:00Z"

func usd(n int64) sla.Money { return sla.Money{Minor: n * 100, Currency: "USD"} }

func rule(r sla.Reason, is func(sla.Rule) bool) func(b sourced) bool {
	return func(b sourced) bool { return is(b.For("aliexpress", "A1", r)) }
}

// tunings are what operators ask for, each in one or two variables beside those that declare something.
var tunings = map[string]struct {
	env  []string
	at   string
	is   func(sourced) bool
	isAt string // when it must not be so; empty: not asked
}{
	"1 answers 24 h earlier during the festival": {
		[]string{"WK_SLA__ALIEXPRESS__ACT_BEFORE=4d", "WK_SLA__ALIEXPRESS__ACT_BEFORE__FROM=2027-02-05..2027-02-20"}, festival,
		rule(sla.ReasonOther, func(r sla.Rule) bool { return r.ActBefore.Value == 4*day }), before,
	},
	"2 fifteen days of silence to Brazil": {
		[]string{"WK_SHIPMENT__LANE__ANY_BR__STALL=15d"}, before,
		func(b sourced) bool {
			return b.Shipments("A1", brazil).Stall.Value == 15*day && b.Shipments("A1", sla.Lane{Dest: "FR"}).Stall.Value == 12*day
		}, "",
	},
	"3 refuse when delivered and signed, else offer 30 %": {
		[]string{"WK_SLA__ANSWER=refuse?signed@0h,partial:30%@0h"}, before,
		rule(sla.ReasonNotReceived, func(r sla.Rule) bool {
			a := r.Answer.Value
			return len(a) == 2 && a[0] == sla.Step{Kind: sla.AnswerRefuse, If: sla.EvidenceSigned} && a[1] == sla.Step{Kind: sla.AnswerOffer, Share: 3000}
		}), "",
	},
	"4 no refund above 15 USD without a yes": {
		[]string{"WK_SLA__APPROVE_ABOVE=15USD"}, before,
		rule(sla.ReasonOther, func(r sla.Rule) bool { return r.ApproveAbove.Value == usd(15) }), "",
	},
	"5 at most 300 USD a day for a store": {
		[]string{"WK_SLA__STORE__A1__STORE_BUDGET=300USD"}, before,
		rule(sla.ReasonOther, func(r sla.Rule) bool { return r.Budget().Store == usd(300) }), "",
	},
	"6 a store in shadow": {
		[]string{"WK_SLA__MODE=live", "WK_SLA__STORE__A1__MODE=shadow"}, before,
		rule(sla.ReasonOther, func(r sla.Rule) bool { return r.Mode.Value == sla.ModeShadow }), "",
	},
	"7 one reason accepted at once below 3 USD": {
		[]string{"WK_SLA__ALIEXPRESS__REASON__MISSING__ANSWER=accept:3USD@0h,playbook@0h", "WK_SLA__ALIEXPRESS__REASON__MISSING__ACT_AFTER=0h"}, before,
		rule(sla.ReasonMissing, func(r sla.Rule) bool {
			return r.ActAfter.Value == 0 && r.Answer.Value[0] == sla.Step{Kind: sla.AnswerAccept, Limit: usd(3)}
		}), "",
	},
	"8 a buyer's third claim is held": {
		[]string{"WK_SLA__HOLD_CLAIMS=3"}, before,
		rule(sla.ReasonOther, func(r sla.Rule) bool { return r.HoldClaims.Value == 3 }), "",
	},
	"9 a page only under 6 h": {
		[]string{"WK_SLA__WARN=24h:chat,6h:page"}, before,
		rule(sla.ReasonOther, func(r sla.Rule) bool {
			w := r.Warn.Value
			return len(w) == 2 && w[0].Channel == sla.ChannelChat && w[1] == sla.WarnPoint{Before: 6 * time.Hour, Channel: sla.ChannelPage}
		}), "",
	},
	"10 one carrier's silence five days longer": {
		[]string{"WK_SHIPMENT__CARRIER__YANWEN__STALL=17d"}, before,
		func(b sourced) bool {
			return b.Shipments("A1", brazil).Stall.Value == 17*day && b.Shipments("A1", sla.Lane{Carrier: "3011"}).Stall.Value == 12*day
		}, "",
	},
	"11 a larger budget between two dates": {
		[]string{"WK_SLA__TOTAL_BUDGET=2000USD", "WK_SLA__TOTAL_BUDGET__FROM=2027-02-05..2027-02-20"}, festival,
		rule(sla.ReasonOther, func(r sla.Rule) bool { return r.Budget().Total == usd(2000) }), before,
	},
	"12 nothing is sent now": {
		[]string{"WK_SLA__KILL=on"}, before,
		rule(sla.ReasonOther, func(r sla.Rule) bool { return r.Kill.Value && len(r.Warn.Value) > 0 }), "",
	},
	"13 a window of 48 h": {
		[]string{"WK_SLA__STORE__A1__RESPONSE_WINDOW=48h", "WK_SLA__STORE__A1__ACT_BEFORE=24h"}, before,
		rule(sla.ReasonOther, func(r sla.Rule) bool { return r.Window.Value == 48*time.Hour && r.WindowClock.Value == nil }), "",
	},
	"13 a window of one working day": {
		[]string{
			"WK_CALENDAR__BR__ZONE=America/Sao_Paulo", "WK_CALENDAR__BR__HOURS=Mon-Fri 00:00-24:00", "WK_SLA__STORE__A1__ACT_BEFORE=12h",
			"WK_SLA__STORE__A1__RESPONSE_WINDOW=24h", "WK_SLA__STORE__A1__WARN=50%", "WK_SLA__STORE__A1__WINDOW_CALENDAR=BR",
		}, before,
		rule(sla.ReasonOther, func(r sla.Rule) bool {
			friday := date("2027-02-19T15:00:00Z") // noon in São Paulo
			return sla.EffectiveDeadline(sla.Obligation{Opened: friday}, r).Equal(date("2027-02-22T15:00:00Z"))
		}), "",
	},
}

// TestEachTuningIsOneOrTwoVariables holds them as far as the rulebook decides them.
func TestEachTuningIsOneOrTwoVariables(t *testing.T) {
	t.Parallel()
	for name, test := range tunings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := load(t, append([]string{storeA1}, test.env...)...)
			if !test.is(b.At(date(test.at))) {
				t.Error("it is not so")
			}
			if test.isAt != "" && test.is(b.At(date(test.isAt))) {
				t.Errorf("it is so at %s, too", test.isAt)
			}
		})
	}
}

// sourced is what a rulebook answers.
type sourced interface {
	For(p sla.Platform, s sla.StoreID, r sla.Reason) sla.Rule
	Shipments(s sla.StoreID, lane sla.Lane) sla.ShipmentRule
}
