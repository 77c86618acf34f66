package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/fleet"
	"watchkeeper/workers/job"
	"watchkeeper/workers/store"
)

// healthy are facts in which nothing is wrong.
func healthy() *facts {
	tally := func(n int) told[store.Tally] {
		return told[store.Tally]{value: store.Tally{Records: n, Stores: map[sla.StoreID]int{"AE01": n}}}
	}
	return &facts{
		at: now, shards: 2, settle: 10 * time.Minute, hash: "0123456789ab", hooked: true, platforms: []sla.Platform{"bazaar", "track99"},
		stores: map[sla.StoreID]sla.Platform{"AE01": "bazaar", "T17": "track99"}, recorded: map[sla.StoreID]sla.Platform{"AE01": "bazaar", "T17": "track99"},
		servers: told[[]store.Server]{value: []store.Server{{
			Version: 700, Release: "7.0.15", Role: "master", Policy: "noeviction", Used: 100 << 20, Max: 1000 << 20, System: 8000 << 20, AOF: true, Fsync: "everysec",
			Replicas: []store.Replica{{Addr: "10.0.0.2:6379", State: "online", Lag: time.Second}}, Guarded: true, Good: 1, Cluster: "ok",
		}}},
		states: []store.ShardState{{Shard: 0, Epoch: 1}, {Shard: 1, Epoch: 1, FrozenUntil: now.Add(-time.Hour)}},
		queues: told[[]job.Depth]{value: []job.Depth{{Queue: "answers", Pending: 3, Active: 2, Archived: 5}}},
		clocks: []platformClock{{platform: "bazaar", store: "AE01"}},
		tokens: []tokenFact{{store: "AE01", Credential: connectors.Credential{
			Stored: true, Renewable: true, Issued: now.Add(-10 * day), Expires: now.Add(20 * day), RefreshExpires: now.Add(50 * day),
		}}},
		planned: []fleet.SurveyedFeed{{ID: "AE01/disputes", Store: "AE01", Every: 5 * time.Minute}},
		feeds:   told[[]sla.FeedRecord]{value: []sla.FeedRecord{{ID: "AE01/disputes", Store: "AE01", LastTry: now.Add(-time.Minute), LastSuccess: now.Add(-time.Minute)}}},
		cases:   tally(12), parcels: tally(30),
		processes: told[presence]{value: presence{beating: 2}},
		books:     told[map[string]int]{value: map[string]int{"0123456789ab": 2}},
	}
}

// server changes the one server.
func server(change func(*store.Server)) func(*facts) {
	return func(f *facts) { change(&f.servers.value[0]) }
}

func token(change func(*tokenFact)) func(*facts) {
	return func(f *facts) { change(&f.tokens[0]) }
}

func feedOf(change func(*sla.FeedRecord)) func(*facts) {
	return func(f *facts) { change(&f.feeds.value[0]) }
}

func queue(change func(*job.Depth)) func(*facts) {
	return func(f *facts) { change(&f.queues.value[0]) }
}

func cases(change func(*store.Tally)) func(*facts) {
	return func(f *facts) { change(&f.cases.value) }
}

var errDenied = errors.New("NOPERM this user has no permissions to run the 'info' command")

type illness struct {
	finding, state, says string
	change               func(*facts)
}

