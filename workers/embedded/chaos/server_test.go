//go:build linux

package chaos_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// A server is one redis process that can be killed and started again on its port and folder.
type server struct {
	t    *testing.T
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
func startRedis(t *testing.T, args ...string) *server {
	t.Helper()
	port := freePort(t)
	s := &server{t: t, addr: net.JoinHostPort("127.0.0.1", port), dir: t.TempDir()}
	s.args = append([]string{"--port", port, "--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--appendonly", "yes", "--appendfsync", "everysec"}, args...)
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
		s.rdb = redis.NewClient(&redis.Options{Addr: s.addr, MaxRetries: -1})
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

func standalone(t *testing.T) memory {
	t.Helper()
	s := startRedis(t)
	return memory{env: []string{"WK_REDIS__ADDRS=" + s.addr}, options: redis.UniversalOptions{Addrs: []string{s.addr}}, nodes: []*server{s}}
}

// sentinels is a master, its replica, and three sentinels.
func sentinels(t *testing.T) memory {
	t.Helper()
	master := startRedis(t)
	replica := startRedis(t, "--replicaof", strings.ReplaceAll(master.addr, ":", " "))
	eventually(t, 20*time.Second, "the replica follows", func() bool {
		return strings.Contains(replica.rdb.Info(t.Context(), "replication").Val(), "master_link_status:up")
	})
	var addrs []string
	for range 3 {
		port := freePort(t)
		conf := filepath.Join(t.TempDir(), "sentinel.conf")
		must(t, os.WriteFile(conf, fmt.Appendf(nil, "port %s\nbind 127.0.0.1\nsentinel monitor wk %s 2\nsentinel down-after-milliseconds wk 2000\n"+
			"sentinel failover-timeout wk 10000\n", port, strings.ReplaceAll(master.addr, ":", " ")), 0o600))
		cmd := exec.Command("redis-server", conf, "--sentinel")
		must(t, cmd.Start())
		t.Cleanup(func() { end(cmd) })
		addrs = append(addrs, "127.0.0.1:"+port)
	}
	rdb := redis.NewSentinelClient(&redis.Options{Addr: addrs[0]})
	defer func() { _ = rdb.Close() }()
	eventually(t, 30*time.Second, "the sentinels know each other and the replica", func() bool {
		known, err := rdb.Master(t.Context(), "wk").Result()
		return err == nil && known["num-slaves"] == "1" && known["num-other-sentinels"] == "2"
	})
	list := strings.Join(addrs, ",")
	return memory{env: []string{"WK_REDIS__ADDRS=" + list, "WK_REDIS__MASTER=wk"}, options: redis.UniversalOptions{Addrs: addrs, MasterName: "wk"},
		nodes: []*server{master, replica}}
}

// cluster is three masters that share the slots.
func cluster(t *testing.T) memory {
	t.Helper()
	const masters, slots = 3, 16384
	m := memory{}
	for i := range masters {
		s := startRedis(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
		must(t, s.rdb.ClusterAddSlotsRange(t.Context(), i*slots/masters, (i+1)*slots/masters-1).Err())
		m.nodes, m.options.Addrs = append(m.nodes, s), append(m.options.Addrs, s.addr)
		if i > 0 {
			host, port, err := net.SplitHostPort(m.nodes[0].addr)
			must(t, err)
			must(t, s.rdb.ClusterMeet(t.Context(), host, port).Err())
		}
	}
	eventually(t, 30*time.Second, "the cluster comes together", func() bool {
		for _, s := range m.nodes {
			info := s.rdb.ClusterInfo(t.Context()).Val()
			if !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d", masters)) {
				return false
			}
		}
		return true
	})
	m.options.IsClusterMode = true
	m.env = []string{"WK_REDIS__ADDRS=" + strings.Join(m.options.Addrs, ","), "WK_REDIS__CLUSTER=true"}
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
