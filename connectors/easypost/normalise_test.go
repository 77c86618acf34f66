package easypost

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

var update = flag.Bool("update", false, "write the golden files anew")

func stamp(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.Format(time.RFC3339)
}

// render shows everything that the normaliser made of a reply.
func render(shipments []sla.Shipment, rejects []connectors.Reject, err error) string {
	var b strings.Builder
	for _, s := range shipments {
		fmt.Fprintf(&b, "%s status=%s milestone=%v failure=%d registered=%s from=%q to=%q stopped=%v\n",
			s.Ref.Key(), s.Status, s.Milestone, s.Failure, stamp(s.Registered), s.Origin, s.Dest, s.Stopped)
		for _, e := range s.Events {
			fmt.Fprintf(&b, "  %s %v %s\n", stamp(e.At), e.Milestone, e.Country)
		}
	}
	for _, r := range rejects {
		fmt.Fprintf(&b, "reject %q: %v\n", r.ID, r.Err)
	}
	if err != nil {
		fmt.Fprintf(&b, "error: %v\n", err)
	}
	return b.String()
}

func TestRepliesNormaliseAsRecorded(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/cases/*.json")
	if err != nil || len(files) < 15 {
		t.Fatalf("want the cases, got %d (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, shipments, rejects, err := NormaliseReply(body)
			got, golden := render(shipments, rejects, err), strings.TrimSuffix(file, ".json")+".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEveryKnownStatusAndDetailHasAMeaning(t *testing.T) {
	t.Parallel()
	known := strings.Fields(`address_correction arrived_at_destination arrived_at_facility arrived_at_pickup_location awaiting_information
		cancelled damaged delayed delivery_exception departed_facility departed_origin_facility expired failure held in_transit
		label_created lost missorted out_for_delivery received_at_destination_facility received_at_origin_facility refused return
		status_update transferred_to_destination_carrier transit_exception unknown weather_delay`)
	for status := range statuses {
		for _, d := range append(known, "") {
			m, failure := meaning(status, d, "")
			if m == sla.MilestoneUnknown && status != "unknown" && status != "error" {
				t.Errorf("%s/%s: want a milestone", status, d)
			}
			if (failure != sla.FailureNone) != (m == sla.MilestoneDeliveryFailed) {
				t.Errorf("%s/%s: want a reason exactly for a failed delivery, got %v and %d", status, d, m, failure)
			}
		}
	}
	for d := range details {
		if !slices.Contains(known, d) {
			t.Errorf("%s is none of EasyPost's details", d)
		}
	}
}

func TestTextDecidesOnlyWhatTheCodesLeaveOpen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status, detail, text string
		want                 sla.Milestone
		failure              sla.Failure
	}{
		{"in_transit", "held", "Held by customs", sla.MilestoneCustomsHeld, 0},
		{"in_transit", "held", "Customs clearance in progress", sla.MilestoneCustomsHeld, 0},
		{"in_transit", "awaiting_information", "", sla.MilestoneDelayed, 0},
		{"in_transit", "status_update", "Delivered", sla.MilestoneInTransit, 0},
		{"in_transit", "delayed", "In transit to next facility", sla.MilestoneDelayed, 0},
		{"delivered", "delayed", "Held by customs", sla.MilestoneDelivered, 0},
		{"out_for_delivery", "arrived_at_destination", "", sla.MilestoneOutForDelivery, 0},
		{"available_for_pickup", "held", "", sla.MilestonePickup, 0},
		{"return_to_sender", "refused", "", sla.MilestoneReturning, 0},
		{"return_to_sender", "return", "Delivered to sender", sla.MilestoneReturned, 0},
		{"failure", "address_correction", "", sla.MilestoneDeliveryFailed, sla.FailureAddress},
		{"failure", "unknown", "Delivery attempted, no access to the building", sla.MilestoneDeliveryFailed, sla.FailureNobody},
		{"failure", "status_update", "Customs clearance in progress", sla.MilestoneCustomsHeld, 0},
		{"unknown", "unknown", "Delivered", sla.MilestoneUnknown, 0},
		{"brand_new", "", "Held by customs", sla.MilestoneCustomsHeld, 0},
	} {
		got, failure := meaning(c.status, c.detail, c.text)
		if got != c.want || failure != c.failure {
			t.Errorf("%s/%s %q: want %v (%d), got %v (%d)", c.status, c.detail, c.text, c.want, c.failure, got, failure)
		}
	}
}

// samplesDir is where recordings of the real service are, when there are any.
func samplesDir() string {
	if dir := os.Getenv("WK_SAMPLES"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "..", "shared", "samples")
}

// cassette is a recording of calls, in the form of both client libraries that made them.
type cassette struct {
	Interactions []struct {
		Response struct {
			Body any `yaml:"body"`
		} `yaml:"response"`
	} `yaml:"interactions"`
}

func TestRecordingsOfTheRealServiceAreReadWhole(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(samplesDir(), "easypost", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Skip("no recordings here: set WK_SAMPLES to their folder")
	}
	read := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c cassette
		if err := yaml.Unmarshal(text, &c); err != nil {
			t.Fatal(err)
		}
		for _, i := range c.Interactions {
			body, _ := i.Response.Body.(string)
			_, shipments, rejects, err := NormaliseReply([]byte(body))
			read += len(shipments)
			refusal := strings.Contains(file, "ApiError")
			if err != nil || (len(rejects) > 0) != refusal || (len(shipments) == 0) != refusal {
				t.Errorf("%s: got %d shipments, %s", filepath.Base(file), len(shipments), render(nil, rejects, err))
			}
			for _, s := range shipments {
				if s.Ref.Number == "" || s.Registered.IsZero() || len(s.Events) == 0 || (s.Milestone == sla.MilestoneUnknown) != strings.HasPrefix(s.Status, "error/") {
					t.Errorf("%s: %s", filepath.Base(file), render([]sla.Shipment{s}, nil, nil))
				}
			}
		}
	}
	if read < 15 {
		t.Errorf("want the recorded trackers, got %d", read)
	}
}

func FuzzNormaliseReply(f *testing.F) {
	files, _ := filepath.Glob("testdata/cases/*.json")
	for _, file := range files {
		if body, err := os.ReadFile(file); err == nil {
			f.Add(body)
		}
	}
	f.Add([]byte(`{"trackers":{"x":[{}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		_, shipments, rejects, err := NormaliseReply(body)
		if k := connectors.KindOf(err); k != connectors.KindNone && k != connectors.Malformed {
			t.Fatalf("want Malformed, got %v", err)
		}
		for _, r := range rejects {
			if connectors.KindOf(r.Err) != connectors.Malformed || len(r.Raw) > connectors.MaxRejectBytes || len(r.Err.Error()) > 300 {
				t.Fatalf("bad reject: %v, %d bytes", r.Err, len(r.Raw))
			}
		}
		for _, s := range shipments {
			if back := sla.ParseShipmentKey(s.Ref.Key()); back != s.Ref || s.Ref.Number == "" || len(s.Status) > 100 {
				t.Fatalf("bad shipment: %+v", s.Ref)
			}
			if !slices.IsSortedFunc(s.Events, func(a, b sla.Event) int { return a.At.Compare(b.At) }) {
				t.Fatal("events out of order")
			}
		}
	})
}
