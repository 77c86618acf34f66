package store

import (
	"encoding/binary"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"watchkeeper/sla"
)

// ids draws ids of every packing.
func ids() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringMatching(`[1-9][0-9]{0,21}`),
		rapid.StringMatching(`[A-Z0-9._:-]{1,40}`),
		rapid.StringMatching(`[A-Z0-9]{8,20}:[a-z0-9-]{1,12}`),
		rapid.StringMatching(`[!-.0-~]{1,40}`),
		rapid.StringN(1, 20, 60),
	)
}

func instants() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		unit := rapid.SampledFrom([]int64{1, 1000, 60_000}).Draw(t, "unit")
		ms := rapid.Int64Range(0, 4_000_000_000_000).Draw(t, "ms")
		if ms == 0 {
			return time.Time{}
		}
		return time.UnixMilli((ms/unit)*unit + 1_000*60).UTC()
	})
}

// scans are instants as parcels keep them: whole minutes since packed times count.
func scans() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		n := rapid.Int64Range(0, 1<<24-1).Draw(t, "minutes")
		if n == 0 {
			return time.Time{}
		}
		return time.Unix(epoch2020+60*n, 0).UTC()
	})
}

func money() *rapid.Generator[sla.Money] {
	return rapid.Custom(func(t *rapid.T) sla.Money {
		if rapid.Bool().Draw(t, "none") {
			return sla.Money{}
		}
		return sla.Money{Minor: rapid.Int64().Draw(t, "minor"), Currency: rapid.SampledFrom([]sla.Currency{"USD", "EUR", "JPY", "ZWG"}).Draw(t, "currency")}
	})
}

func draw[T any](t *rapid.T, name string, g *rapid.Generator[T]) T { return g.Draw(t, name) }

func testView() *view {
	v := &view{sequence: &atomic.Int64{}}
	pairs := []any{"AE01", "0 aliexpress"}
	for i := range 100 {
		pairs = append(pairs, "S"+strings.Repeat("X", i+1), string(appendInt(i+1))+" ebay")
	}
	if err := v.learn(pairs); err != nil {
		panic(err)
	}
	return v
}

func appendInt(n int) []byte {
	if n < 10 {
		return []byte{byte('0' + n)}
	}
	return append(appendInt(n/10), byte('0'+n%10))
}

func TestMembersKeepStoreAndID(t *testing.T) {
	t.Parallel()
	v := testView()
	rapid.Check(t, func(t *rapid.T) {
		want := ident{store: v.stores[rapid.IntRange(0, 100).Draw(t, "store")].id, native: draw(t, "id", ids())}
		if len(want.native) > maxMember-8 {
			t.Skip("longer than any legal id")
		}
		member, err := v.appendMember(nil, 77, want)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := v.readField(member[2:])
		if err != nil || got != want {
			t.Fatalf("want %v, got %v %v", want, got, err)
		}
	})
}

func TestUsualIDsAreShort(t *testing.T) {
	t.Parallel()
	v := testView()
	for id, want := range map[string]int{
		"9123456789012345":   2 + 1 + 7,  // a dispute
		"RB123456789CN":      2 + 1 + 9,  // a parcel
		"RB123456789CN:3011": 2 + 1 + 12, // with a carrier's number
		"12-34567-89012":     2 + 1 + 10, // an order
	} {
		member, err := v.appendMember(nil, 1, ident{store: "AE01", native: id})
		if err != nil || len(member) > want {
			t.Errorf("%s: want at most %d bytes, got %d (%v)", id, want, len(member), err)
		}
	}
}

// roundTrip packs and reads a record of any class.
func roundTrip[R any](t *rapid.T, k kind[R], want R, expect uint32) {
	t.Helper()
	v := testView()
	value, err := k.appendValue(nil, change[R]{record: &want, expect: expect}, gauge{now: 1, count: 10})
	if err != nil {
		t.Fatal(err)
	}
	member, err := v.appendMember(nil, 5, k.ident(&want))
	if err != nil {
		t.Fatal(err)
	}
	got, err := k.read(v, member[2:], value[4:])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}

