package track17

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// documented are the statuses of the documentation, written down a second time on purpose: the table under test must have them all.
var documented = map[string]struct {
	milestone sla.Milestone
	failure   sla.Failure
}{
	"NotFound/NotFound_Other":                         {sla.MilestoneUnknown, sla.FailureNone},
	"NotFound/NotFound_InvalidCode":                   {sla.MilestoneUnknown, sla.FailureNone},
	"InfoReceived/InfoReceived":                       {sla.MilestonePreTransit, sla.FailureNone},
	"InTransit/InTransit_PickedUp":                    {sla.MilestoneAccepted, sla.FailureNone},
	"InTransit/InTransit_Other":                       {sla.MilestoneInTransit, sla.FailureNone},
	"InTransit/InTransit_Departure":                   {sla.MilestoneExported, sla.FailureNone},
	"InTransit/InTransit_Arrival":                     {sla.MilestoneArrived, sla.FailureNone},
	"InTransit/InTransit_CustomsProcessing":           {sla.MilestoneCustoms, sla.FailureNone},
	"InTransit/InTransit_CustomsReleased":             {sla.MilestoneCustomsReleased, sla.FailureNone},
	"InTransit/InTransit_CustomsRequiringInformation": {sla.MilestoneCustomsHeld, sla.FailureNone},
	"Expired/Expired_Other":                           {sla.MilestoneExpired, sla.FailureNone},
	"AvailableForPickup/AvailableForPickup_Other":     {sla.MilestonePickup, sla.FailureNone},
	"OutForDelivery/OutForDelivery_Other":             {sla.MilestoneOutForDelivery, sla.FailureNone},
	"DeliveryFailure/DeliveryFailure_Other":           {sla.MilestoneDeliveryFailed, sla.FailureOther},
	"DeliveryFailure/DeliveryFailure_NoBody":          {sla.MilestoneDeliveryFailed, sla.FailureNobody},
	"DeliveryFailure/DeliveryFailure_Security":        {sla.MilestoneDeliveryFailed, sla.FailureSecurity},
	"DeliveryFailure/DeliveryFailure_Rejected":        {sla.MilestoneDeliveryFailed, sla.FailureRejected},
	"DeliveryFailure/DeliveryFailure_InvalidAddress":  {sla.MilestoneDeliveryFailed, sla.FailureAddress},
	"Delivered/Delivered_Other":                       {sla.MilestoneDelivered, sla.FailureNone},
	"Exception/Exception_Other":                       {sla.MilestoneDelayed, sla.FailureNone},
	"Exception/Exception_Returning":                   {sla.MilestoneReturning, sla.FailureNone},
	"Exception/Exception_Returned":                    {sla.MilestoneReturned, sla.FailureNone},
	"Exception/Exception_NoBody":                      {sla.MilestoneDeliveryFailed, sla.FailureNobody},
	"Exception/Exception_Security":                    {sla.MilestoneCustomsHeld, sla.FailureSecurity},
	"Exception/Exception_Damage":                      {sla.MilestoneDamaged, sla.FailureNone},
	"Exception/Exception_Rejected":                    {sla.MilestoneDeliveryFailed, sla.FailureRejected},
	"Exception/Exception_Delayed":                     {sla.MilestoneDelayed, sla.FailureNone},
	"Exception/Exception_Lost":                        {sla.MilestoneLost, sla.FailureNone},
	"Exception/Exception_Destroyed":                   {sla.MilestoneDestroyed, sla.FailureNone},
	"Exception/Exception_Cancel":                      {sla.MilestoneCancelled, sla.FailureNone},

	"InTransit/InTransit_TransportArrived": {sla.MilestoneInTransit, sla.FailureNone}, // seen, in no list
	"Exception/Exception_Stolen":           {sla.MilestoneDelayed, sla.FailureNone},
	"InTransit":                            {sla.MilestoneInTransit, sla.FailureNone},
	"Beamed/Beamed_Up":                     {sla.MilestoneUnknown, sla.FailureNone},
	"":                                     {sla.MilestoneUnknown, sla.FailureNone},
}

