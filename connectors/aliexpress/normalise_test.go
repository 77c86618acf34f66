package aliexpress

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

var update = flag.Bool("update", false, "write the wanted results anew")

// golden is a dispute in words, so that a changed result reads as what it means.
type golden struct {
	ID, Order, State, Reason string
	Opened, Modified         time.Time
	Claimed, Cap, Offered    string
	Proposal, Own            string `json:",omitempty"`
	Offers                   int    `json:",omitempty"`
	ReturnAsked              bool   `json:",omitempty"`
	Owes                     []goldenOwed
	Closed                   string `json:",omitempty"`
}

type goldenOwed struct {
	Turn, Kinds, Cost string
	Opened, Deadline  time.Time
}

type goldenReply struct {
	Error    string `json:",omitempty"`
	Disputes []golden
	Rejects  int `json:",omitempty"`
}

func inWords(d sla.Dispute) golden {
	g := golden{
		ID: d.ID.Native, Order: d.Order, State: d.State.String(), Reason: d.Reason.String(), Opened: d.Opened.UTC(), Modified: d.Modified.UTC(),
		Claimed: d.Claimed.String(), Cap: d.Cap.String(), Offered: d.Offered.String(), Proposal: d.Proposal, Own: d.Own, Offers: d.Offers, ReturnAsked: d.ReturnAsked,
	}
	for _, o := range d.Obligations {
		g.Owes = append(g.Owes, goldenOwed{o.Turn.String(), o.Kinds.String(), o.Cost.String(), o.Opened.UTC(), o.Deadline.UTC()})
	}
	if d.State == sla.StateClosed {
		g.Closed = d.Closed.At.UTC().Format(time.RFC3339) + " by " + d.Closed.By.String() + " paid " + d.Closed.Paid.String()
	}
	return g
}

// TestRecordedReplies reads each folder of testdata/testcases: input.json is a whole reply, want.json what it means.
func TestRecordedReplies(t *testing.T) {
	t.Parallel()
	inputs, err := filepath.Glob("testdata/testcases/*/input.json")
	if err != nil || len(inputs) < 20 {
		t.Fatalf("want at least 20 cases, got %d (%v)", len(inputs), err)
	}
	for _, input := range inputs {
		dir := filepath.Dir(input)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			var got goldenReply
			disputes, _, rejects, err := Platform.NormaliseReply(body)
			if got.Rejects = len(rejects); err != nil {
				got.Error = err.Error()
			}
			for _, d := range disputes {
				got.Disputes = append(got.Disputes, inWords(d))
			}
			compare(t, filepath.Join(dir, "want.json"), got)
		})
	}
}

func compare(t *testing.T, path string, got goldenReply) {
	t.Helper()
	text, err := json.MarshalIndent(got, "", "  ") //nolint:musttag // the names are for the reader of a diff
	if err != nil {
		t.Fatal(err)
	}
	if text = append(text, '\n'); *update {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(text)); diff != "" {
		t.Errorf("want first, got second:\n%s", diff)
	}
}

// TestWrapperMakesNoDifference reads pairs of the same reply in other envelopes.
func TestWrapperMakesNoDifference(t *testing.T) {
	t.Parallel()
	flat, err := os.ReadFile("testdata/testcases/list_flat/want.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"list_wrapped", "list_level", "list_text_ids"} {
		other, err := os.ReadFile("testdata/testcases/" + name + "/want.json")
		if err != nil || !bytes.Equal(flat, other) {
			t.Errorf("%s: want the same as list_flat (%v)", name, err)
		}
	}
}

