package soak

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/hibiken/asynq"
)

// rawQueue is where the task is that plain asynq recovers.
const rawQueue = "soak"

// asynqWithin is the longest that its recovery is waited for.
const asynqWithin = 10 * time.Minute

// A recovery is how long plain asynq took.
type recovery struct {
	took time.Duration
	err  error
}

// Worker is a plain asynq worker that says that it has taken a task and never ends it. It is made to be killed.
func Worker(ctx context.Context, redis string, out io.Writer) error {
	srv := serveRaw(redis, func(ctx context.Context, _ *asynq.Task) error {
		fmt.Fprintln(out, "taken")
		<-ctx.Done()
		return ctx.Err()
	})
	if srv.err != nil {
		return srv.err
	}
	defer srv.Shutdown()
	<-ctx.Done()
	return nil
}

type rawServer struct {
	*asynq.Server
	err error
}

// serveRaw starts a server with asynq's own timings.
func serveRaw(redis string, handle asynq.HandlerFunc) rawServer {
	srv := asynq.NewServer(asynq.RedisClientOpt{Addr: redis}, asynq.Config{Concurrency: 1, Queues: map[string]int{rawQueue: 1}, LogLevel: asynq.FatalLevel})
	return rawServer{srv, srv.Start(handle)}
}

// measureAsynq kills a plain worker with its task and measures until another server runs it again, while the run goes on.
func measureAsynq(ctx context.Context, s *scene) <-chan recovery {
	out := make(chan recovery, 1)
	if len(s.o.Worker) == 0 {
		out <- recovery{}
		return out
	}
	go func() {
		took, err := recoverRaw(ctx, s)
		if err != nil {
			err = fmt.Errorf("measure asynq's recovery: %w", err)
		}
		out <- recovery{took, err}
	}()
	return out
}

func recoverRaw(ctx context.Context, s *scene) (time.Duration, error) {
	client := asynq.NewClient(asynq.RedisClientOpt{Addr: s.redis})
	defer func() { _ = client.Close() }()
	task := asynq.NewTask("soak", nil)
	if _, err := client.EnqueueContext(ctx, task, asynq.Queue(rawQueue), asynq.MaxRetry(5), asynq.Timeout(time.Hour)); err != nil {
		return 0, err
	}
	if err := killWorker(ctx, append(s.o.Worker, s.redis)); err != nil {
		return 0, err
	}
	killed, again := s.o.Now(), make(chan struct{}, 1)
	srv := serveRaw(s.redis, func(context.Context, *asynq.Task) error {
		again <- struct{}{}
		return nil
	})
	if srv.err != nil {
		return 0, srv.err
	}
	defer srv.Shutdown()
	ctx, cancel := context.WithTimeoutCause(ctx, asynqWithin, errors.New("the task did not come back"))
	defer cancel()
	select {
	case <-again:
		return s.o.Now().Sub(killed), nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// killWorker starts a worker and kills it when it has the task.
func killWorker(ctx context.Context, command []string) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // the caller's own program
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	_, err = bufio.NewReader(out).ReadString('\n')
	_ = cmd.Process.Kill() // gone already is as good
	_ = cmd.Wait()
	return err
}
