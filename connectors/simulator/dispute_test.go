package simulator

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"watchkeeper/sla"
)

func month(seed uint64) Options { return Options{Seed: seed, Disputes: 120, Shipments: 120} }

func trimmed(v any) string { return strings.TrimRight(str(v), "\x00") }

func TestSilenceExecutesTheBuyersAmountAtTheDeadline(t *testing.T) {
	t.Parallel()
	b := newBench(t, month(1))
	i := b.quiet(nil)
	d := b.detail(i)
	if got := trimmed(d["reverse_detail_status"]); got != "wait_for_seller_response" || d["timeout_type"] != "WAIT_SOLUTION_TIMEOUT" {
		t.Fatalf("opened: got %q %v", got, d["timeout_type"])
	}
	pacific, _ := time.LoadLocation("America/Los_Angeles")
	deadline, err := time.ParseInLocation("2006-01-02 15:04:05", str(d["timeout_trigger_time"]), pacific)
	if err != nil || !deadline.Equal(i.openAt.Add(5*day)) {
		t.Fatalf("deadline: want %s, got %s (%v)", i.openAt.Add(5*day), deadline, err)
	}
	b.to(deadline.Add(-time.Second))
	if got := b.entries(i, KindBreached); len(got) != 0 {
		t.Fatalf("breached a second early: %v", got)
	}
	b.to(deadline)
	d = b.detail(i)
	s := obj(arr(d["buyer_solution_list"])[0])
	if d["issue_status"] != "finish" || trimmed(d["reverse_detail_status"]) != "refund_success" || s["reached_type"] != silence {
		t.Errorf("after the deadline: got %v", d)
	}
	if paid := b.entries(i, KindPaid); len(paid) != 1 || paid[0].Amount != i.ask || paid[0].Detail != paidBySilence {
		t.Errorf("want %s paid by silence, got %v", i.ask, paid)
	}
}

func TestAgreeingPaysOnceAndClosesTheDispute(t *testing.T) {
	t.Parallel()
	b := newBench(t, month(2))
	i := b.quiet(refundOnly)
	if out := b.agree(i, i.claim().id+7); accepts(out) {
		t.Errorf("a proposal that is not there was accepted: %v", out)
	}
	if out := b.agree(i, i.claim().id); !accepts(out) {
		t.Fatalf("agree: %v", out)
	}
	d := b.detail(i)
	if d["issue_status"] != "finish" || obj(arr(d["buyer_solution_list"])[0])["reached_type"] != "negotiation_consensus" {
		t.Errorf("after agree: got %v", d)
	}
	if out := b.agree(i, i.claim().id); accepts(out) {
		t.Errorf("a second agree was accepted: %v", out)
	}
	r := b.w.Report()
	if r.AnsweredInTime != 1 || r.DoubleEffects != 1 || len(b.entries(i, KindPaid)) != 1 {
		t.Errorf("want one answer, one double, one payment: %+v", r.Tally)
	}
	if r.CostOfAnswers["USD"] != i.ask.Minor {
		t.Errorf("cost of answers: want %d, got %v", i.ask.Minor, r.CostOfAnswers)
	}
}

func TestProposalIsCheckedAndHandsTheDisputeToTheBuyer(t *testing.T) {
	t.Parallel()
	b := newBench(t, month(3))
	i := b.quiet(func(i *issue) bool { return !i.goods && i.why.reason == sla.ReasonNotReceived })
	over := sla.Money{Minor: i.order.amount.Minor + 1, Currency: "USD"}
	for name, out := range map[string]object{
		"over the cap":     b.save(i, over.Major(), nil),
		"another currency": b.save(i, "1.00", object{"refund_amount_currency": "EUR"}),
		"no text":          b.save(i, "1.00", object{"solution_context": ""}),
		"wrong proposal":   b.save(i, "1.00", object{"buyer_solution_id": 5}),
		"switch of type":   b.save(i, "1.00", object{"add_solution_type": "return_and_refund", "return_good_address_id": 1}),
		"nothing to edit":  b.save(i, "1.00", object{"add_seller_solution": false, "modify_seller_solution_id": 5}),
	} {
		if accepts(out) {
			t.Errorf("%s was accepted", name)
		}
	}
	if out := b.save(i, "1.00", nil); !accepts(out) {
		t.Fatalf("save: %v", out)
	}
	d := b.detail(i)
	own := arr(d["seller_solution_list"])
	if trimmed(d["reverse_detail_status"]) != "wait_for_buyer_response" || len(own) != 1 || obj(own[0])["status"] != "wait_buyer_accept" {
		t.Errorf("after save: got %v", d)
	}
	if got := b.w.Report(); got.AnsweredInTime != 1 || got.Refused != 6 || got.DoubleEffects != 0 {
		t.Errorf("judge: got %+v", got.Tally)
	}
}

// answerAll refuses every quiet dispute of a month at once and plays it to the end.
func answerAll(t *testing.T, amount string) (*bench, map[Kind]int) {
	t.Helper()
	b := newBench(t, month(4))
	after := map[Kind]int{}
	for {
		next := b.w.NextEvent(b.clock())
		if next.IsZero() || next.After(start.Add(40*day)) {
			break
		}
		b.to(next)
		for _, i := range b.w.issues {
			if i.turn == 1 && i.owes == needAnswer && !i.goods {
				b.w.mu.Lock()
				o := i.propose(b.clock(), ActorSeller, proposal{add: true, answers: i.claim().id, text: "no", amount: must(t, amount)})
				b.w.mu.Unlock()
				if o != accepted {
					t.Fatalf("refused: %s", o)
				}
			}
		}
	}
	for _, e := range b.w.Log() {
		after[e.Kind]++
	}
	return b, after
}

