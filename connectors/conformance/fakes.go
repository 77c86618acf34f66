package conformance

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// Limiter is a limiter without a limit.
type Limiter struct{}

var _ connectors.Limiter = Limiter{}

// Take always permits.
func (Limiter) Take(ctx context.Context, _ string, _ int, _ time.Duration) (time.Duration, error) {
	return 0, ctx.Err()
}

// Brake is one kill switch over everything; the zero value is off. It is safe for concurrent use.
type Brake struct {
	mu  sync.Mutex
	err error
	of  []sla.Reason
}

var _ connectors.Brake = (*Brake)(nil)

// Throw makes the brake answer with an error; nil takes it back.
func (b *Brake) Throw(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

// Asked lists the reasons of the answers that it was asked about.
func (b *Brake) Asked() []sla.Reason {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.of)
}

// CheckKill answers what was thrown last.
func (b *Brake) CheckKill(_ context.Context, _ sla.Platform, _ sla.StoreID, r sla.Reason) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.of = append(b.of, r)
	return b.err
}

// Clock is a clock that moves only when told. It is safe for concurrent use.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock makes a clock that stands at an instant.
func NewClock(at time.Time) *Clock { return &Clock{at: at.UTC()} }

// Now is the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Advance moves the clock.
func (c *Clock) Advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
}

// Vault is a token vault in memory; the zero value is empty and ready. Its locks do not run out by themselves.
type Vault struct {
	mu     sync.Mutex
	stores map[sla.StoreID]*entry
}

type entry struct {
	blob    []byte
	version int64
	owner   string
}

var _ connectors.TokenVault = (*Vault)(nil)

// at gives the entry of a store. The caller holds the lock.
func (v *Vault) at(store sla.StoreID) *entry {
	if v.stores == nil {
		v.stores = map[sla.StoreID]*entry{}
	}
	if v.stores[store] == nil {
		v.stores[store] = &entry{}
	}
	return v.stores[store]
}

// Load gives the blob and its version.
func (v *Vault) Load(ctx context.Context, store sla.StoreID) ([]byte, int64, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	e := v.at(store)
	return bytes.Clone(e.blob), e.version, ctx.Err()
}

// Save stores a blob if the version is still the given one.
func (v *Vault) Save(ctx context.Context, store sla.StoreID, blob []byte, version int64) (int64, bool, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	e := v.at(store)
	if err := ctx.Err(); err != nil || e.version != version {
		return 0, false, err
	}
	e.blob, e.version = bytes.Clone(blob), version+1
	return e.version, true, nil
}

// Lock takes the right to refresh.
func (v *Vault) Lock(ctx context.Context, store sla.StoreID, owner string, _ time.Duration) (bool, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	e := v.at(store)
	if err := ctx.Err(); err != nil || e.owner != "" && e.owner != owner {
		return false, err
	}
	e.owner = owner
	return true, nil
}

// Unlock gives the right back.
func (v *Vault) Unlock(_ context.Context, store sla.StoreID, owner string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if e := v.at(store); e.owner == owner {
		e.owner = ""
	}
	return nil
}
