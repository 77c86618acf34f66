package track17

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"watchkeeper/sla"
)

var update = flag.Bool("update", false, "write the golden files anew")

// readable is a shipment as golden files show it.
type readable struct {
	Parcel     string      `json:"parcel"`
	Order      string      `json:"order,omitempty"`
	Status     string      `json:"status"`
	Milestone  string      `json:"milestone"`
	Failure    sla.Failure `json:"failure,omitempty"`
	Registered string      `json:"registered,omitempty"`
	Way        string      `json:"way"`
	Stopped    bool        `json:"stopped,omitempty"`
	Events     []string    `json:"events,omitempty"`
	Anomalies  []string    `json:"anomalies,omitempty"`
}

type golden struct {
	Shipments []readable `json:"shipments"`
	Rejects   []string   `json:"rejects,omitempty"`
	Error     string     `json:"error,omitempty"`
}

func show(s sla.Shipment) readable {
	r := readable{Parcel: s.Ref.Key(), Order: s.Ref.Order, Status: s.Status, Milestone: s.Milestone.String(), Failure: s.Failure,
		Way: s.Origin + "-" + s.Dest, Stopped: s.Stopped}
	if !s.Registered.IsZero() {
		r.Registered = s.Registered.Format(time.RFC3339)
	}
	for _, e := range s.Events {
		at := "-"
		if !e.At.IsZero() {
			at = e.At.Format(time.RFC3339)
		}
		r.Events = append(r.Events, at+" "+e.Milestone.String()+" "+e.Country)
	}
	for _, a := range sla.Detect(time.Date(2026, 2, 23, 0, 0, 0, 0, time.UTC), s, sla.DefaultShipmentRule()) {
		r.Anomalies = append(r.Anomalies, a.Kind.String())
	}
	return r
}

func TestRecordedRepliesReadAsBefore(t *testing.T) {
	t.Parallel()
	inputs, err := filepath.Glob("testdata/testcases/*/input.json")
	if err != nil || len(inputs) < 10 {
		t.Fatalf("want the recorded replies, got %d (%v)", len(inputs), err)
	}
	for _, input := range inputs {
		dir := filepath.Dir(input)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			got := readAll(t, body)
			file := filepath.Join(dir, "want.json")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("want first, got second:\n%s", diff)
			}
		})
	}
}

func readAll(t *testing.T, body []byte) []byte {
	t.Helper()
	_, shipments, rejects, err := Platform.NormaliseReply(body)
	var g golden
	for _, s := range shipments {
		g.Shipments = append(g.Shipments, show(s))
	}
	for _, r := range rejects {
		g.Rejects = append(g.Rejects, r.Err.Error())
	}
	if err != nil {
		g.Error = err.Error()
	}
	out, err := json.MarshalIndent(g, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}