// illnesses change one fact each: what the finding of that name must say then. Every other finding stays as it was.
var illnesses = []illness{
	{"fleet pages", stateWarn, "no webhook", func(f *facts) { f.hooked = false }},
	{"fleet traces", stateOK, "takes an empty batch", func(f *facts) { f.traced = true }},
	{"fleet traces", stateWarn, "takes no spans: status 401", func(f *facts) { f.traced, f.untaken = true, errors.New("status 401") }},
	{"redis version", stateUnknown, "does not tell", server(func(s *store.Server) { s.Version = 0 })},
	{"redis version", stateFail, "does not start", server(func(s *store.Server) { s.Version, s.Release = 600, "6.0.1" })},
	{"redis version", stateWarn, "6.2.0 is older", server(func(s *store.Server) { s.Version, s.Release = 602, "6.2.0" })},
	{"redis eviction", stateFail, "allkeys-lru", server(func(s *store.Server) { s.Policy = "allkeys-lru" })},
	{"redis persistence", stateFail, "loads", server(func(s *store.Server) { s.Loading = true })},
	{"redis persistence", stateFail, "aof_last_write_status", server(func(s *store.Server) { s.Failed = []string{"aof_last_write_status"} })},
	{"redis persistence", stateWarn, "appendonly is off", server(func(s *store.Server) { s.AOF = false })},
	{"redis persistence", stateWarn, "appendfsync no", server(func(s *store.Server) { s.Fsync = "no" })},
	{"redis persistence", stateOK, "is not told", server(func(s *store.Server) { s.Fsync = "" })},
	{"redis replication", stateUnknown, "its role", server(func(s *store.Server) { s.Role = "" })},
	{"redis replication", stateFail, "takes no writes", server(func(s *store.Server) { s.Role, s.Link = "slave", "down" })},
	{"redis replication", stateFail, "refused", server(func(s *store.Server) { s.Good = 0 })},
	{"redis replication", stateWarn, "no replica", server(func(s *store.Server) { s.Replicas, s.Guarded = nil, false })},
	{"redis replication", stateWarn, "min-replicas-to-write is 0", server(func(s *store.Server) { s.Guarded = false })},
	{"redis replication", stateWarn, "wait_bgsave", server(func(s *store.Server) { s.Replicas[0].State = "wait_bgsave" })},
	{"redis replication", stateWarn, "11s ago", server(func(s *store.Server) { s.Replicas[0].Lag = 11 * time.Second })},
	{"redis memory", stateOK, "60 % of maxmemory", server(func(s *store.Server) { s.Used = 600 << 20 })},
	{"redis memory", stateWarn, "61 % of maxmemory", server(func(s *store.Server) { s.Used = 610 << 20 })},
	{"redis memory", stateWarn, "75 % of maxmemory", server(func(s *store.Server) { s.Used = 750 << 20 })},
	{"redis memory", stateFail, "76 % of maxmemory", server(func(s *store.Server) { s.Used = 760 << 20 })},
	{"redis memory", stateFail, "80 % of the machine", server(func(s *store.Server) { s.Max, s.Used = 0, 6400<<20 })},
	{"redis memory", stateUnknown, "its memory", server(func(s *store.Server) { s.Used = 0 })},
	{"redis cluster", stateFail, "cluster_state fail", server(func(s *store.Server) { s.Cluster = "fail" })},
	{"redis cluster", stateUnknown, "not told", server(func(s *store.Server) { s.Cluster = store.ClusterUntold })},
	{"clocks redis", stateOK, "redis is 5s ahead", server(func(s *store.Server) { s.Skew = 5 * time.Second })},
	{"clocks redis", stateWarn, "redis is 6s behind", server(func(s *store.Server) { s.Skew = -6 * time.Second })},
	{"clocks redis", stateWarn, "20s ahead", server(func(s *store.Server) { s.Skew = 20 * time.Second })},
	{"clocks redis", stateFail, "21s ahead", server(func(s *store.Server) { s.Skew = 21 * time.Second })},
	{"clocks redis", stateUnknown, "NOPERM", server(func(s *store.Server) { s.SkewErr = errDenied })},
	{"clocks platform bazaar", stateWarn, "6s ahead of this machine, as its page for AE01", func(f *facts) { f.clocks[0].skew = 6 * time.Second }},
	{"clocks platform bazaar", stateFail, "30s behind", func(f *facts) { f.clocks[0].skew = -30 * time.Second }},
	{"clocks platform bazaar", stateUnknown, "away", func(f *facts) { f.clocks[0].err = errors.New("away") }},
	{"fleet configuration", stateFail, "2 mistakes", func(f *facts) { f.mistakes, f.bare = []problemView{{Variable: "WK_A"}, {Variable: "WK_B"}}, true }},
	{"fleet configuration", stateFail, "a store cannot be built", func(f *facts) { f.mistakes = make([]problemView, 1) }},
	{"fleet processes", stateFail, "0 beat", func(f *facts) { f.processes.value = presence{silent: 2} }},
	{"fleet processes", stateWarn, "only one", func(f *facts) { f.processes.value = presence{beating: 1} }},
	{"fleet processes", stateWarn, "1 are silent", func(f *facts) { f.processes.value.silent = 1 }},
	{"fleet processes", stateWarn, "1 stopped", func(f *facts) { f.processes.value.gone = 1 }},
	{"fleet processes", stateUnknown, "NOPERM", func(f *facts) { f.processes.err = errDenied }},
	{"fleet rules", stateFail, "0123456789ab in 1, ba9876543210 in 1", func(f *facts) { f.books.value = map[string]int{"0123456789ab": 1, "ba9876543210": 1} }},
	{"fleet rules", stateWarn, "no process has said yet", func(f *facts) { f.books.value = nil }},
	{"fleet rules", stateWarn, "say 0123456789ab", func(f *facts) { f.books.value = map[string]int{"ba9876543210": 2} }},
	{"fleet rules", stateUnknown, "NOPERM", func(f *facts) { f.books.err = errDenied }},
	{"fleet kill switch", stateUnknown, "NOPERM", func(f *facts) { f.kills.err = errDenied }},
	{"fleet kill switch", stateWarn, "cannot read", func(f *facts) { f.kills.err = fmt.Errorf("x: %w", store.ErrUnreadable) }},
	{"stores token AE01", stateFail, "no key", token(func(c *tokenFact) { c.Credential = connectors.Credential{Stored: true, Sealed: true} })},
	{"stores token AE01", stateFail, "ended 1h ago", token(func(c *tokenFact) { c.Expires = now.Add(-time.Hour) })},
	{"stores token AE01", stateWarn, "it ends in 1d23h", token(func(c *tokenFact) { c.Expires = now.Add(2*day - time.Hour) })},
	{"stores token AE01", stateWarn, "ends in 23h", token(func(c *tokenFact) { c.Issued, c.Expires = time.Time{}, now.Add(23*time.Hour) })},
	{"stores token AE01", stateWarn, "ends in 23h", token(func(c *tokenFact) { c.Renewable, c.Issued, c.Expires = false, now.Add(-day), now.Add(23*time.Hour) })},
	{"stores token AE01", stateOK, "holds for 2h", token(func(c *tokenFact) { c.Issued, c.Expires = now.Add(-2*time.Hour), now.Add(2*time.Hour) })},
	{"stores token AE01", stateFail, "the right to renew it ended", token(func(c *tokenFact) { c.RefreshExpires = now.Add(-time.Hour) })},
	{"stores token AE01", stateWarn, "the right to renew it ends in 2d", token(func(c *tokenFact) { c.RefreshExpires = now.Add(2 * day) })},
	{"stores token AE01", stateOK, "no end", token(func(c *tokenFact) { c.Expires = time.Time{} })},
	{"stores token AE01", stateOK, "none is stored yet", token(func(c *tokenFact) { c.Stored = false })},
	{"stores token AE01", stateUnknown, "NOPERM", token(func(c *tokenFact) { c.err = errDenied })},
	{"stores feed AE01/disputes", stateFail, "no process has ever", func(f *facts) { f.feeds.value[0].ID = "AE01/others" }},
	{"stores feed AE01/disputes", stateFail, "2 failures in a row", feedOf(func(r *sla.FeedRecord) { r.LastSuccess, r.Failures = time.Time{}, 2 })},
	{"stores feed AE01/disputes", stateWarn, "not read yet", feedOf(func(r *sla.FeedRecord) { r.LastSuccess = time.Time{} })},
	{"stores feed AE01/disputes", stateOK, "12m ago, every 5m", feedOf(func(r *sla.FeedRecord) { r.LastSuccess = now.Add(-12 * time.Minute) })},
	{"stores feed AE01/disputes", stateWarn, "13m ago", feedOf(func(r *sla.FeedRecord) { r.LastSuccess = now.Add(-13 * time.Minute) })},
	{"stores feed AE01/disputes", stateFail, "23m ago", feedOf(func(r *sla.FeedRecord) { r.LastSuccess = now.Add(-23 * time.Minute) })},
	{"stores feed AE01/disputes", stateWarn, "1 failure in a row", feedOf(func(r *sla.FeedRecord) { r.Failures = 1 })},
	{"stores feed AE01/disputes", stateOK, "2m ago", feedOf(func(r *sla.FeedRecord) { r.LastSuccess, r.Strikes = now.Add(-2*time.Minute), 2 })},
	{"stores feed AE01/disputes", stateFail, "its last 3 readings did not", feedOf(func(r *sla.FeedRecord) { r.Strikes = 3 })},
	{"records shards", stateFail, "2 in Redis, 8 configured", func(f *facts) { f.shards = 8 }},
	{"records epochs", stateFail, "shard 01", func(f *facts) { f.states[1].Epoch = 0 }},
	{"records epochs", stateWarn, "1 of 2 frozen until 2026-03-04T12:10:00Z", func(f *facts) { f.states[1].FrozenUntil = now.Add(10 * time.Minute) }},
	{"records epochs", stateFail, "longer than a settle window", func(f *facts) { f.states[1].FrozenUntil = now.Add(10*time.Minute + time.Second) }},
	{"records epochs", stateOK, "lost last at 2026-03-03", func(f *facts) { f.states[1].LostAt = now.Add(-day) }},
	{"records cases", stateWarn, "2 of them cannot be read", cases(func(c *store.Tally) { c.Unreadable = 2 })},
	{"records cases timers", stateFail, "4 whose timer is lost (AE01/1, AE01/2, …)", cases(func(c *store.Tally) { c.Untimed = store.Orphans{Count: 4, Samples: []string{"AE01/2", "AE01/1"}} })},
	{"records cases timers", stateFail, "1 without a next look (AE01/1)", cases(func(c *store.Tally) { c.Idle = store.Orphans{Count: 1, Samples: []string{"AE01/1"}} })},
	{"records cases timers", stateWarn, "1 timers without a record", cases(func(c *store.Tally) { c.Unowned = store.Orphans{Count: 1, Samples: []string{"AE01/1"}} })},
	{"records cases overdue", stateOK, "1 due, the oldest for 2m", cases(func(c *store.Tally) { c.Due, c.Oldest = 1, now.Add(-2*time.Minute) })},
	{"records cases overdue", stateWarn, "1 due, the oldest for 3m", cases(func(c *store.Tally) { c.Due, c.Oldest = 1, now.Add(-3*time.Minute) })},
	{"records cases overdue", stateFail, "7 due, the oldest for 11m", cases(func(c *store.Tally) { c.Due, c.Oldest = 7, now.Add(-11*time.Minute) })},
	{"records parcels overdue", stateOK, "1 due, the oldest for 20m", func(f *facts) { f.parcels.value.Due, f.parcels.value.Oldest = 1, now.Add(-20*time.Minute) }},
	{"records parcels overdue", stateWarn, "1 due, the oldest for 21m", func(f *facts) { f.parcels.value.Due, f.parcels.value.Oldest = 1, now.Add(-21*time.Minute) }},
	{"records parcels timers", stateFail, "without a next look", func(f *facts) { f.parcels.value.Idle = store.Orphans{Count: 1, Samples: []string{"T17/1"}} }},
	{"records unknown attempts", stateWarn, "1, the oldest was sent 3m ago", func(f *facts) { f.unknown = unknownAttempts{count: 1, oldest: now.Add(-3 * time.Minute)} }},
	{"records unknown attempts", stateFail, "2, 1 of them for longer", func(f *facts) { f.unknown = unknownAttempts{count: 2, late: 1, oldest: now.Add(-time.Hour)} }},
	{"queues queue answers", stateFail, "paused", queue(func(d *job.Depth) { d.Paused = true })},
	{"queues queue answers", stateFail, "1 job listed without content", queue(func(d *job.Depth) { d.Lost = 1 })},
	{"queues queue answers", stateFail, "8000 dead", queue(func(d *job.Depth) { d.Archived = 8000 })},
	{"queues queue answers", stateFail, "100000 wait", queue(func(d *job.Depth) { d.Pending = 100_000 })},
	{"queues queue answers", stateWarn, "1 of them in the last day", queue(func(d *job.Depth) { d.Fresh = 1 })},
	{"queues queue answers", stateWarn, "10000 wait", queue(func(d *job.Depth) { d.Pending = 10_000 })},
}

