package embedded_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"watchkeeper/connectors/all"
	"watchkeeper/connectors/simulator"
	"watchkeeper/sla"
	"watchkeeper/workers/fleet"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

// childClock, when set, makes the test binary a daemon on a fast clock: "real start, virtual start, speed", the first two in Unix milliseconds.
const childClock = "FLEET_CHILD_CLOCK"

// killSpeed is how much faster than real time the processes live that are killed.
const killSpeed = 40

func TestMain(m *testing.M) {
	if spec := os.Getenv(childClock); spec != "" {
		if err := daemon(spec); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1) //nolint:forbidigo // the test binary is a daemon here
		}
		return
	}
	os.Exit(m.Run()) //nolint:forbidigo // TestMain is the main of tests
}

// daemon is a whole fleet in a process of its own, as cmd/watchkeeper runs it but for the clock.
func daemon(spec string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	now, err := fastClock(spec)
	if err != nil {
		return err
	}
	config, book, err := fleet.Load(ctx, os.Environ(), all.Platforms())
	if err != nil {
		return err
	}
	log, err := zap.NewDevelopment()
	if err != nil {
		return err
	}
	f, err := fleet.New(ctx, fleet.Options{Config: config, Book: book, Registry: all.Platforms(), Now: now, VirtualTime: true, Log: log})
	if err != nil {
		return err
	}
	return f.Run(ctx)
}

func fastClock(spec string) (func() time.Time, error) {
	var begun, virtual, speed int64
	if _, err := fmt.Sscanf(spec, "%d,%d,%d", &begun, &virtual, &speed); err != nil {
		return nil, fmt.Errorf("clock %q: %w", spec, err)
	}
	return func() time.Time {
		return time.UnixMilli(virtual).Add(time.Since(time.UnixMilli(begun)) * time.Duration(speed)).UTC()
	}, nil
}

// scene is real Redis, simulated platforms, and processes to kill.
type scene struct {
	t     *testing.T
	world *simulator.World
	spec  string
	now   func() time.Time
	redis string
	store *store.Store
}

func newScene(t *testing.T, speed int, o simulator.Options) *scene {
	t.Helper()
	start := time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)
	s := &scene{t: t, redis: storetest.Start(t)}
	s.spec = fmt.Sprintf("%d,%d,%d", time.Now().UnixMilli(), start.UnixMilli(), speed)
	now, err := fastClock(s.spec)
	if err != nil {
		t.Fatal(err)
	}
	s.now = now
	o.Start, o.Now = start, s.now
	s.world = simulator.New(o)
	if err := s.world.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.world.Close)
	rdb := storetest.Connect(t, s.redis)
	// The memory is an hour old, so that nothing is frozen at the start.
	old := func() time.Time { return start.Add(-time.Hour) }
	stores := map[sla.StoreID]sla.Platform{"T17": simulator.Track17}
	for n := range max(o.Stores, 1) {
		stores[sla.StoreID(fmt.Sprintf("AE%02d", n+1))] = simulator.AliExpress
	}
	if s.store, err = store.Open(t.Context(), rdb, store.Options{Now: old, Stores: stores}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.store.CheckEpoch(t.Context(), old()); err != nil {
		t.Fatal(err)
	}
	return s
}

// spawn starts a daemon that answers everything at once. Its log is shown when the test fails.
func (s *scene) spawn(variables ...string) *exec.Cmd {
	s.t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childClock+"="+s.spec, "WK_REDIS__ADDRS="+s.redis, "WK_HTTP__LISTEN=127.0.0.1:0", "WK_SLA__MODE=live",
		"WK_SLA__ACCEPT_CAP=500USD", "WK_SLA__ACT_BEFORE=5d", "WK_STORE__AE01__POLL=5m", "WK_STORE__T17__POLL=30m")
	for name, value := range s.world.Env() {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Env = append(cmd.Env, variables...)
	out, err := os.CreateTemp(s.t.TempDir(), "daemon-*.log")
	if err != nil {
		s.t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if s.t.Failed() {
			if _, err := out.Seek(0, 0); err == nil {
				log, _ := io.ReadAll(out)
				s.t.Logf("%s:\n%s", out.Name(), log)
			}
		}
		_ = out.Close()
	})
	return cmd
}

// eventually waits until something is so, looking many times a second; the time is only a bound for a broken program.
func (s *scene) eventually(what string, is func() bool) {
	s.t.Helper()
	deadline := time.NewTimer(2 * time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline.C:
			s.t.Fatalf("in vain: %s", what)
		}
	}
}

// effects lists what the seller did through the API in one dispute, by turn, extensions left out.
func (s *scene) effects(issue string) map[int]int {
	out := map[int]int{}
	for _, e := range s.world.Log() {
		if e.Subject == issue && e.Actor == simulator.ActorSeller && (e.Kind == simulator.KindAgreed || e.Kind == simulator.KindProposed) {
			out[e.Turn]++
		}
	}
	return out
}

func TestKilledMidAnswerTheAnswerIsSentExactlyOnce(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts and kills real processes for half a minute")
	}
	for name, phase := range map[string]simulator.Phase{"request never arrived": simulator.Before, "effect happened, reply lost": simulator.AfterEffect} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, killSpeed, simulator.Options{Seed: 11, Days: 4, Disputes: 16, Shipments: 40, Person: true})
			struck := make(chan string, 1)
			var once atomic.Bool
			s.world.Inject(func(r *http.Request, p simulator.Phase) simulator.Verdict {
				issue, writes := issueOf(r)
				if p != phase || !writes || !once.CompareAndSwap(false, true) {
					return simulator.Proceed
				}
				struck <- issue
				return simulator.Hang
			})
			first := s.spawn()
			var issue string
			select {
			case issue = <-struck:
			case <-time.After(2 * time.Minute):
				t.Fatal("no answer was sent")
			}
			if err := first.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = first.Wait() // killed, as it was told
			s.spawn()
			id := sla.DisputeID{Platform: simulator.AliExpress, Store: "AE01", Native: issue}
			s.eventually("the attempt is settled", func() bool {
				attempts, err := s.store.Attempts(t.Context(), id)
				if err != nil || len(attempts) == 0 {
					return false
				}
				for _, a := range attempts {
					if a.Side == sla.AnswerNone && a.State != sla.AttemptSettled {
						return false
					}
				}
				return len(s.effects(issue)) > 0
			})
			for turn, n := range s.effects(issue) {
				if n != 1 {
					t.Errorf("turn %d: want exactly one effect, got %d", turn, n)
				}
			}
			if r := s.world.Report(); r.DoubleEffects != 0 || r.Breached != 0 {
				t.Errorf("double effects %d, breached %d", r.DoubleEffects, r.Breached)
			}
		})
	}
}

// issueOf says which dispute a request would change.
func issueOf(r *http.Request) (string, bool) {
	switch r.Form.Get("method") {
	case "aliexpress.issue.solution.agree":
		return r.Form.Get("issue_id"), true
	case "aliexpress.issue.solution.save":
		_, after, _ := strings.Cut(r.Form.Get("param_dto"), `"issue_id":`)
		digits := strings.TrimLeft(after, `" `)
		if i := strings.IndexFunc(digits, func(c rune) bool { return c < '0' || c > '9' }); i >= 0 {
			digits = digits[:i]
		}
		return digits, true
	}
	return "", false
}
