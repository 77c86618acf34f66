package aliexpress

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"

	"watchkeeper/connectors"
	"watchkeeper/connectors/conformance"
	"watchkeeper/sla"
)

func start(t *testing.T, env map[string]string) (connectors.Built, error) {
	t.Helper()
	return Platform.New(t.Context(), envconfig.MapLookuper(env), connectors.Deps{
		Store: "AE01", Now: conformance.NewClock(epoch).Now, Limiter: conformance.Limiter{}, Tokens: &conformance.Vault{},
	})
}

func TestEachMistakeNamesItsVariableAndNoSecret(t *testing.T) {
	t.Parallel()
	good := map[string]string{"APP_KEY": "500123", "APP_SECRET": demoSecret, "REFRESH_TOKEN": demoRefresh}
	if b, err := start(t, good); err != nil || b.Connector == nil || b.Responder == nil || b.Tracker != nil {
		t.Fatalf("want a connector and a responder, got %+v (%v)", b, err)
	}
	for name, change := range map[string]map[string]string{
		"APP_KEY":           {"APP_KEY": "x1"},
		"APP_SECRET":        {"APP_SECRET": ""},
		"APP_SECRET: sh":    {"APP_SECRET": "CANARY-short"},
		"REFRESH_TOKEN":     {"REFRESH_TOKEN": "\x00delete"},
		"ACCESS_TOKEN":      {"ACCESS_TOKEN": " "},
		"ACCESS_TOKEN_FILE": {"ACCESS_TOKEN_FILE": "CANARY+not/a/path="},
		"TOKEN_EXPIRES":     {"TOKEN_EXPIRES": "tomorrow"},
		"BASE_URL":          {"BASE_URL": "http://user:CANARY@api.example.com"},
		"BASE_URL: empty":   {"BASE_URL": ""},
		"RETURN_ADDRESS_ID": {"RETURN_ADDRESS_ID": "home"},
		"BUYER_HASH_KEY":    {"BUYER_HASH_KEY": ""},
	} {
		env := map[string]string{}
		for _, from := range []map[string]string{good, change} {
			for k, v := range from {
				if env[k] = v; v == "\x00delete" {
					delete(env, k)
				}
			}
		}
		_, err := start(t, env)
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "CANARY") || strings.Contains(err.Error(), demoSecret) {
			t.Errorf("%s: want the variable named and nothing told, got %v", name, err)
		}
	}
	_, err := start(t, map[string]string{})
	for _, name := range []string{"APP_KEY", "APP_SECRET", "REFRESH_TOKEN"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want all mistakes at once, got %v without %s", err, name)
		}
	}
}

func TestSecretsMayLieInFiles(t *testing.T) {
	t.Parallel()
	p := newShop(t)
	p.shows(sample(nil))
	file := func(name, value string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	s := p.seller(
		"APP_SECRET", "", "APP_SECRET_FILE", file("secret", demoSecret), "ACCESS_TOKEN", "", "ACCESS_TOKEN_FILE", file("access", demoAccess),
		"REFRESH_TOKEN", "", "REFRESH_TOKEN_FILE", file("refresh", demoRefresh), "BUYER_HASH_KEY_FILE", file("hash", "a key of the operator's"),
	)
	p.fetchOne(s)
	if mine, other := p.lookup(s).Buyer, p.lookup(p.seller()).Buyer; mine == 0 || mine == other {
		t.Errorf("want buyers hashed with the operator's key, got %x and %x", mine, other)
	}
}

func TestTokenThatIsKnownToExpireIsRenewedBefore(t *testing.T) {
	t.Parallel()
	p := newShop(t)
	p.shows(sample(nil))
	p.fetchOne(p.seller("TOKEN_EXPIRES", epoch.Add(time.Minute).Format(time.RFC3339)))
	if p.grants != 1 {
		t.Errorf("want the token renewed, got %d renewals", p.grants)
	}
}

func TestPlatformSaysWhatItIs(t *testing.T) {
	t.Parallel()
	r := Platform.Defaults(sla.DefaultRule())
	if Platform.Name != "aliexpress" || r.Window.Value != 120*time.Hour || Platform.Poll != 5*time.Minute || len(Platform.Capabilities.Notes) == 0 {
		t.Errorf("want five days, polled every five minutes, got %v and %v", r.Window, Platform.Poll)
	}
	for _, name := range []string{"APP_SECRET_FILE", "REFRESH_TOKEN_FILE", "BUYER_HASH_KEY_FILE", "RETURN_ADDRESS_ID", "TOKEN_EXPIRES"} {
		if !slices.Contains(Platform.Variables, name) {
			t.Errorf("want %s among the variables", name)
		}
	}
	if Platform.Capabilities.Answers.Has(sla.AnswerEvidence) {
		t.Error("want no evidence: the platform takes none through the API")
	}
}
