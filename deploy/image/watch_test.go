package image_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"watchkeeper/connectors/simulator"
	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

// The load: every answer falls due at one instant, and takes the platform some calls of so much each. The times of the manifests are shutdown and
// grace; the last answer is good until actBefore less guard after it falls due.
const (
	disputes  = 3000
	stores    = 20
	latency   = time.Second
	reading   = 90 * time.Second // until all have been read
	actBefore = 12 * time.Minute
	guard     = 65 * time.Second
	settle    = time.Minute
	shutdown  = 30 * time.Second
	grace     = 60 * time.Second
	starting  = 5 * time.Minute // as the startup probe has it
)

// A scene is what a container finds around it: Redis with the users that are shipped, a platform, and its secrets as files.
type scene struct {
	t        *testing.T
	redis    string
	world    *simulator.World
	platform *httptest.Server
	due      time.Time // of all answers
	calls    atomic.Int64
	files    string
	rules    map[string]string
	secrets  []string
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t, files: t.TempDir(), due: time.Now().Add(reading)}
	s.redis = storetest.StartWithUsers(t, "--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction")
	s.world = simulator.New(simulator.Options{
		Seed: 11, Start: time.Now(), Days: 1, Disputes: disputes, Stores: stores, Now: time.Now,
		Deadline: func(int) time.Time { return s.due.Add(actBefore) },
	})
	inner := s.world.Handler(simulator.AliExpress)
	s.platform = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.calls.Add(1)
		defer s.calls.Add(-1)
		select {
		case <-time.After(latency):
			inner.ServeHTTP(w, r)
		case <-r.Context().Done(): // the caller has gone before the platform had the request
		}
	}))
	t.Cleanup(s.platform.Close)
	s.age()
	must(t, os.Chmod(s.files, 0o755)) // another user reads it
	s.rules = map[string]string{
		"WK_REDIS__ADDRS": s.redis, "WK_REDIS__USERNAME": storetest.Daemon, "WK_WORKERS__SHUTDOWN": shutdown.String(), "WK_SLA__MODE": "live",
		"WK_SLA__ACCEPT_CAP": "500USD", "WK_SLA__ACT_BEFORE": actBefore.String(), "WK_SLA__SETTLE": settle.String(), "WK_SLA__GUARD": guard.String(),
		"WK_STORE__ALIEXPRESS__POLL": "1m", "WK_STORE__ALIEXPRESS__RATE": "50", "WK_STORE__ALIEXPRESS__CONCURRENCY": "32",
	}
	s.secret("WK_REDIS__PASSWORD", storetest.Password)
	s.secret("WK_VAULT__KEY", strings.Repeat("0123456789abcdef", 4))
	for name, value := range s.world.Env() {
		switch {
		case strings.HasPrefix(name, "WK_STORE__T17__"):
		case strings.HasSuffix(name, "__PLATFORM"):
			s.rules[name] = value
			s.rules[strings.TrimSuffix(name, "PLATFORM")+"BASE_URL"] = s.platform.URL
		case strings.HasSuffix(name, "__APP_KEY"):
			s.rules[name] = value
		default:
			s.secret(name, value)
		}
	}
	return s
}

// secret puts a value where Kubernetes mounts it.
func (s *scene) secret(name, value string) {
	s.t.Helper()
	file := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, "WK_"), "__", "-"))
	must(s.t, os.WriteFile(filepath.Join(s.files, file), []byte(value+"\n"), 0o444)) // another user reads it
	s.rules[name+"_FILE"] = "/secrets/" + file
	s.secrets = append(s.secrets, value)
}

// age makes the memory an hour old, so that nothing is frozen at the start.
func (s *scene) age() {
	s.t.Helper()
	ids := map[sla.StoreID]sla.Platform{}
	for n := range stores {
		ids[sla.StoreID(fmt.Sprintf("AE%02d", n+1))] = simulator.AliExpress
	}
	old := func() time.Time { return time.Now().Add(-time.Hour) }
	st, err := store.Open(s.t.Context(), storetest.As(s.t, s.redis, storetest.Daemon), store.Options{Now: old, Stores: ids, Settle: settle})
	must(s.t, err)
	_, err = st.CheckEpoch(s.t.Context(), old())
	must(s.t, err)
}

