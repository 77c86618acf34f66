package notify_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/notify"
)

// run starts the Poster and ends it with the test, or with the function that it returns.
func (w *world) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

// hanging is a hook that tells of each request, and answers none before the test ends or the client has gone.
func hanging(t *testing.T) (*hook, <-chan struct{}) {
	t.Helper()
	came, ended := make(chan struct{}, 100), make(chan struct{})
	h := newHook(t, func(_ int, _ http.ResponseWriter, r *http.Request) {
		came <- struct{}{}
		select {
		case <-r.Context().Done():
		case <-ended:
		}
	})
	t.Cleanup(func() { close(ended) })
	return h, came
}

func TestAPageDoesNotWaitForAChatThatHangs(t *testing.T) {
	t.Parallel()
	chat, asked := hanging(t)
	paged := make(chan struct{})
	pager := newHook(t, func(int, http.ResponseWriter, *http.Request) { close(paged) })
	w := newWorld(t, chat.URL, pager.URL, nil)
	w.run(t)
	for n := range 10 {
		w.Post(t.Context(), warning(strconv.Itoa(n)))
	}
	<-asked
	w.Post(t.Context(), page("77"))
	<-paged
}

func TestAFullQueueGivesUpTheOldestWarningsAndKeepsEveryPage(t *testing.T) {
	t.Parallel()
	h := newHook(t, nil)
	w := newWorld(t, h.URL, "", nil)
	for n := range 600 {
		w.Post(t.Context(), page("p"+strconv.Itoa(n)))
		w.Post(t.Context(), warning("w"+strconv.Itoa(n)))
	}
	if got := w.queued(t); got != 1000 {
		t.Errorf("want 1000 in the queue, got %d", got)
	}
	w.wantCounts(t, "chat", 0, 0, 200)
	w.wantCounts(t, "page", 0, 0, 0)
	w.flush(t)
	w.wantCounts(t, "chat", 400, 0, 200)
	w.wantCounts(t, "page", 600, 0, 0)
	if got := h.cases(t); slices.Contains(got, "AE01/w199") || !slices.Contains(got, "AE01/w200") {
		t.Error("it was not the oldest warnings that were given up")
	}
	if got := w.queued(t); got != 0 {
		t.Errorf("want an empty queue after Close, got %d", got)
	}
}

func TestAQueueFullOfPagesTakesNoWarning(t *testing.T) {
	t.Parallel()
	h := newHook(t, nil)
	w := newWorld(t, h.URL, "", nil)
	for n := range 1000 {
		w.Post(t.Context(), page(strconv.Itoa(n)))
	}
	w.Post(t.Context(), warning("w"))
	w.wantCounts(t, "chat", 0, 0, 1)
	w.wantCounts(t, "page", 0, 0, 0)
	w.Post(t.Context(), page("1000"))
	w.wantCounts(t, "page", 0, 0, 1)
	w.flush(t)
	if got := h.cases(t); slices.Contains(got, "AE01/0") || !slices.Contains(got, "AE01/1000") {
		t.Error("it was not the oldest page that was given up for a newer one")
	}
}

func TestTheSameMessageIsToldOnceAnHour(t *testing.T) {
	t.Parallel()
	base := warning("77")
	with := func(change func(*notify.Message)) notify.Message {
		m := base
		change(&m)
		return m
	}
	tests := map[string]struct {
		second notify.Message
		after  time.Duration
		want   int
	}{
		"at once":            {base, 0, 1},
		"within the hour":    {base, 59 * time.Minute, 1},
		"after an hour":      {base, time.Hour, 2},
		"another ground":     {with(func(m *notify.Message) { m.Why = sla.WhyDue }), 0, 2},
		"another turn":       {with(func(m *notify.Message) { m.Turn++ }), 0, 2},
		"another stage":      {with(func(m *notify.Message) { m.Stage = sla.StageGuard }), 0, 2},
		"another warn point": {with(func(m *notify.Message) { m.Point++ }), 0, 2},
		"a page":             {with(func(m *notify.Message) { m.Channel = sla.ChannelPage }), 0, 2},
		"another store":      {with(func(m *notify.Message) { m.Case.Store = "AE02" }), 0, 2},
		"another case":       {with(func(m *notify.Message) { m.Case.Native = "78" }), 0, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHook(t, nil)
			w := newWorld(t, h.URL, "", nil)
			w.Post(t.Context(), base)
			w.clock.After(tt.after)
			w.Post(t.Context(), tt.second)
			w.flush(t)
			if got := len(h.got()); got != tt.want {
				t.Errorf("want %d, got %d", tt.want, got)
			}
		})
	}
}

