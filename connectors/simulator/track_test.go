package simulator

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func data(out object, name string) []any {
	return arr(obj(out["data"])[name])
}

func rejectedCode(out object, n int) string {
	return jsonNumber(obj(obj(data(out, "rejected")[n])["error"])["code"])
}

func TestTrackingRefusesKeysRatesAndSizes(t *testing.T) {
	t.Parallel()
	b := newBench(t, month(20))
	if out, status := b.trackWith("wrong", "getquota", "{}"); status != http.StatusUnauthorized || jsonNumber(out["code"]) != "-18010002" {
		t.Errorf("wrong key: %d %v", status, out)
	}
	for n := range 4 {
		_, status := b.track("getquota", "{}")
		if want := map[bool]int{true: http.StatusOK, false: http.StatusTooManyRequests}[n < 3]; status != want {
			t.Errorf("call %d of one second: want %d, got %d", n+1, want, status)
		}
	}
	b.to(b.clock().Add(time.Second))
	many := "[" + strings.Repeat(`{"number":"AB123456"},`, 40) + `{"number":"AB123456"}]`
	if out, _ := b.track("gettrackinfo", many); jsonNumber(out["code"]) != "-18010014" {
		t.Errorf("41 numbers: %v", out)
	}
	if _, status := b.track("nosuch", "{}"); status != http.StatusNotFound {
		t.Errorf("unknown path: %d", status)
	}
}

// of finds a parcel, and brings the clock to an instant.
func (b *bench) parcel(fits func(*parcel) bool) *parcel {
	b.t.Helper()
	for _, p := range b.w.parcels {
		if fits(p) {
			return p
		}
	}
	b.t.Fatal("no such parcel in this month")
	return nil
}

func numbers(p *parcel) string { return fmt.Sprintf(`[{"number":%q}]`, p.number) }

func TestParcelsAreUnknownThenPendingThenKnown(t *testing.T) {
	t.Parallel()
	b := newBench(t, Options{Seed: 21, Disputes: 200, Shipments: 200})
	b.to(start.Add(20 * day))
	p := b.parcel(func(p *parcel) bool { return p.registered.IsZero() && p.shipped.Before(b.clock()) })
	out, _ := b.track("gettrackinfo", fmt.Sprintf(`[{"number":%q,"carrier":%d}]`, p.number, p.carrier.key))
	if rejectedCode(out, 0) != "-18019902" || obj(data(out, "rejected")[0])["carrier"] != strconv.Itoa(p.carrier.key) {
		t.Errorf("unknown: %v", out)
	}
	if out, _ = b.track("register", numbers(p)); len(data(out, "accepted")) != 1 {
		t.Fatalf("register: %v", out)
	}
	if out, _ = b.track("gettrackinfo", numbers(p)); rejectedCode(out, 0) != "-18019909" {
		t.Errorf("just registered: %v", out)
	}
	b.to(b.clock().Add(firstResultAfter))
	if out, _ = b.track("register", numbers(p)); rejectedCode(out, 0) != "-18019901" {
		t.Errorf("again: %v", out)
	}
	if out, _ = b.track("gettrackinfo", numbers(p)); len(data(out, "accepted")) != 1 {
		t.Errorf("after a while: %v", out)
	}
	b.to(b.clock().Add(time.Minute))
	if out, _ = b.track("register", `[{"number":"A-1"},{"number":"ZZ99999999"}]`); rejectedCode(out, 0) != "-18010012" || rejectedCode(out, 1) != "-18019903" {
		t.Errorf("bad numbers: %v", out)
	}
}

func TestRecordsCarryTheDocumentedTraps(t *testing.T) {
	t.Parallel()
	b := newBench(t, Options{Seed: 22, Disputes: 0, Shipments: 400})
	b.to(start.Add(25 * day))
	traps := map[string]int{}
	for k, p := range b.w.parcels {
		if p.registered.IsZero() || k%2 == 1 {
			continue
		}
		b.to(b.clock().Add(time.Second))
		out, _ := b.track("gettrackinfo", numbers(p))
		info := obj(obj(data(out, "accepted")[0])["track_info"])
		providers := arr(obj(info["tracking"])["providers"])
		if len(providers) == 2 {
			traps["two providers"]++
		}
		if _, ok := info["time_metrics"].(object)["days_after_order "]; ok {
			traps["trailing blank"]++
		}
		for _, e := range arr(obj(providers[0])["events"]) {
			e := obj(e)
			if e["time_iso"] == nil {
				traps["null time"]++
			}
			if e["stage"] == nil {
				traps["null stage"]++
			}
			if e["sub_status"] == "InTransit_TransportArrived" {
				traps["unknown sub-status"]++
			}
		}
	}
	for _, want := range []string{"two providers", "trailing blank", "null time", "null stage", "unknown sub-status"} {
		if traps[want] == 0 {
			t.Errorf("no parcel has it: %s", want)
		}
	}
}

