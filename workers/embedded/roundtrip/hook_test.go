package roundtrip_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// An alert is one of those that Alertmanager tells of.
type alert struct {
	Status      string            `json:"status"` // firing or resolved
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`

	receiver string
	at       time.Time // when it came
}

func (a alert) name() string { return a.Labels["alertname"] }

// A hook is what the receivers of the shipped routes post to.
type hook struct {
	url string
	mu  sync.Mutex
	all []alert
}

func newHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var told struct {
			Alerts []alert `json:"alerts"`
		}
		if err := json.NewDecoder(r.Body).Decode(&told); err != nil {
			t.Errorf("%s: %v", r.URL.Path, err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, a := range told.Alerts {
			a.receiver, a.at = strings.TrimPrefix(r.URL.Path, "/"), time.Now()
			h.all = append(h.all, a)
		}
	}))
	t.Cleanup(s.Close)
	h.url = s.URL
	return h
}

// told is what came of the alert that this is about, firing or resolved, in order.
func (h *hook) told(status string) []alert {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []alert
	for _, a := range h.all {
		if a.name() == imminent && a.Status == status {
			out = append(out, a)
		}
	}
	return out
}

// names are the alerts that a receiver was told of, each once.
func (h *hook) names(receiver string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, a := range h.all {
		if a.receiver == receiver && !slices.Contains(out, a.name()) {
			out = append(out, a.name())
		}
	}
	slices.Sort(out)
	return out
}
