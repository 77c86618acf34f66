package trace

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/zap"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// A collector takes spans by OTLP over HTTP, in protobuf. It is the client of OpenTelemetry's exporter, which makes the messages; their own client of
// this kind reads the process' environment, shows headers that it cannot read, and brings gRPC into the programs, which makes them larger by two
// thirds.
//
// It fails in silence, as far as the exporter knows: what is lost is counted, and the log says once that it begins and once that it is over.
type collector struct {
	c       Config
	http    *http.Client
	log     *zap.Logger
	metrics *metrics
	queue   *queue
	ended   chan struct{} // closed when nothing more is sent

	mu     sync.Mutex
	over   bool   // nobody waits for it any more
	cancel func() // of what is being sent
	failed int    // batches in a row
}

func newCollector(o Options, m *metrics, q *queue) *collector {
	rt := o.HTTP
	if rt == nil {
		rt = &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: o.Config.tls, ForceAttemptHTTP2: true, TLSHandshakeTimeout: o.Config.timeout,
			IdleConnTimeout: time.Minute, MaxIdleConnsPerHost: 1, MaxResponseHeaderBytes: 16 << 10,
		}
	}
	// A redirect is not followed: the headers are for this host.
	client := &http.Client{Transport: rt, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &collector{c: o.Config, http: client, log: o.Log.Named("trace"), metrics: m, queue: q, ended: make(chan struct{})}
}

// Start implements otlptrace.Client.
func (*collector) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client. It is called once, behind the last batch.
func (c *collector) Stop(context.Context) error {
	close(c.ended)
	c.http.CloseIdleConnections()
	return nil
}

// giveUp ends what is being sent, and every later try before it begins.
func (c *collector) giveUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	if c.cancel != nil {
		c.cancel()
	}
}

// UploadTraces implements otlptrace.Client. Its caller sends one batch after the other.
func (c *collector) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	n := 0
	for _, r := range spans {
		for _, s := range r.GetScopeSpans() {
			n += len(s.GetSpans())
		}
	}
	defer c.queue.left(n)
	ctx, end := c.begin(ctx)
	defer end()
	rejected, err := c.deliver(ctx, spans)
	c.tell(n, min(rejected, n), err)
	return nil
}

// begin bounds the sending of a batch, all tries together.
func (c *collector) begin(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithTimeout(ctx, c.c.timeout)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		cancel()
	}
	c.cancel = cancel
	return ctx, cancel
}

// tell counts what became of a batch.
func (c *collector) tell(n, rejected int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.metrics.failed.Add(float64(n))
		if c.failed++; c.failed == 1 {
			c.log.Warn("spans do not reach the collector", zap.Error(err))
		}
		return
	}
	if rejected > 0 && c.failed == 0 {
		c.log.Debug("the collector refuses spans", zap.Int("spans", rejected))
	}
	if c.failed > 0 {
		c.log.Info("spans reach the collector again", zap.Int("batches_lost", c.failed))
		c.failed = 0
	}
	c.metrics.rejected.Add(float64(rejected))
	c.metrics.exported.Add(float64(n - rejected))
}

// The waits between tries of one batch.
const (
	firstWait   = time.Second
	longestWait = 5 * time.Second
)

// deliver tries until the collector takes the batch, refuses it for good, or the time is over.
func (c *collector) deliver(ctx context.Context, spans []*tracepb.ResourceSpans) (rejected int, err error) {
	// The request is a message with one member, which has the number that it has here.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return 0, errors.New("the spans cannot be written")
	}
	if c.c.gzip {
		body = squeeze(body)
	}
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		rejected, err = c.post(ctx, body)
		again, ok := errors.AsType[*passing](err)
		if !ok || again.after >= c.c.timeout {
			return rejected, err // it is refused, or would be waited for in vain
		}
		t := time.NewTimer(max(wait, again.after))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return 0, err
		}
	}
}

func squeeze(body []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(body) // memory takes everything
	_ = w.Close()
	return out.Bytes()
}

// passing is a failure after which it is worth to try again.
type passing struct {
	why   error
	after time.Duration // as the collector asks
}

func (p *passing) Error() string { return p.why.Error() }

// mostReply is more than an answer needs that says how many spans were refused, and why.
const mostReply = 64 << 10

func (c *collector) post(ctx context.Context, body []byte) (rejected int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.c.endpoint, bytes.NewReader(body))
	if err != nil {
		return 0, errors.New("the address cannot be used")
	}
	if c.c.headers != nil {
		c.c.headers(req.Header)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("User-Agent", "watchkeeper")
	if c.c.gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	resp, err := c.http.Do(req)
	if u, ok := errors.AsType[*url.Error](err); ok {
		return 0, &passing{why: u.Err} // without the address, which others log as well
	}
	if err != nil {
		return 0, &passing{why: err}
	}
	defer func() { _ = resp.Body.Close() }()
	reply, err := io.ReadAll(io.LimitReader(resp.Body, mostReply))
	switch {
	case resp.StatusCode/100 == 2 && err == nil:
		return refused(reply), nil
	case resp.StatusCode/100 == 2:
		return 0, nil // it has the spans
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= http.StatusBadGateway && resp.StatusCode <= http.StatusGatewayTimeout:
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return 0, &passing{why: status(resp.StatusCode), after: time.Duration(min(max(seconds, 0), 3600)) * time.Second}
	}
	return 0, status(resp.StatusCode)
}

// status is a reply as an error; what else the collector says is not ours to repeat.
func status(code int) error { return fmt.Errorf("status %d", code) }

// refused is how many spans of a batch the collector did not take, by its reply: rejected_spans (1) of partial_success (1).
func refused(reply []byte) int {
	n := 0
	members(reply, func(number protowire.Number, kind protowire.Type, value []byte) {
		if partial, size := protowire.ConsumeBytes(value); number == 1 && kind == protowire.BytesType && size > 0 {
			members(partial, func(number protowire.Number, kind protowire.Type, value []byte) {
				if spans, size := protowire.ConsumeVarint(value); number == 1 && kind == protowire.VarintType && size > 0 {
					n = int(min(spans, 1<<30))
				}
			})
		}
	})
	return n
}

// members goes through a message as far as it can be read.
func members(message []byte, each func(protowire.Number, protowire.Type, []byte)) {
	for len(message) > 0 {
		number, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return
		}
		message = message[size:]
		if size = protowire.ConsumeFieldValue(number, kind, message); size < 0 {
			return
		}
		each(number, kind, message[:size])
		message = message[size:]
	}
}
