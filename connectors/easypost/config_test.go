package easypost

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/sethvargo/go-envconfig"

	"watchkeeper/connectors"
	"watchkeeper/connectors/conformance"
)

func TestMistakesNameTheirVariable(t *testing.T) {
	t.Parallel()
	clock := conformance.NewClock(epoch)
	deps := connectors.Deps{Store: "EP1", Now: clock.Now, Limiter: conformance.Limiter{}}
	for name, c := range map[string]struct {
		env  map[string]string
		want string
	}{
		"no key":         {nil, "API_KEY or API_KEY_FILE: required"},
		"two keys":       {map[string]string{"API_KEY": apiKey, "API_KEY_FILE": "/x"}, "API_KEY and API_KEY_FILE"},
		"plain http":     {map[string]string{"API_KEY": apiKey, "BASE_URL": "http://x.example"}, "BASE_URL"},
		"key in the URL": {map[string]string{"API_KEY": apiKey, "BASE_URL": "https://" + apiKey + "@x.example"}, "BASE_URL"},
		"empty URL":      {map[string]string{"API_KEY": apiKey, "BASE_URL": ""}, "BASE_URL"},
	} {
		_, err := Platform.New(t.Context(), envconfig.MapLookuper(c.env), deps)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "EP1") || strings.Contains(err.Error(), apiKey) {
			t.Errorf("%s: want %q and the store, without the key, got %v", name, c.want, err)
		}
	}
	b, err := Platform.New(t.Context(), envconfig.MapLookuper(map[string]string{"API_KEY": apiKey}), deps)
	if err != nil || b.Tracker == nil || b.Connector != nil || b.Responder != nil {
		t.Errorf("want a tracker and nothing else, got %+v (%v)", b, err)
	}
}

func TestWebhookSignatureIsOfTheNormalisedSecret(t *testing.T) {
	t.Parallel()
	body := []byte(`{"weight":136.0}`)
	mac := hmac.New(sha256.New, []byte("fire")) // what the ligature and the full-width letters below come to
	_, _ = mac.Write(body)
	header := "hmac-sha256-hex=" + hex.EncodeToString(mac.Sum(nil))
	for secret, want := range map[string]bool{"fire": true, "ﬁre": true, "ｆｉｒｅ": true, "Fire": false, "": false} {
		if got := SignedBy(secret, body, header); got != want {
			t.Errorf("%q: want %v, got %v", secret, want, got)
		}
	}
	for _, bad := range []string{"", "hmac-sha256-hex=", header[16:], header[:len(header)-2], header + "00", "hmac-sha256-hex=zz"} {
		if SignedBy("fire", body, bad) {
			t.Errorf("%q: want it refused", bad)
		}
	}
	if SignedBy("fire", []byte(`{"weight":136}`), header) {
		t.Error("want a rewritten body refused")
	}
}
