package sla

import (
	"errors"
	"fmt"
	"time"
)

// Errors of money that may not move. Each means that the answer must not be sent now.
var (
	// ErrKilled means that a kill switch is on for the scope of the answer.
	ErrKilled = errors.New("a kill switch is on")
	// ErrBudget means that the answer would cost more than a budget has left.
	ErrBudget = errors.New("the budget does not allow it")
	// ErrCap means that it is the budget of the one dispute, which is AcceptCap: what was answered before counts.
	ErrCap = fmt.Errorf("the answers to the dispute together cost too much: %w", ErrBudget)
	// ErrStorm means that too many answers that pay were sent within a short time.
	ErrStorm = errors.New("too many paying answers in a short time")
)

// A Rate is a number of events within a time; the zero value is no limit.
type Rate struct {
	Count int
	Per   time.Duration
}

// A Budget is what answers may cost, as of one answer. A zero Money or Rate is no limit. All amounts must be of one currency: an answer in
// another is over every budget that is set.
type Budget struct {
	Case  Money // all answers of one dispute
	Buyer Money // all disputes of one buyer within BuyerSpan
	Store Money // all disputes of one store within a day, UTC
	Total Money // all stores within a day, UTC
	Storm Rate  // paying answers of all stores
}

// BuyerSpan is how long a buyer's claims and what they cost are remembered.
const BuyerSpan = 30 * 24 * time.Hour

// A Spend is money that an answer is about to cost, to be reserved before its intent is recorded.
type Spend struct {
	Key    AttemptKey
	Token  uint64    // of the claim it is for, so that one that was taken over neither replaces nor releases what its successor reserved
	Buyer  BuyerKey  // 0: unknown, and the buyer's budget does not apply
	Opened time.Time // when the dispute was opened: what was spent before a loss of memory is not known
	Unpaid bool      // nothing was paid in the dispute, as the platform shows it now: a loss of memory has forgotten nothing of its own
	Amount Money
	Budget Budget
}

// Since is when something can have been spent on the dispute at the earliest, in ms; 0 when that is not known. Nothing can have been where nothing
// was paid: that is later than every loss of memory.
func (s Spend) Since() int64 {
	switch {
	case s.Unpaid:
		return 1 << 51 // beyond any calendar, and exact where numbers are floating
	case s.Opened.IsZero():
		return 0
	}
	return max(s.Opened.UnixMilli(), 0)
}

// A KillScope is where a kill switch holds: everywhere (the zero value), on a platform, in a store, and in either for one reason.
type KillScope struct {
	Platform Platform
	Store    StoreID
	Reason   Reason // ReasonUnknown: every reason
}

// Covers reports whether the switch stops answers to disputes of the store, platform and reason.
func (k KillScope) Covers(p Platform, s StoreID, r Reason) bool {
	return (k.Platform == "" || k.Platform == p) && (k.Store == "" || k.Store == s) && (k.Reason == ReasonUnknown || k.Reason == r)
}

// Approval is what a person has said about the answer of one turn.
type Approval uint8

// What a person can have said.
const (
	ApprovalNone     Approval = iota // nothing yet
	ApprovalHeld                     // hold: whatever the rules say, the answer waits for a person
	ApprovalApproved                 // approve: the answer may be sent
	ApprovalRejected                 // reject: nothing is sent in this turn
)

var approvalNames = names{"none", "held", "approved", "rejected"}

func (a Approval) String() string { return approvalNames.of(int(a)) }

// Approvals lists what a person can have said, for labels.
func Approvals() []Approval { return all[Approval](len(approvalNames)) }

// Unanswered is what becomes of an answer that waits for a person when nobody has spoken in time.
type Unanswered uint8

// The choices. With every one of them a person is paged at guard at the latest.
const (
	UnansweredPage   Unanswered = iota // a person is called while there is time left; nothing is sent
	UnansweredHold                     // nothing happens before guard
	UnansweredSend                     // the answer that waits is sent
	UnansweredRefuse                   // the claim is refused with what is known, which costs nothing
)

var unansweredNames = names{"page", "hold", "send", "refuse"}

func (u Unanswered) String() string { return unansweredNames.of(int(u)) }

// ParseUnanswered reads page, hold, send or refuse.
func ParseUnanswered(s string) (Unanswered, error) {
	return parse[Unanswered](unansweredNames, "choice", s)
}
