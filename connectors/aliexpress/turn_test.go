package aliexpress

import (
	"encoding/json"
	"testing"
	"time"

	"watchkeeper/sla"
)

func TestTurnDependsOnTheOtherSidesMovesOnly(t *testing.T) {
	t.Parallel()
	first := owed(t, disputeOf(t, sample(nil))).Turn
	same := map[string]object{
		"read again":                       nil,
		"deadline moved":                   {"timeout_trigger_time": "2026-01-12 03:12:44"},
		"other name of the status":         {"reverse_detail_status": "wait_for_your_response\x00"},
		"a status never seen, same clock":  {"reverse_detail_status": "wait_for_seller_reply"},
		"exchange rate":                    {"buyer_solution_list": list1(claim(object{"refund_money_post": "14.31"}))},
		"our write half visible":           {"buyer_solution_list": list1(claim(object{"status": "seller_refused_somehow", "gmt_modified": "2026-01-06 03:12:44"}))},
		"our proposal in the history only": {"process_dto_list": []object{row("initiate", "2026-01-05 03:12:44"), row("seller_create_solution", "2026-01-06 03:12:44")}},
		"ids and numbers as text":          {"buyer_solution_list": list1(claim(object{"id": "9123456789020001", "version": "1", "refund_money": 13.1}))},
		"list in a wrapper":                {"buyer_solution_list": object{"solution_api_dto": list1(claim(nil))}},
		"an older, withdrawn proposal":     {"buyer_solution_list": list1(claim(object{"id": 7, "status": "reach_cancle", "gmt_create": "2026-01-04 00:00:00"}), claim(nil))},
	}
	for name, with := range same {
		if got := owed(t, disputeOf(t, sample(with))).Turn; got != first {
			t.Errorf("%s: want the turn to stay", name)
		}
	}
	refusedOffer := list1(offer(object{"status": "buyer_refused", "gmt_modified": "2026-01-07 03:12:44"}))
	moved := map[string]object{
		"buyer edits in place":    {"buyer_solution_list": list1(claim(object{"version": 2, "refund_money": "10.00", "gmt_modified": "2026-01-06 00:00:00"}))},
		"buyer edits the text":    {"buyer_solution_list": list1(claim(object{"version": 2, "gmt_modified": "2026-01-06 00:00:00"}))},
		"buyer puts another":      {"buyer_solution_list": list1(claim(object{"status": "reach_cancle"}), claim(object{"id": 9123456789020002, "gmt_create": "2026-01-06 00:00:00"}))},
		"buyer wants to return":   {"buyer_solution_list": list1(claim(object{"solution_type": "return_and_refund"}))},
		"buyer refuses our offer": {"seller_solution_list": refusedOffer},
		"platform proposes":       {"platform_solution_list": list1(claim(object{"id": -2, "gmt_create": "2026-01-07 00:00:00"}))},
		"evidence is wanted":      {"reverse_detail_status": "wait_for_your_evidence"},
		"an address is wanted":    {"reverse_detail_status": "wait_for_seller_set_return_address"},
		"the goods are back":      {"reverse_detail_status": "wait_for_seller_confirmation"},
	}
	seen := map[sla.Turn]string{first: "the first"}
	for name, with := range moved {
		got := owed(t, disputeOf(t, sample(with))).Turn
		if other, taken := seen[got]; taken {
			t.Errorf("%s: want a turn of its own, got that of %s", name, other)
		}
		seen[got] = name
	}
}

func TestRefusingAChangedOfferAgainIsANewTurn(t *testing.T) {
	t.Parallel()
	refused := func(rows int) sla.Turn {
		history := []object{row("initiate", "2026-01-05 03:12:44")}
		for range rows {
			history = append(history, row("buyer_refuse", "2026-01-07 03:12:44"))
		}
		return owed(t, disputeOf(t, sample(object{
			"seller_solution_list": list1(offer(object{"status": "buyer_refused", "version": rows})), "process_dto_list": history,
		}))).Turn
	}
	if refused(1) == refused(2) {
		t.Error("want a second refusal of the same proposal to begin a new turn")
	}
}

func TestOwnPendingOfferTakesTheTurnAwayUntilTheBuyerEdits(t *testing.T) {
	t.Parallel()
	d := disputeOf(t, sample(object{"seller_solution_list": list1(offer(nil))}))
	if d.State != sla.StateBuyer || len(d.Obligations) != 0 || d.Own != "9123456789020007" || d.Offered.Minor != 500 || d.Offers != 1 {
		t.Errorf("want nothing owed while our offer waits, got %+v", d)
	}
	edited := sample(object{
		"seller_solution_list": list1(offer(nil)),
		"buyer_solution_list":  list1(claim(object{"version": 2, "refund_money": "12.00", "refund_money_post": "13.00", "gmt_modified": "2026-01-07 03:12:44"})),
	})
	if o := owed(t, disputeOf(t, edited)); o.Opened != time.Date(2026, 1, 7, 11, 12, 44, 0, time.UTC) || o.Cost.Minor != 1300 {
		t.Errorf("want an edit after our offer to be a turn of its own, got %+v", o)
	}
	for _, status := range []string{"wait_for_your_evidence", "wait_for_seller_set_return_address", "wait_for_seller_confirmation"} {
		o := owed(t, disputeOf(t, sample(object{"seller_solution_list": list1(offer(nil)), "reverse_detail_status": status})))
		if o.Turn == 0 {
			t.Errorf("%s: want it owed although an offer of ours is pending", status)
		}
	}
}

