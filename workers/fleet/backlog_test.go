package fleet_test

import (
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"watchkeeper/workers/job"
	"watchkeeper/workers/store/storetest"
)

func TestWhatLiesInTheQueueIsToldAndWhatNobodyCanReadIsDroppedAndToldOf(t *testing.T) {
	t.Parallel()
	addr := storetest.Start(t)
	rdb := storetest.As(t, addr, storetest.Daemon)
	b, _ := skewed(t, addr, "WK_REDIS__USERNAME="+storetest.Daemon, "WK_REDIS__PASSWORD="+storetest.Password)
	for _, queue := range []string{job.QueueAnswers, job.QueueCases, job.QueueParcels} {
		for _, state := range []string{"pending", "active", "retry", "archived"} {
			b.has("watchkeeper_queue_jobs", map[string]float64{" " + queue + " " + state: 0})
		}
		b.has("watchkeeper_queue_unreadable_total", map[string]float64{" " + queue: 0})
	}
	client := asynq.NewClientFromRedisClient(rdb)
	enqueue := func(id string, o ...asynq.Option) {
		_, err := client.Enqueue(asynq.NewTask("case.unheard", nil), append(o, asynq.Queue(job.QueueCases), asynq.TaskID(id))...)
		b.must(err)
	}
	inspect := asynq.NewInspectorFromRedisClient(rdb)
	enqueue("old")
	b.must(inspect.ArchiveTask(job.QueueCases, "old"))
	enqueue("new")
	enqueue("newer")
	b.has("watchkeeper_queue_jobs", map[string]float64{" cases pending": 2, " cases archived": 1, " cases active": 0})
	prefix, hand := "asynq:{"+job.QueueAnswers+"}:", storetest.Hand(rdb)
	b.must(hand.HSet(t.Context(), prefix+"t:bad", "msg", "\xde\xad").Err())
	b.must(hand.LPush(t.Context(), prefix+"active", "bad").Err())
	b.must(hand.ZAdd(t.Context(), prefix+"lease", redis.Z{Score: float64(time.Now().Add(time.Minute).Unix()), Member: "bad"}).Err())
	b.must(b.fleet.Start(t.Context()))
	eventually(t, func() bool { return b.series("watchkeeper_queue_unreadable_total")[" answers"] == 1 })
	if n := hand.LLen(t.Context(), prefix+"active").Val(); n != 0 || len(b.logged("jobs that nobody can read were dropped")) != 1 {
		t.Errorf("want the entry gone and told of once, got %d and %d", n, len(b.logged("jobs that nobody can read were dropped")))
	}
	if failed := b.logged("loop failing"); len(failed) > 0 {
		t.Errorf("a loop fails as the shipped user: %v", failed[0].ContextMap())
	}
}
