package aliexpress

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

const (
	agreeMethod  = "aliexpress.issue.solution.agree"
	saveMethod   = "aliexpress.issue.solution.save"
	extendMethod = "aliexpress.trade.redefining.extendsbuyeracceptgoodstime"
)

// maxText is how many characters of a proposal's text are sent. The limit is not published (unsure); this is the one of the platform's
// other text for buyers, the shipping description [TOP-meta].
const maxText = 512

// Respond carries one answer out. It reads the dispute once more and refuses by itself what has moved or what the platform does not
// take: agree names a proposal and no version of it, so that the moment between reading and sending has to be as short as can be.
func (s *Seller) Respond(ctx context.Context, d sla.Dispute, a sla.Answer) (connectors.Receipt, error) {
	r, err := s.prepare(ctx, d, a)
	if err != nil {
		return connectors.Receipt{}, err
	}
	r.effect, r.answer, r.reason, r.subject = true, true, d.Reason, s.subject(d.DisputeRef)
	got, err := s.call(ctx, r)
	if err != nil {
		return connectors.Receipt{}, err
	}
	at := got.Date
	if at.IsZero() {
		at = s.now().UTC()
	}
	return connectors.Receipt{ID: receiptID(got.request), At: at}, nil
}

func receiptID(id string) string {
	id = strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f {
			return -1
		}
		return r
	}, id)
	return id[:min(len(id), 64)]
}

// no is a refusal of our own: nothing was sent.
func (s *Seller) no(d sla.Dispute, kind connectors.Kind, why string) error {
	return &connectors.Error{Op: "aliexpress answer", Subject: s.subject(d.DisputeRef), Kind: kind, Err: errors.New(why)}
}

// prepare makes the one request of an answer.
func (s *Seller) prepare(ctx context.Context, d sla.Dispute, a sla.Answer) (request, error) {
	switch a.Kind {
	case sla.AnswerExtend:
		return s.extension(d, a)
	case sla.AnswerAccept, sla.AnswerOffer, sla.AnswerRefuse:
	default:
		return request{}, s.no(d, connectors.Rejected, "the platform takes no such answer")
	}
	v, err := s.view(ctx, d.DisputeRef)
	if err != nil {
		return request{}, err
	}
	switch {
	case v.wait == waitNone || v.turn(v.wait) != a.Turn:
		return request{}, s.no(d, connectors.Conflict, "the turn is over")
	case v.standing == nil || a.Proposal == "" || v.standing.ID.id() != a.Proposal:
		return request{}, s.no(d, connectors.Conflict, "the proposal is another one")
	case !v.kinds(s.settings).Has(a.Kind):
		return request{}, s.no(d, connectors.Rejected, "the dispute does not take this answer")
	case a.Kind == sla.AnswerAccept:
		return s.agreement(d, v, a)
	}
	return s.proposal(d, v, a)
}

// agreement accepts the other side's proposal.
func (s *Seller) agreement(d sla.Dispute, v *view, a sla.Answer) (request, error) {
	if pays, _ := v.standing.amount(v.cap.Currency); !a.Amount.IsZero() && pays != a.Amount {
		return request{}, s.no(d, connectors.Conflict, "the proposal pays another amount")
	}
	p := params{"buyer_login_id": v.buyer, "issue_id": d.ID.Native, "solution_id": a.Proposal}
	if v.standing.Type.word() == typeReturn {
		p["return_address_id"] = string(s.address)
	}
	return request{method: agreeMethod, params: p, check: done}, nil
}

// save is the param_dto of a counter-proposal [AE-cat]. Identifiers are numbers, and keep every digit.
type save struct {
	Add      bool        `json:"add_seller_solution"`
	Type     string      `json:"add_solution_type"`
	Buyer    string      `json:"buyer_login_id"`
	Answers  json.Number `json:"buyer_solution_id,omitempty"` // of a new one: the buyer's proposal that it refuses
	Issue    json.Number `json:"issue_id"`
	Modifies json.Number `json:"modify_seller_solution_id,omitempty"` // of a changed one
	Amount   string      `json:"refund_amount"`
	Currency string      `json:"refund_amount_currency"`
	Address  json.Number `json:"return_good_address_id,omitempty"`
	Text     string      `json:"solution_context"`
}

