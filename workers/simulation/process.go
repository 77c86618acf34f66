package simulation

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/intake"
	"watchkeeper/workers/job"
	"watchkeeper/workers/meter"
	"watchkeeper/workers/poll"
	"watchkeeper/workers/sweep"
)

// A process is one replica of the fleet: its parts, made of the fleet's own code, and what may happen to it.
type process struct {
	w       *World
	n       int
	name    string
	memory  *gate
	rules   *rulebook
	skew    time.Duration // its clock minus the world's
	unaware time.Time     // before, it does not know that its clock is wrong
	frozen  time.Time     // it stands still before
	cut     time.Time     // it does not reach Redis before
	dark    time.Time     // it reaches no platform before
	dead    bool
	strands []*strand
	busy    int

	handlers *handle.Handlers
	sweeper  *sweep.Sweeper
	poller   *poll.Runner
	sources  connectors.Sources
	obeyer   *sweep.Obeyer
	watch    *sweep.Watch
	vigil    time.Time // it beats until then
	meter    *meter.Meter
}

func (p *process) now() time.Time { return p.w.now.Add(p.skew) }

// launch starts a process in the place of one that has ended. It tries again while Redis is out of its reach.
func (w *World) launch(n int) {
	if p := w.processes[n]; p != nil && !p.dead {
		panic("two processes in one place")
	}
	w.launches++
	p := &process{w: w, n: n, name: fmt.Sprint("p", w.launches), rules: w.rules}
	if w.o.Faults&Skew != 0 && w.rng.IntN(4) == 0 && w.now.Before(w.calm) {
		p.skew = w.between(-believed, believed) // with a clock that is further off it would not start
	}
	memory, err := w.server.Open(Handle{Now: p.now, Stores: w.market.platforms(), Settle: settle})
	if err != nil {
		w.judge.violatef(Sound, "", "process %d cannot open the store: %v", n, err)
		return
	}
	p.memory = &gate{p: p, of: memory}
	p.wire()
	w.processes[n] = p
	w.tellf("", "process %d starts, its clock %s off", n, p.skew)
	w.start(p, p.begin)
}

// idle tells whether a process has laid its work down, because it knows that its clock is wrong.
func (p *process) idle() bool { return p.skew.Abs() > believed && !p.w.now.Before(p.unaware) }

// wire puts the fleet's parts together, as workers/fleet does.
func (p *process) wire() {
	w, log := p.w, zap.NewNop()
	p.sources = connectors.Sources{}
	p.meter = meter.New([]sla.Platform{marketplace, tracking}, nil, p.now)
	rules := wary{p.rules, p.meter}
	in := intake.New(intake.Deps{Store: p.memory, Rules: rules, Jobs: jobs{p}, Tracker: trackerID, Now: p.now, Log: log, Metrics: w.metrics.intake, AtOnce: 1})
	var feeds []poll.Feed
	for _, s := range w.market.stores {
		l := &link{p: p, s: s}
		src := &connectors.Source{Built: connectors.Built{Connector: l, Responder: l}, Store: s.id, Platform: marketplace}
		p.sources[s.id] = src
		feeds = append(feeds, poll.Feed{
			ID: string(s.id) + "/disputes", Source: src, Fetch: l, Pace: p.pace(pollEvery), Gone: p.gone,
			Accept: func(ctx context.Context, src *connectors.Source, page connectors.Page) (int, error) {
				tally, err := in.Accept(ctx, src, page)
				return tally.Changed(), err
			},
		})
	}
	t := &tracker{p: p}
	src := &connectors.Source{Built: connectors.Built{Tracker: t}, Store: trackerID, Platform: tracking}
	p.sources[trackerID] = src
	feeds = append(feeds, poll.Feed{
		ID: string(trackerID) + "/parcels", Source: src, Fetch: t, Pace: p.pace(parcelsEvery),
		Accept: func(ctx context.Context, src *connectors.Source, page connectors.Page) (int, error) {
			tally, err := in.AcceptShipments(ctx, src, page)
			return tally.Changed(), err
		},
	})
	p.handlers = handle.New(handle.Deps{
		Store: p.memory, Ledger: p.memory, Money: p.memory, Audit: p.memory, Intake: in, Rules: rules, Jobs: jobs{p}, Sources: p.sources,
		Notify: notifier{p}, Meter: p.meter, Brake: p.memory, Frozen: p.memory.FrozenUntil, Now: p.now, Log: log, Metrics: w.metrics.handle,
	})
	p.poller = poll.New(p.memory, feeds, p.now, log, w.metrics.poll)
	p.poller.InTurn(func(d time.Duration) time.Duration { return w.between(d-d/20, d+d/20) })
	p.sweeper = sweep.New(p.memory, jobs{p}, p.sources, p.now, log, w.metrics.sweep, func(ctx context.Context) error {
		p.poller.Forget()
		return p.poller.Ensure(ctx)
	})
	p.sweeper.Under(func(*connectors.Source) sla.Pressure { return p.meter.Worst() })
	p.watch = sweep.NewWatch(p.memory, poll.Lease, p.now, log, w.metrics.sweep)
	p.obeyer = &sweep.Obeyer{Store: p.memory, Sources: p.sources, Rules: rules, Name: func(time.Time) string { return p.rules.Hash() }, Now: p.now, Log: log}
}

func (p *process) pace(every time.Duration) func(time.Time) (time.Duration, time.Time) {
	return func(time.Time) (time.Duration, time.Time) { return p.meter.Worst().Stretch(every), time.Time{} }
}

