package sla

import "time"

// Evidence is what must be known of the parcel before a step of the answer may be taken, from a closed list.
type Evidence uint8

// The kinds of evidence.
const (
	EvidenceAny       Evidence = iota // nothing must be known
	EvidenceMoving                    // the parcel was scanned a short time ago and nothing says that it stands still
	EvidenceDelivered                 // the carrier says that it was delivered
	EvidenceSigned                    // delivered, and nothing in its history speaks against it
	EvidenceLost                      // lost, destroyed or cancelled
	EvidenceReturned                  // back with the sender, or on its way back
	EvidenceSeized                    // customs keep it
)

var evidenceNames = names{"any", "moving", "delivered", "signed", "lost", "returned", "seized"}

func (e Evidence) String() string { return evidenceNames.of(int(e)) }

// Evidences lists every kind.
func Evidences() []Evidence { return all[Evidence](len(evidenceNames)) }

// ParseEvidence reads the lower-case name.
func ParseEvidence(s string) (Evidence, error) { return parse[Evidence](evidenceNames, "evidence", s) }

// A Step is one rung of the answer that an operator prefers: which answer, from when in the turn, on which evidence.
type Step struct {
	Kind  AnswerKind    // AnswerRefuse, AnswerOffer or AnswerAccept; AnswerNone leaves the choice to the playbook's own policy
	Share int           // of an offer, in basis points of the amount claimed
	Limit Money         // of an acceptance: the most that this step accepts, within the rule's cap; zero: the cap alone
	If    Evidence      // what must be known
	After time.Duration // since the turn was opened: the step counts from then on
}
