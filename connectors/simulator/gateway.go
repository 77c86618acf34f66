package simulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"

	"watchkeeper/sla"
)

// A drift of the caller's clock beyond this is refused [AE1369].
const mostDrift = 7200 * time.Second

// Lifetimes of tokens. The documents give several, by kind of app, and tell callers to use the fields of the reply; a week makes a
// month see several renewals.
const (
	accessLife  = 7 * day
	refreshLife = 365 * day
)

// A store is one seller account.
type store struct {
	id            sla.StoreID
	n             int
	appKey        string
	appSecret     string
	access        string
	accessUntil   time.Time
	refresh       string
	refreshUntil  time.Time
	renewals      int
	returnAddress int64
	issues        []*issue // newest first
}

func newStore(o Options, n int) *store {
	r := draw(o.Seed, forStore, uint64(n))
	s := &store{
		id: sla.StoreID(fmt.Sprintf("AE%02d", n+1)), n: n,
		appKey:        strconv.Itoa(500_100 + n),
		appSecret:     fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()),
		refresh:       fmt.Sprintf("5000100%012d%016x", n, r.Uint64()),
		refreshUntil:  o.Start.Add(refreshLife),
		returnAddress: 700_001 + int64(n),
	}
	s.renew(o.Seed, o.Start)
	return s
}

// renew replaces the access token; the old one is worth nothing from here on.
func (s *store) renew(seed uint64, now time.Time) {
	s.renewals++
	r := draw(seed, forStore, uint64(s.n), uint64(s.renewals))
	s.access, s.accessUntil = fmt.Sprintf("5000000%012d%016x", s.renewals, r.Uint64()), now.Add(accessLife)
}

// seller is the AliExpress gateway: business methods at /sync, system methods under /rest.
type seller struct{ w *World }

func (seller) name() sla.Platform { return AliExpress }

// systemParams are those that say how to call, and not what.
var systemParams = map[string]bool{
	"app_key": true, "session": true, "access_token": true, "timestamp": true, "sign_method": true, "format": true,
	"simplify": true, "sign": true, "method": true,
}

var writeMethods = map[string]bool{
	"aliexpress.issue.solution.agree":                         true,
	"aliexpress.issue.solution.save":                          true,
	"aliexpress.trade.redefining.extendsbuyeracceptgoodstime": true,
	"aliexpress.trade.seller.order.acceptcancel":              true,
	"aliexpress.trade.seller.order.refusecancel":              true,
}

func (seller) read(r *http.Request, body []byte) call {
	method := r.Form.Get("method")
	key := []string{r.URL.Path, method}
	for _, name := range sortedNames(r.Form) {
		if !systemParams[name] {
			key = append(key, name, r.Form.Get(name))
		}
	}
	return call{
		Request: r, body: body, key: strings.Join(key, "\x00"),
		writes: writeMethods[method] || strings.HasPrefix(r.URL.Path, "/rest/auth/token/"),
	}
}

func sortedNames(form url.Values) []string {
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// signature is the platform's HMAC over the parameters in byte order; a system call puts its path in front.
func signature(apiPath string, form url.Values, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(apiPath))
	for _, name := range sortedNames(form) {
		if v := form.Get(name); name != "sign" && v != "" {
			mac.Write([]byte(name + v))
		}
	}
	return strings.ToUpper(hex.EncodeToString(mac.Sum(nil)))
}

// An aliError is a refusal of the gateway or of a method.
type aliError struct{ kind, code, msg, sub string }

var (
	badApp       = aliError{"ISV", "InvalidAppkey", "The app key is not valid", ""}
	badSignature = aliError{"ISV", "IncompleteSignature", "The request signature does not conform to platform standards", ""}
	badTimestamp = aliError{"ISV", "IllegalTimestamp", "The timestamp is too far from the server's", ""} // name unsure
	badToken     = aliError{"ISV", "IllegalAccessToken", "The specified access token is invalid or expired", ""}
	badRefresh   = aliError{"ISV", "IllegalRefreshToken", "The specified refresh token is invalid or expired", ""}
	badCode      = aliError{"ISV", "InvalidCode", "The authorization code is invalid", ""}
	badPath      = aliError{"ISV", "InvalidApiPath", "The specified API path is invalid", ""}
	missing      = aliError{"ISV", "MissingParameter", "A required parameter is missing or cannot be read", ""}
	tooMany      = aliError{"SYSTEM", "ApiCallLimit", "The request has been rejected due to API call limit", ""}
	outage       = aliError{"ISP", "15", "Remote service error", "isp.service-error"}
)

// business is a method's own refusal.
func business(why refusal) aliError {
	return aliError{"ISV", "50", "Remote service error", string(why)}
}