func TestSilentNumbersStopAndCanBeTrackedAgainOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, Options{Seed: 23, Disputes: 100, Shipments: 600})
	b.to(start.Add(29 * day))
	p := b.parcel(func(p *parcel) bool {
		_, why := p.stopped(b.clock())
		return why == "Expired" && p.plan.String() == "expired"
	})
	out, _ := b.track("gettracklist", `{"tracking_status":"Stopped","package_status":"Expired"}`)
	page := obj(out["page"])
	if rows := data(out, "accepted"); len(rows) == 0 || obj(rows[0])["stop_track_reason"] != "Expired" || jsonNumber(page["page_size"]) != "40" {
		t.Errorf("stopped numbers: %v", out)
	}
	if out, _ = b.track("retrack", numbers(p)); len(data(out, "accepted")) != 1 {
		t.Fatalf("retrack: %v", out)
	}
	if out, _ = b.track("retrack", numbers(p)); rejectedCode(out, 0) != "-18019905" {
		t.Errorf("retrack again: %v", out)
	}
	b.to(b.clock().Add(time.Second))
	if out, _ = b.track("stoptrack", numbers(p)); len(data(out, "accepted")) != 1 {
		t.Errorf("stop: %v", out)
	}
	if out, _ = b.track("stoptrack", numbers(p)); rejectedCode(out, 0) != "-18019906" {
		t.Errorf("stop again: %v", out)
	}
}

func TestTheListPagesThroughEveryRegisteredNumberOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, Options{Seed: 24, Disputes: 50, Shipments: 130})
	b.to(start.Add(28 * day))
	seen := map[string]int{}
	for page, more := 1, true; more; page++ {
		b.to(b.clock().Add(time.Second))
		out, _ := b.track("gettracklist", fmt.Sprintf(`{"page_no":%d}`, page))
		rows := data(out, "accepted")
		for _, r := range rows {
			seen[str(obj(r)["number"])]++
		}
		more = len(rows) > 0
	}
	for _, p := range b.w.parcels {
		if want := map[bool]int{true: 0, false: 1}[p.registered.IsZero()]; seen[p.number] != want {
			t.Errorf("%s: want %d, listed %d times", p.number, want, seen[p.number])
		}
	}
}

func TestOrdersNameTheirParcelsAndThePlatformTracksThem(t *testing.T) {
	t.Parallel()
	b := newBench(t, month(25))
	i := b.quiet(func(i *issue) bool { return i.order.parcel != nil })
	out := b.call("aliexpress.solution.order.info.get", map[string]string{"param1": `{"order_id":` + itoa(i.order.parent) + `,"ext_info_bit_flag":15}`})
	order := obj(obj(out["result"])["data"])
	parcels := arr(order["logistic_info_list"])
	if len(parcels) != 1 || obj(parcels[0])["logistics_no"] != i.order.parcel.number {
		t.Fatalf("order: %v", order)
	}
	out = b.call("aliexpress.logistics.redefining.querytrackingresult", map[string]string{
		"logistics_no": i.order.parcel.number, "origin": "ESCROW", "out_ref": itoa(i.order.parent), "service_name": "CAINIAO_STANDARD", "to_area": "FR",
	})
	if out["result_success"] != true || len(arr(out["details"])) == 0 {
		t.Errorf("tracking: %v", out)
	}
	for n, want := range []bool{true, false} {
		out = b.call("aliexpress.trade.redefining.extendsbuyeracceptgoodstime", map[string]string{"param0": itoa(i.order.child), "param1": itoa(int64(10 + 80*n))})
		if out["is_success"] != want {
			t.Errorf("extension %d: %v", n+1, out)
		}
	}
}

func TestMovingParcelsMatchTheirDisputes(t *testing.T) {
	t.Parallel()
	w := New(Options{Seed: 26, Start: start, Disputes: 200, Shipments: 200})
	for _, i := range w.issues {
		p := i.order.parcel
		last := p.scans[len(p.scans)-1]
		if i.why.goodsArrived() && (last.stage != "Delivered" || last.at.After(i.openAt)) {
			t.Errorf("%d complains about goods that came at %s, opened %s", i.id, last.at, i.openAt)
		}
		if p.shipped.After(i.openAt) || p.shipped.Before(i.order.created) {
			t.Errorf("%d: ordered %s, shipped %s, opened %s", i.id, i.order.created, p.shipped, i.openAt)
		}
	}
}

func (c complaint) goodsArrived() bool { return c.id != 2001 }
