package easypost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sethvargo/go-envconfig"
	"go.uber.org/goleak"

	"watchkeeper/connectors"
	"watchkeeper/connectors/conformance"
	"watchkeeper/sla"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const apiKey = "EZTK-canary-key-4711"

var epoch = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// buildAt makes the tracker of a store whose EasyPost is at the URL.
func buildAt(tb testing.TB, baseURL string, deps connectors.Deps) connectors.Built {
	tb.Helper()
	b, err := Platform.New(context.Background(), envconfig.MapLookuper(map[string]string{"API_KEY": apiKey, "BASE_URL": baseURL + "/v2"}), deps)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// row is the i-th tracker of a list as EasyPost sends it.
func row(i int, with map[string]any) []byte {
	t := map[string]any{
		"id": fmt.Sprintf("trk_%08d", i), "object": "Tracker", "tracking_code": fmt.Sprintf("LX%09dCN", i), "carrier": "USPS", "status": "in_transit",
		"status_detail": "status_update", "created_at": epoch.Add(time.Duration(i) * time.Second).Format(time.RFC3339), "updated_at": "2026-03-01T00:00:00Z",
		"weight": json.RawMessage("136.0"), "fees": []any{}, "carrier_detail": nil,
		"tracking_details": []any{map[string]any{"datetime": "2026-03-01T00:00:00Z", "status": "in_transit", "status_detail": "status_update",
			"message": "Arrived at facility", "description": nil, "tracking_location": map[string]any{"country": nil}}},
	}
	maps.Copy(t, with)
	raw, err := json.Marshal(t)
	if err != nil {
		panic(err)
	}
	return raw
}

// serveList answers as EasyPost does: newest first, paged by before_id.
func serveList(w http.ResponseWriter, r *http.Request, l conformance.List) {
	user, _, _ := r.BasicAuth()
	if user != apiKey || r.URL.Path != "/v2/trackers" || r.URL.Query().Get("start_datetime") == "" {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	rows := slices.Clone(l.Rows)
	slices.Reverse(rows)
	if before := r.URL.Query().Get("before_id"); before != "" {
		from := len(rows) // the last of that id: copies of one tracker stay together in no list that is real
		for i, raw := range rows {
			if strings.Contains(string(raw), before) {
				from = i + 1
			}
		}
		rows = rows[from:]
	}
	n := min(l.PerPage, len(rows))
	fmt.Fprintf(w, `{"has_more":%v,"trackers":[`, n < len(rows))
	for i, raw := range rows[:n] {
		if i > 0 {
			_, _ = io.WriteString(w, ",")
		}
		_, _ = w.Write(raw)
	}
	_, _ = io.WriteString(w, "]}")
}

func TestTrackerConforms(t *testing.T) {
	t.Parallel()
	conformance.Run(t, conformance.Suite{
		Build:   buildAt,
		Serve:   serveList,
		Row:     func(i int) (string, []byte) { return fmt.Sprintf("LX%09dCN:USPS", i), row(i, nil) },
		Changed: func(i int) []byte { return row(i, map[string]any{"status": "delivered"}) },
		Volatile: func(i int) []byte {
			return row(i, map[string]any{"updated_at": "2026-03-02T00:00:00Z", "fees": []any{1}})
		},
		BadRow:       []byte(`{"id":"trk_bad","tracking_code":null,"status":"in_transit"}`),
		Unresolvable: row(77, map[string]any{"tracking_details": "none"}),
		Replies: []conformance.Reply{
			{Name: "key switched off", Status: 403, Body: `{"error":{"code":"APIKEY.INACTIVE","message":"x"}}`, Want: connectors.Unauthorised},
			{Name: "limit", Status: 400, Body: `{"error":{"code":"RATE_LIMITED"}}`, Want: connectors.Throttled},
			{Name: "refusal with a good status", Body: `{"error":{"code":"UNPROCESSABLE_ENTITY"}}`, Want: connectors.Malformed},
			{Name: "parameter", Status: 422, Body: `{"error":{"code":"PARAMETER.REQUIRED"}}`, Want: connectors.Malformed},
			{Name: "no list", Body: `{"trackers":null,"has_more":false}`, Want: connectors.Malformed},
			{Name: "list of another shape", Body: `{"trackers":"none"}`, Want: connectors.Malformed},
			{Name: "more without a way on", Body: `{"trackers":[],"has_more":true}`, Want: connectors.Malformed},
		},
		Secrets: []string{apiKey},
	})
}

// service is an EasyPost with one handler, and the requests it saw.
type service struct {
	tracker connectors.Tracker
	clock   *conformance.Clock

	mu   sync.Mutex
	seen []string
}

func (s *service) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

func serve(t *testing.T, h http.HandlerFunc) *service {
	t.Helper()
	s := &service{clock: conformance.NewClock(epoch)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.seen = append(s.seen, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+r.URL.Query().Get("before_id")+string(body)))
		s.mu.Unlock()
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		h(w, r)
	}))
	rt := &http.Transport{}
	t.Cleanup(func() { rt.CloseIdleConnections(); server.Close() })
	s.tracker = buildAt(t, server.URL, connectors.Deps{Store: "EP1", Now: s.clock.Now, HTTP: rt, Limiter: conformance.Limiter{}}).Tracker
	return s
}

