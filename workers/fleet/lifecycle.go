package fleet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"watchkeeper/workers/sweep"
)

// Timings of the loops beside the two that an operator sets.
const (
	slowEvery = time.Second      // the store's memory, the parcels, the feeds' timers, this process' clock
	noteEvery = 30 * time.Second // the rules of this process, for the other replicas to see; several times within HeardWithin
	drainEach = 2 * time.Millisecond

	measureEvery = 5 * time.Second // margins and pressure made anew; many times within dueKept of workers/meter

	leaveWithin = time.Second // to tell the other processes of an orderly end
)

// Run starts the fleet, waits until the context ends and stops it.
func (f *Fleet) Run(ctx context.Context) error {
	if err := f.Start(ctx); err != nil {
		if ctx.Err() != nil {
			err = nil // told to stop while starting
		}
		return errors.Join(err, f.Stop(context.WithoutCancel(ctx)))
	}
	<-ctx.Done()
	f.log.Info("stopping")
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.o.Config.Workers.Shutdown+10*time.Second)
	defer cancel()
	return f.Stop(limit)
}

// Start serves probes, takes jobs and runs the loops.
func (f *Fleet) Start(ctx context.Context) error {
	f.serve()
	if err := f.checkClock(ctx); err != nil {
		return err
	}
	f.live(ctx)
	if err := f.Begin(ctx); err != nil {
		return err
	}
	loops, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	run := func(name string, every time.Duration, once func(context.Context) error) {
		wg.Go(func() { f.loop(loops, name, steady(every), once) })
	}
	compete := func(name string, every time.Duration, once func(context.Context) error) {
		wg.Go(func() { f.loop(loops, name, scattered(every), once) })
	}
	if !f.o.VirtualTime {
		run("watch the clock", slowEvery, f.watchClock)
	}
	run("watch memory", slowEvery, f.watchMemory())
	run("note rules", noteEvery, f.onTime(func(ctx context.Context) error {
		return f.store.NoteRules(ctx, f.process, f.o.Book.Hash(), f.o.Now())
	}))
	run("measure", measureEvery, f.measure)
	if f.plays(RoleSweep) {
		cases := f.onTime(counted(f.sweeper.Cases))
		compete("sweep cases", f.o.Config.Workers.Sweep, func(ctx context.Context) error { return f.beating(cases(ctx)) })
		compete("sweep parcels", slowEvery, f.onTime(counted(f.sweeper.Parcels)))
		run("mend the queue", mendEvery, f.mend)
		run("obey rules", slowEvery, f.onTime(f.obeyer.Obey))
	}
	if f.plays(RoleAdmin) {
		run("count the cases", countEvery/countLooks, f.onTime(f.countDue))
		run("look around", lookEvery, f.onTime(f.LookAround))
	}
	if f.plays(RolePoll) {
		compete("poll", f.o.Config.Workers.Poll, f.onTime(counted(f.poller.RunOnce)))
	}
	f.onStop("loops", func(ctx context.Context) error {
		cancel()
		wg.Wait()
		f.poller.Wait()
		f.leaveMeasures(context.WithoutCancel(ctx))
		return nil
	})
	f.beat.Store(f.o.Now().UnixMilli()) // the first sweep has its time to come to an end
	f.started.Store(true)
	f.log.Info("on watch", zap.Int("stores", len(f.sources)), zap.Any("roles", f.roles), zap.String("rules", f.o.Book.Hash()), zap.String("http", f.Addr()))
	return nil
}

// watchMemory compares this process' memory with that of Redis; where it sweeps nothing, that is its sign of life.
func (f *Fleet) watchMemory() func(context.Context) error {
	watch := f.onTime(func(ctx context.Context) error {
		err := f.sweeper.Epoch(ctx)
		if err == nil && f.plays(RolePoll) {
			err = f.poller.Ensure(ctx)
		}
		return err
	})
	if f.plays(RoleSweep) {
		return watch
	}
	return func(ctx context.Context) error { return f.beating(watch(ctx)) }
}

// counted is work of which nobody here wants to know how much it was.
func counted(work func(context.Context) (int, error)) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := work(ctx)
		return err
	}
}

// live says that this process lives, from before it takes its first job until after the last has ended: who is silent loses what it holds.
func (f *Fleet) live(ctx context.Context) {
	beats, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { f.loop(beats, "watch the others", steady(sweep.BeatEvery), f.onTime(f.watch.Beat)) })
	f.onStop("beats", func(ctx context.Context) error {
		cancel()
		wg.Wait()
		ctx, done := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
		defer done()
		if err := f.store.Leave(ctx); err != nil {
			f.log.Warn("the others will take this process for gone", zap.Error(err)) // which costs them a look, and nothing else
		}
		return nil
	})
}

