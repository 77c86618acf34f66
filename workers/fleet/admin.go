package fleet

import (
	"fmt"
	"net/http"
	"net/http/pprof"
)

// adminMux serves what helps a person at the machine: the profiler, and the machinery's settings without their secrets. The command line is
// left out of the profiler, since nobody promises what stands in it.
func (f *Fleet) adminMux() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", http.NotFound)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /config", f.settings)
	return mux
}

func (f *Fleet) settings(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for _, v := range Describe(f.o.Config) {
		fmt.Fprintf(w, "%s=%s\n", v.Name, v.Value)
	}
}
