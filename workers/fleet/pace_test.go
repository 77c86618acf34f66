package fleet_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
	"watchkeeper/workers/fleet"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

// shop is a platform over real HTTP: a list without end, and disputes that wait for a refusal.
type shop struct {
	*httptest.Server
	mu            sync.Mutex
	lists         int
	answers       []string
	under, most   int
	wanted        int // answers that are held until so many are under way
	full          chan struct{}
	opened, until time.Time
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{full: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /list", s.list)
	mux.HandleFunc("POST /answer", s.answer)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *shop) list(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lists++
	_, _ = fmt.Fprint(w, "{}")
}

func (s *shop) answer(w http.ResponseWriter, r *http.Request) {
	id, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.under++
	s.most = max(s.most, s.under)
	if s.under == s.wanted {
		close(s.full)
		s.wanted = 0
	}
	full := s.full
	s.mu.Unlock()
	<-full // a limit that is not reached hangs here
	select {
	case <-time.After(40 * time.Millisecond): // one that is not kept lets another one in meanwhile
	case <-r.Context().Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.under--
	s.answers = append(s.answers, string(id))
	_, _ = fmt.Fprint(w, "{}")
}

// seller is the shop's connector.
type seller struct {
	*shop
	client *transport.Client
	store  sla.StoreID
}

func (s *seller) Fetch(ctx context.Context, _ connectors.Cursor) (connectors.Page, error) {
	_, err := s.client.Do(ctx, transport.Call{Op: "list", Path: "/list"})
	return connectors.Page{More: true, Next: connectors.Cursor{Token: "on"}}, err
}

func (s *seller) Resolve(context.Context, connectors.Row) (sla.Dispute, error) {
	return sla.Dispute{}, &connectors.Error{Op: "resolve", Kind: connectors.NotFound}
}

func (s *seller) Lookup(_ context.Context, ref sla.DisputeRef) (sla.Dispute, error) {
	d := slatest.Dispute()
	d.DisputeRef, d.Reason = ref, sla.ReasonDamaged
	d.Obligations = []sla.Obligation{owed(s.opened, s.until)}
	return d, nil
}

func (s *seller) Respond(ctx context.Context, d sla.Dispute, _ sla.Answer) (connectors.Receipt, error) {
	_, err := s.client.Do(ctx, transport.Call{Op: "answer", Path: "/answer", Effect: true, Answer: true, Reason: d.Reason, Body: []byte(d.ID.Native)})
	return connectors.Receipt{ID: d.ID.Native}, err
}

func (s *seller) Confirm(context.Context, sla.Dispute, sla.Answer) (connectors.Outcome, error) {
	return connectors.OutcomePresent, nil
}

func owed(opened, until time.Time) sla.Obligation {
	return sla.Obligation{Turn: 7, Kinds: sla.Answers(sla.AnswerRefuse), Opened: opened, Deadline: until, Cost: sla.Money{Minor: 1200, Currency: "USD"}}
}

// registry has the shop as a platform with a limit of its own of five calls a second, or none.
func (s *shop) registry(name sla.Platform, rate int) connectors.Registry {
	return connectors.Registry{{
		Name: name, Poll: time.Minute, Variables: []string{"KEY"}, Defaults: func(r sla.Rule) sla.Rule { return r },
		New: func(_ context.Context, _ envconfig.Lookuper, d connectors.Deps) (connectors.Built, error) {
			c, err := transport.New(transport.Options{
				Platform: name, Store: d.Store, BaseURL: s.URL, Now: d.Now, Limiter: d.Limiter, Brake: d.Brake, Rate: rate, LimitKey: "the app",
			})
			built := &seller{s, c, d.Store}
			return connectors.Built{Connector: built, Responder: built}, err
		},
	}}
}

func (s *shop) fleet(t *testing.T, rate int, environ ...string) *bundle {
	t.Helper()
	addr := storetest.Start(t)
	environ = append([]string{"WK_REDIS__ADDRS=" + addr, "WK_STORE__Q01__PLATFORM=quiet", "WK_HTTP__LISTEN=127.0.0.1:0"}, environ...)
	registry := s.registry("quiet", rate)
	config, book, err := fleet.Load(t.Context(), environ, registry)
	if err != nil {
		t.Fatal(err)
	}
	rdb := storetest.Connect(t, addr)
	core, logs := observer.New(zap.DebugLevel)
	b := &bundle{t: t, redis: rdb, logs: logs}
	b.clock.Store(time.Date(2026, time.October, 31, 23, 0, 0, 0, time.UTC).UnixMilli())
	b.o = fleet.Options{Config: config, Book: book, Registry: registry, Now: b.now, Log: zap.New(core), Idle: time.Millisecond}
	if b.fleet, err = fleet.New(t.Context(), b.o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.must(b.fleet.Stop(context.Background())) })
	b.must(b.fleet.Begin(t.Context()))
	return b
}

func TestARateOfTheOperatorHoldsOverRealCallsAndChangesAtItsDate(t *testing.T) {
	t.Parallel()
	season := []string{"WK_STORE__Q01__RATE=4", "WK_STORE__Q01__RATE__SEASON=18", "WK_STORE__Q01__RATE__SEASON__FROM=2026-11-01..2026-12-31"}
	for name, c := range map[string]struct {
		rate          int
		environ       []string
		before, after int // calls in one instant, of which a feed has half
	}{
		"the connector's":            {10, nil, 5, 5},
		"the operator's":             {10, season, 2, 9},
		"the platform's":             {10, []string{"WK_STORE__QUIET__RATE=6"}, 3, 3},
		"of one without its own":     {0, season, 2, 9},
		"until a date, of a smaller": {10, []string{"WK_STORE__Q01__RATE=1", "WK_STORE__Q01__RATE__UNTIL=2026-11-01"}, 1, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			b := s.fleet(t, c.rate, c.environ...)
			b.step(time.Second)
			if s.lists != c.before {
				t.Errorf("%d calls at once, want %d", s.lists, c.before)
			}
			s.lists = 0
			b.step(2 * time.Hour)
			if s.lists != c.after {
				t.Errorf("%d calls at once after the date, want %d", s.lists, c.after)
			}
		})
	}
}

