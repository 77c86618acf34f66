package main

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/sethvargo/go-envconfig"
	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/fleet"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

// sick are facts with a finding of every state.
func sick() *facts {
	f := healthy()
	server(func(s *store.Server) { s.Policy, s.Fsync, s.Cluster, s.Skew = "allkeys-lru", "", "", -30*time.Second })(f)
	f.clocks = append(f.clocks, platformClock{platform: "track99", store: "T17", err: &connectors.Error{Op: "list", Subject: "T17", Kind: connectors.Unavailable}})
	f.kills.value = []sla.KillSwitch{{KillScope: sla.KillScope{Store: "AE01", Reason: sla.ReasonDamaged}, Since: now.Add(-time.Hour), Note: "alice: wrong\x1b[2J prices"}}
	f.processes.value, f.recorded["OLD"], f.cases.value.Stores["OLD"] = presence{beating: 1}, "bazaar", 2
	f.unknown = unknownAttempts{count: 2, late: 1, oldest: now.Add(-time.Hour), samples: []string{"AE01/1001"}}
	f.cases.value.Untimed = store.Orphans{Count: 1, Samples: []string{"AE01/1002"}}
	return f
}

func TestADoctorsReportIsPrintedForPeopleAndPrograms(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]*facts{"doctor_healthy": healthy(), "doctor": sick()} {
		for _, format := range []string{formatTable, formatJSON} {
			var out bytes.Buffer
			tool := &tool{out: &out, format: format}
			report := newDoctorReport(f.at, judge(f))
			must(t, tool.show(report, report.print))
			suffix := ".txt"
			if format == formatJSON {
				suffix = "_json.txt"
			}
			golden(t, name+suffix, out.String())
		}
	}
}

func TestTheExitCodeOfADoctorsReport(t *testing.T) {
	t.Parallel()
	for states, want := range map[string][2]bool{ // whether it fails, and whether it does so with --strict
		"ok": {false, false}, "ok warn": {false, true}, "ok unknown": {false, true}, "ok fail": {true, true}, "warn fail unknown": {true, true},
	} {
		var found []finding
		for state := range strings.FieldsSeq(states) {
			found = append(found, finding{State: state})
		}
		r := newDoctorReport(now, found)
		if lax, strict := r.verdict(false) != nil, r.verdict(true) != nil; lax != want[0] || strict != want[1] {
			t.Errorf("%s: want %v, got %v %v", states, want, lax, strict)
		}
	}
}

func TestWhatIsAllowedDoesNotCountAndWhatFailsDoes(t *testing.T) {
	t.Parallel()
	names := checkNames()
	for _, ill := range append(illnesses, illness{change: func(f *facts) { *f = *sick() }}) {
		f := healthy()
		ill.change(f)
		for _, got := range permit(judge(f), names) {
			if !slices.Contains(names, checkName(got.Group, got.Name)) {
				t.Errorf("%s is no name that can be allowed", checkName(got.Group, got.Name))
			}
			if want := got.State == stateWarn || got.State == stateUnknown; got.Allowed != want {
				t.Errorf("want allowed %t, got %+v", want, got)
			}
		}
	}
	only := permit([]finding{{Group: "redis", Name: "memory", State: stateWarn}, {Group: "fleet", Name: "kill switch", State: stateWarn}}, []string{"fleet/kill-switch"})
	if r := newDoctorReport(now, only); r.verdict(true) == nil || r.Allowed != 1 || !strings.Contains(r.sum(), "allowed are 1") {
		t.Errorf("want the one that is not allowed to fail, got %+v", r)
	}
	if r := newDoctorReport(now, only[1:]); r.verdict(true) != nil {
		t.Errorf("want nothing to fail, got %v", r.verdict(true))
	}
	var out bytes.Buffer
	newDoctorReport(now, only).print(&out)
	if !lineWith(out.String(), "warn, allowed", "kill switch") || strings.Count(out.String(), "warn, allowed") != 1 {
		t.Errorf("want the allowed one marked:\n%s", &out)
	}
	for says, args := range map[string][]string{
		"did you mean redis/replication?": {"--strict", "--allow", "redis/replicaton"}, "--allow goes with --strict": {"--allow", "redis/replication"},
	} {
		invoke(t, stalls(0), nil, append([]string{"doctor"}, args...)...).want(t, exitUsage, says)
	}
}

// stall is a connector whose list is empty and whose clock is off.
type stall struct {
	connectors.Connector

	skew time.Duration
	deps connectors.Deps
}

