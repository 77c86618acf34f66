package track17

import (
	"context"
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
const Name sla.Platform = "track17"

const (
	defaultBaseURL = "https://api.17track.net"
	defaultVersion = "v2.4"
	batchSize      = 40 // numbers a call, and rows a page of the list [D22][D24]
	callsASecond   = 3  // of one account, whatever the endpoint [D22]
	replyTimeout   = 30 * time.Second
)

var versions = []string{"v2.2", "v2.4"}

// Platform is 17TRACK's entry of the registry.
var Platform = connectors.Platform{
	Name:      Name,
	Variables: []string{"API_KEY", "API_KEY_FILE", "BASE_URL", "VERSION"},
	Means: map[string]string{
		"API_KEY":  "The account's key; required, here or in a file, which is read again when it changes.",
		"BASE_URL": "Scheme and host of another service, a mirror for example; not set, `" + defaultBaseURL + "`.",
		"VERSION":  "The version of the API, `v2.2` or `v2.4`; not set, `" + defaultVersion + "`.",
	},
	Poll:     10 * time.Minute,
	Defaults: func(r sla.Rule) sla.Rule { return r }, // it has no disputes, so no rule of its own
	Capabilities: connectors.Capabilities{
		Shipments: true, Webhooks: true, BatchSize: batchSize,
		Notes: []string{
			"Each number that is registered costs one credit of the account; registering it again is free.",
			"All stores with the same key share three calls a second.",
			"17TRACK stops following a parcel 30 days after its last change and 15 days after its delivery; stopped parcels are read once a day.",
			"A changed key takes up to five minutes to be accepted.",
			"The webhook's address is set in the 17TRACK dashboard, one for each account; reading the list finds what a lost webhook told.",
		},
	},
	New: func(_ context.Context, env envconfig.Lookuper, deps connectors.Deps) (connectors.Built, error) {
		t, err := newTracker(env, deps)
		if err != nil {
			return connectors.Built{}, fmt.Errorf("store %s: %w", deps.Store, err)
		}
		return connectors.Built{Tracker: t}, nil
	},
	NormaliseReply: normaliseReply,
}

func newTracker(env envconfig.Lookuper, deps connectors.Deps) (*Tracker, error) {
	key, keyErr := transport.Secret(env, "API_KEY")
	base, baseErr := setting(env, "BASE_URL", defaultBaseURL)
	version, versionErr := setting(env, "VERSION", defaultVersion)
	if versionErr == nil && !slices.Contains(versions, version) {
		versionErr = fmt.Errorf("VERSION: want one of %v", versions)
	}
	if err := errors.Join(keyErr, baseErr, versionErr); err != nil {
		return nil, err
	}
	client, err := transport.New(transport.Options{
		Platform: Name, Store: deps.Store, BaseURL: base, Home: defaultBaseURL, RT: deps.HTTP, Now: deps.Now, Timeout: replyTimeout,
		Limiter: deps.Limiter, LimitKey: limitKey(key.Value()), Rate: callsASecond, Per: time.Second,
		Secrets: []string{key.Value()}, Calls: deps.Calls, Log: deps.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("BASE_URL or the parts of the store: %w", err)
	}
	return &Tracker{store: deps.Store, client: client, key: key, path: "/track/" + version + "/", now: deps.Now}, nil
}

// setting reads a plain variable. Set to nothing is a mistake: it would silently mean something else than leaving it out.
func setting(env envconfig.Lookuper, name, otherwise string) (string, error) {
	value, set := env.Lookup(name)
	switch {
	case !set:
		return otherwise, nil
	case value == "":
		return "", fmt.Errorf("%s: empty", name)
	}
	return value, nil
}

// limitKey names the account without telling its key: the allowance belongs to the account, and two stores may share one.
func limitKey(key string) string {
	sum := sha256.Sum256([]byte("watchkeeper track17 limit\x00" + key))
	return string(Name) + "/" + hex.EncodeToString(sum[:8])
}