func TestWhatCanBeAnsweredFollowsFromTheProposal(t *testing.T) {
	t.Parallel()
	goods := list1(claim(object{"solution_type": "return_and_refund"}))
	for name, c := range map[string]struct {
		with         object
		bare, withRA string // without and with a return address
	}{
		"refund":                  {nil, "accept,offer,refuse", "accept,offer,refuse"},
		"return, quality":         {object{"buyer_solution_list": goods}, "offer,refuse", "accept,offer,refuse"},
		"return, other reason":    {object{"buyer_solution_list": goods, "issue_reason": "Product arrived damaged"}, "", "accept,refuse"},
		"address, return":         {object{"buyer_solution_list": goods, "reverse_detail_status": "wait_for_seller_set_return_address"}, "", "accept"},
		"evidence":                {object{"reverse_detail_status": "wait_for_your_evidence"}, "", ""},
		"goods are back":          {object{"reverse_detail_status": "wait_for_seller_confirmation"}, "", ""},
		"type never seen":         {object{"buyer_solution_list": list1(claim(object{"solution_type": "resend"}))}, "", ""},
		"amount unreadable":       {object{"buyer_solution_list": list1(claim(object{"refund_money": "a lot", "refund_money_post": "1e3"}))}, "", ""},
		"amount below nothing":    {object{"buyer_solution_list": list1(claim(object{"refund_money": "-5.00", "refund_money_post": "-5.00"}))}, "", ""},
		"no proposal":             {object{"buyer_solution_list": nil}, "", ""},
		"proposal without id":     {object{"buyer_solution_list": list1(claim(object{"id": "?"}))}, "", ""},
		"platform's proposal":     {object{"platform_solution_list": list1(claim(object{"id": -2, "gmt_create": "2026-01-07 00:00:00"}))}, "accept", "accept"},
		"clock never seen":        {object{"reverse_detail_status": "new", "timeout_type": "NEW"}, "", ""},
		"status never seen":       {object{"reverse_detail_status": "new"}, "accept,offer,refuse", "accept,offer,refuse"},
		"address, status unknown": {object{"reverse_detail_status": "new", "timeout_type": "WAIT_SELLER_FILL_ADDRESS_TIMEOUT"}, "accept", "accept"},
	} {
		v := viewOf(t, sample(c.with))
		for returns, want := range map[bool]string{false: c.bare, true: c.withRA} {
			if got := owed(t, v.dispute(settings{returns: returns})).Kinds.String(); got != want {
				t.Errorf("%s, return address %v: want %q, got %q", name, returns, want, got)
			}
		}
	}
}

func TestUnknownStatusStaysOpen(t *testing.T) {
	t.Parallel()
	for name, with := range map[string]object{
		"no clock":        {"reverse_detail_status": "new", "timeout_type": nil, "timeout_trigger_time": nil},
		"no status":       {"reverse_detail_status": nil, "timeout_type": nil, "timeout_trigger_time": nil},
		"overall unknown": {"issue_status": "frozen", "reverse_detail_status": "new", "timeout_type": "", "timeout_trigger_time": ""},
	} {
		if d := disputeOf(t, sample(with)); d.State != sla.StateUnknown || len(d.Obligations) != 0 {
			t.Errorf("%s: want it open and unknown, got %v", name, d.State)
		}
	}
}

func TestAmountsAreInTheCapsCurrency(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		with object
		want string
	}{
		"cap in dollars":     {nil, "14.20 USD"},
		"cap in euros":       {object{"refund_money_max_currency": "EUR"}, "13.10 EUR"},
		"cap in neither":     {object{"refund_money_max_currency": "BRL"}, "13.10 EUR"},
		"no cap":             {object{"refund_money_max": nil, "refund_money_max_currency": nil}, "13.10 EUR"},
		"only dollars":       {object{"refund_money_max_currency": "BRL", "buyer_solution_list": list1(claim(object{"refund_money": nil}))}, "14.20 USD"},
		"numbers":            {object{"buyer_solution_list": list1(claim(object{"refund_money_post": 14.2}))}, "14.20 USD"},
		"currency not known": {object{"buyer_solution_list": list1(claim(object{"refund_money_currency": "ZZZ", "refund_money_post_currency": "ZZZ"}))}, "-"},
		"yen":                {object{"refund_money_max": "1500", "refund_money_max_currency": "JPY", "buyer_solution_list": list1(claim(object{"refund_money": "1200.00", "refund_money_currency": "JPY"}))}, "1200 JPY"},
	} {
		if got := disputeOf(t, sample(c.with)).Claimed.String(); got != c.want {
			t.Errorf("%s: want %s, got %s", name, c.want, got)
		}
	}
}

func TestClosingTellsWhoEndedIt(t *testing.T) {
	t.Parallel()
	reached := func(how string) object {
		return claim(object{"status": "reached", "reached_type": how, "reached_time": "2026-01-10 03:12:44"})
	}
	ended := object{"issue_status": "finish", "reverse_detail_status": "refund_success", "timeout_trigger_time": nil}
	for name, c := range map[string]struct {
		with object
		by   sla.Party
		paid string
	}{
		"silence":          {object{"buyer_solution_list": list1(reached(silence))}, sla.PartyTimeout, "14.20 USD"},
		"we accepted":      {object{"buyer_solution_list": list1(reached("negotiation_consensus"))}, sla.PartySeller, "14.20 USD"},
		"platform decided": {object{"platform_solution_list": list1(reached("platform_arbitrate"))}, sla.PartyPlatform, "14.20 USD"},
		"buyer took ours":  {object{"seller_solution_list": list1(offer(object{"status": "reached", "reached_type": "negotiation_consensus", "reached_time": "2026-01-07 03:12:44"}))}, sla.PartyBuyer, "5.00 USD"},
		"withdrawn":        {object{"issue_status": "canceled_issue", "reverse_detail_status": "refund_reject"}, sla.PartyBuyer, "-"},
		"rejected":         {object{"reverse_detail_status": "refund_reject", "platform_solution_list": list1(reached("platform_arbitrate"))}, sla.PartyPlatform, "-"},
		"no trace":         {nil, sla.PartyNone, "-"},
		"a new way":        {object{"buyer_solution_list": list1(reached("by_lot"))}, sla.PartyNone, "14.20 USD"},
		"forced":           {object{"buyer_solution_list": list1(reached("")), "process_dto_list": []object{row("platform_force_reach", "2026-01-10 03:12:44")}}, sla.PartyPlatform, "14.20 USD"},
	} {
		o := sample(ended)
		maps.Copy(o, c.with)
		d := disputeOf(t, o)
		if d.State != sla.StateClosed || len(d.Obligations) != 0 || d.Closed.By != c.by || d.Closed.Paid.String() != c.paid || d.Closed.At.IsZero() {
			t.Errorf("%s: want by %v, paid %s, got %v and %+v", name, c.by, c.paid, d.State, d.Closed)
		}
	}
}