func fullName(f finding) string {
	return strings.TrimSpace(f.Group + " " + f.Name + " " + string(f.Subject))
}

func TestEachFactChangesItsOwnFinding(t *testing.T) {
	t.Parallel()
	well := judge(healthy())
	for _, f := range well {
		if f.State != stateOK || f.Do != "" {
			t.Errorf("healthy: got %+v", f)
		}
	}
	for _, ill := range illnesses {
		f := healthy()
		ill.change(f)
		found := map[string]finding{}
		for _, got := range judge(f) {
			if _, twice := found[fullName(got)]; twice {
				t.Errorf("%s is told twice", fullName(got))
			}
			found[fullName(got)] = got
		}
		got := found[ill.finding]
		if got.State != ill.state || !strings.Contains(got.Found, ill.says) || (got.Do == "") != (got.State == stateOK) {
			t.Errorf("%s: want %s, %q, got %+v", ill.finding, ill.state, ill.says, got)
		}
		for _, was := range well {
			if is, told := found[fullName(was)]; told && fullName(was) != ill.finding && is.State != was.State {
				t.Errorf("%s changed %+v", ill.finding, is)
			}
		}
	}
}

// Facts that add findings or take away many.
func TestSomeFactsAddFindings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*facts)
		want   []string // finding: state
	}{
		"a kill switch": {func(f *facts) {
			f.kills.value = []sla.KillSwitch{{KillScope: sla.KillScope{Store: "AE01"}, Since: now, Note: "why"}}
			f.stopped = []stopView{{What: stopVariable, Scopes: []string{"T17"}, From: "WK_SLA__KILL"}}
		}, []string{"fleet kill switch AE01: warn", "fleet kill switch T17: warn"}},
		"a mistake": {func(f *facts) {
			f.mistakes, f.hooked = []problemView{{Variable: "WK_STORE__AE01__API_KEY", Detail: "required"}}, false
		}, []string{"fleet configuration: fail", "fleet mistake WK_STORE__AE01__API_KEY: fail", "fleet pages: unknown"}},
		"variables of traces": {func(f *facts) {
			f.strayed = []string{"nothing is traced: OTEL_X: want y", "OTEL_Z: no such variable"}
		}, []string{"fleet trace variable OTEL_X: warn", "fleet trace variable OTEL_Z: warn"}},
		"nobody on watch": {func(f *facts) {
			f.processes.value, f.books.value = presence{}, nil
		}, []string{"fleet processes: fail", "fleet rules: fail"}},
		"a store that is gone": {func(f *facts) {
			f.recorded["OLD"], f.recorded["EMPTY"], f.cases.value.Stores["OLD"] = "bazaar", "bazaar", 3
		}, []string{"stores recorded OLD: warn"}},
		"a platform that is gone": {func(f *facts) { f.recorded["OLD"] = "souk" }, []string{"stores recorded OLD: warn"}},
		"a store that moved":      {func(f *facts) { f.recorded["AE01"] = "track99" }, []string{"stores recorded AE01: fail"}},
		"a feed of nobody": {func(f *facts) {
			f.feeds.value = append(f.feeds.value, sla.FeedRecord{ID: "OLD/disputes", Store: "OLD"})
		}, []string{"stores recorded OLD/disputes: warn"}},
		"a server that is away":     {server(func(s *store.Server) { s.Err = fmt.Errorf("INFO: %w", sla.ErrStoreOut) }), []string{"redis server: fail", "clocks redis: unknown"}},
		"a server that denies INFO": {server(func(s *store.Server) { s.Err = errDenied }), []string{"redis server: unknown", "clocks redis: unknown"}},
		"servers that are away":     {func(f *facts) { f.servers = told[[]store.Server]{err: sla.ErrStoreOut} }, []string{"redis server: fail"}},
		"queues that are denied":    {func(f *facts) { f.queues = told[[]job.Depth]{err: errDenied} }, []string{"queues queues: unknown"}},
		"feeds that are denied":     {func(f *facts) { f.feeds = told[[]sla.FeedRecord]{err: errDenied} }, []string{"stores feeds: unknown"}},
		"cases that are denied":     {func(f *facts) { f.cases.err = errDenied }, []string{"stores recorded: unknown", "records cases: unknown"}},
		"nothing configured":        {func(f *facts) { f.stores, f.planned, f.tokens = nil, nil, nil }, []string{"fleet configuration: unknown"}},
		"an embedded server": {server(func(s *store.Server) { *s = store.Server{} }),
			[]string{"redis version: unknown", "redis eviction: unknown", "redis persistence: unknown", "redis replication: unknown", "redis memory: unknown"}},
		"no records": {func(f *facts) { f.unread = store.ErrNoRecords }, []string{
			"fleet processes: unknown", "fleet rules: unknown", "fleet kill switch: unknown", "stores feeds: unknown", "records shards: fail", "records cases: unknown",
			"records parcels: unknown",
		}},
	} {
		f := healthy()
		test.change(f)
		var got []string
		for _, x := range judge(f) {
			if x.State != stateOK {
				got = append(got, fullName(x)+": "+x.State)
			}
			if (x.Do == "") != (x.State == stateOK) || x.Found == "" {
				t.Errorf("%s: got %+v", name, x)
			}
		}
		if strings.Join(got, "\n") != strings.Join(test.want, "\n") {
			t.Errorf("%s: want %q, got %q", name, test.want, got)
		}
	}
}