func must(t *testing.T, amount string) sla.Money {
	t.Helper()
	m, err := sla.ParseMoney(amount, "USD")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestBuyersReactToARefusalInEveryWay(t *testing.T) {
	t.Parallel()
	b, after := answerAll(t, "0")
	for _, k := range []Kind{KindDeclined, KindEdited, KindWithdrawn, KindArbitrated, KindClosed, KindBreached} {
		if after[k] == 0 {
			t.Errorf("nobody did this after a refusal: %s", k)
		}
	}
	if b.w.Report().DoubleEffects != 0 {
		t.Errorf("one answer a turn is no double: %+v", b.w.Report().Tally)
	}
}

func TestARefusedProposalStartsATurnWithFiveFreshDays(t *testing.T) {
	t.Parallel()
	b, _ := answerAll(t, "0")
	found := 0
	for _, e := range b.w.Log() {
		if e.Kind != KindDeclined {
			continue
		}
		for _, owed := range b.w.Log() {
			if owed.Kind == KindOwed && owed.Subject == e.Subject && owed.Turn == e.Turn {
				found++
				if !owed.Deadline.Equal(e.At.Add(5 * day)) {
					t.Errorf("%s: want %s, got %s", e.Subject, e.At.Add(5*day), owed.Deadline)
				}
			}
		}
	}
	if found == 0 {
		t.Error("no buyer turned an offer down")
	}
}

func TestAnEditIsANewTurnWithANewVersion(t *testing.T) {
	t.Parallel()
	for _, keeps := range []bool{true, false} {
		b := newBench(t, Options{Seed: 5, Disputes: 600})
		edits := 0
		for _, i := range slices.Backward(b.w.stores[0].issues) { // oldest first
			if i.edit == 0 || i.quit != 0 || i.call != 0 || i.openAt.Before(b.clock()) || i.quirks.keepsID != keeps {
				continue
			}
			edits++
			b.to(i.openAt.Add(time.Second))
			before := *i.claim()
			b.to(i.openAt.Add(i.edit))
			now := i.claim()
			if now.version != 2 || now.amount != i.editTo || i.turn != 2 || !i.deadline.Equal(i.openAt.Add(i.edit+5*day)) {
				t.Errorf("%d: version %d, %s, turn %d, until %s", i.id, now.version, now.amount, i.turn, i.deadline)
			}
			if out := b.agree(i, before.id); accepts(out) != keeps {
				t.Errorf("agree to the proposal before the edit, which keeps its id: %v, got %v", keeps, out)
			}
		}
		if edits == 0 {
			t.Errorf("no edit that keeps the id: %v", keeps)
		}
	}
}

func TestWithdrawnAndArbitratedDisputesLeaveTheSeller(t *testing.T) {
	t.Parallel()
	b := newBench(t, month(6))
	b.to(start.Add(45 * day))
	r := b.w.Report()
	if r.Withdrawn == 0 || r.Arbitrated == 0 || r.Superseded < r.Withdrawn {
		t.Errorf("got %+v", r.Tally)
	}
	for _, i := range b.w.issues {
		if len(b.entries(i, KindWithdrawn)) == 1 && i.issueStatus != "canceled_issue" {
			t.Errorf("%d: withdrawn and %s", i.id, i.issueStatus)
		}
	}
	if len(r.PaidByArbitration) == 0 {
		t.Error("the platform never decided for a buyer")
	}
}

func TestReturnsNeedAnAddressAndThenTheBuyer(t *testing.T) {
	t.Parallel()
	b := newBench(t, month(7))
	i := b.quiet(func(i *issue) bool { return i.goods })
	params := map[string]string{"issue_id": itoa(i.id), "buyer_login_id": i.order.buyer, "solution_id": itoa(i.claim().id)}
	if out := b.call("aliexpress.issue.solution.agree", params); accepts(out) {
		t.Fatalf("a return without an address was accepted: %v", out)
	}
	if out := b.agree(i, i.claim().id); !accepts(out) {
		t.Fatalf("agree: %v", out)
	}
	if got := trimmed(b.detail(i)["reverse_detail_status"]); got != "wait_for_buyer_return" || len(b.entries(i, KindPaid)) != 0 {
		t.Errorf("got %q, paid %v", got, b.entries(i, KindPaid))
	}
	b.to(b.clock().Add(26 * day))
	if i.owes != needReceipt && i.issueStatus != "finish" {
		t.Errorf("after 26 days: %s, owes %q", i.status, i.owes)
	}
}

func TestIdentifiersArePastFloatsAndTheDetailHasItsOwn(t *testing.T) {
	t.Parallel()
	b := newBench(t, month(8))
	i := b.quiet(func(i *issue) bool { return !i.quirks.textIDs })
	d := b.detail(i)
	own, err := strconv.ParseInt(jsonNumber(d["id"]), 10, 64)
	if err != nil || own == i.id || own < 1<<53 || int64(float64(i.id)) == i.id {
		t.Errorf("detail id %v, issue %d", d["id"], i.id)
	}
	if nested := obj(arr(d["process_dto_list"])[0])["issue_id"]; jsonNumber(nested) != itoa(i.id) {
		t.Errorf("nested rows have the list's id: got %v", nested)
	}
}

func jsonNumber(v any) string { n, _ := v.(json.Number); return n.String() }