// proposal puts a counter-proposal; a refusal is one of 0. Where an own proposal still waits for the buyer (who edited theirs meanwhile) it
// is changed, so that never two of ours can be taken; a refused one stays and a new one is added.
func (s *Seller) proposal(d sla.Dispute, v *view, a sla.Answer) (request, error) {
	amount := a.Amount
	if a.Kind == sla.AnswerRefuse {
		amount = sla.Money{Currency: v.currency()}
	}
	switch {
	case clean(a.Text) == "":
		return request{}, s.no(d, connectors.Rejected, "a proposal needs a text")
	case amount.Currency != v.currency():
		return request{}, s.no(d, connectors.Rejected, "the amount is in another currency than the dispute")
	case a.Kind == sla.AnswerOffer && amount.Minor <= 0:
		return request{}, s.no(d, connectors.Rejected, "an offer of nothing")
	case !v.cap.IsZero() && !amount.AtMost(v.cap):
		return request{}, s.no(d, connectors.Rejected, "the amount is above the platform's cap")
	}
	dto := save{
		Add: true, Type: v.counterType(), Buyer: v.buyer, Issue: json.Number(d.ID.Native), Answers: json.Number(a.Proposal),
		Amount: amount.Major(), Currency: string(amount.Currency), Text: cut(clean(a.Text)),
	}
	if dto.Type == typeReturn {
		dto.Address = json.Number(s.address)
	}
	if v.own != nil && v.own.pending() && v.own.ID.id() != "" {
		dto.Add, dto.Answers, dto.Modifies = false, "", json.Number(v.own.ID)
	}
	body, err := json.Marshal(dto)
	if err != nil {
		return request{}, s.no(d, connectors.Rejected, "an identifier is not a number")
	}
	return request{method: saveMethod, params: params{"param_dto": string(body)}, check: done}, nil
}

// currency is the one that proposals are made in.
func (v *view) currency() sla.Currency {
	if !v.cap.IsZero() {
		return v.cap.Currency
	}
	m, _ := v.standing.amount("")
	return m.Currency
}

// cut shortens a text to what the platform takes, between two characters.
func cut(s string) string {
	n := 0
	for i := range s {
		if n++; n > maxText {
			return s[:i]
		}
	}
	return s
}

// extension lengthens the buyer's protection. It stands beside the dispute and wants the order above the disputed one (unsure).
func (s *Seller) extension(d sla.Dispute, a sla.Answer) (request, error) {
	const day = 24 * time.Hour
	k, _ := s.known.get(d.ID.Native)
	order := k.parent
	if order == "" {
		order = text(d.Order).id()
	}
	switch {
	case a.Extend < day || a.Extend%day != 0:
		return request{}, s.no(d, connectors.Rejected, "an extension is of whole days")
	case order == "":
		return request{}, s.no(d, connectors.Rejected, "the order is not known")
	}
	return request{
		method: extendMethod, params: params{"param0": order, "param1": strconv.Itoa(int(a.Extend / day))}, check: extended,
	}, nil
}

// done reads the reply of agree and save. A plain no gives no reason: most often the dispute has moved, but nothing proves that nothing
// happened, so the platform is asked before any second try.
func done(e envelope) *connectors.Error {
	switch said(e, "result_object") {
	case "true":
		return nil
	case "false":
		return &connectors.Error{Kind: connectors.OutcomeUnknown, Code: "result_object_false"}
	}
	return malformed()
}

// extended reads the reply of the extension. Its flag has gone by several names (unsure).
func extended(e envelope) *connectors.Error {
	for _, flag := range []string{"is_success", "success", "result_success", "target", "result_object", "result"} {
		switch said(e, flag) {
		case "true":
			return nil
		case "false":
			return &connectors.Error{Kind: connectors.Rejected, Code: said(e, "sub_error_code")}
		}
	}
	return malformed()
}

func said(e envelope, name string) string {
	value, _ := e.member(name)
	return text(scalar(value)).word()
}
