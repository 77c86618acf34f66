package track17

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"

	"watchkeeper/connectors"
	"watchkeeper/connectors/conformance"
)

const testKey = "KEY0123456789SECRET"

var testNow = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// object is a JSON object in tests.
type object = map[string]any

// account is a 17TRACK account behind real HTTP. Each endpoint's handler gets the decoded request and gives the whole reply.
type account struct {
	t        testing.TB
	url      string
	handlers map[string]func(body []byte) (int, any)

	mu    sync.Mutex
	calls []string // "gettrackinfo [...]"
}

func newAccount(tb testing.TB) *account {
	tb.Helper()
	a := &account{t: tb, handlers: map[string]func([]byte) (int, any){}}
	s := httptest.NewServer(http.HandlerFunc(a.serve))
	tb.Cleanup(s.Close)
	a.url = s.URL
	return a
}

func (a *account) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	op := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	a.mu.Lock()
	a.calls = append(a.calls, op+" "+string(body))
	a.mu.Unlock()
	switch handle := a.handlers[op]; {
	case r.Method != http.MethodPost || !strings.HasPrefix(r.URL.Path, "/track/v2.") || handle == nil:
		http.NotFound(w, r)
	case r.Header.Get("17token") != testKey:
		reply(w, http.StatusUnauthorized, object{"code": codeBadKey, "data": object{"errors": []any{}}})
	default:
		status, value := handle(body)
		reply(w, status, value)
	}
}

func reply(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	body, err := json.Marshal(value)
	if err != nil {
		panic(err) // a test serves only what marshals
	}
	_, _ = w.Write(body)
}

// seen lists the calls so far, by operation.
func (a *account) seen(op string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []string
	for _, c := range a.calls {
		if rest, ok := strings.CutPrefix(c, op+" "); ok {
			out = append(out, rest)
		}
	}
	return out
}

// each answers an endpoint that takes numbers, one by one; a nil item with code 0 is left out of the reply.
func (a *account) each(op string, one func(it ask) (object, int)) {
	a.handlers[op] = func(body []byte) (int, any) {
		var asks []ask
		if err := json.Unmarshal(body, &asks); err != nil || len(asks) > batchSize {
			return http.StatusOK, object{"code": -18010014, "data": object{}}
		}
		accepted, rejected := []any{}, []any{}
		for _, it := range asks {
			switch row, code := one(it); {
			case code != 0:
				rejected = append(rejected, object{"number": it.Number, "carrier": strconv.FormatInt(it.Carrier, 10),
					"error": object{"code": code, "message": "The number '" + it.Number + "'."}})
			case row != nil:
				accepted = append(accepted, row)
			}
		}
		return http.StatusOK, object{"code": 0, "data": object{"accepted": accepted, "rejected": rejected}}
	}
}

// detail is the least that gettrackinfo says of a number.
func detail(number string, carrier int64, status, sub, at, description string) object {
	event := object{"time_iso": at, "time_utc": at, "time_raw": object{"date": nil, "time": nil, "timezone": nil}, "description": description,
		"location": "", "stage": nil, "sub_status": sub, "address": object{"country": "US"}}
	return object{"number": number, "carrier": carrier, "track_info": object{
		"shipping_info": object{"shipper_address": object{"country": "CN"}, "recipient_address": object{"country": "US"}},
		"latest_status": object{"status": status, "sub_status": sub}, "latest_event": event,
		"tracking": object{"providers": []any{object{"provider": object{"key": carrier}, "events": []any{event}}}},
	}}
}

func moving(it ask) (object, int) {
	return detail(it.Number, 3011, "InTransit", "InTransit_Other", "2026-03-01T10:00:00Z", "In transit"), 0
}

func listRow(number, status string) object {
	return object{"number": number, "carrier": 3011, "register_time": "2026-02-01T00:00:00Z", "tracking_status": "Tracking", "package_status": status,
		"latest_event_time": "", "order_no": "ORDER-" + number, "shipping_country": "CN", "recipient_country": "US", "push_status": "NotPushed"}
}

// build makes a tracker of the account; change may alter its parts.
func (a *account) build(vars map[string]string, change func(*connectors.Deps)) *Tracker {
	a.t.Helper()
	deps := connectors.Deps{Store: "T1", Now: func() time.Time { return testNow }, Limiter: conformance.Limiter{}}
	if change != nil {
		change(&deps)
	}
	env := map[string]string{"API_KEY": testKey, "BASE_URL": a.url}
	maps.Copy(env, vars)
	built, err := Platform.New(context.Background(), envconfig.MapLookuper(env), deps)
	if err != nil {
		a.t.Fatalf("build: %v", err)
	}
	tracker, ok := built.Tracker.(*Tracker)
	if !ok {
		a.t.Fatalf("build: got a %T", built.Tracker)
	}
	return tracker
}
