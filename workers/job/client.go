package job

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/hibiken/asynq"
	"golang.org/x/sync/errgroup"
)

// maxRetry is how often asynq itself tries a job again. Only a crash or a lost Redis gets there: every failure that a handler sees is
// answered by a later look in the store's own timer. Never 0: a crash with no retries left is archived without a run.
const maxRetry = 5

// enqueueing at once; one asynq enqueue is a round trip of its own.
const parallel = 8

// A Client enqueues jobs.
type Client struct {
	queue *asynq.Client
	sent  atomic.Int64
}

// NewClient wraps asynq's client.
func NewClient(q *asynq.Client) *Client { return &Client{queue: q} }

// Enqueue hands jobs to the queue. A job whose id is already known there counts as done: the id is taken while an equal job waits, and
// the store's timer finds whatever an old one shadows. No Unique (its lock leaks), no Deadline (a passed one burns the retries), no
// Retention (handlers are idempotent through the ledger, and kept jobs shadow their successors).
func (c *Client) Enqueue(ctx context.Context, jobs ...Job) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, j := range jobs {
		g.Go(func() error { return c.enqueue(ctx, j) })
	}
	return g.Wait()
}

func (c *Client) enqueue(ctx context.Context, j Job) error {
	task := asynq.NewTaskWithHeaders(string(j.Kind), j.Payload, j.headers())
	_, err := c.queue.EnqueueContext(ctx, task, asynq.Queue(j.Queue()), asynq.TaskID(j.ID), asynq.MaxRetry(maxRetry), asynq.Timeout(Timeout))
	switch {
	case err == nil:
		c.sent.Add(1)
		return nil
	case errors.Is(err, asynq.ErrTaskIDConflict), errors.Is(err, asynq.ErrDuplicateTask):
		return nil
	}
	return fmt.Errorf("enqueue %s: %w", j.Kind, err)
}

// Sent counts the jobs handed over so far.
func (c *Client) Sent() int64 { return c.sent.Load() }
