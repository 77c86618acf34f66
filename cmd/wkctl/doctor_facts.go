package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/rules"
	"watchkeeper/workers/fleet"
	"watchkeeper/workers/job"
	"watchkeeper/workers/store"
	"watchkeeper/workers/sweep"
)

// facts are everything that an examination has learnt; what is wrong is told from them alone.
type facts struct {
	at        time.Time
	mistakes  []problemView // in the configuration
	bare      bool          // the rules were left out for them
	shards    int           // as configured
	settle    time.Duration
	hooked    bool                         // some webhook is told of pages
	traced    bool                         // a collector is configured
	strayed   []string                     // what is wrong with the variables of traces
	hash      string                       // of the rules here
	stores    map[sla.StoreID]sla.Platform // as configured
	platforms []sla.Platform               // that this program knows
	stopped   []stopView                   // KILL variables here

	untaken   error // why the collector takes no spans
	servers   told[[]store.Server]
	unread    error // why nothing of the records is known
	states    []store.ShardState
	recorded  map[sla.StoreID]sla.Platform
	queues    told[[]job.Depth]
	clocks    []platformClock
	tokens    []tokenFact
	planned   []fleet.SurveyedFeed
	feeds     told[[]sla.FeedRecord]
	cases     told[store.Tally]
	parcels   told[store.Tally]
	unknown   unknownAttempts
	processes told[presence]
	books     told[map[string]int]
	kills     told[[]sla.KillSwitch]
}

// told is an answer, or why there is none.
type told[T any] struct {
	value T
	err   error
}

func heard[T any](v T, err error) told[T] { return told[T]{v, err} }

// A platformClock is how far a platform's clock is from ours.
type platformClock struct {
	platform sla.Platform
	store    sla.StoreID // through which it was asked
	skew     time.Duration
	err      error
}

// A tokenFact is what is known of a store's credential.
type tokenFact struct {
	connectors.Credential

	store sla.StoreID
	err   error
}

// unknownAttempts are those of which nobody knows whether they took effect.
type unknownAttempts struct {
	count, late int // late: beyond the settle window and two sweeps
	oldest      time.Time
	samples     []string // of the late ones
}

// presence is who lives.
type presence struct{ beating, silent, gone int }

const (
	beatWait   = 3 * sweep.BeatEvery // between two looks at who lives: whoever does has beaten by then
	deadWithin = 24 * time.Hour      // jobs that died in that time are news
	askLimit   = 10 * time.Second    // of one platform, and of the collector of traces
	askStores  = 3                   // of one platform, until one answers
)

// knownBefore are the facts that need no question.
func (t *tool) knownBefore(config fleet.Config, book *rules.Book, problems []problemView) facts {
	f := facts{
		at: t.now().UTC(), mistakes: problems, bare: len(problems) > 0, shards: config.Redis.Shards, hash: book.Hash(), hooked: config.Notify.Anywhere(),
		traced: config.Traces.On(), strayed: config.TraceWarnings(), stores: map[sla.StoreID]sla.Platform{}, platforms: t.registry.Names(),
	}
	for _, s := range book.Stores() {
		f.stores[s.ID] = s.Platform
	}
	for _, s := range t.territory(book, nil).stopped(&desk{book: book, now: f.at}, sla.KillScope{}) {
		if s.What == stopVariable {
			f.stopped = append(f.stopped, s)
		}
	}
	return f
}

// An examination asks for the facts.
type examination struct {
	survey  *fleet.Survey
	book    *rules.Book
	offline bool
	facts   facts
}

