package aliexpress

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

var yes = object{"result_object": true, "request_id": "2140f3c217672256"}

// answering sets a dispute and gives an answer to its turn.
func answering(p *shop, s *Seller, o object, kind sla.AnswerKind) (sla.Dispute, sla.Answer) {
	p.t.Helper()
	p.shows(o)
	d := p.lookup(s)
	a := sla.Answer{Kind: kind, Turn: owed(p.t, d).Turn, Proposal: d.Proposal, Text: "We can refund 5 USD, & you keep the lamp – 您好", Attempt: 1}
	switch kind {
	case sla.AnswerAccept:
		a.Amount = d.Claimed
	case sla.AnswerOffer:
		a.Amount = sla.Money{Minor: 500, Currency: "USD"}
	case sla.AnswerRefuse:
		a.Amount = sla.Money{Currency: "USD"}
	case sla.AnswerExtend:
		a.Extend = 240 * time.Hour
	}
	return d, a
}

// sending is one answer and what of it must reach the platform.
type sending struct {
	with   object
	kind   sla.AnswerKind
	method string
	want   params
}

// sendings are the answers by name.
func sendings() map[string]sending {
	goods := list1(claim(object{"solution_type": "return_and_refund"}))
	const text = `"solution_context":"We can refund 5 USD, \u0026 you keep the lamp – 您好"}`
	const head = `"buyer_login_id":"` + sampleBuyer + `","buyer_solution_id":9123456789020001,"issue_id":` + sampleIssue + `,`
	return map[string]sending{
		"accept": {nil, sla.AnswerAccept, agreeMethod, params{
			"buyer_login_id": sampleBuyer, "issue_id": sampleIssue, "solution_id": "9123456789020001", "return_address_id": "",
		}},
		"accept a return": {object{"buyer_solution_list": goods}, sla.AnswerAccept, agreeMethod, params{"return_address_id": "700001"}},
		"accept the platform's": {
			object{"platform_solution_list": list1(claim(object{"id": -2, "gmt_create": "2026-01-07 00:00:00"}))}, sla.AnswerAccept, agreeMethod, params{"solution_id": "-2"},
		},
		"give an address": {
			object{"buyer_solution_list": goods, "reverse_detail_status": "wait_for_seller_set_return_address"}, sla.AnswerAccept, agreeMethod,
			params{"solution_id": "9123456789020001", "return_address_id": "700001"},
		},
		"offer": {nil, sla.AnswerOffer, saveMethod, params{
			"param_dto": `{"add_seller_solution":true,"add_solution_type":"refund",` + head + `"refund_amount":"5.00","refund_amount_currency":"USD",` + text,
		}},
		"offer against a return": {object{"buyer_solution_list": goods}, sla.AnswerOffer, saveMethod, params{
			"param_dto": `{"add_seller_solution":true,"add_solution_type":"refund",` + head + `"refund_amount":"5.00","refund_amount_currency":"USD",` + text,
		}},
		"refuse": {nil, sla.AnswerRefuse, saveMethod, params{
			"param_dto": `{"add_seller_solution":true,"add_solution_type":"refund",` + head + `"refund_amount":"0.00","refund_amount_currency":"USD",` + text,
		}},
		"refuse a return of damaged goods": {object{"buyer_solution_list": goods, "issue_reason": "Product arrived damaged"}, sla.AnswerRefuse, saveMethod, params{
			"param_dto": `{"add_seller_solution":true,"add_solution_type":"return_and_refund",` + head +
				`"refund_amount":"0.00","refund_amount_currency":"USD","return_good_address_id":700001,` + text,
		}},
		"change an offer that still waits": {object{
			"seller_solution_list": list1(offer(nil)), "buyer_solution_list": list1(claim(object{"version": 2, "gmt_modified": "2026-01-07 03:12:44"})),
		}, sla.AnswerOffer, saveMethod, params{
			"param_dto": `{"add_seller_solution":false,"add_solution_type":"refund","buyer_login_id":"` + sampleBuyer + `","issue_id":` + sampleIssue +
				`,"modify_seller_solution_id":9123456789020007,"refund_amount":"5.00","refund_amount_currency":"USD",` + text,
		}},
		"offer anew after a refusal": {object{"seller_solution_list": list1(offer(object{"status": "buyer_refused", "gmt_modified": "2026-01-07 03:12:44"}))}, sla.AnswerOffer, saveMethod, params{
			"param_dto": `{"add_seller_solution":true,"add_solution_type":"refund",` + head + `"refund_amount":"5.00","refund_amount_currency":"USD",` + text,
		}},
		"extend": {nil, sla.AnswerExtend, extendMethod, params{"param0": sampleParent, "param1": "10"}},
	}
}

