package track17

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

func signed(body []byte, key string) string {
	sum := sha256.Sum256(append(append([]byte{}, body...), "/"+key...))
	return hex.EncodeToString(sum[:])
}

func TestWebhookSignatureCoversTheRawBytes(t *testing.T) {
	t.Parallel()
	body := []byte("{\"event\": \"TRACKING_STOPPED\",\t\"data\":{\"number\":\"\xff\"}}")
	sign := signed(body, testKey)
	if err := VerifyWebhook(body, sign, testKey); err != nil {
		t.Errorf("want the signature accepted, got %v", err)
	}
	if err := VerifyWebhook(body, " "+strings.ToUpper(sign)+"\n", testKey); err != nil {
		t.Errorf("want upper case accepted, got %v", err)
	}
	for name, err := range map[string]error{
		"other body": VerifyWebhook(append(body, ' '), sign, testKey), "other key": VerifyWebhook(body, sign, testKey+"x"),
		"no signature": VerifyWebhook(body, "", testKey), "half": VerifyWebhook(body, sign[:32], testKey), "longer": VerifyWebhook(body, sign+"00", testKey),
		"no key": VerifyWebhook(body, signed(body, ""), ""), "no body": VerifyWebhook(nil, sign, testKey),
	} {
		if !errors.Is(err, ErrSignature) || strings.Contains(err.Error(), testKey) {
			t.Errorf("%s: want it refused, got %v", name, err)
		}
	}
}

// The vector was computed apart from this code: printf '%s' '{"event":"TRACKING_STOPPED"}/secret' | sha256sum.
func TestWebhookSignatureOfAKnownBody(t *testing.T) {
	t.Parallel()
	if err := VerifyWebhook([]byte(`{"event":"TRACKING_STOPPED"}`), knownSignature, "secret"); err != nil {
		t.Error(err)
	}
}

func TestWebhookIsDecoded(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Webhook{
		"webhook_updated": {Event: TrackingUpdated, Shipment: sla.Shipment{Milestone: sla.MilestoneDeliveryFailed}},
		"webhook_stopped": {Event: TrackingStopped, Shipment: sla.Shipment{Stopped: true}},
	} {
		body, err := os.ReadFile("testdata/testcases/" + name + "/input.json")
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeWebhook(body)
		if err != nil || got.Event != want.Event || got.Shipment.Milestone != want.Shipment.Milestone || got.Shipment.Stopped != want.Shipment.Stopped ||
			got.Shipment.Ref.Number != "LX100000001CN" {
			t.Errorf("%s: got %+v (%v)", name, got, err)
		}
	}
	if _, err := DecodeWebhook([]byte(`{"event":"SOMETHING_NEW","data":{"number":"LX100000001CN"}}`)); connectors.KindOf(err) != connectors.Malformed {
		t.Errorf("want an unknown event malformed, got %v", err)
	}
}

const knownSignature = "60a34ad59561f635096f84c92c4ce831383218632d081169308aeb06f0fbbe36"
