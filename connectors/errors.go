package connectors

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind classifies what went wrong with a call, from a closed list. What to do follows from the kind alone.
type Kind uint8

// The kinds. Each is also an error, so that errors.Is(err, connectors.NotFound) works.
const (
	KindNone       Kind = iota
	Throttled           // too many calls; try again after Error.RetryAfter
	Unavailable         // the platform or the way to it is out; nothing was done
	Unauthorised        // the token is not accepted; refresh once, then a person must authorise again
	Forbidden           // the account may not do this; a person must change it
	NotFound            // no such thing
	Conflict            // the state has moved; read again
	Rejected            // the platform refuses this answer
	Malformed           // the reply cannot be read
	OutcomeUnknown      // an effect may have happened
)

var kindNames = [...]string{"none", "throttled", "unavailable", "unauthorised", "forbidden", "not_found", "conflict", "rejected", "malformed", "outcome_unknown"}

// Kinds lists every kind that a failed call can have, for labels.
func Kinds() []Kind {
	return []Kind{Throttled, Unavailable, Unauthorised, Forbidden, NotFound, Conflict, Rejected, Malformed, OutcomeUnknown}
}

// String is the kind's name in lower case.
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return "invalid"
	}
	return kindNames[k]
}

// Error makes a kind an error to compare with.
func (k Kind) Error() string { return k.String() }

// An Error is what every method of the contract returns when it fails. It carries no secret, no buyer's text and no URL query.
type Error struct {
	Op         string // the operation: "aliexpress issue.detail.get"
	Subject    string // store, or store and id
	Kind       Kind
	Code       string        // the platform's own code, cleaned
	RetryAfter time.Duration // of Throttled; 0 when the platform does not say
	Err        error         // the cause, if it is safe to show
}

// Error is "op subject: kind (code): cause".
func (e *Error) Error() string {
	s := e.Op
	if e.Subject != "" {
		s += " " + e.Subject
	}
	s += ": " + e.Kind.String()
	if e.Code != "" {
		s += " (" + e.Code + ")"
	}
	if e.Err != nil {
		s = fmt.Sprintf("%s: %v", s, e.Err)
	}
	return s
}

// Unwrap gives the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// KindOf finds the kind of an error. An error without one is Unavailable: nothing is known of it but that the call failed; a
// cancelled context has none.
func KindOf(err error) Kind {
	var e *Error
	switch {
	case err == nil:
		return KindNone
	case errors.As(err, &e):
		return e.Kind
	case errors.Is(err, context.Canceled):
		return KindNone
	}
	return Unavailable
}

// ErrOwnLimit is the cause of Throttled where our own limit asks for patience and the platform was not called.
var ErrOwnLimit = errors.New("own rate limit")

// RetryAfter is how long the platform asked to wait, 0 when it did not.
func RetryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.RetryAfter
	}
	return 0
}