// envelope wraps an error in the shape of the place: /sync inherited one, /rest has another. Both come with HTTP 200.
func (c call) envelope(e aliError) reply {
	id := c.requestID()
	if strings.HasPrefix(c.URL.Path, "/rest") {
		return reply{status: http.StatusOK, value: object{"type": e.kind, keyCode: e.code, "message": e.msg, "request_id": id}}
	}
	inner := object{keyCode: e.code, "type": e.kind, "msg": e.msg, "request_id": id}
	if e.sub != "" {
		inner["sub_code"], inner["sub_msg"] = e.sub, "business check failed"
	}
	return reply{status: http.StatusOK, value: object{"error_response": inner}}
}

type object = map[string]any

// Wire names that many records have.
const (
	keyCreated = "gmt_create"
	keyIssue   = "issue_id"
	keyCode    = "code"
	keyCarrier = "carrier"
	keyStatus  = "issue_status"
	keyNumber  = "number"
)

func (c call) requestID() string {
	return fmt.Sprintf("%08x%013d", uint32(number(c.key)), c.now.UnixMilli())
}

func (seller) throttled(c call) reply { return c.envelope(tooMany) }

// broken fails in one of the ways seen: an error envelope with HTTP 200, or a status of the 5xx.
func (seller) broken(c call) reply {
	switch c.draw(forServerError).Uint64() % 3 {
	case 0:
		return c.envelope(outage)
	case 1:
		return reply{status: http.StatusBadGateway, value: "<html>502 Bad Gateway</html>"}
	}
	return reply{status: http.StatusInternalServerError, value: "<html>500</html>"}
}

func (s seller) answer(c call) reply {
	if c.Method != http.MethodPost {
		return reply{status: http.StatusMethodNotAllowed, value: "method not allowed"}
	}
	if apiPath, ok := strings.CutPrefix(c.URL.Path, "/rest"); ok {
		return s.system(c, apiPath)
	}
	if c.URL.Path != "/sync" {
		return reply{status: http.StatusNotFound, value: "not found"}
	}
	st, refused := s.admit(c, "")
	if refused != nil {
		return c.envelope(*refused)
	}
	method := c.Form.Get("method")
	do, known := s.methods()[method]
	if !known {
		return c.envelope(badPath)
	}
	if !s.session(c, st) {
		return c.envelope(badToken)
	}
	value, refusedBy := do(c, st)
	if refusedBy != nil {
		return c.envelope(*refusedBy)
	}
	return reply{status: http.StatusOK, value: c.wrap(method, value)}
}

// admit checks app, signature and time.
func (s seller) admit(c call, apiPath string) (*store, *aliError) {
	var st *store
	for _, x := range s.w.stores {
		if x.appKey == c.Form.Get("app_key") {
			st = x
		}
	}
	if st == nil {
		return nil, &badApp
	}
	sign := c.Form.Get("sign")
	if c.Form.Get("sign_method") != "sha256" || !hmac.Equal([]byte(sign), []byte(signature(apiPath, c.Form, st.appSecret))) {
		return nil, &badSignature
	}
	ms, err := strconv.ParseInt(c.Form.Get("timestamp"), 10, 64)
	if drift := c.now.Sub(time.UnixMilli(ms)); err != nil || drift.Abs() > mostDrift {
		return nil, &badTimestamp
	}
	return st, nil
}

// session checks the seller's token; the newer documents call the parameter access_token [AE1369].
func (s seller) session(c call, st *store) bool {
	token := c.Form.Get("session")
	if token == "" {
		token = c.Form.Get("access_token")
	}
	if c.strikes(forToken, s.w.o.Faults.ExpiredToken) {
		st.accessUntil = c.now
	}
	return token == st.access && c.now.Before(st.accessUntil)
}

// system serves the token methods.
func (s seller) system(c call, apiPath string) reply {
	st, refused := s.admit(c, apiPath)
	if refused != nil {
		return c.envelope(*refused)
	}
	switch apiPath {
	case "/auth/token/create":
		return c.envelope(badCode) // codes come from the consent page, which nobody visits here
	case "/auth/token/refresh":
		if c.Form.Get("refresh_token") != st.refresh || !c.now.Before(st.refreshUntil) {
			return c.envelope(badRefresh)
		}
		st.renew(s.w.o.Seed, c.now)
		return reply{status: http.StatusOK, value: s.tokens(c, st)}
	}
	return c.envelope(badPath)
}

func (s seller) tokens(c call, st *store) object {
	user := strconv.Itoa(2_671_000_001 + st.n)
	return object{
		"access_token": st.access, "refresh_token": st.refresh,
		"expires_in": int(accessLife.Seconds()), "refresh_expires_in": int(st.refreshUntil.Sub(c.now).Seconds()),
		"expire_time": st.accessUntil.UnixMilli(), "refresh_token_valid_time": st.refreshUntil.UnixMilli(),
		"user_id": user, "seller_id": user, "havana_id": user, "user_nick": fmt.Sprintf("cn15%08ddemo", st.n),
		"account": "CANARY-SELLER@example.com", "account_id": nil, "account_platform": "seller_center", "sp": "ae", "locale": "zh_CN",
		keyCode: "0", "request_id": c.requestID(),
	}
}
