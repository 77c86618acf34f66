package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"watchkeeper/workers/fleet"
	"watchkeeper/workers/job"
	"watchkeeper/workers/store"
)

const (
	laggard = 10 * time.Second // a replica that has not acknowledged for so long

	deadMany  = 8000 // asynq keeps 9,999 dead jobs of a queue and stumbles when so many expire together
	waitSome  = 10_000
	waitMany  = 100_000
	percent   = 100
	mebibytes = 1 << 20
)

// memoryLimits are in percent of the limit, or of the machine without one.
var memoryLimits = limits[float64]{60, 75}

// judgeRedis looks at every server that takes writes.
func judgeRedis(f *facts) sheet {
	s := sheet{group: groupRedis}
	if f.servers.err != nil {
		s.add("server", "", verdict{stateFail, f.servers.err.Error(), remedy(f.servers.err)})
	}
	for _, server := range f.servers.value {
		if server.Err != nil {
			v := untold(server.Err)
			if !fleet.Forbidden(server.Err) {
				v.state = stateFail
			}
			s.add("server", server.Addr, v)
			continue
		}
		for _, check := range []struct {
			name  string
			judge func(store.Server) verdict
		}{
			{"version", judgeVersion}, {"eviction", judgeEviction}, {"persistence", judgePersistence}, {"replication", judgeReplication}, {"memory", judgeMemory},
		} {
			s.add(check.name, server.Addr, check.judge(server))
		}
		if server.Cluster != "" {
			s.add("cluster", server.Addr, judgeCluster(server))
		}
	}
	return s
}

func judgeVersion(s store.Server) verdict {
	const do = "upgrade Redis to 7.0 or later"
	switch {
	case s.Version == 0:
		return verdict{stateUnknown, "the server does not tell its version", "see that it is Redis 7.0 or later"}
	case s.Version < store.OldestServer:
		return fails(do, "%s: the fleet does not start with it", s.Release)
	case s.Version < store.TestedServer:
		return warns(do, "%s is older than any version that is tested", s.Release)
	}
	return fine("%s", s.Release)
}

func judgeEviction(s store.Server) verdict {
	switch s.Policy {
	case "":
		return verdict{stateUnknown, "the server does not tell its maxmemory-policy", "see that it is noeviction"}
	case "noeviction":
		return fine("maxmemory-policy noeviction")
	}
	return fails("CONFIG SET maxmemory-policy noeviction, and set it in redis.conf: the fleet does not start without",
		"maxmemory-policy %s: timers and the ledger are deleted when memory is full", s.Policy)
}

func judgePersistence(s store.Server) verdict {
	switch {
	case s.Policy == "": // an embedded server tells none of it
		return verdict{stateUnknown, "the server does not tell how it keeps data", "see that appendonly is yes and appendfsync everysec"}
	case s.Loading:
		return fails("wait until it has loaded its data", "the server loads its data and answers nothing else")
	case len(s.Failed) > 0:
		return fails("see the log of Redis and the space on its disk: it refuses writes, or will lose them",
			"the last write to disk went wrong: %s", strings.Join(s.Failed, ", "))
	case !s.AOF:
		return warns("CONFIG SET appendonly yes, and set it in redis.conf", "appendonly is off: a crash loses what was written since the last snapshot")
	case s.Fsync == "no":
		return warns("CONFIG SET appendfsync everysec, and set it in redis.conf", "appendfsync no: a crash of the machine loses as much as its kernel likes")
	case s.Fsync == "":
		return fine("appendonly yes, the last writes to disk went well; this user is not told appendfsync")
	}
	return fine("appendonly yes, appendfsync %s, the last writes to disk went well", s.Fsync)
}

