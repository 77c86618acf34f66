//go:build linux

package chaos_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/workers/store/storetest"
)

// A server is one redis process that can be killed and started again on its port and folder. It speaks TLS alone, and knows the users of
// deploy/redis/users.acl and the test's own.
type server struct {
	t    *testing.T
	ca   *storetest.Authority
	addr string
	dir  string
	args []string
	cmd  *exec.Cmd
	rdb  *redis.Client
}

// needRedis skips where no redis-server is installed, and fails in CI.
func needRedis(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err == nil {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no redis-server on the path, which CI must have")
	}
	t.Skip("no redis-server on the path: nothing to break")
}

// startRedis starts a server with an append-only file that is synced every second.
func startRedis(t *testing.T, ca *storetest.Authority, args ...string) *server {
	t.Helper()
	port := freePort(t)
	s := &server{t: t, ca: ca, addr: net.JoinHostPort("127.0.0.1", port), dir: t.TempDir()}
	s.args = slices.Concat([]string{"--port", "0", "--tls-port", port, "--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--appendonly", "yes",
		"--appendfsync", "everysec", "--aclfile", storetest.UsersFile(t), "--masteruser", storetest.Admin, "--masterauth", storetest.Password,
		"--tls-replication", "yes"}, ca.Server(), args)
	s.begin()
	return s
}

// begin starts the process, here also again. A full disk must be an error of writing and no death, so the signal of it is ignored.
func (s *server) begin() {
	s.t.Helper()
	s.cmd = exec.Command("sh", append([]string{"-c", `trap "" XFSZ; exec redis-server "$@"`, "redis"}, s.args...)...)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	cmd := s.cmd
	s.t.Cleanup(func() { end(cmd) })
	if s.rdb == nil {
		s.rdb = redis.NewClient(&redis.Options{Addr: s.addr, MaxRetries: -1, Username: storetest.Admin, Password: storetest.Password, TLSConfig: s.ca.Client()})
		s.t.Cleanup(func() { _ = s.rdb.Close() })
	}
	eventually(s.t, 20*time.Second, "redis answers at "+s.addr, func() bool { return s.rdb.Ping(s.t.Context()).Err() == nil })
}

// kill is kill -9.
func (s *server) kill() { end(s.cmd) }

func (s *server) set(name, value string) {
	s.t.Helper()
	must(s.t, s.rdb.ConfigSet(s.t.Context(), name, value).Err())
}

// tail is the newest part of the append-only file, and its size.
func (s *server) tail() (name string, size int64) {
	s.t.Helper()
	parts, err := filepath.Glob(filepath.Join(s.dir, "appendonlydir", "*.incr.aof"))
	if err != nil || len(parts) != 1 {
		s.t.Fatalf("append-only file: %v, %v", parts, err)
	}
	info, err := os.Stat(parts[0])
	must(s.t, err)
	return parts[0], info.Size()
}

func end(cmd *exec.Cmd) {
	_ = cmd.Process.Kill() // gone already is as good
	_ = cmd.Wait()
}

func freePort(t *testing.T) string {
	t.Helper()
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		_, port, err := net.SplitHostPort(l.Addr().String())
		must(t, err)
		must(t, l.Close())
		if n, err := strconv.Atoi(port); err == nil && n <= 55535 { // a cluster's bus is ten thousand higher
			return port
		}
	}
}

// A memory is the Redis of two daemons, in one of its three shapes.
type memory struct {
	env     []string
	options redis.UniversalOptions
	nodes   []*server
}

// reached is a memory that is reached at some addresses, with what a daemon must know besides.
func reached(ca *storetest.Authority, nodes []*server, at []string, env ...string) memory {
	return memory{
		env:     slices.Concat([]string{"WK_REDIS__ADDRS=" + strings.Join(at, ",")}, ca.Env(), env),
		options: redis.UniversalOptions{Addrs: at, Username: storetest.Admin, Password: storetest.Password, TLSConfig: ca.Client()},
		nodes:   nodes,
	}
}

func standalone(t *testing.T) memory {
	t.Helper()
	ca := storetest.NewAuthority(t, time.Now())
	s := startRedis(t, ca)
	return reached(ca, []*server{s}, []string{s.addr})
}

// sentinels is a master, its replica, and three sentinels.
func sentinels(t *testing.T) memory {
	t.Helper()
	ca := storetest.NewAuthority(t, time.Now())
	master := startRedis(t, ca)
	replica := startRedis(t, ca, "--replicaof", strings.ReplaceAll(master.addr, ":", " "))
	eventually(t, 20*time.Second, "the replica follows", func() bool {
		return strings.Contains(replica.rdb.Info(t.Context(), "replication").Val(), "master_link_status:up")
	})
	var addrs []string
	for range 3 {
		port := freePort(t)
		conf := filepath.Join(t.TempDir(), "sentinel.conf")
		must(t, os.WriteFile(conf, fmt.Appendf(nil, "port 0\ntls-port %s\ntls-replication yes\nbind 127.0.0.1\nsentinel monitor wk %s 2\n"+
			"sentinel down-after-milliseconds wk 2000\nsentinel failover-timeout wk 10000\nsentinel auth-user wk %s\nsentinel auth-pass wk %s\n",
			port, strings.ReplaceAll(master.addr, ":", " "), storetest.Admin, storetest.Password), 0o600))
		cmd := exec.Command("redis-server", append([]string{conf, "--sentinel"}, ca.Server()...)...)
		must(t, cmd.Start())
		t.Cleanup(func() { end(cmd) })
		addrs = append(addrs, "127.0.0.1:"+port)
	}
	rdb := redis.NewSentinelClient(&redis.Options{Addr: addrs[0], TLSConfig: ca.Client()})
	defer func() { _ = rdb.Close() }()
	eventually(t, 30*time.Second, "the sentinels know each other and the replica", func() bool {
		known, err := rdb.Master(t.Context(), "wk").Result()
		return err == nil && known["num-slaves"] == "1" && known["num-other-sentinels"] == "2"
	})
	m := reached(ca, []*server{master, replica}, addrs, "WK_REDIS__MASTER=wk")
	m.options.MasterName = "wk"
	return m
}

// cluster is three masters that share the slots.
func cluster(t *testing.T) memory {
	t.Helper()
	const masters = 3
	ca := storetest.NewAuthority(t, time.Now())
	nodes, addrs, hands := make([]*server, masters), make([]string, masters), make([]*redis.Client, masters)
	for i := range nodes {
		nodes[i] = startRedis(t, ca, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--tls-cluster", "yes")
		addrs[i], hands[i] = nodes[i].addr, nodes[i].rdb
	}
	must(t, storetest.Join(t.Context(), hands))
	m := reached(ca, nodes, addrs, "WK_REDIS__CLUSTER=true")
	m.options.IsClusterMode = true
	return m
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits until something is so, looking many times a second; the time is only a bound for a broken program.
func eventually(t *testing.T, within time.Duration, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("in vain for %s: %s", within, what)
		}
	}
}

// pass lets a fault last.
func pass(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
		t.Fatal("the test ended during the fault")
	}
}