// Begin checks the store's memory, arms the feeds and takes jobs, without the loops: whoever calls Step is the loop.
func (f *Fleet) Begin(ctx context.Context) error {
	if err := f.sweeper.Epoch(ctx); err != nil {
		return err
	}
	if f.plays(RolePoll) {
		if err := f.poller.Ensure(ctx); err != nil {
			return err
		}
		if err := f.seed(ctx); err != nil {
			return fmt.Errorf("read open cases: %w", err)
		}
	}
	if err := f.measure(ctx); err != nil { // what the others know counts from the first job on
		return err
	}
	if f.plays(RoleSweep) {
		if err := f.obeyer.Obey(ctx); err != nil {
			return err
		}
	}
	f.tell(ctx)
	if err := f.takeJobs(); err != nil {
		return err
	}
	f.onStop("queue", func(context.Context) error {
		end := f.o.Now().Add(f.o.Config.Workers.Shutdown)
		f.handlers.StopBy(end)
		f.log.Info("jobs come to their ends", zap.Time("until", end))
		f.leaveJobs()
		return nil
	})
	return nil
}

// Step does everything that is due at the clock's present time, and returns when nothing is left to do: one turn of all loops, for
// whoever moves the clock himself.
func (f *Fleet) Step(ctx context.Context) error {
	if err := f.sweeper.Epoch(ctx); err != nil {
		return err
	}
	if f.plays(RoleSweep) {
		if err := f.obeyer.Obey(ctx); err != nil {
			return err
		}
	}
	if err := f.measure(ctx); err != nil {
		return err
	}
	parcels, err := f.when(ctx, RoleSweep, f.sweeper.Parcels)
	if err != nil {
		return err
	}
	const most = 1000 // more rounds than that at one instant is a loop without end
	for range most {
		feeds, err := f.when(ctx, RolePoll, f.poller.RunOnce)
		if err != nil {
			return err
		}
		f.poller.Wait()
		cases, err := f.when(ctx, RoleSweep, f.sweeper.Cases)
		if err != nil {
			return err
		}
		if err := f.drain(ctx); err != nil {
			return err
		}
		if feeds+cases+parcels == 0 {
			return f.beating(nil)
		}
		parcels = 0
	}
	return errors.New("step: work without end at one instant")
}

// when does what belongs to a role, if this process has it.
func (f *Fleet) when(ctx context.Context, r Role, do func(context.Context) (int, error)) (int, error) {
	if !f.plays(r) {
		return 0, nil
	}
	return do(ctx)
}

// drain waits until the queue is empty; there is nothing to wait for when no job was sent since it last was, or others do the work.
func (f *Fleet) drain(ctx context.Context) error {
	sent := f.jobs.Sent()
	if sent == f.drained || !f.plays(RoleWork) {
		return nil
	}
	tick := time.NewTicker(drainEach)
	defer tick.Stop()
	for {
		empty, err := f.empty(ctx)
		if err != nil {
			return err
		}
		if empty && f.jobs.Sent() == sent {
			f.drained = sent
			return nil
		}
		sent = f.jobs.Sent()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// steady is the same time again and again.
func steady(every time.Duration) func() time.Duration { return func() time.Duration { return every } }

// scattered is that time on average and twice of it at most, for looks at what all processes share: whoever looks first takes all that is due. With
// even times that would be the same process for as long as all live, the one whose look comes soonest after another's.
func scattered(every time.Duration) func() time.Duration {
	return func() time.Duration { return 1 + rand.N(2*every) } //nolint:gosec // spreading load needs no secrecy
}

// loop runs once after once. A failure is logged and slows the loop down, so that a lost Redis is not asked a thousand times a second.
func (f *Fleet) loop(ctx context.Context, name string, every func() time.Duration, once func(context.Context) error) {
	tick := time.NewTicker(every())
	defer tick.Stop()
	failures := 0
	for {
		tick.Reset(every())
		if err := guarded(ctx, once); err != nil && ctx.Err() == nil {
			failures++
			if failures == 1 || failures%60 == 0 {
				f.log.Error("loop failing", zap.String("loop", name), zap.Int("failures", failures), zap.Error(err))
			}
			tick.Reset(max(every(), time.Second))
		} else if failures > 0 && err == nil {
			f.log.Info("loop works again", zap.String("loop", name), zap.Int("failures", failures))
			failures = 0
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// guarded turns a panic of one turn into an error: the loop must go on.
func guarded(ctx context.Context, once func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return once(ctx)
}

// beating notes that a sweep came to its end.
func (f *Fleet) beating(err error) error {
	f.beat.Store(f.o.Now().UnixMilli())
	return err
}

// Stop ends everything in the reverse order of its beginning. It may be called more than once, and before Start.
func (f *Fleet) Stop(ctx context.Context) error {
	f.started.Store(false)
	var errs []error
	for _, s := range slices.Backward(f.stops) {
		if err := s.stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", s.name, err))
		}
	}
	f.stops = nil
	return errors.Join(errs...)
}
