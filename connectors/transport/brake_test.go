package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/connectors/conformance"
	"watchkeeper/connectors/transport"
	"watchkeeper/sla"
)

func answer() transport.Call {
	call := effect()
	call.Answer, call.Reason = true, sla.ReasonDamaged
	return call
}

// slowDial lets something happen while the connection is being made, after everything else was ready.
func slowDial(meanwhile func()) func(*transport.Options) {
	return func(o *transport.Options) {
		o.RT = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			meanwhile()
			var d net.Dialer
			return d.DialContext(ctx, network, addr)
		}}
	}
}

func TestASwitchThrownDuringTheDialStopsTheAnswer(t *testing.T) {
	t.Parallel()
	var brake conformance.Brake
	b := setup(t, func(http.ResponseWriter, *http.Request) {}, slowDial(func() { brake.Throw(sla.ErrKilled) }),
		func(o *transport.Options) { o.Brake = &brake })
	_, err := b.client.Do(t.Context(), answer())
	if e := wantKind(t, err, connectors.Unavailable); !errors.Is(e, sla.ErrKilled) || b.hits.Load() != 0 {
		t.Errorf("want nothing sent because of the switch, got %d (%v)", b.hits.Load(), err)
	}
	for _, call := range []transport.Call{effect(), read("/")} {
		if _, err := b.client.Do(t.Context(), call); err != nil {
			t.Errorf("%s: want only answers stopped, got %v", call.Op, err)
		}
	}
	brake.Throw(errors.New("redis at 10.0.0.1 is out"))
	b.client = setup(t, func(http.ResponseWriter, *http.Request) {}, func(o *transport.Options) { o.Brake = &brake }).client
	_, err = b.client.Do(t.Context(), answer())
	if e := wantKind(t, err, connectors.Unavailable); errors.Is(e, sla.ErrKilled) || e.Err.Error() != "whether a kill switch is on is not known" {
		t.Errorf("want not knowing to be no permission, in words of our own, got %v", err)
	}
}

// deaf is a brake that does not answer before its context ends.
type deaf struct{ asked chan struct{} }

func (d deaf) CheckKill(ctx context.Context, _ sla.Platform, _ sla.StoreID, _ sla.Reason) error {
	close(d.asked)
	<-ctx.Done()
	return nil
}

func TestAnAnswerGivenUpBeforeItLeftSurelyHadNoEffect(t *testing.T) {
	t.Parallel()
	t.Run("while the brake is asked", func(t *testing.T) {
		t.Parallel()
		d := deaf{make(chan struct{})}
		b := setup(t, func(http.ResponseWriter, *http.Request) {}, func(o *transport.Options) { o.Brake = d })
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-d.asked; cancel() }()
		_, err := b.client.Do(ctx, answer())
		if connectors.KindOf(err) == connectors.OutcomeUnknown || b.hits.Load() != 0 {
			t.Errorf("want a sure refusal and nothing sent, got %v and %d", err, b.hits.Load())
		}
	})
	t.Run("during the dial", func(t *testing.T) {
		t.Parallel()
		var brake conformance.Brake
		ctx, cancel := context.WithCancel(t.Context())
		b := setup(t, func(http.ResponseWriter, *http.Request) {}, slowDial(cancel), func(o *transport.Options) { o.Brake = &brake })
		_, err := b.client.Do(ctx, answer())
		if !errors.Is(err, context.Canceled) || b.hits.Load() != 0 || len(brake.Asked()) != 0 {
			t.Errorf("want it given up and nothing sent, got %v and %d", err, b.hits.Load())
		}
	})
	t.Run("after it left", func(t *testing.T) {
		t.Parallel()
		var brake conformance.Brake
		ctx, cancel := context.WithCancel(t.Context())
		b := setup(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			cancel()
			drop(w)
		}, func(o *transport.Options) { o.Brake = &brake })
		_, err := b.client.Do(ctx, answer())
		wantKind(t, err, connectors.OutcomeUnknown)
	})
}

// net/http sends headers before it reads the body, and HTTP/2 as a frame of their own.
func TestAServerThatSpeaksHTTP2SeesNothingOfAnAnswerThatIsHeldBack(t *testing.T) {
	t.Parallel()
	var hits atomic.Int64
	protocol := make(chan string, 4)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		protocol <- r.Proto
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	rt, ok := server.Client().Transport.(*http.Transport)
	if !ok {
		t.Fatal("the test server's client has another transport")
	}
	t.Cleanup(rt.CloseIdleConnections)
	var brake conformance.Brake
	c, err := transport.New(transport.Options{Platform: "fake", Store: "S1", BaseURL: server.URL, RT: rt, Now: atEpoch, Timeout: 5 * time.Second, Brake: &brake})
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range []transport.Call{read("/"), answer()} {
		if _, err := c.Do(t.Context(), call); err != nil {
			t.Fatal(err)
		}
	}
	if first, second := <-protocol, <-protocol; first != "HTTP/2.0" || second != "HTTP/2.0" {
		t.Errorf("want both by HTTP/2, got %s and %s", first, second)
	}
	brake.Throw(sla.ErrKilled)
	if _, err := c.Do(t.Context(), answer()); !errors.Is(err, sla.ErrKilled) || hits.Load() != 2 {
		t.Errorf("want nothing at the server, got %d requests (%v)", hits.Load(), err)
	}
}

func TestAnAnswerThatCannotBeHeldBackIsNotSent(t *testing.T) {
	t.Parallel()
	b := setup(t, func(http.ResponseWriter, *http.Request) {})
	bare := answer()
	bare.Body = nil
	reading := read("/")
	reading.Answer = true
	for _, call := range []transport.Call{bare, reading} {
		if _, err := b.client.Do(t.Context(), call); connectors.KindOf(err) != connectors.Malformed || b.hits.Load() != 0 {
			t.Errorf("want it refused as a mistake, got %v", err)
		}
	}
}
