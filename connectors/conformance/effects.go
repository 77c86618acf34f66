package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// answer runs Respond against a platform that does as told with the request that has the effect, and counts such requests.
func answer(t *testing.T, s Suite, do http.HandlerFunc) (connectors.Receipt, int64, error) {
	t.Helper()
	var sent atomic.Int64
	w := newWorld(t, s, telling(s, &sent, do))
	responder := w.built().Responder
	if responder == nil {
		t.Fatal("the platform has no responder")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // ends the hanging request early
	defer cancel()
	receipt, err := responder.Respond(ctx, s.Effect.Dispute, s.Effect.Answer)
	w.isClean("an error", fmt.Sprint(err))
	return receipt, sent.Load(), err
}

// telling serves reads as the platform does, and counts the requests that have the effect before it does with them as told.
func telling(s Suite, sent *atomic.Int64, do http.HandlerFunc) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if !s.Effect.Is(r, body) {
			s.Effect.Serve(rw, r)
			return
		}
		sent.Add(1)
		do(rw, r)
	}
}

// effectKilled holds a connector to asking the brake: with a switch on, or when that is not known, no request with an effect leaves, and
// that is a sure refusal.
func effectKilled(t *testing.T, s Suite) {
	t.Helper()
	for name, thrown := range map[string]error{"killed": sla.ErrKilled, "not known": errors.New("the brake does not answer")} {
		var sent atomic.Int64
		w := newWorld(t, s, telling(s, &sent, s.Effect.Serve))
		responder := w.built().Responder
		w.brake.Throw(thrown)
		_, err := responder.Respond(t.Context(), s.Effect.Dispute, s.Effect.Answer)
		if connectors.KindOf(err) != connectors.Unavailable || errors.Is(err, sla.ErrKilled) != errors.Is(thrown, sla.ErrKilled) || sent.Load() != 0 {
			t.Errorf("%s: want a sure refusal and nothing sent, got %d sent (%v)", name, sent.Load(), err)
		}
		w.brake.Throw(nil)
		if _, err = responder.Respond(t.Context(), s.Effect.Dispute, s.Effect.Answer); err != nil || sent.Load() != 1 {
			t.Errorf("%s: want it sent once the switch is off, got %d sent (%v)", name, sent.Load(), err)
		}
		if asked := w.brake.Asked(); !slices.Equal(asked, []sla.Reason{s.Effect.Dispute.Reason, s.Effect.Dispute.Reason}) {
			t.Errorf("%s: want the brake asked once for each request, by the dispute's reason, got %v", name, asked)
		}
	}
}

func effectOnce(t *testing.T, s Suite) {
	t.Helper()
	receipt, sent, err := answer(t, s, s.Effect.Serve)
	if err != nil || sent != 1 || len(receipt.ID) > 64 || receipt.At.IsZero() {
		t.Errorf("want one request and a receipt with a time, got %d, %+v (%v)", sent, receipt, err)
	}
	for status, want := range map[int]connectors.Kind{
		http.StatusUnauthorized:    connectors.Unauthorised,
		http.StatusForbidden:       connectors.Forbidden,
		http.StatusTooManyRequests: connectors.Throttled,
	} {
		_, sent, err := answer(t, s, replying(status, "application/json", "{}"))
		if got := connectors.KindOf(err); got != want || sent != 1 {
			t.Errorf("%d: want %v after one request, got %v after %d (%v)", status, want, got, sent, err)
		}
	}
}

func effectLost(t *testing.T, s Suite) {
	t.Helper()
	for name, do := range map[string]http.HandlerFunc{
		"500":        replying(http.StatusInternalServerError, "application/json", "{}"),
		"502":        replying(http.StatusBadGateway, "text/html", webPage),
		"503":        replying(http.StatusServiceUnavailable, "text/plain", ""),
		"web page":   replying(http.StatusOK, "text/html", webPage),
		"empty body": replying(http.StatusOK, "application/json", ""),
		"cut JSON":   replying(http.StatusOK, "application/json", `{"result":`),
		"reply lost": dropping,
		"hangs":      func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		_, sent, err := answer(t, s, do)
		if got := connectors.KindOf(err); got != connectors.OutcomeUnknown || sent != 1 {
			t.Errorf("%s: want outcome_unknown after one request, got %v after %d (%v)", name, got, sent, err)
		}
	}
}

// dropping ends the connection in place of a reply.
func dropping(w http.ResponseWriter, _ *http.Request) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
	}
}
