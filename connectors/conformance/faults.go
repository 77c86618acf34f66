package conformance

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"watchkeeper/connectors"
)

// webPage is what a proxy or a login page answers in place of the platform.
const webPage = "<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"

// replying serves the same reply to every request.
func replying(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// wantFetch checks what one reply to the list call comes to.
func wantFetch(t *testing.T, s Suite, name string, serve http.HandlerFunc, want connectors.Kind) error {
	t.Helper()
	w := newWorld(t, s, serve)
	_, err := w.fetch(w.feed(), connectors.Cursor{})
	if got := connectors.KindOf(err); got != want {
		t.Errorf("%s: want %v, got %v (%v)", name, want, got, err)
	}
	return err
}

func statuses(t *testing.T, s Suite) {
	t.Helper()
	_, rows := s.rows(3)
	w := newWorld(t, s, s.listing(List{Rows: rows, PerPage: 10}))
	if _, err := w.fetch(w.feed(), connectors.Cursor{}); err != nil || !w.observed(connectors.KindNone) {
		t.Errorf("200: want success, and the call counted, got %v", err)
	}
	for status, want := range map[int]connectors.Kind{
		http.StatusUnauthorized:        connectors.Unauthorised,
		http.StatusForbidden:           connectors.Forbidden,
		http.StatusNotFound:            connectors.NotFound,
		http.StatusInternalServerError: connectors.Unavailable,
		http.StatusBadGateway:          connectors.Unavailable,
	} {
		_ = wantFetch(t, s, http.StatusText(status), replying(status, "application/json", `{}`), want)
		_ = wantFetch(t, s, http.StatusText(status)+" as a web page", replying(status, "text/html", webPage), want)
	}
	err := wantFetch(t, s, "429", replying(http.StatusTooManyRequests, "application/json", `{}`), connectors.Throttled)
	if got := connectors.RetryAfter(err); got != 7*time.Second {
		t.Errorf("429: want the platform's wait of 7s, got %v", got)
	}
	w = newWorld(t, s, replying(http.StatusInternalServerError, "text/plain", ""))
	if _, err := w.fetch(w.feed(), connectors.Cursor{}); err == nil || !w.observed(connectors.Unavailable) {
		t.Errorf("500: want the failed call counted, got %v", err)
	}
}

func unreadable(t *testing.T, s Suite) {
	t.Helper()
	_, rows := s.rows(20)
	cut := func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		s.Serve(rec, r, List{Rows: rows, PerPage: 50})
		_, _ = w.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
	}
	_ = wantFetch(t, s, "cut JSON", cut, connectors.Malformed)
	bodies := map[string]string{"empty body": "", "web page": webPage, "plain text": "OK", "a text": `"ok"`, "a number": "5", "null": "null", "truth": "true"}
	for _, empty := range []string{"{}", "[]"} {
		if !slices.Contains(s.EmptyOK, empty) {
			bodies["a reply "+empty+" without its list"] = empty
		}
	}
	for name, body := range bodies {
		_ = wantFetch(t, s, name, replying(http.StatusOK, "application/json", body), connectors.Malformed)
	}
}

func refusals(t *testing.T, s Suite) {
	t.Helper()
	for _, r := range s.Replies {
		status := r.Status
		if status == 0 {
			status = http.StatusOK
		}
		_ = wantFetch(t, s, r.Name, replying(status, "application/json", r.Body), r.Want)
	}
}

// cancellation gives up a fetch that the platform lets hang. The ten seconds are for a busy machine.
func cancellation(t *testing.T, s Suite) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := newWorld(t, s, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	})
	f := w.feed()
	done := make(chan error, 1)
	go func() {
		_, err := f.Fetch(ctx, connectors.Cursor{})
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) || connectors.KindOf(err) != connectors.KindNone {
			t.Errorf("want a plain cancellation, got %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the fetch goes on after it was cancelled")
	}
}