func TestAnswersAreSentAsThePlatformWantsThem(t *testing.T) {
	t.Parallel()
	for name, c := range sendings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newShop(t)
			p.always(agreeMethod, yes)
			p.always(saveMethod, yes)
			p.always(extendMethod, object{"is_success": true, "request_id": "2140f3c217672256"})
			s := p.seller()
			d, a := answering(p, s, sample(c.with), c.kind)
			receipt, err := s.Respond(t.Context(), d, a)
			if err != nil || receipt.ID != "2140f3c217672256" || !receipt.At.Equal(epoch) {
				t.Fatalf("want a receipt, got %+v (%v)", receipt, err)
			}
			sent := p.calls(c.method)
			if len(sent) != 1 {
				t.Fatalf("want one %s, got %d", c.method, len(sent))
			}
			for name, want := range c.want {
				if got := sent[0].Get(name); got != want {
					t.Errorf("%s: want %s, got %s", name, want, got)
				}
			}
		})
	}
}

func TestAnswersThatCannotBeAreRefusedBeforeTheyAreSent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind   sla.AnswerKind
		change func(*sla.Answer)
		shows  object
		want   connectors.Kind
	}{
		"above the cap":      {sla.AnswerOffer, func(a *sla.Answer) { a.Amount.Minor = 1421 }, nil, connectors.Rejected},
		"nothing":            {sla.AnswerOffer, func(a *sla.Answer) { a.Amount.Minor = 0 }, nil, connectors.Rejected},
		"another currency":   {sla.AnswerOffer, func(a *sla.Answer) { a.Amount.Currency = "EUR" }, nil, connectors.Rejected},
		"no text":            {sla.AnswerRefuse, func(a *sla.Answer) { a.Text = " \x00" }, nil, connectors.Rejected},
		"another turn":       {sla.AnswerAccept, func(a *sla.Answer) { a.Turn++ }, nil, connectors.Conflict},
		"another proposal":   {sla.AnswerAccept, func(a *sla.Answer) { a.Proposal = "5" }, nil, connectors.Conflict},
		"another amount":     {sla.AnswerAccept, func(a *sla.Answer) { a.Amount.Minor-- }, nil, connectors.Conflict},
		"half a day":         {sla.AnswerExtend, func(a *sla.Answer) { a.Extend = 36 * time.Hour }, nil, connectors.Rejected},
		"no day":             {sla.AnswerExtend, func(a *sla.Answer) { a.Extend = 0 }, nil, connectors.Rejected},
		"a kind of evidence": {sla.AnswerEvidence, nil, nil, connectors.Rejected},
		"a message":          {sla.AnswerMessage, nil, nil, connectors.Rejected},
		"edited meanwhile":   {sla.AnswerAccept, nil, object{"buyer_solution_list": list1(claim(object{"version": 2, "refund_money": "99.00"}))}, connectors.Conflict},
		"closed meanwhile":   {sla.AnswerAccept, nil, object{"issue_status": "canceled_issue"}, connectors.Conflict},
		"answered meanwhile": {sla.AnswerOffer, nil, object{"seller_solution_list": list1(offer(nil))}, connectors.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newShop(t)
			for _, m := range []string{agreeMethod, saveMethod, extendMethod} {
				p.always(m, yes)
			}
			s := p.seller()
			d, a := answering(p, s, sample(nil), c.kind)
			if c.change != nil {
				c.change(&a)
			}
			p.shows(sample(c.shows))
			_, err := s.Respond(t.Context(), d, a)
			p.wantKind(err, c.want)
			if n := len(p.calls(agreeMethod)) + len(p.calls(saveMethod)) + len(p.calls(extendMethod)); n != 0 {
				t.Errorf("want nothing sent, got %d", n)
			}
		})
	}
}

