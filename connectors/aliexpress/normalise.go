package aliexpress

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"slices"
	"time"

	"watchkeeper/sla"
)

// The types of proposal.
const (
	typeRefund = "refund"
	typeReturn = "return_and_refund"
)

// consensus is how a proposal was reached when one side took the other's.
const consensus = "negotiation_consensus"

// silence is how a proposal was reached when the seller let the deadline pass.
const silence = "seller_reponse_timeout" //nolint:misspell // the platform's own spelling

// settings are what the operator told us that a dispute's meaning depends on.
type settings struct {
	returns  bool   // a return address is configured
	buyerKey []byte // nil: buyers stay unknown
}

// view is a detail with its meaning: who must move, on which proposal.
type view struct {
	d        *detail
	ref      sla.DisputeRef
	buyer    string // the login, for the calls about this dispute
	reason   sla.Reason
	cap      sla.Money
	state    sla.State
	wait     wait
	theirs   []*solution // the buyer's and the platform's
	ours     []*solution
	standing *solution // theirs that counts: what an acceptance accepts and silence carries out; nil without one
	own      *solution // our latest; nil without one
}

// decodeDetail reads the response of issue.detail.get. The wrapper result_object may be missing.
func decodeDetail(e envelope) (*detail, error) {
	raw, wrapped := e.member("result_object")
	if !wrapped {
		raw = e.params
	}
	var d detail
	if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &d) != nil || d.Status == "" && d.Phase == "" {
		return nil, errReply
	}
	return &d, nil
}

// look works a detail's meaning out. The reason is what another reply told, for details that do not.
func look(ref sla.DisputeRef, d *detail, known sla.Reason) *view {
	v := &view{d: d, ref: ref, reason: reasonOf(d.Reason)}
	if v.reason == sla.ReasonUnknown {
		v.reason = known
	}
	if v.ref.Order == "" {
		v.ref.Order = d.Order.id()
	}
	v.cap, _ = money(d.Max, d.MaxCurrency)
	for i := range d.ByBuyer {
		v.theirs = append(v.theirs, &d.ByBuyer[i])
	}
	for i := range d.ByPlatform {
		d.ByPlatform[i].platform = true
		v.theirs = append(v.theirs, &d.ByPlatform[i])
	}
	for i := range d.BySeller {
		v.ours = append(v.ours, &d.BySeller[i])
	}
	v.standing, v.own = newest(v.theirs), newest(v.ours)
	v.settle()
	return v
}

// settle finds who must move. The overall status closes a dispute whatever the fine one says; our own proposal that the buyer has yet to
// answer, and an agreement that was reached, take the turn from us even while a stale status still gives it to us.
func (v *view) settle() {
	p, known := phases[v.d.Phase.word()]
	if !known {
		p = unknownPhase(v.d)
	}
	status := v.d.Status.word()
	if status == "finish" || status == "canceled_issue" || p.state == sla.StateClosed {
		v.state = sla.StateClosed
		return
	}
	v.state, v.wait = p.state, p.wait
	if v.wait != waitAnswer {
		return
	}
	offered := v.offered()
	if !offered && !v.agreed() {
		return
	}
	v.wait = waitNone
	switch {
	case v.state == sla.StateUnknown:
	case offered:
		v.state = sla.StateBuyer
	default:
		v.state = sla.StatePlatform
	}
}

// offered reports whether our latest proposal waits for the buyer and answers the buyer's latest: an edit after it is a new turn.
func (v *view) offered() bool {
	return v.own != nil && v.own.pending() && (v.standing == nil || clearlyAfter(v.own.made(), v.standing.made()))
}

// agreed reports whether one side has accepted the other's latest proposal.
func (v *view) agreed() bool {
	if v.standing != nil && v.standing.accepted() {
		return true
	}
	return v.own != nil && v.own.reached() && (v.standing == nil || !v.standing.made().After(v.own.made()))
}

// dispute puts the view into the words of the domain.
func (v *view) dispute(s settings) sla.Dispute {
	out := sla.Dispute{
		DisputeRef: v.ref, State: v.state, Reason: v.reason, Buyer: buyerKey(s.buyerKey, v.d.Buyer), Cap: v.cap,
		Opened: instant(v.d.Created), Modified: v.modified(),
		Offers: max(len(v.ours), v.count("seller_create_solution")+v.count("seller_modify_solution")),
	}
	if v.standing != nil {
		out.Claimed, _ = v.standing.amount(v.cap.Currency)
		out.Proposal = v.standing.ID.id()
		out.ReturnAsked = v.standing.Type.word() == typeReturn
	}
	if v.own != nil {
		out.Offered, _ = v.own.amount(v.cap.Currency)
		out.Own = v.own.ID.id()
	}
	// An agreement runs the refund and ends the dispute [AE-cat]: while an answer is owed, and nothing was ever agreed, nothing was paid.
	agreed := slices.ContainsFunc(v.theirs, (*solution).accepted) || slices.ContainsFunc(slices.Concat(v.theirs, v.ours), (*solution).mayPay)
	out.Unpaid = v.wait == waitAnswer && v.state == sla.StateSeller && !agreed
	if v.state == sla.StateClosed {
		out.Closed = v.closing()
	} else if v.wait != waitNone {
		out.Obligations = []sla.Obligation{v.obligation(s)}
	}
	return out
}

