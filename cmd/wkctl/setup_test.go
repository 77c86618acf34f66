package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9/logging"

	"watchkeeper/connectors"
	"watchkeeper/connectors/all"
	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) {
	logging.Disable()
	flag.Parse()
	os.Exit(m.Run())
}

const day = 24 * time.Hour

// now is what the clock shows in every test.
var now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// A result is what one run of the program gave.
type result struct {
	code     int
	out, err string
}

// invoke runs the program with the test's clock. A nil registry is the real one.
func invoke(t *testing.T, registry connectors.Registry, env []string, args ...string) result {
	t.Helper()
	return invokeWith(t, registry, "", env, args...)
}

func invokeWith(t *testing.T, registry connectors.Registry, stdin string, env []string, args ...string) result {
	t.Helper()
	if registry == nil {
		registry = all.Platforms()
	}
	var out, errs bytes.Buffer
	tool := &tool{environ: env, in: strings.NewReader(stdin), out: &out, err: &errs, now: func() time.Time { return now }, registry: registry}
	code := tool.run(t.Context(), args)
	return result{code: code, out: out.String(), err: errs.String()}
}

func (r result) want(t *testing.T, code int, parts ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d\n%s%s", r.code, code, r.out, r.err)
	}
	for _, p := range parts {
		if !strings.Contains(r.out+r.err, p) {
			t.Errorf("%q is missing in:\n%s%s", p, r.out, r.err)
		}
	}
}

// golden compares an output with the file of that name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// toys are two platforms without defaults of their own, so that the golden files tell of this program only. A toy's reply is a line of
// words: "parcel NUMBER", "dispute ID", "nothing", "reject ID", "panic".
func toys() connectors.Registry {
	return connectors.Registry{
		{
			Name: "bazaar", Poll: 5 * time.Minute, Variables: []string{"API_KEY", "BASE_URL"}, NormaliseReply: toyReply,
			Capabilities: connectors.Capabilities{Disputes: true, Answers: sla.Answers(sla.AnswerRefuse), Notes: []string{"A note."}},
		},
		{Name: "track99", Poll: 10 * time.Minute, Variables: []string{"API_KEY"}, Capabilities: connectors.Capabilities{Shipments: true, BatchSize: 40}},
	}
}

func toyReply(body []byte) ([]sla.Dispute, []sla.Shipment, []connectors.Reject, error) {
	kind, id, _ := strings.Cut(strings.Trim(string(body), "\"\n"), " ")
	switch kind {
	case "parcel":
		return nil, []sla.Shipment{{
			Ref: sla.ShipmentRef{Number: id}, Status: "Moving/\x1b[31mFast", Milestone: sla.MilestoneInTransit,
			Events: []sla.Event{{At: now.Add(-40 * day), Milestone: sla.MilestoneInTransit, Country: "CN"}},
		}}, nil, nil
	case "dispute":
		return []sla.Dispute{{
			DisputeRef: sla.DisputeRef{ID: sla.DisputeID{Platform: "bazaar", Native: id}}, State: sla.StateSeller, Reason: sla.ReasonDamaged,
			Modified: now.Add(-time.Hour), Claimed: sla.Money{Minor: 1250, Currency: "USD"}, Proposal: "1",
			Obligations: []sla.Obligation{{Turn: 7, Kinds: sla.Answers(sla.AnswerAccept, sla.AnswerOffer), Opened: now.Add(-day), Deadline: now.Add(2 * day)}},
		}}, nil, nil, nil
	case "nothing":
		return nil, nil, nil, nil
	case "reject":
		return nil, nil, []connectors.Reject{{ID: id, Err: errors.New("no such shape")}}, nil
	case "panic":
		panic("poison")
	}
	return nil, nil, nil, errors.New("an error reply")
}

// env is a usable environment of the toys.
func env(addr string) []string {
	return []string{
		"WK_REDIS__ADDRS=" + addr, "WK_STORE__AE01__PLATFORM=bazaar", "WK_STORE__AE02__PLATFORM=bazaar", "WK_STORE__T17__PLATFORM=track99",
		"WK_SLA__MODE=live", "WK_SLA__ACCEPT_CAP=25USD", "WK_SLA__STORE__AE01__REASON__NOT_RECEIVED__ACT_BEFORE=36h",
	}
}

