package embedded_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/connectors/simulator"
	"watchkeeper/sla"
	"watchkeeper/workers/embedded"
	"watchkeeper/workers/store/storetest"
	"watchkeeper/workers/trace/tracetest"
)

// traced is an environment in which everything is traced, and every dispute is due when it is first seen.
func traced(c *tracetest.Collector) map[string]string {
	return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_BSP_MAX_QUEUE_SIZE": "65536", "WK_SLA__ACT_BEFORE": "119h"}
}

// answers are the turns of which the ledger tells that they were settled, by their traces, with what was done until then and without what was only
// read: the trees of the first answer, and the roots that came after it.
func answers(c *tracetest.Collector) map[string]string {
	out := map[string]string{}
	for _, s := range c.Named("ledger.settle") {
		if s.About["watchkeeper.state"] == "settled" {
			did := slices.DeleteFunc(c.Trace(s.Trace), func(s tracetest.Span) bool { return s.About["watchkeeper.call"] == "read" })
			out[s.Trace] = tracetest.Tree(did)
		}
	}
	return out
}

// fromPoll checks that the first span of a trace is a row that a poll has brought, and gives the poll.
func fromPoll(t *testing.T, c *tracetest.Collector, id string) tracetest.Span {
	t.Helper()
	first := c.Trace(id)[0]
	if first.Name != "intake" || len(first.Links) != 1 {
		t.Fatalf("want the trace to begin with a row and the poll that brought it, got %+v", first)
	}
	polls := slices.DeleteFunc(c.Trace(first.Links[0]), func(s tracetest.Span) bool { return s.Name != "poll" })
	if len(polls) != 1 || first.About["watchkeeper.verdict"] != "new" || first.Start.Before(polls[0].Start) || first.End.After(polls[0].End) {
		t.Fatalf("want a new row within its poll, got %+v of %+v", first, polls)
	}
	return polls[0]
}

const answered = `
    case.respond
      ledger.claim
      ledger.intent
      aliexpress issue.solution.EFFECT
      ledger.settle
`

// as is a tree with whatever effect an answer had.
func as(tree string) string {
	return strings.NewReplacer("solution.save", "solution.EFFECT", "solution.agree", "solution.EFFECT").Replace(tree)
}

func TestATurnIsOneTraceFromPollToSettled(t *testing.T) {
	t.Parallel()
	c := tracetest.New(t)
	h := play(t, embedded.Options{Env: traced(c), World: simulator.Options{Seed: 3, Days: 3, Disputes: 12, Shipments: 6}}, 3)
	h.Close()
	all := answers(c)
	whole := 0
	for id, tree := range all {
		poll := fromPoll(t, c, id)
		if poll.About["watchkeeper.feed"] != "disputes" || poll.About["watchkeeper.changed"] == "0" {
			t.Errorf("want a poll of disputes that brought something, got %v", poll.About)
		}
		if strings.HasPrefix(as(tree), "intake\n  case.assess"+answered) {
			whole++ // not put off, and not sent again
		}
		checkTurn(t, c.Trace(id))
	}
	if len(all) < 5 || whole < len(all)/2 {
		t.Errorf("want most of some answers to be told from the row to the ledger in one tree, got %d of %d: %v", whole, len(all), all)
	}
	for _, s := range c.Named("poll") {
		if s.Parent != "" || s.Error != "" || s.About["watchkeeper.outcome"] == "" || s.About["watchkeeper.rows"] == "" {
			t.Errorf("want a poll to be a root that tells its rows, and no failure, got %+v", s)
		}
	}
	told, changed := 0, changedRows(t, c)
	for _, s := range c.Named("intake") {
		if len(s.Links) > 0 && slices.ContainsFunc(c.Trace(s.Links[0]), func(p tracetest.Span) bool { return p.Name == "poll" }) {
			told++
		}
	}
	if told != changed {
		t.Errorf("want a span of each of the %d rows that had changed and of no other, got %d", changed, told)
	}
}

// checkTurn checks what every span of a turn must tell, and that calls are under the work that made them.
func checkTurn(t *testing.T, spans []tracetest.Span) {
	t.Helper()
	var about sla.DisputeID
	for _, s := range spans {
		if s.About["watchkeeper.call"] != "" {
			if s.Parent == "" || !strings.HasPrefix(s.Name, "aliexpress ") {
				t.Errorf("want a call under its work, got %+v", s)
			}
			continue
		}
		id, err := sla.ParseDisputeID(s.About["watchkeeper.dispute"])
		if err != nil || about != (sla.DisputeID{}) && id != about {
			t.Errorf("want every span to name the one dispute, got %+v", s)
		}
		if about = id; s.Name == "case.assess" && (len(s.Events) == 0 || !strings.HasPrefix(s.Events[0], "decided action=")) {
			t.Errorf("want the decision told, got %+v", s)
		}
	}
}

