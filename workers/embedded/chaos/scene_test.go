//go:build linux

package chaos_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/connectors/simulator"
	"watchkeeper/sla"
	"watchkeeper/workers/store"
)

// Times of the platform that is played, in real time: what cannot be answered within window - guard is lost.
const (
	window   = 10 * time.Minute
	disputes = 96
	stores   = 12
	amid     = 6                // answers after which a thing breaks
	waits    = 12 * time.Second // an answer that has waited longer is behind
	drained  = 6 * time.Minute  // until the last dispute is answered
	timeLeft = 30 * time.Second // that a person needs
	boot     = 90 * time.Second // until two daemons have begun
)

// A fault is how one scenario is set up and what breaks in it. strike returns when what broke is mended.
type fault struct {
	memory func(*testing.T) memory // nil: standalone
	settle string                  // "": a minute
	via    string                  // what is reached through a proxy: "redis" or "platform"
	strike func(*scene)
}

// A scene is two daemons between a Redis and a platform.
type scene struct {
	t       *testing.T
	world   *simulator.World
	memory  memory
	proxy   *wire
	env     []string
	daemons []*exec.Cmd
}

// binary builds the daemon once for all scenarios.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "watchkeeper-chaos-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "watchkeeper")
	out, err := exec.Command("go", "build", "-o", path, "watchkeeper/cmd/watchkeeper").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the daemon: %w: %s", err, out)
	}
	return path, nil
})

func newScene(t *testing.T, f fault) *scene {
	t.Helper()
	_, err := binary() // before the clock of the platform runs
	must(t, err)
	if f.memory == nil {
		f.memory = standalone
	}
	if f.settle == "" {
		f.settle = "1m"
	}
	s := &scene{t: t, memory: f.memory(t)}
	s.world = simulator.New(simulator.Options{Seed: 41, Start: time.Now(), Days: 1, Disputes: disputes, Shipments: 1, Stores: stores, Window: window, Now: time.Now})
	must(t, s.world.Start())
	hook := httptest.NewServer(s)
	t.Cleanup(hook.Close)
	t.Cleanup(s.world.Close)
	s.env = append(s.env, s.memory.env...)
	platform := s.world.Env()
	address := platform["WK_STORE__AE01__BASE_URL"]
	switch f.via {
	case "redis":
		s.proxy = newWire(t, s.memory.nodes[0].addr)
		s.env[0] = "WK_REDIS__ADDRS=" + s.proxy.addr()
	case "platform":
		s.proxy = newWire(t, strings.TrimPrefix(address, "http://"))
	}
	for name, value := range platform {
		if f.via == "platform" && value == address {
			value = "http://" + s.proxy.addr()
		}
		s.env = append(s.env, name+"="+value)
	}
	settle, err := time.ParseDuration(f.settle)
	must(t, err)
	s.age(settle)
	s.env = append(s.env, "PATH="+os.Getenv("PATH"), "HOME="+os.Getenv("HOME"), "WK_HTTP__LISTEN=127.0.0.1:0", "WK_WORKERS__SWEEP=500ms", "WK_WORKERS__POLL=500ms", "WK_WORKERS__CONCURRENCY=16",
		"WK_SLA__MODE=live", "WK_SLA__ACCEPT_CAP=500USD", "WK_SLA__ACT_BEFORE=12m", "WK_SLA__WARN=2m:chat", "WK_SLA__SETTLE="+f.settle,
		"WK_SLA__GUARD="+(settle+5*time.Second).String(), "WK_STORE__ALIEXPRESS__POLL=5s", "WK_STORE__ALIEXPRESS__RATE=50", "WK_NOTIFY__PAGE_URL="+hook.URL)
	return s
}

// age makes the memory an hour old, so that nothing is frozen at the start.
func (s *scene) age(settle time.Duration) {
	s.t.Helper()
	rdb := redis.NewUniversalClient(&s.memory.options)
	defer func() { _ = rdb.Close() }()
	ids := map[sla.StoreID]sla.Platform{"T17": simulator.Track17}
	for n := range stores {
		ids[sla.StoreID(fmt.Sprintf("AE%02d", n+1))] = simulator.AliExpress
	}
	old := func() time.Time { return time.Now().Add(-time.Hour) }
	st, err := store.Open(s.t.Context(), rdb, store.Options{Now: old, Stores: ids, Settle: settle})
	must(s.t, err)
	_, err = st.CheckEpoch(s.t.Context(), old())
	must(s.t, err)
}

// spawn starts a daemon. Its log is shown when the test fails.
func (s *scene) spawn() {
	s.t.Helper()
	path, err := binary()
	must(s.t, err)
	cmd := exec.Command(path)
	cmd.Env = s.env
	out, err := os.CreateTemp(s.t.TempDir(), "daemon-*.log")
	must(s.t, err)
	cmd.Stdout, cmd.Stderr = out, out
	must(s.t, cmd.Start())
	s.daemons = append(s.daemons, cmd)
	s.t.Cleanup(func() {
		end(cmd)
		if s.t.Failed() {
			s.t.Logf("%s", s.excerpt(out))
		}
		_ = out.Close()
	})
}

