package simulator

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"watchkeeper/sla"
)

// mostRows is the largest page of the dispute list.
const mostRows = 50

// A method answers a business call with its response parameters, before any envelope.
type method func(c call, st *store) (object, *aliError)

func (s seller) methods() map[string]method {
	return map[string]method{
		"aliexpress.issue.issuelist.get":                          s.list,
		"aliexpress.issue.detail.get":                             s.detail,
		"aliexpress.issue.solution.agree":                         s.agree,
		"aliexpress.issue.solution.save":                          s.save,
		"aliexpress.solution.order.info.get":                      s.orderInfo,
		"aliexpress.logistics.redefining.querytrackingresult":     s.tracking,
		"aliexpress.trade.redefining.extendsbuyeracceptgoodstime": s.extend,
		"aliexpress.trade.seller.order.acceptcancel":              s.cancel,
		"aliexpress.trade.seller.order.refusecancel":              s.cancel,
	}
}

// simple reports whether the caller asked for no wrappers.
func (c call) simple() bool { return c.Form.Get("simplify") == "true" }

// wrap puts the envelope of the method around its response.
func (c call) wrap(method string, value object) object {
	if c.simple() {
		value["request_id"] = c.requestID()
		return value
	}
	if strings.HasSuffix(method, "issuelist.get") { // seen with a result level of its own; the other methods without
		value = object{"result": value}
	}
	value["request_id"] = c.requestID()
	return object{strings.ReplaceAll(method, ".", "_") + "_response": value}
}

// rows is a list, in its wrapper unless the caller asked for none; an empty wrapper has no key.
func (c call) rows(wrapper string, list []any) any {
	switch {
	case c.simple() && list == nil:
		return []any{}
	case c.simple():
		return list
	case len(list) == 0:
		return object{}
	}
	return object{wrapper: list}
}

// loose is a number or text as callers write it: identifiers may come as either.
type loose string

// UnmarshalJSON takes a string or a bare number.
func (l *loose) UnmarshalJSON(b []byte) error {
	*l = loose(strings.Trim(string(b), `"`))
	return nil
}

