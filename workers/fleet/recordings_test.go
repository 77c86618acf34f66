package fleet_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.yaml.in/yaml/v3"

	"watchkeeper/connectors/all"
	"watchkeeper/connectors/easypost"
	"watchkeeper/sla"
	"watchkeeper/sla/rules"
	"watchkeeper/workers/fleet"
	"watchkeeper/workers/store/storetest"
)

// cassette is what a client library's test suite recorded of the real service.
type cassette struct {
	Interactions []struct {
		Request  struct{ URL, Method string }
		Response struct{ Body string }
	}
}

// recorded reads the listing of trackers, page by page, as EasyPost answered it: by the before_id that was asked for.
func recorded(t *testing.T) map[string]string {
	t.Helper()
	dir := os.Getenv("WK_SAMPLES")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "samples")
	}
	raw, err := os.ReadFile(filepath.Join(dir, "easypost", "TestTrackersGetNextPage.yaml"))
	if os.IsNotExist(err) {
		t.Skip("no recordings here: set WK_SAMPLES to their folder")
	}
	if err != nil {
		t.Fatal(err)
	}
	var c cassette
	if err := yaml.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	pages := map[string]string{}
	for _, i := range c.Interactions {
		u, err := url.Parse(i.Request.URL)
		if err != nil {
			t.Fatal(err)
		}
		if i.Request.Method == http.MethodGet {
			pages[u.Query().Get("before_id")] = i.Response.Body
		}
	}
	if len(pages) < 2 {
		t.Fatalf("%d recorded pages: want two", len(pages))
	}
	return pages
}

// TestADaemonOnRecordedRepliesStoresWhatTheyTell lets a whole fleet live for a minute against a server that replays the real service.
func TestADaemonOnRecordedRepliesStoresWhatTheyTell(t *testing.T) {
	t.Parallel()
	pages := recorded(t)
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := pages[r.URL.Query().Get("before_id")]
		if !ok {
			body = `{"trackers":[],"has_more":false}`
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(service.Close)
	var clock atomic.Int64
	clock.Store(time.Date(2024, time.August, 20, 0, 0, 0, 0, time.UTC).UnixMilli())
	now := func() time.Time { return time.UnixMilli(clock.Load()).UTC() }
	config, book, err := fleet.Load(t.Context(), []string{
		"WK_REDIS__ADDRS=" + storetest.StartEmbedded(t), "WK_REDIS__SHARDS=1", "WK_HTTP__LISTEN=127.0.0.1:0",
		"WK_STORE__EP01__PLATFORM=easypost", "WK_STORE__EP01__API_KEY=EZTK0123456789abcdef", "WK_STORE__EP01__BASE_URL=" + service.URL + "/v2",
	}, all.Platforms())
	if err != nil {
		t.Fatal(err)
	}
	f, err := fleet.New(t.Context(), fleet.Options{Config: config, Book: book, Registry: all.Platforms(), Now: now, Log: zap.NewNop(), Idle: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Stop(t.Context()) })
	if err := f.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 7 {
		if err := f.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		clock.Add((10 * time.Second).Milliseconds())
	}
	got := map[string]seen{}
	err = f.Store().EachShipment(t.Context(), func(r sla.ShipmentRecord) error {
		got[r.Ref.Number] = seen{r.Milestone, r.Anomalies, r.LastEvent.Unix() / 60}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := told(t, pages, now(), rules.Current{Book: book, Now: now}); !cmp.Equal(want, got) || len(got) == 0 {
		t.Errorf("stored parcels differ from the recorded ones (-want +got):\n%s", cmp.Diff(want, got))
	}
}

// seen is what counts of a parcel.
type seen struct {
	Milestone sla.Milestone
	Anomalies sla.AnomalySet
	LastEvent int64 // in minutes, as parcels keep it
}

// told is what the recordings say, read without a fleet: of several trackers for one number the one with the newest event.
func told(t *testing.T, pages map[string]string, now time.Time, book rules.Current) map[string]seen {
	t.Helper()
	want := map[string]seen{}
	for _, body := range pages {
		_, shipments, rejects, err := easypost.Platform.NormaliseReply([]byte(body))
		if err != nil || len(rejects) > 0 {
			t.Fatalf("the recordings cannot be read: %v %v", err, rejects)
		}
		for _, s := range shipments {
			w := seen{Milestone: s.Milestone, LastEvent: s.LastEvent().Unix() / 60}
			rule := book.Shipments("EP01", s.Lane())
			for _, a := range sla.Detect(now, s, rule) {
				w.Anomalies = w.Anomalies.With(a.Kind)
			}
			if old, ok := want[s.Ref.Number]; !ok || w.LastEvent > old.LastEvent {
				want[s.Ref.Number] = w
			}
		}
	}
	return want
}