func TestWalkWhoseTrackerWasDeletedStartsOver(t *testing.T) {
	t.Parallel()
	deleted := false
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if deleted && r.URL.Query().Get("before_id") == "trk_00000003" {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error":{"code":"NOT_FOUND"}}`)
			return
		}
		serveList(w, r, conformance.List{Rows: [][]byte{row(1, nil), row(2, nil), row(3, nil), row(4, nil)}, PerPage: 2})
	})
	p, err := s.tracker.Fetch(t.Context(), connectors.Cursor{})
	if err != nil || !p.More || p.Rows[0].ID != "LX000000003CN:USPS" {
		t.Fatalf("want the newest page, oldest first, and more, got %+v (%v)", p, err)
	}
	deleted = true
	p, err = s.tracker.Fetch(t.Context(), p.Next)
	if err != nil || len(p.Rows) != 2 || !p.More {
		t.Errorf("want the first page again, got %+v (%v)", p, err)
	}
}

func TestWindowStaysTheSameThroughAWalk(t *testing.T) {
	t.Parallel()
	var starts []string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		starts = append(starts, r.URL.Query().Get("start_datetime"))
		serveList(w, r, conformance.List{Rows: [][]byte{row(1, nil), row(2, nil)}, PerPage: 1})
	})
	var at connectors.Cursor
	for range 3 {
		p, err := s.tracker.Fetch(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		at = p.Next
		s.clock.Advance(24 * time.Hour)
	}
	want := []string{"2025-12-02T09:00:00Z", "2025-12-02T09:00:00Z", "2025-12-04T09:00:00Z"}
	if diff := cmp.Diff(want, starts); diff != "" {
		t.Error(diff)
	}
}

func TestCursorsThatAreNotOursStartANewWalk(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"", "x", "0 2026-01-01T00:00:00Z trk_1", "1 yesterday trk_1", "1 2026-01-01T00:00:00Z trk_1&page_size=1", "1 2026-01-01T00:00:00Z "} {
		if got := parseStand(connectors.Cursor{Token: token}, epoch); got.before != "" || !got.start.Equal(epoch.Add(-horizon)) {
			t.Errorf("%q: want a new walk, got %+v", token, got)
		}
	}
	s := stand{start: epoch, before: "trk_1"}
	if got := parseStand(connectors.Cursor{Token: s.token()}, epoch.Add(time.Hour)); got != s {
		t.Errorf("want %+v, got %+v", s, got)
	}
}

func TestNewerOfTwoTrackersForOneParcelCounts(t *testing.T) {
	t.Parallel()
	old := row(1, map[string]any{"status": "delivered"})
	now := row(2, map[string]any{"tracking_code": "LX000000001CN", "status": "pre_transit"})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		serveList(w, r, conformance.List{Rows: [][]byte{old, now}, PerPage: 9})
	})
	p, err := s.tracker.Fetch(t.Context(), connectors.Cursor{})
	if err != nil || len(p.Rows) != 1 || !strings.Contains(string(p.Rows[0].Raw), "pre_transit") {
		t.Errorf("want the newer one only, got %d rows (%v)", len(p.Rows), err)
	}
	found, err := s.tracker.Track(t.Context(), []sla.ShipmentRef{{Number: "LX000000001CN", Order: "O1"}})
	if err != nil || len(found) != 1 || found[0].Milestone != sla.MilestonePreTransit {
		t.Errorf("want the newer one only, got %+v (%v)", found, err)
	}
}

func TestTrackAnswersUnderTheNamesAskedForAndInBatches(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var rows [][]byte
		for _, code := range r.URL.Query()["tracking_codes[]"] {
			if code != "UNKNOWN" {
				rows = append(rows, row(len(rows), map[string]any{"tracking_code": code}))
			}
		}
		serveList(w, r, conformance.List{Rows: rows, PerPage: 40})
	})
	refs := []sla.ShipmentRef{{Number: "A", Order: "O1"}, {Number: "UNKNOWN"}, {Number: "B", Carrier: "usps"}, {Number: "C", Carrier: "DHL"}}
	for i := range 57 {
		refs = append(refs, sla.ShipmentRef{Number: fmt.Sprint("N", i)})
	}
	got, err := s.tracker.Track(t.Context(), refs)
	if err != nil || len(got) != 59 || got[0].Ref != refs[0] || got[1].Ref != refs[2] || got[0].Store != "EP1" {
		t.Errorf("want 59 shipments under their own names, got %d (%v)", len(got), err)
	}
	if n := len(s.requests()); n != 3 { // 50 in two pages, 11 in one
		t.Errorf("want 3 requests, got %d", n)
	}
}

func TestRegisterGoesOnAfterARefusedNumber(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var in registration
		_ = json.NewDecoder(r.Body).Decode(&in)
		if in.Tracker.TrackingCode == "BAD" {
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = io.WriteString(w, `{"error":{"code":"UNPROCESSABLE_ENTITY","message":"BAD is no number"}}`)
			return
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(row(1, nil))
	})
	err := s.tracker.Register(t.Context(), []sla.ShipmentRef{{Number: "A", Carrier: "USPS"}, {Number: "BAD"}, {Number: "C"}})
	want := []string{`POST /v2/trackers {"tracker":{"tracking_code":"A","carrier":"USPS"}}`, `POST /v2/trackers {"tracker":{"tracking_code":"BAD"}}`,
		`POST /v2/trackers {"tracker":{"tracking_code":"C"}}`}
	if diff := cmp.Diff(want, s.requests()); diff != "" {
		t.Error(diff)
	}
	if connectors.KindOf(err) != connectors.Rejected || !strings.Contains(err.Error(), "parcel BAD") || strings.Contains(err.Error(), "is no number") {
		t.Errorf("want the refused number named, and EasyPost's words left out, got %v", err)
	}
}

func TestRegisterStopsWhenAllWouldFail(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	err := s.tracker.Register(t.Context(), []sla.ShipmentRef{{Number: "A"}, {Number: "B"}})
	if !errors.Is(err, connectors.OutcomeUnknown) || len(s.requests()) != 1 {
		t.Errorf("want one request of unknown outcome, got %d (%v)", len(s.requests()), err)
	}
}