// run asks everything. The processes are looked at first and last, to see whether they beat meanwhile.
func (e *examination) run(ctx context.Context) {
	f, s := &e.facts, e.survey
	f.unread, f.settle, f.planned = s.Unread, s.Settle(), s.Feeds()
	if len(f.stores) > 0 {
		f.mistakes = append(f.mistakes, slices.DeleteFunc(storeProblems(e.book, s.Unbuilt), repeats(f.mistakes))...)
	}
	var first told[[]store.Process]
	beaten := time.NewTimer(beatWait)
	defer beaten.Stop()
	if s.Records != nil {
		first = heard(s.Records.Processes(ctx))
	}
	f.servers = heard(s.Servers(ctx))
	f.queues = heard(s.Queues(ctx, f.at.Add(-deadWithin)))
	asking, asked := context.WithTimeout(ctx, askLimit)
	f.untaken = s.Traces(asking)
	asked()
	e.askPlatforms(ctx)
	if s.Records == nil {
		return
	}
	f.states, f.recorded = s.Records.Shards(), s.Records.Stores()
	f.feeds = heard(s.Records.Feeds(ctx))
	f.books = heard(s.Records.Rulebooks(ctx, f.at, fleet.HeardWithin))
	f.kills = heard(s.Records.Kills(ctx))
	e.askTokens(ctx)
	f.cases = heard(s.Records.Cases(ctx, e.attempts))
	f.parcels = heard(s.Records.Shipments(ctx))
	if first.err == nil && len(first.value) > 0 {
		select {
		case <-beaten.C:
		case <-ctx.Done():
		}
	}
	f.processes = presenceOf(first, heard(s.Records.Processes(ctx)))
}

// presenceOf compares two looks at the processes.
func presenceOf(first, last told[[]store.Process]) told[presence] {
	if err := errors.Join(first.err, last.err); err != nil {
		return told[presence]{err: err}
	}
	before := map[string]uint64{}
	for _, p := range first.value {
		before[p.ID] = p.Beats
	}
	var out presence
	for _, p := range last.value {
		beats, known := before[p.ID]
		switch {
		case !p.Gone.IsZero():
			out.gone++
		case !known || p.Beats != beats:
			out.beating++
		default:
			out.silent++
		}
	}
	return told[presence]{value: out}
}

// attempts counts what became of attempts that nobody knows.
func (e *examination) attempts(c sla.CaseRecord, all []sla.Attempt) {
	f := &e.facts
	for _, a := range all {
		open, late := sweep.Unknown(a, f.at, e.book.At(f.at).For(c.ID.Platform, c.ID.Store, c.Reason).Settle.Value)
		if !open {
			continue
		}
		u := &f.unknown
		if u.count++; u.oldest.IsZero() || a.SentAt.Before(u.oldest) {
			u.oldest = a.SentAt
		}
		if late {
			if u.late++; len(u.samples) < 3 {
				u.samples = append(u.samples, c.ID.String())
			}
		}
	}
}

// askTokens asks each store that rotates its credential.
func (e *examination) askTokens(ctx context.Context) {
	for _, id := range slices.Sorted(maps.Keys(e.survey.Sources)) {
		holder, ok := e.survey.Sources[id].Connector.(connectors.Credentialed)
		if !ok {
			continue
		}
		c, err := holder.Credential(ctx)
		e.facts.tokens = append(e.facts.tokens, tokenFact{store: id, Credential: c, err: err})
	}
}

// askPlatforms reads one page of each platform at the same time, for the date on it.
func (e *examination) askPlatforms(ctx context.Context) {
	if e.offline {
		return
	}
	byPlatform := map[sla.Platform][]*connectors.Source{}
	for _, id := range slices.Sorted(maps.Keys(e.survey.Sources)) {
		src := e.survey.Sources[id]
		byPlatform[src.Platform] = append(byPlatform[src.Platform], src)
	}
	names := slices.Sorted(maps.Keys(byPlatform))
	e.facts.clocks = make([]platformClock, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { e.facts.clocks[i] = askClock(ctx, name, byPlatform[name]) })
	}
	wg.Wait()
}

// askClock asks through one store after the other, until one is answered.
func askClock(ctx context.Context, name sla.Platform, sources []*connectors.Source) platformClock {
	clock := platformClock{platform: name}
	for _, src := range sources[:min(askStores, len(sources))] {
		clock.store = src.Store
		if clock.skew, clock.err = skewOf(ctx, src); clock.err == nil {
			break
		}
	}
	return clock
}

func skewOf(ctx context.Context, src *connectors.Source) (skew time.Duration, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("its connector panicked")
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	var feed connectors.Feed
	switch {
	case src.Connector != nil:
		feed = src.Connector
	case src.Tracker != nil:
		feed = src.Tracker
	default:
		return 0, errors.New("it has no list to read")
	}
	page, err := feed.Fetch(ctx, connectors.Cursor{})
	return page.Skew, err
}
