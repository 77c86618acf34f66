package track17

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

func refs(n int) []sla.ShipmentRef {
	out := make([]sla.ShipmentRef, n)
	for i := range out {
		out[i] = sla.ShipmentRef{Number: fmt.Sprintf("LX%09dCN", i), Order: strconv.Itoa(i)}
	}
	return out
}

func TestFortyOneNumbersAreTwoCalls(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.each("gettrackinfo", moving)
	got, err := a.build(nil, nil).Track(t.Context(), refs(41))
	if err != nil || len(got) != 41 || len(a.seen("gettrackinfo")) != 2 || len(a.seen("gettracklist")) != 0 {
		t.Fatalf("want 41 shipments from 2 calls, got %d from %d (%v)", len(got), len(a.seen("gettrackinfo")), err)
	}
	for i, s := range got {
		if s.Ref != refs(41)[i] || s.Store != "T1" || s.Milestone != sla.MilestoneInTransit {
			t.Errorf("%d: got %+v", i, s)
		}
	}
}

func TestTrackLeavesOutUnknownNumbersAndKeepsPendingOnes(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.each("gettrackinfo", func(it ask) (object, int) {
		switch it.Number {
		case "PENDING01":
			return nil, codePending
		case "UNKNOWN01":
			return nil, codeNotRegistered
		case "INVALID01":
			return nil, -18010012
		case "MISSING01":
			return nil, 0
		case "BROKEN001":
			return object{"number": it.Number, "track_info": []any{}}, 0
		}
		return moving(it)
	})
	a.handlers["gettracklist"] = func([]byte) (int, any) {
		row := listRow("PENDING01", "NotFound")
		row["tracking_status"] = "Stopped"
		return http.StatusOK, object{"code": 0, "data": object{"accepted": []any{row, object{"number": 5, "carrier": []any{}}}}}
	}
	var asked []sla.ShipmentRef
	for _, n := range []string{"pending01 ", "UNKNOWN01", "INVALID01", "", "MISSING01", "BROKEN001", "LX1234567"} {
		asked = append(asked, sla.ShipmentRef{Number: n})
	}
	got, err := a.build(nil, nil).Track(t.Context(), asked)
	if err != nil || len(got) != 2 {
		t.Fatalf("want the pending and the good number, got %+v (%v)", got, err)
	}
	p := got[0]
	if p.Ref.Number != "pending01 " || p.Milestone != sla.MilestoneUnknown || p.Status != pendingStatus || !p.Stopped || p.Ref.Order != "ORDER-PENDING01" ||
		!p.Registered.Equal(time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)) || p.Dest != "US" {
		t.Errorf("want what the list tells of the pending number, got %+v", p)
	}
	if lists := a.seen("gettracklist"); len(lists) != 1 || lists[0] != `{"number":"PENDING01"}` {
		t.Errorf("want one look at the list for the silent number, got %v", lists)
	}
}

func TestTrackTakesTheCarrierAskedForOrTheNewestNews(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.handlers["gettrackinfo"] = func([]byte) (int, any) {
		return http.StatusOK, object{"code": 0, "data": object{"accepted": []any{
			detail("LX1", 3011, "InTransit", "InTransit_Departure", "2026-03-01T10:00:00Z", "x"),
			detail("LX1", 21051, "OutForDelivery", "OutForDelivery_Other", "2026-03-02T10:00:00Z", "x"),
		}}}
	}
	tracker := a.build(nil, nil)
	for carrier, want := range map[string]sla.Milestone{"": sla.MilestoneOutForDelivery, "3011": sla.MilestoneExported, "21051": sla.MilestoneOutForDelivery} {
		got, err := tracker.Track(t.Context(), []sla.ShipmentRef{{Number: "LX1", Carrier: carrier}})
		if err != nil || len(got) != 1 || got[0].Milestone != want || got[0].Ref.Carrier != carrier {
			t.Errorf("carrier %q: want %v, got %+v (%v)", carrier, want, got, err)
		}
	}
}

