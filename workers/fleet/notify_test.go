package fleet_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const hookSecret = "SECRET-PATH"

// eventually waits until something is so; the time is only a bound for a broken program.
func eventually(t *testing.T, is func() bool) {
	t.Helper()
	end := time.NewTimer(time.Minute)
	defer end.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatal("in vain")
		}
	}
}

type posted struct {
	Kind string `json:"kind"`
	Case string `json:"case"`
	Why  string `json:"why"`
	Text string `json:"text"`

	token string
}

// hook is a webhook that keeps what it gets and answers with the status; it waits for release first.
func hook(t *testing.T, status int, release <-chan struct{}) (url string, got chan posted) {
	t.Helper()
	got = make(chan posted, 16)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p := posted{token: r.Header.Get("Authorization")}
		if err := json.Unmarshal(body, &p); err != nil || strings.Contains(string(body), "8000001") || strings.Contains(string(body), strconv.Itoa(0x5ec7e7b0e1)) {
			t.Errorf("want plain JSON without order or buyer, got %s", body)
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
		got <- p
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/" + hookSecret, got
}

func secretFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func released() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// early warns long before anything is due.
func early(more ...string) []string {
	return append(more, "WK_SLA__WARN=72h:log,60h:chat,50h:page", "WK_SLA__RESPONSE_WINDOW=30d", "WK_SLA__ACT_BEFORE=10h")
}

// next is what a hook got; the time is only a bound for a broken program.
func next(t *testing.T, got <-chan posted) posted {
	t.Helper()
	select {
	case p := <-got:
		return p
	case <-time.After(time.Minute):
		t.Fatal("nothing was posted")
		return posted{}
	}
}

func TestWarningsGoToTheChatAndPagesToThePager(t *testing.T) {
	t.Parallel()
	chat, warned := hook(t, http.StatusOK, released())
	pager, paged := hook(t, http.StatusOK, released())
	b := setup(t, early("WK_NOTIFY__CHAT_URL_FILE="+secretFile(t, chat), "WK_NOTIFY__PAGE_URL="+pager,
		"WK_NOTIFY__TOKEN_FILE="+secretFile(t, "hook-token"))...)
	b.must(b.fleet.Begin(t.Context()))
	b.owe("9001", 73*time.Hour)
	for range 4 {
		b.step(6 * time.Hour)
	}
	if p := next(t, warned); p.Kind != "warning" || p.Case != "Q01/9001" || p.Why != "warn_point" || p.token != "Bearer hook-token" || !strings.Contains(p.Text, "12.00 USD") {
		t.Errorf("want the warning, got %+v", p)
	}
	if p := next(t, paged); p.Kind != "page" || p.Case != "Q01/9001" {
		t.Errorf("want the page, got %+v", p)
	}
	if len(b.logged("deadline is coming")) != 2 || len(warned) != 0 {
		t.Errorf("want the warning for the log in the log only, got %d lines and %d more posts", len(b.logged("deadline is coming")), len(warned))
	}
	for _, l := range append(b.logged("deadline is coming"), b.logged("a person must act")...) {
		if l.ContextMap()["rules"] != b.o.Book.Hash() {
			t.Errorf("want the rules named, got %v", l.ContextMap())
		}
	}
}

func TestAHookThatHangsHoldsUpNoJobAndIsServedBeforeTheStop(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	chat, warned := hook(t, http.StatusOK, release)
	b := setup(t, early("WK_NOTIFY__CHAT_URL="+chat)...)
	b.must(b.fleet.Begin(t.Context()))
	for _, native := range []string{"9001", "9002"} {
		b.owe(native, 55*time.Hour)
	}
	b.step(time.Second) // returns, though the hook does not answer
	b.has("watchkeeper_notification_queue", map[string]float64{"": 2})
	close(release)
	b.must(b.fleet.Stop(t.Context()))
	if len(warned) != 2 {
		t.Errorf("want both delivered before the stop is over, got %d", len(warned))
	}
}

func TestAHookThatRefusesFailsNothingAndShowsNoSecret(t *testing.T) {
	t.Parallel()
	chat, _ := hook(t, http.StatusForbidden, released())
	b := setup(t, early("WK_NOTIFY__CHAT_URL="+chat)...)
	b.must(b.fleet.Begin(t.Context()))
	b.owe("9001", 55*time.Hour)
	b.step(time.Second)
	eventually(t, func() bool { return len(b.logged("notification not delivered")) == 1 })
	b.has("watchkeeper_notifications_total", map[string]float64{" chat failed": 1})
	b.has("watchkeeper_jobs_total", map[string]float64{" case.assess failed": 0})
	for _, l := range b.logs.All() {
		if strings.Contains(fmt.Sprint(l.Message, l.ContextMap()), hookSecret) {
			t.Errorf("a log line holds the address: %v", l)
		}
	}
}