func TestEveryDocumentedStatusIsReadAndItsWordsAreKept(t *testing.T) {
	t.Parallel()
	mains := map[string]bool{}
	for words, want := range documented {
		main, sub, _ := strings.Cut(words, "/")
		mains[main] = true
		it := item(t, detail("LX1", 1, main, sub, "2026-03-01T10:00:00Z", "no words of any rule"))
		got := it.shipment()
		if got.Milestone != want.milestone || got.Failure != want.failure || got.Status != words {
			t.Errorf("%q: want %v with failure %v, got %v with %v as %q", words, want.milestone, want.failure, got.Milestone, got.Failure, got.Status)
		}
	}
	for main := range mainStatuses {
		if !mains[main] {
			t.Errorf("%s is not documented", main)
		}
	}
	if len(mainStatuses) != 9 || len(subStatuses) != 30 || len(keyStages) != 9 {
		t.Errorf("want 9 statuses, 30 sub-statuses and 9 stages, got %d, %d and %d", len(mainStatuses), len(subStatuses), len(keyStages))
	}
}

func item(t *testing.T, v any) *wireItem {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	it, err := readItem(raw)
	if err != nil {
		t.Fatal(err)
	}
	return it
}

func TestTextCorrectsAStatusOnlyWhereItMay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sub, text string
		want      sla.Milestone
	}{
		{"InTransit_Other", "Delivered", sla.MilestoneInTransit}, // never delivered by words alone
		{"InTransit_Other", "Held by customs", sla.MilestoneCustomsHeld},
		{"InTransit_CustomsProcessing", "Customs clearance delay", sla.MilestoneCustomsHeld},
		{"InTransit_CustomsProcessing", "Customs clearance completed", sla.MilestoneCustomsReleased},
		{"InTransit_Departure", "Held by customs", sla.MilestoneExported},
		{"Exception_Delayed", "Customs clearance delay", sla.MilestoneCustomsHeld},
		{"Exception_Other", "Ready for pickup", sla.MilestonePickup},
		{"Exception_Other", "Delivered", sla.MilestoneDelayed},
		{"Exception_Lost", "In transit", sla.MilestoneLost},
		{"Delivered_Other", "Returned to sender", sla.MilestoneReturned},
		{"Delivered_Other", "We could not deliver your parcel", sla.MilestoneDeliveryFailed},
		{"Delivered_Other", "Out for delivery", sla.MilestoneDelivered},
	} {
		main, _, _ := strings.Cut(c.sub, "_")
		got := item(t, detail("LX1", 1, main, c.sub, "2026-03-01T10:00:00Z", c.text)).shipment()
		if got.Milestone != c.want || got.Milestone == sla.MilestoneDeliveryFailed && got.Failure == sla.FailureNone {
			t.Errorf("%s with %q: want %v, got %v", c.sub, c.text, c.want, got.Milestone)
		}
	}
}

func TestEventsWithoutAZoneHaveNoTime(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"2026-03-01T10:00:00+08:00": "2026-03-01T02:00:00Z", "2026-03-01T10:00:00Z": "2026-03-01T10:00:00Z", "2026-03-01T10:00:00": "",
		"2026-03-01": "", "": "", "yesterday": "", "9999-12-31T00:00:00Z": "", "0001-01-01T00:00:00Z": "", "2026-13-41T00:00:00Z": "",
	} {
		got := zoned(text(given))
		if s := got.Format(time.RFC3339); got.IsZero() != (want == "") || want != "" && s != want {
			t.Errorf("%q: want %q, got %v", given, want, got)
		}
	}
}

// hostile are bodies that no platform should send, and that some day one does.
var hostile = []string{
	"", " ", "null", "true", "5", `"x"`, "[]", "{}", "<html>busy</html>", `{"code":0`, `{"code":0,"data":null}`, `{"code":0,"data":[]}`,
	`{"code":{},"data":{}}`, `{"code":99999999999999999999,"data":{}}`, `{"code":0,"data":{"errors":{}}}`, `{"code":0,"data":{"accepted":5}}`,
	`{"code":0,"data":{"accepted":{"number":"A"}}}`, `{"event":5}`, `{"event":"TRACKING_UPDATED"}`, `{"event":"X","data":{"number":"A1"}}`,
	`{"event":"TRACKING_UPDATED","data":[]}`, "\xff\xfe{}", strings.Repeat("[", 20_000), `{"code":0,"data":{}}{}`,
}