func judgeReplication(s store.Server) verdict {
	const guard = "CONFIG SET min-replicas-to-write 1, and set it in redis.conf"
	var bad []string
	for _, r := range s.Replicas {
		if r.State != "online" || r.Lag > laggard {
			bad = append(bad, fmt.Sprintf("%s is %s, last heard of %s ago", r.Addr, r.State, span(r.Lag)))
		}
	}
	switch {
	case s.Role == "":
		return verdict{stateUnknown, "the server does not tell its role", "see that it is a master with a replica"}
	case s.Role != "master":
		return fails("set WK_REDIS__ADDRS to the master, or WK_REDIS__MASTER to let the sentinels tell it",
			"%s with its link to the master %s: it takes no writes", s.Role, s.Link)
	case s.Guarded && s.Good == 0:
		return fails("bring a replica back, or set min-replicas-to-write to 0 for as long as it takes", "no replica counts for min-replicas-to-write: writes are refused")
	case len(s.Replicas) == 0:
		return warns("add a replica, and set min-replicas-to-write 1", "no replica: when this machine is lost, so is the memory of the fleet")
	case len(bad) > 0:
		return warns("see the replica and the network between them", "%s", strings.Join(bad, "; "))
	case !s.Guarded:
		return warns(guard, "%s, and min-replicas-to-write is 0: a failover may lose acknowledged writes", counted(len(s.Replicas), "replica"))
	}
	return fine("%s, %d count for min-replicas-to-write", counted(len(s.Replicas), "replica"), s.Good)
}

func judgeMemory(s store.Server) verdict {
	of := "of maxmemory"
	if s.Max == 0 {
		of = "of the machine (maxmemory is 0)"
	}
	used, told := s.MemoryShare()
	if !told {
		return verdict{stateUnknown, "the server does not tell its memory", "see that it has room"}
	}
	share := percent * used
	found := fmt.Sprintf("%d MiB, %.0f %% %s", s.Used/mebibytes, share, of)
	return memoryLimits.judge(share, "give it more memory before it is full: then it refuses every write", found)
}

func judgeCluster(s store.Server) verdict {
	switch s.Cluster {
	case "ok":
		return fine("cluster_state ok")
	case store.ClusterUntold:
		return verdict{stateUnknown, "the state of the cluster is not told", "give the Redis user the rights of deploy/redis/users.acl"}
	}
	return fails("see CLUSTER NODES, and bring the lost masters or their replicas back", "cluster_state %s", s.Cluster)
}

// judgeQueues looks at asynq's queues. What lies there is a hint only, and each dead job was taken up by the timers.
func judgeQueues(f *facts) sheet {
	s := sheet{group: groupQueues}
	if f.queues.err != nil {
		s.add("queues", "", untold(f.queues.err))
	}
	for _, d := range f.queues.value {
		s.add("queue", d.Queue, judgeQueue(d))
	}
	return s
}

func judgeQueue(d job.Depth) verdict {
	found := fmt.Sprintf("%d wait, %d run, %d to be tried again, %d dead, %d of them in the last day", d.Pending, d.Active, d.Retry, d.Archived, d.Fresh)
	const watch = "see whether processes live, how busy they are, and WK_WORKERS__CONCURRENCY"
	const dead = "see \"job failed\" in the log for why jobs die, then delete the dead ones of this queue"
	type rule struct {
		applies bool
		state   string
		do      string
	}
	rules := []rule{
		{d.Paused, stateFail, "unpause the queue (asynq queue unpause " + d.Queue + "): nobody takes its jobs"},
		{d.Lost > 0, stateFail, fmt.Sprintf("remove the entries of asynq:{%s}:active and :pending that have no job: asynq's recovery stops at them", d.Queue)},
		{d.Archived >= deadMany, stateFail, dead},
		{d.Pending >= waitMany, stateFail, watch},
		{d.Fresh > 0, stateWarn, dead},
		{d.Pending >= waitSome, stateWarn, watch},
	}
	switch {
	case d.Paused:
		found = "paused; " + found
	case d.Lost > 0:
		found = fmt.Sprintf("%s listed without content; %s", counted(int(d.Lost), "job"), found)
	}
	if i := slices.IndexFunc(rules, func(r rule) bool { return r.applies }); i >= 0 {
		return verdict{rules[i].state, found, rules[i].do}
	}
	return fine("%s", found)
}

// counted is a number of things.
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
