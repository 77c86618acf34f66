package fleet_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"

	"watchkeeper/sla"
	"watchkeeper/workers/fleet"
	"watchkeeper/workers/store/storetest"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// secureRedis listens for TLS on a second port; the first stays plain, for the helper to see that the server is up.
func secureRedis(t *testing.T, a *storetest.Authority) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	addr := l.Addr().String()
	must(t, l.Close())
	_, port, err := net.SplitHostPort(addr)
	must(t, err)
	storetest.StartWithUsers(t, append([]string{"--tls-port", port}, a.Server()...)...)
	return addr
}

// The daemon's whole road: records, queue and probes as the shipped user, through TLS with a certificate on both sides.
func TestTheDaemonWorksThroughTLSAsItsOwnUser(t *testing.T) {
	t.Parallel()
	a := storetest.NewAuthority(t, time.Now())
	addr := secureRedis(t, a)
	password := filepath.Join(t.TempDir(), "password")
	must(t, os.WriteFile(password, []byte(storetest.Password+"\n"), 0o600))
	login := []string{"WK_REDIS__USERNAME=" + storetest.Daemon, "WK_REDIS__PASSWORD_FILE=" + password}
	trust := []string{"WK_REDIS__TLS=true", "WK_REDIS__TLS_CA_FILE=" + a.File("ca.crt")}
	shown := []string{"WK_REDIS__TLS_CERT_FILE=" + a.File("client.crt"), "WK_REDIS__TLS_KEY_FILE=" + a.File("client.key")}
	named := []string{"WK_REDIS__TLS_SERVER_NAME=redis.internal"}
	for name, lists := range map[string][][]string{
		"no TLS": {login}, "no certificate of ours": {login, trust, named}, "another name": {login, trust, shown}, "an authority unknown": {login, trust[:1], shown, named},
	} {
		f, err := fleet.New(t.Context(), options(t, addr, join(lists)...))
		if err == nil {
			_ = f.Stop(t.Context())
		}
		if !errors.Is(err, sla.ErrStoreOut) {
			t.Errorf("%s: want no connection, got %v", name, err)
		}
	}
	f, err := fleet.New(t.Context(), options(t, addr, join([][]string{login, trust, shown, named})...))
	must(t, err)
	t.Cleanup(func() { must(t, f.Stop(context.Background())) })
	must(t, f.Start(t.Context()))
	if code, body := get(t, f, "/readyz"); code != 200 {
		t.Errorf("want it ready, got %d %s", code, body)
	}
	must(t, f.Step(t.Context())) // which looks into the queue, too
}

func join(lists [][]string) []string {
	var out []string
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

func TestTheTwoPortsMayBeAnythingThatOneMachineCanListenAt(t *testing.T) {
	t.Parallel()
	for listen, admin := range map[string]string{":9090": ":9091", "10.0.0.1:9090": ":9090", "127.0.0.1:0": ":0"} {
		if _, err := fleet.LoadConfig(t.Context(), envconfig.MapLookuper(map[string]string{"WK_HTTP__LISTEN": listen, "WK_HTTP__ADMIN": admin})); err != nil {
			t.Errorf("%s and %s: %v", listen, admin, err)
		}
	}
}

func TestMistakesAboutRedisAndPortsNameVariablePathAndCause(t *testing.T) {
	t.Parallel()
	a := storetest.NewAuthority(t, time.Now())
	for _, c := range []struct{ env, wants string }{
		{"WK_REDIS__PASSWORD_FILE=/nowhere/secrets/redis", "WK_REDIS__PASSWORD_FILE|/nowhere/secrets/redis: no such file"},
		{"WK_REDIS__TLS_SERVER_NAME=redis", "WK_REDIS__TLS: want true"},
		{"WK_REDIS__TLS=true WK_REDIS__TLS_CA_FILE=/nowhere/ca", "WK_REDIS__TLS_CA_FILE|/nowhere/ca: no such file"},
		{"WK_REDIS__TLS=true WK_REDIS__TLS_CA_FILE=" + a.File("server.key"), "WK_REDIS__TLS_CA_FILE|no certificate"},
		{"WK_REDIS__TLS=true WK_REDIS__TLS_CERT_FILE=" + a.File("client.crt"), "WK_REDIS__TLS_CERT_FILE|WK_REDIS__TLS_KEY_FILE"},
		{"WK_REDIS__SENTINEL_USERNAME=x", "WK_REDIS__MASTER"},
		{"WK_REDIS__ADDRS=redis:http", "WK_REDIS__ADDRS"},
		{"WK_HTTP__LISTEN=:99999", "WK_HTTP__LISTEN|65536"},
		{"WK_HTTP__LISTEN=:http", "WK_HTTP__LISTEN"},
		{"WK_HTTP__ADMIN=localhost", "WK_HTTP__ADMIN"},
		{"WK_HTTP__ADMIN=:9090", "WK_HTTP__ADMIN: want another port than that of WK_HTTP__LISTEN"},
		{"WK_HTTP__ADMIN=127.0.0.1:8080 WK_HTTP__LISTEN=localhost:08080", "WK_HTTP__ADMIN: want another port"},
		{"WK_HTTP__ADMIN=0.0.0.0:8080 WK_HTTP__LISTEN=10.0.0.1:8080", "WK_HTTP__ADMIN: want another port"},
		{"WK_VAULT__KEY_FILE=/nowhere/vault/key", "WK_VAULT__KEY_FILE|/nowhere/vault/key: no such file"},
	} {
		env := map[string]string{}
		for entry := range strings.SplitSeq(c.env, " ") {
			name, value, _ := strings.Cut(entry, "=")
			env[name] = value
		}
		_, err := fleet.LoadConfig(t.Context(), envconfig.MapLookuper(env))
		for want := range strings.SplitSeq(c.wants, "|") {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: want %q, got %v", c.env, want, err)
			}
		}
	}
}
