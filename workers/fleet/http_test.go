package fleet_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"watchkeeper/workers/fleet"
	"watchkeeper/workers/store/storetest"
)

const canary = "CANARY-3f9a7c5e1d2b4a6f8091a2b3c4d5e6f7"

// served is a started fleet with an administrator's port, whose every secret is the canary.
func served(t *testing.T) *fleet.Fleet {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(canary), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := fleet.New(t.Context(), options(t, storetest.StartRedis(t, "--requirepass", canary), "WK_REDIS__PASSWORD="+canary, "WK_HTTP__ADMIN=:0",
		"WK_VAULT__KEY_FILE="+key, "WK_STORE__Q01__KEY="+canary, "WK_NOTIFY__CHAT_URL=https://hooks.example.com/"+canary))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Stop(context.Background()) })
	if err := f.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

func page(t *testing.T, addr, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestTheAdministratorHasAPortOfHisOwnAndNeitherShowsASecret(t *testing.T) {
	t.Parallel()
	f := served(t)
	if host, _, err := net.SplitHostPort(f.AdminAddr()); err != nil || host != "127.0.0.1" {
		t.Errorf("want a port without a host on the loopback interface, got %s", f.AdminAddr())
	}
	open := []string{"/metrics", "/livez", "/readyz"}
	closed := []string{"/config", "/debug/pprof/", "/debug/pprof/goroutine?debug=2", "/debug/pprof/heap?debug=1"}
	for addr, paths := range map[string][2][]string{f.Addr(): {open, closed}, f.AdminAddr(): {closed, append(open, "/debug/pprof/cmdline")}} {
		for i, want := range []int{http.StatusOK, http.StatusNotFound} {
			for _, path := range paths[i] {
				code, body := page(t, addr, path)
				if code != want {
					t.Errorf("%s: want status %d, got %d", path, want, code)
				}
				if strings.Contains(body, canary) {
					t.Errorf("%s shows a secret", path)
				}
			}
		}
	}
	if _, body := page(t, f.AdminAddr(), "/config"); !strings.Contains(body, "WK_REDIS__PASSWORD=(set)\n") || !strings.Contains(body, "WK_WORKERS__SWEEP=20ms\n") {
		t.Errorf("want the settings with secrets hidden, got:\n%s", body)
	}
}

func TestListenersBearNoEndlessRequest(t *testing.T) {
	t.Parallel()
	f := served(t)
	for _, addr := range []string{f.Addr(), f.AdminAddr()} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		_, err = io.Copy(conn, io.MultiReader(strings.NewReader("GET /livez HTTP/1.1\r\nHost: x\r\nX: "), bytes.NewReader(bytes.Repeat([]byte("x"), 40<<10))))
		resp, readErr := http.ReadResponse(bufio.NewReader(conn), nil) //nolint:bodyclose // its connection is closed
		if err == nil && (readErr != nil || resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge) {
			t.Errorf("want endless headers refused, got %v (%v)", resp, readErr)
		}
	}
}

func TestListenersBearNoSlowRequest(t *testing.T) {
	t.Parallel()
	f := served(t)
	start := time.Now()
	for _, addr := range []string{f.Addr(), f.AdminAddr()} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(start.Add(15 * time.Second))
		if _, err := io.WriteString(conn, "GET /livez HTTP/1.1\r\nHost: x\r\n"); err != nil { // and never the empty line
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("want a request without an end cut off, got %v after %s", err, time.Since(start))
		}
	}
}