// changedRows are those of all polls of disputes together.
func changedRows(t *testing.T, c *tracetest.Collector) int {
	t.Helper()
	sum := 0
	for _, s := range c.Named("poll") {
		if s.About["watchkeeper.feed"] == "disputes" {
			n, err := strconv.Atoi(s.About["watchkeeper.changed"])
			if err != nil {
				t.Fatal(err)
			}
			sum += n
		}
	}
	return sum
}

// One process reads the feed and its job is lost. Another finds the case by its timer, and goes on in the trace.
func TestALostJobAndAnotherProcessStayInTheTrace(t *testing.T) {
	t.Parallel()
	c := tracetest.New(t)
	env := traced(c)
	env["WK_WORKERS__ROLES"] = "poll"
	addr := storetest.StartRedis(t)
	h := play(t, embedded.Options{Redis: addr, Env: env, World: simulator.Options{Seed: 3, Days: 3, Disputes: 12, Shipments: 6}}, 0)
	if err := h.Until(t.Context(), h.Now().Add(time.Hour), nil); err != nil {
		t.Fatal(err)
	}
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	defer func() { _ = rdb.Close() }()
	queued, err := rdb.Keys(t.Context(), "asynq:*:t:case.assess:*").Result()
	if err != nil || len(queued) == 0 {
		t.Fatalf("no job to lose: %v", err)
	}
	keys, err := rdb.Keys(t.Context(), "asynq:*").Result()
	if err != nil || rdb.Del(t.Context(), keys...).Err() != nil {
		t.Fatalf("the jobs are not lost: %v", err)
	}
	env["WK_WORKERS__ROLES"] = "all"
	if err := h.Change(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	lost := map[string]bool{}
	for _, s := range c.Named("intake") {
		if s.About["watchkeeper.due"] == "true" {
			lost[s.Trace] = true
		}
	}
	forward(t, h, 2)
	h.Close()
	found := 0
	for id, tree := range answers(c) {
		fromPoll(t, c, id)
		if !lost[id] {
			continue
		}
		spans := c.Trace(id)
		processes := map[string]bool{}
		for _, s := range spans {
			processes[s.Process] = true
		}
		if strings.HasPrefix(as(tree), "intake\ncase.assess\n"+strings.ReplaceAll(answered[1:], "    ", "  ")) && len(processes) == 2 {
			found++
		}
		checkTurn(t, spans)
	}
	if found == 0 {
		t.Errorf("want a lost job's case answered in the trace of its row, by another process: %v", slices.Collect(maps.Values(answers(c))))
	}
}

// Under every fault of the platforms, and with people's hands in it.
func TestNoSpanOfTheSimulatedShopsHoldsASecretOrAPerson(t *testing.T) {
	t.Parallel()
	c := tracetest.New(t)
	env := traced(c)
	h := play(t, embedded.Options{Env: env, World: simulator.Options{Seed: 4, Days: 3, Disputes: 20, Shipments: 10, Person: true, Faults: simulator.AllFaults()}}, 3)
	secrets := []string{"CANARY"}
	for name, value := range h.World.Env() {
		if strings.Contains(name, "SECRET") || strings.Contains(name, "TOKEN") || strings.HasSuffix(name, "API_KEY") {
			secrets = append(secrets, value)
		}
	}
	buyers := 0
	for _, e := range h.World.Log() {
		if e.Buyer != "" {
			secrets, buyers = append(secrets, e.Buyer), buyers+1
		}
	}
	h.Close()
	if len(c.Spans()) < 100 || len(secrets)-buyers < 4 || buyers == 0 {
		t.Fatalf("%d spans, %d secrets, %d buyers: this shows nothing", len(c.Spans()), len(secrets)-buyers, buyers)
	}
	for _, s := range secrets {
		if strings.Contains(c.Received(), s) {
			t.Errorf("%q is in a span", s)
		}
	}
	t.Logf("%d turns ended by another", len(c.Named("turn ended")))
	failed := map[string]bool{}
	for _, s := range c.Spans() {
		failed[s.Error] = true
	}
	if len(failed) < 4 {
		t.Errorf("want failures of several kinds told, got %v", slices.Collect(maps.Keys(failed)))
	}
}
