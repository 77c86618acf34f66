package aliexpress

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"watchkeeper/connectors"
	"watchkeeper/connectors/conformance"
	"watchkeeper/sla"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	demoAccess  = "50000000000demoToken"
	demoRefresh = "50001000000demoRefresh"
)

var epoch = time.Date(2026, 1, 6, 12, 0, 0, 0, time.UTC)

// shop is one test's platform: it checks each signature, knows which access token is good, and answers methods as told.
type shop struct {
	t      *testing.T
	server *httptest.Server
	clock  *conformance.Clock
	vault  *conformance.Vault
	brake  conformance.Brake
	logs   *observer.ObservedLogs
	log    *zap.Logger
	rt     *http.Transport

	mu      sync.Mutex
	secret  string // of the app
	good    string // the access token that is taken
	grants  int
	methods map[string]func(url.Values) any
	sent    []url.Values
	refresh func() any // nil: a new token each time
}

func newShop(t *testing.T) *shop {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	p := &shop{
		t: t, clock: conformance.NewClock(epoch), vault: &conformance.Vault{}, logs: logs, log: zap.New(core), rt: &http.Transport{},
		secret: demoSecret, good: demoAccess, methods: map[string]func(url.Values) any{},
	}
	p.server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(func() {
		p.rt.CloseIdleConnections()
		p.server.Close()
		for _, e := range logs.All() {
			p.isPrivate("a log line", fmt.Sprint(e.Message, e.ContextMap()))
		}
	})
	return p
}

// isPrivate fails when a text holds what may not leave the process.
func (p *shop) isPrivate(what, text string) {
	p.t.Helper()
	for _, secret := range []string{demoSecret, demoAccess, demoRefresh, sampleBuyer, "CANARY"} {
		if strings.Contains(text, secret) {
			p.t.Errorf("%s holds %s", what, secret)
		}
	}
}

func (p *shop) env(with ...string) envconfig.Lookuper {
	env := map[string]string{
		"APP_KEY": "500123", "APP_SECRET": demoSecret, "ACCESS_TOKEN": demoAccess, "REFRESH_TOKEN": demoRefresh, "BASE_URL": p.server.URL,
		"RETURN_ADDRESS_ID": "700001",
	}
	for i := 0; i < len(with); i += 2 {
		if env[with[i]] = with[i+1]; with[i+1] == "" {
			delete(env, with[i])
		}
	}
	return envconfig.MapLookuper(env)
}

// seller starts a connector; each call is another process with the same vault.
func (p *shop) seller(with ...string) *Seller {
	p.t.Helper()
	b, err := Platform.New(p.t.Context(), p.env(with...), connectors.Deps{
		Store: "AE01", Now: p.clock.Now, HTTP: p.rt, Limiter: conformance.Limiter{}, Tokens: p.vault, Brake: &p.brake, Log: p.log,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	s, ok := b.Connector.(*Seller)
	if !ok {
		p.t.Fatalf("want a seller, got %T", b.Connector)
	}
	return s
}

// on sets what a method answers: a value to be written as JSON, or a status to fail with.
func (p *shop) on(method string, f func(url.Values) any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.methods[method] = f
}

func (p *shop) always(method string, v any) { p.on(method, func(url.Values) any { return v }) }

// revoke makes the present access token worthless.
func (p *shop) revoke() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.good = "none"
}

// calls are the requests of one method that were answered.
func (p *shop) calls(method string) []url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []url.Values
	for _, form := range p.sent {
		if form.Get("method") == method {
			out = append(out, form)
		}
	}
	return out
}

func (p *shop) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, err := url.ParseQuery(string(body))
	w.Header().Set("Date", p.clock.Now().Format(http.TimeFormat))
	apiPath := strings.TrimPrefix(r.URL.Path, "/rest")
	if apiPath == "/sync" {
		apiPath = ""
	}
	flat := params{}
	for name := range form {
		flat[name] = form.Get(name)
	}
	p.mu.Lock()
	secret := p.secret
	p.mu.Unlock()
	if err != nil || r.Method != http.MethodPost || r.URL.RawQuery != "" || form.Get("sign") != sign(secret, apiPath, flat) {
		p.t.Errorf("want a signed form without a query, got %s %s", r.Method, r.URL)
	}
	p.mu.Lock()
	v := p.answer(apiPath, form)
	p.mu.Unlock()
	p.write(w, v)
}

// answer is called with the lock held.
func (p *shop) answer(apiPath string, form url.Values) any {
	method := p.methods[form.Get("method")]
	switch {
	case apiPath == refreshPath && p.refresh != nil:
		return p.refresh()
	case apiPath == refreshPath:
		p.grants++
		p.good = fmt.Sprintf("50000000000new%d", p.grants)
		return object{"access_token": p.good, "refresh_token": demoRefresh, "expires_in": 2592000, "refresh_expires_in": 5184000,
			"account_platform": "seller_center", "code": "0", "request_id": "r"}
	case form.Get("session") != p.good:
		return object{"error_response": object{"code": "IllegalAccessToken", "type": "ISV", "msg": "The specified access token is invalid or expired"}}
	case method == nil:
		return object{"error_response": object{"code": "InvalidApiPath", "type": "ISV", "msg": "unknown"}}
	}
	p.sent = append(p.sent, form)
	return method(form)
}

func (p *shop) write(w http.ResponseWriter, v any) {
	switch v := v.(type) {
	case int:
		w.WriteHeader(v)
	case string:
		_, _ = io.WriteString(w, v)
	case error:
		panic(http.ErrAbortHandler)
	default:
		_, _ = w.Write(asJSON(p.t, v))
	}
}

// listed serves rows as one page.
func listed(rows ...object) object {
	return object{"current_page": 1, "page_size": pageSize, "total_item": len(rows), "data_list": rows, "request_id": "r"}
}

func sampleRow(with ...object) object {
	o := object{
		"issue_id": sampleIssue, "order_id": sampleOrder, "parent_order_id": sampleParent, "buyer_login_id": sampleBuyer, "issue_status": "processing",
		"gmt_create": "2026-01-05 03:12:44", "gmt_modified": "2026-01-05 03:12:44", "reason_english": "Quality Problem", "reason_chinese": "质量问题",
	}
	for _, w := range with {
		maps.Copy(o, w)
	}
	return o
}

// shows sets the dispute that list and detail tell of.
func (p *shop) shows(o object) {
	p.always(listMethod, listed(sampleRow()))
	p.always(detailMethod, object{"result_object": o, "request_id": "r"})
}

// fetchOne reads the only row.
func (p *shop) fetchOne(s *Seller) connectors.Row {
	p.t.Helper()
	page, err := s.Fetch(p.t.Context(), connectors.Cursor{})
	if err != nil || len(page.Rows) != 1 || page.More || page.Kind != connectors.Snapshot {
		p.t.Fatalf("want one row, got %+v (%v)", page, err)
	}
	return page.Rows[0]
}

// lookup reads the sample.
func (p *shop) lookup(s *Seller) sla.Dispute {
	p.t.Helper()
	d, err := s.Lookup(context.Background(), sampleRef())
	if err != nil {
		p.t.Fatal(err)
	}
	p.isPrivate("a dispute", fmt.Sprintf("%+v", d))
	return d
}

func (p *shop) wantKind(err error, want connectors.Kind) {
	p.t.Helper()
	if got := connectors.KindOf(err); got != want {
		p.t.Errorf("want %v, got %v (%v)", want, got, err)
	}
	p.isPrivate("an error", fmt.Sprint(err))
}
