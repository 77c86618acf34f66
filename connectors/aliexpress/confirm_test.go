package aliexpress

import (
	"testing"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

func TestConfirmReadsWhatBecameOfAnAnswer(t *testing.T) {
	t.Parallel()
	proposals := func(o ...object) object { return object{"seller_solution_list": o} }
	edited := claim(object{"version": 2, "refund_money": "12.00", "refund_money_post": "13.00", "gmt_modified": "2026-01-07 03:12:44"})
	refusal := object{"refund_money": "0.00", "refund_money_post": "0.00"}
	for name, c := range map[string]struct {
		kind sla.AnswerKind
		now  object
		want connectors.Outcome
	}{
		"offer: nothing to see":           {sla.AnswerOffer, nil, connectors.OutcomeAbsent},
		"offer: there, status stale":      {sla.AnswerOffer, proposals(offer(nil)), connectors.OutcomePresent},
		"offer: there":                    {sla.AnswerOffer, object{"seller_solution_list": list1(offer(nil)), "reverse_detail_status": "wait_for_buyer_response"}, connectors.OutcomePresent},
		"offer: status moved, list stale": {sla.AnswerOffer, object{"reverse_detail_status": "wait_for_buyer_response"}, connectors.OutcomeAbsent},
		"offer: taken already":            {sla.AnswerOffer, object{"seller_solution_list": list1(offer(object{"status": "reached"})), "issue_status": "finish"}, connectors.OutcomePresent},
		"offer: refused already":          {sla.AnswerOffer, proposals(offer(object{"status": "buyer_refused", "gmt_modified": "2026-01-07 00:00:00"})), connectors.OutcomePresent},
		"offer: a person's amount":        {sla.AnswerOffer, proposals(offer(object{"refund_money_post": "6.00"})), connectors.OutcomeMoot},
		"offer: only an older one":        {sla.AnswerOffer, proposals(offer(object{"gmt_create": "2026-01-04 00:00:00", "gmt_modified": "2026-01-04 00:00:00"})), connectors.OutcomeAbsent},
		"offer: buyer edited":             {sla.AnswerOffer, object{"buyer_solution_list": list1(edited)}, connectors.OutcomeMoot},
		"offer: there, then buyer edited": {sla.AnswerOffer, object{"buyer_solution_list": list1(claim(object{"status": "reach_cancle"}), claim(object{"id": 5, "gmt_create": "2026-01-07 03:12:44"})), "seller_solution_list": list1(offer(nil))}, connectors.OutcomePresent},
		"offer: arbitration":              {sla.AnswerOffer, object{"reverse_detail_status": "wait_for_AE_feedback"}, connectors.OutcomeMoot},
		"offer: withdrawn":                {sla.AnswerOffer, object{"issue_status": "canceled_issue"}, connectors.OutcomeMoot},
		"refuse: there":                   {sla.AnswerRefuse, proposals(offer(refusal)), connectors.OutcomePresent},
		"refuse: nothing to see":          {sla.AnswerRefuse, nil, connectors.OutcomeAbsent},
		"accept: nothing to see":          {sla.AnswerAccept, nil, connectors.OutcomeAbsent},
		"accept: closed by consensus":     {sla.AnswerAccept, object{"issue_status": "finish", "buyer_solution_list": list1(claim(object{"status": "reached", "reached_type": "negotiation_consensus"}))}, connectors.OutcomePresent},
		"accept: by its time":             {sla.AnswerAccept, object{"buyer_solution_list": list1(claim(object{"seller_accept_time": "2026-01-06 00:00:00"}))}, connectors.OutcomePresent},
		"accept: by the history":          {sla.AnswerAccept, object{"process_dto_list": []object{row("seller_accept", "2026-01-06 00:00:00")}}, connectors.OutcomePresent},
		"accept: fell in silence":         {sla.AnswerAccept, object{"issue_status": "finish", "buyer_solution_list": list1(claim(object{"status": "reached", "reached_type": silence}))}, connectors.OutcomeMoot},
		"accept: buyer edited":            {sla.AnswerAccept, object{"buyer_solution_list": list1(edited)}, connectors.OutcomeMoot},
		"accept: proposal gone":           {sla.AnswerAccept, object{"buyer_solution_list": list1(claim(object{"id": 6}))}, connectors.OutcomeMoot},
		"extend: nobody can tell":         {sla.AnswerExtend, nil, connectors.OutcomeMoot},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newShop(t)
			s := p.seller()
			d, a := answering(p, s, sample(nil), c.kind)
			p.shows(sample(c.now))
			if got, err := s.Confirm(t.Context(), d, a); err != nil || got != c.want {
				t.Errorf("want %v, got %v (%v)", c.want, got, err)
			}
			if n := len(p.calls(agreeMethod)) + len(p.calls(saveMethod)) + len(p.calls(extendMethod)); n != 0 {
				t.Errorf("want reads only, got %d writes", n)
			}
		})
	}
}

func TestConfirmTellsASecondRefusalFromTheFirst(t *testing.T) {
	t.Parallel()
	p := newShop(t)
	s := p.seller()
	zero := object{"refund_money": "0.00", "refund_money_post": "0.00"}
	first := offer(zero)
	first["status"], first["gmt_modified"] = "buyer_refused", "2026-01-07 03:12:44"
	d, a := answering(p, s, sample(object{"seller_solution_list": list1(first)}), sla.AnswerRefuse)
	if got, err := s.Confirm(t.Context(), d, a); err != nil || got != connectors.OutcomeAbsent {
		t.Errorf("want the first turn's refusal not taken for the second's, got %v (%v)", got, err)
	}
	second := offer(zero)
	second["id"], second["gmt_create"] = 9123456789020009, "2026-01-08 03:12:44"
	p.shows(sample(object{"seller_solution_list": list1(first, second)}))
	if got, err := s.Confirm(t.Context(), d, a); err != nil || got != connectors.OutcomePresent {
		t.Errorf("want the second found, got %v (%v)", got, err)
	}
}

func TestConfirmFailsWhenThePlatformIsOut(t *testing.T) {
	t.Parallel()
	p := newShop(t)
	s := p.seller()
	d, a := answering(p, s, sample(nil), sla.AnswerOffer)
	p.always(detailMethod, 500)
	_, err := s.Confirm(t.Context(), d, a)
	p.wantKind(err, connectors.Unavailable)
}
