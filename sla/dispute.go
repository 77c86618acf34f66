package sla

import (
	"fmt"
	"strings"
	"time"
)

// Platform names a marketplace, payment service or tracking provider in lower case: "aliexpress", "track17".
type Platform string

// StoreID names one seller account on one platform as the operator calls it: [A-Z0-9]+, for example "AE01".
type StoreID string

// Valid reports whether the id has that form, so that it can be part of a variable's name.
func (s StoreID) Valid() bool {
	for i := range len(s) {
		if (s[i] < 'A' || s[i] > 'Z') && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return s != ""
}

// DisputeID is the identity of a dispute: the platform's own id within one store.
type DisputeID struct {
	Platform Platform
	Store    StoreID
	Native   string // the platform's id, at most 40 bytes of printable ASCII without '/'
}

// String is "AE01/9123456789012345", the form that operators see and type.
func (id DisputeID) String() string { return string(id.Store) + "/" + id.Native }

// ParseDisputeID reads the form of String; the platform stays empty because the store implies it.
func ParseDisputeID(s string) (DisputeID, error) {
	store, native, ok := strings.Cut(s, "/")
	if !ok || !StoreID(store).Valid() || !validNative(native) {
		return DisputeID{}, fmt.Errorf("dispute %q: want STORE/ID, for example AE01/9123456789012345", clip(s, 60))
	}
	return DisputeID{Store: StoreID(store), Native: native}, nil
}

func validNative(s string) bool {
	if s == "" || len(s) > 40 {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || s[i] == '/' {
			return false
		}
	}
	return true
}

// A DisputeRef is what finds a dispute on its platform again: its identity and the order it is about, which some platforms need
// (AliExpress wants the buyer's login in each call; we do not keep it, and find it again by the order).
type DisputeRef struct {
	ID    DisputeID
	Order string // the platform's order number, empty when the platform needs none
}

// BuyerKey is an opaque keyed hash of a buyer's identity; 0 means unknown.
type BuyerKey uint64

// Turn is the identity of one obligation. It changes when the buyer edits or the platform moves, and never otherwise; 0 means none.
type Turn uint64

// String is sixteen hex digits.
func (t Turn) String() string { return fmt.Sprintf("%016x", uint64(t)) }

// An Obligation is what the seller owes now.
type Obligation struct {
	Turn     Turn
	Kinds    AnswerSet // the answers that would satisfy it; empty: only a person can (a form or evidence no API takes)
	Opened   time.Time // when this turn began, UTC
	Deadline time.Time // when the platform acts by itself, UTC; zero when the feed does not say
	Cost     Money     // what silence costs: usually what the buyer asked for
}

// A Dispute is one after-sales matter, normalised by its connector. It carries no name, address, e-mail or message text.
type Dispute struct {
	DisputeRef
	State       State
	Reason      Reason
	Opened      time.Time
	Modified    time.Time
	Buyer       BuyerKey
	Country     string // ISO 3166-1 alpha-2 of the buyer, empty when unknown
	Claimed     Money  // what the buyer asks for, in the currency offers are made in
	Cap         Money  // the most the platform allows an offer to be; zero when it does not say
	Obligations []Obligation
	Proposal    string        // the platform's id of the buyer's (or platform's) proposal that an answer refers to
	Own         string        // the platform's id of the seller's own latest proposal, empty without one
	Offered     Money         // the amount of the seller's latest proposal in this dispute; zero without one
	Offers      int           // how many proposals the seller has made in this dispute
	ReturnAsked bool          // the proposal wants the goods back, so that accepting needs a return address
	Shipments   []ShipmentRef // the parcels of the order, as far as the platform tells
	Unpaid      bool          // nothing has been paid in it yet: the platform shows it open, and ends a dispute with its first payment
	Unread      bool          // the parcels could not be read now: that there are none is not known
	Retry       time.Duration // after which they may be, where the platform or our own limit asked for patience; 0: nobody knows
	Closed      Closing
}

// A Closing says how a dispute ended; zero while it is open.
type Closing struct {
	At   time.Time
	By   Party
	Paid Money
}

// Ruling is the obligation that must be met first, under the rule's window where the feed is silent. One whose deadline nobody
// knows rules only when it is alone: it still owes. False when nothing is owed.
func (d Dispute) Ruling(rule Rule) (Obligation, bool) {
	var best Obligation
	var at time.Time
	for i, o := range d.Obligations {
		t := EffectiveDeadline(o, rule)
		if i == 0 || !t.IsZero() && (at.IsZero() || t.Before(at)) {
			best, at = o, t
		}
	}
	return best, len(d.Obligations) > 0
}
