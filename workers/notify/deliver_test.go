package notify_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"watchkeeper/workers/notify"
)

// status answers every request with one status.
func status(code int) func(int, http.ResponseWriter, *http.Request) {
	return func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// delivery is the log line of a message that was not delivered.
func (w *world) delivery(t *testing.T) map[string]any {
	t.Helper()
	lines := w.logs.FilterMessage("notification not delivered").All()
	if len(lines) != 1 {
		t.Fatalf("want one line of what was not delivered, got %d", len(lines))
	}
	return lines[0].ContextMap()
}

func TestOnlyWhatMayPassIsTriedAgain(t *testing.T) {
	t.Parallel()
	tests := map[int]int{
		200: 1, 201: 1, 204: 1, 300: 1, 304: 1, 400: 1, 401: 1, 403: 1, 404: 1, 408: 5, 410: 1, 413: 1, 422: 1, 429: 5, 500: 5, 502: 5, 503: 5, 504: 5,
	}
	for code, tries := range tests {
		t.Run(strconv.Itoa(code), func(t *testing.T) {
			t.Parallel()
			h := newHook(t, status(code))
			w := newWorld(t, h.URL+secretPath, "", nil)
			w.Post(t.Context(), warning("77"))
			w.flush(t)
			if got := len(h.got()); got != tries {
				t.Errorf("want %d tries, got %d", tries, got)
			}
			w.wantNoSecret(t)
			if code < 300 {
				w.wantCounts(t, "chat", 1, 0, 0)
				return
			}
			w.wantCounts(t, "chat", 0, 1, 0)
			text, _ := w.delivery(t)["error"].(string)
			if want := "chat webhook: status " + strconv.Itoa(code); !strings.HasPrefix(text, want) {
				t.Errorf("want %q, got %q", want, text)
			}
		})
	}
}

func TestWaitsGrowBetweenTriesUntilTheHookTakesIt(t *testing.T) {
	t.Parallel()
	h := newHook(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n < 5 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	w := newWorld(t, h.URL, "", nil)
	w.Post(t.Context(), warning("77"))
	w.flush(t)
	w.wantCounts(t, "chat", 1, 0, 0)
	waits := w.clock.Waits()
	if len(waits) != 4 {
		t.Fatalf("want 4 waits, got %v", waits)
	}
	for i, want := range []time.Duration{2 * time.Second, 8 * time.Second, 32 * time.Second, 128 * time.Second} {
		if waits[i] < want*3/4 || waits[i] > want*5/4 {
			t.Errorf("wait %d: want about %s, got %s", i, want, waits[i])
		}
	}
	first, last := member[float64](t, h.got()[0], "seconds_left"), member[float64](t, h.got()[4], "seconds_left")
	if first-last < 127 {
		t.Errorf("the time left is not that of the try: %v, then %v", first, last)
	}
}

func TestRetryAfterIsHonouredWithinBounds(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		header    string
		low, high time.Duration
	}{
		"seconds":          {"120", 2 * time.Minute, 2 * time.Minute},
		"date":             {start.Add(90 * time.Second).Format(http.TimeFormat), 90 * time.Second, 90 * time.Second},
		"a year":           {"31536000", 5 * time.Minute, 5 * time.Minute},
		"a date far away":  {"Fri, 31 Dec 9999 23:59:59 GMT", 5 * time.Minute, 5 * time.Minute},
		"a date gone by":   {start.Add(-time.Hour).Format(http.TimeFormat), time.Second, 3 * time.Second},
		"zero":             {"0", time.Second, 3 * time.Second},
		"negative":         {"-5", time.Second, 3 * time.Second},
		"more than an int": {"99999999999999999999", time.Second, 3 * time.Second},
		"nonsense":         {"soon", time.Second, 3 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHook(t, func(n int, w http.ResponseWriter, _ *http.Request) {
				if n == 1 {
					w.Header().Set("Retry-After", tt.header)
					w.WriteHeader(http.StatusTooManyRequests)
				}
			})
			w := newWorld(t, h.URL, "", nil)
			w.Post(t.Context(), warning("77"))
			w.flush(t)
			waits := w.clock.Waits()
			if len(waits) != 1 || waits[0] < tt.low || waits[0] > tt.high {
				t.Errorf("want one wait of %s to %s, got %v", tt.low, tt.high, waits)
			}
			w.wantCounts(t, "chat", 1, 0, 0)
		})
	}
}

