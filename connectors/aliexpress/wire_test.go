package aliexpress

import (
	"encoding/json"
	"strings"
	"testing"

	"watchkeeper/connectors"
)

func TestScalarsKeepEveryDigit(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]text{
		`9007199254740993`:                 "9007199254740993",
		`"912345678901234567"`:             "912345678901234567",
		`"wait_for_seller_response\u0000"`: "wait_for_seller_response",
		"\" finish\\u0000 \"":              "finish",
		`13.10`:                            "13.10",
		`true`:                             "true",
		`null`:                             "",
		`{"a":1}`:                          "",
		`[1]`:                              "",
		`""`:                               "",
	} {
		var got text
		if err := json.Unmarshal([]byte(raw), &got); err != nil || got != want {
			t.Errorf("%s: want %q, got %q (%v)", raw, want, got, err)
		}
	}
	for id, want := range map[text]string{
		"912345678901234567": "912345678901234567", "-2": "-2", "0": "", "": "", "1.5": "", "1e3": "", "007": "", "99999999999999999999": "", "abc": "", "1,2": "",
	} {
		if got := id.id(); got != want {
			t.Errorf("id %q: want %q, got %q", id, want, got)
		}
	}
}

func TestListsComeInEveryShape(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]int{
		`[{"id":1},{"id":2}]`:             2,
		`{"solution_api_dto":[{"id":1}]}`: 1,
		`{"whatever":[]}`:                 0,
		`{"whatever":null}`:               0,
		`{}`:                              0,
		`[]`:                              0,
		`null`:                            0,
	} {
		var got list[solution]
		if err := json.Unmarshal([]byte(raw), &got); err != nil || len(got) != want {
			t.Errorf("%s: want %d, got %d (%v)", raw, want, len(got), err)
		}
	}
	for _, raw := range []string{`"x"`, `7`, `[1]`, `["a"]`, `[null]`, `{"a":[],"b":[]}`, `{"a":7}`, `[[]]`} {
		var got list[solution]
		if err := json.Unmarshal([]byte(raw), &got); err == nil {
			t.Errorf("%s: want an error, got %d", raw, len(got))
		}
	}
}

func TestEnvelopesAreTakenOff(t *testing.T) {
	t.Parallel()
	const inner = `{"result_object":true,"x":9007199254740993}`
	for name, body := range map[string]string{
		"flat":              `{"request_id":"r1","result_object":true}`,
		"wrapped":           `{"aliexpress_issue_solution_agree_response":{"result_object":true,"request_id":"r1"}}`,
		"wrapped and level": `{"aliexpress_issue_solution_agree_response":{"result":` + inner + `,"request_id":"r1"}}`,
		"level":             `{"result":` + inner + `,"request_id":"r1","code":"0"}`,
		"byte order mark":   "\xef\xbb\xbf" + `{"request_id":"r1","result_object":"true"}`,
		"code as a number":  `{"request_id":"r1","result_object":true,"code":0}`,
	} {
		e, err := open([]byte(body), agreeMethod)
		if err != nil || e.refused != nil || e.request != "r1" || done(e) != nil {
			t.Errorf("%s: want the reply understood, got %+v (%v)", name, e.refused, err)
		}
	}
	for name, body := range map[string]string{
		"empty": "", "web page": "<html>", "text": `"ok"`, "number": "5", "null": "null", "list": "[]", "cut": `{"result":`, "two": "{}{}",
		"deep": strings.Repeat("[", 20_000), "deep object": `{"a":` + strings.Repeat("[", 20_000), "error of no shape": `{"error_response":"no"}`,
	} {
		if _, err := open([]byte(body), agreeMethod); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
}

func TestRefusalsBecomeKinds(t *testing.T) {
	t.Parallel()
	sync := func(code, kind, sub string) string {
		return `{"error_response":{"code":"` + code + `","type":"` + kind + `","msg":"m","sub_code":"` + sub + `","request_id":"r"}}`
	}
	rest := func(code, kind string) string {
		return `{"type":"` + kind + `","code":"` + code + `","message":"m","request_id":"r"}`
	}
	for _, c := range []struct {
		body         string
		read, effect connectors.Kind
	}{
		{sync("ApiCallLimit", "SYSTEM", ""), connectors.Throttled, connectors.Throttled},
		{sync("7", "ISV", "accesscontrol.limited-by-api-access-count"), connectors.Throttled, connectors.Throttled},
		{sync("15", "ISP", "isp.service-error"), connectors.Unavailable, connectors.Unavailable},
		{sync("50", "ISV", "isp.remote-service-timeout"), connectors.Unavailable, connectors.Unavailable},
		{sync("15", "", ""), connectors.Unavailable, connectors.Unavailable},
		{sync("UnknownRuntimeException", "", ""), connectors.Unavailable, connectors.Unavailable},
		{sync("Whatever", "SYSTEM", ""), connectors.Unavailable, connectors.Unavailable},
		{sync("IllegalAccessToken", "ISV", ""), connectors.Unauthorised, connectors.Unauthorised},
		{sync("27", "ISV", "isv.invalid-session"), connectors.Unauthorised, connectors.Unauthorised},
		{sync("InsufficientPermission", "ISV", ""), connectors.Forbidden, connectors.Forbidden},
		{sync("15", "ISV", "isv.issue-not-exist"), connectors.NotFound, connectors.Conflict},
		{sync("50", "ISV", "isv.issue-status-illegal"), connectors.Malformed, connectors.Conflict},
		{sync("50", "ISV", "isv.refund-amount-exceeded"), connectors.Malformed, connectors.Rejected},
		{sync("MissingParameter", "ISV", ""), connectors.Malformed, connectors.Rejected},
		{sync("Unheard", "", ""), connectors.Malformed, connectors.Malformed},
		{rest("IncompleteSignature", "ISV"), connectors.Forbidden, connectors.Forbidden},
		{rest("IllegalRefreshToken", "ISV"), connectors.Unauthorised, connectors.Unauthorised},
		{rest("ServiceUnavailable", "ISP"), connectors.Unavailable, connectors.Unavailable},
		{`{"error_response":{}}`, connectors.Malformed, connectors.Malformed},
	} {
		e, err := open([]byte(c.body), detailMethod)
		if err != nil || e.refused == nil {
			t.Errorf("%s: want a refusal, got %v", c.body, err)
			continue
		}
		if read, effect := e.refused.fault(false), e.refused.fault(true); read.Kind != c.read || effect.Kind != c.effect {
			t.Errorf("%s: want %v and %v, got %v and %v", c.body, c.read, c.effect, read.Kind, effect.Kind)
		}
	}
}