func TestBuyerIsAKeyedHash(t *testing.T) {
	t.Parallel()
	v := viewOf(t, sample(nil))
	a, again := v.dispute(settings{buyerKey: []byte("a")}).Buyer, v.dispute(settings{buyerKey: []byte("a")}).Buyer
	b, none := v.dispute(settings{buyerKey: []byte("b")}).Buyer, v.dispute(settings{}).Buyer
	if a == 0 || a != again || a == b || none != 0 {
		t.Errorf("want one number for each key, got %x %x %x %x", a, again, b, none)
	}
}

func TestReasonsAreTold(t *testing.T) {
	t.Parallel()
	for name, want := range map[text]sla.Reason{
		"Package has not arrived": sla.ReasonNotReceived, "物流途中": sla.ReasonNotReceived, "Customs problem": sla.ReasonNotReceived,
		"Color/size not as described": sla.ReasonNotAsDescribed, "Quality Problem": sla.ReasonNotAsDescribed, "质量问题": sla.ReasonNotAsDescribed,
		"Product arrived damaged": sla.ReasonDamaged, "货物破损": sla.ReasonDamaged, "Received wrong product": sla.ReasonWrongItem, "发错货": sla.ReasonWrongItem,
		"Quantity shortage": sla.ReasonMissing, "货物短装": sla.ReasonMissing, "Suspected counterfeit": sla.ReasonCounterfeit, "销售假货": sla.ReasonCounterfeit,
		"I no longer want this product": sla.ReasonChangedMind, "I Don’t want it": sla.ReasonChangedMind, "无理由退货": sla.ReasonChangedMind,
		"Other reasons": sla.ReasonOther, "": sla.ReasonUnknown, "xyz": sla.ReasonUnknown,
	} {
		if got := reasonOf(name); got != want {
			t.Errorf("%s: want %v, got %v", name, want, got)
		}
	}
	if reasonOf("xyz", "质量问题") != sla.ReasonNotAsDescribed {
		t.Error("want the second text asked when the first is unknown")
	}
}

// FuzzNormalise holds the normaliser to what it promises of any bytes.
func FuzzNormalise(f *testing.F) {
	inputs, _ := filepath.Glob("testdata/testcases/*/input.json")
	for _, path := range inputs {
		if body, err := os.ReadFile(path); err == nil {
			f.Add(body)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		disputes, _, rejects, err := Platform.NormaliseReply(body)
		var e *connectors.Error
		if err != nil && (!errors.As(err, &e) || len(disputes)+len(rejects) > 0) {
			t.Fatalf("want a kind and nothing else, got %v", err)
		}
		for _, d := range disputes {
			if len(d.Obligations) > 0 && (d.State == sla.StateClosed || d.Obligations[0].Turn == 0) {
				t.Errorf("want no closed dispute that owes and no turn of 0, got %+v", d)
			}
			if d.Claimed.Minor < 0 || d.Cap.Minor < 0 || d.Offered.Minor < 0 {
				t.Errorf("want no amount below nothing, got %+v", d)
			}
			for _, o := range d.Obligations {
				if o.Kinds != 0 && (d.Proposal == "" || d.Claimed.IsZero()) {
					t.Errorf("want nothing offered to a machine without a proposal that pays, got %+v", d)
				}
			}
		}
		again, _, _, _ := Platform.NormaliseReply(bytes.Clone(body))
		if diff := cmp.Diff(disputes, again); diff != "" {
			t.Errorf("want the same twice:\n%s", diff)
		}
		for _, r := range rejects {
			if len(r.Raw) > connectors.MaxRejectBytes || strings.Contains(r.Err.Error(), "xyz") {
				t.Errorf("want a short reject without its text, got %v", r.Err)
			}
		}
	})
}