func TestAcceptedProposalOwesNothing(t *testing.T) {
	t.Parallel()
	for name, with := range map[string]object{
		"reached":              {"status": "reached", "reached_type": "negotiation_consensus"},
		"performing":           {"status": "perform"},
		"accepted by us":       {"seller_accept_time": "2026-01-06 00:00:00"},
		"accepted, half shown": {"status": "wait_buyer_accept", "seller_accept_time": "2026-01-06 00:00:00"},
	} {
		if d := disputeOf(t, sample(object{"buyer_solution_list": list1(claim(with))})); d.State != sla.StatePlatform || len(d.Obligations) != 0 {
			t.Errorf("%s: want nothing owed, got %v with %d", name, d.State, len(d.Obligations))
		}
	}
	taken := disputeOf(t, sample(object{"seller_solution_list": list1(offer(object{"status": "reached"}))}))
	if len(taken.Obligations) != 0 {
		t.Error("want nothing owed when the buyer took our offer")
	}
}

func TestTurnBeginsWhenTheOtherSideMoved(t *testing.T) {
	t.Parallel()
	at := func(day int) time.Time { return time.Date(2026, 1, day, 11, 12, 44, 0, time.UTC) }
	refused := offer(object{"status": "buyer_refused", "gmt_modified": "2026-01-08 03:12:44"})
	for name, c := range map[string]struct {
		with object
		want time.Time
	}{
		"first answer":              {nil, at(5)},
		"refused, by its state":     {object{"seller_solution_list": list1(refused)}, at(8)},
		"refused, by the history":   {object{"process_dto_list": []object{row("buyer_refuse", "2026-01-07 03:12:44")}}, at(7)},
		"refused, nobody says when": {object{"seller_solution_list": list1(offer(object{"status": "buyer_refused", "gmt_modified": nil}))}, time.Time{}},
		"touched by our own write":  {object{"buyer_solution_list": list1(claim(object{"gmt_modified": "2026-01-09 03:12:44"}))}, at(5)},
		"evidence in arbitration": {object{
			"reverse_detail_status": "wait_for_your_evidence", "process_dto_list": []object{row("buyer_initiate_arbitration", "2026-01-06 03:12:44")},
		}, at(6)},
		"return address": {object{"reverse_detail_status": "wait_for_seller_set_return_address"}, time.Time{}},
		"goods are back": {object{"reverse_detail_status": "wait_for_seller_confirmation"}, time.Time{}},
	} {
		if o := owed(t, disputeOf(t, sample(c.with))); !o.Opened.Equal(c.want) || !o.Deadline.Equal(at(10)) {
			t.Errorf("%s: want %v, got %v with deadline %v", name, c.want, o.Opened, o.Deadline)
		}
	}
}

// What a memory that was lost has reserved in a dispute is of no matter where nothing was ever agreed.
func TestADisputeIsUnpaidWhileAnAnswerIsOwedAndNothingWasAgreed(t *testing.T) {
	t.Parallel()
	later := object{"id": json.Number("9123456789020002"), "gmt_create": "2026-01-08 03:12:44", "gmt_modified": "2026-01-08 03:12:44"}
	for name, c := range map[string]struct {
		with object
		want bool
	}{
		"first answer":              {nil, true},
		"refused our offer":         {object{"seller_solution_list": list1(offer(object{"status": "buyer_refused"}))}, true},
		"our offer waits":           {object{"seller_solution_list": list1(offer(nil))}, false},
		"an earlier one was agreed": {object{"buyer_solution_list": list1(claim(object{"status": "perform"}), claim(later))}, false},
		"ours was agreed, they ask for more": {object{
			"seller_solution_list": list1(offer(object{"status": "reached"})), "buyer_solution_list": list1(claim(later)),
		}, false},
		"a claim in a new word": {object{"buyer_solution_list": list1(claim(object{"status": "partly_paid"}), claim(later))}, false},
		"ours in a new word":    {object{"seller_solution_list": list1(offer(object{"status": "partly_paid"})), "buyer_solution_list": list1(claim(later))}, false},
		"agreed and taken back": {object{"buyer_solution_list": list1(claim(object{"status": "reach_cancle"}), claim(later))}, true},
		"evidence":              {object{"reverse_detail_status": "wait_for_your_evidence"}, false},
		"goods are back":        {object{"reverse_detail_status": "wait_for_seller_confirmation"}, false},
		"unknown status":        {object{"reverse_detail_status": "wait_for_godot"}, false},
		"refunded, closed":      {object{"issue_status": "finish"}, false},
	} {
		if got := disputeOf(t, sample(c.with)).Unpaid; got != c.want {
			t.Errorf("%s: want unpaid %v, got %v", name, c.want, got)
		}
	}
}
