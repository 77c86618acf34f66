package aliexpress

import (
	"encoding/json"
	"net/url"
	"strconv"
	"testing"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
	"watchkeeper/sla"
)

func TestFetchAsksForTheOpenDisputes(t *testing.T) {
	t.Parallel()
	p := newShop(t)
	p.shows(sample(nil))
	s := p.seller()
	row := p.fetchOne(s)
	form := p.calls(listMethod)[0]
	if form.Get("query_dto") != `{"current_page":1,"page_size":50,"issue_status":"processing"}` || form.Get("simplify") != "true" || form.Get("sign_method") != "sha256" {
		t.Errorf("want the first page of what is open, got %v", form)
	}
	if row.ID != sampleIssue {
		t.Errorf("want the list's id, got %s", row.ID)
	}
	again := p.fetchOne(s).Fingerprint
	p.always(listMethod, listed(sampleRow(object{"gmt_modified": "2026-01-06 00:00:00"})))
	if changed := p.fetchOne(s).Fingerprint; again != row.Fingerprint || changed == again {
		t.Error("want the fingerprint to change with the modification and with nothing else")
	}
}

// closing is a list from which a dispute closes after a given page was served.
type closing struct {
	ids   []int
	after int // requests until the next ones close
	drop  []int
}

func (c *closing) serve(form url.Values) any {
	var q query
	_ = json.Unmarshal([]byte(form.Get("query_dto")), &q)
	from, to := min((q.Page-1)*q.Size, len(c.ids)), min(q.Page*q.Size, len(c.ids))
	rows := []object{}
	for _, id := range c.ids[from:to] {
		rows = append(rows, sampleRow(object{"issue_id": id}))
	}
	out := object{"current_page": q.Page, "page_size": q.Size, "total_item": len(c.ids), "data_list": rows}
	if c.after--; c.after == 0 {
		for _, id := range c.drop {
			for i := range c.ids {
				if c.ids[i] == id {
					c.ids = append(c.ids[:i:i], c.ids[i+1:]...)
					break
				}
			}
		}
	}
	return out
}

// walk reads a whole snapshot.
func walk(t *testing.T, s *Seller) (seen map[string]bool, pages int) {
	t.Helper()
	seen = map[string]bool{}
	at := connectors.Cursor{}
	for pages = 1; pages < 50; pages++ {
		page, err := s.Fetch(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Rows {
			seen[r.ID] = true
		}
		if at = page.Next; !page.More {
			return seen, pages
		}
	}
	t.Fatal("the walk does not end")
	return nil, 0
}

func TestDisputesThatCloseDuringAWalkHideNoOther(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after int
		drop  []int
		pages int
	}{
		"none":                     {0, nil, 4},
		"one of the first page":    {1, []int{1003}, 6},
		"the first page as whole":  {1, numbers(50), 5},
		"more than a page":         {2, numbers(70), 6},
		"one after the third page": {3, []int{1001}, 6},
		"everything":               {1, numbers(175), 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newShop(t)
			list := &closing{ids: numbers(175), after: c.after, drop: c.drop}
			p.on(listMethod, list.serve)
			seen, pages := walk(t, p.seller())
			for _, id := range list.ids {
				if !seen[strconv.Itoa(id)] {
					t.Errorf("want %d, which stayed open, to be read", id)
				}
			}
			if pages > c.pages {
				t.Errorf("want at most %d pages, got %d", c.pages, pages)
			}
		})
	}
}

// numbers are the first n ids of the list.
func numbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = 1000 + i
	}
	return out
}

func TestWalkEndsWhateverThePlatformCounts(t *testing.T) {
	t.Parallel()
	for name, total := range map[string]func(n int) any{
		"swings":   func(n int) any { return 500 + n%2 },
		"falls":    func(n int) any { return 500 - n },
		"not told": func(int) any { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, n := place{page: 1}, 0
			for more := true; more; n++ {
				l := listing{size: pageSize, total: -1}
				if v, ok := total(n).(int); ok {
					l.total = v
				}
				if at.page <= 10 {
					l.rows = append(l.rows, make([]transport.RawRow, pageSize)...)
				}
				if at, more = at.next(l); n > 600 {
					t.Fatal("the walk does not end")
				}
			}
		})
	}
	for _, token := range []string{"", "x", "0.0", "-1.5", "1", "1.x", "99999999.1", "1.-1", "2.5.7"} {
		if at := parsePlace(token); at != (place{page: 1}) {
			t.Errorf("%q: want the beginning, got %v", token, at)
		}
	}
	if at := (place{page: 7, total: 310}); parsePlace(at.String()) != at {
		t.Errorf("want a place to survive its token, got %v", parsePlace(at.String()))
	}
}

