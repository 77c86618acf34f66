package connectors

import (
	"context"
	"time"

	"watchkeeper/sla"
)

// A Feed reads one store's list. Fetch returns one page of rows that may have changed since the cursor, oldest first where the
// platform has an order, split but not decoded. It never sleeps, retries or stores: the poller does. An error means that nothing of
// the page was read and the cursor must not move.
type Feed interface {
	Fetch(ctx context.Context, since Cursor) (Page, error)
}

// A Connector reads one store's disputes. Resolve turns one changed row into a dispute, reading its detail where the list does not
// carry all of it; the decoding inside is a pure function. Lookup is the truth, read again before any effect.
type Connector interface {
	Feed
	Resolve(ctx context.Context, row Row) (sla.Dispute, error)
	Lookup(ctx context.Context, ref sla.DisputeRef) (sla.Dispute, error)
}

// A Responder carries out answers. Respond is called at most once for an attempt and sends at most one request that can have an
// effect; an error of kind OutcomeUnknown means that the effect may have happened, any other kind that it surely did not. That request asks
// Deps.Brake as the last thing before it leaves, and an error that is sla.ErrKilled tells of it. Confirm
// tells, by reading the platform only, whether an answer of unknown outcome took effect.
type Responder interface {
	Respond(ctx context.Context, d sla.Dispute, a sla.Answer) (Receipt, error)
	Confirm(ctx context.Context, d sla.Dispute, a sla.Answer) (Outcome, error)
}

// A Tracker follows parcels. ResolveShipments turns changed rows of its feed into shipments, in as few calls as the provider allows;
// what cannot be read is in the rejects and never stops the rest. Track reads the given parcels now; a parcel that the provider does
// not know (yet) is simply not in the answer. Register asks the provider to follow new parcels; a parcel already followed is no error.
type Tracker interface {
	Feed
	ResolveShipments(ctx context.Context, rows []Row) ([]sla.Shipment, []Reject, error)
	Track(ctx context.Context, refs []sla.ShipmentRef) ([]sla.Shipment, error)
	Register(ctx context.Context, refs []sla.ShipmentRef) error
}

// A Credential is what may be known of a store's rotating credential.
type Credential struct {
	Stored         bool // it is kept for all replicas; else it is the one that was configured
	Sealed         bool // it is kept, and no key of today opens it; the rest is not known then
	Renewable      bool // it has what is needed to renew it
	Issued         time.Time
	Expires        time.Time // zero: not told
	RefreshExpires time.Time // of the right to renew it; zero: not told
}

// A Credentialed connector rotates its store's credential. Credential tells of it without a call to the platform, and renews nothing.
type Credentialed interface {
	Credential(ctx context.Context) (Credential, error)
}

// A Cursor is where a feed's reading stands. The poller keeps it and does not look inside; the zero value starts from the beginning.
type Cursor struct {
	Token string // the platform's or the connector's own words; at most 512 bytes, no secrets
}

// PageKind says what a feed's pages add up to.
type PageKind uint8

// The kinds of feed.
const (
	Changes  PageKind = iota // rows changed since the cursor, with an overlap
	Snapshot                 // everything open, each time: an open case that is no longer listed must be looked up
)

// A Page is one page of a feed.
type Page struct {
	Kind    PageKind
	Rows    []Row
	Rejects []Reject
	Next    Cursor        // where to go on, valid once every row is recorded
	More    bool          // there is another page now; false ends the walk (and completes a snapshot)
	Skew    time.Duration // platform clock minus ours, from its Date header; 0 when it sent none
}

// A Row is one entry of a page, not decoded.
type Row struct {
	ID          string // the platform's id: a dispute's, or a parcel's number and carrier; unique within the store
	Raw         []byte // the bytes as received; valid until the page is dropped
	Fingerprint uint64 // of the bytes without volatile fields; never 0
	// Modified is when the list says that the dispute changed last, where its detail tells the same of itself (Dispute.Modified): a detail that
	// is older was read from a replica that lags. Zero where the two cannot be compared.
	Modified time.Time
}

// A Reject is what could not be read, with its bytes (at most MaxRejectBytes of them).
type Reject struct {
	ID  string // when known
	Raw []byte
	Err error // of kind Malformed
}

// MaxRejectBytes is how much of an unreadable record is kept.
const MaxRejectBytes = 4096

// A Receipt is what the platform said when it accepted an answer.
type Receipt struct {
	ID string    // the platform's id or request id, for people; at most 64 bytes
	At time.Time // the platform's clock when it accepted
}

// Outcome is what became of an attempt, as read from the platform.
type Outcome uint8

// The outcomes.
const (
	OutcomeAbsent  Outcome = iota // not there (yet): only absence for the whole settle window means that it never happened
	OutcomePresent                // the effect is there
	OutcomeMoot                   // the dispute has moved on or closed: the answer can no longer take effect
)

// String is absent, present or moot.
func (o Outcome) String() string {
	switch o {
	case OutcomePresent:
		return "present"
	case OutcomeMoot:
		return "moot"
	}
	return "absent"
}

// Capabilities is what a platform can and cannot do, as data; wkctl platforms prints it.
type Capabilities struct {
	Answers   sla.AnswerSet
	Disputes  bool
	Shipments bool
	Deadlines bool // the feed tells deadlines
	Webhooks  bool
	BatchSize int      // parcels a call; 0 when not a tracker
	Notes     []string // what an operator must know, one sentence each
}
