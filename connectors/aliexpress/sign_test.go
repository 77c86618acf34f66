package aliexpress

import (
	"net/url"
	"testing"
)

const demoSecret = "demoSecret0123456789abcdef0123456"

func TestSignatureIsThePlatformsOwn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path string
		p    params
		want string
	}{
		"business call": {"", params{
			"app_key": "500123", "format": "json", "method": "aliexpress.issue.issuelist.get", "session": "50000000000demoToken",
			"query_dto":   `{"current_page":1,"page_size":20,"issue_status":"processing"}`,
			"sign_method": "sha256", "simplify": "true", "timestamp": "1767225600000",
		}, "A63330FDC6C1B5AB1E8C858285BEE6D67A4B8F24D11A03859DD3A8CE4BC6C0C7"},
		"system call": {"/auth/token/refresh", params{
			"app_key": "500123", "refresh_token": "50001000000demoRefresh", "sign_method": "sha256", "timestamp": "1767225600000",
		}, "B87F72AB8AED30B3539CBB7AF9EF9D467048F0780AD4BC62F455FF6005181EBC"},
		"text beyond ASCII": {"", params{
			"app_key": "500123", "method": "aliexpress.issue.solution.save", "session": "50000000000demoToken", "sign_method": "sha256",
			"param_dto": `{"issue_id":9123456789012345,"solution_context":"您好, we reship – 100%"}`, "timestamp": "1767225600000",
		}, "E65266E7A2526CA5EE2209F6D1CB0B1366AF52AED643709F4BF950A33335E314"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := sign(demoSecret, c.path, c.p); got != c.want {
				t.Errorf("want %s, got %s for %q", c.want, got, base(c.path, c.p))
			}
			c.p["sign"], c.p["empty"] = "whatever", ""
			if got := sign(demoSecret, c.path, c.p); got != c.want {
				t.Errorf("want sign and what is empty left out, got %s", got)
			}
			sent, err := url.ParseQuery(string(form(demoSecret, c.path, c.p)))
			if err != nil || sent.Get("sign") != c.want || sent.Has("empty") || len(sent) != len(c.p)-1 {
				t.Errorf("want what was signed to be sent, got %v (%v)", sent, err)
			}
		})
	}
}
