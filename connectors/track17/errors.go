package track17

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
)

// The codes that mean something to us [D22]; the rest follow from their range.
const (
	codeOK            = 0
	codeIPNotAllowed  = -18010001
	codeBadKey        = -18010002
	codeInternal      = -18010003
	codeDisabled      = -18010004
	codeUnauthorised  = -18010005
	codeRegistered    = -18019901
	codeNotRegistered = -18019902
	codeDailyLimit    = -18019907
	codeQuota         = -18019908
	codePending       = -18019909
)

// dailyLimitWait is how long to leave an account alone that used up its day: where the provider's day ends is not documented.
const dailyLimitWait = time.Hour

// meaningOfCode turns a code into a kind, with words of ours: the provider's own quote the number. KindNone is success.
func meaningOfCode(code int64) (connectors.Kind, string) {
	switch {
	case code == codeOK, code == codeRegistered:
		return connectors.KindNone, ""
	case code == codeBadKey:
		return connectors.Unauthorised, "the key is not accepted"
	case code == codeIPNotAllowed:
		return connectors.Forbidden, "our address is not on the account's list"
	case code == codeDisabled, code == codeUnauthorised:
		return connectors.Forbidden, "the account may not do this"
	case code == codeInternal:
		return connectors.Unavailable, "internal error of the provider"
	case code == codeNotRegistered:
		return connectors.NotFound, "not registered"
	case code == codeDailyLimit:
		return connectors.Throttled, "the day's numbers are used up"
	case code == codeQuota:
		return connectors.Forbidden, "the account has no credits left"
	case code <= -18010201 && code >= -18010206:
		return connectors.Forbidden, "the webhook's settings are wrong"
	case code <= -18019801 && code >= -18019811, code <= -18019903 && code >= -18019911:
		return connectors.Rejected, "the number is not taken"
	}
	return connectors.Malformed, "the request or the reply is not understood"
}

// codeError is the error of a code, nil when it means success.
func codeError(code int64) *connectors.Error {
	kind, why := meaningOfCode(code)
	if kind == connectors.KindNone {
		return nil
	}
	e := &connectors.Error{Kind: kind, Code: strconv.FormatInt(code, 10), Err: errors.New(why)}
	if code == codeDailyLimit {
		e.RetryAfter = dailyLimitWait
	}
	return e
}

// classify looks at a reply: the code at the top, or the errors inside. A refused status keeps the status' meaning unless the code
// tells a better one.
func classify(status int, body []byte) *connectors.Error {
	var e envelope
	bad := !transport.LooksJSON(body) || decode(body, &e) != nil
	code, told := e.Code.integer()
	if told && code == codeOK && e.Data != nil && len(e.Data.Errors) > 0 {
		code = e.Data.Errors[0].Code.number()
		told = code != codeOK // an error without a code is not success
	}
	bad = bad || !told
	ok := status >= 200 && status < 300
	switch {
	case ok && (bad || e.Data == nil && code == codeOK):
		return &connectors.Error{Kind: connectors.Malformed, Err: errors.New("the reply is not understood")}
	case ok:
		return codeError(code)
	case status == http.StatusTooManyRequests || status >= 500 || bad || code == codeOK:
		return nil // the status says it
	}
	return codeError(code)
}
