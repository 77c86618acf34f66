package fleet_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/zap"

	"watchkeeper/connectors/all"
	"watchkeeper/sla"
	"watchkeeper/workers/fleet"
	"watchkeeper/workers/store/storetest"
)

const mostSeries = 5000

// large is a fleet of 200 stores of the real platforms with budgets, obligations and money spent in each.
func large(tb testing.TB) *fleet.Fleet {
	tb.Helper()
	environ := []string{"WK_REDIS__ADDRS=" + storetest.StartRedis(tb), "WK_HTTP__LISTEN=127.0.0.1:0", "WK_SLA__STORE_BUDGET=300USD"}
	var stores []sla.StoreID
	for i := range 200 {
		id := fmt.Sprintf("S%03d", i)
		environ = append(environ, storeVariables(id, i)...)
		if i%20 > 1 {
			stores = append(stores, sla.StoreID(id))
		}
	}
	config, book, err := fleet.Load(tb.Context(), environ, all.Platforms())
	if err != nil {
		tb.Fatal(err)
	}
	f, err := fleet.New(tb.Context(), fleet.Options{Config: config, Book: book, Registry: all.Platforms(), Now: time.Now, Log: zap.NewNop()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.Stop(context.Background()) })
	now, currencies := time.Now(), []sla.Currency{"USD", "EUR", "JPY"}
	for i, id := range stores {
		amount := sla.Money{Minor: 1200, Currency: currencies[i%3]}
		dispute := sla.DisputeID{Platform: "aliexpress", Store: id, Native: "9000000001"}
		c := sla.Case{DisputeRef: sla.DisputeRef{ID: dispute}, State: sla.StateSeller, Claimed: amount, Next: now.Add(time.Hour),
			Obligation: sla.Obligation{Turn: 7, Opened: now, Deadline: now.Add(time.Hour), Cost: amount}}
		_, err := f.Store().PutCases(tb.Context(), []sla.CaseWrite{{CaseRecord: sla.CaseRecord{Case: c, Fingerprint: 1}}})
		if err == nil {
			err = f.Store().Reserve(tb.Context(), sla.Spend{Key: sla.AttemptKey{Dispute: dispute, Turn: 7}, Token: 1, Amount: amount}, now)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	for _, look := range []func(context.Context) error{f.Count, f.LookAround} {
		if err := look(tb.Context()); err != nil {
			tb.Fatal(err)
		}
	}
	return f
}

// storeVariables configure one store; one of twenty is of each of the trackers.
func storeVariables(id string, i int) []string {
	lead := "WK_STORE__" + id + "__"
	switch i % 20 {
	case 0:
		return []string{lead + "PLATFORM=track17", lead + "API_KEY=key" + id}
	case 1:
		return []string{lead + "PLATFORM=easypost", lead + "API_KEY=key" + id}
	}
	return []string{lead + "PLATFORM=aliexpress", lead + "APP_KEY=500123", lead + "APP_SECRET=a-secret-of-the-demonstration", lead + "ACCESS_TOKEN=access", lead + "REFRESH_TOKEN=refresh"}
}

func TestAScrapeOfTwoHundredStoresHasAtMostSoManySeries(t *testing.T) {
	t.Parallel()
	f := large(t)
	families, err := f.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := 0
	for _, family := range families {
		n := 0
		for _, m := range family.GetMetric() {
			n++
			if h := m.GetHistogram(); h != nil {
				n += len(h.GetBucket()) + 2 // +Inf, the sum and the count: the one of above counts as one of them
			}
		}
		t.Logf("%5d %s", n, family.GetName())
		series += n
	}
	t.Logf("%5d in all", series)
	if series >= mostSeries {
		t.Errorf("want fewer than %d series, got %d", mostSeries, series)
	}
	if series < 2000 {
		t.Errorf("the stores are not told of: %d series", series)
	}
	problems, err := testutil.GatherAndLint(f.Registry())
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", err, problems)
	}
}

// BenchmarkScrape wants less than 50 ms.
func BenchmarkScrape(b *testing.B) {
	f := large(b)
	if err := f.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+f.Addr()+"/metrics", nil)
		if err != nil {
			b.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			b.Fatal(err)
		}
		_ = resp.Body.Close()
	}
}
