package aliexpress

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sethvargo/go-envconfig"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
	"watchkeeper/sla"
)

// Name is the platform's name.
const Name sla.Platform = "aliexpress"

const (
	defaultBaseURL = "https://api-sg.aliexpress.com"
	answerWindow   = 5 * 24 * time.Hour // of the seller's answer; shops' guides and the catalogue's enum agree on it
	callsASecond   = 5                  // of one app: no figure is published (unsure)
)

// Platform is AliExpress' entry of the registry.
var Platform = connectors.Platform{
	Name: Name,
	Variables: []string{
		"APP_KEY", "APP_SECRET", "APP_SECRET_FILE", "ACCESS_TOKEN", "ACCESS_TOKEN_FILE", "REFRESH_TOKEN", "REFRESH_TOKEN_FILE", "TOKEN_EXPIRES",
		"BASE_URL", "RETURN_ADDRESS_ID", "BUYER_HASH_KEY", "BUYER_HASH_KEY_FILE",
	},
	Means: map[string]string{ //nolint:gosec // no credential, but what each is
		"APP_KEY":           "The number of the app of the open platform; required.",
		"APP_SECRET":        "The app's secret, which signs every call; required, here or in a file.",
		"ACCESS_TOKEN":      "The token of the seller's authorisation. It or a refresh token is required; both are usual.",
		"REFRESH_TOKEN":     "Renews the access token; without it a person must authorise the shop again when that ends.",
		"TOKEN_EXPIRES":     "When the access token ends, in the form of RFC 3339; not set, it is used until the platform refuses it.",
		"BASE_URL":          "Scheme and host of another gateway, a sandbox for example; not set, `" + defaultBaseURL + "`.",
		"RETURN_ADDRESS_ID": "The number of the address that goods are sent back to; without it a return is for a person.",
		"BUYER_HASH_KEY": "The key of the buyers' hashes; not set, one is made of the app's secret, and a new secret makes every buyer a new one. " +
			"Give all stores the same, so that a buyer of two of them counts as one.",
	},
	Poll: 5 * time.Minute,
	Defaults: func(r sla.Rule) sla.Rule {
		r.Window = sla.By(sla.FromDefault, answerWindow)
		return r
	},
	Capabilities: connectors.Capabilities{
		Answers:  sla.Answers(sla.AnswerAccept, sla.AnswerOffer, sla.AnswerRefuse, sla.AnswerExtend),
		Disputes: true, Deadlines: true,
		Notes: []string{
			"Disputes are polled: no push tells of them.",
			"A refusal is a counter-proposal of 0 with a text; there is no other way to write to the buyer.",
			"Evidence, the receipt of returned goods and arbitration are for a person in the seller centre.",
			"A return can be accepted only with RETURN_ADDRESS_ID.",
			"Once a refresh token is over the shop must be authorised again by a person.",
			"Whether an extension of the buyer's protection took effect cannot be read back, so it is never sent twice.",
		},
	},
	New: func(_ context.Context, env envconfig.Lookuper, deps connectors.Deps) (connectors.Built, error) {
		s, err := newSeller(env, deps)
		if err != nil {
			return connectors.Built{}, fmt.Errorf("store %s: %w", deps.Store, err)
		}
		return connectors.Built{Connector: s, Responder: s}, nil
	},
	NormaliseReply: normaliseReply,
}

// config is what the operator set for one store.
type config struct {
	appKey  string
	base    string
	address text // of returns; empty when none is configured
	expires time.Time
	secret  *transport.SecretValue
	access  *transport.SecretValue // nil when not set, like the next two
	refresh *transport.SecretValue
	hashKey *transport.SecretValue
}

