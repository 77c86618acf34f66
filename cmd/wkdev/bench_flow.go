package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"github.com/sethvargo/go-envconfig"

	"watchkeeper/connectors"
	"watchkeeper/connectors/aliexpress"
	"watchkeeper/sla"
	"watchkeeper/workers/store"
)

// feedPages is how many pages the canned feed has.
const feedPages = 100

// poll measures unchanged rows from the HTTP page to the comparison, beside decoding the page and enqueueing a task for each row: as they are
// polled (Redis is asked about a row once in ten minutes), and with each row compared in Redis each time.
func (b *bench) poll(ctx context.Context, r *rig) ([]benchRow, error) {
	feed, err := startFeed(ctx)
	if err != nil {
		return nil, err
	}
	defer feed.close()
	base := time.Now()
	if err := r.fill(ctx, b.cases, func(i int) time.Time { return spread(base, i, b.cases) }); err != nil {
		return nil, err
	}
	connector, err := feed.connector(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.know(ctx, connector); err != nil {
		return nil, err
	}
	distrustful, err := store.Open(ctx, r.rdb, store.Options{Now: time.Now, Stores: benchStores(), Trust: -1})
	if err != nil {
		return nil, err
	}
	const rows, passes, taskPasses = feedPages * pageRows, 40, 4 // about a second each
	polled := func(st *store.Store) (float64, error) {
		return median(b.rounds, func() (float64, error) {
			return perSecond(rows*passes, func() error {
				return pages(ctx, feedPages*passes, 1, func(ctx context.Context, i, _ int) error {
					return unchanged(ctx, st, connector, i%feedPages)
				})
			})
		})
	}
	ours, err := polled(r.store)
	if err != nil {
		return nil, err
	}
	asked, err := polled(distrustful)
	if err != nil {
		return nil, err
	}
	round := 0
	theirs, err := median(b.rounds, func() (float64, error) {
		round++
		return perSecond(rows*taskPasses, func() error {
			for pass := range taskPasses {
				if err := r.decodeAndEnqueue(ctx, feed.url, fmt.Sprint(round, ".", pass)); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return []benchRow{
		rate("unchanged rows polled end to end", "rows/s", ours, theirs),
		rate("the same, each row compared in Redis", "rows/s", asked, theirs),
	}, nil
}

// cannedFeed is AliExpress' list of disputes, made once and served from memory.
type cannedFeed struct {
	url    string
	server *http.Server
	pages  [][]byte
}

func startFeed(ctx context.Context) (*cannedFeed, error) {
	f := &cannedFeed{}
	for p := range feedPages {
		f.pages = append(f.pages, feedPage(p))
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	f.url = "http://" + l.Addr().String()
	f.server = &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var q struct {
			Page int `json:"current_page"`
		}
		_ = json.Unmarshal([]byte(req.FormValue("query_dto")), &q) // page 0 answers what is not understood
		page := f.pages[max(q.Page-1, 0)%feedPages]
		w.Header().Set("Content-Type", "application/json;charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(page)))
		_, _ = w.Write(page)
	})}
	go func() { _ = f.server.Serve(l) }() // ends with close
	return f, nil
}

func (f *cannedFeed) close() { _ = f.server.Close() }

func feedPage(p int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"current_page":%d,"page_size":%d,"total_item":%d,"data_list":[`, p+1, pageRows, feedPages*pageRows)
	for i := p * pageRows; i < (p+1)*pageRows; i++ {
		if i > p*pageRows {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"issue_id":%s,"order_id":%d,"parent_order_id":%d,"buyer_login_id":"fr%010dxyz","issue_status":"processing",`+
			`"gmt_create":"2026-01-05 03:12:44","gmt_modified":"2026-01-05 03:12:44","reason_chinese":"质量问题","reason_english":"Quality Problem"}`,
			nativeID(i), 8_190_000_000_000_000+i*91, 8_190_000_000_000_001+i*91, i)
	}
	b.WriteString("]}")
	return b.Bytes()
}

func (f *cannedFeed) connector(ctx context.Context) (connectors.Connector, error) {
	built, err := aliexpress.Platform.New(ctx, envconfig.MapLookuper(map[string]string{
		"APP_KEY": "500123", "APP_SECRET": "0123456789abcdef0123456789abcdef", "ACCESS_TOKEN": "bench", "REFRESH_TOKEN": "bench", "BASE_URL": f.url,
	}), connectors.Deps{Store: benchStore, Now: time.Now, Limiter: unlimited{}, Tokens: noVault{}})
	return built.Connector, err
}

// know records the feed's rows with the fingerprints that the connector gives them.
func (r *rig) know(ctx context.Context, c connectors.Connector) error {
	return pages(ctx, feedPages, 1, func(ctx context.Context, p, _ int) error {
		page, err := c.Fetch(ctx, cursor(p))
		if err != nil {
			return err
		}
		if len(page.Rows) != pageRows {
			return fmt.Errorf("page %d has %d rows, want %d", p, len(page.Rows), pageRows)
		}
		writes := make([]sla.CaseWrite, len(page.Rows))
		for i, row := range page.Rows {
			writes[i] = benchCase(p*pageRows+i, time.Now().Add(48*time.Hour))
			writes[i].Fingerprint, writes[i].Expect = row.Fingerprint, 1
		}
		_, err = r.store.PutCases(ctx, writes)
		return err
	})
}

// cursor asks for a page of the canned feed.
func cursor(p int) connectors.Cursor {
	if p == 0 {
		return connectors.Cursor{}
	}
	return connectors.Cursor{Token: strconv.Itoa(p + 1)}
}

// unchanged polls one page and compares its rows; a row that is not unchanged is an error, not a figure.
func unchanged(ctx context.Context, st *store.Store, c connectors.Connector, p int) error {
	page, err := c.Fetch(ctx, cursor(p))
	if err != nil {
		return err
	}
	rows := make([]sla.Seen, len(page.Rows))
	for i, row := range page.Rows {
		rows[i] = sla.Seen{ID: row.ID, Fingerprint: row.Fingerprint}
	}
	compared, err := st.CompareCases(ctx, benchStore, rows)
	if err != nil {
		return err
	}
	for i, v := range compared {
		if v.Verdict != sla.VerdictUnchanged {
			return fmt.Errorf("row %s of page %d is not unchanged", rows[i].ID, p)
		}
	}
	return nil
}

// decodeAndEnqueue does the same work without us: fetch, decode, one task for each row.
func (r *rig) decodeAndEnqueue(ctx context.Context, url, run string) error {
	client := asynq.NewClient(r.asynq())
	defer func() { _ = client.Close() }()
	return pages(ctx, feedPages, 1, func(ctx context.Context, p, _ int) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/sync?query_dto=%7B%22current_page%22:"+strconv.Itoa(p+1)+"%7D", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		var page struct {
			Rows []struct {
				ID       json.Number `json:"issue_id"`
				Order    json.Number `json:"order_id"`
				Status   string      `json:"issue_status"`
				Modified string      `json:"gmt_modified"`
				Reason   string      `json:"reason_english"`
			} `json:"data_list"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
			return err
		}
		for i, row := range page.Rows {
			if err := enqueueOne(ctx, client, row.ID.String(), run, nil, i); err != nil {
				return err
			}
		}
		return nil
	})
}

// unlimited is a platform's allowance without end.
type unlimited struct{}

func (unlimited) Take(context.Context, string, int, time.Duration) (time.Duration, error) {
	return 0, nil
}

// noVault keeps no token: the one of the environment is used.
type noVault struct{}

func (noVault) Load(context.Context, sla.StoreID) ([]byte, int64, error) { return nil, 0, nil }

func (noVault) Save(_ context.Context, _ sla.StoreID, _ []byte, v int64) (int64, bool, error) {
	return v + 1, true, nil
}

func (noVault) Lock(context.Context, sla.StoreID, string, time.Duration) (bool, error) {
	return true, nil
}

func (noVault) Unlock(context.Context, sla.StoreID, string) error { return nil }

// counter counts effects and tells when there were enough.
type counter struct {
	left atomic.Int64
	done chan struct{}
}

func newCounter(n int) *counter {
	c := &counter{done: make(chan struct{})}
	c.left.Store(int64(n))
	return c
}

func (c *counter) one() {
	if c.left.Add(-1) == 0 {
		close(c.done)
	}
}
