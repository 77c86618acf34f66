package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
)

// When no sweep came to its end for this long, failed or not, the process hangs.
const deadAfter = 2 * time.Minute

// listen takes the addresses, so that a port in use is an error at start.
func (f *Fleet) listen(ctx context.Context) error {
	var err error
	if f.listener, err = f.take(ctx, "WK_HTTP__LISTEN", f.o.Config.HTTP.Listen); err != nil || f.o.Config.HTTP.Admin == "" || !f.plays(RoleAdmin) {
		return err
	}
	f.admin, err = f.take(ctx, "WK_HTTP__ADMIN", adminAddr(f.o.Config.HTTP.Admin))
	return err
}

// adminAddr puts an address without a host on the loopback interface: whoever wants others to reach the profiler must say so.
func adminAddr(addr string) string {
	if strings.HasPrefix(addr, ":") {
		return "127.0.0.1" + addr
	}
	return addr
}

// collide reports whether one machine cannot listen at both addresses. A port of zero is chosen by the machine, and free.
func collide(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	numberA, _ := strconv.Atoi(portA)
	numberB, _ := strconv.Atoi(portB)
	if errA != nil || errB != nil || numberA != numberB || numberA == 0 {
		return false
	}
	hosts := strings.NewReplacer("localhost", "127.0.0.1")
	everywhere := func(host string) bool { return host == "" || net.ParseIP(host).IsUnspecified() }
	return everywhere(hostA) || everywhere(hostB) || hosts.Replace(hostA) == hosts.Replace(hostB)
}

func (f *Fleet) take(ctx context.Context, variable, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", variable, err)
	}
	f.onStop("listener of "+variable, func(context.Context) error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return l, nil
}

// serve answers metrics and probes, and where it is wanted the administrator, until the fleet stops.
func (f *Fleet) serve() {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(f.reg, promhttp.HandlerOpts{Registry: f.reg, MaxRequestsInFlight: 8, Timeout: 20 * time.Second}))
	mux.HandleFunc("GET /livez", f.livez)
	mux.HandleFunc("GET /readyz", f.readyz)
	f.serveOn("http", f.listener, mux, 30*time.Second)
	if f.admin != nil {
		f.serveOn("admin", f.admin, f.adminMux(), 2*time.Minute) // a profile takes 30 s unless asked otherwise
	}
}

// No request here has a body or long headers to speak of.
const (
	mostHeader = 16 << 10
	mostBody   = 4 << 10
)

func (f *Fleet) serveOn(name string, l net.Listener, handler http.Handler, write time.Duration) {
	srv := &http.Server{
		Handler: http.MaxBytesHandler(handler, mostBody), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: write,
		IdleTimeout: time.Minute, MaxHeaderBytes: mostHeader, ErrorLog: zap.NewStdLog(f.log),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			f.log.Error(name+" server ended", zap.Error(err))
		}
	}()
	f.onStop(name, func(ctx context.Context) error {
		err := srv.Shutdown(ctx)
		<-done
		return err
	})
}

// livez says whether the process does its work. It does not ask Redis: restarting a process does not mend Redis. A sweep that fails
// because Redis is away comes to its end all the same; only a process that hangs is not alive.
func (f *Fleet) livez(w http.ResponseWriter, _ *http.Request) {
	quiet := f.o.Now().Sub(time.UnixMilli(f.beat.Load()))
	if f.started.Load() && quiet > deadAfter {
		http.Error(w, "no sweep came to its end for "+quiet.Round(time.Second).String(), http.StatusServiceUnavailable)
		return
	}
	reply(w, "alive")
}

// readyz says whether work can be taken: started, Redis answers, and the clock is believed.
func (f *Fleet) readyz(w http.ResponseWriter, r *http.Request) {
	if !f.started.Load() {
		http.Error(w, "starting or stopping", http.StatusServiceUnavailable)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := f.store.Ping(ctx); err != nil {
		http.Error(w, "redis does not answer", http.StatusServiceUnavailable)
		return
	}
	if !f.clock.believed() {
		http.Error(w, "the clock is off that of redis", http.StatusServiceUnavailable)
		return
	}
	reply(w, "ready")
}

func reply(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(text + "\n")) // a prober that went away needs no answer
}
