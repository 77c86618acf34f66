// Package soak kills real daemons and empties a real Redis under load, and judges by the log of the simulated platform. It starts
// everything itself: a redis-server as production has it, the platform on the real clock, and the daemon's own binary. It is for
// development and tests; no production package may import it.
package soak

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/connectors/simulator"
	"watchkeeper/sla"
	"watchkeeper/workers/embedded"
	"watchkeeper/workers/store"
)

// The rules of the daemons. A lost answer can be tried again in time with the least settle window that the rules allow.
const (
	settle    = time.Minute
	actBefore = 8 * time.Minute
	guard     = 65 * time.Second

	drainEvery = 2 * time.Second // is looked whether all is answered
)

// Options say what to put under load.
type Options struct {
	Cases   int           // open disputes, whose time to answer comes evenly through the run
	Stores  int           // they belong to: each has an allowance of calls of its own
	Rate    int           // calls a second that a store's platform allows
	For     time.Duration // how long the answers fall due
	Every   time.Duration // between two kills
	Latency time.Duration // of each call to the platform
	// Reading is how long the first reading may take before answers fall due; 0: by the number of cases.
	Reading time.Duration
	// Drain is how long is waited for the last answers when the last has fallen due; 0: until its deadline.
	Drain   time.Duration
	Seed    uint64
	Poll    time.Duration // between two readings of a store's list; 0: a minute
	Apart   time.Duration // by how much longer that is for each further store, so that not all lists are due at once
	Daemons int           // how many share the work; 0: two
	Jobs    int           // that a daemon has under way at once; 0: as it has by default
	Redis   string        // an empty one to use, or several addresses of a cluster with commas between; empty: one is started
	Binary  string        // the daemon; empty: built from the module in the working directory
	Worker  []string      // how to start Worker in a process of its own; empty: asynq's own recovery is not measured
	Now     func() time.Time
	Notes   io.Writer // what happens, for people
}

// filling is how long the first reading may take: the cases read at about half of what the machine and the allowances give.
func (o Options) filling() time.Duration {
	if o.Reading > 0 {
		return o.Reading
	}
	perSecond := min(120, o.Stores*o.Rate/2)
	return 10*time.Second + time.Duration(o.Cases/perSecond)*time.Second
}

func (o Options) validate() error {
	switch {
	case o.Cases < 1 || o.Stores < 1 || o.Stores > 99 || o.Rate < 2:
		return errors.New("soak: want at least one case, 1 to 99 stores and 2 calls a second")
	case o.For < time.Second || o.Every < time.Second:
		return errors.New("soak: want a run and a time between kills of a second or more")
	case o.Poll < 0 || o.Daemons < 0 || o.Daemons > 16:
		return errors.New("soak: want at most 16 daemons, and no time between readings below 0")
	case o.Now == nil || o.Notes == nil:
		return errors.New("soak: want a clock and somebody to tell")
	}
	return nil
}

// A scene is everything around the daemons.
type scene struct {
	o       Options
	dir     string
	redis   string
	rdb     redis.UniversalClient
	world   *simulator.World
	acts    map[string]time.Time // when the answer to each dispute falls due
	touches *touches             // of the disputes
	polls   *touches             // of the lists
	apps    map[string]string    // the store of an app
	daemons []*daemon
	started int   // daemons so far
	memory  int64 // the most that one of the killed has had, in bytes
	stops   []func()
}

// newScene starts Redis, the platform and the daemons; answers fall due from the returned instant on.
func newScene(ctx context.Context, o Options) (*scene, time.Time, error) {
	if err := o.validate(); err != nil {
		return nil, time.Time{}, err
	}
	s := &scene{
		o: o, acts: map[string]time.Time{}, touches: &touches{now: o.Now}, polls: &touches{now: o.Now}, apps: map[string]string{},
		daemons: make([]*daemon, cmp.Or(o.Daemons, 2)),
	}
	from, err := s.open(ctx)
	if err != nil {
		s.close()
		return nil, time.Time{}, err
	}
	return s, from, nil
}

func (s *scene) open(ctx context.Context) (from time.Time, err error) {
	if s.dir, err = os.MkdirTemp("", "watchkeeper-soak-"); err != nil {
		return from, fmt.Errorf("folder of the soak: %w", err)
	}
	s.stops = append(s.stops, func() { _ = os.RemoveAll(s.dir) })
	if s.o.Binary == "" {
		if s.o.Binary, err = Build(ctx, s.dir); err != nil {
			return from, err
		}
	}
	if err := s.openRedis(ctx); err != nil {
		return from, err
	}
	from = s.o.Now().Add(s.o.filling())
	due := func(n int) time.Time {
		return from.Add(time.Duration(float64(s.o.For) * float64(n) / float64(s.o.Cases)))
	}
	s.world = simulator.New(simulator.Options{
		Seed: s.o.Seed, Start: s.o.Now(), Days: 4, Disputes: s.o.Cases, Stores: s.o.Stores, Now: s.o.Now,
		Deadline: func(n int) time.Time { return due(n).Add(actBefore) },
	})
	for _, e := range s.world.Log() {
		if e.Kind == simulator.KindOwed {
			s.acts[e.Subject] = e.Deadline.Add(-actBefore)
		}
	}
	for name, value := range s.world.Env() {
		if store, is := strings.CutSuffix(strings.TrimPrefix(name, "WK_STORE__"), "__APP_KEY"); is {
			s.apps[value] = store
		}
	}
	for i := range s.daemons {
		if err := s.spawn(i); err != nil {
			return from, err
		}
	}
	return from, nil
}

