// Package roundtrip_test lets a platform go dark under two real daemons, and looks whether Prometheus and Alertmanager, with the rules and routes that are
// shipped, wake somebody in time, and whether they say so when it is over.
package roundtrip_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"watchkeeper/workers/embedded/soak"
)

const imminent = "DisputeDeadlineImminent"

// programs finds what the test starts beside the daemons. Where .ci/run could install them, their absence is a failure.
func programs(t *testing.T) (prometheus, alertmanager string) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes minutes: the alert looks a real clock in the face")
	}
	if raced {
		t.Skip("the detector sees nothing of other processes")
	}
	if os.Getenv("ROUNDTRIP") == "" {
		t.Skip("takes two minutes: run it with ROUNDTRIP=1, as .ci/run and make roundtrip do")
	}
	found := map[string]string{}
	for program, names := range map[string][]string{
		"redis-server": {"redis-server"}, "prometheus": {"prometheus"}, "alertmanager": {"alertmanager", "prometheus-alertmanager"},
	} {
		for _, name := range names {
			if path, err := exec.LookPath(name); err == nil {
				found[program] = path
			}
		}
		if found[program] == "" {
			if os.Getenv("ROUNDTRIP") == "required" {
				t.Fatalf("no %s on the PATH", program)
			}
			t.Skipf("no %s on the PATH (Debian: redis-server, prometheus, prometheus-alertmanager)", program)
		}
	}
	return found["prometheus"], found["alertmanager"]
}

func TestAPlatformThatGoesDarkWakesSomebodyBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	prometheusAt, alertmanagerAt := programs(t)
	binary, err := soak.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h, redisAt := newHook(t), memory(t)
	begun := time.Now()
	p := newPlatform(t, begun)
	one, two := daemon(t, binary, redisAt, p), daemon(t, binary, redisAt, p)
	m := prometheus(t, prometheusAt, alertmanager(t, alertmanagerAt, h.url), one, two)

	eventually(t, "every dispute is read", due/2, func() bool { asked, _ := p.counts(); return asked == disputes })
	p.dark.Store(true)
	eventually(t, "somebody is woken", 3*time.Minute, func() bool { return len(h.told("firing")) > 0 })
	page := h.told("firing")[0]
	looksLikeAPage(t, page, begun.Add(deadline))
	if _, denied := p.counts(); denied == 0 {
		t.Error("nobody called the platform while it was dark: the test shows nothing")
	}
	if n := p.Report().AnsweredInTime; n > 0 {
		t.Errorf("%d were answered before: the test shows nothing", n)
	}
	staysWithOneOfTwo(t, h, m, one, begun.Add(deadline))

	p.dark.Store(false)
	eventually(t, "every dispute is answered", 2*time.Minute, func() bool { return p.Report().AnsweredInTime == disputes })
	answered := time.Now()
	eventually(t, "whoever was woken is told that it is over", 2*time.Minute, func() bool { return len(h.told("resolved")) > 0 })
	over := h.told("resolved")[0]
	t.Logf("woken %s after the start and %s before the deadline, told that it is over %s after the last answer; tickets: %v",
		page.at.Sub(begun).Round(time.Second), begun.Add(deadline).Sub(page.at).Round(time.Second), over.at.Sub(answered).Round(time.Second), h.names("tickets"))
	if over.receiver != "pager" || over.at.Before(answered) {
		t.Errorf("want the same receiver told after the last answer at %s, got %+v", answered, over)
	}
	if r := p.Report(); r.Breached+r.DoubleEffects > 0 {
		t.Errorf("%d deadlines passed, %d effects came twice", r.Breached, r.DoubleEffects)
	}
	nothingElseIsTold(t, h)
}

