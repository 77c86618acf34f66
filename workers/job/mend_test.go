package job_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"watchkeeper/workers/job"
	"watchkeeper/workers/store/storetest"
)

// As the user that is shipped for the daemon, which must have the rights for it.
func TestMendingTakesOutWhatNobodyCanReadAndNothingElse(t *testing.T) {
	t.Parallel()
	rdb := storetest.As(t, storetest.Start(t), storetest.Daemon)
	hand := storetest.Hand(rdb)
	client, inspect := asynq.NewClientFromRedisClient(rdb), asynq.NewInspectorFromRedisClient(rdb)
	want := map[string]int{}
	for queue := range job.Queues() {
		_, err := client.Enqueue(asynq.NewTask("case.assess", []byte("{}")), asynq.Queue(queue), asynq.TaskID("good"))
		must(t, err)
		prefix := "asynq:{" + queue + "}:"
		pipe := hand.Pipeline()
		pipe.LRem(t.Context(), prefix+"pending", 0, "good")
		pipe.HSet(t.Context(), prefix+"t:good", "state", "active")
		pipe.HSet(t.Context(), prefix+"t:text", "msg", "\x0a\x02\xff\xfe", "state", "active") // a kind that is no text
		pipe.HSet(t.Context(), prefix+"t:bytes", "msg", "\xde\xad")
		pipe.HSet(t.Context(), prefix+"t:bare", "state", "active") // what asynq makes of an id without a job
		pipe.Set(t.Context(), prefix+"t:kind", "no hash", 0)
		for _, id := range []string{"good", "text", "bytes", "bare", "kind", "nobody"} {
			pipe.LPush(t.Context(), prefix+"active", id)
			pipe.ZAdd(t.Context(), prefix+"lease", redis.Z{Score: 1, Member: id})
		}
		pipe.ZAdd(t.Context(), prefix+"lease", redis.Z{Score: 1, Member: "leased only"})
		pipe.LPush(t.Context(), prefix+"active", "listed only")
		_, err = pipe.Exec(t.Context())
		must(t, err)
		want[queue] = 7
	}
	mender, err := job.NewMender(rdb)
	must(t, err)
	for _, want := range []map[string]int{want, {}} { // the second time there is nothing to do
		got, err := mender.Mend(t.Context())
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("want %v taken out, got %v (%v)", want, got, err)
		}
	}
	for queue := range job.Queues() {
		prefix := "asynq:{" + queue + "}:"
		active, leased := hand.LRange(t.Context(), prefix+"active", 0, -1).Val(), hand.ZRange(t.Context(), prefix+"lease", 0, -1).Val()
		if !slices.Equal(active, []string{"good"}) || !slices.Equal(leased, []string{"good"}) {
			t.Errorf("%s: want the readable one left, got %v and %v", queue, active, leased)
		}
		if info, err := inspect.GetTaskInfo(queue, "good"); err != nil || info.State != asynq.TaskStateActive {
			t.Errorf("%s: want the readable one untouched, got %v (%v)", queue, info, err)
		}
		if n := hand.Exists(t.Context(), prefix+"t:text", prefix+"t:bytes", prefix+"t:bare", prefix+"t:kind").Val(); n != 0 {
			t.Errorf("%s: %d records of unreadable jobs are left", queue, n)
		}
	}
}

// fresh puts a readable message where an unreadable one was, between the mender's look and its hand.
type fresh struct {
	redis.Hook
	before func(args []any)
}

func (f fresh) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		f.before(cmd.Args())
		return next(ctx, cmd)
	}
}

func (f fresh) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (f fresh) DialHook(next redis.DialHook) redis.DialHook { return next }

func TestAJobThatIsWrittenMeanwhileIsNotTakenOut(t *testing.T) {
	t.Parallel()
	addr := storetest.Start(t)
	hand, rdb := storetest.Connect(t, addr), storetest.Connect(t, addr)
	key := "asynq:{" + job.QueueCases + "}:t:bad"
	must(t, hand.HSet(t.Context(), key, "msg", "\xde\xad").Err())
	must(t, hand.LPush(t.Context(), "asynq:{"+job.QueueCases+"}:active", "bad").Err())
	rdb.AddHook(fresh{before: func(args []any) {
		if slices.Contains(args, any(key)) {
			must(t, hand.HSet(t.Context(), key, "msg", "new").Err())
		}
	}})
	mender, err := job.NewMender(rdb)
	must(t, err)
	if dropped, err := mender.Mend(t.Context()); err != nil || len(dropped) != 0 {
		t.Errorf("want nothing taken out, got %v (%v)", dropped, err)
	}
	if hand.HGet(t.Context(), key, "msg").Val() != "new" {
		t.Error("the job that was written meanwhile is gone")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestQueuesWhoseNamesAreLostAreSeenAgain(t *testing.T) {
	t.Parallel()
	rdb := storetest.As(t, storetest.StartWithUsers(t), storetest.Daemon)
	inspect := asynq.NewInspectorFromRedisClient(rdb)
	mender, err := job.NewMender(rdb)
	must(t, err)
	if known, err := inspect.Queues(); err != nil || len(known) > 0 {
		t.Fatalf("want no queue known to a Redis that has lost them, got %v (%v)", known, err)
	}
	_, err = mender.Mend(t.Context())
	must(t, err)
	known, err := inspect.Queues()
	if want := slices.Sorted(maps.Keys(job.Queues())); err != nil || !slices.Equal(slices.Sorted(slices.Values(known)), want) {
		t.Errorf("want %v known, got %v (%v)", want, known, err)
	}
}
