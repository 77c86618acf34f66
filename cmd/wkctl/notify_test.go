package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A receiver keeps what is posted to it, and answers with a status.
func receiver(t *testing.T, status int) (address string, got func() []string) {
	t.Helper()
	var mu sync.Mutex
	var bodies []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		mu.Lock()
		bodies = append(bodies, string(raw))
		mu.Unlock()
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/services/T0SECRET", func() []string {
		mu.Lock()
		defer mu.Unlock()
		return bodies
	}
}

func TestWebhooksAreTried(t *testing.T) {
	t.Parallel()
	good, posted := receiver(t, http.StatusOK)
	bad, _ := receiver(t, http.StatusNotFound)
	vars := env("127.0.0.1:1") // nobody is there: it wants no Redis
	tests := map[string]struct {
		vars  []string
		code  int
		parts []string
	}{
		"both":         {[]string{"WK_NOTIFY__PAGE_URL=" + good, "WK_NOTIFY__CHAT_URL=" + good}, exitOK, []string{"page     taken", "chat     taken"}},
		"pages only":   {[]string{"WK_NOTIFY__PAGE_URL=" + good}, exitOK, []string{"page     taken", "no hook is configured"}},
		"one is wrong": {[]string{"WK_NOTIFY__PAGE_URL=" + bad, "WK_NOTIFY__CHAT_URL=" + good}, exitFailed, []string{"page webhook: status 404", "chat     taken"}},
		"none":         {nil, exitUsage, []string{"set WK_NOTIFY__PAGE_URL_FILE"}},
		"no address":   {[]string{"WK_NOTIFY__PAGE_URL=T0SECRET"}, exitUsage, []string{"WK_NOTIFY__PAGE_URL: want an address"}},
		"one is no address": {
			[]string{"WK_NOTIFY__PAGE_URL=T0SECRET", "WK_NOTIFY__CHAT_URL=" + bad, "WK_SLA__GUARDD=1h"}, exitUsage,
			[]string{"WK_NOTIFY__PAGE_URL: want an address", "did you mean WK_SLA__GUARD?"},
		},
		"misspelt": {[]string{"WK_NOTIFY__PAGE_URI=" + good}, exitUsage, []string{"did you mean WK_NOTIFY__PAGE_URL?"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := invoke(t, toys(), append(slices.Clip(vars), tt.vars...), "notify", "test")
			got.want(t, tt.code, tt.parts...)
			if misses := strings.Contains(got.err, "no webhook"); misses != (name == "none") {
				t.Errorf("want it said that there is no webhook where there is none, and nowhere else:\n%s", got.err)
			}
			if strings.Contains(got.out+got.err, "T0SECRET") {
				t.Errorf("an address is shown:\n%s%s", got.out, got.err)
			}
		})
	}
	t.Run("json", func(t *testing.T) {
		t.Parallel()
		got := invoke(t, toys(), append(slices.Clip(vars), "WK_NOTIFY__CHAT_URL="+good), "notify", "test", "-o", "json")
		got.want(t, exitOK)
		var all []hookTest
		must(t, json.Unmarshal([]byte(got.out), &all))
		if len(all) != 2 || !all[0].Taken || all[0].Channel != "page" || !all[1].Taken || all[1].Channel != "chat" {
			t.Errorf("want both posted to the only webhook there is, got %+v", all)
		}
	})
	t.Cleanup(func() {
		for _, body := range posted() {
			if !strings.Contains(body, `"test":true`) {
				t.Errorf("a test that does not say so: %s", body)
			}
		}
	})
}
