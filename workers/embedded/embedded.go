// Package embedded runs the whole program in one process on a virtual clock: embedded Redis (or a given one), the simulated platforms
// over loopback HTTP, and the same fleet as in production. It is for development, demonstrations and tests: it may import everything
// of ours but cmd, and no production package may import it.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/alicebob/miniredis/v2"
	"go.uber.org/zap"

	"watchkeeper/connectors/all"
	"watchkeeper/connectors/simulator"
	"watchkeeper/sla"
	"watchkeeper/workers/fleet"
	"watchkeeper/workers/handle"
)

// Options say what to play.
type Options struct {
	World    simulator.Options
	NoFleet  bool              // nobody is on watch
	Redis    string            // host:port of a Redis to use, or several of a cluster with commas between; empty: an embedded one
	Env      map[string]string // variables on top of the demonstration's own
	File     []string          // entries of a file of variables: its rules take the place of the demonstration's (fleet.WithRules)
	Log      *zap.Logger
	Step     time.Duration                      // how far the clock jumps; 0: a quarter of an hour
	OnStep   func(now time.Time)                // after each step of the clock; nil: nobody watches
	OnNotice func(kind string, n handle.Notice) // of warnings and pages; nil: nobody is told but the person in the world
}

// A House is the program and its surroundings.
type House struct {
	World *simulator.World
	Fleet *fleet.Fleet // nil when nobody is on watch
	o     Options
	redis string
	clock atomic.Int64
	stops []func()
}

// rules of the demonstration: everything live, offers of 30 %, up to 60 units of the currencies that the world trades in.
func demoRules() map[string]string {
	return map[string]string{
		"WK_SLA__MODE": "live", "WK_SLA__ACCEPT_CAP": "60USD", "WK_SLA__OFFER_SHARE": "30%", "WK_HTTP__LISTEN": "127.0.0.1:0",
		"WK_REDIS__SHARDS": "1", "WK_WORKERS__CONCURRENCY": "8",
		"WK_STORE__AE01__POLL": "30m", "WK_STORE__T17__POLL": "1h", // a script of the embedded Redis costs a hundred times one of a real one
	}
}

// New builds the house; nothing runs yet.
func New(ctx context.Context, o Options) (*House, error) {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Step <= 0 {
		o.Step = 15 * time.Minute
	}
	h := &House{o: o}
	if o.World.Start.IsZero() {
		o.World.Start = time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC) // a change to summer time is in this month
	}
	o.World.Now = h.Now
	h.clock.Store(o.World.Start.UnixMilli())
	h.World = simulator.New(o.World)
	if o.NoFleet {
		return h, nil
	}
	if err := h.World.Start(); err != nil {
		return nil, fmt.Errorf("start platforms: %w", err)
	}
	h.stops = append(h.stops, h.World.Close)
	if err := h.openFleet(ctx); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

func (h *House) openFleet(ctx context.Context) error {
	h.redis = h.o.Redis
	if h.redis != "" {
		if err := empty(ctx, h.redis); err != nil {
			return err
		}
	} else {
		mini := miniredis.NewMiniRedis()
		if err := mini.Start(); err != nil {
			return fmt.Errorf("start embedded redis: %w", err)
		}
		h.stops = append(h.stops, mini.Close)
		h.redis = net.JoinHostPort(mini.Host(), mini.Port())
	}
	return h.startFleet(ctx)
}

// Environ is the environment of the fleet, with which the tools of operators find its records. It holds the credentials of simulated shops.
func (h *House) Environ() []string {
	env := demoRules()
	maps.Copy(env, h.World.Env())
	env["WK_REDIS__ADDRS"] = h.redis
	if strings.Contains(h.redis, ",") {
		delete(env, "WK_REDIS__SHARDS") // the servers of a cluster share the shards
	}
	maps.Copy(env, h.o.Env)
	environ := make([]string, 0, len(env))
	for name, value := range env {
		environ = append(environ, name+"="+value)
	}
	if len(h.o.File) > 0 {
		environ = fleet.WithRules(environ, h.o.File)
	}
	slices.Sort(environ)
	return environ
}