func TestNoMoreAnswersOfAStoreAreUnderWayOverRealCallsThanItMayHave(t *testing.T) {
	t.Parallel()
	const cases = 16
	for name, c := range map[string]struct {
		environ []string
		want    int
	}{
		"one":             {[]string{"WK_STORE__Q01__CONCURRENCY=1"}, 1},
		"three":           {[]string{"WK_STORE__QUIET__CONCURRENCY=3"}, 3},
		"since a date":    {[]string{"WK_STORE__Q01__CONCURRENCY=1", "WK_STORE__Q01__CONCURRENCY__SEASON=4", "WK_STORE__Q01__CONCURRENCY__SEASON__FROM=2026-11-01"}, 4},
		"without a limit": {nil, cases},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			b := s.fleet(t, 0, append(c.environ, "WK_SLA__MODE=live", "WK_SLA__ANSWER=refuse@0h", "WK_SLA__ACT_BEFORE=4d", "WK_STORE__Q01__POLL=1d")...)
			s.wanted = c.want
			b.step(store.DefaultSettle + 2*time.Hour) // a new memory sends nothing at first
			s.opened, s.until = b.now(), b.now().Add(3*24*time.Hour)
			for i := range cases {
				b.owe(strconv.Itoa(9000+i), 3*24*time.Hour)
			}
			for range 60 {
				b.step(6 * time.Second)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.most != c.want || len(s.answers) != cases {
				t.Errorf("%d answers, at most %d at once: want %d and %d", len(s.answers), s.most, cases, c.want)
			}
			for i := range cases {
				all, err := b.fleet.Store().Attempts(t.Context(), sla.DisputeID{Platform: "quiet", Store: "Q01", Native: strconv.Itoa(9000 + i)})
				b.must(err)
				if len(all) != 1 || all[0].N != 1 {
					t.Errorf("case %d: want one try, got %+v", i, all)
				}
			}
			b.has("watchkeeper_pages_total", map[string]float64{" quiet": 0})
		})
	}
}
