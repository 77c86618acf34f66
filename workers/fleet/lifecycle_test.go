package fleet_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sethvargo/go-envconfig"
	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/fleet"
	"watchkeeper/workers/store/storetest"
)

// quiet is a platform with nothing to tell.
type quiet struct{}

func (quiet) Fetch(context.Context, connectors.Cursor) (connectors.Page, error) {
	return connectors.Page{}, nil
}

func (quiet) Resolve(context.Context, connectors.Row) (sla.Dispute, error) {
	return sla.Dispute{}, &connectors.Error{Op: "quiet", Kind: connectors.NotFound}
}

func (quiet) Lookup(context.Context, sla.DisputeRef) (sla.Dispute, error) {
	return sla.Dispute{}, &connectors.Error{Op: "quiet", Kind: connectors.NotFound}
}

func quietRegistry() connectors.Registry {
	return connectors.Registry{{
		Name: "quiet", Poll: time.Minute, Variables: []string{"KEY"},
		New: func(context.Context, envconfig.Lookuper, connectors.Deps) (connectors.Built, error) {
			return connectors.Built{Connector: quiet{}}, nil
		},
	}}
}

// options load an environment on top of one quiet store.
func options(t *testing.T, redis string, environ ...string) fleet.Options {
	t.Helper()
	environ = append([]string{"WK_REDIS__ADDRS=" + redis, "WK_STORE__Q01__PLATFORM=quiet"}, environ...)
	if !strings.Contains(strings.Join(environ, " "), "WK_HTTP__LISTEN") {
		environ = append(environ, "WK_HTTP__LISTEN=127.0.0.1:0")
	}
	config, book, err := fleet.Load(t.Context(), environ, quietRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return fleet.Options{Config: config, Book: book, Registry: quietRegistry(), Now: time.Now, Log: zap.NewNop()}
}

func get(t *testing.T, f *fleet.Fleet, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+f.Addr()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestProbesTellTheProcessFromItsRedis(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	f, err := fleet.New(t.Context(), options(t, mini.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Stop(t.Context()) }()
	for _, path := range []string{"/livez", "/readyz"} {
		if code, body := get(t, f, path); code != http.StatusOK {
			t.Errorf("%s: %d %q", path, code, body)
		}
	}
	code, body := get(t, f, "/metrics")
	for _, name := range []string{
		"watchkeeper_store_up 1", `watchkeeper_rules_info{hash="`, `watchkeeper_jobs_total{kind="case.respond",result="failed"} 0`,
		`watchkeeper_rows_total{platform="quiet",verdict="rejected"} 0`, "watchkeeper_money_frozen_seconds",
	} {
		if code != http.StatusOK || !strings.Contains(body, name) {
			t.Errorf("/metrics (%d) lacks %s", code, name)
		}
	}
	mini.SetError("LOADING the dataset")
	if code, _ := get(t, f, "/readyz"); code != http.StatusServiceUnavailable {
		t.Errorf("/readyz without redis: %d", code)
	}
	if code, _ := get(t, f, "/livez"); code != http.StatusOK {
		t.Errorf("/livez without redis: %d: a restart would not mend redis", code)
	}
	mini.SetError("")
}

func TestMetricsFollowTheConventions(t *testing.T) {
	t.Parallel()
	f, err := fleet.New(t.Context(), options(t, storetest.StartEmbedded(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Stop(t.Context()) }()
	problems, err := testutil.GatherAndLint(f.Registry())
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", err, problems)
	}
}

func TestTwoFleetsLiveInOneProcessAndStopTwice(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	for range 2 {
		f, err := fleet.New(t.Context(), options(t, mini.Addr()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			for range 2 {
				if err := f.Stop(context.Background()); err != nil {
					t.Error(err)
				}
			}
		})
		if err := f.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	f, err := fleet.New(t.Context(), options(t, storetest.StartEmbedded(t)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("it does not end")
	}
}

func TestWhatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	busy, err := fleet.New(t.Context(), options(t, mini.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Stop(t.Context()) }()
	for want, o := range map[string]fleet.Options{
		"WK_HTTP__LISTEN": options(t, mini.Addr(), "WK_HTTP__LISTEN="+busy.Addr()),
		"open store":      options(t, "127.0.0.1:1"),
		"no clock": func() fleet.Options {
			o := options(t, mini.Addr())
			o.Now = nil
			return o
		}(),
	} {
		f, err := fleet.New(t.Context(), o)
		if err == nil {
			_ = f.Stop(t.Context())
			t.Errorf("started in spite of %s", want)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in %q", want, err)
		}
	}
}
