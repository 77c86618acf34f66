//go:build linux

package chaos_test

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sys/unix"

	"watchkeeper/workers/embedded/chaos"
)

const outage = 15 * time.Second

// faults says how each scenario of the list is done.
var faults = map[string]fault{
	"killed daemon":              {strike: killed},
	"frozen daemon":              {settle: "90s", strike: frozen},
	"rolling restart":            {strike: rolled},
	"redis power cut":            {strike: powerCut},
	"failover with lost writes":  {memory: sentinels, strike: failedOver},
	"cluster node killed":        {memory: cluster, strike: nodeKilled},
	"full redis":                 {strike: full},
	"flushall":                   {strike: flushed},
	"redis disk full":            {strike: diskFull},
	"slow redis":                 {via: "redis", strike: spoilt("latency", "latency", 100)}, // each way
	"redis connections reset":    {via: "redis", strike: spoilt("reset_peer", "timeout", 0)},
	"redis half open":            {via: "redis", strike: spoilt("timeout", "timeout", 0)},
	"slow platform":              {via: "platform", strike: spoilt("latency", "latency", 1000)},
	"platform connections reset": {via: "platform", strike: spoilt("reset_peer", "timeout", 0)},
	"platform half open":         {via: "platform", strike: spoilt("timeout", "timeout", 0)},
	"poisoned queue":             {strike: poisoned},
}

// TestChaos breaks real processes. CHAOS=all runs every scenario, without it the short ones run.
func TestChaos(t *testing.T) {
	t.Parallel()
	if raced {
		t.Skip("the detector sees nothing of other processes")
	}
	if testing.Short() {
		t.Skip("starts and breaks real processes for minutes")
	}
	needRedis(t)
	for _, c := range chaos.Scenarios() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if !c.Short && os.Getenv("CHAOS") != "all" {
				t.Skip("runs with make chaos")
			}
			f := faults[c.Name]
			s := newScene(t, f)
			felt := s.play(f, c.Within)
			if *update && !t.Failed() {
				remember(t, c.Name, chaos.Measured{Recovery: felt.Round(100 * time.Millisecond).Seconds(), Answers: s.answers()})
			}
		})
	}
}

func killed(s *scene) {
	end(s.daemons[0])
	s.spawn()
}

func frozen(s *scene) {
	must(s.t, s.daemons[0].Process.Signal(syscall.SIGSTOP))
	pass(s.t, time.Minute)
	must(s.t, s.daemons[0].Process.Signal(syscall.SIGCONT))
}

func rolled(s *scene) {
	for _, old := range s.daemons[:2] {
		s.stop(old)
		started := s.spoke(`"msg":"on watch"`)
		s.spawn()
		eventually(s.t, boot, "the new daemon is on watch", func() bool { return s.spoke(`"msg":"on watch"`) > started })
	}
}

// amnesia waits until a daemon has told that the store lost its memory: without it the scenario shows nothing.
func amnesia(s *scene) {
	s.t.Helper()
	eventually(s.t, 30*time.Second, "a daemon tells of the loss", func() bool { return s.spoke("store without memory") > 0 })
}

// powerCut loses what the disk was told in the last two seconds and more, an answer among it: a power cut takes two seconds at most.
func powerCut(s *scene) {
	node := s.memory.nodes[0]
	before := s.answers()
	_, synced := node.tail()
	pass(s.t, 2*time.Second)
	eventually(s.t, boot, "an answer that will be forgotten", func() bool { return s.answers() > before })
	node.kill()
	name, size := node.tail()
	if size <= synced {
		s.t.Fatalf("nothing was written within two seconds: %d bytes, then %d", synced, size)
	}
	must(s.t, os.Truncate(name, synced))
	node.begin()
	amnesia(s)
}

// failedOver cuts the replica off by spoiling its login, kills the master some seconds later, and waits for the sentinels.
func failedOver(s *scene) {
	master, replica := s.memory.nodes[0], s.memory.nodes[1]
	replica.set("masteruser", "nobody")
	replica.set("masterauth", "nothing")
	must(s.t, master.rdb.ClientKillByFilter(s.t.Context(), "TYPE", "replica").Err())
	eventually(s.t, 10*time.Second, "the replica is cut off", func() bool {
		return strings.Contains(replica.rdb.Info(s.t.Context(), "replication").Val(), "master_link_status:down")
	})
	pass(s.t, 2*time.Second)
	master.kill()
	eventually(s.t, 40*time.Second, "the replica is the master", func() bool {
		return strings.Contains(replica.rdb.Info(s.t.Context(), "replication").Val(), "role:master")
	})
	amnesia(s)
}

func nodeKilled(s *scene) {
	s.memory.nodes[1].kill()
	pass(s.t, outage)
	s.memory.nodes[1].begin()
}

func full(s *scene) {
	s.memory.nodes[0].set("maxmemory", "1mb")
	pass(s.t, outage)
	if s.spoke("OOM command not allowed") == 0 {
		s.t.Error("redis refused nothing: the test shows nothing")
	}
	s.memory.nodes[0].set("maxmemory", "0")
}

func flushed(s *scene) {
	must(s.t, s.memory.nodes[0].rdb.FlushAll(s.t.Context()).Err())
	amnesia(s)
}

func diskFull(s *scene) {
	node := s.memory.nodes[0]
	_, size := node.tail()
	limit := unix.Rlimit{Cur: uint64(size), Max: unix.RLIM_INFINITY}
	must(s.t, unix.Prlimit(node.cmd.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil))
	pass(s.t, outage)
	if s.spoke("MISCONF") == 0 {
		s.t.Error("redis refused nothing: the test shows nothing")
	}
	limit.Cur = unix.RLIM_INFINITY
	must(s.t, unix.Prlimit(node.cmd.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil))
}

// spoilt spoils the wire of a scene for a while.
func spoilt(kind, attribute string, value int) func(*scene) {
	return func(s *scene) {
		mend := s.proxy.spoil(kind, attribute, value)
		pass(s.t, outage)
		mend()
	}
}

// poisoned puts what nobody can read where asynq keeps its jobs, and kills a worker, whose jobs asynq itself could not find again.
func poisoned(s *scene) {
	rdb := s.memory.nodes[0].rdb
	for _, queue := range []string{"answers", "cases", "parcels"} {
		prefix := "asynq:{" + queue + "}:"
		pipe := rdb.Pipeline()
		pipe.LPush(s.t.Context(), prefix+"pending", "nobody", "garbage")
		pipe.HSet(s.t.Context(), prefix+"t:garbage", "msg", "\x00\xff not a message", "state", "pending")
		pipe.LPush(s.t.Context(), prefix+"active", "lost", "broken")
		pipe.HSet(s.t.Context(), prefix+"t:broken", "msg", "\xde\xad", "state", "active")
		pipe.ZAdd(s.t.Context(), prefix+"lease", redis.Z{Score: 1, Member: "lost"}, redis.Z{Score: 1, Member: "broken"})
		_, err := pipe.Exec(s.t.Context())
		must(s.t, err)
	}
	enqueuePoison(s.t, rdb)
	end(s.daemons[0])
	s.spawn()
}
