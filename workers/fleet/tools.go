package fleet

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"watchkeeper/workers/store"
)

// OpenStore opens the records as New does, for a tool that reads them: nothing is listened to, nothing is polled. Of the options it wants
// the configuration, the rulebook, the clock and the logger. The caller calls what it gives to close.
func OpenStore(ctx context.Context, o Options) (*store.Store, func(context.Context) error, error) {
	f := &Fleet{o: o, log: o.Log, reg: prometheus.NewRegistry()}
	if err := f.openStore(ctx); err != nil {
		return nil, nil, errors.Join(err, f.Stop(context.WithoutCancel(ctx)))
	}
	return f.store, f.Stop, nil
}

// CheckStores builds the connector of every store as New does, without Redis and without any call to a platform. All mistakes are
// reported together, but for those of the keys of the vault, which LoadConfig tells of. Where variables were left out because they hold mistakes,
// it is no news that no store is left.
func CheckStores(ctx context.Context, o Options, leftOut []string) error {
	if _, bad := o.Config.Vault.keys(); bad != nil {
		o.Config.Vault = Vault{}
	}
	f := &Fleet{o: o, log: o.Log, reg: prometheus.NewRegistry(), shared: spectator{}}
	err := f.openPlatforms(ctx)
	ofStore := func(variable string) bool { return strings.HasPrefix(variable, Prefix+"STORE__") }
	if errors.Is(err, errNoStore) && slices.ContainsFunc(leftOut, ofStore) {
		return nil
	}
	return err
}
