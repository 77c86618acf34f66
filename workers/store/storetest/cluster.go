package storetest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

const masters, slots = 3, 16384

// pooled is the name of the pool's own connections.
const pooled = "storetest"

// leaves is how long a server may take to see that the clients of a test have closed their connections.
const leaves = time.Second

// A cluster is three masters that share the slots. It takes seconds to come together, so that one goes from test to test: nobody has it while
// another does, and each gets it as the first did.
type cluster struct {
	servers []*server
	nodes   []*redis.Client
	asMade  []string // the settings and users of each
}

// spare are the clusters that no test has. They end with the process.
var spare struct {
	sync.Mutex
	clusters []*cluster
}

// borrow gives a test a cluster for as long as it runs, and answers its addresses.
func borrow(tb testing.TB) string {
	tb.Helper()
	c := reuse()
	if c == nil {
		var err error
		binary := find(tb)
		if c, err = newCluster(binary, openUsers(tb)); err != nil {
			tb.Fatal(err)
		}
	}
	tb.Cleanup(c.giveBack)
	return join(c.servers)
}

func reuse() *cluster {
	spare.Lock()
	defer spare.Unlock()
	n := len(spare.clusters)
	if n == 0 {
		return nil
	}
	c := spare.clusters[n-1]
	spare.clusters = spare.clusters[:n-1]
	return c
}

// newCluster starts a cluster. Its nodes are slow to give each other up: a machine that is busy with tests must not break it.
func newCluster(binary string, users []string) (*cluster, error) {
	c := &cluster{}
	for range masters {
		s, err := startServer(binary, append([]string{"--cluster-enabled", "yes", "--cluster-node-timeout", "60000"}, users...))
		if err != nil {
			c.end()
			return nil, err
		}
		c.servers = append(c.servers, s)
		c.nodes = append(c.nodes, redis.NewClient(&redis.Options{Addr: s.addr, ClientName: pooled, MaxRetries: -1}))
	}
	if err := Join(context.Background(), c.nodes); err != nil {
		c.end()
		return nil, err
	}
	for _, node := range c.nodes {
		set, err := settings(context.Background(), node)
		if err != nil {
			c.end()
			return nil, err
		}
		c.asMade = append(c.asMade, set)
	}
	return c, nil
}

// settings are all that can be set on a server, its users among them.
func settings(ctx context.Context, node *redis.Client) (string, error) {
	set, err := node.ConfigGet(ctx, "*").Result()
	users, err2 := node.ACLList(ctx).Result()
	return fmt.Sprint(set, users), errors.Join(err, err2)
}

// Join makes a cluster of servers that have cluster-enabled and hold nothing, by clients that may do everything there, and waits until each of
// them serves.
func Join(ctx context.Context, nodes []*redis.Client) error {
	host, port, err := net.SplitHostPort(nodes[0].Options().Addr)
	if err != nil {
		return err
	}
	for i, node := range nodes {
		if err := node.ClusterAddSlotsRange(ctx, i*slots/len(nodes), (i+1)*slots/len(nodes)-1).Err(); err != nil {
			return err
		}
		if i == 0 {
			continue
		}
		if err := node.ClusterMeet(ctx, host, port).Err(); err != nil {
			return err
		}
	}
	for _, node := range nodes {
		if err := until(nil, ready, "the cluster comes together", func(ctx context.Context) bool {
			info := node.ClusterInfo(ctx).Val()
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d", len(nodes)))
		}); err != nil {
			return err
		}
	}
	return nil
}

// StartFailover starts a cluster whose first master has a replica, and gives its addresses. fail kills that master, and returns when the replica
// has taken over.
func StartFailover(tb testing.TB) (addrs string, fail func()) {
	tb.Helper()
	ctx, binary := context.Background(), find(tb)
	started := make([]*server, masters+1)
	nodes := make([]*redis.Client, len(started))
	for i := range started {
		s, err := startServer(binary, []string{"--cluster-enabled", "yes", "--cluster-node-timeout", "3000", "--repl-diskless-sync-delay", "0"})
		must(tb, err)
		tb.Cleanup(s.kill)
		started[i], nodes[i] = s, redis.NewClient(&redis.Options{Addr: s.addr, MaxRetries: -1})
		tb.Cleanup(func() { _ = nodes[i].Close() })
	}
	first, replica := nodes[0], nodes[masters]
	must(tb, Join(ctx, nodes[:masters]))
	host, port, err := net.SplitHostPort(started[0].addr)
	must(tb, err)
	must(tb, replica.ClusterMeet(ctx, host, port).Err())
	id, err := first.ClusterMyID(ctx).Result()
	must(tb, err)
	must(tb, until(nil, ready, "a replica of the first master, which all know", func(ctx context.Context) bool {
		_ = replica.ClusterReplicate(ctx, id).Err() // refused until it knows the master
		for _, node := range nodes {
			if !strings.Contains(node.ClusterNodes(ctx).Val(), "slave "+id) {
				return false
			}
		}
		return strings.Contains(replica.Info(ctx, "replication").Val(), "master_link_status:up")
	}))
	fail = func() {
		started[0].kill()
		must(tb, until(nil, ready, "the replica takes over", func(ctx context.Context) bool {
			return strings.Contains(replica.Info(ctx, "replication").Val(), "role:master") && strings.Contains(replica.ClusterInfo(ctx).Val(), "cluster_state:ok")
		}))
	}
	return join(started[:masters]), fail
}

// join lists the addresses of servers.
func join(servers []*server) string {
	addrs := make([]string, len(servers))
	for i, s := range servers {
		addrs[i] = s.addr
	}
	return strings.Join(addrs, ",")
}

// giveBack ends a test's time with the cluster. One that is not as it was made ends with it.
func (c *cluster) giveBack() {
	if err := c.clean(); err != nil {
		c.end()
		return
	}
	spare.Lock()
	defer spare.Unlock()
	spare.clusters = append(spare.clusters, c)
}

func (c *cluster) end() {
	for _, node := range c.nodes {
		_ = node.Close()
	}
	for _, s := range c.servers {
		s.kill()
	}
}

// clean empties the cluster. An error means that a test has left something else behind: a dead server, other settings or users, or a client that may still
// write.
func (c *cluster) clean() error {
	ctx := context.Background()
	for i, node := range c.nodes {
		// As the first thing, for a server that hangs: it is killed, and asked nothing more.
		if err := node.Ping(ctx).Err(); err != nil {
			return err
		}
		if err := until(c.servers[i].ended, leaves, "the test's clients to leave", func(ctx context.Context) bool { return alone(ctx, node) }); err != nil {
			return err
		}
		for _, do := range []*redis.StatusCmd{node.FlushAll(ctx), node.ScriptFlush(ctx)} {
			if err := do.Err(); err != nil {
				return err
			}
		}
		if set, err := settings(ctx, node); err != nil || set != c.asMade[i] {
			return fmt.Errorf("a setting was changed (%w)", err)
		}
	}
	return nil
}

// alone tells whether only the pool's own clients are there.
func alone(ctx context.Context, node *redis.Client) bool {
	list, err := node.ClientList(ctx).Result()
	return err == nil && !slices.ContainsFunc(strings.Split(strings.TrimSpace(list), "\n"), func(client string) bool {
		return !strings.Contains(client, " name="+pooled+" ")
	})
}
