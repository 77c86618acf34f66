package easypost

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
	"watchkeeper/sla"
)

// tracker is EasyPost's Tracker object, as far as we read it. Every text may be null.
type tracker struct {
	ID           string   `json:"id"`
	TrackingCode string   `json:"tracking_code"`
	Carrier      string   `json:"carrier"`
	Status       string   `json:"status"`
	StatusDetail string   `json:"status_detail"`
	CreatedAt    string   `json:"created_at"`
	Carriage     *journey `json:"carrier_detail"`
	Details      []detail `json:"tracking_details"`
}

// journey is the CarrierDetail object.
type journey struct {
	Origin place `json:"origin_tracking_location"`
	Dest   place `json:"destination_tracking_location"`
}

// detail is one TrackingDetail: a scan. Newer recordings have null where older ones have "".
type detail struct {
	Message      string `json:"message"`
	Description  string `json:"description"`
	Status       string `json:"status"`
	StatusDetail string `json:"status_detail"`
	Datetime     string `json:"datetime"`
	Location     place  `json:"tracking_location"`
}

type place struct {
	Country string `json:"country"`
}

// code is the ISO country, empty when it is not told in that form.
func (p place) code() string {
	c := strings.ToUpper(strings.TrimSpace(p.Country))
	if len(c) != 2 || c[0] < 'A' || c[0] > 'Z' || c[1] < 'A' || c[1] > 'Z' {
		return ""
	}
	return c
}

// registration is the body of POST /trackers.
type registration struct {
	Tracker registrationTracker `json:"tracker"`
}

type registrationTracker struct {
	TrackingCode string `json:"tracking_code"`
	Carrier      string `json:"carrier,omitempty"`
}

// faultCode is the code in a refusal's body; false when the body is none. Its message may quote what was sent, so it is not read.
func faultCode(body []byte) (string, bool) {
	fault, ok := transport.Member(body, "error")
	if !ok {
		return "", false
	}
	code, _ := transport.Field(fault, "code")
	return code, true
}

// codeKinds are the codes that say more than the status they come with.
var codeKinds = map[string]connectors.Kind{
	"APIKEY.INACTIVE": connectors.Unauthorised,
	"NOT_FOUND":       connectors.NotFound,
	"RATE_LIMITED":    connectors.Throttled, // unsure: named in the documentation, never recorded
}

// classify reads a reply, which when all is well must have the member: a 200 without it is no answer.
func classify(effect bool, member string) func(status int, body []byte) *connectors.Error {
	return func(status int, body []byte) *connectors.Error {
		kind := transport.StatusKind(status, effect)
		if _, ok := transport.Member(body, member); ok && kind == connectors.KindNone {
			return nil
		}
		code, refused := faultCode(body)
		switch {
		case codeKinds[code] != connectors.KindNone:
			return &connectors.Error{Kind: codeKinds[code], Code: code}
		case kind != connectors.KindNone:
			return &connectors.Error{Kind: kind, Code: code}
		case refused:
			return &connectors.Error{Kind: connectors.Malformed, Code: code, Err: errors.New("a refusal with a good status")}
		}
		return &connectors.Error{Kind: connectors.Malformed, Err: fmt.Errorf("reply without %s", member)}
	}
}

// ref is a tracker's identity: number and carrier. False when the number is none.
func ref(code, carrier string) (sla.ShipmentRef, bool) {
	number := compact(strings.ToUpper(code))
	carrier = compact(carrier)
	if number == "" || len(number) > 64 || len(carrier) > 64 || !printable(number) || !printable(carrier) {
		return sla.ShipmentRef{}, false
	}
	return sla.ShipmentRef{Number: number, Carrier: carrier}, true
}

func compact(s string) string { return strings.Join(strings.Fields(s), "") }

// printable keeps out what would break a key: the colon parts number and carrier there.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' || r == '/' })
}

// instant reads a time; zero when it is absent or in another form.
func instant(s string) time.Time {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// reject keeps what cannot be read, with at most the allowed bytes of it.
func reject(store sla.StoreID, id string, raw []byte, code, why string) connectors.Reject {
	return connectors.Reject{ID: id, Raw: raw[:min(len(raw), connectors.MaxRejectBytes)], Err: &connectors.Error{
		Op: "easypost tracker", Subject: string(store), Kind: connectors.Malformed, Code: code, Err: errors.New(why),
	}}
}
