// Package chaos owns what is broken on purpose while two real daemons work: the list of scenarios, how long each may be felt, and the table
// of deploy/FAILURES.md made from it and from what was measured. The tests beside it build the daemon, start real Redis servers and the
// simulated platforms, break one thing, and let the platforms' own log judge: nothing late, nothing twice. It imports nothing of ours; its
// tests import the simulator and workers/store.
package chaos

import (
	"slices"
	"time"
)

// A Scenario is one thing that breaks.
type Scenario struct {
	Name  string // of the subtest of TestChaos
	Fault string
	Sees  string // what the user would see
	// Within is the most that it may take from the beginning of the fault until no answer waits any more.
	Within time.Duration
	// Short scenarios run with every `go test`, the others with `make chaos`.
	Short bool
}

// The time in which a thing is known to be back: what waited is answered then.
const (
	lease  = time.Minute      // a claimed case is looked for again after it
	freeze = time.Minute      // no answer after a loss of memory, in these tests
	outage = 15 * time.Second // how long what can be switched off and on is off
	tardy  = 20 * time.Second // to answer what has waited, on a busy machine
	clocks = 90 * time.Second // by which two daemons that share the looks at an answer may differ
	// An answer of unknown outcome is looked at after the lease of who sent it. It is sent again when it was absent for a settle window, and for
	// what clocks may differ, at the look after that.
	unknown = lease + freeze + clocks + freeze/4 + tardy
)

// Scenarios lists what is broken, in the order of the table.
func Scenarios() []Scenario { return slices.Concat(ofProcesses(), onTheWire()) }

// ofProcesses are the scenarios of daemons and servers.
func ofProcesses() []Scenario {
	return []Scenario{
		{
			Name: "killed daemon", Fault: "kill -9 of one of two daemons in the middle of its answers",
			Sees: "the other one goes on at once; what the dead one had claimed follows within seconds, what it had just read within a minute, " +
				"an answer that was on its way after its lease and a settle window", Within: unknown, Short: true,
		},
		{
			Name: "frozen daemon", Fault: "SIGSTOP of one of two daemons for 60 s, then SIGCONT",
			Sees: "the same; what the frozen one held is fenced off when it wakes up", Within: time.Minute + unknown,
		},
		{
			Name: "rolling restart", Fault: "SIGTERM of each daemon in turn under load, a new one started after it",
			Sees: "nothing: each ends its answers and exits with 0", Within: unknown,
		},
		{
			Name: "redis power cut", Fault: "redis is killed and the last seconds of its append-only file are gone",
			Sees: "answers stop for the settle window, a warning tells of the loss, and everything is read and confirmed anew", Within: outage + unknown,
		},
		{
			Name: "failover with lost writes", Fault: "Sentinel: the master is killed while its replica lags by seconds",
			Sees: "as with a power cut, from the failover on", Within: outage + unknown,
		},
		{
			Name: "cluster node killed", Fault: "one of three masters of a Cluster is killed, and started again 15 s later",
			Sees: "answers wait until the node is back", Within: outage + unknown,
		},
		{
			Name: "full redis", Fault: "maxmemory is reached for 15 s",
			Sees: "answers wait until there is room; readyz still says ready, the loops are logged as failing", Within: outage + unknown,
		},
		{
			Name: "flushall", Fault: "FLUSHALL",
			Sees: "answers stop for the settle window, a warning tells of the loss, and everything is read and confirmed anew", Within: unknown, Short: true,
		},
		{
			Name: "redis disk full", Fault: "redis can write no more of its append-only file for 15 s (RLIMIT_FSIZE)",
			Sees: "redis refuses writes (MISCONF); answers wait until there is room", Within: outage + unknown,
		},
	}
}

// onTheWire are the scenarios of the network and of what comes over it.
func onTheWire() []Scenario {
	return []Scenario{
		{
			Name: "slow redis", Fault: "200 ms of latency to redis for 15 s", Sees: "answers are slower", Within: outage + unknown,
		},
		{
			Name: "redis connections reset", Fault: "each connection to redis is reset for 15 s", Sees: "answers wait until the connections hold", Within: outage + unknown,
		},
		{
			Name: "redis half open", Fault: "connections to redis stay open and carry nothing for 15 s",
			Sees: "answers wait; what was sent into the void is asked about again", Within: outage + unknown,
		},
		{
			Name: "slow platform", Fault: "2 s of latency to the platform for 15 s", Sees: "answers are slower", Within: outage + unknown,
		},
		{
			Name: "platform connections reset", Fault: "each connection to the platform is reset for 15 s",
			Sees: "answers of unknown outcome are asked about, and sent again only when surely absent", Within: outage + unknown,
		},
		{
			Name: "platform half open", Fault: "connections to the platform stay open for 15 s, and what was sent arrives after that",
			Sees: "answers of unknown outcome are asked about, and sent again only when surely absent", Within: outage + unknown,
		},
		{
			Name: "poisoned queue", Fault: "jobs that cannot be read, of unknown kinds, of newer versions, and garbage in asynq's own keys, also with a dead worker",
			Sees: "the bad jobs are logged and dropped or parked; the cases are found again by their timers", Within: unknown, Short: true,
		},
	}
}
