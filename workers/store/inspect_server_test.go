package store_test

import (
	"context"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

// asked is what the one server of a client tells.
func asked(t *testing.T, rdb redis.UniversalClient) store.Server {
	t.Helper()
	found, err := store.Servers(context.Background(), rdb, time.Now)
	must(t, err)
	if len(found) != 1 {
		t.Fatalf("want one server, got %+v", found)
	}
	return found[0]
}

func TestAServerTellsHowItIsConfigured(t *testing.T) {
	t.Parallel()
	addr := storetest.StartWithUsers(t, "--appendonly", "yes", "--appendfsync", "no", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru",
		"--min-replicas-to-write", "1")
	admin := asked(t, storetest.As(t, addr, storetest.Admin))
	if admin.Err != nil || !admin.AOF || admin.Fsync != "no" || admin.Max != 100<<20 || admin.Used == 0 || admin.System == 0 || admin.Policy != "allkeys-lru" ||
		!admin.Guarded || admin.Good != 0 || admin.Role != "master" || admin.Version < store.TestedServer || admin.Cluster != "" || admin.Loading || len(admin.Failed) != 0 {
		t.Errorf("got %+v", admin)
	}
	for _, user := range []string{storetest.Operator, storetest.Daemon} {
		if got := asked(t, storetest.As(t, addr, user)); got.Err != nil || got.Fsync != "" || got.Policy != "allkeys-lru" || !got.AOF {
			t.Errorf("%s: want everything but appendfsync, got %+v", user, got)
		}
	}
	if got := asked(t, storetest.As(t, addr, storetest.Operator)); got.SkewErr != nil || got.Skew.Abs() > time.Second {
		t.Errorf("want the time told to the operator, got %+v", got)
	}
}

func TestAServersClockIsComparedWithTheMiddleOfTheCall(t *testing.T) {
	t.Parallel()
	rdb := connect(t, storetest.StartRedis(t))
	behind := func() time.Time { return time.Now().Add(-30 * time.Second) }
	found, err := store.Servers(context.Background(), rdb, behind)
	must(t, err)
	if skew := found[0].Skew; (skew - 30*time.Second).Abs() > time.Second {
		t.Errorf("want a server 30 s ahead, got %s", skew)
	}
}

func TestAServerThatRefusesToTellIsNoReasonToStop(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	addr := storetest.StartWithUsers(t)
	admin := storetest.As(t, addr, storetest.Admin)
	must(t, admin.Do(ctx, "ACL", "SETUSER", storetest.Operator, "-info", "-time").Err())
	if got := asked(t, storetest.As(t, addr, storetest.Operator)); got.Err == nil {
		t.Errorf("want why it tells nothing, got %+v", got)
	}
	must(t, admin.Do(ctx, "ACL", "SETUSER", storetest.Operator, "+info").Err())
	if got := asked(t, storetest.As(t, addr, storetest.Operator)); got.Err != nil || got.SkewErr == nil || got.Policy != "noeviction" {
		t.Errorf("want all but the time, got %+v", got)
	}
	if got := asked(t, connect(t, "127.0.0.1:1")); got.Err == nil {
		t.Error("want a server that is away told of")
	} else {
		wantErr(t, got.Err, sla.ErrStoreOut)
	}
}

func TestAMasterTellsOfItsReplicas(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	addr := storetest.StartRedis(t, "--repl-diskless-sync-delay", "0")
	host, port, err := net.SplitHostPort(addr)
	must(t, err)
	replica := storetest.StartRedis(t, "--replicaof", host+" "+port)
	master := connect(t, addr)
	deadline, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var got store.Server
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		got = asked(t, master)
		if slices.ContainsFunc(got.Replicas, func(r store.Replica) bool { return r.State == "online" && r.Addr == replica }) {
			tick.Stop()
			break
		}
		select {
		case <-tick.C:
		case <-deadline.Done():
			t.Fatalf("want the replica online, got %+v", got)
		}
	}
	if slave := asked(t, connect(t, replica)); slave.Role != "slave" || slave.Link != "up" {
		t.Errorf("want a replica with its link, got %+v", slave)
	}
}

func TestEachMasterOfAClusterTells(t *testing.T) {
	t.Parallel()
	found, err := store.Servers(context.Background(), storetest.StartCluster(t), time.Now)
	must(t, err)
	if len(found) != 3 || found[0].Addr == found[1].Addr {
		t.Fatalf("want three masters, got %+v", found)
	}
	for _, s := range found {
		if s.Cluster != "ok" || s.Addr == "" || s.Err != nil {
			t.Errorf("got %+v", s)
		}
	}
}