func (s stall) Fetch(context.Context, connectors.Cursor) (connectors.Page, error) {
	return connectors.Page{Kind: connectors.Changes, Skew: s.skew}, nil
}

func (stall) Lookup(context.Context, sla.DisputeRef) (sla.Dispute, error) {
	return sla.Dispute{}, &connectors.Error{Op: "look", Kind: connectors.Unavailable}
}

// Credential opens what lies in the vault only if it says so itself.
func (s stall) Credential(ctx context.Context) (connectors.Credential, error) {
	blob, version, err := s.deps.Tokens.Load(ctx, s.deps.Store)
	return connectors.Credential{Stored: version > 0, Sealed: string(blob) == "sealed"}, err
}

func stalls(skew time.Duration) connectors.Registry {
	return connectors.Registry{{
		Name: "bazaar", Poll: 5 * time.Minute, Capabilities: connectors.Capabilities{Disputes: true},
		New: func(_ context.Context, _ envconfig.Lookuper, deps connectors.Deps) (connectors.Built, error) {
			return connectors.Built{Connector: stall{skew: skew, deps: deps}}, nil
		},
	}}
}

// A ward is an installation of real daemons on a real Redis, with the shipped users.
type ward struct {
	t           *testing.T
	addr        string
	admin       redis.UniversalClient
	environ     []string
	records     *store.Store
	environment func(user string, more ...string) []string
}

func newWard(t *testing.T) *ward {
	t.Helper()
	w := &ward{t: t, addr: storetest.Start(t, "--appendonly", "yes")}
	w.admin = storetest.Hand(storetest.As(t, w.addr, storetest.Admin))
	w.environment = func(user string, more ...string) []string {
		return append([]string{
			"WK_REDIS__ADDRS=" + w.addr, "WK_REDIS__USERNAME=" + user, "WK_REDIS__PASSWORD=" + storetest.Password, "WK_STORE__AE01__PLATFORM=bazaar",
			"WK_HTTP__LISTEN=127.0.0.1:0", "WK_NOTIFY__PAGE_URL=https://hooks.example.com/p",
		}, more...)
	}
	w.environ = w.environment(storetest.Operator)
	w.daemon()
	w.daemon()
	var err error
	w.records, err = store.Open(t.Context(), storetest.As(t, w.addr, storetest.Daemon), store.Options{Now: time.Now, Stores: map[sla.StoreID]sla.Platform{"AE01": "bazaar"}})
	must(t, err)
	return w
}

// daemon starts one more, with further variables.
func (w *ward) daemon(more ...string) {
	w.t.Helper()
	config, book, err := fleet.Load(w.t.Context(), w.environment(storetest.Daemon, more...), stalls(0))
	must(w.t, err)
	f, err := fleet.New(w.t.Context(), fleet.Options{Config: config, Book: book, Registry: stalls(0), Now: time.Now, Log: zap.NewNop()})
	must(w.t, err)
	w.t.Cleanup(func() { _ = f.Stop(context.Background()) })
	must(w.t, f.Start(w.t.Context()))
}

// A checkup is what one run of the doctor gave.
type checkup struct {
	code   int
	states map[string]finding
}

func (w *ward) doctor(registry connectors.Registry, args ...string) checkup {
	w.t.Helper()
	var out, errs bytes.Buffer
	tool := &tool{environ: w.environ, in: strings.NewReader(""), out: &out, err: &errs, now: time.Now, registry: registry}
	c := checkup{code: tool.run(w.t.Context(), append([]string{"doctor", "-o", "json"}, args...)), states: map[string]finding{}}
	var seen struct {
		Findings []finding `json:"findings"`
	}
	if err := json.Unmarshal(out.Bytes(), &seen); err != nil {
		w.t.Fatalf("%v\n%s%s", err, &out, &errs)
	}
	servers := strings.Split(w.addr, ",")
	for _, f := range seen.Findings {
		name := fullName(f)
		if len(servers) > 1 && slices.Contains(servers, string(f.Subject)) { // of a cluster: the worst stands for all, under the name that a single server has
			if name = f.Group + " " + f.Name; c.states[name].State != "" && c.states[name].State != stateOK {
				continue
			}
		}
		c.states[name] = f
	}
	return c
}

func (c checkup) want(t *testing.T, code int, name, state string) {
	t.Helper()
	if got := c.states[name]; c.code != code || got.State != state {
		t.Errorf("want %s to be %s and exit code %d, got %d and %+v\nall: %+v", name, state, code, c.code, got, c.states)
	}
}

