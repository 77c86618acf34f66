package simulator

import (
	"time"

	"watchkeeper/sla"
)

// Actor is who changed something.
type Actor string

// The actors. ActorSeller is the seller's side through the API, ActorPerson the same seller's staff in the platform's back office.
const (
	ActorBuyer    Actor = "buyer"
	ActorSeller   Actor = "seller"
	ActorPerson   Actor = "person"
	ActorPlatform Actor = "platform"
	ActorTimeout  Actor = "timeout"
	ActorCarrier  Actor = "carrier"
)

// Kind is what changed, from a closed list.
type Kind string

// The kinds of change. Those of a dispute, then those of a parcel.
const (
	KindOpened     Kind = "opened"         // a buyer opened a dispute
	KindEdited     Kind = "edited"         // a buyer put a new proposal
	KindDeclined   Kind = "declined"       // a buyer turned the seller's proposal down
	KindWithdrawn  Kind = "withdrawn"      // a buyer gave up
	KindArbitrated Kind = "arbitrated"     // a buyer called the platform
	KindOwed       Kind = "owed"           // from here on the seller owes something: Detail says what, Amount what silence pays
	KindMoved      Kind = "deadline_moved" // the platform changed the deadline of what is owed
	KindBreached   Kind = "breached"       // the deadline fell in silence
	KindAgreed     Kind = "agreed"         // the seller accepted a proposal; Detail "again": it had before, in the same turn
	KindProposed   Kind = "proposed"       // the seller put a new proposal, or changed its own; amount 0 is a refusal
	KindEvidence   Kind = "evidence"       // the seller sent proof
	KindReceived   Kind = "received"       // the seller confirmed that the goods came back
	KindExtended   Kind = "extended"       // the seller lengthened the buyer's protection
	KindRefused    Kind = "refused"        // the platform refused what the seller sent: nothing happened
	KindPaged      Kind = "paged"          // a page reached the person
	KindPaid       Kind = "paid"           // money went to the buyer: Detail says why
	KindClosed     Kind = "closed"         // nothing can be done any more

	KindShipped    Kind = "shipped"    // a parcel was announced
	KindRegistered Kind = "registered" // its number is followed from here on
	KindScan       Kind = "scan"       // the carrier reported something: Detail is the sub-status
	KindPlanted    Kind = "planted"    // something is wrong with the parcel from here on: Detail is the anomaly
)

// Details of KindPaid.
const (
	paidByAnswer      = "answer"
	paidBySilence     = "silence"
	paidByArbitration = "arbitration"
)

// agreedAgain marks an acceptance that the platform had to refuse because the same seller had accepted in the same turn.
const agreedAgain = "again"

// An Entry is one change in the platforms' own log.
type Entry struct {
	At       time.Time    `json:"at"`
	Platform sla.Platform `json:"platform"`
	Store    sla.StoreID  `json:"store"`
	Subject  string       `json:"subject"` // the dispute's id, or the parcel's number
	Order    string       `json:"order,omitempty"`
	Buyer    string       `json:"buyer,omitempty"` // the login, of a dispute
	Actor    Actor        `json:"actor"`
	Kind     Kind         `json:"kind"`
	Turn     int          `json:"turn,omitempty"` // of the dispute; grows with each move of the buyer or the platform
	Amount   sla.Money    `json:"amount,omitzero"`
	Deadline time.Time    `json:"deadline,omitzero"`
	Detail   string       `json:"detail,omitempty"`
}
