package track17

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// SignHeader is the header that carries a webhook's signature.
const SignHeader = "sign"

// ErrSignature is what VerifyWebhook answers when a body is not from the provider.
var ErrSignature = errors.New("track17 webhook: the signature does not fit")

// VerifyWebhook checks that a body was signed with the account's key: hex of SHA-256 over the raw body, a slash and the key [D22]. It
// takes the same time wherever the signature differs. There is no time in it, so an old body verifies again: handling must be
// idempotent.
func VerifyWebhook(body []byte, sign, key string) error {
	if key == "" {
		return ErrSignature // anybody can sign with an empty key
	}
	h := sha256.New()
	_, _ = h.Write(body) // a hash's Write never fails
	_, _ = h.Write([]byte("/" + key))
	want := hex.EncodeToString(h.Sum(nil))
	if subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToLower(strings.TrimSpace(sign)))) != 1 {
		return ErrSignature
	}
	return nil
}

// A WebhookEvent is what a webhook tells.
type WebhookEvent string

// The events.
const (
	TrackingUpdated WebhookEvent = "TRACKING_UPDATED"
	TrackingStopped WebhookEvent = "TRACKING_STOPPED"
)

// A Webhook is a decoded body. Of a stopped number only the reference is known, and that it stopped.
type Webhook struct {
	Event    WebhookEvent
	Shipment sla.Shipment
}

// DecodeWebhook reads a body that VerifyWebhook accepted. Webhooks come late, twice and out of order: take one as a reason to read the
// parcel, not as the truth.
func DecodeWebhook(body []byte) (Webhook, error) {
	const op = "track17 webhook"
	bad := func(cause error) (Webhook, error) {
		return Webhook{}, &connectors.Error{Op: op, Kind: connectors.Malformed, Err: cause}
	}
	var w struct {
		Event text            `json:"event"`
		Data  json.RawMessage `json:"data"`
	}
	if err := decode(body, &w); err != nil {
		return bad(err)
	}
	if len(bytes.TrimSpace(w.Data)) == 0 {
		return bad(errors.New("no data"))
	}
	it, err := readItem(w.Data)
	if err != nil {
		return bad(err)
	}
	hook := Webhook{Event: WebhookEvent(w.Event), Shipment: it.shipment()}
	switch hook.Event {
	case TrackingUpdated:
	case TrackingStopped:
		hook.Shipment.Stopped = true
	default:
		return bad(errors.New("unknown event"))
	}
	return hook, nil
}
