package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrUnfit means that the server cannot keep the promises of this package as it is configured.
var ErrUnfit = errors.New("redis is not fit")

// OldestServer is the oldest server that works, TestedServer the oldest one the package is tested on; both as Server.Version.
const (
	OldestServer = 602
	TestedServer = 700
)

// checkServer looks at every master. A server that does not answer a question (an embedded one, or one whose access list forbids it) is
// believed, with a warning.
func checkServer(ctx context.Context, rdb redis.UniversalClient) ([]string, error) {
	var mu sync.Mutex
	var warnings []string
	err := onMasters(ctx, rdb, func(ctx context.Context, node redis.Cmdable) error {
		found, err := checkNode(ctx, node)
		mu.Lock()
		defer mu.Unlock()
		for _, w := range found {
			if !slices.Contains(warnings, w) {
				warnings = append(warnings, w)
			}
		}
		return err
	})
	return warnings, err
}

// onMasters runs fn on every server that takes writes.
func onMasters(ctx context.Context, rdb redis.UniversalClient, fn func(context.Context, redis.Cmdable) error) error {
	if cluster, ok := rdb.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error { return fn(ctx, c) })
	}
	return fn(ctx, rdb)
}

func checkNode(ctx context.Context, node redis.Cmdable) ([]string, error) {
	var warnings []string
	switch version := serverVersion(infoOf(ctx, node, "server")); {
	case version == 0:
		warnings = append(warnings, "the server does not tell its version; want 7.0 or later")
	case version < OldestServer:
		return nil, fmt.Errorf("%w: version %d.%d, want 7.0 or later", ErrUnfit, version/100, version%100)
	case version < TestedServer:
		warnings = append(warnings, "the server is older than 7.0, the oldest version this is tested on")
	}
	// INFO tells all of it, and so no user needs the right to CONFIG GET, which shows passwords.
	policy, told := infoOf(ctx, node, "memory")["maxmemory_policy"]
	if !told {
		return append(warnings, "the server does not tell its settings; want maxmemory-policy noeviction and appendonly yes"), nil
	}
	if policy != "noeviction" {
		return nil, fmt.Errorf("%w: maxmemory-policy %s deletes timers and the ledger when memory is full; want noeviction", ErrUnfit, policy)
	}
	if infoOf(ctx, node, "persistence")["aof_enabled"] != "1" {
		warnings = append(warnings, "appendonly is off: a crash of the server loses what was written since its last snapshot")
	}
	if _, waits := infoOf(ctx, node, "replication")["min_slaves_good_slaves"]; !waits {
		warnings = append(warnings, "min-replicas-to-write is 0: a failover may lose acknowledged writes")
	}
	return warnings, nil
}

// infoOf reads one section of INFO; empty when the server does not answer.
func infoOf(ctx context.Context, node redis.Cmdable, section string) map[string]string {
	return parseInfo(node.Info(ctx, section).Val())
}

// parseInfo reads lines of "name:value".
func parseInfo(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			out[name] = value
		}
	}
	return out
}

// serverVersion is 100·major + minor; 0 when unknown.
func serverVersion(info map[string]string) int {
	major, rest, _ := strings.Cut(info["redis_version"], ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, err := strconv.Atoi(major)
	b, err2 := strconv.Atoi(minor)
	if err != nil || err2 != nil {
		return 0
	}
	return 100*a + b
}

// ServerTime reads the servers' clock: that of most masters that answer, for one of several may be wrong itself. Zero when none of them
// tells the time.
func (s *Store) ServerTime(ctx context.Context) (time.Time, error) {
	var mu sync.Mutex
	var told []int64
	answered := false
	err := onMasters(ctx, s.rdb, func(ctx context.Context, node redis.Cmdable) error {
		info, err := node.Info(ctx, "server").Result()
		if _, refused := errors.AsType[redis.Error](err); refused {
			err = nil // it may not be asked
		}
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		answered = true
		if us, err := strconv.ParseInt(parseInfo(info)["server_time_usec"], 10, 64); err == nil && us > 0 {
			told = append(told, us)
		}
		return nil
	})
	switch {
	case !answered:
		return time.Time{}, wrap("read the server's clock", err)
	case len(told) == 0:
		return time.Time{}, nil
	}
	return agreed(told, s.now()), nil
}

// agreed is the median of what several clocks tell, in Unix µs: of two in the middle the one that is nearer to ours, so that one wrong clock of two
// accuses nobody.
func agreed(told []int64, ours time.Time) time.Time {
	slices.Sort(told)
	low, high := time.UnixMicro(told[(len(told)-1)/2]).UTC(), time.UnixMicro(told[len(told)/2]).UTC()
	if ours.Sub(low).Abs() < high.Sub(ours).Abs() {
		return low
	}
	return high
}