// readConfig reads all variables and reports all mistakes.
func readConfig(env envconfig.Lookuper) (config, error) {
	c := config{base: defaultBaseURL}
	var errs [8]error
	c.secret, errs[0] = transport.Secret(env, "APP_SECRET")
	c.access, errs[1] = optional(env, "ACCESS_TOKEN")
	c.refresh, errs[2] = optional(env, "REFRESH_TOKEN")
	c.hashKey, errs[3] = optional(env, "BUYER_HASH_KEY")
	if c.access == nil && c.refresh == nil && errs[1] == nil && errs[2] == nil {
		errs[1] = errors.New("REFRESH_TOKEN or ACCESS_TOKEN: one is required, as a variable or a file")
	}
	if key, _ := env.Lookup("APP_KEY"); text(key).id() == "" || key[0] == '-' {
		errs[4] = errors.New("APP_KEY: want the number of the app")
	} else {
		c.appKey = key
	}
	if id, set := env.Lookup("RETURN_ADDRESS_ID"); set {
		if c.address = text(text(id).id()); c.address == "" || id[0] == '-' {
			errs[5] = errors.New("RETURN_ADDRESS_ID: want the number of an address in the seller centre")
		}
	}
	if at, set := env.Lookup("TOKEN_EXPIRES"); set {
		var err error
		if c.expires, err = time.Parse(time.RFC3339, at); err != nil {
			errs[6] = errors.New("TOKEN_EXPIRES: want a time like 2026-06-30T12:00:00Z")
		}
	}
	if url, set := env.Lookup("BASE_URL"); set {
		if c.base = url; url == "" {
			errs[7] = errors.New("BASE_URL: empty")
		}
	}
	return c, errors.Join(errs[:]...)
}

// optional is a secret that may be left out.
func optional(env envconfig.Lookuper, name string) (*transport.SecretValue, error) {
	_, inline := env.Lookup(name)
	_, file := env.Lookup(name + "_FILE")
	if !inline && !file {
		return nil, nil //nolint:nilnil // left out, which is no mistake
	}
	return transport.Secret(env, name)
}

func valueOf(s *transport.SecretValue) string {
	if s == nil {
		return ""
	}
	return s.Value()
}

// buyerHashKey is the operator's key, or one made from the app's secret: then a changed secret makes every buyer a new one.
func (c config) buyerHashKey() []byte {
	if key := valueOf(c.hashKey); key != "" {
		return []byte(key)
	}
	mac := hmac.New(sha256.New, []byte(c.secret.Value()))
	mac.Write([]byte("watchkeeper aliexpress buyer key"))
	return mac.Sum(nil)
}

// sealKeys adds the application's secret to the keys of the vault: alone it seals, and beside others it opens what it sealed before.
func (c config) sealKeys(keys [][]byte) ([][]byte, error) {
	own := []byte(c.secret.Value())
	switch {
	case len(own) >= transport.MinSealKey:
		return append(slices.Clone(keys), own), nil
	case len(keys) == 0:
		return nil, fmt.Errorf("APP_SECRET: shorter than %d bytes, and it seals the stored tokens while WK_VAULT__KEY_FILE is not set", transport.MinSealKey)
	}
	return keys, nil
}

func newSeller(env envconfig.Lookuper, deps connectors.Deps) (*Seller, error) {
	c, err := readConfig(env)
	if err != nil {
		return nil, err
	}
	app := sha256.Sum256([]byte("watchkeeper aliexpress limit\x00" + c.appKey))
	client, err := transport.New(transport.Options{
		Platform: Name, Store: deps.Store, BaseURL: c.base, Home: defaultBaseURL, RT: deps.HTTP, Now: deps.Now, Limiter: deps.Limiter, Brake: deps.Brake,
		LimitKey: string(Name) + "/" + hex.EncodeToString(app[:8]), Rate: callsASecond, Per: time.Second, // quotas are per app
		Secrets: []string{valueOf(c.secret), valueOf(c.access), valueOf(c.refresh), valueOf(c.hashKey)}, Calls: deps.Calls, Log: deps.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("BASE_URL or the parts of the store: %w", err)
	}
	s := &Seller{
		store: deps.Store, appKey: c.appKey, secret: c.secret, address: c.address, client: client, now: deps.Now, known: newMemory(knownLimit),
		settings: settings{returns: c.address != "", buyerKey: c.buyerHashKey()},
	}
	keys, err := c.sealKeys(deps.SealKeys)
	if err != nil {
		return nil, err
	}
	s.tokens, err = transport.NewTokens(transport.TokenOptions{
		Store: deps.Store, Vault: deps.Tokens, Now: deps.Now, SealKeys: keys, Owner: rand.Text(), Refresh: s.refresh,
		Initial: transport.Token{Access: valueOf(c.access), Refresh: valueOf(c.refresh), Expires: c.expires},
	})
	if err != nil {
		return nil, fmt.Errorf("the parts of the store: %w", err)
	}
	return s, nil
}
