package simulator

import (
	"strconv"
	"time"

	"watchkeeper/sla"
)

// pacific writes an instant as the platform does: US Pacific time without a zone.
func (s seller) pacific(t time.Time) string {
	return t.In(s.w.pacific).Format("2006-01-02 15:04:05")
}

// id writes an identifier as this dispute's records do.
func (q quirks) id(n int64) any {
	if q.textIDs {
		return strconv.FormatInt(n, 10)
	}
	return n
}

func (s seller) summary(i *issue, v state) object {
	q := i.quirks
	return object{
		keyIssue: q.id(i.id), "order_id": q.id(i.order.child), "parent_order_id": q.id(i.order.parent), "buyer_login_id": i.order.buyer,
		keyStatus: v.issueStatus, keyCreated: s.pacific(i.openAt), "gmt_modified": s.pacific(v.modified),
		"reason_chinese": i.why.chinese, "reason_english": i.why.english,
	}
}

// full is the detail of a dispute. Its own id is not the list's, as seen live.
func (s seller) full(c call, i *issue, v state) object {
	q, o := i.quirks, i.order
	local := o.market.money(o.amount)
	out := object{
		"id": q.id(i.id + 54), "order_id": q.id(o.child), "parent_order_id": q.id(o.parent), "buyer_login_id": o.buyer,
		keyStatus: v.issueStatus, "issue_reason": i.why.english, "issue_reason_id": i.why.id, "issue_type": "AE_ISSUE",
		"issue_quantity": 1, "product_id": 1_005_000_000_000_000 + int64(i.n), "product_name": o.product,
		"product_price": o.amount.Major(), "product_price_currency": string(o.amount.Currency),
		"refund_money_max": o.amount.Major(), "refund_money_max_currency": string(o.amount.Currency),
		"refund_money_max_local": local.Major(), "refund_money_max_local_currency": string(local.Currency),
		"after_sale_warranty": false, keyCreated: s.pacific(i.openAt), "reverse_detail_status": v.status,
		"buyer_solution_list":    c.rows("solution_api_dto", s.solutions(i, v.buyer)),
		"seller_solution_list":   c.rows("solution_api_dto", s.solutions(i, v.seller)),
		"platform_solution_list": c.rows("solution_api_dto", s.solutions(i, v.platform)),
		"process_dto_list":       c.rows("api_issue_process_dto", s.history(c, i, v.history)),
	}
	if q.nul {
		out["reverse_detail_status"] = v.status + "\x00"
	}
	if !v.deadline.IsZero() && v.timeoutType != "" {
		out["timeout_type"], out["timeout_trigger_time"] = v.timeoutType, s.pacific(v.deadline)
	}
	return out
}

func (s seller) solutions(i *issue, all []solution) []any {
	var out []any
	for _, x := range all {
		local := i.order.market.money(x.amount)
		row := object{
			"id": i.quirks.id(x.id), keyIssue: i.quirks.id(i.id), "order_id": i.quirks.id(i.order.child), "solution_owner": x.owner,
			"solution_type": "refund", "status": x.status, "is_default": len(out) == 0, "content": x.content, "version": x.version,
			"refund_money": local.Major(), "refund_money_currency": string(local.Currency),
			"refund_money_post": x.amount.Major(), "refund_money_post_currency": string(x.amount.Currency),
			keyCreated: s.pacific(x.created), "gmt_modified": s.pacific(x.modified),
		}
		if x.goods {
			row["solution_type"], row["logistics_fee_bear_role"] = "return_and_refund", "seller"
		}
		if x.reached != "" {
			row["reached_type"], row["reached_time"] = x.reached, s.pacific(x.reachedAt)
		}
		out = append(out, row)
	}
	return out
}

func (s seller) history(c call, i *issue, all []process) []any {
	var out []any
	for k, x := range all {
		row := object{
			keyIssue: i.quirks.id(i.id), "action_type": x.action, "submit_member_type": x.member, "content": x.content,
			"has_buyer_video": false, "has_seller_video": false, keyCreated: s.pacific(x.at), "attachments": c.rows("api_attachment_dto", nil),
		}
		if k == 0 {
			row["receive_goods"] = "Y"
			if i.why.reason == sla.ReasonNotReceived {
				row["receive_goods"] = "N"
			}
			row["attachments"] = c.rows("api_attachment_dto", []any{object{
				"file_path": "https://ae01.example/img.jpg", "owner": "buyer", keyIssue: i.quirks.id(i.id), keyCreated: s.pacific(x.at),
			}})
		}
		out = append(out, row)
	}
	return out
}

// protection is how long a buyer is protected from the order on [a guide says up to 90 days].
const protection = 90 * day

// order is the order's detail as far as a dispute needs it, with names that must never leave the platform's reply.
func (s seller) order(c call, o *order) object {
	status, inIssue := "WAIT_BUYER_ACCEPT_GOODS", "NO_ISSUE"
	child := object{
		"id": o.child, "child_order_id": strconv.FormatInt(o.child, 10), "product_name": o.product, "product_count": 1,
		"product_price": money(o.amount), "fund_status": "PAY_SUCCESS",
	}
	if i := o.issue; i != nil && i.issueStatus != "" {
		inIssue = "END_ISSUE"
		if i.processing() {
			status, inIssue = "IN_ISSUE", "IN_ISSUE"
		}
		child["child_issue_info"] = object{keyStatus: i.issueStatus, "issue_time": s.pacific(i.openAt), "issue_model": "AE_ISSUE"}
	}
	child["issue_status"], child["order_status"] = inIssue, status
	out := object{
		"id": o.parent, "order_status": status, keyStatus: inIssue, "buyerloginid": o.buyer, keyCreated: s.pacific(o.created),
		"buyer_info":      object{"login_id": o.buyer, "first_name": "CANARY-FIRST", "last_name": "CANARY-LAST", "country": o.market.country},
		"receipt_address": object{"country": o.market.country, "contact_person": "CANARY-NAME", "detail_address": "CANARY-STREET 1", "mobile_no": "0100000000"},
		"order_amount":    money(o.amount), "settlement_currency": string(o.amount.Currency), "logistics_status": "NO_LOGISTICS",
		"over_time_left":   s.pacific(o.created.Add(protection + time.Duration(o.extended)*day)),
		"child_order_list": c.rows("global_aeop_tp_child_order_dto", []any{child}),
	}
	var parcels []any
	if p := o.parcel; p != nil && !p.shipped.After(c.now) {
		out["logistics_status"] = "SELLER_SEND_GOODS"
		parcels = append(parcels, object{
			"logistics_no": p.number, "have_tracking_info": len(p.visible(c.now)) > 0, "logistics_service_name": "AliExpress Standard Shipping",
			"logistics_type_code": "CAINIAO_STANDARD", "gmt_send": s.pacific(p.shipped), "ship_order_id": o.child + 5, "receive_status": "default",
		})
	}
	out["logistic_info_list"] = c.rows("global_aeop_tp_logistic_info_dto", parcels)
	return out
}

func money(m sla.Money) object {
	return object{"amount": m.Major(), "cent": m.Minor, "cent_factor": 100, "currency_code": string(m.Currency)}
}