func TestAMessageThatFailedMayComeAgain(t *testing.T) {
	t.Parallel()
	answered := make(chan struct{}, 10)
	h := newHook(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 1 {
			w.WriteHeader(http.StatusForbidden)
		}
		answered <- struct{}{}
	})
	w := newWorld(t, h.URL, "", nil)
	w.run(t)
	w.Post(t.Context(), warning("77"))
	<-answered
	for waited := false; !waited; { // until the failure is recorded, the same message is one that is on its way
		w.Post(t.Context(), warning("77"))
		select {
		case <-answered:
			waited = true
		default:
		}
	}
	w.flush(t)
	w.wantCounts(t, "chat", 1, 1, 0)
}

func TestPagesGoToTheChatWhenThereIsNoOtherAddress(t *testing.T) {
	t.Parallel()
	h := newHook(t, nil)
	w := newWorld(t, h.URL, "", nil)
	w.Post(t.Context(), page("77"))
	w.flush(t)
	w.wantCounts(t, "page", 1, 0, 0)
	if got := h.got(); len(got) != 1 || got[0]["kind"] != "page" {
		t.Errorf("got %v", got)
	}
}

func TestWhatHasNoHookIsNeitherSentNorCounted(t *testing.T) {
	t.Parallel()
	h := newHook(t, nil)
	w := newWorld(t, "", h.URL, nil)
	w.Post(t.Context(), warning("77"))
	w.Post(t.Context(), message(sla.ChannelLog, "77"))
	w.flush(t)
	if got := h.got(); len(got) > 0 {
		t.Errorf("sent %v", got)
	}
	w.wantCounts(t, "chat", 0, 0, 0)
}

func TestATestGoesWhereAPageWouldAndSaysSo(t *testing.T) {
	t.Parallel()
	h := newHook(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 2 {
			w.WriteHeader(http.StatusForbidden)
		}
	})
	w := newWorld(t, "", h.URL+secretPath, nil)
	if err := w.Try(t.Context(), sla.ChannelPage); err != nil {
		t.Error(err)
	}
	err := w.Try(t.Context(), sla.ChannelPage)
	if err == nil || !strings.Contains(err.Error(), "page webhook: status 403") || strings.Contains(err.Error(), secretPath) {
		t.Errorf("want the status and no address, got %v", err)
	}
	if err := w.Try(t.Context(), sla.ChannelChat); !errors.Is(err, notify.ErrNoHook) {
		t.Errorf("want %v, got %v", notify.ErrNoHook, err)
	}
	if got := h.got(); len(got) != 2 || got[0]["kind"] != "page" || got[0]["test"] != true || !strings.Contains(member[string](t, got[0], "text"), "test") {
		t.Errorf("got %v", got)
	}
	w.wantCounts(t, "page", 0, 0, 0)
}

func TestRunDeliversWhatIsPosted(t *testing.T) {
	t.Parallel()
	came := make(chan struct{}, 10)
	h := newHook(t, func(int, http.ResponseWriter, *http.Request) { came <- struct{}{} })
	w := newWorld(t, h.URL, "", nil)
	w.run(t)
	for n := range 3 {
		w.Post(t.Context(), warning(strconv.Itoa(n)))
		<-came
	}
	w.flush(t)
	w.wantCounts(t, "chat", 3, 0, 0)
}