// Change ends the fleet and starts another on the same records, under the rules of a file of variables, as a rollout does.
func (h *House) Change(ctx context.Context, file []string) error {
	if err := h.Fleet.Stop(ctx); err != nil {
		return fmt.Errorf("stop the fleet for other rules: %w", err)
	}
	h.Fleet, h.o.File = nil, file
	return h.startFleet(ctx)
}

func (h *House) startFleet(ctx context.Context) error {
	config, book, err := fleet.Load(ctx, h.Environ(), all.Platforms())
	if err != nil {
		return err
	}
	h.Fleet, err = fleet.New(ctx, fleet.Options{
		Config: config, Book: book, Registry: all.Platforms(), Now: h.Now, Log: h.o.Log, HTTP: distance{h, &http.Transport{DisableKeepAlives: true}}, Notify: notifier{h},
		Idle: 3 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	return h.Fleet.Begin(ctx)
}

// callTakes is how long a call to a platform takes on the virtual clock. Without it a platform's allowance would never be refilled while
// the clock stands still between two steps.
const callTakes = 200 * time.Millisecond

// distance is the way to the platforms: each call over it moves the virtual clock.
type distance struct {
	h    *House
	next http.RoundTripper
}

func (d distance) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := d.next.RoundTrip(r)
	d.h.clock.Add(callTakes.Milliseconds())
	return resp, err
}

// Now is the virtual clock.
func (h *House) Now() time.Time { return time.UnixMilli(h.clock.Load()).UTC() }

// Until moves the clock to an instant step by step: the world first, then everything the fleet has to do at that time. pace is called
// before each step with its length, and may wait.
func (h *House) Until(ctx context.Context, end time.Time, pace func(context.Context, time.Duration) error) error {
	for h.Now().Before(end) {
		now := h.Now()
		next := now.Add(h.o.Step)
		if next.After(end) {
			next = end
		}
		if pace != nil {
			if err := pace(ctx, next.Sub(now)); err != nil {
				return err
			}
		}
		h.clock.Store(max(next.UnixMilli(), h.clock.Load()))
		h.World.Advance(h.Now())
		if h.Fleet != nil {
			if err := h.Fleet.Step(ctx); err != nil {
				return fmt.Errorf("at %s: %w", next.Format(time.RFC3339), err)
			}
		}
		if h.o.OnStep != nil {
			h.o.OnStep(next)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// Close ends everything.
func (h *House) Close() {
	if h.Fleet != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := h.Fleet.Stop(ctx); err != nil && !errors.Is(err, net.ErrClosed) {
			h.o.Log.Warn("fleet not stopped cleanly", zap.Error(err))
		}
		h.Fleet = nil
	}
	for _, stop := range slices.Backward(h.stops) {
		stop()
	}
	h.stops = nil
}

// notifier hands pages to the person in the world.
type notifier struct{ h *House }

func (n notifier) Warn(_ context.Context, notice handle.Notice) { n.tell("warn", notice) }

func (n notifier) Page(_ context.Context, notice handle.Notice) {
	n.h.World.PageTo(notice.Case.ID, n.h.Now())
	n.tell("page", notice)
}

func (n notifier) tell(kind string, notice handle.Notice) {
	if n.h.o.OnNotice != nil {
		n.h.o.OnNotice(kind, notice)
	}
}

// Open lists the open cases as the fleet sees them, those with a deadline first, earliest first.
func (h *House) Open(ctx context.Context) ([]sla.CaseRecord, error) {
	var out []sla.CaseRecord
	if h.Fleet == nil {
		return nil, nil
	}
	err := h.Fleet.Store().EachCase(ctx, func(c sla.CaseRecord) error {
		if c.Open() && c.Obligation.Turn != 0 {
			out = append(out, c)
		}
		return nil
	})
	slices.SortFunc(out, func(a, b sla.CaseRecord) int { return a.Obligation.Deadline.Compare(b.Obligation.Deadline) })
	return out, err
}
