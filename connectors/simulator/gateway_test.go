package simulator

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

func TestSignatureMatchesTheWorkedExamples(t *testing.T) {
	t.Parallel()
	const secret = "demoSecret0123456789abcdef0123456"
	for _, c := range []struct {
		path, want string
		form       map[string][]string
	}{
		{"", "A63330FDC6C1B5AB1E8C858285BEE6D67A4B8F24D11A03859DD3A8CE4BC6C0C7", map[string][]string{
			"app_key": {"500123"}, "format": {"json"}, "method": {"aliexpress.issue.issuelist.get"},
			"query_dto": {`{"current_page":1,"page_size":20,"issue_status":"processing"}`}, "session": {"50000000000demoToken"},
			"sign_method": {"sha256"}, "simplify": {"true"}, "timestamp": {"1767225600000"}, "empty": {""}, "sign": {"ignored"},
		}},
		{"/auth/token/refresh", "B87F72AB8AED30B3539CBB7AF9EF9D467048F0780AD4BC62F455FF6005181EBC", map[string][]string{
			"app_key": {"500123"}, "refresh_token": {"50001000000demoRefresh"}, "sign_method": {"sha256"}, "timestamp": {"1767225600000"},
		}},
		{"", "E65266E7A2526CA5EE2209F6D1CB0B1366AF52AED643709F4BF950A33335E314", map[string][]string{
			"app_key": {"500123"}, "method": {"aliexpress.issue.solution.save"}, "session": {"50000000000demoToken"},
			"param_dto":   {`{"issue_id":9123456789012345,"solution_context":"您好, we reship – 100%"}`},
			"sign_method": {"sha256"}, "timestamp": {"1767225600000"},
		}},
	} {
		if got := signature(c.path, c.form, secret); got != c.want {
			t.Errorf("signature(%q): want %s, got %s", c.path, c.want, got)
		}
	}
}

const list = "aliexpress.issue.issuelist.get"

func TestGatewayRefusesWhatIsNotSignedOrNotInTime(t *testing.T) {
	t.Parallel()
	b := newBench(t, Options{Seed: 1, Disputes: 3})
	query := map[string]string{"query_dto": `{"current_page":1,"page_size":20}`}
	sync := b.variable("BASE_URL") + "/sync"
	signed := func() map[string][]string {
		return b.form("", map[string]string{"method": list, "session": b.variable("ACCESS_TOKEN"), "query_dto": query["query_dto"]})
	}
	for name, spoil := range map[string]func(map[string][]string){
		"IncompleteSignature": func(f map[string][]string) { f["query_dto"] = []string{`{"current_page":1,"page_size":21}`} },
		"InvalidAppkey":       func(f map[string][]string) { f["app_key"] = []string{"1"} },
	} {
		form := signed()
		spoil(form)
		out, r, err := b.post(sync, form)
		if err != nil || r.status != http.StatusOK || code(out) != name {
			t.Errorf("want %s with 200, got %v %v", name, out, err)
		}
	}
	late := b.form("", map[string]string{"method": list, "timestamp": strconv.FormatInt(start.Add(-2*time.Hour-time.Second).UnixMilli(), 10)})
	if out, _, _ := b.post(sync, late); code(out) != "IllegalTimestamp" {
		t.Errorf("two hours of drift: got %v", out)
	}
	if out := b.call(list, map[string]string{"session": "wrong", "query_dto": query["query_dto"]}); code(out) != "IllegalAccessToken" {
		t.Errorf("wrong session: got %v", out)
	}
	if out := b.call("aliexpress.no.such", nil); code(out) != "InvalidApiPath" {
		t.Errorf("unknown method: got %v", out)
	}
	out, r, err := b.post(sync, signed())
	if err != nil || code(out) != nil || r.date != start.Format(http.TimeFormat) {
		t.Errorf("good call: got %v, date %q, %v", out, r.date, err)
	}
}

