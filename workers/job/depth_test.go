package job_test

import (
	"context"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"watchkeeper/workers/job"
	"watchkeeper/workers/store/storetest"
)

func depths(t *testing.T, rdb redis.UniversalClient, since time.Time) map[string]job.Depth {
	t.Helper()
	all, err := job.Depths(context.Background(), rdb, since)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]job.Depth{}
	for _, d := range all {
		out[d.Queue] = d
	}
	if len(out) != len(job.Queues()) {
		t.Fatalf("want every queue, got %v", out)
	}
	return out
}

func TestTheDepthOfAQueueIsWhatAsynqWroteThere(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	rdb := storetest.Connect(t, storetest.StartEmbedded(t))
	began := time.Now().Add(-time.Second)
	if d := depths(t, rdb, began)[job.QueueCases]; d != (job.Depth{Queue: job.QueueCases}) {
		t.Errorf("want an empty queue, got %+v", d)
	}
	client, inspect := job.NewClient(asynq.NewClientFromRedisClient(rdb)), asynq.NewInspectorFromRedisClient(rdb)
	jobs := job.ForCases(job.Assess, many("EB01", 3*job.MaxBatch), "1")
	if err := client.Enqueue(ctx, jobs...); err != nil {
		t.Fatal(err)
	}
	if err := inspect.ArchiveTask(job.QueueCases, jobs[0].ID); err != nil {
		t.Fatal(err)
	}
	if err := inspect.PauseQueue(job.QueueCases); err != nil {
		t.Fatal(err)
	}
	if d := depths(t, rdb, began)[job.QueueCases]; d != (job.Depth{Queue: job.QueueCases, Pending: 2, Archived: 1, Fresh: 1, Paused: true}) {
		t.Errorf("got %+v", d)
	}
	if d := depths(t, rdb, time.Now().Add(time.Hour))[job.QueueCases]; d.Archived != 1 || d.Fresh != 0 {
		t.Errorf("want a death that is no news, got %+v", d)
	}
	rdb.HDel(ctx, "asynq:{cases}:t:"+jobs[1].ID, "msg")
	rdb.LPush(ctx, "asynq:{cases}:active", "nothing")
	if d := depths(t, rdb, began)[job.QueueCases]; d.Lost != 2 || d.Active != 1 {
		t.Errorf("want two jobs without content, got %+v", d)
	}
}

func TestTheOperatorMayMeasureTheQueues(t *testing.T) {
	t.Parallel()
	addr := storetest.Start(t)
	client := job.NewClient(asynq.NewClientFromRedisClient(storetest.As(t, addr, storetest.Daemon)))
	if err := client.Enqueue(context.Background(), job.ForCases(job.Respond, ids("AE01"), "1")...); err != nil {
		t.Fatal(err)
	}
	if d := depths(t, storetest.As(t, addr, storetest.Operator), time.Now())[job.QueueAnswers]; d.Pending != 1 || d.Lost != 0 {
		t.Errorf("want one job, got %+v", d)
	}
	if _, err := job.Depths(context.Background(), storetest.As(t, storetest.StartWithUsers(t), "default"), time.Now()); err == nil {
		t.Error("want whoever may not read them told so")
	}
}
