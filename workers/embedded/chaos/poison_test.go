//go:build linux

package chaos_test

import (
	"testing"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// enqueuePoison enqueues jobs in asynq's own form that no handler can use.
func enqueuePoison(t *testing.T, rdb *redis.Client) {
	t.Helper()
	client := asynq.NewClientFromRedisClient(rdb)
	for _, bad := range []struct{ kind, payload string }{
		{"case.respond", "\x00\x01\x02"}, {"case.respond", `{"v":1,"ids":[]}`}, {"case.assess", `{"v":1,"ids":["../../etc/passwd"]}`},
		{"case.refresh", `{"v":99,"ids":["AE01/1"]}`}, {"no.such.kind", "{}"}, {"case.respond-late", `{"v":1,"ids":["AE01/1"]}`},
	} {
		for _, queue := range []string{"answers", "cases"} {
			_, err := client.EnqueueContext(t.Context(), asynq.NewTask(bad.kind, []byte(bad.payload)), asynq.Queue(queue), asynq.MaxRetry(2))
			must(t, err)
		}
	}
}
