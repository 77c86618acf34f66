package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"watchkeeper/connectors/simulator"
	"watchkeeper/sla"
	"watchkeeper/workers/embedded"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

// readings are the calls of the marketplace that change nothing in it; the renewal of a token is our own affair, and a tracking provider wants
// numbers registered before it tells of them.
var readings = []string{
	"aliexpress.issue.issuelist.get", "aliexpress.issue.detail.get", "aliexpress.solution.order.info.get",
	"aliexpress.logistics.redefining.querytrackingresult",
}

// An ear hears every request to the marketplace.
type ear struct {
	mu     sync.Mutex
	reads  int
	writes []string
}

func (e *ear) hear(r *http.Request, p simulator.Phase) simulator.Verdict {
	method := r.Form.Get("method")
	ours := strings.HasPrefix(r.URL.Path, "/rest/auth/token/") || r.Form.Get("app_key") == "" // the latter is the tracking provider
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case p != simulator.Before || ours:
	case slices.Contains(readings, method):
		e.reads++
	default:
		e.writes = append(e.writes, method)
	}
	return simulator.Proceed
}

// A shadowSum is what the test reads of the report.
type shadowSum struct {
	Decisions  int            `json:"decisions"`
	Answers    map[string]int `json:"answers"`
	Ended      int            `json:"ended"`
	Did        map[string]int `json:"ended_by"`
	Compared   int            `json:"compared"`
	PeoplePaid []amount       `json:"people_paid"`
	SilenceDid []amount       `json:"silence_did_cost"`
}

// playShadow plays in shadow, and gives the report and the lines of the audit that it was made from.
func playShadow(t *testing.T, world simulator.Options) (*embedded.House, *ear, shadowSum, []handle.Line) {
	t.Helper()
	h, err := embedded.New(t.Context(), embedded.Options{
		Redis: storetest.Start(t), World: world, Step: time.Hour,
		Env: map[string]string{"WK_SLA__MODE": "shadow", "WK_STORE__AE01__POLL": "2h", "WK_STORE__T17__POLL": "4h"},
	})
	must(t, err)
	t.Cleanup(h.Close)
	ears := &ear{}
	h.World.Inject(ears.hear)
	must(t, h.Until(t.Context(), h.Now().AddDate(0, 0, world.Days), nil))
	var report struct {
		Total shadowSum `json:"total"`
	}
	within(t, h, &report, "shadow", "report", "--since", "60d")
	var lines []handle.Line
	must(t, h.Fleet.Store().EachAudit(t.Context(), time.Time{}, func(kept store.AuditLine) error {
		var l handle.Line
		if json.Unmarshal(kept.Line, &l) == nil && l.Event == handle.EventShadow {
			lines = append(lines, l)
		}
		return nil
	}))
	return h, ears, report.Total, lines
}

func TestAShadowMonthSendsNothing(t *testing.T) {
	t.Parallel()
	h, ears, report, lines := playShadow(t, simulator.Options{Seed: 29, Days: 30, Disputes: 120, Shipments: 80, Person: true, Faults: simulator.AllFaults()})
	if len(ears.writes) != 0 || ears.reads < 500 {
		t.Errorf("the marketplace has heard %d readings and %v: want many, and nothing else", ears.reads, ears.writes)
	}
	for _, e := range h.World.Log() {
		if e.Actor == simulator.ActorSeller && e.Kind != simulator.KindRegistered {
			t.Errorf("the seller has done something: %+v", e)
		}
	}
	turns, would := map[string]bool{}, map[string]int{}
	for _, l := range lines {
		if key := l.Case + " " + l.Turn; !turns[key] {
			turns[key] = true
			would[wouldDo(l)]++
		}
	}
	t.Logf("%d readings, no write; report: %+v", ears.reads, report)
	if report.Decisions != len(turns) || report.Decisions < 80 || report.Compared < 40 || len(report.PeoplePaid) == 0 {
		t.Errorf("want the %d decisions of the audit and people's answers beside them, got %+v", len(turns), report)
	}
	for kind, n := range would {
		if report.Answers[kind] != n {
			t.Errorf("%s: the audit has %d, the report %d", kind, n, report.Answers[kind])
		}
	}
	if r := h.World.Report(); r.Breached != 0 || report.Did[endedSilent] != 0 {
		t.Errorf("%d breached, %d reported: people were paged", r.Breached, report.Did[endedSilent])
	}
}

// TestShadowReportKnowsWhatSilenceCost plays with nobody who listens to pages, so that deadlines fall.
func TestShadowReportKnowsWhatSilenceCost(t *testing.T) {
	t.Parallel()
	h, _, report, lines := playShadow(t, simulator.Options{Seed: 31, Days: 12, Disputes: 60, Shipments: 60})
	decided := map[string]bool{} // an obligation is known by its dispute and deadline
	for _, l := range lines {
		decided[l.Case+" "+l.Facts.Deadline.UTC().Format(time.RFC3339)] = true
	}
	fell, cost, seen := 0, int64(0), report.Did[endedSilent]
	for _, e := range h.World.Log() {
		switch {
		case e.Kind != simulator.KindBreached || !decided[string(e.Store)+"/"+e.Subject+" "+e.Deadline.UTC().Format(time.RFC3339)]:
		case fell < seen:
			fell++
			cost += e.Amount.Minor
		case e.At.Before(h.Now().Add(-6 * time.Hour)):
			t.Errorf("the report does not know that a deadline fell: %+v", e) // of the last hours nobody has read yet
		}
	}
	got := int64(0)
	for _, m := range report.SilenceDid {
		paid, err := sla.ParseMoney(m.Amount, m.Currency)
		must(t, err)
		got += paid.Minor
	}
	t.Logf("%d deadlines fell for %d cents; report: %+v", fell, cost, report)
	if fell < 10 || seen != fell || got != cost {
		t.Errorf("%d deadlines fell for %d cents, and the report says %d for %d", fell, cost, seen, got)
	}
}
