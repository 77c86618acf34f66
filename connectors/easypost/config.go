package easypost

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sethvargo/go-envconfig"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
	"watchkeeper/sla"
)

const name sla.Platform = "easypost"

// home is the platform's own address, and the default of BASE_URL.
const home = "https://api.easypost.com/v2"

const (
	pageSize = 100                 // unsure: the largest page is not published
	rate     = 5                   // calls a second. unsure: no number is published; a 429 slows down further
	horizon  = 90 * 24 * time.Hour // how far back the feed reads
	reach    = 365 * 24 * time.Hour
	batch    = 50 // numbers in one read; keeps the URL well below 8 KiB
)

// Platform is EasyPost's entry in the registry.
var Platform = connectors.Platform{
	Name: name,
	Capabilities: connectors.Capabilities{
		Shipments: true,
		Webhooks:  true,
		BatchSize: batch,
		Notes: []string{
			"The feed reads every tracker of the last 90 days at each poll, 100 a call; older ones are read one by one when they are due.",
			"Customs states come from the carrier's text, not from a code.",
			"Event times are local to the scan where EasyPost knows the place, so idle times are good to a day.",
			"Each newly registered parcel costs a fee.",
		},
	},
	Defaults:  func(r sla.Rule) sla.Rule { return r },
	New:       build,
	Variables: []string{"API_KEY", "API_KEY_FILE", "BASE_URL"},
	Means: map[string]string{
		"API_KEY":  "The account's key; required, here or in a file, which is read again when it changes.",
		"BASE_URL": "Scheme, host and path of another service, a mirror for example; not set, `" + home + "`. http to a loopback host only.",
	},
	Poll:           10 * time.Minute,
	NormaliseReply: NormaliseReply,
}

// settings are the variables of one store that are no secrets.
type settings struct {
	BaseURL string `env:"BASE_URL, default=https://api.easypost.com/v2"`
}

// build makes the tracker of one store; it reports every mistake at once and makes no call.
func build(ctx context.Context, env envconfig.Lookuper, deps connectors.Deps) (connectors.Built, error) {
	var s settings
	key, keyErr := transport.Secret(env, "API_KEY")
	urlErr := envconfig.ProcessWith(ctx, &envconfig.Config{Target: &s, Lookuper: env})
	if keyErr != nil || urlErr != nil {
		return connectors.Built{}, fmt.Errorf("easypost store %s: %w", deps.Store, errors.Join(keyErr, urlErr))
	}
	client, err := transport.New(transport.Options{
		Platform: name, Store: deps.Store, BaseURL: s.BaseURL, Home: home, RT: deps.HTTP, Now: deps.Now, Limiter: deps.Limiter, Rate: rate, Per: time.Second,
		Secrets: []string{key.Value()}, Calls: deps.Calls, Log: deps.Log,
	})
	if err != nil {
		return connectors.Built{}, fmt.Errorf("easypost store %s: BASE_URL: %w", deps.Store, err)
	}
	return connectors.Built{Tracker: &Tracker{store: deps.Store, now: deps.Now, key: key, client: client}}, nil
}
