package sla

import "fmt"

// State is who must move next in a dispute.
type State uint8

// The states. Unknown is what a connector answers for a status it has never seen: such a dispute stays open and is looked at.
const (
	StateUnknown  State = iota
	StateSeller         // waits for us
	StateBuyer          // waits for the buyer
	StatePlatform       // waits for the platform, a warehouse or a carrier
	StateClosed         // nothing can be done any more
)

var stateNames = names{"unknown", "wait_seller", "wait_buyer", "wait_platform", "closed"}

func (s State) String() string { return stateNames.of(int(s)) }

// Reason is why the buyer complains, from a closed list.
type Reason uint8

// The reasons.
const (
	ReasonUnknown Reason = iota
	ReasonNotReceived
	ReasonNotAsDescribed
	ReasonDamaged
	ReasonWrongItem
	ReasonMissing // quantity shortage
	ReasonCounterfeit
	ReasonChangedMind
	ReasonOther
)

var reasonNames = names{"unknown", "not_received", "not_as_described", "damaged", "wrong_item", "missing", "counterfeit", "changed_mind", "other"}

func (r Reason) String() string { return reasonNames.of(int(r)) }

// Reasons lists every reason, for labels and scopes.
func Reasons() []Reason { return all[Reason](len(reasonNames)) }

// ParseReason reads the lower-case name.
func ParseReason(s string) (Reason, error) { return parse[Reason](reasonNames, "reason", s) }

// Party is who did something.
type Party uint8

// The parties. PartyTimeout is the platform acting because the seller was silent: a breach.
const (
	PartyNone Party = iota
	PartyBuyer
	PartySeller
	PartyPlatform
	PartyTimeout
)

var partyNames = names{"none", "buyer", "seller", "platform", "timeout"}

func (p Party) String() string { return partyNames.of(int(p)) }

// Mode is how far the fleet may go by itself.
type Mode uint8

// The modes. The zero value is the safe one.
const (
	ModeShadow Mode = iota // decide, record, send nothing
	ModeHold               // a person approves each answer
	ModeLive
)

var modeNames = names{"shadow", "hold", "live"}

func (m Mode) String() string { return modeNames.of(int(m)) }

// Modes lists every mode, for labels.
func Modes() []Mode { return all[Mode](len(modeNames)) }

// ParseMode reads shadow, hold or live.
func ParseMode(s string) (Mode, error) { return parse[Mode](modeNames, "mode", s) }

type names []string

func (n names) of(i int) string {
	if i < 0 || i >= len(n) {
		return fmt.Sprintf("invalid_%d", i)
	}
	return n[i]
}

func all[T ~uint8](n int) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = T(i)
	}
	return out
}

func parse[T ~uint8](n names, what, s string) (T, error) {
	for i, name := range n {
		if name == s {
			return T(i), nil
		}
	}
	return 0, fmt.Errorf("%s %q: want one of %v", what, clip(s, 40), []string(n))
}
