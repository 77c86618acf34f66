package aliexpress

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"watchkeeper/sla"
)

// The dispute of most tests, as the list knows it.
const (
	sampleIssue  = "9123456789012345678"
	sampleOrder  = "8190000000000002"
	sampleParent = "8190000000000001"
	sampleBuyer  = "fr1500000001xyz"
)

type object = map[string]any

// claim is a buyer's proposal of 14.20 USD.
func claim(with object) object {
	o := object{
		"id": json.Number("9123456789020001"), "issue_id": json.Number(sampleIssue), "solution_type": "refund", "solution_owner": "buyer",
		"status": "wait_seller_accept", "refund_money": "13.10", "refund_money_currency": "EUR", "refund_money_post": "14.20",
		"refund_money_post_currency": "USD", "version": 1, "content": "CANARY-TEXT", "gmt_create": "2026-01-05 03:12:44", "gmt_modified": "2026-01-05 03:12:44",
	}
	maps.Copy(o, with)
	return o
}

// offer is a seller's proposal of 5 USD, made a day later.
func offer(with object) object {
	o := claim(object{
		"id": json.Number("9123456789020007"), "solution_owner": "seller", "status": "wait_buyer_accept", "refund_money": "4.60", "refund_money_post": "5.00",
		"gmt_create": "2026-01-06 03:12:44", "gmt_modified": "2026-01-06 03:12:44",
	})
	maps.Copy(o, with)
	return o
}

func row(action, at string) object {
	return object{"issue_id": json.Number(sampleIssue), "action_type": action, "gmt_create": at, "content": "CANARY-TEXT"}
}

// sample is a dispute about quality that waits for the seller's first answer.
func sample(with object) object {
	o := object{
		"id": json.Number("9123456789012399"), "order_id": json.Number(sampleOrder), "parent_order_id": sampleParent, "buyer_login_id": sampleBuyer,
		"issue_status": "processing", "issue_reason": "Color/size not as described", "product_name": "Desk lamp",
		"refund_money_max": "14.20", "refund_money_max_currency": "USD", "gmt_create": "2026-01-05 03:12:44",
		"reverse_detail_status": "wait_for_seller_response", "timeout_type": "WAIT_SOLUTION_TIMEOUT", "timeout_trigger_time": "2026-01-10 03:12:44",
		"buyer_solution_list": []object{claim(nil)}, "seller_solution_list": []object{}, "platform_solution_list": []object{},
		"process_dto_list": []object{row("initiate", "2026-01-05 03:12:44")},
	}
	maps.Copy(o, with)
	return o
}

func sampleRef() sla.DisputeRef {
	return sla.DisputeRef{ID: sla.DisputeID{Platform: Name, Store: "AE01", Native: sampleIssue}, Order: sampleOrder}
}

func asJSON(tb testing.TB, v any) []byte {
	tb.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// viewOf reads a sample.
func viewOf(tb testing.TB, o object) *view {
	tb.Helper()
	e, err := open(asJSON(tb, object{"result_object": o}), detailMethod)
	if err != nil {
		tb.Fatal(err)
	}
	d, err := decodeDetail(e)
	if err != nil {
		tb.Fatal(err)
	}
	return look(sampleRef(), d, sla.ReasonUnknown)
}

func disputeOf(tb testing.TB, o object) sla.Dispute {
	tb.Helper()
	return viewOf(tb, o).dispute(settings{returns: true, buyerKey: []byte("key")})
}

// owed is the one obligation of a dispute.
func owed(tb testing.TB, d sla.Dispute) sla.Obligation {
	tb.Helper()
	if len(d.Obligations) != 1 {
		tb.Fatalf("want one obligation, got %d in state %v", len(d.Obligations), d.State)
	}
	return d.Obligations[0]
}

func list1(o ...object) []object { return slices.Clone(o) }
