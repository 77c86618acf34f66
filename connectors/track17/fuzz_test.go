package track17

import (
	"bytes"
	"errors"
	"testing"

	"watchkeeper/connectors"
)

// FuzzWebhook holds that only the exact bytes with the exact signature are taken, and that a body is read or refused in words that say nothing of it.
func FuzzWebhook(f *testing.F) {
	f.Add([]byte(`{"event":"TRACKING_STOPPED","data":{"number":"RB1","carrier":3011}}`), "secret")
	f.Add([]byte(`{"event":"TRACKING_UPDATED","data":{}}`), "k")
	f.Add([]byte(`{"event":7,"data":[]}`), "")
	f.Fuzz(func(t *testing.T, body []byte, key string) {
		sign := signed(body, key)
		if err := VerifyWebhook(body, sign, key); (err == nil) != (key != "") {
			t.Errorf("its own signature: %v", err)
		}
		for _, err := range []error{VerifyWebhook(append(bytes.Clone(body), 'x'), sign, key), VerifyWebhook(body, sign[:63]+"g", key), VerifyWebhook(body, sign, key+"x")} {
			if !errors.Is(err, ErrSignature) {
				t.Errorf("want a foreign signature refused, got %v", err)
			}
		}
		hook, err := DecodeWebhook(body)
		switch {
		case err != nil && (connectors.KindOf(err) != connectors.Malformed || len(err.Error()) > 300):
			t.Errorf("want a short Malformed, got %v", err)
		case err == nil && (hook.Shipment.Ref.Number == "" || hook.Event == TrackingStopped && !hook.Shipment.Stopped):
			t.Errorf("want a number and a stop that is one, got %+v", hook)
		}
	})
}

// FuzzPosition holds that any cursor is a place in the walk, and that a place is read as it was written.
func FuzzPosition(f *testing.F) {
	for _, s := range []string{"", "tracking/1/0", "stopped/3/1767225600", "tracking/0/0", "tracking/-1/x", "stopped/9223372036854775808/0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, token string) {
		p := parsePosition(token)
		if p.page < 1 || p.part != followed && p.part != stopped {
			t.Errorf("%q is %+v", token, p)
		}
		if again := parsePosition(p.cursor().Token); again != p {
			t.Errorf("%+v is read again as %+v", p, again)
		}
	})
}
