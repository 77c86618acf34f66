package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"

	"watchkeeper/sla"
)

// maxBody is the largest request that is read.
const maxBody = 1 << 20

// Phase is when a test's hook is asked.
type Phase int

// The phases of a request.
const (
	Before      Phase = iota // nothing was done yet
	AfterEffect              // the effect is there, the reply is not
)

// Verdict is what a test's hook wants done with a request.
type Verdict int

// The verdicts. A request that hangs goes on when Release is called, even if its caller has gone: that is how a write arrives late.
const (
	Proceed Verdict = iota
	Hang
	Drop    // break the connection
	Fail500 // answer with a server error
)

// Inject sets the hook that is asked about each request in each phase; nil removes it. The hook runs without the world's lock; a
// form's parameters are parsed, and a JSON body may be read.
func (w *World) Inject(f func(*http.Request, Phase) Verdict) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inject = f
}

// Release lets every hanging request go on.
func (w *World) Release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.release)
	w.release = make(chan struct{})
}

// A platform answers one request under the world's lock.
type platform interface {
	name() sla.Platform
	// read understands a request as far as faults need it.
	read(r *http.Request, body []byte) call
	answer(c call) reply
	throttled(c call) reply
	broken(c call) reply
}

// A call is one request, understood.
type call struct {
	*http.Request
	mischief
	body   []byte
	now    time.Time
	key    string // what is asked, without signature and time
	writes bool   // it may have an effect
}

// A reply is what goes back: a JSON value, or plain text.
type reply struct {
	status int
	header map[string]string
	value  any
}

type gate struct {
	platform
	w *World
}

// Handler serves one platform; it is what Start listens with.
func (w *World) Handler(p sla.Platform) http.Handler {
	if p == Track17 {
		return gate{track{w}, w}
	}
	return gate{seller{w}, w}
}

// ServeHTTP takes one request through the platform's faults and the test's hook.
func (g gate) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	rewind := func() { r.Body = io.NopCloser(bytes.NewReader(body)) }
	rewind()
	_ = r.ParseForm() // what cannot be parsed is missing, and missing parameters are the platform's to refuse
	rewind()
	if done, answer := g.ask(r, Before); done {
		g.send(rw, answer)
		return
	}
	rewind()
	answer, after := g.handle(r, body)
	if done, failure := g.ask(r, AfterEffect); done {
		answer = failure
	}
	after(&answer)
	g.send(rw, answer)
}

// handle does the platform's part, and says what becomes of the reply.
func (g gate) handle(r *http.Request, body []byte) (reply, func(*reply)) {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	c := g.read(r, body)
	c.now = g.w.tick()
	if g.w.dark(g.name(), c.now) {
		panic(http.ErrAbortHandler)
	}
	c.mischief = g.w.plot(c.key)
	f := g.w.o.Faults
	nothing := func(*reply) {}
	switch {
	case c.strikes(forThrottle, f.Throttle):
		return g.throttled(c), nothing
	case c.strikes(forServerError, f.ServerError) && !(c.writes && sometimes(c.draw(forLostReply), 0.5)):
		return g.broken(c), nothing
	case c.strikes(forServerError, f.ServerError):
		// The write happens, and then the platform stumbles over it.
		g.answer(c)
		return g.broken(c), nothing
	case c.writes && c.strikes(forLostReply, f.LostReply):
		return g.answer(c), func(*reply) { panic(http.ErrAbortHandler) }
	}
	return g.answer(c), nothing
}

// ask consults the test's hook, and carries out its verdict.
func (g gate) ask(r *http.Request, p Phase) (done bool, answer reply) {
	g.w.mu.Lock()
	hook, release := g.w.inject, g.w.release
	g.w.mu.Unlock()
	if hook == nil {
		return false, reply{}
	}
	switch hook(r, p) {
	case Hang:
		select {
		case <-release:
		case <-g.w.closed:
			panic(http.ErrAbortHandler)
		}
	case Drop:
		panic(http.ErrAbortHandler)
	case Fail500:
		return true, reply{status: http.StatusInternalServerError, value: "internal error"}
	}
	return false, reply{}
}

func (g gate) send(rw http.ResponseWriter, a reply) {
	g.w.mu.Lock()
	now := g.w.tick()
	g.w.mu.Unlock()
	rw.Header().Set("Date", now.Format(http.TimeFormat))
	for k, v := range a.header {
		rw.Header().Set(k, v)
	}
	if text, ok := a.value.(string); ok {
		rw.Header().Set("Content-Type", "text/html")
		rw.WriteHeader(a.status)
		_, _ = io.WriteString(rw, text)
		return
	}
	rw.Header().Set("Content-Type", "application/json;charset=UTF-8")
	rw.WriteHeader(a.status)
	enc := json.NewEncoder(rw)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(a.value); err != nil {
		panic(http.ErrAbortHandler) // the caller has gone: nobody to tell
	}
}

// server is one platform's listener.
type server struct {
	http *http.Server
	url  string
}

// Start listens on loopback, one server a platform. Close stops them.
func (w *World) Start() error {
	for _, p := range []sla.Platform{AliExpress, Track17} {
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			w.Close()
			return fmt.Errorf("listen for %s: %w", p, err)
		}
		s := &server{
			http: &http.Server{Handler: w.Handler(p), ReadHeaderTimeout: time.Minute, ErrorLog: zap.NewStdLog(zap.NewNop())},
			url:  "http://" + l.Addr().String(),
		}
		w.mu.Lock()
		w.servers[p] = s
		w.mu.Unlock()
		w.serving.Go(func() { _ = s.http.Serve(l) }) // ends with Close
	}
	return nil
}

// Close stops the servers and breaks what hangs. It may be called twice.
func (w *World) Close() {
	w.closeOne.Do(func() { close(w.closed) })
	w.mu.Lock()
	for _, p := range []sla.Platform{AliExpress, Track17} {
		if s := w.servers[p]; s != nil {
			_ = s.http.Close()
		}
	}
	w.mu.Unlock()
	w.serving.Wait()
}

// Env is the environment that reaches the world: WK_STORE__<NAME>__<VARIABLE>. The addresses are there once Start has listened.
func (w *World) Env() map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	env := map[string]string{}
	set := func(id sla.StoreID, p sla.Platform, values map[string]string) {
		values["PLATFORM"] = string(p)
		if s := w.servers[p]; s != nil {
			values["BASE_URL"] = s.url
		}
		for name, v := range values {
			env["WK_STORE__"+string(id)+"__"+name] = v
		}
	}
	for _, s := range w.stores {
		set(s.id, AliExpress, map[string]string{
			"APP_KEY": s.appKey, "APP_SECRET": s.appSecret, "ACCESS_TOKEN": s.access, "REFRESH_TOKEN": s.refresh,
		})
	}
	set(trackStore, Track17, map[string]string{"API_KEY": w.trackKey()})
	return env
}
