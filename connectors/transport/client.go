package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

const (
	defaultTimeout = 25 * time.Second
	defaultMaxBody = 8 << 20
)

// Options says how one store's calls are made.
type Options struct {
	Platform sla.Platform
	Store    sla.StoreID
	BaseURL  string // https, or http on a loopback host; no query, fragment or user
	// Home is the platform's own address: a BaseURL on its host leads to public addresses only. Any other BaseURL is the operator's word, and
	// may lead into a private network.
	Home     string
	RT       http.RoundTripper       // nil: the client's own, with its time-outs
	Now      func() time.Time        // required
	Limiter  connectors.Limiter      // asked before each call; required when Rate is positive
	LimitKey string                  // what the limit is counted under; default "platform/store"
	Rate     int                     // calls a period; 0: the platform has no limit of its own
	Per      time.Duration           // the period; default one second
	Brake    connectors.Brake        // asked before each answer leaves; nil: nothing stops them
	Timeout  time.Duration           // of a whole Do, a second try included; default 25 s
	MaxBody  int64                   // largest reply after decompression; default 8 MiB
	Secrets  []string                // texts that must never show in an error, whatever the platform echoes
	Calls    connectors.CallObserver // nil: nobody is told
	Log      *zap.Logger             // nil: silent
}

// A Client makes the calls of one store. It is safe for concurrent use.
type Client struct {
	o       Options
	base    *url.URL
	reads   http.RoundTripper
	effects http.RoundTripper
	skews   skews
}

// New checks the options and makes a client; it makes no call.
func New(o Options) (*Client, error) {
	base, err := parseBase(o.BaseURL)
	if err != nil {
		return nil, err
	}
	if o, err = o.withDefaults(); err != nil {
		return nil, err
	}
	c := &Client{o: o, base: base, reads: o.RT, effects: o.RT}
	if o.RT == nil {
		c.reads = ownTransport(egressOf(base, o.Home))
	}
	// A connection of its own for each effect: a kept one may have died unnoticed, which net/http repairs by sending again, and which
	// we would have to report as an unknown outcome.
	if t, ok := c.reads.(*http.Transport); ok {
		t = t.Clone()
		t.DisableKeepAlives = true
		c.effects = t
	}
	return c, nil
}

func (o Options) withDefaults() (Options, error) {
	if o.Platform == "" || o.Store == "" {
		return o, errors.New("transport options: Platform and Store are required")
	}
	if o.Now == nil {
		return o, fmt.Errorf("transport options of %s: Now is required", o.Store)
	}
	if o.Rate < 0 || o.Per < 0 || o.Timeout < 0 || o.MaxBody < 0 {
		return o, fmt.Errorf("transport options of %s: Rate, Per, Timeout and MaxBody may not be negative", o.Store)
	}
	if o.Rate > 0 && o.Limiter == nil {
		return o, fmt.Errorf("transport options of %s: a Rate needs a Limiter", o.Store)
	}
	if o.LimitKey == "" {
		o.LimitKey = string(o.Platform) + "/" + string(o.Store)
	}
	if o.Per == 0 {
		o.Per = time.Second
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.MaxBody == 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.Calls == nil {
		o.Calls = func(context.Context, connectors.Called) {}
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	return o, nil
}

// parseBase never repeats the text it refuses: a URL typed with a password in it must not reach a log.
func parseBase(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("base URL: not a URL")
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("base URL: want https://host/path")
	case u.Hostname() == "":
		return nil, errors.New("base URL: no host")
	case u.User != nil:
		return nil, errors.New("base URL: holds a user or password")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("base URL: holds a query or fragment")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("base URL of host %s: plain http is for loopback hosts only", u.Hostname())
	}
	u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/"), strings.TrimSuffix(u.RawPath, "/")
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func ownTransport(e egress) *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            e.dialer(),
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  defaultTimeout,
		IdleConnTimeout:        60 * time.Second,
		MaxIdleConnsPerHost:    8,
		MaxResponseHeaderBytes: 64 << 10,
		ReadBufferSize:         32 << 10, // a page of a list in one read or two
	}
}
