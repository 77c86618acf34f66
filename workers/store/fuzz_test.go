package store

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"watchkeeper/sla"
)

// FuzzRecords holds for each class of record that damage is told as such, and that what can be read is written and read again as it is: a
// process that rewrites the record of another version must not lose anything of it.
func FuzzRecords(f *testing.F) {
	v := testView()
	field := []byte{0<<2 | packDecimal, 0x20, 0x6a}
	head := make([]byte, headerSize)
	head[0] = schema
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Add(field, packCase(head, &sla.CaseRecord{Case: sla.Case{
		DisputeRef: sla.DisputeRef{Order: "8100"}, Buyer: 7, Claimed: sla.Money{Minor: 1999, Currency: "USD"}, Approval: sla.ApprovalHeld,
		Obligation: sla.Obligation{Turn: 9, Opened: at, Deadline: at.Add(5 * 24 * time.Hour), Cost: sla.Money{Minor: 5, Currency: "EUR"}},
	}}))
	f.Add([]byte{0<<2 | packLower, 1, 2, 3, 4}, packShipment(head, &sla.ShipmentRecord{
		LastEvent: at, Anomalies: 3, Ref: sla.ShipmentRef{Order: "8100"}, Lane: sla.Lane{Origin: "DE", Dest: "BR", Carrier: "190012"}}))
	f.Add([]byte("\x00disputes"), packFeed(head, &sla.FeedRecord{Cursor: "tracking/3/0", LastTry: at, Failures: 3}))
	f.Add([]byte{1, 2, 3}, []byte{schema, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, field, value []byte) {
		readAndRewrite(t, v, caseKind, field, value)
		readAndRewrite(t, v, shipmentKind, field, value)
		readAndRewrite(t, v, feedKind, field, value)
	})
}

func readAndRewrite[R any](t *testing.T, v *view, k kind[R], field, value []byte) {
	t.Helper()
	first, err := k.read(v, field, value)
	if err != nil {
		if !errors.Is(err, ErrUnreadable) {
			t.Fatalf("%s: %v is no error of a known kind", k.name, err)
		}
		return
	}
	if k.ident(&first).store == "" {
		t.Fatalf("%s: a record without a store", k.name)
	}
	expect := k.header(&first).version
	written, err := k.appendValue(nil, change[R]{record: &first, expect: expect}, gauge{count: 1})
	if err != nil {
		if !errors.Is(err, ErrTooLong) {
			t.Fatalf("%s: written: %v", k.name, err)
		}
		return
	}
	second, err := k.read(v, field, written[4:]) // behind the version that is expected
	if err != nil {
		t.Fatalf("%s: what was written cannot be read: %v", k.name, err)
	}
	rewritten, err := k.appendValue(nil, change[R]{record: &second, expect: expect}, gauge{count: 1})
	if err != nil || !bytes.Equal(written, rewritten) {
		t.Fatalf("%s: written as %x and again as %x (%v)", k.name, written, rewritten, err)
	}
	if a, b := bare(first), bare(second); !cmp.Equal(a, b) {
		t.Fatalf("a case changes when it is rewritten (-read +again):\n%s", cmp.Diff(a, b))
	}
}

// bare is a case without its version, which each write raises; nothing for records that an older version wrote in another form.
func bare(r any) sla.CaseRecord {
	c, _ := r.(sla.CaseRecord)
	c.Version = 0
	return c
}

func FuzzAttempts(f *testing.F) {
	id := sla.DisputeID{Platform: "aliexpress", Store: "AE01", Native: "9123"}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a := sla.Attempt{AttemptKey: sla.AttemptKey{Dispute: id, Turn: 7}, State: sla.AttemptUnknown, N: 2, Token: 9, Lease: at, SentAt: at,
		Kind: sla.AnswerOffer, Amount: sla.Money{Minor: 500, Currency: "USD"}, Proposal: "44", Receipt: "r-1"}
	f.Add(slotField(a.AttemptKey), packSlot(a, make([]byte, 8)))
	f.Add([]byte{1}, []byte{schema})
	f.Fuzz(func(t *testing.T, field, slot []byte) {
		first, err := readSlot(id, field, slot)
		if err != nil {
			if !errors.Is(err, ErrUnreadable) {
				t.Fatalf("%v is no error of a known kind", err)
			}
			return
		}
		if !bytes.Equal(slotField(first.AttemptKey), field) {
			t.Fatalf("slot %x is read as %x", field, slotField(first.AttemptKey))
		}
		second, err := readSlot(id, field, packSlot(first, make([]byte, 8)))
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Fatalf("an attempt changes when it is rewritten (-read +again):\n%s", diff)
		}
	})
}

// FuzzText holds that any text survives its packing, whichever that is, beside what stands behind it.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "0", "9123456789012345", "18446744073709551616", "RB123456789CN:3011", "RB123456789CN:dhl", "A:b:c", "a/b", "ſ:ſ", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) >= maxMember {
			return // longer than an id or a number may be
		}
		p := packed{b: append(appendString(nil, s), 0xa5)}
		if got, behind := p.string(), p.byte(); got != s || behind != 0xa5 || p.err() != nil {
			t.Errorf("%q is read as %q, with %x behind it, %v", s, got, behind, p.err())
		}
	})
}

// FuzzSwitches holds that a kill switch that cannot be read stops at least what it may mean, and that one that can be is written as it was.
func FuzzSwitches(f *testing.F) {
	for _, s := range []string{"//", "aliexpress//", "aliexpress/AE01/damaged", "//from_a_newer_version", "/AE01", "a/b/c/d"} {
		f.Add(s, "1 1767225600000 fire drill")
	}
	f.Fuzz(func(t *testing.T, field, said string) {
		scope, err := parseScope(field)
		switch {
		case err == nil && scopeField(scope) != field && scope.Reason != sla.ReasonUnknown:
			t.Errorf("%q is written again as %q", field, scopeField(scope))
		case err != nil && !errors.Is(err, ErrUnreadable):
			t.Errorf("%v is no error of a known kind", err)
		}
		if _, err := parseScope(stops(field)); err != nil {
			t.Errorf("%q stops %q, which is no scope: %v", field, stops(field), err)
		}
		w := parseWord(said)
		if w.newer(w) {
			t.Errorf("%q replaces itself", said)
		}
	})
}