func TestResolveReadsTheDetailWithTheRowsBuyer(t *testing.T) {
	t.Parallel()
	p := newShop(t)
	p.shows(sample(object{"issue_reason": nil}))
	s := p.seller()
	row := p.fetchOne(s)
	d, err := p.seller().Resolve(t.Context(), row) // another process than the one that fetched
	if err != nil {
		t.Fatal(err)
	}
	form := p.calls(detailMethod)[0]
	if form.Get("buyer_login_id") != sampleBuyer || form.Get("issue_id") != sampleIssue {
		t.Errorf("want buyer and issue of the row, got %v", form)
	}
	if d.ID != sampleRef().ID || d.Order != sampleOrder || d.Reason != sla.ReasonNotAsDescribed || len(d.Obligations) != 1 || d.Buyer == 0 {
		t.Errorf("want the list's id and reason with the detail's clock, got %+v", d)
	}
	if n := len(p.calls(listMethod)); n != 1 {
		t.Errorf("want no other list call, got %d", n)
	}
}

func TestLookupAfterARestartFindsTheBuyerByTheOrder(t *testing.T) {
	t.Parallel()
	p := newShop(t)
	p.shows(sample(nil))
	p.on(listMethod, func(form url.Values) any {
		if form.Get("query_dto") == `{"current_page":1,"page_size":50,"issue_status":"finish","order_no":`+sampleOrder+`}` {
			return listed(sampleRow(object{"issue_id": "77"}), sampleRow())
		}
		return listed()
	})
	s := p.seller()
	p.lookup(s)
	p.lookup(s)
	if lists, details := len(p.calls(listMethod)), len(p.calls(detailMethod)); lists != 2 || details != 2 {
		t.Errorf("want the buyer found once, got %d list and %d detail calls", lists, details)
	}
	_, err := s.Lookup(t.Context(), sla.DisputeRef{ID: sla.DisputeID{Native: "78"}, Order: sampleOrder})
	p.wantKind(err, connectors.NotFound)
	_, err = s.Lookup(t.Context(), sla.DisputeRef{ID: sla.DisputeID{Native: "79"}})
	p.wantKind(err, connectors.NotFound)
	_, err = s.Lookup(t.Context(), sla.DisputeRef{ID: sla.DisputeID{Native: "79"}, Order: "not a number"})
	p.wantKind(err, connectors.NotFound)
}

func TestDetailFailuresHaveKinds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reply any
		want  connectors.Kind
	}{
		"no such dispute":  {object{"error_response": object{"code": "50", "type": "ISV", "sub_code": "isv.issue-not-exist", "msg": sampleBuyer}}, connectors.NotFound},
		"nothing in it":    {object{"result_object": nil}, connectors.Malformed},
		"no status":        {object{"result_object": object{"order_id": 1}}, connectors.Malformed},
		"a web page":       {"<html>" + sampleBuyer, connectors.Malformed},
		"outage":           {object{"error_response": object{"code": "15", "type": "ISP", "sub_code": "isp.service-error"}}, connectors.Unavailable},
		"throttled":        {object{"error_response": object{"code": "ApiCallLimit", "type": "SYSTEM"}}, connectors.Throttled},
		"broken gateway":   {502, connectors.Unavailable},
		"proposals broken": {object{"result_object": sample(object{"buyer_solution_list": "?"})}, connectors.Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newShop(t)
			p.shows(nil)
			p.always(detailMethod, c.reply)
			_, err := p.seller().Lookup(t.Context(), sampleRef())
			p.wantKind(err, c.want)
		})
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	m := newMemory(10)
	for i := range 100 {
		m.learn(strconv.Itoa(i), known{buyer: "b"})
		m.learn("kept", known{buyer: "k", parent: "7"})
		if k := m.learn("kept", known{reason: sla.ReasonDamaged}); k.buyer != "k" || k.parent != "7" || k.reason != sla.ReasonDamaged {
			t.Fatalf("want what is used kept and added to, got %+v", k)
		}
	}
	if n := len(m.young) + len(m.old); n > 20 {
		t.Errorf("want at most two generations of 10, got %d", n)
	}
	if _, ok := m.get("3"); ok {
		t.Error("want the oldest forgotten")
	}
}
