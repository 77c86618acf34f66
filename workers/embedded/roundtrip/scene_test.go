package roundtrip_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/connectors/simulator"
	"watchkeeper/workers/embedded"
	"watchkeeper/workers/embedded/soak"
)

// The rules of the daemons: the shortest that are allowed, so that what takes days goes by in minutes. The alert's own half hour before the guard stays.
const (
	settle    = time.Minute
	guard     = 65 * time.Second
	pace      = 20 * time.Second // what the guard of a platform grows by on which nothing was measured
	early     = 30 * time.Minute // how long before the guard the alert fires
	due       = 50 * time.Second // when the answers fall due by the rules, from the start; the pace makes that earlier
	alerted   = 62 * time.Second // when the alert fires, from the start: when the cases have been counted a second time
	deadline  = alerted + early + guard + pace
	actBefore = deadline - due
	disputes  = 3
)

// A platform is the simulated marketplace behind a door that can be shut: then every connection breaks off without a word.
type platform struct {
	*simulator.World
	url    string
	dark   atomic.Bool
	mu     sync.Mutex
	asked  map[string]bool // the disputes that were asked about
	denied int             // calls that came while it was dark
}

func newPlatform(t *testing.T, start time.Time) *platform {
	t.Helper()
	p := &platform{asked: map[string]bool{}}
	p.World = simulator.New(simulator.Options{
		Seed: 1, Start: start, Days: 4, Disputes: disputes, Now: time.Now, Deadline: func(int) time.Time { return start.Add(deadline) },
	})
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	p.url = s.URL
	return p
}

func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	p.mu.Lock()
	if p.dark.Load() {
		p.denied++
		err = errors.New("dark")
	}
	p.mu.Unlock()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	form := r.Clone(r.Context())
	form.Body = io.NopCloser(bytes.NewReader(body))
	if form.ParseForm() == nil && form.Form.Get("issue_id") != "" {
		p.mu.Lock()
		p.asked[form.Form.Get("issue_id")] = true
		p.mu.Unlock()
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	p.Handler(simulator.AliExpress).ServeHTTP(w, r)
}

func (p *platform) counts() (asked, denied int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.asked), p.denied
}

// A process is one that the test has started, with what it said.
type process struct {
	*exec.Cmd
	addr string
	log  string
}

// start starts a program that lives until the test ends, or is killed.
func start(t *testing.T, environ []string, path string, args ...string) *process {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), filepath.Base(path)+".log"))
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(path, args...), log: log.Name()}
	p.Env, p.Stdout, p.Stderr = append([]string{"PATH=" + os.Getenv("PATH")}, environ...), log, log
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		_ = log.Close()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("%s ended with:\n%s", filepath.Base(path), text[max(0, len(text)-4000):])
		}
	})
	return p
}

// kill ends the process as kill -9 does.
func (p *process) kill() {
	_ = p.Process.Kill()
	_ = p.Wait() // killed before is as good
}

// daemon starts one of the daemons, and waits until it is ready.
func daemon(t *testing.T, binary, redisAt string, p *platform) *process {
	t.Helper()
	addr := freeAddr(t)
	env := map[string]string{
		"WK_REDIS__ADDRS": redisAt, "WK_HTTP__LISTEN": addr, "WK_SLA__MODE": "live", "WK_SLA__ACCEPT_CAP": "500USD", "WK_SLA__ACT_BEFORE": actBefore.String(),
		"WK_SLA__SETTLE": settle.String(), "WK_SLA__GUARD": guard.String(), "WK_STORE__ALIEXPRESS__POLL": "10s", "WK_STORE__ALIEXPRESS__RATE": "50",
	}
	maps.Copy(env, p.Env())
	env["WK_STORE__AE01__BASE_URL"] = p.url
	var environ []string
	for name, value := range env {
		if !strings.HasPrefix(name, "WK_STORE__T17__") {
			environ = append(environ, name+"="+value)
		}
	}
	d := start(t, environ, binary)
	d.addr = addr
	eventually(t, "the daemon is ready", 20*time.Second, func() bool { return status(t, "http://"+addr+"/readyz") == http.StatusOK })
	return d
}

// memory starts a Redis whose memory is an hour old.
func memory(t *testing.T) string {
	t.Helper()
	addr, stop, err := embedded.StartRedis(t.Context(), "--appendonly", "yes", "--maxmemory-policy", "noeviction")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	defer func() { _ = rdb.Close() }()
	if err := soak.Age(t.Context(), rdb, time.Now(), settle); err != nil {
		t.Fatal(err)
	}
	return addr
}

// A monitor is the address of a Prometheus.
type monitor string

// ask gives the values that an expression has now.
func (m monitor) ask(t *testing.T, expr string) (values []string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+string(m)+"/api/v1/query?query="+url.QueryEscape(expr), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var told struct {
		Status string `json:"status"`
		Data   struct {
			Result []struct {
				Value [2]any `json:"value"` // when, and what
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&told); err != nil || told.Status != "success" {
		t.Fatalf("%s: %s %v", expr, told.Status, err)
	}
	for _, r := range told.Data.Result {
		values = append(values, fmt.Sprint(r.Value[1]))
	}
	return values
}

// is reports whether an expression has one value now, and this one.
func (m monitor) is(t *testing.T, expr, value string) bool {
	t.Helper()
	return slices.Equal(m.ask(t, expr), []string{value})
}

// prometheus starts one that loads the rules as they are shipped, and scrapes the daemons each second.
func prometheus(t *testing.T, path, alertmanager string, daemons ...*process) monitor {
	t.Helper()
	rules, err := filepath.Abs("../../../deploy/alerts/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var targets []string
	for _, d := range daemons {
		targets = append(targets, d.addr)
	}
	addr, dir := freeAddr(t), t.TempDir()
	config := fmt.Sprintf(`global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%q]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
scrape_configs: [{job_name: watchkeeper, static_configs: [{targets: [%s]}]}]
`, rules, alertmanager, strings.Join(targets, ", "))
	start(t, nil, path, "--config.file="+written(t, dir, config), "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr)
	eventually(t, "prometheus is ready", 30*time.Second, func() bool { return status(t, "http://"+addr+"/-/ready") == http.StatusOK })
	return monitor(addr)
}

// alertmanager starts one with the routes and inhibitions as they are shipped; the receivers are our own, and groups are told of anew after seconds.
func alertmanager(t *testing.T, path string, hook string) string {
	t.Helper()
	raw, err := os.ReadFile("../../../deploy/alerts/alertmanager.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for _, receiver := range []string{"pager", "tickets", "dead-man"} {
		text = replaced(t, text, "https://"+receiver+".example.com/watchkeeper", hook+"/"+receiver)
	}
	text = replaced(t, text, "group_interval: 1m", "group_interval: 5s")
	addr, dir := freeAddr(t), t.TempDir()
	start(t, nil, path, "--config.file="+written(t, dir, text), "--storage.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr, "--cluster.listen-address=")
	eventually(t, "alertmanager is ready", 20*time.Second, func() bool { return status(t, "http://"+addr+"/-/ready") == http.StatusOK })
	return addr
}

func replaced(t *testing.T, text, old, with string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("alertmanager.yaml has no %q", old)
	}
	return strings.ReplaceAll(text, old, with)
}

func written(t *testing.T, dir, text string) string {
	t.Helper()
	name := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// status is what an address answers with; 0 when nobody answers.
func status(t *testing.T, url string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// eventually waits for something, and fails the test when it does not come.
func eventually(t *testing.T, what string, within time.Duration, is func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(within); !is(); {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %s", what, within)
		}
		<-tick.C
	}
}