// obligation is what the seller owes. A turn that is not about an answer has a window of its own that no rule knows: its beginning
// stays out, so that the platform's deadline alone counts.
func (v *view) obligation(s settings) sla.Obligation {
	o := sla.Obligation{Turn: v.turn(v.wait), Kinds: v.kinds(s), Deadline: instant(v.d.TimeoutAt), Cost: v.stake()}
	switch v.wait {
	case waitAnswer:
		o.Opened = v.began()
	case waitEvidence:
		o.Opened = v.lastAction("arbitration")
	}
	return o
}

// kinds are the answers that would do. What we cannot say through the API, or cannot understand, is a person's.
func (v *view) kinds(s settings) sla.AnswerSet {
	if v.standing == nil || v.standing.ID.id() == "" {
		return 0
	}
	if _, readable := v.standing.amount(v.cap.Currency); !readable {
		return 0
	}
	goods := v.standing.Type.word() == typeReturn
	var kinds []sla.AnswerKind
	switch {
	case !goods && v.standing.Type.word() != typeRefund:
		return 0
	case v.wait != waitAnswer && v.wait != waitAddress:
		return 0
	case !goods || s.returns:
		kinds = append(kinds, sla.AnswerAccept)
	}
	if v.wait == waitAnswer && !v.standing.platform { // a counter-proposal names the buyer's proposal that it answers
		if v.counterType() == typeRefund {
			kinds = append(kinds, sla.AnswerOffer) // our offers never ask for the goods
		}
		if v.counterType() == typeRefund || s.returns {
			kinds = append(kinds, sla.AnswerRefuse)
		}
	}
	return sla.Answers(kinds...)
}

// counterType is the type that a counter-proposal must have: the buyer's own, but in a dispute about goods that are not as described it
// may be changed [AE-cat], and then we let the buyer keep the goods. Which reasons count as that is unsure; ours is the narrow one.
func (v *view) counterType() string {
	if v.standing.Type.word() == typeReturn && v.reason != sla.ReasonNotAsDescribed {
		return typeReturn
	}
	return typeRefund
}

// stake is what silence costs: what was agreed, else what stands.
func (v *view) stake() sla.Money {
	s := v.settled()
	if s == nil {
		s = v.standing
	}
	if s == nil {
		return sla.Money{}
	}
	m, _ := s.amount(v.cap.Currency)
	return m
}

// settled is the proposal that was reached last, nil without one.
func (v *view) settled() *solution {
	var best *solution
	for _, s := range slices.Concat(v.theirs, v.ours) {
		if s.reached() && (best == nil || instant(s.ReachedAt).After(instant(best.ReachedAt))) {
			best = s
		}
	}
	return best
}

// closing says how a dispute ended.
func (v *view) closing() sla.Closing {
	c := sla.Closing{At: v.modified()}
	s := v.settled()
	switch {
	case v.d.Status.word() == "canceled_issue":
		c.By = sla.PartyBuyer
		return c
	case s == nil:
		return c
	}
	c.By = v.closedBy(s)
	if at := instant(s.ReachedAt); !at.IsZero() {
		c.At = newer(at, v.lastAction("perform_solution"))
	}
	if v.d.Phase.word() != "refund_reject" {
		c.Paid, _ = s.amount(v.cap.Currency)
	}
	return c
}

func (v *view) closedBy(s *solution) sla.Party {
	switch s.ReachedType.word() {
	case silence, "seller_response_timeout":
		return sla.PartyTimeout
	case "platform_arbitrate":
		return sla.PartyPlatform
	}
	switch {
	case s.ReachedType.word() != consensus && v.lastAction("force_reach").IsZero():
		return sla.PartyNone
	case s.ReachedType.word() != consensus:
		return sla.PartyPlatform
	case slices.Contains(v.ours, s):
		return sla.PartyBuyer // the buyer took our proposal
	}
	return sla.PartySeller
}

// modified is the newest time in the reply: the detail has none of its own.
func (v *view) modified() time.Time {
	at := instant(v.d.Created)
	for _, s := range slices.Concat(v.theirs, v.ours) {
		at = newer(newer(at, instant(s.Created)), newer(instant(s.Modified), instant(s.ReachedAt)))
	}
	return newer(at, v.lastAction(""))
}

func (v *view) count(action string) int {
	n := 0
	for _, p := range v.d.History {
		if p.Action.word() == action {
			n++
		}
	}
	return n
}

// buyerKey is a keyed hash of a login, never 0 for a known buyer.
func buyerKey(key []byte, login text) sla.BuyerKey {
	if len(key) == 0 || login == "" {
		return 0
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("aliexpress buyer\x00" + login))
	return sla.BuyerKey(max(binary.BigEndian.Uint64(mac.Sum(nil)), 1))
}
