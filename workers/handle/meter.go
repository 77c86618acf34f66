package handle

import (
	"errors"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// A Meter is told how the platforms fare and which answers are due, for the margins of later ones. It must return at once.
type Meter interface {
	// Took is how long the reading of a dispute took, and the answer after it where there was one.
	Took(p sla.Platform, d time.Duration)
	// Waits is how long a platform asked us to wait; what our own limit asks for is none of that.
	Waits(p sla.Platform, d time.Duration)
	// Due is an answer that is due and not sent, and the last safe moment for it. PutOff is until when it is left alone. Done ends it, whichever
	// replica had called it due.
	Due(p sla.Platform, c sla.Case, guard time.Time)
	PutOff(p sla.Platform, id sla.DisputeID, until time.Time)
	Done(p sla.Platform, id sla.DisputeID)
}

// unmetered is the meter where nobody measures.
type unmetered struct{}

func (unmetered) Took(sla.Platform, time.Duration)              {}
func (unmetered) Waits(sla.Platform, time.Duration)             {}
func (unmetered) Due(sla.Platform, sla.Case, time.Time)         {}
func (unmetered) PutOff(sla.Platform, sla.DisputeID, time.Time) {}

func (unmetered) Done(sla.Platform, sla.DisputeID) {}

// due tells the meter what was decided about a case.
func (h *Handlers) due(src *connectors.Source, c sla.Case, d sla.Decision) {
	if d.Action == sla.ActionAct {
		h.Meter.Due(src.Platform, c, sla.GuardAt(c.Obligation, d.Rule))
	}
}

// slowFailure is how long a call that failed must have taken to tell of the platform's pace: a quick refusal would make it look quick.
const slowFailure = time.Second

// took tells the meter how long the platform has taken for the turn so far, and for how long it wants to be left alone. A turn is over before its
// claim: in one that took longer this process stood still, which is no fault of the platform's.
func (t *turn) took(err error) {
	if took := min(t.Now().Sub(t.began), claimLease); err == nil || took >= slowFailure {
		t.Meter.Took(t.src.Platform, took)
	}
	if connectors.KindOf(err) != connectors.Throttled {
		return
	}
	wait := connectors.RetryAfter(err)
	t.Meter.PutOff(t.src.Platform, t.rec.ID, t.Now().Add(wait))
	if !errors.Is(err, connectors.ErrOwnLimit) {
		t.Meter.Waits(t.src.Platform, wait)
	}
}