// variables writes a file of variables, as "run --env-file" takes it.
func (s *scene) variables(changes map[string]string) string {
	s.t.Helper()
	all := maps.Clone(s.rules)
	maps.Copy(all, changes)
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&text, "%s=%s\n", name, all[name])
	}
	file := filepath.Join(s.t.TempDir(), "rules.env")
	must(s.t, os.WriteFile(file, []byte(text.String()), 0o600))
	return file
}

// A daemon is a container with the address of its probes.
type daemon struct {
	container
	addr string
}

func (s *scene) start(e engine) daemon {
	s.t.Helper()
	l, err := (&net.ListenConfig{}).Listen(s.t.Context(), "tcp", "127.0.0.1:0")
	must(s.t, err)
	addr := l.Addr().String()
	must(s.t, l.Close())
	return daemon{container: e.start(s.variables(map[string]string{"WK_HTTP__LISTEN": addr}), s.files), addr: addr}
}

// ask asks a probe; 0 means that nobody answers.
func (d daemon) ask(path string) (int, string) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.addr+path, http.NoBody)
	must(d.t, err)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(body)
}

// ready waits as the startup probe does.
func (d daemon) ready() {
	d.t.Helper()
	begun := time.Now()
	d.until("ready", starting, func() bool {
		code, _ := d.ask("/readyz")
		return code == http.StatusOK
	})
	d.t.Logf("ready after %s", time.Since(begun).Round(time.Millisecond))
	for _, path := range []string{"/livez", "/metrics"} {
		if code, body := d.ask(path); code != http.StatusOK {
			d.t.Errorf("%s: %d %s", path, code, body)
		}
	}
}

// until waits for something while the container runs.
func (d daemon) until(what string, limit time.Duration, done func() bool) {
	d.t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	end, looked := time.Now().Add(limit), time.Now()
	for !done() {
		if time.Now().After(end) {
			d.t.Fatalf("not %s within %s", what, limit)
		}
		if time.Since(looked) > 5*time.Second {
			looked = time.Now()
			if now := d.state().State; now.Status != "running" {
				d.t.Fatalf("%s, and not %s: exit code %d", now.Status, what, now.ExitCode)
			}
		}
		<-tick.C
	}
}

// answered is how many disputes have an answer, in the platform's own log.
func (s *scene) answered() int {
	s.world.Advance(time.Now())
	seen := map[string]bool{}
	for _, e := range s.world.Log() {
		if e.Actor == simulator.ActorSeller && (e.Kind == simulator.KindAgreed || e.Kind == simulator.KindProposed) {
			seen[e.Subject] = true
		}
	}
	return len(seen)
}

func TestAContainerStopsInTimeUnderLoadAndNothingIsLostOrSentTwice(t *testing.T) {
	t.Parallel()
	e := open(t)
	s := newScene(t)
	first := s.start(e)
	first.ready()
	first.confined()
	first.operated()
	first.until("under load", reading+5*time.Minute, func() bool { return s.answered() > 100 }) // all fall due at once
	t.Log(first.memory())
	s.stop(first)

	second := s.start(e)
	second.ready()
	second.until("done", time.Until(s.due.Add(actBefore)), func() bool { return s.answered() == disputes })
	s.world.Advance(time.Now())
	r := s.world.Report()
	t.Logf("%d obligations, %d answered in time, %d breached, %d effects too many", r.Obligations, r.AnsweredInTime, r.Breached, r.DoubleEffects)
	if r.DoubleEffects != 0 || r.Breached != 0 || r.AnsweredInTime < disputes {
		t.Errorf("something was lost or sent twice: %+v", r.Tally)
	}
	s.stopped(second)
}

// stop ends a container in the midst of its answers, as Kubernetes does.
func (s *scene) stop(d daemon) {
	s.t.Helper()
	before, calls := s.answered(), s.calls.Load()
	took := s.stopped(d)
	after := s.answered()
	s.t.Logf("%d of %d answered and %d calls under way at SIGTERM; ended after %s, with %d more answered",
		before, disputes, calls, took.Round(time.Millisecond), after-before)
	if before > disputes-2000 || calls == 0 {
		s.t.Error("hardly anything was due at the stop: the test shows nothing")
	}
	if n := s.calls.Load(); n != 0 {
		s.t.Errorf("%d calls are under way after the end", n)
	}
}

