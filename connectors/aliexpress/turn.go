package aliexpress

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"watchkeeper/connectors/transport"
	"watchkeeper/sla"
)

// wait is what the seller is waited for. The words are part of a turn's identity: never change one.
type wait string

const (
	waitNone     wait = ""
	waitAnswer   wait = "answer"
	waitEvidence wait = "evidence"
	waitAddress  wait = "address" // for the return of the goods
	waitReceipt  wait = "receipt" // of the goods that came back
	waitOther    wait = "other"   // a clock runs, and we do not know for what
)

// phase is what a value of reverse_detail_status means.
type phase struct {
	state sla.State
	wait  wait
}

// phases are the values of the catalogue, in lower case [AE-cat].
var phases = map[string]phase{
	"wait_for_seller_response":           {sla.StateSeller, waitAnswer},
	"wait_for_your_response":             {sla.StateSeller, waitAnswer},
	"wait_for_your_evidence":             {sla.StateSeller, waitEvidence},
	"wait_for_seller_set_return_address": {sla.StateSeller, waitAddress},
	"wait_for_seller_confirmation":       {sla.StateSeller, waitReceipt},
	"wait_for_buyer_response":            {state: sla.StateBuyer},
	"wait_for_buyer_return":              {state: sla.StateBuyer},
	"wait_for_ae_feedback":               {state: sla.StatePlatform},
	"wait_ae_final_feedback":             {state: sla.StatePlatform},
	"wait_for_final_solution":            {state: sla.StatePlatform},
	"wait_for_service_provider_response": {state: sla.StatePlatform},
	"wait_for_warehouse_confirmation":    {state: sla.StatePlatform},
	"wait_for_warehouse_quality_check":   {state: sla.StatePlatform},
	"ae_feedback_finish":                 {state: sla.StatePlatform}, // decided, and being carried out
	"return_success":                     {state: sla.StateClosed},
	"refund_success":                     {state: sla.StateClosed},
	"refund_reject":                      {state: sla.StateClosed},
}

// clocks are what the known timeouts wait for, when the status does not tell.
var clocks = map[string]wait{
	"wait_solution_timeout":            waitAnswer,
	"wait_seller_fill_address_timeout": waitAddress,
	"wait_receive_item_timeout":        waitReceipt,
}

// unknownPhase is a status we have never seen: when a clock runs it may be ours.
func unknownPhase(d *detail) phase {
	if w, known := clocks[d.TimeoutType.word()]; known {
		return phase{sla.StateUnknown, w}
	}
	if !instant(d.TimeoutAt).IsZero() {
		return phase{sla.StateUnknown, waitOther}
	}
	return phase{state: sla.StateUnknown}
}

// made is when a proposal got its present form.
func (s *solution) made() time.Time {
	created, modified := instant(s.Created), instant(s.Modified)
	if created.IsZero() || s.Version.number() > 1 {
		return newer(created, modified)
	}
	return created
}

func (s *solution) hasStatus(words ...string) bool { return slices.Contains(words, s.Status.word()) }

func (s *solution) reached() bool { return s.hasStatus("reached", "perform") }

// mayPay reports whether a proposal was agreed by both sides, or says what we have never seen.
func (s *solution) mayPay() bool {
	return !s.refused() && !s.withdrawn() && !s.hasStatus("wait_buyer_and_seller_accept", "wait_buyer_accept", "wait_seller_accept")
}

func (s *solution) refused() bool {
	return s.hasStatus("buyer_refused", "seller_accept_and_buyer_refused")
}

// pending reports whether the buyer has yet to say a word on a proposal of the seller.
func (s *solution) pending() bool { return s.hasStatus("wait_buyer_accept") }

func (s *solution) withdrawn() bool { return s.hasStatus("reach_cancle", "reach_cancel") }

// accepted reports whether the seller has agreed to a proposal.
func (s *solution) accepted() bool {
	return s.reached() || s.SellerAccepted != "" && !s.refused() && !s.withdrawn()
}

// amount is what a proposal pays, in the currency that the cap is in where the platform tells it in that one; else in the
// buyer's own. False when it cannot be read.
func (s *solution) amount(in sla.Currency) (sla.Money, bool) {
	post, okPost := money(s.Post, s.PostCurrency)
	own, okOwn := money(s.Refund, s.RefundCurrency)
	switch {
	case okPost && post.Currency == in:
		return post, true
	case okOwn:
		return own, true
	}
	return post, okPost
}

// asked is the amount as its author wrote it: the other currency follows the exchange rate, and a rate is no move of the buyer.
func (s *solution) asked() string {
	if m, ok := money(s.Refund, s.RefundCurrency); ok {
		return m.String()
	}
	if m, ok := money(s.Post, s.PostCurrency); ok {
		return m.String()
	}
	return string(s.Refund + " " + s.RefundCurrency)
}

// newest picks the proposal made last; a withdrawn one only when there is no other. Nil without any.
func newest(all []*solution) *solution {
	if len(all) == 0 {
		return nil
	}
	return slices.MaxFunc(all, func(a, b *solution) int {
		return cmp.Or(
			compareBool(!a.withdrawn(), !b.withdrawn()),
			a.made().Compare(b.made()),
			compareBool(a.platform, b.platform),
			cmp.Compare(a.Version.number(), b.Version.number()),
			cmp.Compare(len(a.ID), len(b.ID)), strings.Compare(string(a.ID), string(b.ID)),
		)
	})
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// refusals is how often the buyer turned the seller (or the platform) down: by the history, which only grows, or by the proposals'
// states where that is cut.
func (v *view) refusals() int {
	states, rows := 0, 0
	for _, s := range slices.Concat(v.theirs, v.ours) {
		if s.refused() {
			states++
		}
	}
	for _, p := range v.d.History {
		if p.Action.word() == "buyer_refuse" {
			rows++
		}
	}
	return max(states, rows)
}

// turn is the identity of what is waited for: the other side's proposal as it stands and how often we were turned down. Nothing that
// our own answer changes is in it, so that an answer which is half visible is not taken for a new turn.
func (v *view) turn(w wait) sla.Turn {
	parts := []string{"aliexpress turn 1", v.ref.ID.Native, string(w), strconv.Itoa(v.refusals())}
	if s := v.standing; s != nil {
		parts = append(parts, string(s.ID), string(s.Version), s.asked(), s.Type.word())
	}
	return sla.Turn(transport.FingerprintOf(parts...))
}

// began is when the seller's present turn to answer began; zero when the reply does not tell.
func (v *view) began() time.Time {
	at := instant(v.d.Created)
	if v.standing != nil {
		at = newer(at, v.standing.made())
	}
	if v.refusals() == 0 {
		return at
	}
	refused := v.lastAction("buyer_refuse")
	for _, s := range slices.Concat(v.theirs, v.ours) {
		if s.refused() {
			refused = newer(refused, instant(s.Modified))
		}
	}
	if refused.IsZero() {
		return time.Time{}
	}
	return newer(at, refused)
}

// lastAction is when the history last tells of an action whose name holds a word; zero when never.
func (v *view) lastAction(word string) time.Time {
	var at time.Time
	for _, p := range v.d.History {
		if strings.Contains(p.Action.word(), word) {
			at = newer(at, instant(p.Created))
		}
	}
	return at
}