// until runs the doctor until a finding is as wanted: daemons take a moment to begin.
func (w *ward) until(name, state string) checkup {
	w.t.Helper()
	limit, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	for {
		if c := w.doctor(stalls(0)); c.states[name].State == state {
			return c
		} else if limit.Err() != nil {
			w.t.Fatalf("want %s to become %s, got %+v", name, state, c.states)
		}
	}
}

func TestTheDoctorSeesWhatIsBrokenInARealInstallation(t *testing.T) {
	t.Parallel()
	w, ctx := newWard(t), t.Context()
	w.until("stores feed AE01/disputes", stateOK).want(t, exitOK, "records epochs", stateWarn) // the first start
	for i := range w.records.Shards() {
		must(t, w.admin.HSet(ctx, "wk:{0"+string("0123456789"[i])+"}:epoch", "f", 0).Err())
	}
	well := w.doctor(stalls(0))
	for name, f := range well.states {
		if want := map[string]string{"redis replication": stateWarn}[name]; f.State != stateOK && f.State != want {
			t.Errorf("healthy: %+v", f)
		}
	}
	if strings.Contains(w.addr, ",") {
		well.want(t, exitOK, "redis cluster", stateOK)
	}
	well.want(t, exitOK, "fleet processes", stateOK)
	well.want(t, exitOK, "fleet rules", stateOK)
	w.doctor(stalls(0), "--strict").want(t, exitFailed, "redis replication", stateWarn)
	w.doctor(stalls(0), "--strict", "--allow", "redis/replication").want(t, exitOK, "redis replication", stateWarn)
	w.environ = w.environment(storetest.Daemon)
	w.doctor(stalls(0), "--strict", "--allow", "redis/replication").want(t, exitOK, "queues queue answers", stateOK)
	w.environ = w.environment(storetest.Operator)
	w.doctor(stalls(30*time.Second)).want(t, exitFailed, "clocks platform bazaar", stateFail)
	w.doctor(stalls(30*time.Second), "--offline").want(t, exitOK, "clocks platform bazaar", "")

	must(t, w.admin.ConfigSet(ctx, "maxmemory-policy", "allkeys-lru").Err())
	w.doctor(stalls(0)).want(t, exitFailed, "redis eviction", stateFail)
	must(t, w.admin.ConfigSet(ctx, "maxmemory-policy", "noeviction").Err())

	must(t, w.admin.HSet(ctx, "wk:{01}:epoch", "f", time.Now().Add(5*time.Minute).UnixMilli()).Err())
	w.doctor(stalls(0)).want(t, exitOK, "records epochs", stateWarn)
	must(t, w.admin.HSet(ctx, "wk:{01}:epoch", "f", time.Now().Add(time.Hour).UnixMilli()).Err())
	w.doctor(stalls(0)).want(t, exitFailed, "records epochs", stateFail)
	must(t, w.admin.HSet(ctx, "wk:{01}:epoch", "f", 0).Err())

	_, _, err := w.records.Save(ctx, "AE01", []byte("sealed"), 0)
	must(t, err)
	w.doctor(stalls(0)).want(t, exitFailed, "stores token AE01", stateFail)
	_, _, err = w.records.Save(ctx, "AE01", []byte("open"), 1)
	must(t, err)

	w.environ = w.environment(storetest.Operator, "WK_REDIS__SHARDS=4")
	w.doctor(stalls(0)).want(t, exitFailed, "records shards", stateFail)
	w.environ = w.environment(storetest.Operator)

	w.daemon("WK_SLA__ACCEPT_CAP=5USD")
	w.until("fleet rules", stateFail).want(t, exitFailed, "fleet rules", stateFail)
}

func TestALostTimerIsSeenAndItsRemedyWorks(t *testing.T) {
	t.Parallel()
	w, ctx := newWard(t), t.Context()
	w.until("stores feed AE01/disputes", stateOK)
	c := testCases()[0]
	c.Next, c.Obligation.Opened, c.Obligation.Deadline = time.Now().Add(20*day), time.Now(), time.Now().Add(30*day)
	_, err := w.records.PutCases(ctx, []sla.CaseWrite{c})
	must(t, err)
	w.doctor(stalls(0)).want(t, exitOK, "records cases timers", stateOK)
	leaves, err := w.admin.Keys(ctx, "wk:{*}:cd:*").Result()
	must(t, err)
	if len(leaves) != 1 {
		t.Fatalf("want one timer, got %d", len(leaves))
	}
	must(t, w.admin.Del(ctx, leaves[0]).Err())
	got := w.doctor(stalls(0))
	got.want(t, exitFailed, "records cases timers", stateFail)
	if f := got.states["records cases timers"]; !strings.Contains(f.Found, "AE01/1001") || !strings.Contains(f.Do, "wkctl cases release") {
		t.Errorf("got %+v", f)
	}
	var out, errs bytes.Buffer
	tool := &tool{environ: w.environ, in: strings.NewReader(""), out: &out, err: &errs, now: time.Now, registry: stalls(0)}
	if code := tool.run(ctx, []string{"cases", "release", "AE01/1001", "--note", "its timer was lost"}); code != exitOK {
		t.Fatalf("exit code %d\n%s%s", code, &out, &errs)
	}
	w.until("records cases timers", stateOK)
}

