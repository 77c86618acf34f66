package embedded_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"watchkeeper/connectors/simulator"
	"watchkeeper/sla"
)

// burstSpeed is how much faster than real time the two daemons live: a claim of a minute still outlasts an answer on a slow machine.
const burstSpeed = 20

// mostLate is how long after a thrown kill switch an answer may still leave, in real time.
const mostLate = 5 * time.Second

// hook is a webhook that counts what people are told, by kind.
type hook struct {
	mu   sync.Mutex
	told map[string]int
}

func (h *hook) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var m struct {
		Kind string `json:"kind"`
	}
	_ = json.NewDecoder(r.Body).Decode(&m) // what cannot be read has no kind
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told[m.Kind]++
}

func (h *hook) count(kind string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.told[kind]
}

// A burst is two daemons in the middle of answering many cases at once. There are many stores, because each has an allowance of calls.
type burst struct {
	*scene
	hook     *hook
	daemons  []*exec.Cmd
	breached int
}

func newBurst(t *testing.T) *burst {
	t.Helper()
	b := &burst{
		scene: newScene(t, burstSpeed, simulator.Options{Seed: 23, Days: 4, Disputes: 320, Shipments: 1, Stores: 20, Person: true}),
		hook:  &hook{told: map[string]int{}},
	}
	server := httptest.NewServer(b.hook)
	t.Cleanup(server.Close)
	b.breached = b.world.Report().Breached // before anybody was on watch
	for range 2 {
		b.daemons = append(b.daemons, b.spawn("WK_NOTIFY__CHAT_URL="+server.URL, "WK_SLA__WARN=110h:chat,70h:page"))
	}
	return b
}

// answers is every answer that the platform has taken.
func (b *burst) answers() []simulator.Entry {
	var out []simulator.Entry
	for _, e := range b.world.Log() {
		if e.Actor == simulator.ActorSeller {
			out = append(out, e)
		}
	}
	return out
}

// waiting counts the cases that are neither answered nor a person's.
func (b *burst) waiting() int {
	n := 0
	err := b.store.EachCase(b.t.Context(), func(c sla.CaseRecord) error {
		if c.Open() && c.Obligation.Turn != 0 && !c.Answered && c.Paged < sla.StageAct {
			n++
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// throwAmid lets readings of disputes hang, as before an answer, until so many do; then it throws the switch, lets them go on, and tells when the
// switch was thrown.
func (b *burst) throwAmid(hanging int) time.Time {
	b.t.Helper()
	full := make(chan struct{})
	var mu sync.Mutex
	held := 0
	b.world.Inject(func(r *http.Request, p simulator.Phase) simulator.Verdict {
		if p != simulator.Before || r.Form.Get("method") != "aliexpress.issue.detail.get" {
			return simulator.Proceed
		}
		mu.Lock()
		defer mu.Unlock()
		if held == hanging {
			return simulator.Proceed
		}
		if held++; held == hanging {
			close(full)
		}
		return simulator.Hang
	})
	select {
	case <-full:
	case <-time.After(time.Minute):
		b.t.Fatal("the burst was over before the switch was thrown")
	}
	if err := b.store.SetKill(b.t.Context(), sla.KillScope{}, true, "test: wrong prices", b.now()); err != nil {
		b.t.Fatal(err)
	}
	thrown := b.now()
	b.world.Release()
	return thrown
}

func TestAKillSwitchInABurstStopsTwoDaemons(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts real processes for half a minute")
	}
	b := newBurst(t)
	b.eventually("a burst of answers", func() bool { return len(b.answers()) >= 25 })
	warned, paged := b.hook.count("warning"), b.hook.count("page")
	thrown := b.throwAmid(8)
	before, waiting := len(b.answers()), b.waiting()
	b.eventually("people are told, and the time is over in which an answer may leave", func() bool {
		return b.hook.count("warning") >= warned+10 && b.hook.count("page") >= paged+10 && b.now().Sub(thrown) > (mostLate+time.Second)*burstSpeed
	})
	stopped := b.answers()
	late := stopped[len(stopped)-1].At.Sub(thrown) / burstSpeed // negative: it was taken before
	t.Logf("%d answers before the switch, %d after; %d cases waiting; the last answer was taken %s after it; %d warnings and %d pages since", before,
		len(stopped)-before, waiting, late, b.hook.count("warning")-warned, b.hook.count("page")-paged)
	if late > mostLate || waiting < 30 {
		t.Errorf("an answer was taken %s after the switch, with %d cases waiting: want at most %s, and at least 30", late, waiting, mostLate)
	}
	if err := b.store.SetKill(t.Context(), sla.KillScope{}, false, "test: prices are right", b.now()); err != nil {
		t.Fatal(err)
	}
	b.eventually("the rest is answered", func() bool { return b.waiting() == 0 })
	if r := b.world.Report(); r.Breached != b.breached || r.DoubleEffects != 0 || len(b.answers()) <= len(stopped) {
		t.Errorf("breached %d, double effects %d, %d answers after %d", r.Breached, r.DoubleEffects, len(b.answers()), len(stopped))
	}
	for _, d := range b.daemons {
		b.tookPart(d)
	}
}

// tookPart checks that a daemon has answered, and that the switch has stopped it.
func (b *burst) tookPart(daemon *exec.Cmd) {
	b.t.Helper()
	out, ok := daemon.Stdout.(*os.File)
	if !ok {
		b.t.Fatal("a daemon without a log")
	}
	log, err := os.ReadFile(out.Name())
	if err != nil {
		b.t.Fatal(err)
	}
	answered, stopped := strings.Count(string(log), `"outcome": "accepted"`), strings.Count(string(log), "nothing may be sent now")
	b.t.Logf("a daemon: %d answers, stopped %d times", answered, stopped)
	if answered == 0 || stopped == 0 {
		b.t.Errorf("a daemon has answered %d times and was stopped %d times: it took no part", answered, stopped)
	}
}