func TestCloseDeliversWhatRunHasLeft(t *testing.T) {
	t.Parallel()
	tests := map[string]func(t *testing.T, w *world){
		"Run never began": func(*testing.T, *world) {},
		"Run has ended":   func(t *testing.T, w *world) { w.run(t)() },
		"Run goes on":     func(t *testing.T, w *world) { w.run(t) },
	}
	for name, before := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHook(t, nil)
			w := newWorld(t, h.URL, "", nil)
			before(t, w)
			for n := range 20 {
				w.Post(t.Context(), warning(strconv.Itoa(n)))
				w.Post(t.Context(), page(strconv.Itoa(n)))
			}
			w.flush(t)
			w.wantCounts(t, "chat", 20, 0, 0)
			w.wantCounts(t, "page", 20, 0, 0)
		})
	}
}

func TestATryThatWasBrokenOffIsMadeAgainByClose(t *testing.T) {
	t.Parallel()
	came := make(chan struct{})
	h := newHook(t, func(n int, _ http.ResponseWriter, r *http.Request) {
		if n == 1 {
			close(came)
			<-r.Context().Done()
		}
	})
	w := newWorld(t, h.URL, "", nil)
	stop := w.run(t)
	w.Post(t.Context(), page("77"))
	<-came
	stop()
	w.flush(t)
	w.wantCounts(t, "page", 1, 0, 0)
}

func TestCloseTriesAtOnceWhatWaitsForItsNextTry(t *testing.T) {
	t.Parallel()
	waiting := make(chan struct{}, 1)
	h := newHook(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 1 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	w := newWorld(t, h.URL, "", func(o *notify.Options) {
		o.After = func(time.Duration) <-chan time.Time {
			waiting <- struct{}{}
			return nil // never: only Close can end the wait
		}
	})
	w.run(t)
	w.Post(t.Context(), warning("77"))
	<-waiting
	w.flush(t)
	w.wantCounts(t, "chat", 1, 0, 0)
}

func TestCloseTriesOnceWhatARetryAfterHolds(t *testing.T) {
	t.Parallel()
	waiting := make(chan struct{}, 10)
	h := newHook(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 1 {
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	w := newWorld(t, "", h.URL, func(o *notify.Options) {
		o.After = func(time.Duration) <-chan time.Time {
			waiting <- struct{}{}
			return nil // never: only Close can end the hold
		}
	})
	w.run(t)
	w.Post(t.Context(), page("1"))
	<-waiting
	w.Post(t.Context(), page("2"))
	w.flush(t)
	w.wantCounts(t, "page", 2, 0, 0)
	if got := h.cases(t); len(got) != 3 || !slices.Contains(got, "AE01/2") {
		t.Errorf("want both pages at the hook, got %v", got)
	}
}

func TestCloseEndsWithItsContextAndCountsWhatIsLost(t *testing.T) {
	t.Parallel()
	for name, running := range map[string]bool{"with Run": true, "without Run": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, came := hanging(t)
			w := newWorld(t, h.URL+secretPath, "", nil)
			if running {
				w.run(t)
			}
			w.Post(t.Context(), warning("1"))
			w.Post(t.Context(), warning("2"))
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-came
				cancel()
			}()
			err := w.Close(ctx)
			if err == nil || err.Error() != "close notify: 2 notifications not delivered" {
				t.Errorf("got %v", err)
			}
			w.wantCounts(t, "chat", 0, 0, 2)
			w.wantNoSecret(t)
			w.Post(t.Context(), warning("3"))
			w.wantCounts(t, "chat", 0, 0, 3)
			if err := w.Close(t.Context()); err != nil {
				t.Errorf("a second Close: %v", err)
			}
			w.Run(t.Context()) // returns at once
		})
	}
}

func TestManyPostersLoseNothing(t *testing.T) {
	t.Parallel()
	h := newHook(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n%7 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	w := newWorld(t, h.URL, "", nil)
	w.run(t)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for n := range 25 {
				w.Post(t.Context(), page(strconv.Itoa(g)+"-"+strconv.Itoa(n)))
				w.Post(t.Context(), warning(strconv.Itoa(g)+"-"+strconv.Itoa(n)))
			}
		})
	}
	wg.Wait()
	w.flush(t)
	w.wantCounts(t, "chat", 200, 0, 0)
	w.wantCounts(t, "page", 200, 0, 0)
}
