// Package storetest gives tests a Redis: an embedded one (miniredis), real servers, and clusters of three masters, started on free ports and killed
// with the test.
//
// It promises that every test gets a Redis of its own, so that tests run in parallel and may flush, fill or kill it, and that no server outlives
// the tests' process. With TEST_REDIS=cluster in the environment whatever leaves the kind to this package (Each, Start, StartEmbedded) gets a cluster.
// It is for tests only and imports nothing of ours.
package storetest

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// variable names the kind of Redis that tests run on, where it is left to this package. It must not begin as the daemon's own do.
const variable = "TEST_REDIS"

// onCluster tells whether this run is for a cluster.
func onCluster(tb testing.TB) bool {
	tb.Helper()
	switch kind := os.Getenv(variable); kind {
	case "", "standalone":
		return false
	case "cluster":
		return true
	default:
		tb.Fatalf("%s=%s: want standalone or cluster", variable, kind)
		return false
	}
}

// Each runs a subtest on the embedded Redis and one on a real server, there as the user that is shipped for the daemon: what the tests do
// through it, the daemon may do. Without redis-server the second is skipped, and fails in CI. With TEST_REDIS=cluster there is one subtest, on a
// cluster as the same user.
func Each(t *testing.T, test func(t *testing.T, rdb redis.UniversalClient)) {
	t.Helper()
	if onCluster(t) {
		t.Run("cluster", func(t *testing.T) {
			t.Parallel()
			test(t, As(t, Start(t), Daemon))
		})
		return
	}
	t.Run("miniredis", func(t *testing.T) {
		t.Parallel()
		test(t, Connect(t, miniredis.RunT(t).Addr()))
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		test(t, As(t, StartWithUsers(t), Daemon))
	})
}

// Start starts a server, or a cluster where the run is for one, and gives its address or addresses as WK_REDIS__ADDRS takes them. Whoever does not
// log in may do everything, and the shipped users and Admin are there, too. Further arguments are pairs as redis-server takes them, of settings that
// can be changed while it runs.
func Start(tb testing.TB, args ...string) string {
	tb.Helper()
	if !onCluster(tb) {
		return StartRedis(tb, append(openUsers(tb), args...)...)
	}
	addrs := borrow(tb)
	hand := Hand(Connect(tb, addrs))
	for i := 0; i < len(args); i += 2 {
		must(tb, hand.ConfigSet(tb.Context(), strings.TrimPrefix(args[i], "--"), args[i+1]).Err())
	}
	return addrs
}

// StartEmbedded is Start with an embedded Redis in place of a server, which needs nothing installed.
func StartEmbedded(tb testing.TB) string {
	tb.Helper()
	if onCluster(tb) {
		return borrow(tb)
	}
	return miniredis.RunT(tb).Addr()
}

// Connect gives a client of what one of the functions of this package started, without a login.
func Connect(tb testing.TB, addrs string) redis.UniversalClient {
	tb.Helper()
	rdb := dial(addrs, "", "")
	if _, cluster := rdb.(*redis.ClusterClient); cluster {
		lend(tb, rdb, dial(addrs, "", ""))
	}
	tb.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// dial makes the client that the daemon would.
func dial(addrs, user, password string) redis.UniversalClient {
	return redis.NewUniversalClient(&redis.UniversalOptions{Addrs: strings.Split(addrs, ","), Username: user, Password: password})
}

// StartRedis starts a single server without persistence on a free port of the loopback interface, with further arguments as redis-server takes
// them, and gives its address. It ends with the test.
func StartRedis(tb testing.TB, args ...string) string {
	tb.Helper()
	s, err := startServer(find(tb), args)
	must(tb, err)
	tb.Cleanup(s.kill)
	return s.addr
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

// StartCluster starts a cluster of three masters that share the slots, and gives a client of it, which does not log in.
func StartCluster(tb testing.TB) redis.UniversalClient {
	tb.Helper()
	return Connect(tb, borrow(tb))
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
