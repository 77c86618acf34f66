package track17

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"watchkeeper/connectors"
)

// listing serves two parts of so many rows each, and notes what was asked.
func (a *account) listing(tracking, stoppedRows int) {
	a.handlers["gettracklist"] = func(body []byte) (int, any) {
		var q listQuery
		if err := json.Unmarshal(body, &q); err != nil {
			return http.StatusBadRequest, nil
		}
		n, name := tracking, "FOLLOWED"
		if q.TrackingStatus == "Stopped" {
			n, name = stoppedRows, "STOPPED"
		}
		rows := []any{}
		for i := (q.Page - 1) * 40; i < min(n, q.Page*40); i++ {
			rows = append(rows, listRow(fmt.Sprintf("%s%03d", name, i), "InTransit"))
		}
		return http.StatusOK, object{"code": 0, "data": object{"accepted": rows},
			"page": object{"data_total": n, "page_total": (n + 39) / 40, "page_no": q.Page, "page_size": 40}}
	}
}

// walk reads until the feed has no more.
func walk(t *testing.T, tr *Tracker, from connectors.Cursor) (ids []string, end connectors.Cursor) {
	t.Helper()
	for range 100 {
		page, err := tr.Fetch(t.Context(), from)
		if err != nil || page.Kind != connectors.Changes {
			t.Fatalf("fetch %q: %v, kind %v", from.Token, err, page.Kind)
		}
		for _, r := range page.Rows {
			ids = append(ids, r.ID)
		}
		if from = page.Next; !page.More {
			return ids, from
		}
	}
	t.Fatal("the walk does not end")
	return nil, from
}

func TestStoppedParcelsAreReadOnceADay(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.listing(81, 41)
	now := testNow
	tr := a.build(nil, func(d *connectors.Deps) { d.Now = func() time.Time { return now } })
	ids, cursor := walk(t, tr, connectors.Cursor{})
	if len(ids) != 122 || ids[81] != "STOPPED000" || len(a.seen("gettracklist")) != 5 {
		t.Fatalf("want 81 followed and 41 stopped rows from 5 pages, got %d from %d", len(ids), len(a.seen("gettracklist")))
	}
	now = now.Add(23 * time.Hour)
	ids, cursor = walk(t, tr, cursor)
	if len(ids) != 81 {
		t.Errorf("want only the followed ones within a day, got %d rows", len(ids))
	}
	now = now.Add(time.Hour)
	if ids, _ = walk(t, tr, cursor); len(ids) != 122 {
		t.Errorf("want the stopped ones again after a day, got %d rows", len(ids))
	}
}

func TestAnEmptyAccountIsTwoCalls(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.listing(0, 0)
	if ids, _ := walk(t, a.build(nil, nil), connectors.Cursor{}); len(ids) != 0 || len(a.seen("gettracklist")) != 2 {
		t.Errorf("want no rows from two calls, got %v from %v", ids, a.seen("gettracklist"))
	}
}

func TestAListWithoutAPageCountEndsAfterAShortPage(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.listing(80, 0)
	with := a.handlers["gettracklist"]
	a.handlers["gettracklist"] = func(body []byte) (int, any) {
		status, value := with(body)
		if body, ok := value.(object); ok {
			delete(body, "page")
		}
		return status, value
	}
	if ids, _ := walk(t, a.build(nil, nil), connectors.Cursor{}); len(ids) != 80 || len(a.seen("gettracklist")) != 4 {
		t.Errorf("want 80 rows from 3 pages and the stopped ones from 1, got %d from %d calls", len(ids), len(a.seen("gettracklist")))
	}
}

func TestAnUnreadableCursorStartsFromTheBeginning(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"", "x", "tracking", "tracking/0/0", "tracking/-1/0", "deleted/2/0", "tracking/2/x", "tracking/2", strings.Repeat("9", 400)} {
		if got := parsePosition(token); got.part != followed || got.page != 1 || got.stoppedRead != 0 {
			t.Errorf("%q: got %+v", token, got)
		}
	}
	want := position{part: stopped, page: 7, stoppedRead: 1_772_442_000}
	if got := parsePosition(want.cursor().Token); got != want {
		t.Errorf("want %+v back, got %+v", want, got)
	}
}

func TestFingerprintChangesWithTheNewsOnly(t *testing.T) {
	t.Parallel()
	row := func(change object) uint64 {
		r := listRow("LX123456789CN", "InTransit")
		r["track_time"], r["latest_event_time"], r["sync_status"] = "2026-03-01T00:00:00Z", "2026-02-27T00:00:00Z", true
		maps.Copy(r, change)
		raw, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return fingerprint(raw)
	}
	base := row(nil)
	for name, same := range map[string]object{
		"push": {"push_status": "Failure"}, "push time": {"push_time": "2026-03-01T01:00:00Z"}, "push code": {"push_status_code": 500},
		"reading": {"sync_status": false}, "asked again": {"track_time": "2026-03-01T06:00:00Z"},
	} {
		if row(same) != base {
			t.Errorf("%s: want the same fingerprint", name)
		}
	}
	for name, news := range map[string]object{
		"status": {"package_status": "Exception"}, "stopped": {"tracking_status": "Stopped"}, "event": {"latest_event_info": "x"},
		"event time": {"latest_event_time": "2026-03-01T00:00:00Z"}, "carrier": {"carrier": 21051}, "order": {"order_no": nil},
	} {
		if row(news) == base {
			t.Errorf("%s: want another fingerprint", name)
		}
	}
	if row(object{"latest_event_time": "", "track_time": "a"}) == row(object{"latest_event_time": "", "track_time": "b"}) {
		t.Error("want track_time to count where the row tells no event")
	}
	if fingerprint([]byte("[]")) == 0 || fingerprint([]byte(`{"a":`)) == 0 {
		t.Error("want a fingerprint of anything")
	}
}