// excerpt is what a log says of a few disputes that wait still.
func (s *scene) excerpt(f *os.File) string {
	raw, err := os.ReadFile(f.Name())
	if err != nil {
		return err.Error()
	}
	owed, _ := s.open()
	waiting := slices.Sorted(maps.Keys(owed))
	waiting = waiting[:min(len(waiting), 3)]
	var keep []string
	for line := range strings.Lines(string(raw)) {
		if slices.ContainsFunc(waiting, func(id string) bool { return strings.Contains(line, id) }) || strings.Contains(line, "loop") {
			keep = append(keep, line[:min(len(line), 400)])
		}
	}
	return fmt.Sprintf("%s, %d disputes waiting\n%s", f.Name(), len(owed), strings.Join(keep, ""))
}

// spoke tells how often the logs of all daemons have some words.
func (s *scene) spoke(words string) int {
	s.t.Helper()
	n := 0
	for _, d := range s.daemons {
		f, ok := d.Stdout.(*os.File)
		if !ok {
			s.t.Fatal("a daemon without a log")
		}
		in, err := os.Open(f.Name())
		must(s.t, err)
		raw, err := io.ReadAll(in)
		must(s.t, errOr(err, in.Close()))
		n += strings.Count(string(raw), words)
	}
	return n
}

func errOr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// log is the platforms' own log up to now.
func (s *scene) log() []simulator.Entry {
	s.world.Advance(time.Now())
	return s.world.Log()
}

// answers counts what the platform has taken from the seller.
func (s *scene) answers() int {
	n := 0
	for _, e := range s.log() {
		if e.Actor == simulator.ActorSeller && e.Kind != simulator.KindRefused && e.Kind != simulator.KindExtended {
			n++
		}
	}
	return n
}

// open lists the disputes that wait for an answer, and since when, of the platform's own log; those that the playbook leaves to a person are
// no longer the fleet's from the page on. silent counts the deadlines that fell although no such page came in time.
func (s *scene) open() (owed map[string]time.Time, silent int) {
	owed, paged := map[string]time.Time{}, map[string]time.Time{}
	for _, e := range s.log() {
		switch e.Kind {
		case simulator.KindOwed:
			owed[e.Subject] = e.At
			delete(paged, e.Subject)
		case simulator.KindPaged:
			delete(owed, e.Subject)
			paged[e.Subject] = e.At
		case simulator.KindBreached:
			if at, told := paged[e.Subject]; !told || e.At.Sub(at) < timeLeft {
				silent++
			}
			delete(owed, e.Subject)
		case simulator.KindAgreed, simulator.KindProposed, simulator.KindEvidence, simulator.KindReceived, simulator.KindEdited,
			simulator.KindWithdrawn, simulator.KindArbitrated:
			delete(owed, e.Subject)
		}
	}
	return owed, silent
}

// behind counts the disputes that have waited too long.
func (s *scene) behind() int {
	owed, _ := s.open()
	n := 0
	for _, since := range owed {
		if time.Since(since) > waits {
			n++
		}
	}
	return n
}

// ServeHTTP is the hook for pages. A page because time was short excuses nothing.
func (s *scene) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var m struct {
		Store string `json:"store"`
		Case  string `json:"case"`
		Why   string `json:"why"`
	}
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		s.t.Errorf("a page that cannot be read: %v", err)
		return
	}
	if m.Why == sla.WhyPersonNeeded.String() {
		_, native, _ := strings.Cut(m.Case, "/")
		s.world.PageTo(sla.DisputeID{Platform: simulator.AliExpress, Store: sla.StoreID(m.Store), Native: native}, time.Now())
	}
}

// play lets two daemons work, breaks one thing amid their answers, and judges. It tells how long the fault was felt.
func (s *scene) play(f fault, within time.Duration) time.Duration {
	s.t.Helper()
	s.spawn()
	s.spawn()
	eventually(s.t, boot, "the first answers", func() bool { return s.answers() >= amid })
	begun := time.Now()
	f.strike(s)
	mended := s.answers()
	eventually(s.t, 2*within, "nothing waits any more", func() bool { return s.answers() > mended && s.behind() == 0 })
	felt := time.Since(begun)
	eventually(s.t, drained, "every dispute is answered", func() bool {
		owed, _ := s.open()
		return s.world.Report().Disputes == disputes && len(owed) == 0
	})
	r := s.world.Report()
	if _, silent := s.open(); silent != 0 || r.DoubleEffects != 0 || r.CrossedPerson != 0 {
		s.t.Errorf("late %d, twice %d, across a person's answer %d: want none", silent, r.DoubleEffects, r.CrossedPerson)
	}
	if r.AnsweredInTime < disputes/2 {
		s.t.Errorf("answered %d of %d: want half at least, the rest being the buyers' and a person's", r.AnsweredInTime, disputes)
	}
	if felt > within {
		s.t.Errorf("felt for %s: want at most %s", felt.Round(time.Second), within)
	}
	s.t.Logf("felt for %s; %d answers, none late, none twice", felt.Round(100*time.Millisecond), r.AnsweredInTime)
	return felt
}

// stop asks a daemon to end, and wants it to end well.
func (s *scene) stop(d *exec.Cmd) {
	s.t.Helper()
	must(s.t, d.Process.Signal(os.Interrupt))
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- d.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			s.t.Errorf("a daemon that was told to stop: %v", err)
		}
	case <-ctx.Done():
		s.t.Error("a daemon that was told to stop goes on")
	}
}
