package store

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// A Server is what one Redis server tells of itself.
type Server struct {
	Addr    string // of a node of a cluster; empty of a single server
	Err     error  // why it tells nothing; the rest is empty then
	Version int    // 100·major + minor; 0 when it does not say
	Release string // the version in full
	Role    string // master or slave
	Policy  string // what it does when memory is full
	Used    int64  // bytes
	Max     int64  // the limit of Used; 0: none
	System  int64  // the machine's memory; 0: not told

	Loading bool
	AOF     bool
	Fsync   string   // appendfsync; empty when this user is not told
	Failed  []string // of the last writes to disk, those that went wrong, by their names in INFO

	Replicas []Replica
	Guarded  bool   // min-replicas-to-write is set
	Good     int    // replicas that count for it
	Link     string // of a replica to its master
	Cluster  string // the state of the cluster as the node sees it; empty without one

	Skew    time.Duration // its clock minus ours
	SkewErr error         // why its clock is not told
}

// A Replica is one of a server's replicas, as the server sees it.
type Replica struct {
	Addr, State string
	Lag         time.Duration // since it last acknowledged
}

// Servers asks every server that takes writes. What one does not tell, or what an access list forbids, is told in its place; an error means that
// no server is to be reached.
func Servers(ctx context.Context, rdb redis.UniversalClient, now func() time.Time) ([]Server, error) {
	var mu sync.Mutex
	var out []Server
	err := onMasters(ctx, rdb, func(ctx context.Context, node redis.Cmdable) error {
		s := askServer(ctx, node, now)
		if c, ok := node.(*redis.Client); ok && node != rdb {
			s.Addr = c.Options().Addr
		}
		mu.Lock()
		defer mu.Unlock()
		out = append(out, s)
		return nil
	})
	slices.SortFunc(out, func(a, b Server) int { return strings.Compare(a.Addr, b.Addr) })
	return out, wrap("ask the servers", err)
}

func askServer(ctx context.Context, node redis.Cmdable, now func() time.Time) Server {
	text, err := node.Info(ctx).Result()
	if err != nil {
		return Server{Err: wrap("INFO", err)}
	}
	s := readServer(parseInfo(text))
	before := now()
	theirs, err := node.Time(ctx).Result()
	if s.SkewErr = wrap("TIME", err); err == nil {
		s.Skew = theirs.Sub(before.Add(now().Sub(before) / 2))
	}
	if said, err := node.ConfigGet(ctx, "appendfsync").Result(); err == nil { // the shipped users are not told, and need not be
		s.Fsync = said["appendfsync"]
	}
	if s.Cluster != "" {
		state := parseInfo(node.ClusterInfo(ctx).Val())
		s.Cluster = cmp.Or(state["cluster_state"], ClusterUntold)
	}
	return s
}

// Servers tells what each server that takes writes says in INFO alone, which needs fewer rights than the function of the same name.
func (s *Store) Servers(ctx context.Context) ([]Server, error) {
	var mu sync.Mutex
	var out []Server
	err := onMasters(ctx, s.rdb, func(ctx context.Context, node redis.Cmdable) error {
		text, err := node.Info(ctx).Result()
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		out = append(out, readServer(parseInfo(text)))
		return nil
	})
	return out, wrap("ask the servers", err)
}

// MemoryShare is how much of its memory is used, of the machine's where it has no limit; false when it does not tell.
func (s *Server) MemoryShare() (share float64, told bool) {
	limit := cmp.Or(s.Max, s.System)
	if limit == 0 || s.Used == 0 {
		return 0, false
	}
	return float64(s.Used) / float64(limit), true
}

// ClusterUntold is the state of a cluster that the server does not tell.
const ClusterUntold = "not told"

// writesToDisk are the fields of INFO that say how the last write of each kind went.
var writesToDisk = []string{"rdb_last_bgsave_status", "aof_last_bgrewrite_status", "aof_last_write_status"}

// readServer reads INFO.
func readServer(info map[string]string) Server {
	number := func(name string) int64 { return parseInt(info[name]) }
	s := Server{
		Version: serverVersion(info), Release: info["redis_version"], Role: info["role"], Policy: info["maxmemory_policy"],
		Used: number("used_memory"), Max: number("maxmemory"), System: number("total_system_memory"),
		Loading: number("loading") != 0, AOF: number("aof_enabled") == 1, Good: int(number("min_slaves_good_slaves")), Link: info["master_link_status"],
	}
	_, s.Guarded = info["min_slaves_good_slaves"]
	if number("cluster_enabled") == 1 {
		s.Cluster = ClusterUntold
	}
	for _, name := range writesToDisk {
		if said := info[name]; said != "" && said != "ok" {
			s.Failed = append(s.Failed, name)
		}
	}
	for n := 0; ; n++ {
		said, ok := info["slave"+strconv.Itoa(n)]
		if !ok {
			return s
		}
		s.Replicas = append(s.Replicas, readReplica(said))
	}
}

// readReplica reads "ip=…,port=…,state=online,offset=…,lag=1".
func readReplica(said string) (r Replica) {
	var host string
	for part := range strings.SplitSeq(said, ",") {
		switch name, value, _ := strings.Cut(part, "="); name {
		case "ip":
			host = value
		case "port":
			r.Addr = host + ":" + value
		case "state":
			r.State = value
		case "lag":
			r.Lag = time.Duration(parseInt(value)) * time.Second
		}
	}
	return r
}
