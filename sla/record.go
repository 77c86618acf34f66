package sla

import (
	"errors"
	"fmt"
	"time"
)

// Errors of the ledger. Each means that nothing may be sent now.
var (
	ErrHeld       = errors.New("another worker holds the attempt")
	ErrUnresolved = errors.New("an answer of another turn is of unknown outcome")
	ErrFenced     = errors.New("the claim was taken over")
	// ErrStaleCase means that a settlement wrote the ledger and not the case, because somebody else had written the case meanwhile (and armed it).
	ErrStaleCase = errors.New("the case has changed meanwhile; the ledger is written")
	ErrFrozen    = errors.New("money is frozen")
	// ErrTakenOver is a freeze of seconds: the store's server was started anew or took over a moment ago, and may have lost what was written last.
	ErrTakenOver = fmt.Errorf("the store's server is new: %w", ErrFrozen)
	ErrAmnesia   = errors.New("the store has lost its memory")
)

// Errors of the store, by what an operator must do about them.
var (
	ErrStoreFull     = errors.New("store is full")
	ErrStoreReadOnly = errors.New("store is read-only")
	ErrStoreOut      = errors.New("store is unreachable")
)

// Seen is one row of a page, to be compared with what is recorded.
type Seen struct {
	ID          string
	Fingerprint uint64
}

// Verdict is what a comparison says of a row.
type Verdict uint8

// The verdicts.
const (
	VerdictNew Verdict = iota
	VerdictUnchanged
	VerdictChanged
)

// A CaseRecord is a case as stored, with the fingerprint of the row it came from.
type CaseRecord struct {
	Case
	Fingerprint uint64
}

// A CaseCompared is the verdict on one row; the record is there when it changed.
type CaseCompared struct {
	Verdict Verdict
	Record  CaseRecord
}

// A CaseWrite records a case and arms its timer at Case.Next (none when zero), if the record still has the version it was read at.
type CaseWrite struct {
	CaseRecord
	Expect uint32 // 0 when there was no record
	// Leased says that Next is the end of a lease, as a claim gives one: it ends at once when a process is found gone, for that one may have had the work.
	Leased bool
}

// A PutResult is what became of a write. A stale one changed nothing: somebody else wrote first.
type PutResult struct {
	Version uint32
	Stale   bool
}

// A Rearm is a case that did not change, and when to look at it again.
type Rearm struct {
	ID      DisputeID
	Version uint32    // it was read at
	Next    time.Time // zero: never
}

// A ShipmentRecord is a parcel as stored.
type ShipmentRecord struct {
	Store       StoreID
	Ref         ShipmentRef // its key: usually the number alone
	Lane        Lane        // as the tracker told it; what it did not tell is empty
	Milestone   Milestone
	Anomalies   AnomalySet
	LastEvent   time.Time
	Next        time.Time // when to look again; zero when its journey is over and nothing is left to see
	Fingerprint uint64
	Version     uint32
}

// A ShipmentCompared is the verdict on one row of a tracker's feed.
type ShipmentCompared struct {
	Verdict Verdict
	Record  ShipmentRecord
}

// A ShipmentWrite records a parcel and arms its timer.
type ShipmentWrite struct {
	ShipmentRecord
	Expect uint32
}

// A FeedRecord is where the reading of a feed stands.
type FeedRecord struct {
	ID          string // "AE01/disputes"
	Store       StoreID
	Cursor      string
	Next        time.Time // when to read it again
	LastTry     time.Time
	LastSuccess time.Time // what was changed before is read
	Failures    uint32    // in a row, up to 65,535
	Strikes     uint32    // readings in a row that began and did not come to their ends: whoever read it was gone
	Version     uint32
	Began       time.Time // the walk through a snapshot that stopped at Cursor; zero outside one
	Reader      string    // the process that is reading it, as the store names it; empty: none, or one whose end changes nothing
}

// A Claim is the answer to one claim of several: the slot as it stands, or why it cannot be had.
type Claim struct {
	Attempt
	Err error
}

// An Intent is a coming send, to be made durable.
type Intent struct {
	Attempt
	Reason Reason    // of the dispute, for the kill switches
	Now    time.Time // what the lease is measured against
	Since  time.Time // back to when the ledger must remember everything; zero: since ever
}

// A KillSwitch is one that is on.
type KillSwitch struct {
	KillScope
	Since time.Time
	Note  string // who and why, in an operator's words
}

// A BuyerClaim is one dispute that a buyer has opened.
type BuyerClaim struct {
	Buyer   BuyerKey
	Dispute DisputeID
	Opened  time.Time
}

// A Settlement is how an attempt ends, written in one step with the case and an audit line.
type Settlement struct {
	State   AttemptState // settled, refused or unknown
	Receipt string
	At      time.Time
	Case    *CaseWrite // nil: the case stays as it is
	Audit   []byte
}

// An Epoch tells whether the store still remembers everything it ever did.
type Epoch struct {
	Lost        []int     // shards whose memory was lost since this process last looked
	FrozenUntil time.Time // no money moves before
}

// A Rejected is a record that could not be read, kept for people.
type Rejected struct {
	Store  StoreID
	Feed   string
	ID     string
	Raw    []byte
	Reason string
}

// Gone counts processes that are newly known to be gone, and those among them that had been taken for gone before and had come back.
type Gone struct{ Processes, Again int }