func TestResolveRejectsWhatTheProviderRefusesAndKeepsTheRest(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.each("gettrackinfo", func(it ask) (object, int) {
		switch it.Number {
		case "PENDING01":
			return nil, codePending
		case "GONE00001":
			return nil, codeNotRegistered
		case "INVALID01":
			return nil, -18010013
		case "MISSING01":
			return nil, 0
		case "BROKEN001":
			return object{"number": it.Number, "track_info": "none"}, 0
		}
		return moving(it)
	})
	var rows []connectors.Row
	for _, n := range []string{"PENDING01", "GONE00001", "INVALID01", "MISSING01", "BROKEN001", "LX1234567"} {
		raw, err := json.Marshal(listRow(n, "NotFound"))
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, connectors.Row{ID: n, Raw: raw, Fingerprint: 1})
	}
	got, rejects, err := a.build(nil, nil).ResolveShipments(t.Context(), rows)
	if err != nil || len(got) != 2 || got[0].Ref.Number != "PENDING01" || got[0].Registered.IsZero() || got[1].Ref.Order != "ORDER-LX1234567" || got[1].Origin != "CN" {
		t.Errorf("want the pending and the good one with what the list tells, got %+v (%v)", got, err)
	}
	ids := map[string]bool{}
	for _, r := range rejects {
		ids[r.ID] = true
		if connectors.KindOf(r.Err) != connectors.Malformed || len(r.Raw) == 0 {
			t.Errorf("%s: want a malformed reject with bytes, got %v", r.ID, r.Err)
		}
	}
	if len(rejects) != 3 || !ids["INVALID01"] || !ids["MISSING01"] || !ids["BROKEN001"] {
		t.Errorf("want the refused, the missing and the broken one, got %v", ids)
	}
}

func TestResolveGivesWhatItReadBeforeAnError(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	n := 0
	a.each("gettrackinfo", moving)
	first := a.handlers["gettrackinfo"]
	a.handlers["gettrackinfo"] = func(body []byte) (int, any) {
		if n++; n > 1 {
			return http.StatusTooManyRequests, "slow down"
		}
		return first(body)
	}
	var rows []connectors.Row
	for i := range 60 {
		id, raw := conformanceRow(i)
		rows = append(rows, connectors.Row{ID: id, Raw: raw})
	}
	got, _, err := a.build(nil, nil).ResolveShipments(t.Context(), rows)
	if len(got) != 40 || !errors.Is(err, connectors.Throttled) {
		t.Errorf("want the first 40 and a throttled error, got %d and %v", len(got), err)
	}
}

func TestRegisterTakesAlreadyRegisteredForSuccess(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.each("register", func(it ask) (object, int) {
		if it.Number == "LX000000003CN" {
			return nil, codeRegistered
		}
		return object{"origin": 2, "number": it.Number, "carrier": 3011}, 0
	})
	if err := a.build(nil, nil).Register(t.Context(), refs(81)); err != nil {
		t.Fatalf("want success, got %v", err)
	}
	calls := a.seen("register")
	if len(calls) != 3 || !strings.Contains(calls[0], `{"number":"LX000000001CN","order_no":"1"}`) {
		t.Errorf("want three calls with the orders, got %d: %.100s", len(calls), calls[0])
	}
}

func TestRegisterGoesOnAfterRefusedNumbersAndReportsThem(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.each("register", func(it ask) (object, int) {
		switch it.Number {
		case "LX000000001CN":
			return nil, codeQuota
		case "LX000000002CN", "LX000000041CN":
			return nil, -18010012
		}
		return object{"number": it.Number}, 0
	})
	err := a.build(nil, nil).Register(t.Context(), refs(42))
	if !errors.Is(err, connectors.Forbidden) || !errors.Is(err, connectors.Rejected) || len(a.seen("register")) != 2 {
		t.Fatalf("want both refusals after two calls, got %v", err)
	}
	if text := err.Error(); !strings.Contains(text, "2 of 42 numbers") || strings.Contains(text, "LX") {
		t.Errorf("want counts and no numbers, got %v", text)
	}
}