func TestARemedyIsOfItsCause(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"--timeout": fmt.Errorf("read: %w: %w", sla.ErrStoreOut, context.DeadlineExceeded), "users.acl": fmt.Errorf("%w: %w", sla.ErrStoreOut, errDenied),
		"WK_REDIS__USERNAME": errors.New("ask: NOAUTH Authentication required"), "WK_REDIS__DB": store.ErrNoRecords, "the version that runs": store.ErrUnfit,
		"whether Redis runs": sla.ErrStoreOut, "ask again": errors.New("anything else"),
	} {
		if got := remedy(err); !strings.Contains(got, want) {
			t.Errorf("%v: want %q, got %q", err, want, got)
		}
	}
}

func TestPresenceIsSeenInTwoLooks(t *testing.T) {
	t.Parallel()
	look := func(all ...store.Process) told[[]store.Process] { return told[[]store.Process]{value: all} }
	got := presenceOf(look(store.Process{ID: "a", Beats: 1}, store.Process{ID: "b", Beats: 7}, store.Process{ID: "d", Beats: 2}),
		look(store.Process{ID: "a", Beats: 2}, store.Process{ID: "b", Beats: 7}, store.Process{ID: "c", Beats: 1}, store.Process{ID: "d", Gone: now}))
	if got.err != nil || got.value != (presence{beating: 2, silent: 1, gone: 1}) {
		t.Errorf("got %+v", got)
	}
	if got := presenceOf(told[[]store.Process]{err: errDenied}, look()); got.err == nil {
		t.Error("want a denied look told of")
	}
}