func TestCasesSurvivePacking(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		expect := rapid.Uint32Range(0, 1<<31).Draw(t, "expect")
		r := sla.CaseRecord{Fingerprint: rapid.Uint64().Draw(t, "fingerprint")}
		r.ID = sla.DisputeID{Platform: "aliexpress", Store: "AE01", Native: draw(t, "id", rapid.StringMatching(`[A-Za-z0-9_-]{1,40}`))}
		r.Order = rapid.SampledFrom([]string{"", "0", "8123456789012345", "12-34567-89012", "abc_é"}).Draw(t, "order")
		r.Version = expect + 1
		r.State = rapid.SampledFrom([]sla.State{sla.StateUnknown, sla.StateSeller, sla.StateClosed}).Draw(t, "state")
		r.Reason = rapid.SampledFrom(sla.Reasons()).Draw(t, "reason")
		r.Paged = rapid.SampledFrom(sla.Stages()).Draw(t, "paged")
		r.Claimed, r.Next = draw(t, "claimed", money()), draw(t, "next", instants())
		r.Warned = rapid.IntRange(0, 300).Draw(t, "warned")
		r.Answered, r.Unresolved = rapid.Bool().Draw(t, "answered"), rapid.Bool().Draw(t, "unresolved")
		r.Shadowed, r.Waiting = rapid.Bool().Draw(t, "shadowed"), rapid.Bool().Draw(t, "waiting")
		r.Buyer = sla.BuyerKey(rapid.SampledFrom([]uint64{0, 1, rapid.Uint64().Draw(t, "some buyer")}).Draw(t, "buyer"))
		r.Approval = rapid.SampledFrom(sla.Approvals()).Draw(t, "approval")
		if rapid.Bool().Draw(t, "owes") {
			r.Obligation = sla.Obligation{Turn: sla.Turn(rapid.Uint64().Draw(t, "turn")), Kinds: sla.AnswerSet(rapid.Uint16().Draw(t, "kinds")),
				Opened: draw(t, "opened", instants()), Deadline: draw(t, "deadline", instants()),
				Cost: rapid.SampledFrom([]sla.Money{r.Claimed, draw(t, "cost", money())}).Draw(t, "which")}
		}
		roundTrip(t, caseKind, r, expect)
	})
}

func TestUsualCaseStaysInAListpack(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 34, 56, 789e6, time.UTC)
	r := sla.CaseRecord{Fingerprint: 1 << 63, Case: sla.Case{
		DisputeRef: sla.DisputeRef{ID: sla.DisputeID{Store: "AE01", Native: "9123456789012345"}, Order: "8123456789012345"},
		Claimed:    sla.Money{Minor: 123_456, Currency: "USD"}, Next: now, Buyer: 1 << 63,
		Obligation: sla.Obligation{Turn: 1 << 63, Kinds: 1 << 8, Opened: now, Deadline: now.Add(5*24*time.Hour + time.Second), Cost: sla.Money{Minor: 123_456, Currency: "USD"}},
	}}
	value, err := caseKind.appendValue(nil, change[sla.CaseRecord]{record: &r, expect: 7}, gauge{count: 1})
	if err != nil || len(value)-4 > 64 {
		t.Fatalf("want at most 64 bytes, got %d (%v)", len(value)-4, err)
	}
}

func TestShipmentsAndFeedsSurvivePacking(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		expect := rapid.Uint32Range(0, 1<<31).Draw(t, "expect")
		roundTrip(t, shipmentKind, sla.ShipmentRecord{Store: "AE01",
			Ref:       sla.ShipmentRef{Number: draw(t, "number", rapid.StringMatching(`[A-Z0-9]{5,30}`)), Carrier: draw(t, "carrier", rapid.StringMatching(`([a-z-]{2,12}|[0-9]{3,6})?`)), Order: draw(t, "order", rapid.StringMatching(`[A-Z0-9-]{0,20}`))},
			Milestone: rapid.SampledFrom(sla.Milestones()).Draw(t, "milestone"), Anomalies: sla.AnomalySet(rapid.Uint32().Draw(t, "anomalies")),
			Lane: sla.Lane{Carrier: draw(t, "found", rapid.StringMatching(`([a-zA-Z-]{2,12}|[0-9]{3,6})?`)),
				Origin: draw(t, "origin", rapid.StringMatching(`(CN|[A-Z]{2})?`)), Dest: draw(t, "dest", rapid.StringMatching(`([A-Z]{2})?`))},
			LastEvent: draw(t, "last", scans()), Next: draw(t, "next", instants()), Fingerprint: rapid.Uint64().Draw(t, "fingerprint"), Version: expect + 1}, expect)
		roundTrip(t, feedKind, sla.FeedRecord{ID: "AE01/" + draw(t, "feed", rapid.StringMatching(`[a-z]{1,12}`)), Store: "AE01",
			Cursor: rapid.StringN(0, 200, 512).Draw(t, "cursor"), Next: draw(t, "next", instants()), LastTry: draw(t, "try", instants()),
			LastSuccess: draw(t, "success", instants()), Failures: rapid.Uint32Range(0, 1<<16-1).Draw(t, "failures"),
			Strikes: rapid.Uint32().Draw(t, "strikes"), Version: expect + 1, Began: draw(t, "began", instants()),
			Reader: draw(t, "reader", rapid.SampledFrom([]string{"", "\x00\x00\x00\x00", "\xff\x00ab"}))}, expect)
	})
}

