package sla

import (
	"strings"
	"time"
)

// AnswerKind is one kind of effect on a platform.
type AnswerKind uint8

// The kinds of answer.
const (
	AnswerNone     AnswerKind = iota
	AnswerAccept              // agree to the buyer's or the platform's proposal: money, irreversible
	AnswerOffer               // counter-propose an amount: money, irreversible once the buyer takes it
	AnswerRefuse              // refuse, with grounds
	AnswerExtend              // lengthen the buyer's protection period
	AnswerEvidence            // send proof
	AnswerMessage             // write to the buyer
	AnswerTracking            // provide a tracking number
	AnswerCancel              // agree to a cancellation
)

var answerNames = names{"none", "accept", "offer", "refuse", "extend_protection", "evidence", "message", "provide_tracking", "cancel"}

func (k AnswerKind) String() string { return answerNames.of(int(k)) }

// AnswerKinds lists every kind, for labels.
func AnswerKinds() []AnswerKind { return all[AnswerKind](len(answerNames)) }

// Pays reports whether an answer of this kind can cost money.
func (k AnswerKind) Pays() bool {
	return k == AnswerAccept || k == AnswerOffer || k == AnswerCancel
}

// EndsTurn reports whether the answer satisfies an obligation; the others (an extension, a message) go beside one.
func (k AnswerKind) EndsTurn() bool {
	return k == AnswerAccept || k == AnswerOffer || k == AnswerRefuse || k == AnswerEvidence || k == AnswerCancel
}

// AnswerSet is a set of kinds.
type AnswerSet uint16

// Answers makes a set.
func Answers(kinds ...AnswerKind) AnswerSet {
	var s AnswerSet
	for _, k := range kinds {
		s |= 1 << k
	}
	return s
}

// Has reports membership.
func (s AnswerSet) Has(k AnswerKind) bool { return s&(1<<k) != 0 }

func (s AnswerSet) String() string {
	var out []string
	for _, k := range AnswerKinds() {
		if s.Has(k) {
			out = append(out, k.String())
		}
	}
	return strings.Join(out, ",")
}

// An Answer is one effect to be carried out in one turn. It is complete: a connector adds nothing but its wire format.
type Answer struct {
	Kind     AnswerKind
	Turn     Turn
	Proposal string        // which proposal it accepts or refuses, as in Dispute.Proposal
	Amount   Money         // of an offer, and of what an accepted proposal pays
	Text     string        // what the other side reads; made by us, never stored
	Extend   time.Duration // for AnswerExtend, whole days
	Why      Why           // the ground, from the playbook
	Attempt  uint32        // 1 for the first try in this turn; part of the idempotency key where a platform has one
}

// AttemptState is how far an attempt has come. Only these moves are legal: none → claimed → sent → settled | refused | unknown,
// unknown → settled | refused, claimed → none (given back), refused → claimed (the next attempt).
type AttemptState uint8

// The states.
const (
	AttemptNone    AttemptState = iota
	AttemptClaimed              // somebody holds the right to answer, nothing was sent
	AttemptSent                 // the intent is durable; the request may be under way
	AttemptSettled              // the platform accepted it
	AttemptRefused              // it surely had no effect
	AttemptUnknown              // it may have had its effect
)

var attemptNames = names{"none", "claimed", "sent", "settled", "refused", "unknown"}

func (s AttemptState) String() string { return attemptNames.of(int(s)) }

// AttemptStates lists every state, for labels.
func AttemptStates() []AttemptState { return all[AttemptState](len(attemptNames)) }

// An AttemptKey names one slot of the ledger: the answer that ends a turn (Side is AnswerNone), or one side effect beside it.
type AttemptKey struct {
	Dispute DisputeID
	Turn    Turn
	Side    AnswerKind
}

// An Attempt is what the ledger knows of one slot. Everything needed to confirm an answer on the platform after a crash is in it.
type Attempt struct {
	AttemptKey
	State    AttemptState
	N        uint32    // how many times the slot was sent, the present one included
	Token    uint64    // of the claim; grows with each claim, so that a late holder is fenced off
	Lease    time.Time // until when a claim holds
	SentAt   time.Time // when the intent of the latest try was recorded
	Kind     AnswerKind
	Proposal string
	Amount   Money
	Why      Why
	Receipt  string // the platform's id of the accepted answer
	// Absent is when a process first saw that the platform does not show the latest try, by its own clock or the platform's, whichever was ahead; zero:
	// nobody has.
	Absent time.Time
}
