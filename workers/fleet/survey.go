package fleet

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/job"
	"watchkeeper/workers/store"
	"watchkeeper/workers/trace"
)

// HeardWithin is how long a process counts as one that obeys rules after it last said which.
const HeardWithin = 2 * time.Minute

// A Survey looks at a running installation from outside: it starts nothing, renews nothing and sends no answer. What cannot be looked at is told
// in its place, and the rest goes on.
type Survey struct {
	Records *store.Inspection  // nil when there is an Unread
	Unread  error              // why there are no records to look at
	Sources connectors.Sources // those that could be built
	Unbuilt error              // why some could not

	f   *Fleet
	rdb redis.UniversalClient
}

// NewSurvey connects as New does. The caller calls what it gives to close.
func NewSurvey(ctx context.Context, o Options) (*Survey, func(context.Context) error, error) {
	f := &Fleet{o: o, log: o.Log, reg: prometheus.NewRegistry()}
	rdb, err := f.connect("survey", nil)
	if err != nil {
		return nil, nil, err
	}
	s := &Survey{f: f, rdb: rdb}
	s.Records, s.Unread = store.Inspect(ctx, rdb, f.storeOptions())
	f.shared = spectator{records: s.Records, err: s.Unread}
	s.Unbuilt = f.openPlatforms(ctx)
	s.Sources = f.sources
	return s, f.Stop, nil
}

// Servers asks every Redis server that takes writes. See store.Servers.
func (s *Survey) Servers(ctx context.Context) ([]store.Server, error) {
	return store.Servers(ctx, s.rdb, s.f.o.Now)
}

// Queues tells what lies in the queues, and what died in them since. See job.Depths.
func (s *Survey) Queues(ctx context.Context, since time.Time) ([]job.Depth, error) {
	return job.Depths(ctx, s.rdb, since)
}

// Traces asks the collector of traces whether it takes an empty batch. See trace.Probe.
func (s *Survey) Traces(ctx context.Context) error { return trace.Probe(ctx, s.f.o.Config.Traces) }

// A SurveyedFeed is a feed as the configuration wants it.
type SurveyedFeed struct {
	ID    string
	Store sla.StoreID
	Every time.Duration // how often it is read
}

// Feeds lists the feeds of the stores that could be built.
func (s *Survey) Feeds() []SurveyedFeed {
	var out []SurveyedFeed
	for _, feed := range s.f.feeds(nil) {
		every, _ := feed.Pace(s.f.o.Now())
		out = append(out, SurveyedFeed{ID: feed.ID, Store: feed.Source.Store, Every: every})
	}
	return out
}

// Settle is for how long money is frozen after a loss of memory.
func (s *Survey) Settle() time.Duration { return s.f.settle() }

// errSpectator is the answer to a connector that wants to change something.
var errSpectator = errors.New("somebody only looks")

// spectator is what connectors share with the fleet when nothing may be changed: calls count in the allowance of all, and nothing else is written.
type spectator struct {
	records *store.Inspection
	err     error // why there are none
}

func (s spectator) out() error {
	if s.records == nil && s.err == nil {
		return errSpectator
	}
	return s.err
}

// Take implements connectors.Limiter.
func (s spectator) Take(ctx context.Context, key string, rate int, per time.Duration) (time.Duration, error) {
	if err := s.out(); err != nil {
		return 0, err
	}
	return s.records.Take(ctx, key, rate, per)
}

// TakeInBulk is Take: who looks makes few calls.
func (s spectator) TakeInBulk(ctx context.Context, key string, rate int, per time.Duration, _ bool) (time.Duration, error) {
	return s.Take(ctx, key, rate, per)
}

// Load implements connectors.TokenVault.
func (s spectator) Load(ctx context.Context, id sla.StoreID) ([]byte, int64, error) {
	if err := s.out(); err != nil {
		return nil, 0, err
	}
	return s.records.Load(ctx, id)
}

// Save implements connectors.TokenVault: who only looks must not renew a credential.
func (s spectator) Save(context.Context, sla.StoreID, []byte, int64) (int64, bool, error) {
	return 0, false, errSpectator
}

// Lock implements connectors.TokenVault. It is asked before a credential is renewed.
func (s spectator) Lock(context.Context, sla.StoreID, string, time.Duration) (bool, error) {
	return false, errSpectator
}

// Unlock implements connectors.TokenVault.
func (s spectator) Unlock(context.Context, sla.StoreID, string) error { return nil }

// CheckKill implements connectors.Brake: no answer leaves.
func (s spectator) CheckKill(context.Context, sla.Platform, sla.StoreID, sla.Reason) error {
	return sla.ErrKilled
}
