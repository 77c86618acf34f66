package aliexpress

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sethvargo/go-envconfig"

	"watchkeeper/connectors"
	"watchkeeper/connectors/conformance"
	"watchkeeper/sla"
)

// unreadableIssue is one whose detail cannot be decoded.
const unreadableIssue = 9_123_456_700_000_000_000

func conformRow(tb testing.TB, i int, with object) []byte {
	tb.Helper()
	return asJSON(tb, sampleRow(object{"issue_id": 9_123_456_780_000_000_000 + i, "order_id": 8_190_000_000_000_000 + i}, with))
}

func write(w http.ResponseWriter, v any) {
	_ = json.NewEncoder(w).Encode(v) //nolint:errchkjson // maps of scalars
}

// conformServe is the platform when all is well. It lists the newest first.
func conformServe(w http.ResponseWriter, r *http.Request, l conformance.List) {
	_ = r.ParseForm()
	switch r.PostForm.Get("method") {
	case listMethod:
		conformList(w, r.PostForm, l)
	case detailMethod:
		o := sample(object{"id": 1, "order_id": nil})
		if r.PostForm.Get("issue_id") == strconv.Itoa(unreadableIssue) {
			o["buyer_solution_list"] = "CANARY"
		}
		write(w, object{"result_object": o})
	case saveMethod:
		write(w, yes)
	default:
		write(w, object{"access_token": demoAccess, "expires_in": 3600, "code": "0"})
	}
}

func conformList(w http.ResponseWriter, form url.Values, l conformance.List) {
	var q query
	_ = json.Unmarshal([]byte(form.Get("query_dto")), &q)
	rows := slices.Clone(l.Rows)
	slices.Reverse(rows)
	from, to := min((q.Page-1)*l.PerPage, len(rows)), min(q.Page*l.PerPage, len(rows))
	list := []json.RawMessage{}
	for _, r := range rows[from:to] {
		list = append(list, json.RawMessage(r))
	}
	// Written by hand: an encoder would take the blanks out of the rows.
	fmt.Fprintf(w, `{"current_page":%d,"page_size":%d,"total_item":%d,"data_list":[`, q.Page, l.PerPage, len(rows))
	for i, r := range list {
		if i > 0 {
			_, _ = w.Write([]byte{','})
		}
		_, _ = w.Write(r)
	}
	_, _ = w.Write([]byte("]}"))
}

func TestConformance(t *testing.T) {
	t.Parallel()
	d := disputeOf(t, sample(nil))
	d.ID.Store = "CONF1"
	conformance.Run(t, conformance.Suite{
		Build: func(tb testing.TB, baseURL string, deps connectors.Deps) connectors.Built {
			tb.Helper()
			b, err := Platform.New(tb.Context(), envconfig.MapLookuper(map[string]string{
				"APP_KEY": "500123", "APP_SECRET": demoSecret, "ACCESS_TOKEN": demoAccess, "REFRESH_TOKEN": demoRefresh, "BASE_URL": baseURL,
				"BUYER_HASH_KEY": "CANARY-HASH-KEY",
			}), deps)
			if err != nil {
				tb.Fatal(err)
			}
			return b
		},
		Serve: conformServe,
		Row: func(i int) (string, []byte) {
			return strconv.Itoa(9_123_456_780_000_000_000 + i), conformRow(t, i, nil)
		},
		Changed:      func(i int) []byte { return conformRow(t, i, object{"gmt_modified": "2026-01-06 09:00:00"}) },
		Volatile:     func(i int) []byte { return conformRow(t, i, object{"buyer_login_id": "fr0", "left_time": 17}) },
		BadRow:       []byte(`{"issue_status":"processing","buyer_login_id":"fr1500000001xyz"}`),
		Unresolvable: conformRow(t, 0, object{"issue_id": json.Number(strconv.Itoa(unreadableIssue))}),
		Replies: []conformance.Reply{
			{Name: "limit", Body: `{"error_response":{"code":"ApiCallLimit","type":"SYSTEM","msg":"m"}}`, Want: connectors.Throttled},
			{Name: "outage", Body: `{"error_response":{"code":"15","type":"ISP","msg":"m","sub_code":"isp.service-error"}}`, Want: connectors.Unavailable},
			{Name: "session", Body: `{"error_response":{"code":"IllegalAccessToken","type":"ISV","msg":"` + demoAccess + `"}}`, Want: connectors.Unauthorised},
			{Name: "refresh token", Body: `{"error_response":{"code":"IllegalRefreshToken","type":"ISV","msg":"m"}}`, Want: connectors.Unauthorised},
			{Name: "permission", Body: `{"error_response":{"code":"InsufficientPermission","type":"ISV","msg":"m"}}`, Want: connectors.Forbidden},
			{Name: "signature", Body: `{"type":"ISV","code":"IncompleteSignature","message":"` + demoSecret + `"}`, Want: connectors.Forbidden},
			{Name: "status", Status: http.StatusBadRequest, Body: `{"error_response":{"code":"ApiCallLimit","type":"SYSTEM","msg":"m"}}`, Want: connectors.Throttled},
			{Name: "no list", Body: `{"current_page":1,"page_size":50,"total_item":3}`, Want: connectors.Malformed},
			{Name: "an empty list of three", Body: `{"data_list":[],"total_item":3}`, Want: connectors.Malformed},
			{Name: "list is a text", Body: `{"data_list":"` + sampleBuyer + `","total_item":3}`, Want: connectors.Malformed},
		},
		Secrets: []string{demoSecret, demoAccess, demoRefresh, "CANARY-HASH-KEY"},
		Effect: &conformance.Effect{
			Dispute: d,
			Answer: sla.Answer{
				Kind: sla.AnswerOffer, Turn: d.Obligations[0].Turn, Proposal: d.Proposal, Amount: sla.Money{Minor: 500, Currency: "USD"}, Text: "Sorry", Attempt: 1,
			},
			Is: func(_ *http.Request, body []byte) bool { return strings.Contains(string(body), saveMethod) },
			Serve: func(w http.ResponseWriter, r *http.Request) {
				conformServe(w, r, conformance.List{Rows: [][]byte{asJSON(t, sampleRow())}, PerPage: 50})
			},
		},
	})
}
