package job_test

import (
	"context"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"watchkeeper/workers/job"
)

// queue is a client on a queue of its own.
func queue(t *testing.T) (*job.Client, *asynq.Inspector, *miniredis.Miniredis) {
	t.Helper()
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	t.Cleanup(func() { _ = rdb.Close() })
	return job.NewClient(asynq.NewClientFromRedisClient(rdb)), asynq.NewInspectorFromRedisClient(rdb), server
}

func TestEqualJobsWaitOnceAndAreNoError(t *testing.T) {
	t.Parallel()
	client, inspect, _ := queue(t)
	jobs := job.ForCases(job.Assess, many("AE01", 5*job.MaxBatch), "1")
	for range 2 {
		if err := client.Enqueue(context.Background(), jobs...); err != nil {
			t.Fatalf("enqueue: %v", err)
		}
	}
	waiting, err := inspect.ListPendingTasks(job.QueueCases)
	if err != nil || len(waiting) != 5 || client.Sent() != 5 {
		t.Errorf("want five jobs waiting, got %d of %d sent (%v)", len(waiting), client.Sent(), err)
	}
}

// A crash with no retries left is archived without a run, a passed deadline burns them, and a kept job shadows its successor.
func TestJobsAreRetriedAndNotKept(t *testing.T) {
	t.Parallel()
	client, inspect, _ := queue(t)
	if err := client.Enqueue(context.Background(), job.ForCases(job.Respond, ids("AE01"), "1")...); err != nil {
		t.Fatalf("enqueue: %v", err)
	}
	waiting, err := inspect.ListPendingTasks(job.QueueAnswers)
	if err != nil || len(waiting) != 1 {
		t.Fatalf("want one job, got %d (%v)", len(waiting), err)
	}
	j := waiting[0]
	if j.MaxRetry < 1 || j.Timeout != job.Timeout || !j.Deadline.IsZero() && j.Deadline.After(time.Unix(0, 0)) || j.Retention != 0 {
		t.Errorf("want retries, our time-out, no deadline and no retention, got %+v", j)
	}
}

func TestLostQueueIsAnError(t *testing.T) {
	t.Parallel()
	client, _, server := queue(t)
	server.Close()
	if err := client.Enqueue(context.Background(), job.ForCases(job.Assess, ids("AE01"), "1")...); err == nil || client.Sent() != 0 {
		t.Errorf("want an error and nothing counted, got %v and %d", err, client.Sent())
	}
	if err := client.Enqueue(context.Background()); err != nil {
		t.Errorf("want nothing to enqueue to be no error, got %v", err)
	}
}
