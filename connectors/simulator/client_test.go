package simulator

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a world on a clock that the test moves, and a client written from the documents by hand.
type bench struct {
	t    *testing.T
	w    *World
	env  map[string]string
	http *http.Client
	mu   sync.Mutex
	now  time.Time
}

var start = time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)

func newBench(t *testing.T, o Options) *bench {
	t.Helper()
	b := &bench{t: t, now: start, http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	o.Start, o.Now = start, b.clock
	b.w = New(o)
	if err := b.w.Start(); err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(b.w.Close)
	b.env = b.w.Env()
	return b
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) to(t time.Time) {
	b.mu.Lock()
	b.now = t
	b.mu.Unlock()
	b.w.Advance(t)
}

func (b *bench) variable(name string) string { return b.env["WK_STORE__AE01__"+name] }

// form signs the parameters of a call the long way: sorted, concatenated, HMAC-SHA256.
func (b *bench) form(apiPath string, params map[string]string) url.Values {
	all := map[string]string{
		"app_key": b.variable("APP_KEY"), "timestamp": strconv.FormatInt(b.clock().UnixMilli(), 10), "sign_method": "sha256",
	}
	maps.Copy(all, params)
	var pairs []string
	form := url.Values{}
	for k, v := range all {
		pairs = append(pairs, k+v)
		form.Set(k, v)
	}
	slices.Sort(pairs) // no name here is the beginning of another
	mac := hmac.New(sha256.New, []byte(b.variable("APP_SECRET")))
	mac.Write([]byte(apiPath + strings.Join(pairs, "")))
	form.Set("sign", fmt.Sprintf("%X", mac.Sum(nil)))
	return form
}

// meta is what a reply says besides its body.
type meta struct {
	status int
	date   string
}

func (b *bench) post(address string, form url.Values) (object, meta, error) {
	r, err := b.http.PostForm(address, form)
	if err != nil {
		return nil, meta{}, err
	}
	return decode(b.t, r), meta{r.StatusCode, r.Header.Get("Date")}, nil
}

// obj, arr and str look into a reply; what is not there is empty, and the test that reads it fails on that.
func obj(v any) object { o, _ := v.(object); return o }
func arr(v any) []any  { a, _ := v.([]any); return a }
func str(v any) string { s, _ := v.(string); return s }

func decode(t *testing.T, r *http.Response) object {
	t.Helper()
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatalf("read body: %v", err)
	}
	var out object
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&out) != nil {
		return nil
	}
	return out
}

// call makes a business call, simplified, and gives the reply's body.
func (b *bench) call(method string, params map[string]string) object {
	b.t.Helper()
	out, err := b.try(method, params)
	if err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
	return out
}

func (b *bench) try(method string, params map[string]string) (object, error) {
	all := map[string]string{"method": method, "session": b.session(), "format": "json", "simplify": "true"}
	maps.Copy(all, params)
	out, _, err := b.post(b.variable("BASE_URL")+"/sync", b.form("", all))
	return out, err
}

// session is a token that is good now: the tests of renewal name their own.
func (b *bench) session() string {
	b.w.mu.Lock()
	defer b.w.mu.Unlock()
	if s := b.w.stores[0]; !b.clock().Before(s.accessUntil) {
		s.renew(b.w.o.Seed, b.clock())
	}
	return b.w.stores[0].access
}

func (b *bench) detail(i *issue) object {
	b.t.Helper()
	out := b.call("aliexpress.issue.detail.get", map[string]string{"issue_id": itoa(i.id), "buyer_login_id": i.order.buyer})
	d, ok := out["result_object"].(object)
	if !ok {
		b.t.Fatalf("detail of %d: %v", i.id, out)
	}
	return d
}

func (b *bench) agree(i *issue, solution int64) object {
	b.t.Helper()
	return b.call("aliexpress.issue.solution.agree", map[string]string{
		"issue_id": itoa(i.id), "buyer_login_id": i.order.buyer, "solution_id": itoa(solution), "return_address_id": "700001",
	})
}

func (b *bench) save(i *issue, amount string, more object) object {
	b.t.Helper()
	return b.call("aliexpress.issue.solution.save", saving(i, amount, more))
}

func saving(i *issue, amount string, more object) map[string]string {
	p := object{
		"add_seller_solution": true, "buyer_login_id": i.order.buyer, "buyer_solution_id": i.claim().id, "issue_id": itoa(i.id),
		"refund_amount": amount, "refund_amount_currency": "USD", "solution_context": "We can refund a part – 您好",
	}
	maps.Copy(p, more)
	var dto strings.Builder
	if err := json.NewEncoder(&dto).Encode(p); err != nil {
		panic(err) // cannot happen: the map holds text, numbers and truth values
	}
	return map[string]string{"param_dto": dto.String()}
}

func (b *bench) track(op, body string) (object, int) {
	b.t.Helper()
	return b.trackWith(b.env["WK_STORE__T17__API_KEY"], op, body)
}

func (b *bench) trackWith(key, op, body string) (object, int) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.env["WK_STORE__T17__BASE_URL"]+"/track/v2.2/"+op, strings.NewReader(body))
	if err != nil {
		b.t.Fatalf("request: %v", err)
	}
	r.Header.Set("17token", key)
	r.Header.Set("Content-Type", "application/json")
	reply, err := b.http.Do(r)
	if err != nil {
		b.t.Fatalf("%s: %v", op, err)
	}
	return decode(b.t, reply), reply.StatusCode
}

// quiet finds a dispute whose buyer does nothing by themselves, and moves to just after it opened.
func (b *bench) quiet(fits func(*issue) bool) *issue {
	b.t.Helper()
	for _, i := range b.w.issues {
		if i.openAt.After(b.clock()) && i.edit == 0 && i.quit == 0 && i.call == 0 && i.move == 0 && (fits == nil || fits(i)) {
			b.to(i.openAt.Add(time.Minute))
			return i
		}
	}
	b.t.Fatal("no such dispute in this month")
	return nil
}

func refundOnly(i *issue) bool { return !i.goods }

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func accepts(out object) bool { return out["result_object"] == true }

func code(out object) any {
	if e, ok := out["error_response"].(object); ok {
		return e["code"]
	}
	return out["code"]
}

// entries are the log's lines about one dispute, of one kind.
func (b *bench) entries(i *issue, k Kind) []Entry {
	return slices.DeleteFunc(b.w.Log(), func(e Entry) bool { return e.Subject != itoa(i.id) || e.Kind != k })
}
