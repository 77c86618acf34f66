//go:build linux

package chaos_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// A wire is a connection that can be spoilt.
type wire struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
}

func newWire(t *testing.T, upstream string) *wire {
	t.Helper()
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	w := &wire{t: t, proxy: toxiproxy.NewProxy(api, "wire", "127.0.0.1:0", upstream)}
	must(t, w.proxy.Start())
	t.Cleanup(w.proxy.Stop)
	return w
}

func (w *wire) addr() string { return w.proxy.Listen }

// spoil adds a toxic in both directions, and gives what takes it away.
func (w *wire) spoil(kind, attribute string, value int) (mend func()) {
	w.t.Helper()
	for _, stream := range []string{"upstream", "downstream"} {
		_, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(
			`{"name":%q,"type":%q,"stream":%q,"toxicity":1,"attributes":{%q:%d}}`, stream, kind, stream, attribute, value)))
		must(w.t, err)
	}
	return func() {
		w.t.Helper()
		for _, stream := range []string{"upstream", "downstream"} {
			must(w.t, w.proxy.Toxics.RemoveToxic(w.t.Context(), stream))
		}
	}
}