func TestRetryAfterHoldsForAllMessagesOfTheHook(t *testing.T) {
	t.Parallel()
	clocks := make(chan *clock, 1)
	h := newHook(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 1 {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		c := <-clocks
		clocks <- c
		if now := c.Now(); now.Before(start.Add(time.Minute)) {
			t.Errorf("try %d at %s: the hook was to be left alone for a minute", n, now)
		}
	})
	w := newWorld(t, h.URL, "", nil)
	clocks <- w.clock
	w.Post(t.Context(), warning("1"))
	w.Post(t.Context(), warning("2"))
	w.flush(t)
	w.wantCounts(t, "chat", 2, 0, 0)
}

func TestNoTryBeginsMoreThanTenMinutesAfterThePosting(t *testing.T) {
	t.Parallel()
	h := newHook(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "240")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	w := newWorld(t, h.URL, "", nil)
	w.Post(t.Context(), warning("77"))
	w.flush(t)
	if got := len(h.got()); got != 3 {
		t.Errorf("want tries after 0, 4 and 8 minutes, got %d tries", got)
	}
	w.wantCounts(t, "chat", 0, 1, 0)
}

func TestADeadEndpointIsGivenUpAndNotNamed(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	w := newWorld(t, "", gone.URL+secretPath, nil)
	w.Post(t.Context(), page("77"))
	w.flush(t)
	w.wantCounts(t, "page", 0, 1, 0)
	line := w.delivery(t)
	if line["error"] != "page webhook: connection refused" || line["tries"] != int64(5) || line["case"] != "AE01/77" {
		t.Errorf("got %v", line)
	}
	if level := w.logs.FilterMessage("notification not delivered").All()[0].Level; level != zap.ErrorLevel {
		t.Errorf("a page that nobody got is logged as %s", level)
	}
	w.wantNoSecret(t)
}

func TestAnAddressThatIsNoneIsNotNamedEither(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "http://127.0.0.1:1"+secretPath+"\x7f", "", nil)
	w.Post(t.Context(), warning("77"))
	w.flush(t)
	if got := w.delivery(t)["error"]; got != "chat webhook: not an address" {
		t.Errorf("got %v", got)
	}
	w.wantNoSecret(t)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestATryEndsAfterFiveSeconds(t *testing.T) {
	t.Parallel()
	tries := 0
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		tries++
		at, bounded := r.Context().Deadline()
		if left := time.Until(at); !bounded || left > 5*time.Second || left < time.Second {
			t.Errorf("want at most 5s for a try, got %s", left)
		}
		return nil, context.DeadlineExceeded // as the transport says it when that time is over
	})}
	w := newWorld(t, "https://hooks.example.com"+secretPath, "", func(o *notify.Options) { o.Client = client })
	w.Post(t.Context(), warning("77"))
	w.flush(t)
	if got := w.delivery(t)["error"]; got != "chat webhook: time-out" || tries != 5 {
		t.Errorf("got %v after %d tries", got, tries)
	}
	w.wantNoSecret(t)
}

func TestRedirectsAreRefusedSoThatTheTokenStaysHome(t *testing.T) {
	t.Parallel()
	other := newHook(t, nil)
	follows := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for name, client := range map[string]*http.Client{"own client": nil, "client of the caller": follows} {
		for _, code := range []int{301, 302, 303, 307, 308} {
			h := newHook(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", other.URL+secretPath)
				w.WriteHeader(code)
			})
			w := newWorld(t, h.URL, "", func(o *notify.Options) { o.Client = client })
			w.Post(t.Context(), warning("77"))
			w.flush(t)
			if len(other.got()) > 0 || len(h.got()) != 1 {
				t.Errorf("%s, %d: %d requests to the hook, %d to where it points", name, code, len(h.got()), len(other.got()))
			}
			w.wantCounts(t, "chat", 0, 1, 0)
			w.wantNoSecret(t)
		}
	}
	if follows.CheckRedirect != nil {
		t.Error("the caller's client was changed")
	}
}

func TestAnEndlessReplyIsNotReadToItsEnd(t *testing.T) {
	t.Parallel()
	h := newHook(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		chunk := make([]byte, 32<<10)
		for r.Context().Err() == nil {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	w := newWorld(t, h.URL, "", nil)
	w.Post(t.Context(), warning("77"))
	w.flush(t)
	w.wantCounts(t, "chat", 1, 0, 0)
}
