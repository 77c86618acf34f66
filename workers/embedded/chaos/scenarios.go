// Package chaos owns what is broken on purpose while two real daemons work: the list of scenarios, how long each may be felt, and the table
// of deploy/FAILURES.md made from it and from what was measured. The tests beside it build the daemon, start real Redis servers and the
// simulated platforms, break one thing, and let the platforms' own log judge: nothing late, nothing twice. It imports nothing of ours; its
// tests import the simulator and workers/store.
package chaos

import "time"

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
	lease    = time.Minute      // a claimed case is looked for again after it
	freeze   = time.Minute      // no answer after a loss of memory, in these tests
	outage   = 15 * time.Second // how long what can be switched off and on is off
	tardy    = 20 * time.Second // to answer what has waited, on a busy machine
	promised = lease + tardy
)

// Scenarios lists what is broken, in the order of the table.
func Scenarios() []Scenario {
	return []Scenario{
		{
			Name: "killed daemon", Fault: "kill -9 of one of two daemons in the middle of its answers",
			Sees: "the other one goes on at once; what the dead one had claimed follows when its lease of a minute ends", Within: promised, Short: true,
		},
		{
			Name: "frozen daemon", Fault: "SIGSTOP of one of two daemons for 60 s, then SIGCONT",
			Sees: "the same; what the frozen one held is fenced off when it wakes up", Within: 2*lease + tardy,
		},
		{
			Name: "rolling restart", Fault: "SIGTERM of each daemon in turn under load, a new one started after it",
			Sees: "nothing: each ends its answers and exits with 0", Within: promised,
		},
		{
			Name: "redis power cut", Fault: "redis is killed and the last seconds of its append-only file are gone",
			Sees: "answers stop for the settle window, a warning tells of the loss, and everything is read and confirmed anew", Within: outage + lease + freeze + tardy,
		},
		{
			Name: "failover with lost writes", Fault: "Sentinel: the master is killed while its replica lags by seconds",
			Sees: "as with a power cut, from the failover on", Within: outage + lease + freeze + tardy,
		},
		{
			Name: "cluster node killed", Fault: "one of three masters of a Cluster is killed, and started again 15 s later",
			Sees: "answers wait until the node is back", Within: outage + promised,
		},
		{
			Name: "full redis", Fault: "maxmemory is reached for 15 s",
			Sees: "answers wait until there is room; readyz still says ready, the loops are logged as failing", Within: outage + promised,
		},
		{
			Name: "flushall", Fault: "FLUSHALL",
			Sees: "answers stop for the settle window, a warning tells of the loss, and everything is read and confirmed anew", Within: freeze + lease + tardy, Short: true,
		},
		{
			Name: "redis disk full", Fault: "redis can write no more of its append-only file for 15 s (RLIMIT_FSIZE)",
			Sees: "redis refuses writes (MISCONF); answers wait until there is room", Within: outage + promised,
		},
		{
			Name: "slow redis", Fault: "200 ms of latency to redis for 15 s", Sees: "answers are slower", Within: outage + promised,
		},
		{
			Name: "redis connections reset", Fault: "each connection to redis is reset for 15 s", Sees: "answers wait until the connections hold", Within: outage + promised,
			Short: true,
		},
		{
			Name: "redis half open", Fault: "connections to redis stay open and carry nothing for 15 s",
			Sees: "answers wait; what was sent into the void is asked about again", Within: outage + promised,
		},
		{
			Name: "slow platform", Fault: "2 s of latency to the platform for 15 s", Sees: "answers are slower", Within: outage + promised,
		},
		{
			Name: "platform connections reset", Fault: "each connection to the platform is reset for 15 s",
			Sees: "answers of unknown outcome are asked about, and sent again only when surely absent", Within: outage + freeze + promised,
		},
		{
			Name: "platform half open", Fault: "connections to the platform stay open for 15 s, and what was sent arrives after that",
			Sees: "answers of unknown outcome are asked about, and sent again only when surely absent", Within: outage + freeze + promised,
		},
		{
			Name: "poisoned queue", Fault: "jobs that cannot be read, of unknown kinds, of newer versions, and garbage in asynq's own keys, also with a dead worker",
			Sees: "the bad jobs are logged and dropped or parked; the cases are found again by their timers", Within: promised, Short: true,
		},
	}
}
