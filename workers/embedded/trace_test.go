package embedded_test

import (
	"fmt"
	"testing"

	"watchkeeper/connectors/simulator"
	"watchkeeper/workers/embedded"
	"watchkeeper/workers/trace/tracetest"
)

func TestDump(t *testing.T) {
	c := tracetest.New(t)
	h := play(t, embedded.Options{Env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_BSP_MAX_QUEUE_SIZE": "65536"},
		World: simulator.Options{Seed: 3, Days: 7, Disputes: 10, Shipments: 5}}, 7)
	h.Close()
	all := c.Spans()
	fmt.Println(len(all), c.Resource())
	seen := map[string]bool{}
	for _, s := range all {
		if s.About["watchkeeper.dispute"] == "" || seen[s.Trace] {
			continue
		}
		seen[s.Trace] = true
		tr := c.Trace(s.Trace)
		fmt.Println("==", s.About["watchkeeper.dispute"], s.About["watchkeeper.turn"], s.Trace)
		fmt.Print(tracetest.Tree(tr))
		for _, x := range tr {
			fmt.Println("   ", x.Start.Format("02 15:04:05.000"), x.End.Sub(x.Start), x.Name, x.About, x.Error, x.Events, x.Links)
		}
	}
	for _, s := range all[:30] {
		fmt.Println(s.Name, s.About, s.Links)
	}
}
