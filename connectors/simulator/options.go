package simulator

import (
	"time"

	"watchkeeper/sla"
)

// The platforms played here.
const (
	AliExpress sla.Platform = "aliexpress"
	Track17    sla.Platform = "track17"
)

// trackStore is the name of the one 17TRACK account.
const trackStore sla.StoreID = "T17"

// Options say which month to play.
type Options struct {
	Seed      uint64
	Start     time.Time        // of the month; zero means 2026-03-01, so that a change to summer time is in it
	Days      int              // how long; 0 means 30
	Disputes  int              // over all stores
	Shipments int              // over all stores; the first of them belong to the disputes' orders
	Stores    int              // AliExpress stores AE01, AE02, …; 0 means 1
	Buyers    int              // who open the disputes, some of them more than one; 0: nobody opens two
	Window    time.Duration    // how long a seller has for an answer; 0 means the platform's five days. With a short one all disputes open within a fifth of it
	Now       func() time.Time // the virtual clock; nil means the instant of the latest Advance
	Faults    Faults
	Person    bool // an on-call person answers what PageTo hands over
	// Deadline is when the first turn of the n-th dispute ends; its buyer wants no goods to go back, and does nothing without being asked. nil:
	// as the seed has it.
	Deadline func(n int) time.Time
}

// Faults are the ways to misbehave. The zero value behaves.
type Faults struct {
	Throttle      float64       // a request is refused for its number
	ServerError   float64       // a request fails inside the platform; a write may have had its effect
	LostReply     float64       // a write takes effect and the connection breaks before the reply
	DuplicateRows float64       // a page lists a row twice
	ShiftedPages  float64       // a page begins one row late, as when a dispute closes between two pages
	MalformedRow  float64       // a page has a row that cannot be read, besides the good ones
	MovedDeadline float64       // a dispute's deadline moves, earlier or later, in its first turn
	ExpiredToken  float64       // a request finds its access token expired before its time
	DarkFor       time.Duration // each platform is unreachable once for this long
	StaleRead     time.Duration // a read of disputes may show the state as of at most this long ago
}

// AllFaults has every misbehaviour on, at rates that a fleet must survive.
func AllFaults() Faults {
	return Faults{
		Throttle: 0.02, ServerError: 0.02, LostReply: 0.05, DuplicateRows: 0.05, ShiftedPages: 0.05, MalformedRow: 0.03,
		MovedDeadline: 0.15, ExpiredToken: 0.002, DarkFor: 2 * time.Hour, StaleRead: 2 * time.Minute,
	}
}

func (o Options) withDefaults() Options {
	if o.Start.IsZero() {
		o.Start = time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)
	}
	o.Start = o.Start.UTC().Truncate(time.Second)
	if o.Days <= 0 {
		o.Days = 30
	}
	if o.Window <= 0 {
		o.Window = answerWindow
	}
	if o.Stores <= 0 {
		o.Stores = 1
	}
	return o
}

// length is how long the month lasts.
func (o Options) length() time.Duration { return time.Duration(o.Days) * day }

const day = 24 * time.Hour