// stopped ends a container and gives how long that took.
func (s *scene) stopped(d daemon) time.Duration {
	s.t.Helper()
	begun := time.Now()
	if out, err := d.tryWithin(2*grace, "stop", "-t", fmt.Sprint(grace.Seconds()), d.name); err != nil {
		s.t.Fatalf("stop %s: %v\n%s", d.name, err, out)
	}
	took := time.Since(begun)
	if now := d.state().State; now.ExitCode != 0 || now.OOMKilled || took >= grace {
		s.t.Errorf("want it to end by itself within %s, got exit code %d after %s, out of memory %t", grace, now.ExitCode, took, now.OOMKilled)
	}
	said := d.logs()
	if !strings.Contains(said, `"msg":"stopped"`) {
		s.t.Error("its last word is not in the log")
	}
	for _, secret := range s.secrets {
		if strings.Contains(said, secret) {
			s.t.Error("a secret is in the log")
		}
	}
	return took
}

// memory is what the process holds by its own metrics.
func (d daemon) memory() string {
	d.t.Helper()
	_, body := d.ask("/metrics")
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(line, "process_resident_memory_bytes "); ok {
			return "resident memory under load: " + strings.TrimSpace(value)
		}
	}
	return "resident memory under load: not told"
}

// confined looks at the process from outside: nobody in particular, without rights, on a root that cannot be written.
func (d daemon) confined() {
	d.t.Helper()
	proc := fmt.Sprintf("/proc/%d/", d.state().State.Pid)
	raw, err := os.ReadFile(proc + "status")
	if err != nil {
		d.t.Fatalf("the engine runs its containers elsewhere, where a test cannot look: %v", err)
	}
	facts := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		name, value, _ := strings.Cut(line, ":")
		facts[name] = strings.Join(strings.Fields(value), " ")
	}
	if user, _, _ := strings.Cut(facts["Uid"], " "); user == "0" {
		d.t.Error("it runs as root")
	}
	if facts["CapEff"] != strings.Repeat("0", 16) || facts["CapBnd"] != strings.Repeat("0", 16) || facts["NoNewPrivs"] != "1" {
		d.t.Errorf("it has capabilities %s of %s, and may gain new ones: NoNewPrivs %s", facts["CapEff"], facts["CapBnd"], facts["NoNewPrivs"])
	}
	mounts, err := os.ReadFile(proc + "mountinfo")
	must(d.t, err)
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 5 && (f[4] == "/" || f[4] == "/secrets") && !slices.Contains(strings.Split(f[5], ","), "ro") {
			d.t.Errorf("%s can be written: %s", f[4], f[5])
		}
	}
	d.t.Logf("uid %s, seccomp %s", facts["Uid"], facts["Seccomp"])
}

// operated uses the operator's tool inside, by the daemon's own variables.
func (d daemon) operated() {
	d.t.Helper()
	for _, args := range [][]string{{"config", "check"}, {"platforms"}, {"doctor", "--offline"}, {"cases", "ls"}} {
		out, err := d.try(append([]string{"exec", d.name, "/usr/local/bin/wkctl"}, args...)...)
		if err != nil {
			d.t.Errorf("wkctl %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	if out, err := d.try("exec", d.name, "/bin/sh", "-c", "true"); err == nil {
		d.t.Errorf("there is a shell: %s", out)
	}
}

// A container whose secret is missing ends at once and names the variable, which is what "kubectl describe pod" shows.
func TestAContainerWithoutASecretSaysWhichOne(t *testing.T) {
	t.Parallel()
	e := open(t)
	files := t.TempDir()
	must(t, os.Chmod(files, 0o755)) // another user reads it
	variables := filepath.Join(t.TempDir(), "rules.env")
	must(t, os.WriteFile(variables, []byte("WK_STORE__T17__PLATFORM=track17\nWK_STORE__T17__API_KEY_FILE=/secrets/t17-api-key\n"), 0o600))
	c := e.start(variables, files)
	if got := c.ended().State.ExitCode; got != 2 {
		t.Errorf("want exit code 2, got %d", got)
	}
	if said := c.logs(); !strings.Contains(said, "WK_STORE__T17__API_KEY_FILE") || !strings.Contains(said, "/secrets/t17-api-key: no such file") {
		t.Errorf("it does not say what is missing:\n%s", said)
	}
}
