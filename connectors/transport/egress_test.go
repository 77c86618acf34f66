package transport

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"watchkeeper/connectors"
)

func TestOnlyPublicAddressesArePublic(t *testing.T) {
	t.Parallel()
	inside := egress{host: "api.example.com"}
	chosen := egress{host: "mirror.internal", private: true}
	for addr, want := range map[string]struct{ public, chosen bool }{
		"8.8.8.8:443": {true, true}, "[2606:4700::1111]:443": {true, true},
		"127.0.0.1:443": {false, true}, "[::1]:443": {false, true}, "10.1.2.3:443": {false, true}, "172.16.0.1:443": {false, true}, "192.168.1.1:443": {false, true},
		"[fd12::1]:443": {false, true}, "169.254.1.1:443": {false, true}, "[fe80::1%eth0]:443": {false, true}, "0.0.0.0:443": {false, true}, "100.64.0.1:443": {false, true},
		"224.0.0.1:443": {false, true}, "255.255.255.255:443": {false, true}, "[::ffff:10.0.0.1]:443": {false, true}, "[64:ff9b::a00:1]:443": {false, true},
		"169.254.169.254:80": {false, false}, "[::ffff:169.254.169.254]:80": {false, false}, "[fd00:ec2::254]:80": {false, false}, "100.100.100.200:80": {false, false},
		"nonsense": {false, false},
	} {
		for _, c := range []struct {
			e    egress
			want bool
		}{{inside, want.public}, {chosen, want.chosen}} {
			if err := c.e.control("tcp", addr, nil); (err == nil) != c.want || err != nil && !errors.Is(err, errForbidden) {
				t.Errorf("%s from %s: want %v, got %v", addr, c.e.host, c.want, err)
			}
		}
	}
}

// inner is a server inside, and a client whose base URL is the server's by name.
func inner(t *testing.T, home func(url string) string, h http.HandlerFunc) (*Client, *atomic.Int64) {
	t.Helper()
	var hits atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		h(w, r)
	}))
	base := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	c, err := New(Options{Platform: "fake", Store: "S1", BaseURL: base, Home: home(base), Now: time.Now, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, rt := range []http.RoundTripper{c.reads, c.effects} {
			if own, ok := rt.(*http.Transport); ok {
				own.CloseIdleConnections()
			}
		}
		server.Close()
	})
	return c, &hits
}

// A platform's own name that resolves to an address inside, as a poisoned or rebound one does, is not followed there.
func TestAPlatformsNameThatLeadsInsideIsNotFollowed(t *testing.T) {
	t.Parallel()
	ok := func(http.ResponseWriter, *http.Request) {}
	c, hits := inner(t, func(base string) string { return base }, ok)
	for _, call := range []Call{{Op: "read", Subject: "S1"}, {Op: "pay", Subject: "S1/1", Effect: true, Body: []byte("{}")}} {
		_, err := c.Do(t.Context(), call)
		if connectors.KindOf(err) != connectors.Unavailable || !strings.Contains(err.Error(), errForbidden.Error()) || hits.Load() != 0 {
			t.Errorf("%s: want a sure refusal and nothing sent, got %v and %d requests", call.Op, err, hits.Load())
		}
	}
	c, hits = inner(t, func(string) string { return "https://api.example.com" }, ok)
	if _, err := c.Do(t.Context(), Call{Op: "read", Subject: "S1"}); err != nil || hits.Load() != 1 {
		t.Errorf("want an operator's own address reached, got %v and %d requests", err, hits.Load())
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	var others atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { others.Add(1) }))
	t.Cleanup(other.Close)
	c, hits := inner(t, func(string) string { return "" }, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	_, err := c.Do(t.Context(), Call{Op: "read", Subject: "S1"})
	if err == nil || hits.Load() != 1 || others.Load() != 0 {
		t.Errorf("want it refused where it is, got %v, %d and %d requests", err, hits.Load(), others.Load())
	}
	dial := egress{host: "localhost", private: true}.dialer()
	conn, err := dial(context.Background(), "tcp", other.Listener.Addr().String())
	if !errors.Is(err, errForbidden) {
		t.Errorf("want no connection to another host, got %v (%v)", conn, err)
	}
}

// An endless header and an endless dribble end with the client's limits, whatever the peer thinks.
func TestAPeerThatNeverEndsIsLeft(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, err := conn.Write([]byte("HTTP/1.1 200 OK\r\n"))
				for err == nil {
					_, err = conn.Write([]byte("X: " + strings.Repeat("x", 1024) + "\r\n"))
				}
			}()
		}
	}()
	c, err := New(Options{Platform: "fake", Store: "S1", BaseURL: "http://" + l.Addr().String(), Now: time.Now, Timeout: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := c.Do(t.Context(), Call{Op: "read", Subject: "S1"}); connectors.KindOf(err) != connectors.Unavailable || time.Since(start) > 10*time.Second {
		t.Errorf("want endless headers left at once, got %v after %s", err, time.Since(start))
	}
}