func TestAReturnNeedsAnAddress(t *testing.T) {
	t.Parallel()
	p := newShop(t)
	s := p.seller("RETURN_ADDRESS_ID", "")
	d, a := answering(p, s, sample(object{"buyer_solution_list": list1(claim(object{"solution_type": "return_and_refund"}))}), sla.AnswerAccept)
	_, err := s.Respond(t.Context(), d, a)
	p.wantKind(err, connectors.Rejected)
}

func TestRepliesToAnAnswerAreToldApart(t *testing.T) {
	t.Parallel()
	refused := func(code, kind, sub string) object {
		return object{"error_response": object{"code": code, "type": kind, "sub_code": sub, "msg": "CANARY"}}
	}
	for name, c := range map[string]struct {
		reply any
		want  connectors.Kind
	}{
		"a plain no":         {object{"result_object": false}, connectors.OutcomeUnknown},
		"a no as text":       {object{"result": object{"result_object": "false"}}, connectors.OutcomeUnknown},
		"state moved":        {refused("50", "ISV", "isv.issue-status-illegal"), connectors.Conflict},
		"amount refused":     {refused("50", "ISV", "isv.refund-amount-exceeded"), connectors.Rejected},
		"throttled":          {refused("ApiCallLimit", "SYSTEM", ""), connectors.Throttled},
		"permission":         {refused("InsufficientPermission", "ISV", ""), connectors.Forbidden},
		"service stumbles":   {refused("15", "ISP", "isp.service-error"), connectors.OutcomeUnknown},
		"runtime exception":  {refused("UnknownRuntimeException", "", ""), connectors.OutcomeUnknown},
		"unheard of":         {refused("Unheard", "", ""), connectors.OutcomeUnknown},
		"no word":            {object{"request_id": "r"}, connectors.OutcomeUnknown},
		"another shape":      {object{"result_object": object{"ok": true}}, connectors.OutcomeUnknown},
		"web page":           {"<html>", connectors.OutcomeUnknown},
		"nothing":            {"", connectors.OutcomeUnknown},
		"broken gateway":     {502, connectors.OutcomeUnknown},
		"connection is lost": {errors.New("drop"), connectors.OutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newShop(t)
			p.always(saveMethod, c.reply)
			s := p.seller()
			d, a := answering(p, s, sample(nil), sla.AnswerOffer)
			_, err := s.Respond(t.Context(), d, a)
			p.wantKind(err, c.want)
			if n := len(p.calls(saveMethod)); n != 1 {
				t.Errorf("want one request, got %d", n)
			}
		})
	}
	for _, flags := range []object{{"is_success": false, "sub_error_code": 201}, {"result": object{"success": "false"}}} {
		p := newShop(t)
		p.always(extendMethod, flags)
		s := p.seller()
		d, a := answering(p, s, sample(nil), sla.AnswerExtend)
		_, err := s.Respond(t.Context(), d, a)
		p.wantKind(err, connectors.Rejected)
	}
}

func TestLongTextsAreCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("您", maxText+50)
	if got := cut(long); utf8.RuneCountInString(got) != maxText || !utf8.ValidString(got) {
		t.Errorf("want %d whole characters, got %d", maxText, utf8.RuneCountInString(got))
	}
	if got := cut("short"); got != "short" {
		t.Errorf("want a short text whole, got %q", got)
	}
}