// A version that knows no strikes must read the record, and ours must read its.
func TestFeedsOfAVersionWithoutStrikesAreReadAndReadOurs(t *testing.T) {
	t.Parallel()
	body := func(failures uint64) []byte {
		return binary.AppendUvarint(appendTime(appendTime(appendString(nil, "c"), time.Time{}), time.Time{}), failures)
	}
	var got sla.FeedRecord
	unpackFeed(&got, ident{store: "AE01", native: "disputes"}, "", header{}, &packed{b: body(70_000 & 0xffff)})
	if got.Failures != 70_000&0xffff || got.Strikes != 0 {
		t.Errorf("want the failures alone, got %+v", got)
	}
	if ours := packFeed(nil, &sla.FeedRecord{Cursor: "c", Failures: 7}); string(ours) != string(body(7)) {
		t.Errorf("want the old form without strikes, got %x", ours)
	}
	if ours := packFeed(nil, &sla.FeedRecord{Cursor: "c", Failures: 1 << 20, Strikes: 3}); string(ours) != string(body(3<<16|0xffff)) {
		t.Errorf("want many failures for the old version, got %x", ours)
	}
}

func TestParcelsOfAVersionWithoutLanesAreRead(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 34, 56, 789e6, time.UTC)
	body := binary.AppendUvarint([]byte{byte(sla.MilestoneCustoms)}, uint64(sla.AnomalySet(0).With(sla.AnomalyDelayed)))
	p := packed{b: appendString(appendTime(body, at), "8100")}
	var got sla.ShipmentRecord
	unpackShipment(&got, ident{store: "T17", native: "LP1"}, "", header{}, &p)
	want := sla.ShipmentRecord{Store: "T17", Ref: sla.ShipmentRef{Number: "LP1", Order: "8100"}, Milestone: sla.MilestoneCustoms,
		Anomalies: sla.AnomalySet(0).With(sla.AnomalyDelayed), LastEvent: at}
	if diff := cmp.Diff(want, got); diff != "" || p.err() != nil {
		t.Errorf("%v (-want +got):\n%s", p.err(), diff)
	}
}

func TestAUsualParcelIsSmall(t *testing.T) {
	t.Parallel()
	b := packShipment(nil, &sla.ShipmentRecord{Milestone: sla.MilestoneInTransit, LastEvent: time.Date(2026, 3, 1, 12, 34, 0, 0, time.UTC),
		Lane: sla.Lane{Carrier: "190012", Origin: "CN", Dest: "BR"}})
	if len(b) != 9 {
		t.Errorf("want 9 bytes, got %d", len(b))
	}
}

func TestAttemptsSurvivePacking(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := sla.DisputeID{Platform: "aliexpress", Store: "AE01", Native: "1"}
		want := sla.Attempt{AttemptKey: sla.AttemptKey{Dispute: id, Turn: sla.Turn(rapid.Uint64().Draw(t, "turn")), Side: sla.AnswerMessage},
			State: rapid.SampledFrom(sla.AttemptStates()).Draw(t, "state"), N: rapid.Uint32().Draw(t, "n"), Token: rapid.Uint64().Draw(t, "token"),
			Lease: draw(t, "lease", instants()), SentAt: draw(t, "sent", instants()), Kind: rapid.SampledFrom(sla.AnswerKinds()).Draw(t, "kind"),
			Proposal: draw(t, "proposal", ids()), Amount: draw(t, "amount", money()), Why: rapid.SampledFrom(sla.Whys()).Draw(t, "why"), Receipt: draw(t, "receipt", ids())}
		got, err := readSlot(id, slotField(want.AttemptKey), packSlot(want, newWriter("proc")))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// What a platform tells may be anything: an instant too far away is packed as the farthest one, and never as one that is near.
func TestAnInstantBeyondAllIsPackedAsTheFarthest(t *testing.T) {
	t.Parallel()
	for _, far := range []time.Time{time.UnixMilli(1 << 61), time.UnixMilli(-1 << 61), time.Unix(1<<55, 0)} {
		p := packed{b: appendTime(nil, far)}
		if got := p.time(); got.UnixMilli() != packedMilli(far) || p.err() != nil {
			t.Errorf("%d ms are read as %d, %v", far.UnixMilli(), got.UnixMilli(), p.err())
		}
	}
}

func TestTimersRoundUpAndKeepTheirWidth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ns := rapid.Int64Range(1, 4e18).Draw(t, "ns")
		next := time.Unix(0, ns)
		g := gauge{now: uint64(rapid.Int64Range(0, 4e12).Draw(t, "now")), count: rapid.Uint64Range(1, 1e9).Draw(t, "count")}
		due := g.timer(next)
		if due.code > maxCode {
			t.Fatalf("code %d", due.code)
		}
		if got := instant(due.append(nil)); got.Before(next) || got.Sub(next) >= time.Millisecond {
			t.Fatalf("want the millisecond at or after %s, got %s", next, got)
		}
	})
}
