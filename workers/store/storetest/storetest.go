// Package storetest gives tests a Redis: an embedded one (miniredis) and real servers, started on free ports and killed with the test.
//
// It promises that every test gets a server of its own, so that tests run in parallel and may flush, fill or kill it. It is for tests
// only and imports nothing of ours.
package storetest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// ready is how long a server may take to answer.
const ready = 20 * time.Second

// Each runs a subtest on the embedded Redis and one on a real server, there as the user that is shipped for the daemon: what the tests do
// through it, the daemon may do. Without redis-server the second is skipped, and fails in CI.
func Each(t *testing.T, test func(t *testing.T, rdb redis.UniversalClient)) {
	t.Helper()
	t.Run("miniredis", func(t *testing.T) {
		t.Parallel()
		test(t, client(t, miniredis.RunT(t).Addr()))
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		test(t, As(t, StartWithUsers(t), Daemon))
	})
}

func client(tb testing.TB, addr string) redis.UniversalClient {
	tb.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	tb.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// StartRedis starts a server without persistence on a free port of the loopback interface, with further arguments as redis-server takes
// them, and gives its address. It ends with the test.
func StartRedis(tb testing.TB, args ...string) string {
	tb.Helper()
	binary := find(tb)
	// Another process may take the port between our look and the server's start; then the server ends at once.
	for range 5 {
		if addr, ok := start(tb, binary, args); ok {
			return addr
		}
	}
	tb.Fatal("redis-server does not start")
	return ""
}

func find(tb testing.TB) string {
	tb.Helper()
	binary, err := exec.LookPath("redis-server")
	switch {
	case err == nil:
		return binary
	case os.Getenv("CI") != "":
		tb.Fatal("no redis-server on the path, which CI must have")
	default:
		tb.Skip("no redis-server on the path: not tested on a real server")
	}
	return ""
}

func start(tb testing.TB, binary string, args []string) (string, bool) {
	tb.Helper()
	port := freePort(tb)
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	args = append([]string{"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
		"--dir", tb.TempDir(), "--daemonize", "no", "--loglevel", "warning"}, args...)
	cmd := exec.Command(binary, args...)
	if err := cmd.Start(); err != nil {
		tb.Fatalf("start redis-server: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it is killed, so it never ends well
	}()
	stop := func() {
		_ = cmd.Process.Kill()
		<-ended
	}
	rdb := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1})
	defer rdb.Close()
	up := until(tb, ended, func(ctx context.Context) bool {
		info, err := rdb.Info(ctx, "server").Result()
		return err == nil && strings.Contains(info, fmt.Sprintf("process_id:%d\r", cmd.Process.Pid)) ||
			err != nil && strings.Contains(err.Error(), "NOAUTH")
	})
	if !up {
		stop()
		return "", false
	}
	tb.Cleanup(stop)
	return addr, true
}

// until asks again and again; false when ended is closed or the time is over.
func until(tb testing.TB, ended <-chan struct{}, ask func(context.Context) bool) bool {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), ready)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ask(ctx) {
		select {
		case <-ended:
			return false
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}

// freePort finds a port whose cluster bus port (ten thousand higher) exists too.
func freePort(tb testing.TB) int {
	tb.Helper()
	for range 1000 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatalf("find a free port: %v", err)
		}
		addr, ok := l.Addr().(*net.TCPAddr)
		if !ok {
			tb.Fatalf("%v is no TCP address", l.Addr())
		}
		port := addr.Port
		_ = l.Close()
		if port <= 55535 {
			return port
		}
	}
	tb.Fatal("no free port below 55536")
	return 0
}

// StartCluster starts three masters that share the slots, and gives a client of the cluster.
func StartCluster(tb testing.TB) redis.UniversalClient {
	tb.Helper()
	const masters, slots = 3, 16384
	addrs := make([]string, masters)
	nodes := make([]*redis.Client, masters)
	for i := range nodes {
		addrs[i] = StartRedis(tb, "--cluster-enabled", "yes", "--cluster-node-timeout", "5000")
		nodes[i] = redis.NewClient(&redis.Options{Addr: addrs[i]})
		tb.Cleanup(func() { _ = nodes[i].Close() })
	}
	ctx := context.Background()
	for i, node := range nodes {
		must(tb, node.ClusterAddSlotsRange(ctx, i*slots/masters, (i+1)*slots/masters-1).Err())
		host, port, err := net.SplitHostPort(addrs[0])
		must(tb, err)
		if i > 0 {
			must(tb, node.ClusterMeet(ctx, host, port).Err())
		}
	}
	for _, node := range nodes {
		if !until(tb, nil, func(ctx context.Context) bool {
			info := node.ClusterInfo(ctx).Val()
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d", masters))
		}) {
			tb.Fatal("the cluster does not come together")
		}
	}
	rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs})
	tb.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