// filled is a Redis with the records of the tests; it answers its address.
func filled(t *testing.T) string {
	t.Helper()
	addr := storetest.StartEmbedded(t)
	rdb := storetest.Connect(t, addr)
	clock := now.Add(-2 * day)
	s, err := store.Open(t.Context(), rdb, store.Options{
		Now: func() time.Time { return clock }, Stores: map[sla.StoreID]sla.Platform{"AE01": "bazaar", "AE02": "bazaar", "T17": "track99", "OLD": "bazaar"},
	})
	must(t, err)
	clock = clock.Add(day)
	_, err = s.CheckEpoch(t.Context(), clock)
	must(t, err)
	_, err = s.PutCases(t.Context(), testCases())
	must(t, err)
	_, err = s.PutShipments(t.Context(), testShipments())
	must(t, err)
	answer(t, s, clock)
	return addr
}

func usd(cents int64) sla.Money { return sla.Money{Minor: cents, Currency: "USD"} }

func testCases() []sla.CaseWrite {
	kinds := sla.Answers(sla.AnswerAccept, sla.AnswerOffer, sla.AnswerRefuse)
	mk := func(id sla.StoreID, native string, reason sla.Reason, o sla.Obligation) sla.CaseWrite {
		c := sla.Case{
			DisputeRef: sla.DisputeRef{ID: sla.DisputeID{Platform: "bazaar", Store: id, Native: native}, Order: "8" + native}, State: sla.StateSeller,
			Reason: reason, Claimed: usd(2000), Obligation: o, Next: now.Add(time.Hour),
		}
		return sla.CaseWrite{CaseRecord: sla.CaseRecord{Case: c, Fingerprint: 1}}
	}
	fed := func(opened, deadline time.Duration) sla.Obligation {
		return sla.Obligation{Turn: 7, Kinds: kinds, Opened: now.Add(opened), Deadline: now.Add(deadline), Cost: usd(2000)}
	}
	out := []sla.CaseWrite{
		mk("AE01", "1001", sla.ReasonNotReceived, fed(-4*day, 20*time.Hour)),
		mk("AE01", "1002", sla.ReasonDamaged, fed(-2*day, 2*day)),
		mk("AE02", "1003", sla.ReasonWrongItem, sla.Obligation{Turn: 9, Kinds: kinds, Opened: now.Add(-time.Hour), Cost: usd(2000)}),
		mk("AE02", "1002", sla.ReasonOther, fed(-6*day, -time.Hour)),
		mk("AE01", "1004", sla.ReasonOther, sla.Obligation{}),
		mk("AE01", "1005", sla.ReasonMissing, sla.Obligation{}),
		mk("OLD", "1006", sla.ReasonMissing, fed(-day, 4*day)),
	}
	out[4].State, out[5].State = sla.StateClosed, sla.StateBuyer
	out[1].Answered = true
	return out
}

func testShipments() []sla.ShipmentWrite {
	mk := func(number, order string, m sla.Milestone, last time.Duration, kinds ...sla.AnomalyKind) sla.ShipmentWrite {
		s := sla.ShipmentRecord{
			Store: "T17", Ref: sla.ShipmentRef{Number: number, Order: order}, Milestone: m, LastEvent: now.Add(last), Next: now.Add(12 * time.Hour), Fingerprint: 1,
		}
		for _, k := range kinds {
			s.Anomalies = s.Anomalies.With(k)
		}
		return sla.ShipmentWrite{ShipmentRecord: s}
	}
	out := []sla.ShipmentWrite{
		mk("LX1CN", "81001", sla.MilestoneInTransit, -2*day),
		mk("LX2CN", "", sla.MilestoneCustomsHeld, -9*day, sla.AnomalyCustomsHeld),
		mk("LX3CN", "", sla.MilestoneDelivered, -3*day),
		mk("LX4CN", "", sla.MilestoneUnknown, 0, sla.AnomalyNoTracking),
	}
	out[3].LastEvent = time.Time{}
	return out
}

// answer leaves a settled offer in the ledger of AE01/1002.
func answer(t *testing.T, s *store.Store, at time.Time) {
	t.Helper()
	ctx := context.Background()
	id := sla.DisputeID{Platform: "bazaar", Store: "AE01", Native: "1002"}
	a, err := s.ClaimAttempt(ctx, sla.AttemptKey{Dispute: id, Turn: 7}, at, time.Minute)
	must(t, err)
	a.Kind, a.Amount, a.Why, a.Proposal = sla.AnswerOffer, usd(600), sla.WhyNegotiate, "1"
	a, err = s.RecordIntent(ctx, sla.Intent{Attempt: a, Now: at, Since: at})
	must(t, err)
	must(t, s.Settle(ctx, a, sla.Settlement{State: sla.AttemptSettled, Receipt: "r-1\x1b[2J", At: at, Audit: []byte(`{"answer":"offer","why":"negotiate"}`)}))
}
