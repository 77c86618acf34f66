package aliexpress

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// order is the reply of the order call, with names that must stay there.
func order(parcels ...object) object {
	return object{"result": object{"data": object{
		"id": sampleParent, "logistic_info_list": object{"global_aeop_tp_logistic_info_dto": parcels},
		"buyer_info": object{"login_id": sampleBuyer, "first_name": "CANARY-FIRST", "country": "FR"}, "receipt_address": object{"contact_person": "CANARY-NAME"},
	}, "time_stamp": "2026-01-05 03:12:44"}}
}

func notArrived(with object) object {
	o := sample(object{"issue_reason": "Package has not arrived"})
	maps.Copy(o, with)
	return o
}

func TestDisputeAboutAParcelNamesTheOrdersParcels(t *testing.T) {
	t.Parallel()
	p := newShop(t)
	p.shows(notArrived(nil))
	p.always(orderMethod, order(
		object{"logistics_no": " lb 123456789sg ", "logistics_type_code": "CAINIAO_STANDARD"}, object{"logistics_no": "LB123456789SG", "logistics_type_code": "CAINIAO_STANDARD"},
		object{"logistics_no": nil}, object{"logistics_no": "a:b"}, object{"logistics_no": "单号"},
	))
	d := p.lookup(p.seller())
	want := []sla.ShipmentRef{{Number: "LB123456789SG", Carrier: "CAINIAO_STANDARD", Order: sampleParent}}
	if diff := cmp.Diff(want, d.Shipments); diff != "" || d.Country != "FR" {
		t.Errorf("want one parcel for France, got %s\n%s", d.Country, diff)
	}
	if got := p.calls(orderMethod)[0].Get("param1"); got != `{"order_id":`+sampleParent+`,"ext_info_bit_flag":4}` {
		t.Errorf("want the logistics of the parent order alone, got %s", got)
	}
}

func TestDisputeSurvivesAnOrderThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]any{
		"broken gateway": 500, "web page": "<html>", "no data": object{"result": object{"error_code": "ORDER_NOT_EXIST"}},
		"refused": object{"error_response": object{"code": "InsufficientPermission", "type": "ISV"}}, "list broken": object{"data": object{"logistic_info_list": 7}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newShop(t)
			p.shows(notArrived(nil))
			p.always(orderMethod, reply)
			if d := p.lookup(p.seller()); len(d.Shipments) != 0 || len(d.Obligations) != 1 {
				t.Errorf("want the dispute without parcels, got %+v", d)
			}
		})
	}
}

func TestOrderIsReadOnlyWhereAParcelMatters(t *testing.T) {
	t.Parallel()
	for _, o := range []object{sample(nil), notArrived(object{"issue_status": "finish"})} {
		p := newShop(t)
		p.shows(o)
		p.lookup(p.seller())
		if n := len(p.calls(orderMethod)); n != 0 {
			t.Errorf("want no order read, got %d", n)
		}
	}
}

func TestTrackingEventsBecomeMilestones(t *testing.T) {
	t.Parallel()
	p := newShop(t)
	p.always(trackingMethod, object{"result_success": true, "official_website": "https://x", "details": object{"details": []object{
		{"event_desc": "Delivered to recipient", "signed_date": "2026-01-20 10:00:00", "address": "CANARY-STREET"},
		{"event_desc": "Departed from origin country", "event_date": "2026-01-08 10:00:00", "address": "CN"},
		{"event_desc": "Something CANARY nobody knows", "signed_date": "not a time", "address": "UK"},
	}}})
	ref := sla.ShipmentRef{Number: "LB1", Carrier: "CAINIAO_STANDARD", Order: sampleParent}
	got, err := p.seller().TrackingQuery(t.Context(), ref, "GB")
	if err != nil {
		t.Fatal(err)
	}
	want := sla.Shipment{Ref: ref, Store: "AE01", Dest: "GB", Milestone: sla.MilestoneDelivered, Events: []sla.Event{
		{Country: "GB"},
		{At: time.Date(2026, 1, 8, 18, 0, 0, 0, time.UTC), Milestone: sla.MilestoneExported, Country: "CN"},
		{At: time.Date(2026, 1, 20, 18, 0, 0, 0, time.UTC), Milestone: sla.MilestoneDelivered},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	form := p.calls(trackingMethod)[0]
	for name, want := range map[string]string{"logistics_no": "LB1", "origin": "ESCROW", "out_ref": sampleParent, "service_name": "CAINIAO_STANDARD", "to_area": "UK"} {
		if form.Get(name) != want {
			t.Errorf("%s: want %s, got %s", name, want, form.Get(name))
		}
	}
	p.always(trackingMethod, object{"result_success": "false", "error_desc": "none"})
	_, err = p.seller().TrackingQuery(t.Context(), ref, "GB")
	p.wantKind(err, connectors.NotFound)
	p.always(trackingMethod, object{"details": "?"})
	_, err = p.seller().TrackingQuery(t.Context(), ref, "GB")
	p.wantKind(err, connectors.Malformed)
}