func (l loose) int() int64 {
	n, err := strconv.ParseInt(string(l), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

type listQuery struct {
	Page   loose  `json:"current_page"`
	Size   loose  `json:"page_size"`
	Status string `json:"issue_status"`
	Order  loose  `json:"order_no"`
	Buyer  string `json:"buyer_login_id"`
	From   loose  `json:"create_time_start"`
	To     loose  `json:"create_time_end"`
}

func (q listQuery) wants(i *issue, v state) bool {
	created := i.openAt.UnixMilli()
	return (q.Status == "" || v.issueStatus == q.Status) &&
		(q.Order == "" || q.Order.int() == i.order.child) &&
		(q.Buyer == "" || q.Buyer == i.order.buyer) &&
		(q.From == "" || created >= q.From.int()) && (q.To == "" || created <= q.To.int())
}

func (s seller) list(c call, st *store) (object, *aliError) {
	var q listQuery
	if json.Unmarshal([]byte(c.Form.Get("query_dto")), &q) != nil || q.Page.int() < 1 || q.Size.int() < 1 || q.Size.int() > mostRows {
		return nil, &missing
	}
	page, size := int(q.Page.int()), int(q.Size.int())
	var rows []any
	total := 0
	for _, i := range st.issues {
		v, opened := i.seen(c)
		if !opened || !q.wants(i, v) {
			continue
		}
		if total >= (page-1)*size && total < page*size {
			rows = append(rows, s.summary(i, v))
		}
		total++
	}
	rows = c.spoil(rows, page, object{keyIssue: object{"value": []int{1}}, keyStatus: 7, keyCreated: nil})
	return object{"current_page": page, "page_size": size, "total_item": total, "data_list": c.rows("issue_api_issue_dto", rows)}, nil
}

// seen is the state that this request is shown.
func (i *issue) seen(c call) (state, bool) {
	if c.stale > 0 {
		return i.asOf(c.now.Add(-c.stale))
	}
	return i.state, i.issueStatus != ""
}

// find is the dispute a call means: it must belong to the store, and the buyer's login must fit.
func (s seller) find(st *store, id int64, buyer string) (*issue, *aliError) {
	i := s.w.byID[id]
	if id == 0 || buyer == "" {
		return nil, &missing
	}
	if i == nil || i.issueStatus == "" || i.order.store != st || i.order.buyer != buyer {
		e := business(noSuchIssue)
		return nil, &e
	}
	return i, nil
}

func (s seller) detail(c call, st *store) (object, *aliError) {
	i, refused := s.find(st, loose(c.Form.Get("issue_id")).int(), c.Form.Get("buyer_login_id"))
	if refused != nil {
		return nil, refused
	}
	v, opened := i.seen(c)
	if !opened {
		e := business(noSuchIssue)
		return nil, &e
	}
	return object{"result_object": s.full(c, i, v)}, nil
}

// done is the answer to a write: true, or one of the two ways in which the platform says no.
func (i *issue) done(why refusal) (object, *aliError) {
	if why != accepted && !i.quirks.plainNo {
		e := business(why)
		return nil, &e
	}
	return object{"result_object": why == accepted}, nil
}

func (s seller) agree(c call, st *store) (object, *aliError) {
	i, refused := s.find(st, loose(c.Form.Get("issue_id")).int(), c.Form.Get("buyer_login_id"))
	solution := loose(c.Form.Get("solution_id")).int()
	if refused != nil {
		return nil, refused
	}
	if solution == 0 {
		return nil, &missing
	}
	return i.done(i.agree(c.now, ActorSeller, solution, loose(c.Form.Get("return_address_id")).int()))
}

type saveParams struct {
	Add      *bool  `json:"add_seller_solution"`
	Kind     string `json:"add_solution_type"`
	Buyer    string `json:"buyer_login_id"`
	Answers  loose  `json:"buyer_solution_id"`
	Issue    loose  `json:"issue_id"`
	Modifies loose  `json:"modify_seller_solution_id"`
	Amount   loose  `json:"refund_amount"`
	Currency string `json:"refund_amount_currency"`
	Address  loose  `json:"return_good_address_id"`
	Text     string `json:"solution_context"`
}

func (s seller) save(c call, st *store) (object, *aliError) {
	var p saveParams
	if json.Unmarshal([]byte(c.Form.Get("param_dto")), &p) != nil || p.Add == nil {
		return nil, &missing
	}
	i, refused := s.find(st, p.Issue.int(), p.Buyer)
	if refused != nil {
		return nil, refused
	}
	amount, err := sla.ParseMoney(string(p.Amount), p.Currency)
	if err != nil {
		return i.done(i.refused(c.now, ActorSeller, badAmount))
	}
	return i.done(i.propose(c.now, ActorSeller, proposal{
		add: *p.Add, kind: p.Kind, answers: p.Answers.int(), modifies: p.Modifies.int(), amount: amount, text: p.Text, address: p.Address.int(),
	}))
}

// extend answers with the fields of the method's published response: is_success, sub_error_code, memo.
func (s seller) extend(c call, st *store) (object, *aliError) {
	o := s.w.orders[loose(c.Form.Get("param0")).int()]
	code := 100
	if o != nil && o.store == st {
		code = s.w.extend(c.now, o, loose(c.Form.Get("param1")).int())
	}
	if code != 0 {
		return object{"is_success": false, "sub_error_code": code, "memo": "cannot extend"}, nil
	}
	return object{"is_success": true}, nil
}

// cancel refuses: no order of this month waits for a cancellation.
func (s seller) cancel(call, *store) (object, *aliError) {
	return object{"result": object{"target": false, "success": false, "error_code": "ORDER_NOT_IN_CANCEL"}}, nil
}

type orderQuery struct {
	Order loose `json:"order_id"`
	Flags loose `json:"ext_info_bit_flag"`
}

func (s seller) orderInfo(c call, st *store) (object, *aliError) {
	var q orderQuery
	if json.Unmarshal([]byte(c.Form.Get("param1")), &q) != nil || q.Order == "" {
		return nil, &missing
	}
	o := s.w.orders[q.Order.int()]
	if o == nil || o.store != st || o.created.After(c.now) {
		return object{"result": object{"error_code": "ORDER_NOT_EXIST", "error_message": "no such order"}}, nil
	}
	return object{"result": object{"time_stamp": s.pacific(c.now), "data": s.order(c, o)}}, nil
}

// tracking is the platform's own copy of a parcel's events; it lags behind the carrier and has no codes.
func (s seller) tracking(c call, st *store) (object, *aliError) {
	p, o := s.w.numbers[c.Form.Get("logistics_no")], s.w.orders[loose(c.Form.Get("out_ref")).int()]
	if p == nil || o == nil || p.order != o || o.store != st {
		return object{"result_success": false, "error_desc": "no tracking information"}, nil
	}
	var rows []any
	for _, e := range p.visible(c.now.Add(-6 * time.Hour)) {
		rows = append(rows, object{"event_desc": e.text, "signed_date": s.pacific(e.at), "status": "", "address": e.country})
	}
	return object{"result_success": true, "official_website": "https://global.example/" + p.number, "details": c.rows("details", rows)}, nil
}