func (s *scene) openRedis(ctx context.Context) error {
	if s.redis = s.o.Redis; s.redis == "" {
		addr, stop, err := embedded.StartRedis(ctx, "--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction")
		if err != nil {
			return err
		}
		s.redis = addr
		s.stops = append(s.stops, stop)
	}
	s.rdb = redis.NewUniversalClient(&redis.UniversalOptions{Addrs: strings.Split(s.redis, ",")})
	s.stops = append(s.stops, func() { _ = s.rdb.Close() })
	return Age(ctx, s.rdb, s.o.Now(), settle)
}

// due tells whether a dispute is without an answer, and the time of it has come, or may have for the daemons.
func (s *scene) due(issue string) bool {
	if act, ok := s.acts[issue]; !ok || !act.Add(-early).Before(s.o.Now()) {
		return false
	}
	_, answered := s.answers()[issue]
	return !answered
}

// Age makes the memory of a Redis an hour old, so that nothing is frozen at the start; for daemons with that settle window.
func Age(ctx context.Context, rdb redis.UniversalClient, now time.Time, settle time.Duration) error {
	old := now.Add(-time.Hour)
	st, err := store.Open(ctx, rdb, store.Options{
		Now: func() time.Time { return old }, Stores: map[sla.StoreID]sla.Platform{storeID(0): simulator.AliExpress}, Settle: settle,
	})
	if err != nil {
		return err
	}
	_, err = st.CheckEpoch(ctx, old)
	return err
}

func storeID(n int) sla.StoreID { return sla.StoreID(fmt.Sprintf("AE%02d", n+1)) }

// spawn starts the i-th daemon.
func (s *scene) spawn(i int) error {
	s.started++
	d, err := startDaemon(s, s.started)
	if err != nil {
		return err
	}
	s.daemons[i] = d
	return nil
}

// kill ends the i-th daemon.
func (s *scene) kill(i int) {
	s.memory = max(s.memory, s.daemons[i].memory())
	s.daemons[i].kill()
}

// environ is the environment of a daemon that finds the platform at an address.
func (s *scene) environ(url string) []string {
	env := map[string]string{
		"WK_REDIS__ADDRS": s.redis, "WK_HTTP__LISTEN": "127.0.0.1:0", "WK_LOG__LEVEL": "info", "WK_SLA__MODE": "live", "WK_SLA__ACCEPT_CAP": "500USD",
		"WK_SLA__ACT_BEFORE": actBefore.String(), "WK_SLA__SETTLE": settle.String(), "WK_SLA__GUARD": guard.String(),
		"WK_STORE__ALIEXPRESS__RATE": strconv.Itoa(s.o.Rate), "WK_STORE__ALIEXPRESS__CONCURRENCY": "32",
	}
	if s.o.Jobs > 0 {
		env["WK_WORKERS__CONCURRENCY"] = strconv.Itoa(s.o.Jobs)
	}
	maps.Copy(env, s.world.Env())
	out := []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + s.dir}
	for name, value := range env {
		if !strings.HasPrefix(name, "WK_STORE__T17__") {
			out = append(out, name+"="+value)
		}
	}
	for n := range s.o.Stores {
		poll := cmp.Or(s.o.Poll, time.Minute) + time.Duration(n)*s.o.Apart
		out = append(out, "WK_STORE__"+string(storeID(n))+"__BASE_URL="+url, "WK_STORE__"+string(storeID(n))+"__POLL="+poll.String())
	}
	return out
}

func (s *scene) close() {
	for _, d := range s.daemons {
		if d != nil {
			d.kill()
		}
	}
	for _, stop := range slices.Backward(s.stops) {
		stop()
	}
}

func (s *scene) sayf(format string, args ...any) { fmt.Fprintf(s.o.Notes, format+"\n", args...) }

// read waits for the instant from which answers fall due, and tells how many disputes have been read by then.
func (s *scene) read(ctx context.Context, from time.Time) error {
	for s.o.Now().Before(from) {
		if err := wait(ctx, time.Second); err != nil {
			return err
		}
		if err := s.alive(); err != nil {
			return err
		}
	}
	s.sayf("%d of %d cases were read when the first answer fell due", s.touches.count(), s.o.Cases)
	return nil
}

// drain waits until every dispute is answered, but not beyond the last deadline.
func (s *scene) drain(ctx context.Context, from time.Time, killed ...*daemon) error {
	limit := cmp.Or(s.o.Drain, actBefore)
	for end := from.Add(s.o.For + limit); s.o.Now().Before(end); {
		left := s.o.Cases - s.inTime()
		if left == 0 {
			return nil
		}
		s.sayf("%d answers left", left)
		if err := s.alive(killed...); err != nil {
			return err
		}
		if err := wait(ctx, drainEvery); err != nil {
			return err
		}
	}
	return nil
}

// inTime counts the disputes whose first turn was answered before its deadline.
func (s *scene) inTime() (n int) {
	for issue, at := range s.answers() {
		if act, ok := s.acts[issue]; ok && at.Before(act.Add(actBefore)) {
			n++
		}
	}
	return n
}

// alive reports a daemon that has ended by itself, and was not killed.
func (s *scene) alive(killed ...*daemon) error {
	for _, d := range s.daemons {
		if slices.Contains(killed, d) {
			continue
		}
		if err := d.ended(); err != nil {
			return err
		}
	}
	return nil
}

// wait lets time pass, until the context ends.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Build builds the daemon's own binary into a folder.
func Build(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "watchkeeper")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, "watchkeeper/cmd/watchkeeper") //nolint:gosec // our own program, into our own folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the daemon: %w\n%s", err, out)
	}
	return path, nil
}
