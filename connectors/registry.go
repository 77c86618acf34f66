package connectors

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sethvargo/go-envconfig"
	"go.uber.org/zap"

	"watchkeeper/sla"
)

// Deps is what the fleet hands to each connector.
type Deps struct {
	Store   sla.StoreID
	Now     func() time.Time
	HTTP    http.RoundTripper // nil: the transport's own, with its time-outs
	Limiter Limiter
	Tokens  TokenVault
	// SealKeys seal what a connector keeps in Tokens: the first seals, all open. Empty: the connector takes a secret of its own.
	SealKeys [][]byte
	Brake    Brake // nil: nothing stops answers; the fleet always hands one
	Log      *zap.Logger
	Calls    CallObserver // nil: nobody is told
}

// A Limiter shares one platform's allowance among all replicas. Take asks for one call of a key limited to rate calls a period, 0 for a
// platform that has no limit of its own; an operator may have set another. It never waits: when none is left it says how long until the
// next. An error means that the limit is not known: do not call.
type Limiter interface {
	Take(ctx context.Context, key string, rate int, per time.Duration) (wait time.Duration, err error)
}

type bulk struct{}

// Bulk marks calls that are many and can wait, as those that read a feed: a Limiter leaves room for others between them. Those with a share get
// some of the calls also where others would take all.
func Bulk(ctx context.Context, share bool) context.Context {
	return context.WithValue(ctx, bulk{}, share)
}

// InBulk tells whether calls are marked so, and whether they have a share.
func InBulk(ctx context.Context) (marked, share bool) {
	share, marked = ctx.Value(bulk{}).(bool)
	return marked, share
}

// A Brake knows the kill switches. The transport asks it at the very moment when an answer is about to leave: an intent was refused while a
// switch was on, but reads, the renewal of a token, a dial and a handshake may come after the intent, and each may take long.
type Brake interface {
	// CheckKill is nil when no switch covers answers of the store to disputes of the reason, sla.ErrKilled when one does, and any other
	// error when that is not known: then nothing may leave either.
	CheckKill(ctx context.Context, p sla.Platform, store sla.StoreID, r sla.Reason) error
}

// A TokenVault keeps one store's rotating credential for all replicas, versioned. The blob is sealed by the transport; the vault sees no token.
type TokenVault interface {
	// Load gives the blob and its version; an empty blob and 0 when there is none.
	Load(ctx context.Context, store sla.StoreID) (blob []byte, version int64, err error)
	// Save stores a blob if the version is still the given one, and gives the new one; false when somebody else was first.
	Save(ctx context.Context, store sla.StoreID, blob []byte, version int64) (int64, bool, error)
	// Lock takes the right to refresh for at most ttl; false when another holds it. Unlock gives it back and forgives a lock that ran out.
	Lock(ctx context.Context, store sla.StoreID, owner string, ttl time.Duration) (bool, error)
	Unlock(ctx context.Context, store sla.StoreID, owner string) error
}

// A CallObserver is told of each request to a platform when it has ended, for metrics and traces.
type CallObserver func(ctx context.Context, c Called)

// A Called is a request as it may be told of: nothing that was sent or received.
type Called struct {
	Op     string // the operation, from a closed list
	Effect bool   // it may change something there
	Status int    // of the reply; 0 without one
	Kind   Kind   // KindNone when it went well
	Took   time.Duration
}

// A Built is one store's connector, with the parts the platform has; the others are nil.
type Built struct {
	Connector Connector
	Responder Responder
	Tracker   Tracker
}

// A Platform is one entry of the registry.
type Platform struct {
	Name         sla.Platform
	Capabilities Capabilities
	// Defaults is the platform's own rule where no variable says otherwise.
	Defaults func(sla.Rule) sla.Rule
	// New builds the connector of one store from the variables under the store's prefix (already stripped: "APP_KEY", "BASE_URL").
	// It makes no network call, names the variable of each mistake, and never prints a secret.
	New func(ctx context.Context, env envconfig.Lookuper, deps Deps) (Built, error)
	// Variables are the names New reads, without the prefix; anything else under a store's prefix is a mistake.
	Variables []string
	// Means says in a sentence what each of them is, by its name. One that ends in _FILE needs none.
	Means map[string]string
	// Poll is how often a feed is read when no variable says otherwise.
	Poll time.Duration
	// NormaliseReply reads one recorded reply (a raw JSON body) through the platform's normaliser; nil when the platform has none.
	NormaliseReply func(body []byte) ([]sla.Dispute, []sla.Shipment, []Reject, error)
}

// A Registry is a list of platforms. It is a value: a test makes its own.
type Registry []Platform

// Get finds a platform by name.
func (r Registry) Get(name sla.Platform) (Platform, error) {
	for _, p := range r {
		if p.Name == name {
			return p, nil
		}
	}
	return Platform{}, fmt.Errorf("platform %q: want one of %v", name, r.Names())
}

// Names lists the platforms in order.
func (r Registry) Names() []sla.Platform {
	out := make([]sla.Platform, 0, len(r))
	for _, p := range r {
		out = append(out, p.Name)
	}
	slices.Sort(out)
	return out
}

// A Source is one store with its connector, as the fleet runs it.
type Source struct {
	Built

	Store    sla.StoreID
	Platform sla.Platform
	skew     atomic.Int64
	observed atomic.Bool
}

// Observe remembers how far the platform's clock is from ours.
func (s *Source) Observe(skew time.Duration) {
	s.skew.Store(int64(skew))
	s.observed.Store(true)
}

// Observed tells whether it was observed yet: before that, no difference means that nothing is known.
func (s *Source) Observed() bool { return s.observed.Load() }

// Skew is the platform's clock minus ours, as last observed.
func (s *Source) Skew() time.Duration { return time.Duration(s.skew.Load()) }

// PlatformTime turns our time into the platform's: deadlines are kept by its clock.
func (s *Source) PlatformTime(now time.Time) time.Time { return now.Add(s.Skew()) }

// Sources are the fleet's stores by id.
type Sources map[sla.StoreID]*Source

// Trackers lists the stores that follow parcels, in order of their ids.
func (s Sources) Trackers() []*Source {
	var out []*Source
	for _, src := range s {
		if src.Tracker != nil {
			out = append(out, src)
		}
	}
	slices.SortFunc(out, func(a, b *Source) int { return strings.Compare(string(a.Store), string(b.Store)) })
	return out
}