func TestAnAttemptIsLateAfterSettleAndTwoSweeps(t *testing.T) {
	t.Parallel()
	_, book, err := fleet.Load(t.Context(), append(env("127.0.0.1:1"), "WK_SLA__STORE__AE02__SETTLE=30m"), toys())
	must(t, err)
	for name, test := range map[string]struct {
		store sla.StoreID
		state sla.AttemptState
		sent  time.Duration
		lease time.Duration
		want  unknownAttempts
	}{
		"known":            {"AE01", sla.AttemptSettled, time.Hour, 0, unknownAttempts{}},
		"under way":        {"AE01", sla.AttemptSent, time.Minute, -time.Second, unknownAttempts{}},
		"left in the send": {"AE01", sla.AttemptSent, time.Minute, time.Second, unknownAttempts{count: 1}},
		"asked for":        {"AE01", sla.AttemptUnknown, 12 * time.Minute, 0, unknownAttempts{count: 1}},
		"late":             {"AE01", sla.AttemptUnknown, 12*time.Minute + time.Second, 0, unknownAttempts{count: 1, late: 1}},
		"a longer settle":  {"AE02", sla.AttemptUnknown, 32 * time.Minute, 0, unknownAttempts{count: 1}},
		"late even so":     {"AE02", sla.AttemptUnknown, 33 * time.Minute, 0, unknownAttempts{count: 1, late: 1}},
	} {
		e := &examination{book: book, facts: facts{at: now}}
		c := sla.CaseRecord{Case: sla.Case{DisputeRef: sla.DisputeRef{ID: sla.DisputeID{Platform: "bazaar", Store: test.store, Native: "1"}}}}
		e.attempts(c, []sla.Attempt{{State: test.state, SentAt: now.Add(-test.sent), Lease: now.Add(-test.lease)}})
		got := e.facts.unknown
		if got.count != test.want.count || got.late != test.want.late || len(got.samples) != test.want.late || got.count > 0 && !got.oldest.Equal(now.Add(-test.sent)) {
			t.Errorf("%s: want %+v, got %+v", name, test.want, got)
		}
	}
}