func TestEveryCodeOfTheDocumentationHasAKind(t *testing.T) {
	t.Parallel()
	for want, codes := range map[connectors.Kind][]int64{
		connectors.KindNone:     {0, -18019901},
		connectors.Unauthorised: {-18010002},
		connectors.Forbidden:    {-18010001, -18010004, -18010005, -18010201, -18010206, -18019908},
		connectors.Unavailable:  {-18010003},
		connectors.NotFound:     {-18019902},
		connectors.Throttled:    {-18019907},
		connectors.Rejected:     {-18019801, -18019811, -18019903, -18019906, -18019909, -18019910, -18019911},
		connectors.Malformed:    {-18010010, -18010011, -18010012, -18010013, -18010014, -18010015, -18010022, -1, 7},
	} {
		for _, code := range codes {
			if got, why := meaningOfCode(code); got != want || (why == "") != (want == connectors.KindNone) {
				t.Errorf("%d: want %v, got %v (%s)", code, want, got, why)
			}
		}
	}
}

// denier is a limiter that has nothing left.
type denier struct {
	wait time.Duration
	err  error
	keys chan string
}

func (d denier) Take(_ context.Context, key string, rate int, per time.Duration) (time.Duration, error) {
	d.keys <- fmt.Sprintf("%s %d/%v", key, rate, per)
	return d.wait, d.err
}

func TestADeniedCallIsThrottledAndNotMade(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	d := denier{wait: 300 * time.Millisecond, keys: make(chan string, 1)}
	_, err := a.build(nil, func(deps *connectors.Deps) { deps.Limiter = d }).Track(t.Context(), refs(1))
	if connectors.KindOf(err) != connectors.Throttled || connectors.RetryAfter(err) != d.wait || len(a.seen("gettrackinfo")) != 0 {
		t.Errorf("want throttled for %v without a call, got %v", d.wait, err)
	}
	key := <-d.keys
	if strings.Contains(key, testKey) || !strings.HasPrefix(key, "track17/") || !strings.HasSuffix(key, " 3/1s") {
		t.Errorf("want three calls a second under a key that hides the secret, got %q", key)
	}
}

func TestStoresWithOneKeyShareItsLimit(t *testing.T) {
	t.Parallel()
	one, again, other := limitKey("a"), limitKey(string([]byte{'a'})), limitKey("b")
	if one != again || one == other {
		t.Errorf("want one limit for each account, got %s, %s and %s", one, again, other)
	}
}

func TestNewNamesTheVariableOfEachMistake(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]map[string]string{
		"API_KEY":  {},
		"VERSION":  {"API_KEY": testKey, "VERSION": "v9"},
		"BASE_URL": {"API_KEY": testKey, "BASE_URL": "ftp://" + testKey},
	} {
		deps := connectors.Deps{Store: "T1", Now: func() time.Time { return testNow }, Limiter: denier{}}
		_, err := Platform.New(t.Context(), envconfig.MapLookuper(env), deps)
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), testKey) {
			t.Errorf("want an error that names %s and no secret, got %v", name, err)
		}
	}
	empty := map[string]string{"API_KEY": testKey, "VERSION": "", "BASE_URL": ""}
	_, err := Platform.New(t.Context(), envconfig.MapLookuper(empty), connectors.Deps{Store: "T1"})
	if err == nil || !strings.Contains(err.Error(), "VERSION") || !strings.Contains(err.Error(), "BASE_URL") {
		t.Errorf("want both empty variables named, got %v", err)
	}
}

func TestVersionChoosesThePath(t *testing.T) {
	t.Parallel()
	for _, version := range versions {
		if got := newAccount(t).build(map[string]string{"VERSION": version}, nil).path; got != "/track/"+version+"/" {
			t.Errorf("%s: got path %s", version, got)
		}
	}
}
