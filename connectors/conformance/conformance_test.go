package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"watchkeeper/connectors"
	"watchkeeper/connectors/conformance"
	"watchkeeper/connectors/transport"
	"watchkeeper/sla"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "toy-canary-token"

// toy is the least connector with disputes and answers: a list by page number that is read whole each time.
type toy struct {
	store  sla.StoreID
	client *transport.Client
}

func buildToy(tb testing.TB, baseURL string, deps connectors.Deps) connectors.Built {
	tb.Helper()
	c, err := transport.New(transport.Options{Platform: "toy", Store: deps.Store, BaseURL: baseURL, RT: deps.HTTP, Now: deps.Now, Limiter: deps.Limiter,
		Rate: 10, Secrets: []string{token}, Brake: deps.Brake, Calls: deps.Calls, Log: deps.Log})
	if err != nil {
		tb.Fatal(err)
	}
	y := &toy{store: deps.Store, client: c}
	return connectors.Built{Connector: y, Responder: y}
}

func (y *toy) call(op, path string, query url.Values) transport.Call {
	return transport.Call{Op: "toy " + op, Subject: string(y.store), Path: path, Query: query, Header: http.Header{"Authorization": {"Bearer " + token}},
		Classify: func(status int, body []byte) *connectors.Error {
			if _, ok := transport.Member(body, "data"); status == http.StatusOK && !ok {
				return &connectors.Error{Kind: connectors.Malformed, Err: errors.New("no data")}
			}
			return nil
		}}
}

func (y *toy) Fetch(ctx context.Context, since connectors.Cursor) (connectors.Page, error) {
	n, _ := strconv.Atoi(since.Token) // what is no number starts at the first page
	reply, err := y.client.Do(ctx, y.call("list", "/disputes", url.Values{"page": {strconv.Itoa(n)}}))
	if err != nil {
		return connectors.Page{}, err
	}
	rows, err := transport.SplitRows(reply.Body, "data")
	if err != nil {
		return connectors.Page{}, err
	}
	p := connectors.Page{Kind: connectors.Snapshot, Skew: reply.Skew}
	for _, raw := range rows {
		id, ok := transport.Field(raw, "id")
		if !ok {
			e := &connectors.Error{Op: "toy row", Kind: connectors.Malformed}
			p.Rejects = append(p.Rejects, connectors.Reject{Raw: raw[:min(len(raw), connectors.MaxRejectBytes)], Err: e})
			continue
		}
		p.Rows = append(p.Rows, connectors.Row{ID: id, Raw: raw, Fingerprint: transport.Fingerprint(raw)})
	}
	if more, _ := transport.Field(reply.Body, "more"); more == "true" {
		p.More, p.Next = true, connectors.Cursor{Token: strconv.Itoa(n + 1)}
	}
	return p, nil
}

func (y *toy) Resolve(_ context.Context, row connectors.Row) (sla.Dispute, error) {
	var wire struct {
		Status string `json:"status"`
	}
	if err := json.Unmarshal(row.Raw, &wire); err != nil {
		return sla.Dispute{}, &connectors.Error{Op: "toy row", Subject: row.ID, Kind: connectors.Malformed}
	}
	return sla.Dispute{DisputeRef: sla.DisputeRef{ID: sla.DisputeID{Platform: "toy", Store: y.store, Native: row.ID}}}, nil
}

func (y *toy) Lookup(ctx context.Context, ref sla.DisputeRef) (sla.Dispute, error) {
	_, err := y.client.Do(ctx, y.call("lookup", "/disputes/"+url.PathEscape(ref.ID.Native), nil))
	return sla.Dispute{DisputeRef: ref}, err
}

func (y *toy) Respond(ctx context.Context, d sla.Dispute, _ sla.Answer) (connectors.Receipt, error) {
	if _, err := y.Lookup(ctx, d.DisputeRef); err != nil {
		return connectors.Receipt{}, err
	}
	call := y.call("accept", "/accept", nil)
	call.Effect, call.Answer, call.Reason, call.Body = true, true, d.Reason, []byte(`{"id":"`+d.ID.Native+`"}`)
	reply, err := y.client.Do(ctx, call)
	return connectors.Receipt{ID: "r1", At: reply.Date}, err
}

