package aliexpress

import (
	"errors"
	"strings"
	"time"

	"watchkeeper/connectors"
)

// errSession is said of an access token that the platform does not take: a new one may be.
var errSession = errors.New("the access token is not accepted")

// throttleWait is how long to leave the platform alone after ApiCallLimit: it names no time.
const throttleWait = time.Second

// meanings are the codes that mean something to us, in lower case. The numbers are those of the gateway generation before, whose error
// shape /sync inherited [TOP]; seen with the present gateway is only 15 (unsure for the others).
var meanings = map[string]connectors.Kind{
	"apicalllimit": connectors.Throttled,
	"7":            connectors.Throttled,

	"unknownruntimeexception": connectors.Unavailable,
	"serviceunavailable":      connectors.Unavailable,
	"10":                      connectors.Unavailable,

	"illegalaccesstoken":    connectors.Unauthorised,
	"26":                    connectors.Unauthorised,
	"27":                    connectors.Unauthorised,
	"illegalrefreshtoken":   connectors.Unauthorised,
	"auth_type_unsupported": connectors.Unauthorised,
	"invalidcode":           connectors.Unauthorised,

	"insufficientpermission": connectors.Forbidden,
	"11":                     connectors.Forbidden,
	"12":                     connectors.Forbidden,
	"invalidappkey":          connectors.Forbidden,
	"incompletesignature":    connectors.Forbidden,
	"illegaltimestamp":       connectors.Forbidden, // name unsure: our clock is hours off
}

// renewable are the codes that a new access token can cure.
var renewable = map[string]bool{"illegalaccesstoken": true, "26": true, "27": true}

// fault is what a refusal means. Of an effect, transport takes Unavailable and Malformed for an unknown outcome.
func (r *refusal) fault(effect bool) *connectors.Error {
	e := &connectors.Error{Kind: r.kind(effect), Code: string(r.Code)}
	if r.Sub != "" {
		e.Code = string(r.Sub)
	}
	switch {
	case r.session():
		e.Err = errSession
	case e.Kind == connectors.Throttled:
		e.RetryAfter = throttleWait
	}
	return e
}

func (r *refusal) session() bool {
	return renewable[r.Code.word()] || r.Sub.word() == "isv.invalid-session" // the sub-code is unsure
}

func (r *refusal) kind(effect bool) connectors.Kind {
	sub := r.Sub.word()
	if r.session() {
		return connectors.Unauthorised
	}
	if kind, known := meanings[r.Code.word()]; known {
		return kind
	}
	switch {
	case strings.HasPrefix(sub, "isp."):
		return connectors.Unavailable
	case sub != "":
		return business(sub, effect)
	case r.Code == "15", r.Type.word() == "isp", r.Type.word() == "system":
		return connectors.Unavailable
	case r.Type.word() == "isv" && effect: // the caller's fault: refused before anything was done
		return connectors.Rejected
	}
	return connectors.Malformed
}

// business is a method's own refusal. The sub-codes are not published (unsure): one that speaks of the state or of a thing that is not
// there means that the dispute has moved.
func business(sub string, effect bool) connectors.Kind {
	absent := strings.Contains(sub, "not-exist") || strings.Contains(sub, "not-found")
	switch {
	case effect && (absent || strings.Contains(sub, "status") || strings.Contains(sub, "state")):
		return connectors.Conflict
	case effect:
		return connectors.Rejected
	case absent:
		return connectors.NotFound
	}
	return connectors.Malformed
}