func TestTheDoctorGoesOnWhereRedisDoesNot(t *testing.T) {
	t.Parallel()
	away := []string{"WK_REDIS__ADDRS=127.0.0.1:1", "WK_STORE__AE01__PLATFORM=bazaar", "WK_SLA__GUARDD=2h"}
	got := invoke(t, stalls(0), away, "doctor", "--timeout", "20s")
	got.want(t, exitUsage, "127.0.0.1:1", "1 mistake in the variables here", "mistake WK_SLA__GUARDD", "no such variable; did you mean WK_SLA__GUARD?", "whether Redis runs", "fail")
	dark := append(slices.Clip(away), "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_SERVICENAME=x")
	invoke(t, stalls(0), dark, "doctor", "--timeout", "20s", "--offline").want(t, exitUsage, "the collector takes no spans", "did you mean OTEL_SERVICE_NAME?")
	misspelt := []string{"WK_REDIS__ADDRS=127.0.0.1:1", "WK_STORE__AE01__PLATFORM=bazaar", "WK_NOTIFY__PAGE_URI=https://hooks.example.com/T0SECRET"}
	got = invoke(t, stalls(0), misspelt, "doctor", "--timeout", "20s", "--offline")
	got.want(t, exitUsage, "did you mean WK_NOTIFY__PAGE_URL?", "a mistake above may hide one")
	if strings.Contains(got.out+got.err, "T0SECRET") || strings.Contains(got.out, "no webhook is told") {
		t.Errorf("an address is shown, or a webhook denied that is misspelt:\n%s%s", got.out, got.err)
	}
	invoke(t, toys(), nil, "doctor", "--timeout", "1ms").want(t, exitUsage, "--timeout")
	invoke(t, toys(), []string{"WK_REDIS__ADDRS=nowhere"}, "doctor").want(t, exitUsage, "WK_REDIS__ADDRS")
}

func TestTheDoctorTellsWhatItMayNotLookAt(t *testing.T) {
	t.Parallel()
	w, ctx := newWard(t), t.Context()
	w.until("stores feed AE01/disputes", stateOK)
	must(t, w.admin.Do(ctx, "ACL", "SETUSER", storetest.Operator, "-info", "-time", "clearselectors").Err())
	got := w.doctor(stalls(0))
	got.want(t, exitOK, "redis server", stateUnknown)
	got.want(t, exitOK, "queues queues", stateUnknown)
	got.want(t, exitOK, "records cases timers", stateOK)
	for _, name := range []string{"redis server", "queues queues"} {
		if !strings.Contains(got.states[name].Do, "users.acl") {
			t.Errorf("got %+v", got.states[name])
		}
	}
	w.doctor(stalls(0), "--strict").want(t, exitFailed, "redis server", stateUnknown)
}

func TestARedisThatHangsEndsTheExaminationInTime(t *testing.T) {
	t.Parallel()
	addr := storetest.StartWithUsers(t)
	must(t, storetest.As(t, addr, storetest.Admin).Do(t.Context(), "CLIENT", "PAUSE", "60000", "ALL").Err())
	w := &ward{t: t, environ: []string{"WK_REDIS__ADDRS=" + addr, "WK_REDIS__USERNAME=" + storetest.Operator, "WK_REDIS__PASSWORD=" + storetest.Password, "WK_STORE__AE01__PLATFORM=bazaar"}}
	began := time.Now()
	got := w.doctor(stalls(0), "--timeout", "1s")
	got.want(t, exitFailed, "records shards", stateFail)
	if took := time.Since(began); took > 20*time.Second || !strings.Contains(got.states["records shards"].Do, "--timeout") {
		t.Errorf("took %s: %+v", took, got.states["records shards"])
	}
}