func TestTokenExpiresOnTheVirtualClockAndRefreshReplacesIt(t *testing.T) {
	t.Parallel()
	b := newBench(t, Options{Seed: 1, Disputes: 3})
	query := map[string]string{"query_dto": `{"current_page":1,"page_size":20}`, "session": b.variable("ACCESS_TOKEN")}
	b.to(start.Add(accessLife))
	if out := b.call(list, query); code(out) != "IllegalAccessToken" {
		t.Fatalf("after its life: got %v", out)
	}
	const path = "/auth/token/refresh"
	address := b.variable("BASE_URL") + "/rest" + path
	if out, _, _ := b.post(address, b.form(path, map[string]string{"refresh_token": "wrong"})); code(out) != "IllegalRefreshToken" || out["type"] != "ISV" {
		t.Errorf("wrong refresh token: got %v", out)
	}
	out, _, err := b.post(address, b.form(path, map[string]string{"refresh_token": b.variable("REFRESH_TOKEN")}))
	if err != nil || out["code"] != "0" {
		t.Fatalf("refresh: %v %v", out, err)
	}
	fresh := str(out["access_token"])
	if fresh == b.variable("ACCESS_TOKEN") {
		t.Fatal("the access token is the old one")
	}
	if out := b.call(list, query); code(out) != "IllegalAccessToken" {
		t.Errorf("the old token still works: %v", out)
	}
	query["session"] = fresh
	if out := b.call(list, query); code(out) != nil {
		t.Errorf("the new token: got %v", out)
	}
	create := "/auth/token/create"
	if out, _, _ := b.post(b.variable("BASE_URL")+"/rest"+create, b.form(create, map[string]string{"code": "x"})); code(out) != "InvalidCode" {
		t.Errorf("create: got %v", out)
	}
}

func TestListIsWrappedUnlessSimplified(t *testing.T) {
	t.Parallel()
	b := newBench(t, Options{Seed: 3, Disputes: 40, Shipments: 40})
	b.to(start.Add(10 * day))
	plain := b.call(list, map[string]string{"query_dto": `{"current_page":1,"page_size":50}`})
	rows := arr(plain["data_list"])
	wrapped := b.call(list, map[string]string{"query_dto": `{"current_page":1,"page_size":50}`, "simplify": "false"})
	result := obj(obj(wrapped["aliexpress_issue_issuelist_get_response"])["result"])
	inner := arr(obj(result["data_list"])["issue_api_issue_dto"])
	if len(rows) == 0 || len(rows) != len(inner) {
		t.Errorf("want the same rows, got %d and %d", len(rows), len(inner))
	}
	none := b.call(list, map[string]string{"query_dto": `{"current_page":9,"page_size":50}`, "simplify": "false"})
	empty, isObject := obj(obj(none["aliexpress_issue_issuelist_get_response"])["result"])["data_list"].(object)
	if !isObject || len(empty) != 0 {
		t.Errorf("an empty wrapper is {}, got %v", empty)
	}
	if out := b.call(list, map[string]string{"query_dto": `{"current_page":1,"page_size":51}`}); code(out) != "MissingParameter" {
		t.Errorf("page of 51: got %v", out)
	}
	text := 0
	for _, r := range rows {
		if _, ok := r.(object)["issue_id"].(string); ok {
			text++
		}
	}
	if text == 0 || text == len(rows) {
		t.Errorf("want some identifiers as text and some as numbers, got %d of %d", text, len(rows))
	}
}

func TestListFiltersByStatusOrderAndCreation(t *testing.T) {
	t.Parallel()
	b := newBench(t, Options{Seed: 3, Disputes: 40})
	b.to(start.Add(20 * day))
	seen := 0
	for _, status := range []string{"processing", "finish", "canceled_issue"} {
		out := b.call(list, map[string]string{"query_dto": `{"current_page":1,"page_size":50,"issue_status":"` + status + `"}`})
		for _, r := range arr(out["data_list"]) {
			seen++
			if obj(r)["issue_status"] != status {
				t.Errorf("asked for %s, got %v", status, r)
			}
		}
	}
	all := b.call(list, map[string]string{"query_dto": `{"current_page":1,"page_size":50}`})
	if seen == 0 || seen != len(arr(all["data_list"])) {
		t.Errorf("the three statuses have %d rows, all have %d", seen, len(arr(all["data_list"])))
	}
	i := b.w.issues[0]
	one := b.call(list, map[string]string{"query_dto": `{"current_page":1,"page_size":50,"order_no":` + itoa(i.order.child) + `}`})
	if len(arr(one["data_list"])) != 1 {
		t.Errorf("by child order: got %v", one)
	}
	window := `{"current_page":1,"page_size":50,"create_time_start":"` + itoa(i.openAt.UnixMilli()) + `","create_time_end":"` + itoa(i.openAt.UnixMilli()) + `"}`
	if out := b.call(list, map[string]string{"query_dto": window}); len(arr(out["data_list"])) != 1 {
		t.Errorf("by creation: got %v", out)
	}
}

func TestTimesArePacificWithSummerTime(t *testing.T) {
	t.Parallel()
	s := seller{New(Options{})}
	for utc, want := range map[string]string{
		"2026-03-08T09:30:00Z": "2026-03-08 01:30:00", // an hour before the change
		"2026-03-08T10:30:00Z": "2026-03-08 03:30:00",
	} {
		at, err := time.Parse(time.RFC3339, utc)
		if got := s.pacific(at); err != nil || got != want {
			t.Errorf("%s: want %s, got %s (%v)", utc, want, got, err)
		}
	}
}