func TestHostileRepliesAreMalformed(t *testing.T) {
	t.Parallel()
	for _, body := range hostile {
		_, shipments, _, err := normaliseReply([]byte(body))
		if connectors.KindOf(err) != connectors.Malformed || len(shipments) != 0 {
			t.Errorf("%.60q: want malformed, got %v and %d shipments", body, err, len(shipments))
		}
	}
}

func TestHostileItemsAreRejectedAlone(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"5", "null", "[]", `""`, "{}", `{"number":""}`, `{"number":[]}`, `{"number":"A1","track_info":7}`, `{"number":"A1","carrier":{}}`,
		`{"number":"A1","track_info":{"tracking":{"providers":{}}}}`, `{"number":"A1","error":{"code":"-18010012"}}`, `{"number":"A1","package_status":[]}`,
	} {
		body := `{"code":0,"data":{"accepted":[` + bad + `,{"number":"LX123456789CN","track_info":{}}]}}`
		_, shipments, rejects, err := normaliseReply([]byte(body))
		if err != nil || len(shipments) != 1 || len(rejects) != 1 || connectors.KindOf(rejects[0].Err) != connectors.Malformed {
			t.Errorf("%s: want one shipment and one reject, got %d and %v (%v)", bad, len(shipments), rejects, err)
		}
	}
}

func TestBadScansDoNotHideTheOthers(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"5", "null", `{"time_utc":5e400,"address":{"country":"XXX"}}`, `{"description":[]}`, `{"address":"US"}`, "{\"description\":\"\xff\xfe\"}"} {
		body := `{"code":0,"data":{"accepted":[{"number":"LX1","track_info":{"latest_event":` + bad + `,"tracking":{"providers":[{"events":[` + bad +
			`,{"time_utc":"2026-03-01T10:00:00Z","sub_status":"InTransit_Departure"}]}]}}}]}}`
		_, shipments, _, err := normaliseReply([]byte(body))
		if err != nil || len(shipments) != 1 || !shipments[0].LeftOrigin() {
			t.Errorf("%s: want the good scan, got %+v (%v)", bad, shipments, err)
		}
	}
}

func TestMemberNamesWithBlanksAtTheEndAreRead(t *testing.T) {
	t.Parallel()
	body := `{"code ":0,"data ":{"accepted":[{"number ":"LX1 ","note":"a \" \":","track_info ":{"latest_status ":{"status ":"InTransit","sub_status ":"InTransit_Departure"}}}]}}`
	it, err := readItem([]byte(body)[len(`{"code ":0,"data ":{"accepted":[`) : len(body)-len(`]}}`)])
	if err != nil || it.Number != "LX1" || it.shipment().Milestone != sla.MilestoneExported {
		t.Errorf("want the item read, got %+v (%v)", it, err)
	}
}

func FuzzNormalise(f *testing.F) {
	inputs, err := filepath.Glob("testdata/testcases/*/input.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, input := range inputs {
		body, err := os.ReadFile(input)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	for _, body := range hostile {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		_, shipments, rejects, err := normaliseReply(body)
		if err != nil && (len(shipments) > 0 || len(rejects) > 0) {
			t.Errorf("both an error and a result: %v", err)
		}
		for _, s := range shipments {
			if s.Ref.Number == "" || len(s.Status) > 80 {
				t.Errorf("no number or a long status: %+v", s)
			}
			for i := 1; i < len(s.Events); i++ {
				if s.Events[i].At.Before(s.Events[i-1].At) {
					t.Errorf("events out of order: %+v", s.Events)
				}
			}
		}
		for _, r := range rejects {
			if connectors.KindOf(r.Err) != connectors.Malformed || len(r.Raw) > connectors.MaxRejectBytes {
				t.Errorf("reject of %d bytes: %v", len(r.Raw), r.Err)
			}
		}
	})
}
