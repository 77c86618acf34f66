package daemon

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"watchkeeper/workers/store/storetest"
)

// tracked is the least that starts: a store that needs one key, which lies in a file.
func tracked(t *testing.T, redis string, more ...string) []string {
	t.Helper()
	key := filepath.Join(t.TempDir(), "t17-api-key")
	if err := os.WriteFile(key, []byte("0123456789ABCDEF0123456789ABCDEF\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := append([]string{"WK_REDIS__ADDRS=" + redis, "WK_STORE__T17__PLATFORM=track17", "WK_STORE__T17__API_KEY_FILE=" + key}, more...)
	if !slices.ContainsFunc(out, func(e string) bool { return strings.HasPrefix(e, "WK_HTTP__LISTEN=") }) {
		out = append(out, "WK_HTTP__LISTEN=127.0.0.1:0")
	}
	return out
}

// What an operator may get wrong, with what the program says of it. Each is a row of the table in deploy/README.md.
func TestWhatKeepsTheProgramFromStartingIsSaidAndStandsInTheTable(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	sane := storetest.StartRedis(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	for name, c := range map[string]struct {
		environ []string
		code    int
		says    []string // the first is in the table
	}{
		"a secret is missing": {
			tracked(t, sane, "WK_VAULT__KEY_FILE=/secrets/vault-keys"), exitUsage,
			[]string{"/secrets/vault-keys: no such file or directory", "WK_VAULT__KEY_FILE"},
		},
		"a variable is misspelt": {tracked(t, sane, "WK_SLA__STROM=20/1h"), exitUsage, []string{"no such variable; did you mean", "WK_SLA__STORM"}},
		"there is no store":      {[]string{"WK_REDIS__ADDRS=" + sane, "WK_HTTP__LISTEN=127.0.0.1:0"}, exitUsage, []string{"no store"}},
		"redis evicts": {
			tracked(t, storetest.StartRedis(t, "--maxmemory-policy", "allkeys-lru")), exitFailed,
			[]string{"deletes timers and the ledger when memory is full; want noeviction", "maxmemory-policy allkeys-lru", `"do":"give it a Redis`},
		},
		"redis is too old": {tracked(t, older(t, sane, "6.0")), exitFailed, []string{"version 6.0, want 7.0 or later", `"do":"give it a Redis`}},
		"redis is away":    {tracked(t, "127.0.0.1:1"), exitFailed, []string{"connection refused", `"do":"see whether Redis runs`}},
		"redis wants a password": {
			tracked(t, storetest.StartWithUsers(t)), exitFailed, []string{"NOAUTH", `"do":"set WK_REDIS__USERNAME`},
		},
		"the port is taken": {
			tracked(t, sane, "WK_HTTP__LISTEN="+taken.Addr().String()), exitFailed, []string{"address already in use", "WK_HTTP__LISTEN", `"do":"give this process another port`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, _, said := start(t, nil, c.environ)
			if code != c.code {
				t.Errorf("want exit code %d, got %d", c.code, code)
			}
			for _, want := range c.says {
				if !strings.Contains(said, want) {
					t.Errorf("%q is not in:\n%s", want, said)
				}
			}
			if !strings.Contains(string(page), c.says[0]) {
				t.Errorf("deploy/README.md has no row for %q", c.says[0])
			}
		})
	}
}

// A Redis of 6.2 works, and is warned of.
func TestARedisOlderThanTheTestedOneIsWarnedOf(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &watched{word: `"msg":"on watch"`, seen: cancel}
	if code := run(ctx, nil, tracked(t, older(t, storetest.StartRedis(t), "6.2")), io.Discard, out); code != exitOK {
		t.Errorf("want it to start and to stop when told, got exit code %d", code)
	}
	if said := out.String(); !strings.Contains(said, "older than 7.0") || !strings.Contains(said, out.word) {
		t.Errorf("want it warned of and at work:\n%s", said)
	}
}

// watched is a log that tells of a word in it.
type watched struct {
	mu   sync.Mutex
	text bytes.Buffer
	word string
	seen func()
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.word != "" && bytes.Contains(p, []byte(w.word)) {
		w.seen()
	}
	return w.text.Write(p)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// redisVersion has one digit before and one after the dot: what an answer says of its own length must stay right.
var redisVersion = regexp.MustCompile(`redis_version:[0-9]\.[0-9]`)

// older is a way to a server on which it says that it is of an older version.
func older(t *testing.T, addr, version string) string {
	t.Helper()
	return between(t, addr, func(p []byte) []byte { return redisVersion.ReplaceAll(p, []byte("redis_version:"+version)) })
}

// between is a way to a server, on which each piece of what it answers may be changed; nil answers are held back.
func between(t *testing.T, addr string, change func([]byte) []byte) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	t.Cleanup(func() { _ = l.Close() })
	wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { carry(in, addr, change) })
		}
	})
	return l.Addr().String()
}

// carry joins one connection to the server, until either side hangs up.
func carry(in net.Conn, addr string, change func([]byte) []byte) {
	defer func() { _ = in.Close() }()
	out, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	go func() {
		_, _ = io.Copy(out, in)
		_ = out.Close()
	}()
	buf := make([]byte, 64<<10) // an answer to INFO comes in one piece
	for {
		n, err := out.Read(buf)
		if n > 0 {
			if _, err := in.Write(change(buf[:n])); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// Kubernetes may take a pod away while it starts; the program then ends at once, and that is no failure.
func TestToldToStopWhileItStartsItStopsAtOnceAndFailsNothing(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 100)
	silent := between(t, storetest.StartRedis(t), func([]byte) []byte {
		asked <- struct{}{}
		return nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	var out watched
	done := make(chan int, 1)
	go func() { done <- run(ctx, nil, tracked(t, silent), io.Discard, &out) }()
	<-asked
	cancel()
	told := time.Now()
	select {
	case code := <-done:
		if code != exitOK || time.Since(told) > 5*time.Second {
			t.Errorf("want a clean end at once, got exit code %d after %s:\n%s", code, time.Since(told), out.String())
		}
	case <-time.After(time.Minute):
		t.Fatal(errors.New("it does not end"))
	}
	if said := out.String(); !strings.Contains(said, "stopped while starting") || strings.Contains(said, `"level":"error"`) {
		t.Errorf("want it said that the start was given up:\n%s", said)
	}
}
