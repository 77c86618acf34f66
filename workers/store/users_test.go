package store_test

import (
	"context"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
	"watchkeeper/workers/store/storetest"
)

// storetest.Each runs the whole suite as the daemon's user; here is what that user and the operator's may not do.
func TestTheShippedUsersMayNothingBeyondTheirWork(t *testing.T) {
	t.Parallel()
	addr := storetest.StartWithUsers(t, "--enable-debug-command", "yes")
	refused := [][]any{
		{"CONFIG", "SET", "maxmemory", "1"}, {"CONFIG", "GET", "*"}, {"FLUSHALL"}, {"FLUSHDB"}, {"KEYS", "*"}, {"SCAN", "0"}, {"DEBUG", "SLEEP", "0"},
		{"SHUTDOWN", "NOSAVE"}, {"ACL", "LIST"}, {"ACL", "SETUSER", "x"}, {"REPLICAOF", "NO", "ONE"}, {"MODULE", "LIST"}, {"SAVE"}, {"MONITOR"},
		{"CLIENT", "KILL", "TYPE", "normal"}, {"SCRIPT", "FLUSH"}, {"SCRIPT", "KILL"}, {"FUNCTION", "FLUSH"}, {"MIGRATE", "h", "1", "k", "0", "1"}, {"DUMP", "wk:meta"},
		{"RESTORE", "wk:x", "0", "x"}, {"RENAME", "wk:meta", "wk:x"}, {"CLUSTER", "RESET"}, {"GET", "other:key"}, {"SET", "other:key", "1"}, {"PUBLISH", "other", "1"},
		{"EVAL", "return redis.call('FLUSHALL')", "0"}, {"EVAL", "return redis.call('GET', KEYS[1])", "1", "other:key"},
	}
	operator := [][]any{{"LPUSH", "asynq:{default}:pending", "x"}, {"GET", "asynq:queues"}, {"HGETALL", "asynq:{cases}:t:x"}, {"LREM", "asynq:{cases}:active", "0", "x"}, {"PUBLISH", "asynq:cancel", "x"}}
	for user, commands := range map[string][][]any{storetest.Daemon: refused, storetest.Operator: append(operator, refused...)} {
		rdb := storetest.As(t, addr, user)
		for _, command := range commands {
			if err := rdb.Do(context.Background(), command...).Err(); err == nil || !strings.Contains(err.Error(), "permission") && !strings.Contains(err.Error(), "user executing the script can't") {
				t.Errorf("%s: %v: want no permission, got %v", user, command, err)
			}
		}
	}
}

func TestWithoutAUserNothingIsAnswered(t *testing.T) {
	t.Parallel()
	addr := storetest.StartWithUsers(t)
	for _, rdb := range []redis.UniversalClient{connect(t, addr), storetest.As(t, addr, "default")} {
		if err := rdb.Ping(context.Background()).Err(); err == nil {
			t.Error("somebody unknown was answered")
		}
	}
}

func TestTheOperatorsUserDoesTheOperatorsWork(t *testing.T) {
	t.Parallel()
	ctx, c := context.Background(), newClock()
	addr := storetest.StartWithUsers(t)
	daemon := open(t, storetest.As(t, addr, storetest.Daemon), c)
	putAll(t, daemon, cases(3, at(c.now())))
	s := open(t, storetest.As(t, addr, storetest.Operator), c)
	if found, _, err := s.Cases(ctx, []sla.DisputeID{disputeID(1)}); err != nil || found[0].ID != disputeID(1) {
		t.Errorf("want the case read, got %v (%v)", found, err)
	}
	must(t, s.EachCase(ctx, func(sla.CaseRecord) error { return nil }))
	must(t, s.SetKill(ctx, sla.KillScope{}, true, "wrong prices", c.now()))
	_, err := s.Stats(ctx)
	must(t, err)
	must(t, s.Audit(ctx, disputeID(1), []byte("seen")))
}