// measure makes margins and pressure anew, from what this process has measured alone: a replica that hears nobody must be as safe.
func (p *process) measure() {
	for _, src := range p.sources {
		p.meter.Clock(src.Platform, src.Store, src.Skew())
	}
	p.meter.Make()
}

func (p *process) gone(ctx context.Context, src *connectors.Source, ids []string) error {
	disputes := make([]sla.DisputeID, len(ids))
	for i, id := range ids {
		disputes[i] = sla.DisputeID{Platform: src.Platform, Store: src.Store, Native: id}
	}
	return jobs{p}.Enqueue(ctx, job.ForCases(job.Refresh, disputes, strconv.FormatInt(p.now().UnixMilli(), 36))...)
}

// begin is what a process does first; then its two loops run until it ends.
func (p *process) begin() {
	ctx := context.Background()
	p.beat()
	for !p.began(ctx) {
		p.w.pause(5 * time.Second)
	}
	p.w.start(p, func() {
		for {
			if !p.idle() {
				_, _ = p.poller.RunOnce(ctx) // a failure is tried again with the next turn
			}
			p.wait(loopEvery)
		}
	})
	for turn := 0; ; turn++ {
		if p.idle() {
			p.wait(loopEvery)
			continue
		}
		_ = p.memory.NoteRules(ctx, p.name, p.rules.Hash(), p.now()) // as workers/fleet does
		if turn%10 == 0 {
			p.measure()
		}
		if p.sweeper.Epoch(ctx) == nil && turn%10 == 0 {
			_ = p.poller.Ensure(ctx)
			_, _ = p.sweeper.Parcels(ctx)
		}
		if p.obeyer.Obey(ctx) == nil {
			_, _ = p.sweeper.Cases(ctx)
		}
		p.wait(loopEvery)
	}
}

func (p *process) began(ctx context.Context) bool {
	if p.sweeper.Epoch(ctx) != nil || p.poller.Ensure(ctx) != nil {
		return false
	}
	return p.memory.EachCase(ctx, func(c sla.CaseRecord) error {
		if c.Open() {
			p.poller.Open(string(c.ID.Store)+"/disputes", c.ID.Native)
		}
		return nil
	}) == nil
}

// quiet is longer than it takes to know that a process is gone, and to end what it held.
const quiet = 5 * time.Second

// watchOver lets all processes beat for a while, because one of them has just fallen silent or speaks again. In between they do not: nothing would
// be learnt from it, and beats would be most of what happens in four days.
func (w *World) watchOver() {
	for _, p := range w.processes {
		if p != nil && !p.dead {
			p.beat()
		}
	}
}

// beat says for a while that a process lives, and looks whether the others do.
func (p *process) beat() {
	w := p.w
	begun := p.vigil.After(w.now)
	p.vigil = w.now.Add(quiet)
	if begun {
		return
	}
	w.start(p, func() {
		for p.vigil.After(w.now) {
			if !p.idle() {
				_ = p.watch.Beat(context.Background()) // a failure is tried again with the next beat
			}
			p.wait(sweep.BeatEvery)
		}
	})
}

// freeze lets a process stand still for a while.
func (w *World) freeze(p *process) {
	p.frozen = w.now.Add(w.between(time.Second, longestFreeze))
	w.tellf("", "process %d frozen until %s", p.n, p.frozen.Format(time.TimeOnly))
	w.watchOver()
	w.at(p.frozen, w.watchOver)
}

// step is where a process may die or freeze.
func (p *process) step() {
	w := p.w
	if !p.dead && w.may(Crash, 0.0001) { // what a process that died had deferred takes no step
		w.crash(p)
	}
	if w.may(Freeze, 0.00003) {
		w.freeze(p)
	}
	w.pause(time.Duration(100+w.rng.IntN(2000)) * time.Microsecond)
}

// wait lets time pass.
func (p *process) wait(d time.Duration) { p.w.pause(d) }

// ask sends a request to Redis: it may not arrive, and its reply may be lost.
func (p *process) ask(do func()) error {
	p.step()
	w := p.w
	if p.cut.After(w.now) {
		p.wait(time.Second)
		return sla.ErrStoreOut
	}
	if w.may(Cut, 0.0003) {
		return sla.ErrStoreOut
	}
	do()
	if w.may(Cut, 0.0003) {
		p.wait(3 * time.Second)
		return sla.ErrStoreOut
	}
	return nil
}

// A notifier tells the judge that people were told.
type notifier struct{ p *process }

// Warn does nothing: warnings promise nothing.
func (notifier) Warn(context.Context, handle.Notice) {}

// Page tells a person, who may act on the platform's own pages.
func (n notifier) Page(_ context.Context, notice handle.Notice) {
	n.p.step()
	n.p.w.judge.paged(notice)
}

// worker is a process with a free slot that reaches the queue.
func (w *World) worker() *process {
	from := w.rng.IntN(len(w.processes))
	for i := range w.processes {
		p := w.processes[(from+i)%len(w.processes)]
		if p != nil && !p.dead && p.busy < slotsOfAProcess && !p.idle() && !p.frozen.After(w.now) && !p.cut.After(w.now) {
			return p
		}
	}
	return nil
}

// anyone is a process that lives.
func (w *World) anyone() *process {
	if p := w.processes[w.rng.IntN(len(w.processes))]; p != nil && !p.dead {
		return p
	}
	return nil
}
