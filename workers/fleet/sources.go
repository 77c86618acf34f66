package fleet

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/sethvargo/go-envconfig"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/intake"
	"watchkeeper/workers/job"
	"watchkeeper/workers/meter"
	"watchkeeper/workers/poll"
	"watchkeeper/workers/trace"
)

// shared is what the connectors of all replicas have in common.
type shared interface {
	connectors.TokenVault
	allowance
	connectors.Brake
}

var errNoStore = errors.New("no store is configured: set WK_STORE__<ID>__PLATFORM, for example WK_STORE__AE01__PLATFORM=aliexpress")

// openPlatforms builds one connector for each store. All mistakes are reported together.
func (f *Fleet) openPlatforms(ctx context.Context) error {
	f.sources = connectors.Sources{}
	f.meter = meter.New(f.o.Registry.Names(), f.atOnce, f.o.Now)
	calls := newCallMetrics(f.reg)
	keys, err := f.o.Config.Vault.keys()
	if err != nil {
		return err
	}
	var errs []error
	for _, s := range f.o.Book.Stores() {
		p, err := f.o.Registry.Get(s.Platform)
		if err != nil {
			errs = append(errs, fmt.Errorf("store %s: %w", s.ID, err))
			continue
		}
		built, err := p.New(ctx, envconfig.MapLookuper(s.Env), connectors.Deps{
			Store: s.ID, Now: f.o.Now, HTTP: f.o.HTTP, Limiter: f.limiter(s), Tokens: f.shared, SealKeys: keys, Brake: f.shared, Log: f.o.Log,
			Calls: calls.observer(s.Platform, f.trace),
		})
		if err != nil {
			errs = append(errs, inFull(s.ID, p.Variables, err))
			continue
		}
		f.sources[s.ID] = &connectors.Source{Store: s.ID, Platform: s.Platform, Built: built}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	if len(f.sources) == 0 {
		return errNoStore
	}
	return nil
}

// variableName is a word that may be a variable's name.
var variableName = regexp.MustCompile(`\b[A-Z][A-Z0-9_]*\b`)

// inFull names the store in each mistake of a connector, and its variables as the operator wrote them: a connector knows them without prefix.
func inFull(store sla.StoreID, names []string, err error) error {
	lead := "store " + string(store) + ": "
	var errs []error
	for line := range strings.SplitSeq(err.Error(), "\n") {
		text := variableName.ReplaceAllStringFunc(strings.TrimPrefix(line, lead), func(word string) string {
			if slices.Contains(names, word) {
				return Prefix + "STORE__" + string(store) + "__" + word
			}
			return word
		})
		errs = append(errs, errors.New(lead+text))
	}
	return errors.Join(errs...)
}

// tracker is the store that is asked to follow parcels of disputes: the first that can.
func (f *Fleet) tracker() sla.StoreID {
	if all := f.sources.Trackers(); len(all) > 0 {
		return all[0].Store
	}
	return ""
}

// feeds lists what is polled.
func (f *Fleet) feeds(in *intake.Intake) []poll.Feed {
	var out []poll.Feed
	for _, s := range f.o.Book.Stores() {
		src := f.sources[s.ID]
		if src == nil {
			continue // of a survey, which goes on without what could not be built
		}
		if src.Connector != nil {
			out = append(out, poll.Feed{
				ID: feedID(s.ID, disputes), Source: src, Fetch: src.Connector, Pace: f.pace(s, func() sla.Pressure { return f.meter.Level(s.Platform) }), Gone: f.gone,
				Accept: func(ctx context.Context, src *connectors.Source, page connectors.Page) (int, error) {
					tally, err := in.Accept(ctx, src, page)
					return tally.Changed(), err
				},
			})
		}
		if src.Tracker != nil {
			out = append(out, poll.Feed{
				ID: feedID(s.ID, parcels), Source: src, Fetch: src.Tracker, Pace: f.pace(s, f.meter.Worst),
				Accept: func(ctx context.Context, src *connectors.Source, page connectors.Page) (int, error) {
					tally, err := in.AcceptShipments(ctx, src, page)
					return tally.Changed(), err
				},
			})
		}
	}
	return out
}

// The kinds of feed.
const (
	disputes = "disputes"
	parcels  = "parcels"
)

func feedID(store sla.StoreID, kind string) string { return string(store) + "/" + kind }

// gone asks for the disputes that a complete snapshot no longer lists to be read again.
func (f *Fleet) gone(ctx context.Context, src *connectors.Source, ids []string) error {
	disputes := make([]sla.DisputeID, len(ids))
	for i, id := range ids {
		disputes[i] = sla.DisputeID{Platform: src.Platform, Store: src.Store, Native: id}
	}
	jobs := job.ForCases(job.Refresh, disputes, strconv.FormatInt(f.o.Now().UnixMilli(), 36))
	return f.jobs.Enqueue(ctx, job.Under(jobs, trace.Asking(ctx))...)
}

// seed tells the poller which disputes were open when the process started.
func (f *Fleet) seed(ctx context.Context) error {
	return f.store.EachCase(ctx, func(c sla.CaseRecord) error {
		if c.Open() {
			f.poller.Open(feedID(c.ID.Store, disputes), c.ID.Native)
		}
		return nil
	})
}

// callMetrics counts the requests to the platforms.
type callMetrics struct {
	total *prometheus.CounterVec
	took  *prometheus.HistogramVec
}

func newCallMetrics(reg prometheus.Registerer) *callMetrics {
	f := promauto.With(reg)
	return &callMetrics{
		total: f.NewCounterVec(prometheus.CounterOpts{Name: "watchkeeper_platform_requests_total",
			Help: "Requests to platforms, by operation and kind of failure; none when all went well."}, []string{"platform", "op", "kind"}),
		took: f.NewHistogramVec(prometheus.HistogramOpts{Name: "watchkeeper_platform_request_duration_seconds",
			Help: "How long platforms took to answer.", Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 25}}, []string{"platform"}),
	}
}

func (m *callMetrics) observer(p sla.Platform, t *trace.Tracer) connectors.CallObserver {
	took := m.took.WithLabelValues(string(p))
	var known sync.Map
	return func(ctx context.Context, c connectors.Called) {
		t.Call(ctx, p, c)
		if _, again := known.LoadOrStore(c.Op, true); !again { // a first failure after that is a rate and no gap
			for _, k := range append(connectors.Kinds(), connectors.KindNone) {
				m.total.WithLabelValues(string(p), c.Op, k.String())
			}
		}
		m.total.WithLabelValues(string(p), c.Op, c.Kind.String()).Inc()
		took.Observe(c.Took.Seconds())
	}
}

var _ handle.Intake = (*intake.Intake)(nil)