// staysWithOneOfTwo kills one of two daemons that tell the same, and holds that the alert does not notice.
func staysWithOneOfTwo(t *testing.T, h *hook, m monitor, one *process, deadline time.Time) {
	t.Helper()
	same := fmt.Sprintf(`count(abs(watchkeeper_earliest_deadline_timestamp_seconds{platform="aliexpress"} - %d) < 2)`, deadline.Unix())
	eventually(t, "both daemons tell of the deadline", 30*time.Second, func() bool { return m.is(t, same, "2") })
	one.kill()
	eventually(t, "prometheus sees that one is gone", 10*time.Second, func() bool { return m.is(t, `sum(up{job="watchkeeper"})`, "1") })
	stays(t, 12*time.Second, "the alert, when one of two daemons is killed", func() bool { return len(h.told("resolved")) == 0 })
	if n := len(h.told("firing")); n != 1 {
		t.Errorf("somebody was woken %d times within a minute", n)
	}
	if since := `changes(ALERTS_FOR_STATE{alertname="` + imminent + `"}[3m])`; !m.is(t, since, "0") {
		t.Errorf("want one alert that fires without a gap, got %s = %q", since, m.ask(t, since))
	}
}

// nothingElseIsTold holds what each receiver was told of in all. Nothing but the deadline wakes anybody: the daemons sweep, count and read their
// clocks and Redis all the time, no deadline passes, and three disputes take little of a platform's time. Tickets tell of the dark platform alone;
// the rest of what they could tell takes longer.
func nothingElseIsTold(t *testing.T, h *hook) {
	t.Helper()
	if got := h.names("pager"); !slices.Equal(got, []string{imminent}) {
		t.Errorf("somebody was woken by %v: want %s alone", got, imminent)
	}
	if fired, over := len(h.told("firing")), len(h.told("resolved")); fired != 1 || over != 1 {
		t.Errorf("%s was told %d times, and %d times that it is over: want once each", imminent, fired, over)
	}
	for _, ticket := range h.names("tickets") {
		if !slices.Contains([]string{"PlatformCallsBurnFast", "PollsBurnFast"}, ticket) {
			t.Errorf("a ticket tells of %s", ticket)
		}
	}
	if got := h.names("dead-man"); !slices.Equal(got, []string{"Watchdog"}) {
		t.Errorf("the dead man's switch was told of %v: want Watchdog", got)
	}
}

var away = regexp.MustCompile(`without an answer is ([0-9hms ]+) away`)

// looksLikeAPage holds what somebody reads who was woken, and when.
func looksLikeAPage(t *testing.T, a alert, deadline time.Time) {
	t.Helper()
	t.Logf("%s\n%s\n%s\n%v", a.Annotations["summary"], a.Annotations["description"], a.Annotations["runbook_url"], a.Labels)
	if left := deadline.Sub(a.at); left < early {
		t.Errorf("it came %s before the deadline: want at least %s", left, early)
	}
	if a.receiver != "pager" || a.Labels["severity"] != "critical" || a.Labels["platform"] != "aliexpress" {
		t.Errorf("want a page about aliexpress, got %s and %v", a.receiver, a.Labels)
	}
	for name, part := range map[string]string{"summary": "aliexpress", "description": "aliexpress", "runbook_url": "deploy/runbooks/" + imminent + ".md"} {
		if !strings.Contains(a.Annotations[name], part) {
			t.Errorf("want %q in the %s, got %q", part, name, a.Annotations[name])
		}
	}
	found := away.FindStringSubmatch(a.Annotations["description"])
	if found == nil {
		t.Fatalf("the description does not say how far away the deadline is: %q", a.Annotations["description"])
	}
	told, err := time.ParseDuration(strings.ReplaceAll(found[1], " ", ""))
	if off := (told - deadline.Sub(a.at)).Abs(); err != nil || off > 5*time.Second {
		t.Errorf("the description says that the deadline is %q away: it is %s away (%v)", found[1], deadline.Sub(a.at), err)
	}
}

// stays holds that something is so for a while.
func stays(t *testing.T, long time.Duration, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(long); time.Now().Before(end); <-tick.C {
		if !is() {
			t.Errorf("%s: is over", what)
			return
		}
	}
}
