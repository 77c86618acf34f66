package intake

import (
	"time"

	"watchkeeper/sla"
)

// The causes of a breach: what kept an answer from going out, as far as the record from before tells.
const (
	causeUnseen   = "unseen"  // the dispute, or that something was owed in it, had not been recorded
	causeUnknown  = "unknown" // an answer was sent, and its outcome never learnt
	causeUnshown  = "unshown" // an answer was accepted, and the platform did not count it
	causeHeld     = "held"    // a person held the case or said no
	causeUnsaid   = "unsaid"  // the answer waited for a person's yes
	causeShadow   = "shadow"  // the mode only records
	causePaged    = "paged"   // a person was told to act
	causeSilent   = "silent"  // nobody was told
	breachesNewer = 24 * time.Hour
)

func causes() []string {
	return []string{causeUnseen, causeUnknown, causeUnshown, causeHeld, causeUnsaid, causeShadow, causePaged, causeSilent}
}

// breached names the cause when the platform now shows that a deadline passed in silence; empty otherwise. Of a dispute that is new to us that is
// news for a day: a first start, or one after a loss of memory, reads what was over long before.
func breached(o observed, now time.Time) string {
	d := o.dispute
	switch {
	case d.State != sla.StateClosed || d.Closed.By != sla.PartyTimeout || o.prev != nil && !o.prev.Open():
		return ""
	case o.prev != nil:
		return causeOf(o.prev.Case)
	case now.Sub(d.Closed.At) < breachesNewer:
		return causeUnseen
	}
	return ""
}

func causeOf(c sla.Case) string {
	switch {
	case c.Unresolved:
		return causeUnknown
	case c.Obligation.Turn == 0:
		return causeUnseen
	case c.Answered:
		return causeUnshown
	case c.Approval == sla.ApprovalHeld || c.Approval == sla.ApprovalRejected:
		return causeHeld
	case c.Waiting:
		return causeUnsaid
	case c.Shadowed:
		return causeShadow
	case c.Paged != sla.StageNone:
		return causePaged
	}
	return causeSilent
}
