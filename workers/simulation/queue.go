package simulation

import (
	"context"
	"errors"
	"slices"
	"time"

	"watchkeeper/workers/job"
)

// A queue hands jobs to processes as asynq does, and loses, doubles and delays them as asynq has been seen to (reliability.md, section 2).
type queue struct {
	w     *World
	taken map[string]bool // ids that wait, run or are to be tried again
	done  []job.Job       // the last that ended, for a queue that goes back in time
	life  int             // grows when everything is lost
}

const (
	slotsOfAProcess = 6
	recovered       = 2 * time.Minute // until the job of a dead worker runs again
	mostTries       = 5
	rememberDone    = 50
)

// push takes a job, unless one of its id is there.
func (q *queue) push(j job.Job) {
	if q.taken[j.ID] || q.w.may(Jobs, 0.01) {
		return
	}
	q.taken[j.ID] = true
	late := q.w.between(time.Millisecond, 200*time.Millisecond)
	if q.w.may(Jobs, 0.02) {
		late = q.w.between(time.Second, 10*time.Minute)
	}
	if q.w.may(Jobs, 0.005) {
		j.Payload = append([]byte(`{"v":99,`), j.Payload[len(`{"v":1,`):]...) // of a newer program
	}
	q.deliver(j, late, 1)
	if q.w.may(Jobs, 0.02) {
		q.deliver(j, late+q.w.between(0, 3*time.Minute), 1)
	}
}

// deliver hands a job to a process that has a slot.
func (q *queue) deliver(j job.Job, in time.Duration, try int) {
	life := q.life
	q.w.after(in, func() {
		if q.life != life {
			return
		}
		p := q.w.worker()
		if p == nil {
			q.deliver(j, time.Second, try)
			return
		}
		q.run(p, j, try)
	})
}

// run lets a process work on a job. When the process dies the job comes back.
func (q *queue) run(p *process, j job.Job, try int) {
	p.busy++
	life, finished := q.life, false
	q.w.start(p, func() {
		err := p.handlers.Do(context.Background(), j.Kind, j.Payload)
		finished = true
		p.busy--
		q.ended(j, try, life, err)
	})
	q.w.after(recovered, func() { // asynq looks whether the worker is still there
		if !finished && p.dead && q.life == life {
			q.deliver(j, 0, try)
		}
	})
}

func (q *queue) ended(j job.Job, try, life int, err error) {
	if q.life != life {
		return
	}
	if err != nil && !errors.Is(err, job.ErrPayload) && try < mostTries {
		q.deliver(j, time.Second<<try, try+1)
		return
	}
	delete(q.taken, j.ID)
	q.done = append(q.done, j)
	if len(q.done) > rememberDone {
		q.done = slices.Delete(q.done, 0, 1)
	}
}

// flush loses everything.
func (q *queue) flush() {
	q.life++
	clear(q.taken)
}

// back is the queue of an earlier point: what waits now is lost, and what has ended since waits again.
func (q *queue) back() {
	again := slices.Clone(q.done)
	q.flush()
	for _, j := range again {
		q.taken[j.ID] = true
		q.deliver(j, q.w.between(0, time.Minute), 1)
	}
}

// jobs is a process' way into the queue.
type jobs struct{ p *process }

// Enqueue hands jobs over, one request each.
func (e jobs) Enqueue(_ context.Context, all ...job.Job) error {
	for _, j := range all {
		if err := e.p.ask(func() { e.p.w.queue.push(j) }); err != nil {
			return err
		}
	}
	return nil
}
