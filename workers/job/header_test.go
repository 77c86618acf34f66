package job_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"

	"watchkeeper/sla"
	"watchkeeper/workers/job"
)

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestParentsGoWithTheJobsOfTheirCases(t *testing.T) {
	t.Parallel()
	client, inspect, _ := queue(t)
	all := many("AE01", job.MaxBatch+1)
	jobs := job.Under(job.ForCases(job.Assess, all, "1"), map[string]string{all[0].String(): traceparent, all[job.MaxBatch].String(): "other", "AE01/999": "nobody's"})
	if err := client.Enqueue(context.Background(), jobs...); err != nil {
		t.Fatal(err)
	}
	waiting, err := inspect.ListPendingTasks(job.QueueCases)
	if err != nil || len(waiting) != 2 {
		t.Fatalf("want two jobs, got %d (%v)", len(waiting), err)
	}
	got := map[string]string{}
	for _, w := range waiting {
		for id, parent := range job.Parents(w.Headers) {
			args, err := job.Decode(w.Payload)
			if err != nil || !strings.Contains(strings.Join(args.IDs, " ")+" ", id+" ") {
				t.Errorf("%s is no case of its job (%v)", id, err)
			}
			got[id] = parent
		}
	}
	if diff := cmp.Diff(map[string]string{all[0].String(): traceparent, all[job.MaxBatch].String(): "other"}, got); diff != "" {
		t.Error(diff)
	}
}

// What a job carries for traces changes neither its work nor its id: equal work stays equal.
func TestParentsChangeNothingOfAJob(t *testing.T) {
	t.Parallel()
	bare := job.ForParcels(job.Enrol, "T17", []sla.ShipmentRef{{Number: "LX1"}}, "1")
	under := job.Under(bare, map[string]string{"": traceparent})
	if under[0].ID != bare[0].ID || string(under[0].Payload) != string(bare[0].Payload) || len(bare[0].Parents) != 0 {
		t.Errorf("want the same job, got %+v and %+v", bare, under)
	}
	if same := job.Under(bare, nil); &same[0] != &bare[0] {
		t.Error("want the jobs themselves where nothing is carried")
	}
}

func TestHeadersOfOthersAreNoParents(t *testing.T) {
	t.Parallel()
	got := job.Parents(map[string]string{"traceparent": "a", "traceparent/AE01/1": "b", "tracestate": "c", "traceparents": "d", "x": "e", "traceparent/": "f"})
	if diff := cmp.Diff(map[string]string{"": "a", "AE01/1": "b"}, got); diff != "" {
		t.Error(diff)
	}
	if got := job.Parents(nil); got != nil {
		t.Errorf("want nothing made of nothing, got %v", got)
	}
}

// A try after a failure, and one after the death of a worker, find what the first has found.
func TestAsynqKeepsTheHeadersOfATaskThroughItsTries(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	seen := make(chan string, 10)
	for _, id := range []string{"failing", "dying"} {
		_, err := g.client.EnqueueContext(t.Context(), asynq.NewTaskWithHeaders("case.assess", nil, map[string]string{"traceparent": id}),
			asynq.Queue(job.QueueCases), asynq.TaskID(id), asynq.MaxRetry(3))
		g.must(err)
	}
	g.died("dying")
	g.serve(func(ctx context.Context, task *asynq.Task) error {
		n, _ := asynq.GetRetryCount(ctx)
		seen <- task.Headers()["traceparent"]
		if n == 0 {
			return errors.New("again")
		}
		return nil
	})
	g.eventually("the failed one waits for its next try", func() bool { return g.state("failing") == "retry" })
	g.must(g.inspect.RunTask(job.QueueCases, "failing"))
	g.eventually("the dead worker's waits for its next try", func() bool { return g.state("dying") == "retry" })
	g.must(g.inspect.RunTask(job.QueueCases, "dying"))
	got := map[string]int{}
	for range 3 {
		select {
		case id := <-seen:
			got[id]++
		case <-time.After(patience):
			t.Fatalf("seen only %v", got)
		}
	}
	if diff := cmp.Diff(map[string]int{"failing": 2, "dying": 1}, got); diff != "" {
		t.Error(diff)
	}
}