func (y *toy) Confirm(context.Context, sla.Dispute, sla.Answer) (connectors.Outcome, error) {
	return connectors.OutcomeAbsent, nil
}

func serveToy(w http.ResponseWriter, r *http.Request, l conformance.List) {
	n, _ := strconv.Atoi(r.URL.Query().Get("page"))
	pages := slices.Collect(slices.Chunk(l.Rows, l.PerPage))
	var rows []string
	for _, raw := range pages[n] {
		rows = append(rows, string(raw))
	}
	_, _ = fmt.Fprintf(w, `{"data":[%s],"more":%v}`, strings.Join(rows, ","), n+1 < len(pages))
}

func toyRow(i int, status string) []byte { return fmt.Appendf(nil, `{"id":%d,"status":%s}`, i, status) }

func TestLeastConnectorConforms(t *testing.T) {
	t.Parallel()
	conformance.Run(t, conformance.Suite{
		Build:        buildToy,
		Serve:        serveToy,
		Row:          func(i int) (string, []byte) { return strconv.Itoa(i), toyRow(i, `"open"`) },
		Changed:      func(i int) []byte { return toyRow(i, `"closed"`) },
		BadRow:       []byte(`{"status":"open"}`),
		Unresolvable: toyRow(99, "5"),
		Replies:      []conformance.Reply{{Name: "data of another shape", Body: `{"data":5}`, Want: connectors.Malformed}},
		Secrets:      []string{token},
		Effect: &conformance.Effect{
			Dispute: sla.Dispute{DisputeRef: sla.DisputeRef{ID: sla.DisputeID{Native: "7"}}},
			Answer:  sla.Answer{Kind: sla.AnswerAccept},
			Is:      func(r *http.Request, _ []byte) bool { return r.Method == http.MethodPost },
			Serve:   func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"data":{}}`) },
		},
	})
}

func TestVaultKeepsVersionsAndLocks(t *testing.T) {
	t.Parallel()
	ctx, v := t.Context(), &conformance.Vault{}
	if n, ok, err := v.Save(ctx, "A", []byte("x"), 0); n != 1 || !ok || err != nil {
		t.Errorf("want version 1, got %d %v (%v)", n, ok, err)
	}
	if _, ok, err := v.Save(ctx, "A", []byte("y"), 0); ok || err != nil {
		t.Errorf("want the second to lose, got %v (%v)", ok, err)
	}
	if blob, n, err := v.Load(ctx, "A"); string(blob) != "x" || n != 1 || err != nil {
		t.Errorf("want x at 1, got %q at %d (%v)", blob, n, err)
	}
	if blob, n, err := v.Load(ctx, "B"); len(blob) > 0 || n != 0 || err != nil {
		t.Errorf("want nothing for another store, got %q at %d (%v)", blob, n, err)
	}
	lock := func(owner string) bool {
		ok, err := v.Lock(ctx, "A", owner, time.Minute)
		return ok && err == nil
	}
	if first, again := lock("one"), lock("one"); !first || !again || lock("two") {
		t.Error("want the lock for one owner only")
	}
	if err := v.Unlock(ctx, "A", "two"); err != nil || lock("two") {
		t.Errorf("want a stranger's unlock without effect (%v)", err)
	}
	if err := v.Unlock(ctx, "A", "one"); err != nil || !lock("two") {
		t.Errorf("want the lock free (%v)", err)
	}
}

func TestClockMovesOnlyWhenTold(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 8, 0, 0, 0, time.FixedZone("", 8*3600))
	c := conformance.NewClock(at)
	c.Advance(time.Minute)
	if got := c.Now(); !got.Equal(at.Add(time.Minute)) || got.Location() != time.UTC {
		t.Errorf("want a minute later in UTC, got %v", got)
	}
}
