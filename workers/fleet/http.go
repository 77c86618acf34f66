package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
)

// When no sweep came to its end for this long, failed or not, the process hangs.
const deadAfter = 2 * time.Minute

// listen takes the address, so that a port in use is an error at start.
func (f *Fleet) listen(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", f.o.Config.HTTP.Listen)
	if err != nil {
		return fmt.Errorf("WK_HTTP__LISTEN: %w", err)
	}
	f.listener = l
	f.onStop("listener", func(context.Context) error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return nil
}

// serve answers metrics and probes until the fleet stops.
func (f *Fleet) serve() {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(f.reg, promhttp.HandlerOpts{Registry: f.reg}))
	mux.HandleFunc("GET /livez", f.livez)
	mux.HandleFunc("GET /readyz", f.readyz)
	srv := &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: zap.NewStdLog(f.log),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := srv.Serve(f.listener); !errors.Is(err, http.ErrServerClosed) {
			f.log.Error("http server ended", zap.Error(err))
		}
	}()
	f.onStop("http", func(ctx context.Context) error {
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

// readyz says whether work can be taken: started, and Redis answers.
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
	reply(w, "ready")
}

func reply(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(text + "\n")) // a prober that went away needs no answer
}
